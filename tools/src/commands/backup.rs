//! `backup`: copies a commit to another folder.

use crate::args::Backup;
use crate::failure::{Failure, In as _, Outcome};
use crate::render::{out, progress::PhaseBar, units};
use crate::signals;
use lucerne::directory::FsDirectory;
use lucerne::{Error, Index};
use serde_json::json;
use std::sync::Arc;

pub(super) fn run(args: &Backup, json: bool) -> Outcome {
    let (dir, to) = (&args.dir, &args.to);
    let index = Index::open(dir).in_index(dir)?;
    let directory = Arc::new(FsDirectory::create(to).map_err(Error::from).in_index(to)?);
    let (stop, bar) = (signals::stop_flag(), PhaseBar::new());
    let report = match &args.at {
        None => index.backup_in(directory, &stop, &bar),
        Some(at) => index.open_at(at.clone()).and_then(|searcher| searcher.backup_in(directory, &stop, &bar)),
    };
    bar.finish();
    let report = report.map_err(|error| match error {
        Error::Locked { .. } => Failure::engine(to, &error),
        error => Failure::engine(dir, &error),
    })?;
    if json {
        return out::json(&json!({
            "generation": report.generation,
            "docs": report.docs,
            "files": report.files,
            "bytes": report.bytes,
            "copied_files": report.copied_files,
            "copied_bytes": report.copied_bytes,
        }));
    }
    out::line(&format!(
        "{}: generation {}, {}, {} ({}); {} ({}) copied, the others were there",
        to.display(),
        report.generation,
        units::count(report.docs, "document"),
        units::count(report.files as u64, "file"),
        units::bytes(report.bytes),
        units::count(report.copied_files as u64, "file"),
        units::bytes(report.copied_bytes),
    ))
}
