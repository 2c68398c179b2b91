//! Values of fields.

use super::date;
use crate::bits;
use serde::ser::{Serialize, Serializer};

/// The value of a field.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Value {
    /// No value: the same as leaving the field out.
    Null,
    /// Text; also a date in text form.
    Text(String),
    /// A whole number.
    I64(i64),
    /// A number.
    F64(f64),
    /// True or false.
    Bool(bool),
    /// A moment: milliseconds since 1970-01-01T00:00:00Z.
    Date(i64),
    /// Several values.
    List(Vec<Value>),
    /// A vector.
    Vector(Vec<f32>),
    /// A binary vector, eight bits in a byte, the least significant first ([`crate::bits`]).
    Bits(Vec<u8>),
    /// Anything else that JSON can say; kept by dynamic schemas.
    Json(serde_json::Value),
}

impl Value {
    /// A date from its text form: `YYYY-MM-DD`, or `YYYY-MM-DDThh:mm:ss[.fff]` followed by `Z` or `±hh:mm`.
    pub fn date(text: &str) -> Option<Self> {
        date::parse(text).map(Self::Date)
    }

    /// What the value is, for messages.
    pub(super) fn describe(&self) -> String {
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
            Self::Bits(bytes) => format!("{} bits", bytes.len() * 8),
            Self::Json(json) => match json {
                serde_json::Value::Object(_) => "an object".to_owned(),
                serde_json::Value::Number(number) => format!("the number {number}"),
                _ => format!("the JSON value {}", shortened(&json.to_string())),
            },
        }
    }
}

/// The beginning of a text, short enough for a message.
pub(crate) fn shortened(text: &str) -> String {
    const MOST: usize = 60;
    match text.char_indices().nth(MOST) {
        None => text.to_owned(),
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
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
            Self::Bits(bytes) => serializer.serialize_str(&bits::to_hex(bytes)),
            Self::Json(json) => json.serialize(serializer),
        }
    }
}

/// Scalars and lists become values of their own, objects stay JSON.
impl From<serde_json::Value> for Value {
    fn from(json: serde_json::Value) -> Self {
        match json {
            serde_json::Value::Null => Self::Null,
            serde_json::Value::Bool(truth) => Self::Bool(truth),
            serde_json::Value::String(text) => Self::Text(text),
            serde_json::Value::Array(values) => Self::List(values.into_iter().map(Self::from).collect()),
            serde_json::Value::Object(_) => Self::Json(json),
            serde_json::Value::Number(ref number) => match (number.as_i64(), number.is_f64()) {
                (Some(number), _) => Self::I64(number),
                (None, true) => Self::F64(number.as_f64().unwrap_or(f64::NAN)),
                (None, false) => Self::Json(json),
            },
        }
    }
}

macro_rules! from {
    ($($given:ty => |$value:ident| $made:expr;)*) => {
        $(impl From<$given> for Value {
            fn from($value: $given) -> Self {
                $made
            }
        })*
    };
}

from! {
    &str => |text| Self::Text(text.to_owned());
    String => |text| Self::Text(text);
    i64 => |number| Self::I64(number);
    i32 => |number| Self::I64(number.into());
    u32 => |number| Self::I64(number.into());
    f64 => |number| Self::F64(number);
    bool => |truth| Self::Bool(truth);
    Vec<f32> => |components| Self::Vector(components);
    &[f32] => |components| Self::Vector(components.to_vec());
    Vec<u8> => |bytes| Self::Bits(bytes);
    &[u8] => |bytes| Self::Bits(bytes.to_vec());
    Vec<Value> => |values| Self::List(values);
    Vec<String> => |texts| Self::List(texts.into_iter().map(Self::Text).collect());
    Vec<&str> => |texts| Self::List(texts.into_iter().map(Self::from).collect());
}

impl<const N: usize> From<[f32; N]> for Value {
    fn from(components: [f32; N]) -> Self {
        Self::Vector(components.to_vec())
    }
}

impl<const N: usize> From<[u8; N]> for Value {
    fn from(bytes: [u8; N]) -> Self {
        Self::Bits(bytes.to_vec())
    }
}

impl<V: Into<Value>> From<Option<V>> for Value {
    fn from(value: Option<V>) -> Self {
        value.map_or(Self::Null, Into::into)
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
