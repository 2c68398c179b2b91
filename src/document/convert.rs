//! Values from Rust's own types. The table of conversions is in the documentation of [`Value`].

use super::Value;
use super::sparse_vector::SparseVector;
use std::borrow::Cow;
use std::time::{SystemTime, UNIX_EPOCH};

/// `impl From<type> for Value`, from an expression.
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
    &String => |text| Self::Text(text.clone());
    Cow<'_, str> => |text| Self::Text(text.into_owned());
    bool => |truth| Self::Bool(truth);
    i64 => |number| Self::I64(number);
    i32 => |number| Self::I64(number.into());
    i16 => |number| Self::I64(number.into());
    i8 => |number| Self::I64(number.into());
    isize => |number| Self::I64(number as i64);
    u32 => |number| Self::I64(number.into());
    u16 => |number| Self::I64(number.into());
    u8 => |number| Self::I64(number.into());
    u64 => |number| i64::try_from(number).map_or_else(|_| Self::Json(number.into()), Self::I64);
    usize => |number| Self::from(number as u64);
    f64 => |number| Self::F64(number);
    f32 => |number| Self::F64(number.into());
    SparseVector => |vector| Self::Sparse(vector);
    &SparseVector => |vector| Self::Sparse(vector.clone());
    SystemTime => |time| Self::Date(millis_since_epoch(time));
}

/// Milliseconds since 1970, rounded down; times too far away for an `i64` become its limits, which no field
/// takes for a date.
fn millis_since_epoch(time: SystemTime) -> i64 {
    match time.duration_since(UNIX_EPOCH) {
        Ok(after) => i64::try_from(after.as_millis()).unwrap_or(i64::MAX),
        Err(before) => {
            let nanos = before.duration().as_nanos();
            i64::try_from(nanos.div_ceil(1_000_000)).map_or(i64::MIN, |millis| -millis)
        }
    }
}

/// `From` for a vector, a slice and an array of a type, owned and borrowed.
macro_rules! from_lists {
    ($($item:ty),*; |$items:ident| $made:expr) => {
        $(
            impl From<Vec<$item>> for Value {
                fn from($items: Vec<$item>) -> Self {
                    $made
                }
            }

            impl From<&Vec<$item>> for Value {
                fn from(items: &Vec<$item>) -> Self {
                    Self::from(items.as_slice())
                }
            }

            impl From<&[$item]> for Value {
                fn from(items: &[$item]) -> Self {
                    Self::from(items.to_vec())
                }
            }

            impl<const N: usize> From<[$item; N]> for Value {
                fn from(items: [$item; N]) -> Self {
                    Self::from(Vec::from(items))
                }
            }

            impl<const N: usize> From<&[$item; N]> for Value {
                fn from(items: &[$item; N]) -> Self {
                    Self::from(items.to_vec())
                }
            }
        )*
    };
}

from_lists!(f32; |components| Self::Vector(components));
from_lists!(u8; |bytes| Self::Bits(bytes));
from_lists!(Value; |values| Self::List(values));
from_lists!(
    &str, String, bool, i8, i16, i32, i64, isize, u16, u32, u64, usize, f64, SystemTime, Vec<f32>, Vec<f64>, Vec<u8>;
    |items| Self::List(items.into_iter().map(Self::from).collect())
);

impl<V: Into<Value>> From<Option<V>> for Value {
    fn from(value: Option<V>) -> Self {
        value.map_or(Self::Null, Into::into)
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

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;
    use std::time::Duration;

    fn list<V: Into<Value> + Clone>(items: &[V]) -> Value {
        Value::List(items.iter().cloned().map(Into::into).collect())
    }

    #[test]
    fn texts_in_any_form_are_text() {
        let text = Value::Text("a".to_owned());
        let owned = "a".to_owned();
        assert_eq!(Value::from(&owned), text);
        assert_eq!(Value::from(owned), text);
        assert_eq!(Value::from(Cow::Borrowed("a")), text);
        let texts = list(&["a", "b"]);
        assert_eq!(Value::from(["a", "b"]), texts);
        assert_eq!(Value::from(["a", "b"].as_slice()), texts);
        assert_eq!(Value::from(vec!["a", "b"]), texts);
        assert_eq!(Value::from(vec!["a".to_owned(), "b".to_owned()]), texts);
        assert_eq!(Value::from(&vec!["a".to_owned(), "b".to_owned()]), texts);
    }

    #[test]
    fn whole_numbers_of_any_width_are_kept_exactly() {
        assert_eq!(Value::from(-8_i8), Value::I64(-8));
        assert_eq!(Value::from(i16::MIN), Value::I64(-32_768));
        assert_eq!(Value::from(7_isize), Value::I64(7));
        assert_eq!(Value::from(255_u8), Value::I64(255));
        assert_eq!(Value::from(u16::MAX), Value::I64(65_535));
        assert_eq!(Value::from(3_usize), Value::I64(3));
        assert_eq!(Value::from(i64::MAX as u64), Value::I64(i64::MAX));
        assert_eq!(Value::from(1_u64 << 63), Value::Json(json!(9_223_372_036_854_775_808_u64)));
        assert_eq!(Value::from(vec![1_i64, -2]), list(&[1, -2]));
        assert_eq!(Value::from([1_u64, u64::MAX]), list(&[1, u64::MAX]));
        assert_eq!(Value::from(&[1_usize]), list(&[1]));
        assert_eq!(Value::from(vec![true, false]), list(&[true, false]));
    }

    #[test]
    fn an_f32_is_widened_without_loss() {
        assert_eq!(Value::from(0.1_f32), Value::F64(f64::from(0.1_f32)));
        assert_eq!(Value::from(0.5_f32), Value::F64(0.5));
    }

    #[test]
    fn lists_of_f32_are_vectors_and_lists_of_f64_are_lists() {
        let vector = Value::Vector(vec![0.5, 1.0]);
        assert_eq!(Value::from(vec![0.5_f32, 1.0]), vector);
        assert_eq!(Value::from(&vec![0.5_f32, 1.0]), vector);
        assert_eq!(Value::from(&[0.5_f32, 1.0]), vector);
        assert_eq!(Value::from([0.5_f32, 1.0].as_slice()), vector);
        let numbers = list(&[0.5_f64, 1.0]);
        assert_eq!(Value::from(vec![0.5_f64, 1.0]), numbers);
        assert_eq!(Value::from(&[0.5_f64, 1.0]), numbers);
        assert_eq!(Value::from(vec![vec![0.5_f32, 1.0]]), Value::List(vec![vector]));
        assert_eq!(Value::from(&[7_u8, 8]), Value::Bits(vec![7, 8]));
    }

    #[test]
    fn times_are_rounded_down_to_milliseconds() {
        let after = |nanos| Value::from(UNIX_EPOCH + Duration::from_nanos(nanos));
        let before = |nanos| Value::from(UNIX_EPOCH - Duration::from_nanos(nanos));
        assert_eq!(after(0), Value::Date(0));
        assert_eq!(after(1_999_999), Value::Date(1));
        assert_eq!(before(1), Value::Date(-1));
        assert_eq!(before(1_000_000), Value::Date(-1));
        let leap_day = UNIX_EPOCH + Duration::from_secs(1_709_208_000);
        assert_eq!(Some(leap_day.into()), Value::date("2024-02-29T12:00:00Z"));
    }

    #[test]
    fn nothing_is_null() {
        assert_eq!(Value::from(None::<SystemTime>), Value::Null);
        assert_eq!(Value::from(Some(1_u64)), Value::I64(1));
    }
}
