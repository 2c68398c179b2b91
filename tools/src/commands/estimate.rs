//! `estimate`: disk and memory of an index that does not exist yet.

use super::create;
use crate::args::Estimate;
use crate::failure::{Failure, Outcome};
use crate::input;
use crate::render::table::{Align, Rows};
use crate::render::{out, units};
use lucerne::{Document, WriterOptions, admin};
use serde_json::json;

pub(super) fn run(args: &Estimate, json: bool) -> Outcome {
    let schema = create::schema(&args.schema)?;
    let sample = match &args.sample {
        None => Vec::new(),
        Some(path) => {
            let text = input::read_text(path, "documents, one JSON object per line")?;
            let lines = text.lines().filter(|line| !line.trim().is_empty());
            let documents = lines.map(|line| Document::from_slice(line.as_bytes()));
            documents.collect::<Result<Vec<_>, _>>().map_err(|error| Failure::content(path, error))?
        }
    };
    let found = admin::estimate(&schema, &sample, args.docs, &WriterOptions::new())
        .map_err(|error| Failure::content(args.sample.as_ref().unwrap_or(&args.schema), error))?;
    if json {
        return out::json(&json!({
            "docs": found.docs,
            "disk": found.disk,
            "disk_while_merging": found.disk_while_merging,
            "files": found.files,
            "reading": found.reading,
            "writing": found.writing,
            "merging": found.merging,
            "merging_least": found.merging_least,
        }));
    }
    let mut rows = Rows::new([("what", Align::Left), ("bytes", Align::Right)]);
    for (what, bytes) in [
        ("disk", found.disk),
        ("disk while merging into one segment", found.disk_while_merging),
        ("memory for reading (page cache)", found.reading),
        ("memory for writing", found.writing),
        ("memory for merging into one segment", found.merging),
        ("the same under a ceiling (--memory)", found.merging_least),
    ] {
        rows.push(vec![what.to_owned(), units::bytes(bytes)]);
    }
    for (extension, &bytes) in &found.files {
        rows.push(vec![format!("  .{extension} on disk"), units::bytes(bytes)]);
    }
    let title = units::count(found.docs, "document");
    out::text(&format!("{title}\n{}", rows.text(None, usize::MAX)))?;
    match args.sample {
        None => out::line("Without --sample: text, values and stored fields are not counted."),
        Some(_) => Ok(()),
    }
}
