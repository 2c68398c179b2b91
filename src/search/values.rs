//! Converts values of queries to the terms and numbers that fields hold.

use super::node::TermRange;
use crate::document::number::{column_number, sortable, whole};
use crate::document::{Value, date_span, dynamic};
use crate::error::{Error, Result, shortened};
use crate::query::Range;
use crate::schema::{Field, FieldType};
use std::ops::{Bound, RangeInclusive};

/// The error for a query that does not fit its field.
pub(super) fn wrong(field: &str, problem: impl Into<String>) -> Error {
    Error::WrongQuery { field: Some(field.to_owned()), problem: problem.into() }
}

/// A value as text, for fields that hold text.
pub(super) fn text_of(field: &str, value: &Value) -> Result<String> {
    match value {
        Value::Text(text) => Ok(text.clone()),
        Value::I64(number) => Ok(number.to_string()),
        Value::Bool(truth) => Ok(truth.to_string()),
        other => Err(wrong(field, format!("expected a string, given {}", shown(other)))),
    }
}

/// The column values that a value stands for; `None` when there are none (2.5 in a field of whole numbers).
pub(super) fn numbers_of(field: &Field, value: &Value) -> Result<Option<RangeInclusive<i64>>> {
    let place = place_of(field, value)?;
    Ok(column_range(place.first, place.after - 1))
}

/// A range of column values; `None` when it is empty.
pub(super) fn number_range(field: &Field, range: &Range) -> Result<Option<RangeInclusive<i64>>> {
    let (mut low, mut high) = (i128::from(i64::MIN), i128::from(i64::MAX));
    let place = |bound: &Option<Value>| bound.as_ref().map(|value| place_of(field, value)).transpose();
    if let Some(place) = place(&range.gte)? {
        low = low.max(place.first);
    }
    if let Some(place) = place(&range.gt)? {
        low = low.max(place.after);
    }
    if let Some(place) = place(&range.lte)? {
        high = high.min(place.after - 1);
    }
    if let Some(place) = place(&range.lt)? {
        high = high.min(place.first - 1);
    }
    Ok(column_range(low, high))
}

/// The column values from `low` to `high`, if there are any.
fn column_range(low: i128, high: i128) -> Option<RangeInclusive<i64>> {
    let low = i64::try_from(low.max(i64::MIN.into())).ok()?;
    let high = i64::try_from(high.min(i64::MAX.into())).ok()?;
    (low <= high).then_some(low..=high)
}

/// Where a value of a query is among column values, which may be between two of them or beyond all.
#[derive(Clone, Copy)]
struct Place {
    /// The least column value that is not below it.
    first: i128,
    /// The least column value above it.
    after: i128,
}

impl Place {
    fn at(number: impl Into<i128>) -> Self {
        let first = number.into();
        Self { first, after: first + 1 }
    }
}

/// Beyond all column values.
const BEYOND: i128 = 1 << 70;

fn place_of(field: &Field, value: &Value) -> Result<Place> {
    let place = match (field.field_type(), value) {
        (FieldType::I64 | FieldType::F64, Value::F64(number)) if number.is_nan() => None,
        (FieldType::I64, Value::F64(number)) => {
            let whole = |number: f64| (number as i128).clamp(-BEYOND, BEYOND);
            Some(Place { first: whole(number.ceil()), after: whole(number.floor()) + 1 })
        }
        (FieldType::I64, value) => whole(value).map(Place::at),
        (FieldType::F64, Value::F64(number)) => Some(Place::at(sortable(*number))),
        (FieldType::F64, value) => match (whole(value), column_number(field.field_type(), value)) {
            (Some(number), Some(nearest)) => {
                // The nearest f64 may be another number.
                let rounded = number as f64 as i128;
                let first = i128::from(nearest) + i128::from(rounded < number);
                Some(Place { first, after: i128::from(nearest) + i128::from(rounded <= number) })
            }
            (_, nearest) => nearest.map(Place::at),
        },
        (FieldType::Date, Value::Text(text)) => {
            let moments = date_span(text);
            moments.map(|span| Place { first: (*span.start()).into(), after: i128::from(*span.end()) + 1 })
        }
        (field_type, value) => column_number(field_type, value).map(Place::at),
    };
    place.ok_or_else(|| {
        let expected = match field.field_type() {
            FieldType::Bool => "true or false",
            FieldType::Date => "a date like 2024-02-29 or 2024-02-29T12:00:00Z",
            _ => "a number",
        };
        wrong(field.name(), format!("expected {expected}, given {}", shown(value)))
    })
}

/// A range of strings as a range of terms.
pub(super) fn text_range(field: &str, range: &Range) -> Result<TermRange> {
    let bytes = |value: &Value| text_of(field, value).map(String::into_bytes);
    one_bound_each(field, range)?;
    let from = match (&range.gte, &range.gt) {
        (Some(value), _) => Bound::Included(bytes(value)?),
        (_, Some(value)) => Bound::Excluded(bytes(value)?),
        _ => Bound::Unbounded,
    };
    let to = match (&range.lte, &range.lt) {
        (Some(value), _) => Bound::Included(bytes(value)?),
        (_, Some(value)) => Bound::Excluded(bytes(value)?),
        _ => Bound::Unbounded,
    };
    Ok(TermRange { from, to })
}

/// A range of an undeclared field as a range of terms: of strings when a bound is a string, else of numbers.
pub(super) fn dynamic_range(name: &str, range: &Range) -> Result<TermRange> {
    one_bound_each(name, range)?;
    let term = |value: &Value| {
        dynamic::term(name, value)
            .ok_or_else(|| wrong(name, format!("expected a string or a number, given {}", shown(value))))
    };
    let bounds = [&range.gt, &range.gte, &range.lt, &range.lte];
    let texts = bounds.iter().filter(|bound| matches!(bound, Some(Value::Text(_)))).count();
    let given = bounds.iter().filter(|bound| bound.is_some()).count();
    if texts != 0 && texts != given {
        return Err(wrong(name, "one bound is a string and the other is not"));
    }
    let [strings, numbers] = dynamic::kinds(name);
    let all = TermRange::prefix(if texts > 0 { strings } else { numbers });
    let from = match (&range.gte, &range.gt) {
        (Some(value), _) => Bound::Included(term(value)?),
        (_, Some(value)) => Bound::Excluded(term(value)?),
        _ => all.from,
    };
    let to = match (&range.lte, &range.lt) {
        (Some(value), _) => Bound::Included(term(value)?),
        (_, Some(value)) => Bound::Excluded(term(value)?),
        _ => all.to,
    };
    Ok(TermRange { from, to })
}

fn one_bound_each(field: &str, range: &Range) -> Result<()> {
    if (range.gt.is_some() && range.gte.is_some()) || (range.lt.is_some() && range.lte.is_some()) {
        return Err(wrong(field, "give one of gt and gte, and one of lt and lte"));
    }
    Ok(())
}

/// A score as a column value: it sorts as the score does.
pub(super) fn sortable_score(score: f32) -> i64 {
    sortable(score.into())
}

/// A value as JSON for messages.
fn shown(value: &Value) -> String {
    shortened(&serde_json::to_string(value).unwrap_or_default())
}
