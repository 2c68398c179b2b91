//! The nearest neighbours of a vector.

use super::Query;
use crate::document::QueryVector;
use crate::limits::{DEFAULT_CANDIDATES, DEFAULT_K};
use serde::{Deserialize, Serialize};

/// Asks for the documents whose vectors are nearest to a query vector.
///
/// Three knobs, each its own: how many hits ([`Knn::k`]), how hard each segment's index searches
/// ([`Knn::candidates`]), and how many of the best estimates are settled by raw vectors ([`Knn::rescore`]).
///
/// Inside another query its documents are the `k` nearest of the whole index, each with its similarity's
/// score.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Knn {
    pub(crate) field: String,
    pub(crate) vector: QueryVector,
    #[serde(default = "default_k")]
    pub(crate) k: usize,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) candidates: Option<usize>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) nprobe: Option<usize>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) rescore: Option<f32>,
    #[serde(default)]
    pub(crate) exact: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) filter: Option<Box<Query>>,
    #[serde(default)]
    pub(crate) post_filter: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) min_score: Option<f32>,
    #[serde(skip)]
    pub(crate) fields: Option<Vec<String>>,
}

fn default_k() -> usize {
    DEFAULT_K
}

impl Knn {
    /// The 10 nearest neighbours of `vector` in vector field `field`.
    pub fn new(field: impl Into<String>, vector: impl Into<QueryVector>) -> Self {
        Self {
            field: field.into(),
            vector: vector.into(),
            k: DEFAULT_K,
            candidates: None,
            nprobe: None,
            rescore: None,
            exact: false,
            filter: None,
            post_filter: false,
            min_score: None,
            fields: None,
        }
    }

    /// How many hits: 1 to 10,000. Default 10.
    #[must_use]
    pub fn k(mut self, k: usize) -> Self {
        self.k = k;
        self
    }

    /// How many candidates each segment's index keeps while it searches (HNSW's search-time beam width), up
    /// to 100,000; at least `k` are kept. More is slower and finds more. Default 100; with sign hashes
    /// ([`crate::Vector::sign_hash`]) 20 for each hit.
    #[must_use]
    pub fn candidates(mut self, candidates: usize) -> Self {
        self.candidates = Some(candidates);
        self
    }

    /// How many inverted lists of each segment are gone through, nearest first, in a field that has them (index ivf);
    /// more while `k` were not found. By default lists are gone through until they held 32 vectors for every candidate.
    #[must_use]
    pub fn nprobe(mut self, lists: usize) -> Self {
        self.nprobe = Some(lists);
        self
    }

    /// Over-fetch factor, 1 or more: the best ⌈k · factor⌉ estimates are reordered by their raw vectors, and
    /// all distances are then exact. Default: no rescoring, raw vectors are not read.
    #[must_use]
    pub fn rescore(mut self, factor: f32) -> Self {
        self.rescore = Some(factor);
        self
    }

    /// Compares the query with every live raw vector instead of searching the index: the oracle.
    #[must_use]
    pub fn exact(mut self) -> Self {
        self.exact = true;
        self
    }

    /// Only documents that match this. By default they are chosen before the search, and min(k, matches)
    /// neighbours come back; see [`Knn::post_filter`]. A second filter is added to the first.
    #[must_use]
    pub fn filter(mut self, filter: impl Into<Query>) -> Self {
        self.filter = Some(Box::new(match self.filter.take() {
            None => filter.into(),
            Some(first) => super::Bool::new().filter(*first).filter(filter).into(),
        }));
        self
    }

    /// Finds the `k` nearest of all documents first and filters them then: there may be fewer than `k`.
    #[must_use]
    pub fn post_filter(mut self) -> Self {
        self.post_filter = true;
        self
    }

    /// Only neighbours with at least this score (with [`Knn::k`], the nearest of them).
    #[must_use]
    pub fn min_score(mut self, score: f32) -> Self {
        self.min_score = Some(score);
        self
    }

    /// Stored fields to return with each hit; an empty list returns all of them. Default: none.
    #[must_use]
    pub fn fields<T: Into<String>>(mut self, fields: impl IntoIterator<Item = T>) -> Self {
        self.fields = Some(fields.into_iter().map(Into::into).collect());
        self
    }

    /// Candidates each segment keeps, where its format has no default of its own.
    pub(crate) fn effective_candidates(&self) -> usize {
        self.candidates.unwrap_or(DEFAULT_CANDIDATES).max(self.k)
    }
}
