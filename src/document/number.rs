//! Numbers, dates and truth values as 64-bit integers that sort as they do: what columns hold.

use super::{Value, date};
use crate::schema::FieldType;
use lucerne_codec::ordered;

/// The column value of a field's value; `None` when it is of another type.
pub(crate) fn column_number(field_type: &FieldType, value: &Value) -> Option<i64> {
    match (field_type, value) {
        (FieldType::I64, Value::I64(number)) => Some(*number),
        (FieldType::I64, Value::F64(number)) => is_whole(*number).then_some(*number as i64),
        (FieldType::F64, value) => as_f64(value).filter(|number| number.is_finite()).map(sortable),
        (FieldType::Bool, Value::Bool(truth)) => Some((*truth).into()),
        (FieldType::Date, Value::Date(moment)) => Some(*moment),
        (FieldType::Date, Value::Text(text)) => date::parse(text),
        _ => None,
    }
}

/// The number a value is, if it is one.
pub(crate) fn as_f64(value: &Value) -> Option<f64> {
    match value {
        Value::I64(number) => Some(*number as f64),
        Value::F64(number) => Some(*number),
        Value::Json(json) => json.as_f64(),
        _ => None,
    }
}

/// The whole number that a value is, also one of 64 bits without a sign.
pub(crate) fn whole(value: &Value) -> Option<i128> {
    match value {
        Value::I64(number) => Some((*number).into()),
        Value::Json(json) => json.as_u64().map(i128::from),
        _ => None,
    }
}

/// True when an i64 holds the number exactly.
pub(crate) fn is_whole(number: f64) -> bool {
    const LIMIT: f64 = (1u64 << 63) as f64;
    number.fract() == 0.0 && (-LIMIT..LIMIT).contains(&number)
}

/// A number's place among all finite numbers; −0 is 0.
pub(crate) fn sortable(number: f64) -> i64 {
    ordered::from_f64(number + 0.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn numbers_sort_as_their_places_do(left in -1e300f64..1e300, right in -1e300f64..1e300) {
            prop_assert_eq!(left < right, sortable(left) < sortable(right));
            prop_assert_eq!(ordered::to_f64(sortable(left)), left);
        }
    }

    #[test]
    fn zero_has_one_place() {
        assert_eq!(sortable(-0.0), sortable(0.0));
        assert!(sortable(f64::MIN) < sortable(-f64::MIN_POSITIVE) && sortable(-1e-300) < sortable(0.0));
        assert!(sortable(f64::MAX) > sortable(1.0));
    }
}
