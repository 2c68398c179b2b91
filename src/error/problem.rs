//! What is wrong with a value.

use std::fmt;

/// What is wrong with a value of a document or with a query vector.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum ValueProblem {
    /// The text is not a JSON object.
    #[error("not a JSON object: {problem}")]
    NotJson {
        /// What the parser says.
        problem: String,
    },
    /// The key is absent.
    #[error("the key field {field:?} is missing; give every document a key, a string")]
    KeyMissing {
        /// The key field.
        field: String,
    },
    /// The key is an empty string.
    #[error("the key field {field:?} is empty; a key has at least one byte")]
    KeyEmpty {
        /// The key field.
        field: String,
    },
    /// The key is longer than the schema allows.
    #[error("the key field {field:?} has {len} bytes; at most {max} are allowed (max_length)")]
    KeyTooLong {
        /// The key field.
        field: String,
        /// Bytes given.
        len: usize,
        /// Bytes allowed.
        max: usize,
    },
    /// A key was given that automatic numbering never assigns.
    #[error(
        "the key field {field:?} is {value:?}, but keys are automatic; leave it out, or give the 20-digit \
         key of the document to replace"
    )]
    KeyNotAutomatic {
        /// The key field.
        field: String,
        /// The key given.
        value: String,
    },
    /// The schema does not declare the field.
    #[error("field {field:?} is not declared; declare it, or make the schema dynamic ({known})")]
    UndeclaredField {
        /// The field.
        field: String,
        /// What is declared.
        known: String,
    },
    /// A name that no field can have.
    #[error("field {field:?}: {problem}")]
    BadFieldName {
        /// The name.
        field: String,
        /// What is wrong with it.
        problem: String,
    },
    /// A value of another type.
    #[error("field {field:?}: expected {expected}, given {given}")]
    WrongType {
        /// The field.
        field: String,
        /// What the field's type accepts.
        expected: String,
        /// What was given.
        given: String,
    },
    /// A vector of another length.
    #[error("field {field:?}: expected a vector of {expected} components, given {given}")]
    WrongDimension {
        /// The field.
        field: String,
        /// The field's dimension.
        expected: usize,
        /// Components given.
        given: usize,
    },
    /// NaN, an infinity, or a number too large for the field.
    #[error("field {field:?}: {value}{} is not a finite number{}", at(.position), single(.position))]
    NotFinite {
        /// The field.
        field: String,
        /// Position in the vector, if it is one.
        position: Option<usize>,
        /// The value, as text.
        value: String,
    },
    /// A number that half precision does not reach.
    #[error(
        "field {field:?}: {value} at position {position} is too large for datatype float16, which ends at 65504; \
         scale the vectors, or declare the field with datatype float32"
    )]
    BeyondFloat16 {
        /// The field.
        field: String,
        /// Position in the vector.
        position: usize,
        /// The number.
        value: f32,
    },
    /// A vector whose length is not 1 where the metric needs it.
    #[error(
        "field {field:?}: a vector of length {norm}, expected 1 ± 0.001 (dot_product); normalize it, or \
         declare the field with normalize: on_write, or with similarity cosine or max_inner_product"
    )]
    NotUnit {
        /// The field.
        field: String,
        /// The vector's length.
        norm: f64,
    },
    /// A zero vector where it would have to be normalized.
    #[error("field {field:?}: a zero vector has no direction and cannot be normalized")]
    ZeroVector {
        /// The field.
        field: String,
    },
    /// Text that is not a date.
    #[error(
        "field {field:?}: {value:?} is not a date; expected YYYY-MM-DD or YYYY-MM-DDThh:mm:ss[.fff] followed \
         by Z or ±hh:mm"
    )]
    NotADate {
        /// The field.
        field: String,
        /// The value given.
        value: String,
    },
    /// A document with more bytes than can be stored.
    #[error("{len} bytes as it is stored (JSON without vectors); at most {max} are allowed")]
    TooLong {
        /// Bytes of its stored fields as JSON.
        len: usize,
        /// Bytes allowed ([`crate::limits::MAX_DOCUMENT_BYTES`]).
        max: usize,
    },
    /// Lists or objects nested too deeply.
    #[error("field {field:?}: nested more than {max} deep")]
    TooDeep {
        /// The field.
        field: String,
        /// Depth allowed.
        max: usize,
    },
}

fn at(position: &Option<usize>) -> impl fmt::Display {
    position.map(|position| format!(" at position {position}")).unwrap_or_default()
}

fn single(position: &Option<usize>) -> &'static str {
    if position.is_some() { " in single precision" } else { "" }
}
