//! A field of vectors, from what is known without reading vectors.

use super::{asked as question_of, list, short};
use crate::commands::web::watched::Commit;
use crate::failure::{In as _, Outcome};
use lucerne::limits::DEFAULT_RECALL;
use lucerne_pictures::recall;
use serde_json::{Value, json};

/// For each segment with vectors of the field its name and what its format reports of them.
pub(super) fn field(commit: &Commit, question: &Value) -> Outcome<Value> {
    let name = question_of(question, "field")?;
    let declared = commit.searcher.schema().vector_field_named(name).in_index(&commit.dir)?;
    let similarity = declared.options().similarity().name();
    let asked = declared.options().recall().unwrap_or(DEFAULT_RECALL);
    let reports = list(commit.report()?, "segments")
        .iter()
        .filter_map(|segment| Some((segment.get("name")?.as_str()?, segment.get("fields")?.get(name)?)));
    let reports: Vec<(&str, &Value)> = reports.collect();
    let segments = reports.iter().map(|(name, report)| json!({ "segment": name, "report": report }));
    Ok(json!({
        "field": name,
        "similarity": similarity,
        "dimension": declared.options().dimension(),
        "asked": short(asked),
        "picture": recall(&reports, short(asked)).map(|picture| picture.svg()),
        "segments": segments.collect::<Vec<_>>(),
    }))
}
