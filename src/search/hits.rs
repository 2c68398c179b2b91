//! What a search returns.

use super::explain::Explanation;
use serde_json::{Map, Value};

/// A document that was found.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Hit {
    /// The document's key.
    pub key: String,
    /// Larger is better; finite, comparable across segments and searches with the same query.
    pub score: f32,
    /// Of a hit that was found or reranked by its vector, the field's distance; smaller is nearer.
    pub distance: Option<f32>,
    /// Which of the document's vectors is the nearest, from 0, in a field of several vectors a document.
    pub vector: Option<u32>,
    /// Stored fields, when asked for.
    pub fields: Option<Map<String, Value>>,
    /// How the score came about, when asked for.
    pub explanation: Option<Explanation>,
}

/// The hits of a search, best first (or as sorted); documents of the same score are in the order of their
/// keys' bytes.
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
    /// Distances computed, or documents scored.
    pub visited: u64,
    /// Documents that the filter and the live docs let through.
    pub accepted: u32,
}
