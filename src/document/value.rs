//! Values of fields.

use super::date;
use super::sparse_vector::SparseVector;
use crate::bits;
use crate::error::shortened;
use serde::ser::{Serialize, Serializer};

/// The value of a field.
///
/// Values are made with `Value::from`, which [`Document::with`](super::Document::with) and the bounds of a
/// [`Range`](crate::Range) call for you:
///
/// | Rust | value |
/// |---|---|
/// | `&str`, `&String`, `String`, `Cow<str>` | [`Value::Text`] |
/// | `bool` | [`Value::Bool`] |
/// | `i8` to `i64`, `isize`, `u8` to `u64`, `usize` | [`Value::I64`]; a number above `i64::MAX` becomes [`Value::Json`], which fields of type f64 round and fields of type i64 refuse |
/// | `f64`, `f32` | [`Value::F64`]; an `f32` is widened without loss, so `0.1_f32` reads back as 0.10000000149011612 |
/// | [`SystemTime`](std::time::SystemTime) | [`Value::Date`], rounded down to a millisecond |
/// | `Vec<f32>`, `&[f32]`, `[f32; N]` | [`Value::Vector`] |
/// | `Vec<u8>`, `&[u8]`, `[u8; N]` | [`Value::Bits`]: eight bits in each byte |
/// | [`SparseVector`] | [`Value::Sparse`] |
/// | `Vec`, slice or array of another type above, or of vectors (`Vec<Vec<f32>>`) | [`Value::List`]; a vector field takes a list of numbers and rounds each to `f32` |
/// | `Option<T>` | the value, or [`Value::Null`] |
/// | `serde_json::Value` | scalars and lists become values of their own, objects [`Value::Json`] |
///
/// ```
/// use lucerne::Value;
///
/// assert_eq!(Value::from(3_u64), Value::I64(3));
/// assert_eq!(Value::from(None::<f64>), Value::Null);
/// assert_eq!(Value::from(vec![1_i64, 2]), Value::List(vec![Value::I64(1), Value::I64(2)]));
/// assert_eq!(Value::date("2024-02-29"), Value::date("2024-02-29T02:00:00+02:00"));
/// ```
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Value {
    /// No value: the same as leaving the field out.
    Null,
    /// Text; also a date in text form.
    Text(String),
    /// A whole number.
    I64(i64),
    /// A number. Fields refuse NaN and infinities.
    F64(f64),
    /// True or false.
    Bool(bool),
    /// A date with its time of day: milliseconds since 1970-01-01T00:00:00Z, in the years 0000 to 9999.
    Date(i64),
    /// Several values of a field.
    List(Vec<Value>),
    /// A vector, one number for each dimension of its field.
    Vector(Vec<f32>),
    /// A binary vector, eight bits in each byte, the least significant first ([`crate::bits`]).
    Bits(Vec<u8>),
    /// A sparse vector.
    Sparse(SparseVector),
    /// Anything else that JSON can say; kept by dynamic schemas.
    Json(serde_json::Value),
}

impl Value {
    /// A date from its text form: `YYYY-MM-DD`, or `YYYY-MM-DDThh:mm:ss[.fff]` followed by `Z` or `±hh:mm`.
    pub fn date(text: &str) -> Option<Self> {
        date::parse(text).map(Self::Date)
    }

    /// Names the value in messages: its type, and the value where it is short.
    pub(crate) fn describe(&self) -> String {
        match self {
            Self::Null => "null".to_owned(),
            Self::Text(text) => format!("the string {:?}", shortened(text)),
            Self::I64(number) => format!("the number {number}"),
            Self::F64(number) => format!("the number {number:?}"),
            Self::Bool(truth) => truth.to_string(),
            Self::Date(millis) => format!("the date {}", date::format(*millis)),
            Self::List(values) => match values.first() {
                None => "an empty list".to_owned(),
                Some(Self::List(_)) => format!("a list of {} lists", values.len()),
                Some(first) => format!("a list of {} ({}, …)", values.len(), first.describe()),
            },
            Self::Vector(components) => format!("a vector of {} components", components.len()),
            Self::Sparse(vector) => format!("a sparse vector of {} dimensions", vector.len()),
            Self::Bits(bytes) => format!("{} bits", bytes.len() * 8),
            Self::Json(json) => match json {
                serde_json::Value::Object(_) => "an object".to_owned(),
                serde_json::Value::Number(number) => format!("the number {number}"),
                _ => format!("the JSON value {}", shortened(&json.to_string())),
            },
        }
    }
}

impl Serialize for Value {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Null => serializer.serialize_unit(),
            Self::Text(text) => serializer.serialize_str(text),
            Self::I64(number) => serializer.serialize_i64(*number),
            Self::F64(number) => serializer.serialize_f64(*number),
            Self::Bool(truth) => serializer.serialize_bool(*truth),
            Self::Date(millis) => serializer.collect_str(&date::format(*millis)),
            Self::List(values) => serializer.collect_seq(values),
            Self::Vector(components) => serializer.collect_seq(components),
            Self::Sparse(vector) => vector.serialize(serializer),
            Self::Bits(bytes) => serializer.serialize_str(&bits::to_hex(bytes)),
            Self::Json(json) => json.serialize(serializer),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn json_becomes_the_value_it_says_and_back() {
        for (json, value) in [
            (json!(null), Value::Null),
            (json!("a"), Value::from("a")),
            (json!(-3), Value::I64(-3)),
            (json!(3.0), Value::F64(3.0)),
            (json!(u64::MAX), Value::Json(json!(u64::MAX))),
            (json!([1, "a"]), Value::List(vec![Value::I64(1), Value::from("a")])),
            (json!({"a": [1]}), Value::Json(json!({"a": [1]}))),
        ] {
            assert_eq!(Value::from(json.clone()), value);
            assert_eq!(serde_json::to_value(&value).unwrap(), json);
        }
        let date = Value::date("2024-02-29T12:00:00+02:00").unwrap();
        assert_eq!(serde_json::to_value(&date).unwrap(), json!("2024-02-29T10:00:00Z"));
        assert_eq!(Value::from(None::<i64>), Value::Null);
    }

    #[test]
    fn descriptions_stay_short() {
        let long = "ü".repeat(1_000);
        assert!(Value::from(long.as_str()).describe().chars().count() < 100);
        let list = Value::List(vec![Value::from(long.as_str()), Value::Null]);
        assert!(list.describe().starts_with("a list of 2 (the string"));
    }
}
