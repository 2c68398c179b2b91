//! A second opinion on the best of a first pass.

use super::Query;
use crate::document::QueryVector;
use serde::{Deserialize, Serialize};

/// What a [`Rerank`] scores with.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum RerankBy {
    /// The exact similarity of the document's raw vector to this one; 0 for a document without a vector.
    Vector {
        /// The vector field.
        field: String,
        /// The query vector.
        vector: QueryVector,
        /// As Solr does it: only documents that are among this many nearest of the whole index get their
        /// similarity, the others 0.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        compat_topk: Option<usize>,
    },
    /// Another query's score; 0 for a document it does not match.
    Query(Box<Query>),
}

/// Reorders the best of a first pass: score = first score + weight × second score. Documents below the window
/// follow in the order of the first pass.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rerank {
    pub(crate) by: RerankBy,
    #[serde(default = "window")]
    pub(crate) window: usize,
    #[serde(default = "weight")]
    pub(crate) weight: f32,
}

fn window() -> usize {
    crate::limits::DEFAULT_CANDIDATES
}

fn weight() -> f32 {
    1.0
}

impl Rerank {
    /// By the exact similarity to `vector` in `field`.
    pub fn vector(field: impl Into<String>, vector: impl Into<QueryVector>) -> Self {
        let (field, vector) = (field.into(), vector.into());
        Self { by: RerankBy::Vector { field, vector, compat_topk: None }, window: window(), weight: weight() }
    }

    /// By another query.
    pub fn query(query: impl Into<Query>) -> Self {
        Self { by: RerankBy::Query(Box::new(query.into())), window: window(), weight: weight() }
    }

    /// How many of the first pass are reranked: 1 to 10,000. Default 100.
    #[must_use]
    pub fn window(mut self, hits: usize) -> Self {
        self.window = hits;
        self
    }

    /// What the second score is multiplied by: a finite number. Default 1.
    #[must_use]
    pub fn weight(mut self, weight: f32) -> Self {
        self.weight = weight;
        self
    }

    /// As Solr does it: only documents among the `k` nearest of the whole index get their similarity.
    #[must_use]
    pub fn compat_topk(mut self, k: usize) -> Self {
        if let RerankBy::Vector { compat_topk, .. } = &mut self.by {
            *compat_topk = Some(k);
        }
        self
    }
}
