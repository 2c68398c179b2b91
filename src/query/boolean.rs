//! Boolean combinations of queries, and queries with other scores.

use super::{Minimum, Query};
use serde::{Deserialize, Serialize};

/// Combines queries as clauses that must, should or must not match. The score is the sum of the scores of the `must`
/// and `should` clauses that match.
///
/// Without `must` and `filter` clauses at least one `should` clause has to match, unless
/// [`Bool::minimum_should_match`] says otherwise. With `must_not` clauses only, all other documents match.
///
/// A `must` or `should` clause whose text has no terms (stop words, punctuation) is passed over; where only such
/// clauses say what to find, nothing is found.
///
/// ```
/// # fn main() -> lucerne::Result<()> {
/// # let searcher = include!(concat!(env!("CARGO_MANIFEST_DIR"), "/src/query/example.in"));
/// use lucerne::{Bool, Match, Range, Term};
///
/// let query = Bool::new()
///     .must(Match::new("title", "text"))
///     .should(Match::new("title", "small"))
///     .must_not(Term::new("section", "games"))
///     .filter(Range::new("size").lt(5000));
/// assert_eq!(searcher.search(query)?.keys(), ["nano", "vim"]);
/// # Ok(())
/// # }
/// ```
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
    pub(crate) minimum_should_match: Option<Minimum>,
}

impl Bool {
    /// Without clauses, which matches every document with score 0.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a clause that must match.
    #[must_use]
    pub fn must(mut self, query: impl Into<Query>) -> Self {
        self.must.push(query.into());
        self
    }

    /// Adds a clause that may match and then adds to the score.
    #[must_use]
    pub fn should(mut self, query: impl Into<Query>) -> Self {
        self.should.push(query.into());
        self
    }

    /// Adds a clause that must not match.
    #[must_use]
    pub fn must_not(mut self, query: impl Into<Query>) -> Self {
        self.must_not.push(query.into());
        self
    }

    /// Adds a clause that must match and does not add to the score.
    #[must_use]
    pub fn filter(mut self, query: impl Into<Query>) -> Self {
        self.filter.push(query.into());
        self
    }

    /// The minimum number of `should` clauses that must match, or which share of them ([`Minimum::Percent`]).
    #[must_use]
    pub fn minimum_should_match(mut self, clauses: impl Into<Minimum>) -> Self {
        self.minimum_should_match = Some(clauses.into());
        self
    }

    /// The minimum number of `should` clauses that must match, given or by default.
    pub(crate) fn required_should(&self) -> usize {
        let needs_one = self.must.is_empty() && self.filter.is_empty() && !self.should.is_empty();
        self.minimum_should_match.map_or(usize::from(needs_one), |minimum| minimum.of(self.should.len()))
    }
}

/// Multiplies the scores of a query.
///
/// ```
/// # fn main() -> lucerne::Result<()> {
/// # let searcher = include!(concat!(env!("CARGO_MANIFEST_DIR"), "/src/query/example.in"));
/// use lucerne::query::Boost;
/// use lucerne::{Bool, Term};
///
/// let editors = Boost::new(Term::new("section", "editors"), 3.0);
/// let hits = searcher.search(Bool::new().should(editors).should(Term::new("section", "games")))?;
/// assert_eq!((hits.hits[0].score, hits.hits[2].score), (3.0, 1.0));
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Boost {
    pub(crate) query: Query,
    pub(crate) boost: f32,
}

impl Boost {
    /// `query` with its scores multiplied by `boost`, a finite number of at least 0.
    pub fn new(query: impl Into<Query>, boost: f32) -> Self {
        Self { query: query.into(), boost }
    }
}

/// Replaces the scores of a query by a constant.
///
/// ```
/// # fn main() -> lucerne::Result<()> {
/// # let searcher = include!(concat!(env!("CARGO_MANIFEST_DIR"), "/src/query/example.in"));
/// use lucerne::Match;
/// use lucerne::query::Constant;
///
/// let hits = searcher.search(Constant::new(Match::new("title", "editor"), 2.0))?;
/// assert!(hits.hits.iter().all(|hit| hit.score == 2.0));
/// # Ok(())
/// # }
/// ```
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
    /// The documents of `query`, each with the score `score`, a finite number of at least 0.
    pub fn new(query: impl Into<Query>, score: f32) -> Self {
        Self { query: query.into(), score }
    }
}
