//! A whole request: a query, and what to do with what it finds.

use super::{
    Bool, Boost, Constant, Exists, Fuse, Knn, Match, Phrase, Prefix, Query, Range, Rerank, Term, Terms,
};
use crate::limits::DEFAULT_K;
use serde::{Deserialize, Serialize};

/// Which way to sort.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Order {
    /// Smallest first.
    #[default]
    Asc,
    /// Greatest first.
    Desc,
}

/// Where documents without a value go.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Missing {
    /// After all others, whichever the order.
    #[default]
    Last,
    /// Before all others.
    First,
}

/// Sorts by a field (numbers, dates, truth values, keywords, the key), or by `_score`. Of several values the
/// least counts in ascending order, the greatest in descending order.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sort {
    pub(crate) field: String,
    #[serde(default)]
    pub(crate) order: Order,
    #[serde(default)]
    pub(crate) missing: Missing,
}

impl Sort {
    /// The name that stands for the score.
    pub const SCORE: &str = "_score";

    /// Smallest first.
    pub fn asc(field: impl Into<String>) -> Self {
        Self { field: field.into(), order: Order::Asc, missing: Missing::Last }
    }

    /// Greatest first.
    pub fn desc(field: impl Into<String>) -> Self {
        Self { order: Order::Desc, ..Self::asc(field) }
    }

    /// Where documents without a value go. Default: last.
    #[must_use]
    pub fn missing(mut self, missing: Missing) -> Self {
        self.missing = missing;
        self
    }
}

/// A query, and what to do with what it finds. Every query type converts into one.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Search {
    #[serde(default = "Query::all")]
    pub(crate) query: Query,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) filter: Option<Query>,
    #[serde(default = "limit")]
    pub(crate) limit: usize,
    #[serde(default)]
    pub(crate) offset: usize,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) rerank: Option<Rerank>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) sort: Vec<Sort>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) fields: Option<Vec<String>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) min_score: Option<f32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) score_as: Option<String>,
    #[serde(default)]
    pub(crate) explain: bool,
}

fn limit() -> usize {
    DEFAULT_K
}

impl Search {
    /// The 10 best documents of `query`.
    pub fn new(query: impl Into<Query>) -> Self {
        Self {
            query: query.into(),
            filter: None,
            limit: limit(),
            offset: 0,
            rerank: None,
            sort: Vec::new(),
            fields: None,
            min_score: None,
            score_as: None,
            explain: false,
        }
    }

    /// Only documents that match this too. Nearest neighbours inside the query are searched among them, so
    /// that none is lost; a second filter is added to the first.
    #[must_use]
    pub fn filter(mut self, filter: impl Into<Query>) -> Self {
        self.filter = Some(match self.filter.take() {
            None => filter.into(),
            Some(first) => Bool::new().filter(first).filter(filter).into(),
        });
        self
    }

    /// How many hits at most: 1 to 10,000. Default 10, or a [`Knn`]'s own `k`.
    #[must_use]
    pub fn limit(mut self, hits: usize) -> Self {
        self.limit = hits;
        self
    }

    /// How many of the best to leave out first: the next page of the same searcher begins where this one
    /// ended. Pages go through what the query finds: a [`Knn`] finds `k` documents in all.
    #[must_use]
    pub fn offset(mut self, hits: usize) -> Self {
        self.offset = hits;
        self
    }

    /// Reorders the best.
    #[must_use]
    pub fn rerank(mut self, rerank: Rerank) -> Self {
        self.rerank = Some(rerank);
        self
    }

    /// Sorts all matches by this instead of the score; further calls decide among equals, and the key
    /// decides last.
    #[must_use]
    pub fn sort(mut self, sort: Sort) -> Self {
        self.sort.push(sort);
        self
    }

    /// Stored fields to return with each hit; an empty list returns all of them. Default: none.
    #[must_use]
    pub fn fields<T: Into<String>>(mut self, fields: impl IntoIterator<Item = T>) -> Self {
        self.fields = Some(fields.into_iter().map(Into::into).collect());
        self
    }

    /// Only hits with at least this score.
    #[must_use]
    pub fn min_score(mut self, score: f32) -> Self {
        self.min_score = Some(score);
        self
    }

    /// Returns the score (of a [`Knn`] its distance) among the fields too, under this name.
    #[must_use]
    pub fn score_as(mut self, name: impl Into<String>) -> Self {
        self.score_as = Some(name.into());
        self
    }

    /// Explains every hit.
    #[must_use]
    pub fn explain(mut self) -> Self {
        self.explain = true;
        self
    }
}

impl From<Query> for Search {
    fn from(query: Query) -> Self {
        match query {
            Query::Knn(knn) => knn.into(),
            query => Self::new(query),
        }
    }
}

impl From<Knn> for Search {
    fn from(mut knn: Knn) -> Self {
        let (limit, fields) = (knn.k, knn.fields.take());
        Self { fields, limit, ..Self::new(knn) }
    }
}

macro_rules! search_of {
    ($($name:ident),*) => {
        $(impl From<$name> for Search {
            fn from(query: $name) -> Self {
                Self::new(query)
            }
        })*
    };
}

search_of!(Term, Terms, Range, Exists, Prefix, Match, Phrase, Bool, Boost, Constant, Fuse);

macro_rules! search_of_borrowed {
    ($($name:ident),*) => {
        $(impl From<&$name> for Search {
            fn from(query: &$name) -> Self {
                query.clone().into()
            }
        })*
    };
}

search_of_borrowed!(
    Query, Knn, Term, Terms, Range, Exists, Prefix, Match, Phrase, Bool, Boost, Constant, Fuse, Search
);
