//! Functions of a document's values, which give a second score.

use super::json::values;
use crate::document::Value;
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// How a [`Decay`] falls with the distance from its origin.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DecayShape {
    /// The bell curve exp(−d² / 2σ²).
    #[default]
    Gauss,
    /// exp(−λ·d): steep at first.
    Exp,
    /// A straight line down to 0.
    Linear,
}

/// A distance between two numbers, or between two dates.
///
/// Made of a number, or of a time: a [`Duration`], or a text with its unit (`ms`, `s`, `m`, `h`, `d`, `w`).
///
/// ```
/// use lucerne::query::Distance;
/// use std::time::Duration;
///
/// assert_eq!(Distance::from(Duration::from_secs(90)), Distance::Time("90000ms".to_owned()));
/// assert_eq!(Distance::from(2.5), Distance::Number(2.5));
/// assert_eq!(Distance::from("10d"), Distance::Time("10d".to_owned()));
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Distance {
    /// Between numbers.
    Number(f64),
    /// Between dates, with its unit.
    Time(String),
}

impl Distance {
    /// Milliseconds of a time; `None` when it is none.
    pub(crate) fn millis(&self) -> Option<f64> {
        let Self::Time(text) = self else { return None };
        let number = text.trim_end_matches(|char: char| char.is_ascii_alphabetic());
        let unit = match text.get(number.len()..)? {
            "ms" => 1.0,
            "s" => 1e3,
            "m" => 60e3,
            "h" => 3_600e3,
            "d" => 86_400e3,
            "w" => 7.0 * 86_400e3,
            _ => return None,
        };
        number.trim().parse::<f64>().ok().map(|number| number * unit)
    }

    fn zero() -> Self {
        Self::Number(0.0)
    }

    fn is_zero(&self) -> bool {
        *self == Self::zero()
    }
}

impl From<f64> for Distance {
    fn from(number: f64) -> Self {
        Self::Number(number)
    }
}

impl From<i32> for Distance {
    fn from(number: i32) -> Self {
        Self::Number(number.into())
    }
}

impl From<&str> for Distance {
    fn from(time: &str) -> Self {
        Self::Time(time.to_owned())
    }
}

impl From<Duration> for Distance {
    fn from(time: Duration) -> Self {
        Self::Time(format!("{}ms", time.as_millis()))
    }
}

/// A score from 1 to 0 that falls with the distance of a number or date from an origin, as in Elasticsearch: 1 within
/// `offset` of the origin, `decay` at `offset + scale`. Of several values the nearest counts; a document without a value
/// scores 1. See [`Rerank::decay`](super::Rerank::decay).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Decay {
    pub(crate) field: String,
    #[serde(with = "values::one")]
    pub(crate) origin: Value,
    pub(crate) scale: Distance,
    #[serde(default = "Distance::zero", skip_serializing_if = "Distance::is_zero")]
    pub(crate) offset: Distance,
    #[serde(default = "half")]
    pub(crate) decay: f64,
    #[serde(default)]
    pub(crate) shape: DecayShape,
}

fn half() -> f64 {
    0.5
}

impl Decay {
    /// Falls in this shape. `scale` is above 0: a number, or in a date field a time.
    pub fn new(
        shape: DecayShape,
        field: impl Into<String>,
        origin: impl Into<Value>,
        scale: impl Into<Distance>,
    ) -> Self {
        let (field, origin, scale) = (field.into(), origin.into(), scale.into());
        Self { field, origin, scale, offset: Distance::zero(), decay: half(), shape }
    }

    /// Falls as a bell curve.
    pub fn gauss(field: impl Into<String>, origin: impl Into<Value>, scale: impl Into<Distance>) -> Self {
        Self::new(DecayShape::Gauss, field, origin, scale)
    }

    /// Falls exponentially.
    pub fn exp(field: impl Into<String>, origin: impl Into<Value>, scale: impl Into<Distance>) -> Self {
        Self::new(DecayShape::Exp, field, origin, scale)
    }

    /// Falls in a line, down to 0.
    pub fn linear(field: impl Into<String>, origin: impl Into<Value>, scale: impl Into<Distance>) -> Self {
        Self::new(DecayShape::Linear, field, origin, scale)
    }

    /// The distance from the origin within which the score is 1. Default: 0.
    #[must_use]
    pub fn offset(mut self, offset: impl Into<Distance>) -> Self {
        self.offset = offset.into();
        self
    }

    /// The score at `offset + scale`, above 0 and below 1. Default: 0.5.
    #[must_use]
    pub fn to(mut self, decay: f64) -> Self {
        self.decay = decay;
        self
    }
}

/// What a [`FieldValue`] makes of a number. Those that do not exist (the logarithm of 0) count as 0.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Modifier {
    /// The number itself.
    #[default]
    None,
    /// log₁₀(1 + x).
    Log1p,
    /// ln(1 + x).
    Ln1p,
    /// √x.
    Sqrt,
    /// x².
    Square,
    /// 1 / x.
    Reciprocal,
}

/// The number in a field as a score: `modifier(factor × value)`. Of several values the largest counts. See
/// [`Rerank::field_value`](super::Rerank::field_value).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FieldValue {
    pub(crate) field: String,
    #[serde(default = "one")]
    pub(crate) factor: f64,
    #[serde(default)]
    pub(crate) modifier: Modifier,
    #[serde(default)]
    pub(crate) missing: f64,
}

fn one() -> f64 {
    1.0
}

impl FieldValue {
    /// The value of a field of numbers or truth values.
    pub fn new(field: impl Into<String>) -> Self {
        Self { field: field.into(), factor: one(), modifier: Modifier::None, missing: 0.0 }
    }

    /// Multiplies the value. Default: 1.
    #[must_use]
    pub fn factor(mut self, factor: f64) -> Self {
        self.factor = factor;
        self
    }

    /// What is made of the product. Default: it stays.
    #[must_use]
    pub fn modifier(mut self, modifier: Modifier) -> Self {
        self.modifier = modifier;
        self
    }

    /// The value of a document without one. Default: 0.
    #[must_use]
    pub fn missing(mut self, value: f64) -> Self {
        self.missing = value;
        self
    }
}
