//! What a search returns.

use serde_json::{Map, Value};

/// A document that was found.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Hit {
    /// The document's key.
    pub key: String,
    /// Larger is nearer; finite, at least 0, comparable across segments and searches of one field.
    pub score: f32,
    /// The field's distance; smaller is nearer.
    pub distance: f32,
    /// Stored fields, when asked for.
    pub fields: Option<Map<String, Value>>,
}

/// The hits of a search, nearest first; documents at the same distance are in the order of their keys'
/// bytes.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct Hits {
    /// The hits.
    pub hits: Vec<Hit>,
    /// True when every distance comes from raw vectors, false when some are estimates from codes.
    pub exact: bool,
    /// What each segment did.
    pub segments: Vec<SegmentSearch>,
}

impl Hits {
    /// The keys, in order.
    pub fn keys(&self) -> Vec<&str> {
        self.hits.iter().map(|hit| &*hit.key).collect()
    }
}

/// What a search did in one segment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct SegmentSearch {
    /// Segment name.
    pub segment: String,
    /// The way taken: through the graph, a scan of codes, ….
    pub strategy: &'static str,
    /// Distances computed.
    pub visited: u64,
}
