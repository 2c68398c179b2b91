//! Queries for values as they are.

use super::json::values;
use crate::document::Value;
use serde::{Deserialize, Serialize};

/// Documents with this value in a field. In a text field the value is one term, compared with the analyzed
/// text as it stands; [`super::Match`] analyzes what it is given. In the key field it is a key.
///
/// Scored by BM25 in a text field, 1 elsewhere.
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

/// Documents with at least one of these values in a field; score 1.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Terms {
    pub(crate) field: String,
    #[serde(with = "values::many")]
    pub(crate) values: Vec<Value>,
}

impl Terms {
    /// Documents with one of `values` in `field`; none when there are no values.
    pub fn new<V: Into<Value>>(field: impl Into<String>, values: impl IntoIterator<Item = V>) -> Self {
        Self { field: field.into(), values: values.into_iter().map(Into::into).collect() }
    }
}

/// Documents with a value between two in a number, date, keyword or key field; score 1. Without bounds, every
/// document with a value. Keywords compare byte by byte.
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
    /// Any value of `field`, until bounds are set.
    pub fn new(field: impl Into<String>) -> Self {
        Self { field: field.into(), gt: None, gte: None, lt: None, lte: None }
    }

    /// Greater than.
    #[must_use]
    pub fn gt(mut self, value: impl Into<Value>) -> Self {
        self.gt = Some(value.into());
        self
    }

    /// At least.
    #[must_use]
    pub fn gte(mut self, value: impl Into<Value>) -> Self {
        self.gte = Some(value.into());
        self
    }

    /// Less than.
    #[must_use]
    pub fn lt(mut self, value: impl Into<Value>) -> Self {
        self.lt = Some(value.into());
        self
    }

    /// At most.
    #[must_use]
    pub fn lte(mut self, value: impl Into<Value>) -> Self {
        self.lte = Some(value.into());
        self
    }
}

/// Documents with any value in a field, a vector included; score 1.
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

/// Documents with a term (text) or value (keyword, key) that begins with these characters; score 1.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Prefix {
    pub(crate) field: String,
    pub(crate) prefix: String,
}

impl Prefix {
    /// Documents whose `field` has a value that begins with `prefix`. It is not analyzed: terms of a text
    /// field are lower case.
    pub fn new(field: impl Into<String>, prefix: impl Into<String>) -> Self {
        Self { field: field.into(), prefix: prefix.into() }
    }
}
