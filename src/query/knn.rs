//! kNN queries.

use super::Query;
use crate::document::QueryVector;
use crate::limits::DEFAULT_K;
use serde::{Deserialize, Serialize};

/// Finds the documents whose vectors are nearest to a query vector (k nearest neighbors).
///
/// A search finds on average the share of the nearest neighbors that is asked for ([`Knn::recall`], 0.95 unless the
/// field has another default) with the least work that does. To decide on the work yourself, say how many candidates
/// the index considers in each segment ([`Knn::candidates`]), and how many of them are re-ranked by the original
/// vectors ([`Knn::rescore`]).
///
/// The score of a neighbor is its distance mapped by the field's [`Similarity`](crate::Similarity), so that larger is
/// better. Inside another query, the documents of a `Knn` are the `k` nearest of the whole index.
///
/// ```
/// # fn main() -> lucerne::Result<()> {
/// # let searcher = include!(concat!(env!("CARGO_MANIFEST_DIR"), "/src/query/example.in"));
/// use lucerne::{Knn, Term};
///
/// let hits = searcher.search(Knn::new("v", [0.0, 0.0]).k(2))?;
/// assert_eq!(hits.keys(), ["vim", "nano"]);
/// assert!(hits.hits[0].distance < hits.hits[1].distance);
///
/// // The filter is applied before the search: there are k hits whenever k documents match it.
/// let games = Knn::new("v", [0.0, 0.0]).k(1).filter(Term::new("section", "games"));
/// assert_eq!(searcher.search(games)?.keys(), ["chess"]);
///
/// // Slower, with higher recall.
/// let accurate = Knn::new("v", [0.0, 0.0]).k(2).recall(0.99);
/// assert_eq!(searcher.search(accurate)?.keys(), ["vim", "nano"]);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Knn {
    pub(crate) field: String,
    pub(crate) vector: QueryVector,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) k: Option<usize>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) recall: Option<f32>,
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
    /// In place of the field's calibration, while that is measured.
    #[serde(skip)]
    pub(crate) scale: Option<f32>,
    #[serde(skip)]
    pub(crate) fields: Option<Vec<String>>,
}

impl Knn {
    /// The nearest neighbors of `vector` in the vector field `field`, as many as the query around it can use (see
    /// [`Knn::k`]). The vector has the field's dimension.
    pub fn new(field: impl Into<String>, vector: impl Into<QueryVector>) -> Self {
        Self {
            field: field.into(),
            vector: vector.into(),
            k: None,
            recall: None,
            candidates: None,
            nprobe: None,
            rescore: None,
            exact: false,
            filter: None,
            post_filter: false,
            min_score: None,
            scale: None,
            fields: None,
        }
    }

    /// The number of neighbors, from 1 to 10,000. A kNN query has exactly these, whatever is around it. Unless it is
    /// set, it follows from what is around the query:
    ///
    /// | the query is | neighbors |
    /// |---|---|
    /// | what a [`Search`](super::Search) searches for | as many as its page needs, `offset + limit` |
    /// | in a [`Fuse`](super::Fuse), or in a query that reranks | the window (100) |
    /// | in any other query, in a filter, or sorted by a field | the limit of the search, at least 10 |
    ///
    /// When the `Knn` itself is searched for (not wrapped by [`Search::new`](super::Search::new)), the limit of the
    /// search is `k`, or 10.
    #[must_use]
    pub fn k(mut self, k: usize) -> Self {
        self.k = Some(k);
        self
    }

    /// The number of neighbors that is set, or 10.
    pub(crate) fn k_or_default(&self) -> usize {
        self.k.unwrap_or(DEFAULT_K)
    }

    /// The share of the true neighbors to find, on average over queries: above 0, up to 1. Each segment knows how much
    /// work that takes, from measurements made when it was written with vectors of its own as queries: queries that are
    /// unlike the stored vectors may find less, unless the index was calibrated for them
    /// ([`calibrate`](crate::admin::calibrate)). 1 is the exact search. Default: that of the field
    /// ([`Vector::recall`](crate::Vector::recall)), or 0.95. It cannot be combined with [`Knn::candidates`] or
    /// [`Knn::nprobe`].
    #[must_use]
    pub fn recall(mut self, recall: f32) -> Self {
        self.recall = Some(recall);
        self
    }

    /// How many times the work to do that the recall takes, in place of the field's calibration.
    pub(crate) fn scale(mut self, scale: f32) -> Self {
        self.scale = Some(scale);
        self
    }

    /// The number of candidates that the index keeps in each segment while it searches (HNSW's `ef`), from 1 to
    /// 100,000. More candidates make the search slower and its recall higher. At least `k` are kept, or as many as
    /// are rescored. Default: as many as the recall takes ([`Knn::recall`]).
    #[must_use]
    pub fn candidates(mut self, candidates: usize) -> Self {
        self.candidates = Some(candidates);
        self
    }

    /// In a field with inverted lists (index `ivf`): the number of lists probed in each segment, nearest first, 1 or
    /// more. Further lists are probed while fewer than `k` vectors were found. By default lists are probed
    /// until they have held 32 vectors for each candidate that the recall takes.
    #[must_use]
    pub fn nprobe(mut self, lists: usize) -> Self {
        self.nprobe = Some(lists);
        self
    }

    /// Re-ranks the best ⌈`k` × `factor`⌉ candidates by the original vectors; the returned distances are then exact. Candidates
    /// too far by their codes to be among the `k` nearest are not read.
    /// The factor is from 1 to 1,000. Default: no rescoring, and the original vectors are not read. A field that keeps no
    /// original vectors refuses it.
    #[must_use]
    pub fn rescore(mut self, factor: f32) -> Self {
        self.rescore = Some(factor);
        self
    }

    /// Compares the query with every original vector (brute force). Exact, and slow on large indexes; use it to
    /// measure recall. A field that keeps no original vectors ([`Vector::keep_raw`](crate::Vector::keep_raw)) refuses it.
    #[must_use]
    pub fn exact(mut self) -> Self {
        self.exact = true;
        self
    }

    /// Finds only documents that match `filter`. The filter is applied before the search, so that there are
    /// min(`k`, number of matching documents with a vector) neighbors; [`Knn::post_filter`] changes that. When called
    /// several times, documents must match all filters.
    #[must_use]
    pub fn filter(mut self, filter: impl Into<Query>) -> Self {
        self.filter = Some(Box::new(match self.filter.take() {
            None => filter.into(),
            Some(first) => super::Bool::new().filter(*first).filter(filter).into(),
        }));
        self
    }

    /// Applies filters to the `k` nearest of all documents, after the search. There may be fewer than `k` neighbors,
    /// or none.
    #[must_use]
    pub fn post_filter(mut self) -> Self {
        self.post_filter = true;
        self
    }

    /// Drops those of the `k` neighbors whose score is lower than this.
    #[must_use]
    pub fn min_score(mut self, score: f32) -> Self {
        self.min_score = Some(score);
        self
    }

    /// The stored fields to return with each hit; an empty list returns all. Default: none. It counts only when the
    /// `Knn` itself is searched for; otherwise use [`Search::fields`](super::Search::fields).
    #[must_use]
    pub fn fields<T: Into<String>>(mut self, fields: impl IntoIterator<Item = T>) -> Self {
        self.fields = Some(fields.into_iter().map(Into::into).collect());
        self
    }
}
