//! `export`: all documents as JSON lines, their vectors beside them.

mod lines;
mod new_file;
mod npy;

use crate::args::Export;
use crate::commands::searcher_at;
use crate::failure::{Failure, In as _, Outcome};
use crate::render::progress::PhaseBar;
use crate::render::{out, units};
use crate::signals::stop_flag;
use lines::{Lines, Pushed};
use lucerne::query::QueryParser;
use lucerne::search::{Scan, ScannedDocument};
use lucerne::{Progress as _, Searcher};
use new_file::NewFile;
use npy::Npy;
use serde_json::json;

/// Documents between two reports of progress.
const PROGRESS_STEP: u64 = 256;

pub(super) fn run(args: &Export, json: bool) -> Outcome {
    if json && args.output.is_none() {
        return Err(Failure::usage("--json prints a report; give the file for the lines with --output"));
    }
    let searcher = searcher_at(&args.dir, args.at.as_ref())?;
    different_files(args)?;
    let mut arrays = Vec::new();
    for (field, path) in &args.vectors {
        arrays.push(Npy::create(&searcher, field, path)?);
    }
    warn_of_vectors_left(args, &searcher);
    let scan = scan(args, &searcher)?;
    let documents = searcher.scan(&scan).in_index(&args.dir)?;
    let mut lines = Lines::create(args.output.as_deref())?;
    let (bar, total, mut written) = (PhaseBar::new(), searcher.len(), 0);
    for document in documents {
        if args.limit.is_some_and(|limit| written == limit) {
            break;
        }
        let ScannedDocument { key, fields, vectors, .. } = document.in_index(&args.dir)?;
        for array in &mut arrays {
            array.push(&key, vectors.get(array.field()).map_or(&[], Vec::as_slice))?;
        }
        if lines.push(&fields)? == Pushed::NobodyReads {
            return Ok(());
        }
        if written % PROGRESS_STEP == 0 {
            bar.report("export", written, total);
        }
        written += 1;
    }
    let mut files = Vec::from_iter(lines.finish()?);
    for array in arrays {
        files.push(array.finish()?);
    }
    files.into_iter().try_for_each(NewFile::put)?;
    bar.finish();
    let generation = searcher.generation();
    match (json, &args.output) {
        (true, _) => out::json(&json!({ "docs": written, "generation": generation })),
        (false, Some(path)) => {
            let docs = units::count(written, "document");
            out::line(&format!("{}: {docs} of generation {generation}", path.display()))
        }
        (false, None) => Ok(()),
    }
}

/// Each array and the lines go into a file of their own.
fn different_files(args: &Export) -> Outcome {
    let mut files: Vec<_> = args.vectors.iter().map(|(_, path)| path).chain(&args.output).collect();
    files.sort();
    match files.iter().zip(files.iter().skip(1)).find(|(one, other)| one == other) {
        Some((path, _)) => Err(Failure::usage(format!("{}: the file of two outputs", path.display()))),
        None => Ok(()),
    }
}

/// Codes are not put into lines: they would be taken for the vectors themselves.
fn warn_of_vectors_left(args: &Export, searcher: &Searcher) {
    let wanted = |name: &str| args.fields.is_empty() || args.fields.iter().any(|field| field == name);
    for field in searcher.schema().vector_fields() {
        let name = field.name();
        let in_array = args.vectors.iter().any(|(field, _)| field == name);
        if !field.options().keeps_raw() && wanted(name) && !in_array {
            out::warning(&format!(
                "vectors of {name} are not in the lines: only their codes are kept; --vectors {name}=FILE.npy writes \
                 what these stand for"
            ));
        }
    }
}

fn scan(args: &Export, searcher: &Searcher) -> Outcome<Scan> {
    let mut scan = Scan::new().fields(&args.fields).cancel(&stop_flag());
    if let Some(query) = &args.query {
        let parser = QueryParser::new(searcher.schema());
        let parser = args.default_field.iter().fold(parser, QueryParser::default_field);
        scan = scan.filter(parser.parse_query(query).in_index(&args.dir)?);
    }
    if let Some(key) = &args.after {
        scan = scan.after(key);
    }
    Ok(scan.vectors(args.vectors.iter().map(|(field, _)| field)))
}
