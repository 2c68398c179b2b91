//! Queries for exact values, ranges and prefixes.

use super::json::values;
use crate::document::Value;
use serde::{Deserialize, Serialize};

/// Finds documents with a value in a field.
///
/// In a date field a year, month, day or minute finds all dates in it.
///
/// In a text field the value is one term, which is not analyzed but compared with the terms of the analyzed texts;
/// use [`Match`](super::Match) to search for words. In a text field documents are scored by BM25, elsewhere
/// each scores 1.
///
/// ```
/// # fn main() -> lucerne::Result<()> {
/// # let searcher = include!(concat!(env!("CARGO_MANIFEST_DIR"), "/src/query/example.in"));
/// use lucerne::Term;
///
/// assert_eq!(searcher.search(Term::new("section", "games"))?.keys(), ["chess"]);
/// assert_eq!(searcher.search(Term::new("size", 200))?.keys(), ["nano"]);
/// assert_eq!(searcher.search(Term::new("id", "vim"))?.keys(), ["vim"]);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Term {
    pub(crate) field: String,
    #[serde(with = "values::one")]
    pub(crate) value: Value,
}

impl Term {
    /// Documents with `value` in `field`.
    pub fn new(field: impl Into<String>, value: impl Into<Value>) -> Self {
        Self { field: field.into(), value: value.into() }
    }
}

/// Finds documents with at least one of several values in a field. Each scores 1.
///
/// ```
/// # fn main() -> lucerne::Result<()> {
/// # let searcher = include!(concat!(env!("CARGO_MANIFEST_DIR"), "/src/query/example.in"));
/// use lucerne::Terms;
///
/// assert_eq!(searcher.search(Terms::new("size", [200, 900]))?.keys(), ["chess", "nano"]);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Terms {
    pub(crate) field: String,
    #[serde(with = "values::many")]
    pub(crate) values: Vec<Value>,
}

impl Terms {
    /// Documents with one of `values` in `field`; none when `values` is empty.
    pub fn new<V: Into<Value>>(field: impl Into<String>, values: impl IntoIterator<Item = V>) -> Self {
        Self { field: field.into(), values: values.into_iter().map(Into::into).collect() }
    }
}

/// Finds documents with a value in a range, in a number, date, keyword, key or text field. Each scores 1.
///
/// Without bounds, every document with a value matches. Numbers compare as numbers, whatever their type. A date may
/// be a year, month, day or minute (`"2024"`, `"2024-05"`, `"2024-05-01"`, `"2024-05-01T12:30"`), which stands for all
/// of it: `lte("2024-05-01")` includes the day, and `gt` begins after it. Strings compare byte by byte; in a text field
/// it is the analyzed terms that are compared, with bounds in the case and accents of terms.
///
/// ```
/// # fn main() -> lucerne::Result<()> {
/// # let searcher = include!(concat!(env!("CARGO_MANIFEST_DIR"), "/src/query/example.in"));
/// use lucerne::Range;
///
/// assert_eq!(searcher.search(Range::new("size").gte(200).lt(1000))?.keys(), ["chess", "nano"]);
/// assert_eq!(searcher.search(Range::new("id").gt("nano"))?.keys(), ["vim"]);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Range {
    pub(crate) field: String,
    #[serde(default, with = "values::maybe", skip_serializing_if = "Option::is_none")]
    pub(crate) gt: Option<Value>,
    #[serde(default, with = "values::maybe", skip_serializing_if = "Option::is_none")]
    pub(crate) gte: Option<Value>,
    #[serde(default, with = "values::maybe", skip_serializing_if = "Option::is_none")]
    pub(crate) lt: Option<Value>,
    #[serde(default, with = "values::maybe", skip_serializing_if = "Option::is_none")]
    pub(crate) lte: Option<Value>,
}

impl Range {
    /// Documents with any value in `field`, until bounds are set.
    pub fn new(field: impl Into<String>) -> Self {
        Self { field: field.into(), gt: None, gte: None, lt: None, lte: None }
    }

    /// True without bounds.
    pub(crate) fn is_unbounded(&self) -> bool {
        [&self.gt, &self.gte, &self.lt, &self.lte].iter().all(|bound| bound.is_none())
    }

    /// The range with other bounds.
    pub(crate) fn map_bounds<E>(&self, map: impl Fn(&Value) -> Result<Value, E>) -> Result<Self, E> {
        let bound = |value: &Option<Value>| value.as_ref().map(&map).transpose();
        let (gt, gte, lt, lte) = (bound(&self.gt)?, bound(&self.gte)?, bound(&self.lt)?, bound(&self.lte)?);
        Ok(Self { field: self.field.clone(), gt, gte, lt, lte })
    }

    /// Only values greater than this.
    #[must_use]
    pub fn gt(mut self, value: impl Into<Value>) -> Self {
        self.gt = Some(value.into());
        self
    }

    /// Only values of at least this.
    #[must_use]
    pub fn gte(mut self, value: impl Into<Value>) -> Self {
        self.gte = Some(value.into());
        self
    }

    /// Only values less than this.
    #[must_use]
    pub fn lt(mut self, value: impl Into<Value>) -> Self {
        self.lt = Some(value.into());
        self
    }

    /// Only values of at most this.
    #[must_use]
    pub fn lte(mut self, value: impl Into<Value>) -> Self {
        self.lte = Some(value.into());
        self
    }
}

/// Finds documents with any value in a field, which may be a vector field. Each scores 1.
///
/// ```
/// # fn main() -> lucerne::Result<()> {
/// # let searcher = include!(concat!(env!("CARGO_MANIFEST_DIR"), "/src/query/example.in"));
/// use lucerne::Bool;
/// use lucerne::query::Exists;
///
/// assert_eq!(searcher.count(Exists::new("v"))?, 3);
/// assert_eq!(searcher.search(Bool::new().must_not(Exists::new("size")))?.keys(), ["empty"]);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Exists {
    pub(crate) field: String,
}

impl Exists {
    /// Documents with any value in `field`.
    pub fn new(field: impl Into<String>) -> Self {
        Self { field: field.into() }
    }
}

/// Finds documents with a term (in a text field) or value (in a keyword or key field) that begins with given
/// characters. Each scores 1.
///
/// In a text field the prefix gets the case and accents of terms, as the field's analyzer defines them. When it has
/// several words, these must be in sequence, and the last one is the prefix: `Vim-t` finds `vim-tiny`.
///
/// ```
/// # fn main() -> lucerne::Result<()> {
/// # let searcher = include!(concat!(env!("CARGO_MANIFEST_DIR"), "/src/query/example.in"));
/// use lucerne::Prefix;
///
/// assert_eq!(searcher.search(Prefix::new("title", "edit"))?.keys(), ["nano", "vim"]);
/// assert_eq!(searcher.search(Prefix::new("id", "ch"))?.keys(), ["chess"]);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Prefix {
    pub(crate) field: String,
    pub(crate) prefix: String,
}

impl Prefix {
    /// Documents whose `field` has a value that begins with `prefix`.
    pub fn new(field: impl Into<String>, prefix: impl Into<String>) -> Self {
        Self { field: field.into(), prefix: prefix.into() }
    }
}
