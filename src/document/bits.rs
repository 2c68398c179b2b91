//! Binary vectors: from values to rows of bits.
//!
//! | given | taken for |
//! |---|---|
//! | bytes (`Value::Bits`), as many as an eighth of the dimension | the row itself |
//! | a string of as many zeros and ones as the dimension | bits, the first one first |
//! | a string of a quarter as many hexadecimal digits | bytes, the first one first |
//! | a list of as many 0 and 1 (or false and true) as the dimension | bits |
//! | a list of an eighth as many numbers from 0 to 255 | bytes |
//!
//! Lengths tell them apart. Bytes have their least significant bit first.

use super::Value;
use super::query_vector::QueryVector;
use crate::bits;
use crate::error::{Result, ValueProblem};
use crate::schema::VectorField;

/// The row of a document's binary vector.
pub(super) fn row_of(field: VectorField<'_>, value: &Value) -> Result<Vec<u8>, ValueProblem> {
    match value {
        Value::Bits(bytes) => of_bytes(field, bytes),
        Value::Text(text) => of_text(field, text),
        Value::Vector(components) => of_numbers(field, components.iter().map(|number| f64::from(*number))),
        Value::List(values) => {
            let number = |value: &Value| match value {
                Value::Bool(truth) => Some(f64::from(u8::from(*truth))),
                Value::I64(number) => Some(*number as f64),
                Value::F64(number) => Some(*number),
                _ => None,
            };
            // What is no number is none of 0 to 255 either.
            of_numbers(field, values.iter().map(|value| number(value).unwrap_or(f64::NAN)))
        }
        other => Err(wrong(field, other.describe())),
    }
}

/// The row of a query vector.
pub(super) fn row_of_query(field: VectorField<'_>, query: &QueryVector) -> Result<Vec<u8>, ValueProblem> {
    match query {
        QueryVector::Floats(numbers) => of_numbers(field, numbers.iter().map(|number| f64::from(*number))),
        QueryVector::Bits(bytes) => of_bytes(field, bytes),
        QueryVector::Text(text) => of_text(field, text),
    }
}

fn of_bytes(field: VectorField<'_>, bytes: &[u8]) -> Result<Vec<u8>, ValueProblem> {
    match bytes.len() * 8 == field.options().dimension() {
        true => Ok(bytes.to_vec()),
        false => Err(wrong_dimension(field, bytes.len() * 8)),
    }
}

fn of_text(field: VectorField<'_>, text: &str) -> Result<Vec<u8>, ValueProblem> {
    let dimension = field.options().dimension();
    let row = match text.len() {
        len if len == dimension => bits::from_text(text),
        len if len * 4 == dimension => bits::from_hex(text),
        _ => None,
    };
    row.ok_or_else(|| wrong(field, Value::from(text).describe()))
}

fn of_numbers(
    field: VectorField<'_>,
    numbers: impl ExactSizeIterator<Item = f64>,
) -> Result<Vec<u8>, ValueProblem> {
    let dimension = field.options().dimension();
    let packed = numbers.len() * 8 == dimension;
    if !packed && numbers.len() != dimension {
        return Err(wrong_dimension(field, numbers.len()));
    }
    let most = if packed { 255.0 } else { 1.0 };
    let checked = numbers.enumerate().map(|(position, number)| {
        match number.fract() == 0.0 && (0.0..=most).contains(&number) {
            true => Ok(number as u8),
            false => Err(wrong(field, format!("something else at position {position}"))),
        }
    });
    let numbers = checked.collect::<Result<Vec<u8>, _>>()?;
    Ok(match packed {
        true => numbers,
        false => bits::pack(numbers.iter().map(|number| *number == 1), bits::BitOrder::LsbFirst),
    })
}

fn wrong_dimension(field: VectorField<'_>, given: usize) -> ValueProblem {
    let expected = field.options().dimension();
    ValueProblem::WrongDimension { field: field.name().to_owned(), expected, given }
}

fn wrong(field: VectorField<'_>, given: String) -> ValueProblem {
    let dimension = field.options().dimension();
    let expected = format!(
        "{dimension} bits: a string or list of {dimension} zeros and ones, {} bytes, or {} hexadecimal digits",
        dimension / 8,
        dimension / 4
    );
    ValueProblem::WrongType { field: field.name().to_owned(), expected, given }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema::{Schema, Vector};
    use serde_json::json;

    #[test]
    fn every_form_of_a_vector_gives_the_same_row() {
        let schema = Schema::builder().vector("b", Vector::bits(16)).build().unwrap();
        let field = schema.vector_field(0).unwrap();
        let row = vec![0xd9, 0x2a];
        for json in [
            json!("1001101101010100"),
            json!("d92A"),
            json!([1, 0, 0, 1, 1, 0, 1, 1, 0, 1, 0, 1, 0, 1, 0, 0]),
            json!([217, 42]),
        ] {
            assert_eq!(row_of(field, &json.into()), Ok(row.clone()));
        }
        let bits = bits::unpack(&row, bits::BitOrder::LsbFirst);
        let truths = Value::List(bits.iter().map(|bit| Value::Bool(*bit)).collect());
        assert_eq!(row_of(field, &truths), Ok(row.clone()));
        assert_eq!(row_of(field, &Value::from(row.clone())), Ok(row.clone()));
        for query in [QueryVector::from(row.clone()), "d92a".into(), vec![217.0, 42.0].into()] {
            assert_eq!(row_of_query(field, &query), Ok(row.clone()));
        }
    }

    #[test]
    fn what_is_no_vector_of_the_field_is_refused_and_said_why() {
        let schema = Schema::builder().vector("b", Vector::bits(16)).build().unwrap();
        let field = schema.vector_field(0).unwrap();
        for (json, expected) in [
            (json!("100110110101010"), "16 zeros and ones, 2 bytes, or 4 hexadecimal digits"),
            (json!("1001101101010102"), "given the string"),
            (json!("d92x"), "given the string"),
            (json!([1, 2, 3]), "expected a vector of 16 components, given 3"),
            (json!([256, 0]), "at position 0"),
            (json!([0, 0.5]), "at position 1"),
            (json!([0, "a"]), "at position 1"),
            (json!([1, 0, 0, 1, 1, 0, 1, 1, 0, 1, 0, 1, 0, 1, 0, 2]), "at position 15"),
            (json!(7), "given the number 7"),
        ] {
            let error = row_of(field, &json.into()).unwrap_err().to_string();
            assert!(error.starts_with("field \"b\"") && error.contains(expected), "{error}");
        }
    }
}
