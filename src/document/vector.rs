//! Vectors: from values to checked rows, of little-endian f32 bytes or of bits, and back.

use super::query_vector::QueryVector;
use super::{Value, bits};
use crate::bits::BitOrder;
use crate::error::{Error, Result, ValueProblem};
use crate::schema::VectorField;
use lucerne_codec::Similarity;
use lucerne_codec::io::bytes;

/// How far a vector's length may be from 1 in a `dot_product` field.
const UNIT_TOLERANCE: f64 = 1e-3;

/// Checks a query vector against its field and returns its row: dimension, finite, unit length where the
/// metric needs it.
pub(crate) fn check_query(field: VectorField<'_>, query: &QueryVector) -> Result<Vec<u8>> {
    if !field.is_indexed() {
        return Err(Error::NotIndexed { field: field.name().to_owned() });
    }
    let row = match query {
        _ if field.options().is_binary() => bits::row_of_query(field, query),
        QueryVector::Floats(components) => row(field, components),
        QueryVector::Bits(bytes) => row_of_bytes(field, bytes),
        QueryVector::Text(text) => match crate::bits::from_hex(text) {
            Some(bytes) => row_of_bytes(field, &bytes),
            None => Err(wrong_type(field, Value::from(text.as_str()).describe())),
        },
    };
    row.map_err(|problem| Error::QueryVector { problem })
}

/// The row of components as little-endian f32 bytes.
fn row_of_bytes(field: VectorField<'_>, given: &[u8]) -> Result<Vec<u8>, ValueProblem> {
    if given.len() != 4 * field.options().dimension() {
        return Err(wrong_type(field, Value::from(given).describe()));
    }
    row(field, &bytes::f32s(given).collect::<Vec<f32>>())
}

/// The value that a row was given as.
pub(crate) fn given_as(field: VectorField<'_>, row: &[u8]) -> Value {
    match field.options().is_binary() {
        true => Value::Bits(row.to_vec()),
        false => Value::Vector(components(field, row)),
    }
}

/// The components of a row; a bit is 0 or 1.
pub(crate) fn components(field: VectorField<'_>, row: &[u8]) -> Vec<f32> {
    if field.options().is_binary() {
        let bits = crate::bits::unpack(row, BitOrder::LsbFirst);
        return bits.into_iter().map(|bit| f32::from(u8::from(bit))).collect();
    }
    bytes::f32s(row).collect()
}

/// The rows of a document's vector or, in a field of several, vectors.
pub(super) fn rows_of(
    field: VectorField<'_>,
    value: &Value,
    found: &mut dyn FnMut(Vec<u8>),
) -> Result<(), ValueProblem> {
    let several = |values: &[Value]| {
        field.options().is_multiple()
            && values.iter().all(|value| {
                matches!(value, Value::List(_) | Value::Vector(_) | Value::Bits(_))
                    || (field.options().is_binary() && matches!(value, Value::Text(_)))
            })
    };
    match value {
        Value::List(values) if several(values) => {
            values.iter().try_for_each(|value| row_of(field, value).map(&mut *found))
        }
        value => row_of(field, value).map(found),
    }
}

/// The row of a document's vector.
fn row_of(field: VectorField<'_>, value: &Value) -> Result<Vec<u8>, ValueProblem> {
    if field.options().is_binary() {
        return bits::row_of(field, value);
    }
    match value {
        Value::Vector(components) => row(field, components),
        Value::List(values) if matches!(values.first(), Some(Value::List(_) | Value::Vector(_))) => {
            let hint =
                if field.options().is_multiple() { "" } else { "; for several vectors declare multiple" };
            Err(wrong_type(field, format!("a list of {} lists{hint}", values.len())))
        }
        Value::List(values) => {
            check_dimension(field, values.len())?;
            let components = values.iter().enumerate().map(|(position, value)| {
                let number = number(value).ok_or_else(|| {
                    let given = format!("{} at position {position}", value.describe());
                    wrong_type(field, given)
                })?;
                let component = number as f32;
                if component.is_finite() { Ok(component) } else { Err(not_finite(field, position, number)) }
            });
            row(field, &components.collect::<Result<Vec<_>, _>>()?)
        }
        other => Err(wrong_type(field, other.describe())),
    }
}

fn row(field: VectorField<'_>, components: &[f32]) -> Result<Vec<u8>, ValueProblem> {
    check_dimension(field, components.len())?;
    if let Some(position) = components.iter().position(|component| !component.is_finite()) {
        let value = components.get(position).copied().unwrap_or(f32::NAN);
        return Err(not_finite(field, position, value.into()));
    }
    if field.options().similarity() == Similarity::DotProduct {
        check_length(field, components)?;
    }
    Ok(bytes::from_f32s(components))
}

fn check_dimension(field: VectorField<'_>, given: usize) -> Result<(), ValueProblem> {
    let expected = field.options().dimension();
    if given == expected {
        return Ok(());
    }
    Err(ValueProblem::WrongDimension { field: field.name().to_owned(), expected, given })
}

fn check_length(field: VectorField<'_>, components: &[f32]) -> Result<(), ValueProblem> {
    let squares = components.iter().map(|component| f64::from(*component).powi(2));
    let norm = squares.sum::<f64>().sqrt();
    match field.options().normalizes() {
        true if norm == 0.0 => Err(ValueProblem::ZeroVector { field: field.name().to_owned() }),
        false if (norm - 1.0).abs() > UNIT_TOLERANCE => {
            Err(ValueProblem::NotUnit { field: field.name().to_owned(), norm })
        }
        _ => Ok(()),
    }
}

/// The number a value is, if it is one.
fn number(value: &Value) -> Option<f64> {
    match value {
        Value::I64(number) => Some(*number as f64),
        Value::F64(number) => Some(*number),
        Value::Json(json) => json.as_f64(),
        _ => None,
    }
}

fn wrong_type(field: VectorField<'_>, given: String) -> ValueProblem {
    let expected = format!("a list of {} numbers", field.options().dimension());
    ValueProblem::WrongType { field: field.name().to_owned(), expected, given }
}

fn not_finite(field: VectorField<'_>, position: usize, value: f64) -> ValueProblem {
    let (field, value) = (field.name().to_owned(), format!("{value:?}"));
    ValueProblem::NotFinite { field, position: Some(position), value }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema::{Schema, Vector};
    use serde_json::json;

    fn schema(vector: Vector) -> Schema {
        Schema::builder().vector("e", vector).build().unwrap()
    }

    fn dot(components: &[f32], vector: Vector) -> Result<Vec<u8>> {
        let schema = schema(vector.similarity(Similarity::DotProduct));
        check_query(schema.vector_field(0).unwrap(), &components.into())
    }

    #[test]
    fn a_query_of_another_length_is_refused_with_both_lengths() {
        let schema = schema(Vector::f32(4));
        let error = check_query(schema.vector_field(0).unwrap(), &[1.0; 3].into()).unwrap_err();
        let expected = r#"query: field "e": expected a vector of 4 components, given 3"#;
        assert_eq!(error.to_string(), expected);
    }

    #[test]
    fn a_query_to_a_dot_product_field_has_unit_length_or_is_refused() {
        for good in [[0.6, 0.8], [0.6, 0.8009], [0.0, -0.9991]] {
            dot(&good, Vector::f32(2)).unwrap();
        }
        for bad in [[0.6, 0.81], [0.0, 0.0], [3e38, 3e38]] {
            let error = dot(&bad, Vector::f32(2)).unwrap_err().to_string();
            assert!(error.contains("normalize: on_write"), "{error}");
        }
    }

    #[test]
    fn a_field_that_normalizes_takes_any_length_but_zero_and_keeps_the_vector_as_it_is() {
        let row = dot(&[3.0, 4.0], Vector::f32(2).normalize_on_write()).unwrap();
        assert_eq!(row, bytes::from_f32s(&[3.0, 4.0]));
        let error = dot(&[0.0, -0.0], Vector::f32(2).normalize_on_write()).unwrap_err().to_string();
        assert!(error.contains("no direction"), "{error}");
    }

    #[test]
    fn a_query_on_a_field_that_is_not_indexed_says_so() {
        let schema = schema(Vector::f32(2).indexed(false));
        let error = check_query(schema.vector_field(0).unwrap(), &[1.0, 0.0].into()).unwrap_err();
        assert!(matches!(&error, Error::NotIndexed { field } if field == "e"), "{error}");
    }

    #[test]
    fn nan_infinity_and_overflow_are_refused_with_their_position() {
        let schema = schema(Vector::f32(2));
        let field = schema.vector_field(0).unwrap();
        for bad in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
            let error = check_query(field, &[1.0, bad].into()).unwrap_err().to_string();
            assert!(error.contains(&format!("{bad:?} at position 1")), "{error}");
        }
        let error = row_of(field, &json!([1e39, 0]).into()).unwrap_err().to_string();
        assert!(error.contains("1e39 at position 0 is not a finite number in single precision"), "{error}");
        check_query(field, &[0.0, 0.0].into()).unwrap();
    }

    #[test]
    fn lists_of_anything_but_numbers_are_refused() {
        let schema = schema(Vector::f32(2));
        let field = schema.vector_field(0).unwrap();
        for (bad, given) in [
            (json!([1, "a"]), r#"the string "a" at position 1"#),
            (json!([[1, 2], [3, 4]]), "a list of 2 lists; for several vectors declare multiple"),
            (json!([1, null]), "null at position 1"),
            (json!("1,2"), r#"the string "1,2""#),
            (json!({"x": 1}), "an object"),
        ] {
            let error = row_of(field, &bad.into()).unwrap_err().to_string();
            assert!(
                error.contains("expected a list of 2 numbers, given") && error.contains(given),
                "{error}"
            );
        }
        let row = row_of(field, &json!([u64::MAX, 2]).into()).unwrap();
        assert_eq!(row, bytes::from_f32s(&[u64::MAX as f32, 2.0]));
    }
}
