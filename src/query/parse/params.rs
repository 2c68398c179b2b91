//! Parameters of a query: values that it refers to as `$name`.

use super::cursor::Cursor;
use super::leaf::{Kind, Target};
use super::problem::{Parsed, Problem};
use crate::document::{QueryVector, Value};
use lucerne_codec::io::bytes::f32s;
use std::collections::BTreeMap;

/// The value of a parameter, or the bytes of a vector.
#[derive(Clone, Debug)]
pub(super) enum Param {
    Value(Value),
    Bytes(Vec<u8>),
}

/// Parameters by name, without the `$`.
pub(super) type Params = BTreeMap<String, Param>;

/// Consumes `$name` and returns the value of the parameter.
pub(super) fn param<'p>(cursor: &mut Cursor<'_>, params: &'p Params) -> Parsed<&'p Param> {
    let at = cursor.at();
    cursor.expect("$", "a parameter, $name")?;
    let name = cursor.take_until(|char| !char.is_alphanumeric() && char != '_');
    params.get(name).ok_or_else(|| {
        let known: Vec<String> = params.keys().map(|name| format!("${name}")).collect();
        let known = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
        Problem::new(at, format!("no parameter ${name}; given: {known}"))
    })
}

/// Consumes a `$name` or a number.
pub(super) fn count(cursor: &mut Cursor<'_>, params: &Params, what: &str) -> Parsed<usize> {
    let here = cursor.clone();
    let given = if cursor.peek() == Some('$') {
        match param(cursor, params)? {
            Param::Value(Value::I64(number)) => usize::try_from(*number).ok(),
            Param::Value(Value::Text(text)) => text.parse().ok(),
            _ => None,
        }
    } else {
        cursor.take_until(|char| !char.is_ascii_digit()).parse().ok()
    };
    given.ok_or_else(|| here.expected(what))
}

/// Consumes a `$name` whose value is a vector: a list of numbers, the same as JSON text, or little-endian f32 bytes.
/// For a binary field bytes are packed bits, and a text may have bits.
pub(super) fn vector(cursor: &mut Cursor<'_>, params: &Params, field: &Target) -> Parsed<QueryVector> {
    let at = cursor.at();
    let wrong = |given: String| {
        let expected = match field.kind {
            Kind::Vector(dimension) => format!("expected a vector of {dimension} numbers, given {given}"),
            Kind::Bits(dimension) => format!("expected a vector of {dimension} bits, given {given}"),
            _ => return not_a_vector(field, at),
        };
        Problem::new(at, expected).of_field(&field.name)
    };
    let binary = matches!(field.kind, Kind::Bits(_));
    let vector: Vec<f32> = match param(cursor, params)? {
        Param::Value(Value::Vector(components)) => components.clone(),
        Param::Value(Value::Bits(bytes)) | Param::Bytes(bytes) if binary => {
            return checked(field, QueryVector::Bits(bytes.clone()), at);
        }
        Param::Value(Value::Text(text)) if binary && !text.trim_start().starts_with('[') => {
            return checked(field, QueryVector::Text(text.clone()), at);
        }
        Param::Value(Value::Text(text)) => {
            serde_json::from_str(text).map_err(|error| wrong(format!("a text that is no list: {error}")))?
        }
        Param::Value(list @ Value::List(_)) => serde_json::to_value(list)
            .and_then(serde_json::from_value)
            .map_err(|error| wrong(format!("a list of something else: {error}")))?,
        Param::Value(_) => return Err(wrong("something else".into())),
        Param::Bytes(bytes) => {
            if !bytes.len().is_multiple_of(4) {
                return Err(wrong(format!("{} bytes, which are no f32 numbers", bytes.len())));
            }
            f32s(bytes).collect()
        }
    };
    checked(field, vector.into(), at)
}

/// Refuses a vector of another dimension than the field's.
pub(super) fn checked(field: &Target, vector: QueryVector, at: usize) -> Parsed<QueryVector> {
    let dimension = match field.kind {
        Kind::Vector(dimension) | Kind::Bits(dimension) => dimension,
        _ => return Err(not_a_vector(field, at)),
    };
    let binary = matches!(field.kind, Kind::Bits(_));
    let (given, fits) = match &vector {
        // One number per bit, or one per byte.
        QueryVector::Floats(numbers) => {
            (numbers.len(), numbers.len() == dimension || (binary && numbers.len() * 8 == dimension))
        }
        QueryVector::Bits(bytes) => (bytes.len() * 8, bytes.len() * 8 == dimension),
        // Zeros and ones, or hexadecimal digits.
        QueryVector::Text(text) => (text.len(), [text.len(), text.len() * 4].contains(&dimension)),
    };
    if fits {
        return Ok(vector);
    }
    let problem = format!("expected a vector of {dimension} components, given {given}");
    Err(Problem::new(at, problem).of_field(&field.name))
}

pub(super) fn not_a_vector(field: &Target, at: usize) -> Problem {
    Problem::new(at, "expected a vector field").of_field(&field.name)
}
