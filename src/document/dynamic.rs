//! Terms of undeclared fields, by which they can be filtered.
//!
//! All undeclared fields of a segment share one list of terms. A term is the field's name (`a.b` for a member
//! of an object), a zero byte, and a kind with the value: `e` for any value, `s` and the bytes of a string,
//! `n` and a number as 10 big-endian bytes that sort as numbers do (the nearest f64, and how much a whole number of 64
//! bits differs from it), `b` and 0 or 1. Declared text fields have `t`
//! for a text without terms (`""`, `?!`), which is a value all the same.

use super::Value;
use super::number::{as_f64, sortable, whole};
use byteorder::{BigEndian, ByteOrder};

/// The number under which postings keep these terms.
pub(crate) const DYNAMIC_FIELD: u32 = u32::MAX - 1;
/// Bytes of a string at most that is found by its value; a longer one is found by [`existing`] only.
pub(crate) const MAX_DYNAMIC_LEN: usize = 1_024;

/// The term of a value of the field; `None` when there is no term for such a value.
pub(crate) fn term(name: &str, value: &Value) -> Option<Vec<u8>> {
    match value {
        Value::Text(text) if text.len() <= MAX_DYNAMIC_LEN => Some(of(name, b's', text.as_bytes())),
        Value::Bool(truth) => Some(of(name, b'b', &[(*truth).into()])),
        value => {
            let number = as_f64(value).filter(|number| number.is_finite())?;
            let rest = whole(value).map_or(0, |whole| whole - number as i128);
            Some(of(name, b'n', &sorted_bytes(number, rest as i16)))
        }
    }
}

/// The term of every document that has the field.
pub(crate) fn existing(name: &str) -> Vec<u8> {
    of(name, b'e', &[])
}

/// The term of every document that has a text without terms in a declared text field.
pub(crate) fn without_terms(name: &str) -> Vec<u8> {
    of(name, b't', &[])
}

/// The beginning of the terms of strings that begin with `prefix`.
pub(crate) fn prefix(name: &str, prefix: &str) -> Vec<u8> {
    of(name, b's', prefix.as_bytes())
}

/// The beginnings of the terms of all strings and of all numbers of the field.
pub(crate) fn kinds(name: &str) -> [Vec<u8>; 2] {
    [of(name, b's', &[]), of(name, b'n', &[])]
}

/// The beginning and the end of the terms of all values of the field, among which is [`existing`].
pub(crate) fn values(name: &str) -> [Vec<u8>; 2] {
    [of(name, b'b', &[]), of(name, b't', &[])]
}

/// What a term stands for.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Known<'a> {
    Bool(bool),
    /// A number as the column value of its nearest f64, and how much a whole number differs from that.
    Number(i64, i16),
    Text(&'a str),
}

/// The value of a term of the field; `None` of a term that stands for none.
pub(crate) fn known<'t>(name: &str, term: &'t [u8]) -> Option<Known<'t>> {
    let (kind, value) = term.strip_prefix(name.as_bytes())?.strip_prefix(&[0])?.split_first()?;
    match kind {
        b'b' => Some(Known::Bool(value == [1])),
        b'n' => {
            let (nearest, difference) = value.split_at_checked(8).filter(|(_, rest)| rest.len() == 2)?;
            let nearest = (BigEndian::read_u64(nearest) ^ (1 << 63)) as i64;
            Some(Known::Number(nearest, (BigEndian::read_u16(difference) ^ (1 << 15)) as i16))
        }
        b's' => std::str::from_utf8(value).ok().map(Known::Text),
        _ => None,
    }
}

/// A number of [`Known`] as a value: whole where it is.
pub(crate) fn number(nearest: i64, difference: i16) -> Value {
    let number = lucerne_codec::ordered::to_f64(nearest);
    if number.fract() != 0.0 || number.abs() > 2f64.powi(64) {
        return Value::F64(number);
    }
    let whole = number as i128 + i128::from(difference);
    match (i64::try_from(whole), u64::try_from(whole)) {
        (Ok(whole), _) => Value::I64(whole),
        (_, Ok(whole)) => Value::from(whole),
        _ => Value::F64(number),
    }
}

/// Adds the terms of a field's value and of everything in it.
pub(super) fn terms(name: &str, value: &Value, into: &mut Vec<Box<[u8]>>) {
    match value {
        // Members nested beyond what anyone would ask for.
        _ if name.len() > MAX_DYNAMIC_LEN => return,
        Value::Null => return,
        Value::List(values) => return values.iter().for_each(|value| terms(name, value, into)),
        Value::Json(serde_json::Value::Object(members)) => {
            let before = into.len();
            for (member, value) in members.iter().filter(|(member, _)| !member.contains('\0')) {
                terms(&format!("{name}.{member}"), &Value::from(value.clone()), into);
            }
            // Without a value in it, an object is none.
            if into.len() == before {
                return;
            }
        }
        // A list of numbers that was given as a vector is not something to filter by.
        Value::Vector(_) => {}
        Value::Date(moment) => into.push(of(name, b's', super::date::format(*moment).as_bytes()).into()),
        value => into.extend(term(name, value).map(Into::into)),
    }
    into.push(existing(name).into());
}

fn of(name: &str, kind: u8, value: &[u8]) -> Vec<u8> {
    [name.as_bytes(), &[0, kind], value].concat()
}

fn sorted_bytes(number: f64, rest: i16) -> [u8; 10] {
    let mut bytes = [0; 10];
    let (nearest, difference) = bytes.split_at_mut(8);
    BigEndian::write_u64(nearest, sortable(number) as u64 ^ (1 << 63));
    BigEndian::write_u16(difference, rest as u16 ^ (1 << 15));
    bytes
}
