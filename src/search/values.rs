//! Converts values of queries to the terms and numbers that fields hold.

use super::node::TermRange;
use crate::document::number::{as_f64, column_number, sortable};
use crate::document::{Value, dynamic};
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

/// A value as a column value; `None` when no document can have it (2.5 in a field of whole numbers).
pub(super) fn number_of(field: &Field, value: &Value) -> Result<Option<i64>> {
    if let (FieldType::I64, Some(_)) = (field.field_type(), as_f64(value)) {
        return Ok(column_number(field.field_type(), value));
    }
    column_number(field.field_type(), value).map(Some).ok_or_else(|| {
        let expected = match field.field_type() {
            FieldType::Bool => "true or false",
            FieldType::Date => "a date like 2024-02-29 or 2024-02-29T12:00:00Z",
            FieldType::I64 => "a whole number",
            _ => "a finite number",
        };
        wrong(field.name(), format!("expected {expected}, given {}", shown(value)))
    })
}

/// A range of column values; `None` when it is empty.
pub(super) fn number_range(field: &Field, range: &Range) -> Result<Option<RangeInclusive<i64>>> {
    let (mut low, mut high) = (Some(i64::MIN), Some(i64::MAX));
    for (value, exclusive) in [(&range.gte, false), (&range.gt, true)] {
        let Some(value) = value else { continue };
        let (number, exact) = limit(field, value, f64::ceil)?;
        let number = if exclusive && exact { number.checked_add(1) } else { Some(number) };
        low = low.zip(number).map(|(low, number)| low.max(number));
    }
    for (value, exclusive) in [(&range.lte, false), (&range.lt, true)] {
        let Some(value) = value else { continue };
        let (number, exact) = limit(field, value, f64::floor)?;
        let number = if exclusive && exact { number.checked_sub(1) } else { Some(number) };
        high = high.zip(number).map(|(high, number)| high.min(number));
    }
    Ok(low.zip(high).filter(|(low, high)| low <= high).map(|(low, high)| low..=high))
}

/// A bound as a column value, and whether it is exact (2.5 in a field of whole numbers is rounded).
fn limit(field: &Field, value: &Value, round: fn(f64) -> f64) -> Result<(i64, bool)> {
    if let (FieldType::I64, Value::F64(number)) = (field.field_type(), value) {
        if number.is_nan() {
            return Err(wrong(field.name(), "a bound is not a number"));
        }
        let rounded = round(*number);
        return Ok((rounded as i64, rounded == *number && rounded as i64 as f64 == rounded));
    }
    let number = number_of(field, value)?.ok_or_else(|| wrong(field.name(), "expected a whole number"))?;
    Ok((number, true))
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
