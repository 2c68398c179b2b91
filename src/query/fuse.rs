//! Fusion of several rankings: hybrid search.

use super::Query;
use serde::{Deserialize, Serialize};

/// How several rankings are combined into one.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fusion {
    /// Reciprocal rank fusion (Cormack, Clarke, Büttcher 2009): a document scores the sum of
    /// `weight / (constant + rank)` over the rankings that it is in; ranks start at 1. Scores are ignored.
    Rrf {
        /// Larger values flatten the differences between the top ranks. At least 0; default 60, as in the paper.
        #[serde(default = "sixty")]
        constant: f32,
    },
    /// A document scores the sum of `weight × score / best` over the rankings that it is in, where `best` is the
    /// highest score of the ranking. This is not min-max normalization: the scores of the k nearest neighbors stay
    /// close to 1.
    Linear {},
}

fn sixty() -> f32 {
    60.0
}

impl Default for Fusion {
    fn default() -> Self {
        Self::Rrf { constant: sixty() }
    }
}

/// One query of a [`Fuse`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct WeightedQuery {
    pub(crate) query: Query,
    #[serde(default = "one")]
    pub(crate) weight: f32,
}

fn one() -> f32 {
    1.0
}

/// Combines the rankings of several queries into one (hybrid search).
///
/// The best documents of each query, as many as the window, take part; the fusion has all documents that are in at
/// least one window. A [`Knn`](super::Knn) query whose `k` is not set finds as many neighbors as the window has places.
///
/// ```
/// # fn main() -> lucerne::Result<()> {
/// # let searcher = include!(concat!(env!("CARGO_MANIFEST_DIR"), "/src/query/example.in"));
/// use lucerne::{Fuse, Knn, Match};
///
/// let hybrid = Fuse::rrf()
///     .query(Match::new("title", "small editor"))
///     .weighted(Knn::new("v", [2.0, 0.0]), 2.0);
/// let hits = searcher.search(hybrid)?;
/// assert_eq!(hits.hits[0].key, "nano");
/// assert_eq!(hits.hits[0].score, 1.0 / 61.0 + 2.0 / 61.0);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fuse {
    pub(crate) queries: Vec<WeightedQuery>,
    #[serde(default)]
    pub(crate) method: Fusion,
    #[serde(default = "window")]
    pub(crate) window: usize,
}

fn window() -> usize {
    crate::limits::DEFAULT_CANDIDATES
}

impl Fuse {
    /// A fusion without queries, which has no documents.
    pub fn new(method: Fusion) -> Self {
        Self { queries: Vec::new(), method, window: window() }
    }

    /// Reciprocal rank fusion with constant 60.
    pub fn rrf() -> Self {
        Self::new(Fusion::default())
    }

    /// Weighted sum of scores: [`Fusion::Linear`].
    pub fn linear() -> Self {
        Self::new(Fusion::Linear {})
    }

    /// Adds a query with weight 1.
    #[must_use]
    pub fn query(self, query: impl Into<Query>) -> Self {
        self.weighted(query, 1.0)
    }

    /// Adds a query with a weight, a finite number of at least 0.
    #[must_use]
    pub fn weighted(mut self, query: impl Into<Query>, weight: f32) -> Self {
        self.queries.push(WeightedQuery { query: query.into(), weight });
        self
    }

    /// The number of best documents of each query that take part, from 1 to 10,000. Default: 100.
    #[must_use]
    pub fn window(mut self, hits: usize) -> Self {
        self.window = hits;
        self
    }
}
