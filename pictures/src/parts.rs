//! What takes the space: files by what is in them.

use crate::report::{list, number, text};
use serde_json::{Map, Value};

/// The parts by the extensions of their files, in the order in which pictures show them: a part's place is its color.
const PARTS: [(&str, &[&str]); 8] = [
    ("raw vectors", &["vec"]),
    ("codes", &["sq8", "sq4", "sign"]),
    ("graphs and lists", &["hnsw", "ivf"]),
    ("words", &["terms", "post", "pos", "len"]),
    ("values", &["cols"]),
    ("sparse vectors", &["sparse", "slists"]),
    ("stored documents", &["stored"]),
    ("keys", &["keys"]),
];

/// What is in no other part: maps, metadata, live documents.
const OTHER: &str = "other";

/// The names of all parts.
#[must_use]
pub fn names() -> Vec<&'static str> {
    PARTS.iter().map(|(name, _)| *name).chain([OTHER]).collect()
}

/// Bytes by part of a segment's report, those of all its files; parts that it does not have are left out.
#[must_use]
pub fn of_segment(segment: &Value) -> Map<String, Value> {
    let mut parts = Map::new();
    for file in list(segment, "files") {
        let extension = text(file, "name").rsplit('.').next().unwrap_or_default();
        let part = PARTS.iter().find(|(_, extensions)| extensions.contains(&extension));
        let part = part.map_or(OTHER, |(name, _)| name);
        let bytes = parts.get(part).and_then(Value::as_u64).unwrap_or(0) + number(file, "bytes");
        parts.insert(part.to_owned(), bytes.into());
    }
    parts
}
