//! Queries: what is asked, as plain data.
//!
//! A [`Query`] selects documents and gives each a score; a [`Search`] says what to do with them: how many,
//! in which order, reranked by what, which fields to return. Every query has a form in JSON: an object with
//! one entry, the query's name in lower case, whose value holds what the builder sets
//! (`{"term": {"field": "section", "value": "python"}}`).

mod boolean;
mod fuse;
mod json;
mod knn;
mod parse;
mod rerank;
mod search;
mod terms;
mod words;

pub use boolean::{Bool, Boost, Constant};
pub use fuse::{Fuse, Fusion};
pub use knn::Knn;
pub use parse::QueryParser;
pub use rerank::{Rerank, RerankBy};
pub use search::{Missing, Order, Search, Sort};
pub use terms::{Exists, Prefix, Range, Term, Terms};
pub use words::{Match, Operator, Phrase};

use serde::{Deserialize, Serialize};

/// Selects documents and gives each a score.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Query {
    /// Every document, with score 1.
    All {},
    /// No document.
    None {},
    /// A value of a field, as it is.
    Term(Term),
    /// One of several values.
    Terms(Terms),
    /// Values between two.
    Range(Range),
    /// Any value.
    Exists(Exists),
    /// Values that begin with.
    Prefix(Prefix),
    /// Words of a text.
    Match(Match),
    /// Words of a text, one after the other.
    Phrase(Phrase),
    /// Clauses that must, should, must not match.
    Bool(Bool),
    /// Scores multiplied.
    Boost(Box<Boost>),
    /// Scores replaced.
    Constant(Box<Constant>),
    /// The nearest neighbours of a vector.
    Knn(Knn),
    /// Several rankings made one.
    Fuse(Fuse),
}

macro_rules! query_of {
    ($($name:ident),*) => {
        $(impl From<$name> for Query {
            fn from(query: $name) -> Self {
                Self::$name(query)
            }
        })*
    };
}

query_of!(Term, Terms, Range, Exists, Prefix, Match, Phrase, Bool, Knn, Fuse);

impl From<Boost> for Query {
    fn from(query: Boost) -> Self {
        Self::Boost(Box::new(query))
    }
}

impl From<Constant> for Query {
    fn from(query: Constant) -> Self {
        Self::Constant(Box::new(query))
    }
}

impl Query {
    /// Every document, with score 1.
    pub fn all() -> Self {
        Self::All {}
    }

    /// No document.
    pub fn none() -> Self {
        Self::None {}
    }
}
