//! A field: name, type and options.

use super::names::check_name;
use super::vector::{Vector, VectorField, VectorOptions};
use crate::error::{Error, Result};

/// A declared field.
#[derive(Clone, Debug, PartialEq)]
pub struct Field {
    name: String,
    number: u32,
    indexed: bool,
    stored: bool,
    field_type: FieldType,
}

/// What a field holds.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum FieldType {
    /// Text that is split into words: a string or a list of strings.
    Text,
    /// Text that is taken as it is: a string or a list of strings.
    Keyword,
    /// A whole number of 64 bits.
    I64,
    /// A finite number in double precision.
    F64,
    /// True or false.
    Bool,
    /// A moment in milliseconds, given as an RFC 3339 date.
    Date,
    /// A vector of a fixed number of components.
    Vector(VectorOptions),
}

impl FieldType {
    /// The name used in schemas and messages.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Keyword => "keyword",
            Self::I64 => "i64",
            Self::F64 => "f64",
            Self::Bool => "bool",
            Self::Date => "date",
            Self::Vector(_) => "vector",
        }
    }
}

impl Field {
    /// A text field.
    pub fn text(name: impl Into<String>) -> Self {
        Self::new(name, FieldType::Text)
    }

    /// A keyword field.
    pub fn keyword(name: impl Into<String>) -> Self {
        Self::new(name, FieldType::Keyword)
    }

    /// A field of whole numbers.
    pub fn i64(name: impl Into<String>) -> Self {
        Self::new(name, FieldType::I64)
    }

    /// A field of numbers.
    pub fn f64(name: impl Into<String>) -> Self {
        Self::new(name, FieldType::F64)
    }

    /// A field of truth values.
    pub fn bool(name: impl Into<String>) -> Self {
        Self::new(name, FieldType::Bool)
    }

    /// A field of dates.
    pub fn date(name: impl Into<String>) -> Self {
        Self::new(name, FieldType::Date)
    }

    /// A vector field.
    pub fn vector(name: impl Into<String>, vector: Vector) -> Self {
        let Vector { indexed, stored, options } = vector;
        Self::new(name, FieldType::Vector(options)).indexed(indexed).stored(stored)
    }

    pub(super) fn new(name: impl Into<String>, field_type: FieldType) -> Self {
        Self { name: name.into(), number: 0, indexed: true, stored: true, field_type }
    }

    /// Whether the field can be searched. Default: yes.
    #[must_use]
    pub fn indexed(mut self, indexed: bool) -> Self {
        self.indexed = indexed;
        self
    }

    /// Whether the field's values are returned with documents. Default: yes. A field that is neither indexed
    /// nor stored is checked and then dropped.
    #[must_use]
    pub fn stored(mut self, stored: bool) -> Self {
        self.stored = stored;
        self
    }

    /// The field's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The field's number: its position in the schema.
    pub fn number(&self) -> u32 {
        self.number
    }

    /// True when the field can be searched.
    pub fn is_indexed(&self) -> bool {
        self.indexed
    }

    /// True when the field's values are returned with documents.
    pub fn is_stored(&self) -> bool {
        self.stored
    }

    /// What the field holds.
    pub fn field_type(&self) -> &FieldType {
        &self.field_type
    }

    /// The field as a vector field, if it is one.
    pub fn as_vector(&self) -> Option<VectorField<'_>> {
        match &self.field_type {
            FieldType::Vector(options) => Some(VectorField { field: self, options }),
            _ => None,
        }
    }

    pub(super) fn numbered(mut self, number: u32) -> Self {
        self.number = number;
        self
    }

    /// Checks the declaration and fills in what it leaves open.
    pub(super) fn resolved(mut self) -> Result<Self> {
        let mut checked = check_name(&self.name);
        if let (Ok(()), FieldType::Vector(options)) = (&checked, &mut self.field_type) {
            checked = options.resolve(self.indexed);
        }
        match checked {
            Ok(()) => Ok(self),
            Err(problem) => Err(Error::Schema { field: Some(self.name), problem }),
        }
    }

    /// True when both are declared the same, whatever their numbers.
    pub(super) fn same_declaration(&self, other: &Self) -> bool {
        *self == other.clone().numbered(self.number)
    }
}
