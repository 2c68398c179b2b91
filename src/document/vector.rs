//! Vectors: from values to checked vectors, of little-endian f32 bytes or of bits, and the rows that are stored; and back.

use super::query_vector::QueryVector;
use super::{Value, bits};
use crate::bits::BitOrder;
use crate::error::{Error, Result, ValueProblem};
use crate::schema::VectorField;
use lucerne_codec::io::bytes;
use lucerne_codec::{Similarity, half};

/// How far a vector's length may be from 1 in a `dot_product` field.
const UNIT_TOLERANCE: f64 = 1e-3;

/// Checks a query vector against its field and returns its bytes, of f32 or of bits: dimension, finite, unit length where the
/// metric needs it.
pub(crate) fn check_query(field: VectorField<'_>, query: &QueryVector) -> Result<Vec<u8>> {
    if !field.is_indexed() {
        return Err(Error::NotIndexed { field: field.name().to_owned() });
    }
    let row = match query {
        _ if field.options().is_binary() => bits::row_of_query(field, query),
        QueryVector::Floats(components) => checked(field, components).map(bytes::from_f32s),
        QueryVector::Bits(bytes) => row_of_bytes(field, bytes),
        QueryVector::Text(text) => match crate::bits::from_hex(text) {
            Some(bytes) => row_of_bytes(field, &bytes),
            None => Err(wrong_type(field, Value::from(text.as_str()).describe())),
        },
    };
    row.map_err(|problem| Error::QueryVector { problem })
}

/// The query of components as little-endian f32 bytes.
fn row_of_bytes(field: VectorField<'_>, given: &[u8]) -> Result<Vec<u8>, ValueProblem> {
    if given.len() != 4 * field.options().dimension() {
        return Err(wrong_type(field, Value::from(given).describe()));
    }
    checked(field, &bytes::f32s(given).collect::<Vec<f32>>()).map(bytes::from_f32s)
}

/// The value that a vector, of f32 or of bits, was given as.
pub(crate) fn given_as(field: VectorField<'_>, vector: &[u8]) -> Value {
    match field.options().is_binary() {
        true => Value::Bits(vector.to_vec()),
        false => Value::Vector(components(field, vector)),
    }
}

/// The components of a vector, of f32 or of bits; a bit is 0 or 1.
pub(crate) fn components(field: VectorField<'_>, vector: &[u8]) -> Vec<f32> {
    if field.options().is_binary() {
        let bits = crate::bits::unpack(vector, BitOrder::LsbFirst);
        return bits.into_iter().map(|bit| f32::from(u8::from(bit))).collect();
    }
    bytes::f32s(vector).collect()
}

/// The stored rows of a document's vector or, in a field of several, vectors.
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

/// The stored row of a document's vector.
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

/// The row that components are stored as. In half precision they are rounded first, and then held against the metric: what
/// is stored can be given again.
fn row(field: VectorField<'_>, components: &[f32]) -> Result<Vec<u8>, ValueProblem> {
    if !field.options().is_f16() {
        return checked(field, components).map(bytes::from_f32s);
    }
    check_finite(field, components)?;
    if let Some((position, &value)) =
        components.iter().enumerate().find(|(_, value)| value.abs() >= half::TOO_LARGE)
    {
        return Err(ValueProblem::BeyondFloat16 { field: field.name().to_owned(), position, value });
    }
    let row = bytes::f16s_from(components);
    check_metric(field, &bytes::f16s(&row).collect::<Vec<f32>>())?;
    Ok(row)
}

/// The components, if they are a vector of the field.
fn checked<'a>(field: VectorField<'_>, components: &'a [f32]) -> Result<&'a [f32], ValueProblem> {
    check_finite(field, components)?;
    check_metric(field, components)?;
    Ok(components)
}

/// Refuses a length that the metric does not take.
fn check_metric(field: VectorField<'_>, components: &[f32]) -> Result<(), ValueProblem> {
    match field.options().similarity() {
        Similarity::DotProduct => check_length(field, components),
        _ => Ok(()),
    }
}

fn check_finite(field: VectorField<'_>, components: &[f32]) -> Result<(), ValueProblem> {
    check_dimension(field, components.len())?;
    if let Some(position) = components.iter().position(|component| !component.is_finite()) {
        let value = components.get(position).copied().unwrap_or(f32::NAN);
        return Err(not_finite(field, position, value.into()));
    }
    Ok(())
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
    fn half_precision_rounds_documents_to_the_nearest_and_leaves_queries_alone() {
        let schema = schema(Vector::f16(5));
        let field = schema.vector_field(0).unwrap();
        let given = [0.1, -0.0, 65_519.9, 6e-8, 1.0 + 2f32.powi(-11)];
        let row = row_of(field, &given.into()).unwrap();
        let kept = [0.099_975_586, -0.0, 65_504.0, 2f32.powi(-24), 1.0];
        assert_eq!(row, bytes::f16s_from(&kept));
        let back = field.info().component().vector(&row).into_owned();
        assert_eq!(given_as(field, &back), Value::Vector(kept.to_vec()));
        assert_eq!(
            row_of(field, &given_as(field, &back)).unwrap(),
            row,
            "what is given back is the same again"
        );
        assert_eq!(check_query(field, &given.into()).unwrap(), bytes::from_f32s(&given));
        check_query(field, &[1e9; 5].into()).unwrap();
    }

    #[test]
    fn half_precision_refuses_what_it_does_not_reach() {
        let schema = schema(Vector::f16(2));
        let field = schema.vector_field(0).unwrap();
        for (bad, shown) in [(65_520.0, "65520"), (-7e4, "-70000"), (f32::MAX, "3402823")] {
            let problem = row_of(field, &[0.5, bad].into()).unwrap_err();
            assert_eq!(
                problem,
                ValueProblem::BeyondFloat16 { field: "e".to_owned(), position: 1, value: bad }
            );
            let text = problem.to_string();
            assert!(
                text.contains(shown) && text.contains("position 1") && text.contains("float32"),
                "{text}"
            );
        }
        assert!(row_of(field, &json!([65_519.9, -65_519.9]).into()).is_ok());
        for bad in [f32::NAN, f32::INFINITY] {
            let problem = row_of(field, &[bad, 0.0].into()).unwrap_err();
            assert!(matches!(problem, ValueProblem::NotFinite { .. }), "{problem}");
        }
    }

    #[test]
    fn half_precision_holds_rounded_vectors_against_the_metric() {
        let unit = Vector::f16(2).similarity(Similarity::DotProduct);
        let unit = schema(unit);
        let field = unit.vector_field(0).unwrap();
        for angle in 0..1_000 {
            let (sin, cos) = (angle as f32 / 100.0).sin_cos();
            let row = row_of(field, &[sin, cos].into()).unwrap();
            let back = bytes::f16s(&row).collect::<Vec<f32>>();
            assert_eq!(row_of(field, &back.into()).unwrap(), row);
        }
        let normalized = Vector::f16(2).similarity(Similarity::DotProduct).normalize_on_write();
        let normalized = schema(normalized);
        let field = normalized.vector_field(0).unwrap();
        let problem = row_of(field, &[1e-8, 0.0].into()).unwrap_err();
        assert!(matches!(problem, ValueProblem::ZeroVector { .. }), "{problem}");
        row_of(field, &[6e-8, 0.0].into()).unwrap();
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
