//! What a bucket is called before it becomes a value.

use crate::document::{Value, dynamic};
use crate::schema::FieldType;
use lucerne_codec::ordered;
use serde::{Deserialize, Serialize};
use std::borrow::Cow;

/// The value that a bucket stands for, the same in all segments. In the order of values.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub(in crate::search) enum Key<'a> {
    /// Of an undeclared field.
    Bool(bool),
    /// A column value, or the number of a bucket.
    Number(i64),
    /// A number of an undeclared field.
    Undeclared(i64, i16),
    Text(Cow<'a, str>),
}

/// What a column value stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::search) enum Unit {
    /// Not a number.
    Text,
    I64,
    F64,
    Bool,
    Date,
}

impl Unit {
    pub(in crate::search) fn of(field_type: &FieldType) -> Self {
        match field_type {
            FieldType::I64 => Self::I64,
            FieldType::F64 => Self::F64,
            FieldType::Bool => Self::Bool,
            FieldType::Date => Self::Date,
            _ => Self::Text,
        }
    }

    /// A column value as a number.
    pub(in crate::search) fn number(self, value: i64) -> f64 {
        if self == Self::F64 { ordered::to_f64(value) } else { value as f64 }
    }

    /// A column value as a value.
    pub(super) fn value(self, value: i64) -> Value {
        match self {
            Self::F64 => Value::F64(ordered::to_f64(value)),
            Self::Bool => Value::Bool(value != 0),
            Self::Date => Value::Date(value),
            Self::I64 | Self::Text => Value::I64(value),
        }
    }
}

impl Key<'_> {
    /// The same without a snapshot.
    pub(in crate::search) fn into_owned(self) -> Key<'static> {
        match self {
            Self::Bool(truth) => Key::Bool(truth),
            Self::Number(number) => Key::Number(number),
            Self::Undeclared(nearest, difference) => Key::Undeclared(nearest, difference),
            Self::Text(text) => Key::Text(Cow::Owned(text.into_owned())),
        }
    }

    pub(in crate::search) fn value(&self, unit: Unit) -> Value {
        match self {
            Self::Bool(truth) => Value::Bool(*truth),
            Self::Number(number) => unit.value(*number),
            Self::Undeclared(nearest, difference) => dynamic::number(*nearest, *difference),
            Self::Text(text) => Value::Text(text.clone().into_owned()),
        }
    }
}
