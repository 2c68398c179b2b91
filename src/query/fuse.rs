//! Several rankings made one: hybrid search.

use super::Query;
use serde::{Deserialize, Serialize};

/// How rankings become one.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fusion {
    /// Reciprocal rank fusion (Cormack, Clarke, Büttcher 2009): the sum of `weight / (constant + rank)` over
    /// the rankings a document is in, ranks from 1. Scores play no part.
    Rrf {
        /// Greater makes the first places count less.
        #[serde(default = "sixty")]
        constant: f32,
    },
    /// The sum of `weight · score`, each ranking's scores first mapped so that its best is 1 and 0 stays 0.
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

/// One ranking of a [`Fuse`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Ranking {
    pub(crate) query: Query,
    #[serde(default = "one")]
    pub(crate) weight: f32,
}

fn one() -> f32 {
    1.0
}

/// The documents of several queries in one ranking.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fuse {
    pub(crate) queries: Vec<Ranking>,
    #[serde(default)]
    pub(crate) method: Fusion,
    #[serde(default = "window")]
    pub(crate) window: usize,
}

fn window() -> usize {
    crate::limits::DEFAULT_CANDIDATES
}

impl Fuse {
    /// Nothing to fuse yet.
    pub fn new(method: Fusion) -> Self {
        Self { queries: Vec::new(), method, window: window() }
    }

    /// By reciprocal rank fusion, constant 60.
    pub fn rrf() -> Self {
        Self::new(Fusion::default())
    }

    /// By weighted scores.
    pub fn linear() -> Self {
        Self::new(Fusion::Linear {})
    }

    /// One more ranking.
    #[must_use]
    pub fn query(self, query: impl Into<Query>) -> Self {
        self.weighted(query, 1.0)
    }

    /// One more ranking, with its weight: a finite number of at least 0.
    #[must_use]
    pub fn weighted(mut self, query: impl Into<Query>, weight: f32) -> Self {
        self.queries.push(Ranking { query: query.into(), weight });
        self
    }

    /// How many of each ranking's best take part: 1 to 10,000. Default 100.
    #[must_use]
    pub fn window(mut self, hits: usize) -> Self {
        self.window = hits;
        self
    }
}
