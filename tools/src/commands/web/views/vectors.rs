//! A field of vectors, from what is known without reading vectors.

use super::{asked, list};
use crate::commands::web::watched::Commit;
use crate::failure::{In as _, Outcome};
use serde_json::{Value, json};

/// For each segment with vectors of the field its name and what its format reports of them.
pub(super) fn field(commit: &Commit, question: &Value) -> Outcome<Value> {
    let name = asked(question, "field")?;
    let declared = commit.searcher.schema().vector_field_named(name).in_index(&commit.dir)?;
    let similarity = declared.options().similarity().name();
    let segments = list(commit.report()?, "segments").iter().filter_map(|segment| {
        let report = segment.get("fields")?.get(name)?;
        Some(json!({ "segment": segment.get("name"), "deleted": segment.get("deleted"), "report": report }))
    });
    Ok(json!({
        "field": name,
        "similarity": similarity,
        "dimension": declared.options().dimension(),
        "segments": segments.collect::<Vec<_>>(),
    }))
}
