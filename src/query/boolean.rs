//! Queries made of queries.

use super::Query;
use serde::{Deserialize, Serialize};

/// Clauses that must, should or must not match. The score is the sum of the scores of the `must` and
/// `should` clauses that match.
///
/// Without `must` and `filter` clauses at least one `should` clause has to match, unless
/// [`Bool::minimum_should_match`] says otherwise; with only `must_not` clauses, everything else matches.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Bool {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) must: Vec<Query>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) should: Vec<Query>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) must_not: Vec<Query>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) filter: Vec<Query>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) minimum_should_match: Option<u32>,
}

impl Bool {
    /// No clauses yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// A clause that must match.
    #[must_use]
    pub fn must(mut self, query: impl Into<Query>) -> Self {
        self.must.push(query.into());
        self
    }

    /// A clause that may match.
    #[must_use]
    pub fn should(mut self, query: impl Into<Query>) -> Self {
        self.should.push(query.into());
        self
    }

    /// A clause that must not match.
    #[must_use]
    pub fn must_not(mut self, query: impl Into<Query>) -> Self {
        self.must_not.push(query.into());
        self
    }

    /// A clause that must match and does not score.
    #[must_use]
    pub fn filter(mut self, query: impl Into<Query>) -> Self {
        self.filter.push(query.into());
        self
    }

    /// How many `should` clauses must match at least.
    #[must_use]
    pub fn minimum_should_match(mut self, clauses: u32) -> Self {
        self.minimum_should_match = Some(clauses);
        self
    }

    /// `should` clauses that must match.
    pub(crate) fn required_should(&self) -> usize {
        let needs_one = self.must.is_empty() && self.filter.is_empty() && !self.should.is_empty();
        self.minimum_should_match.map_or(usize::from(needs_one), |clauses| clauses as usize)
    }
}

/// A query whose scores are multiplied.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Boost {
    pub(crate) query: Query,
    pub(crate) boost: f32,
}

impl Boost {
    /// `query` with its scores times `boost`, a finite number of at least 0.
    pub fn new(query: impl Into<Query>, boost: f32) -> Self {
        Self { query: query.into(), boost }
    }
}

/// A query whose matches all have the same score.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Constant {
    pub(crate) query: Query,
    #[serde(default = "one")]
    pub(crate) score: f32,
}

fn one() -> f32 {
    1.0
}

impl Constant {
    /// The matches of `query`, each with `score`, a finite number of at least 0.
    pub fn new(query: impl Into<Query>, score: f32) -> Self {
        Self { query: query.into(), score }
    }
}
