//! `add-index`: adds the segments of other indexes.

use crate::args::AddIndex;
use crate::failure::{In as _, Outcome};
use crate::render::{out, units};
use crate::signals;
use lucerne::Index;
use serde_json::json;
use std::path::Path;

pub(super) fn run(args: &AddIndex, json: bool) -> Outcome {
    let dir = &args.dir;
    let index = Index::open(dir).in_index(dir)?;
    let others: Vec<&Path> = args.others.iter().map(|other| &**other).collect();
    for other in &others {
        Index::open(other).in_index(other)?; // The error names it.
    }
    let generation = index.add_indexes(&others, &signals::stop_flag()).in_index(dir)?;
    let searcher = index.searcher().in_index(dir)?;
    if json {
        return out::json(&json!({
            "generation": generation,
            "docs": searcher.len(),
            "segments": searcher.segment_count(),
        }));
    }
    out::line(&format!(
        "{}: generation {generation}, {}, {}",
        dir.display(),
        units::count(searcher.len(), "document"),
        units::count(searcher.segment_count() as u64, "segment")
    ))
}
