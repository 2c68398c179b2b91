//! Reranking: a second score for the best documents of a search.

use super::Query;
use crate::document::QueryVector;
use serde::{Deserialize, Serialize};

/// What the second score of a [`Rerank`] is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum RerankBy {
    /// The exact similarity of the document's nearest vector to a query vector; 0 for a document without a vector.
    Vector {
        /// The vector field.
        field: String,
        /// The query vector.
        vector: QueryVector,
        /// As Solr's `topK`: only documents among this many nearest of the whole index get their similarity, the
        /// others 0. By default every document in the window gets its similarity.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        compat_topk: Option<usize>,
    },
    /// The score of another query; 0 for a document that does not match it.
    Query(Box<Query>),
}

/// Reranks the best documents of a search: score = score of the query + weight × second score. Documents
/// beyond the window follow in their order. See [`Search::rerank`](super::Search::rerank).
///
/// ```
/// # fn main() -> lucerne::Result<()> {
/// # let searcher = include!(concat!(env!("CARGO_MANIFEST_DIR"), "/src/query/example.in"));
/// use lucerne::{Match, Rerank, Search};
///
/// let search = Search::new(Match::new("title", "editor"));
/// assert_eq!(searcher.search(&search)?.keys(), ["vim", "nano"]);
/// let reranked = search.rerank(Rerank::vector("v", [2.0, 0.0]).window(50).weight(10.0));
/// assert_eq!(searcher.search(reranked)?.keys(), ["nano", "vim"]);
/// # Ok(())
/// # }
/// ```
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
    /// Reranks by the exact similarity to `vector` in the vector field `field`; by the similarity of its codes where the
    /// field keeps no raw vectors, and [`Hits::exact`](crate::Hits) is false then.
    pub fn vector(field: impl Into<String>, vector: impl Into<QueryVector>) -> Self {
        let (field, vector) = (field.into(), vector.into());
        Self { by: RerankBy::Vector { field, vector, compat_topk: None }, window: window(), weight: weight() }
    }

    /// Reranks by the score of another query.
    pub fn query(query: impl Into<Query>) -> Self {
        Self { by: RerankBy::Query(Box::new(query.into())), window: window(), weight: weight() }
    }

    /// The number of best documents that are reranked, from 1 to 10,000. Default: 100.
    #[must_use]
    pub fn window(mut self, hits: usize) -> Self {
        self.window = hits;
        self
    }

    /// Multiplies the second score: a finite number. Default: 1.
    #[must_use]
    pub fn weight(mut self, weight: f32) -> Self {
        self.weight = weight;
        self
    }

    /// As Solr's `topK`: only documents among the `k` nearest of the whole index get their similarity, the others 0.
    /// It has no effect on a reranking by a query.
    #[must_use]
    pub fn compat_topk(mut self, k: usize) -> Self {
        if let RerankBy::Vector { compat_topk, .. } = &mut self.by {
            *compat_topk = Some(k);
        }
        self
    }
}
