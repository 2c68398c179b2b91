//! A field: name, type and options.

use super::calibration::Calibration;
use super::names::check_name;
use super::path::FieldPath;
use super::text::{Keyword, Text};
use super::vector::{Vector, VectorOptions};
use crate::error::{Error, Result};

/// A declared field: its name, its type, and whether it is searched and returned.
///
/// ```
/// use lucerne::schema::Field;
///
/// let field = Field::keyword("section").stored(false);
/// assert_eq!((field.name(), field.field_type().name()), ("section", "keyword"));
/// assert!(field.is_indexed() && !field.is_stored());
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Field {
    name: String,
    number: u32,
    indexed: bool,
    stored: bool,
    path: Option<String>,
    parsed_path: Option<FieldPath>,
    field_type: FieldType,
}

/// What a field holds.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum FieldType {
    /// Text that is split into words: a string or a list of strings.
    Text(Text),
    /// Text that is taken as it is: a string or a list of strings.
    Keyword(Keyword),
    /// A whole number of 64 bits.
    I64,
    /// A finite number in double precision.
    F64,
    /// True or false.
    Bool,
    /// A point in time in milliseconds, given as an RFC 3339 date.
    Date,
    /// Weights above zero of some of very many dimensions: a learned sparse vector.
    SparseVector,
    /// A vector of a fixed number of components, numbers or bits.
    Vector(VectorOptions),
}

impl FieldType {
    /// The name used in schemas and messages.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Text(_) => "text",
            Self::Keyword(_) => "keyword",
            Self::I64 => "i64",
            Self::F64 => "f64",
            Self::Bool => "bool",
            Self::Date => "date",
            Self::SparseVector => "sparse_vector",
            Self::Vector(options) if options.is_binary() => "binary_vector",
            Self::Vector(_) => "vector",
        }
    }
}

impl Field {
    /// The same with another calibration, if it is a vector field.
    pub(super) fn with_calibration(&self, calibration: Option<Calibration>) -> Self {
        let mut field = self.clone();
        if let FieldType::Vector(options) = &mut field.field_type {
            options.calibration = calibration;
        }
        field
    }

    /// A text field.
    pub fn text(name: impl Into<String>) -> Self {
        Self::text_with(name, Text::new())
    }

    /// A text field with options.
    pub fn text_with(name: impl Into<String>, text: Text) -> Self {
        Self::new(name, FieldType::Text(text))
    }

    /// A keyword field.
    pub fn keyword(name: impl Into<String>) -> Self {
        Self::keyword_with(name, Keyword::new())
    }

    /// A keyword field with options.
    pub fn keyword_with(name: impl Into<String>, keyword: Keyword) -> Self {
        Self::new(name, FieldType::Keyword(keyword))
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

    /// A field of sparse vectors.
    pub fn sparse_vector(name: impl Into<String>) -> Self {
        Self::new(name, FieldType::SparseVector)
    }

    /// A vector field.
    pub fn vector(name: impl Into<String>, vector: Vector) -> Self {
        let Vector { indexed, stored, options } = vector;
        Self::new(name, FieldType::Vector(options)).indexed(indexed).stored(stored)
    }

    pub(super) fn new(name: impl Into<String>, field_type: FieldType) -> Self {
        Self {
            name: name.into(),
            number: 0,
            indexed: true,
            stored: true,
            path: None,
            parsed_path: None,
            field_type,
        }
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

    /// Where in a document the field's values are: `$.specs.weight`, `$.parts[*].name`. Default: the
    /// top-level value of the field's name. Queries use the field's name; the stored document keeps its form, with the
    /// value at the path.
    #[must_use]
    pub fn path(mut self, path: impl Into<String>) -> Self {
        self.path = Some(path.into());
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

    /// Where in a document the field's values are, when not under its name.
    pub fn field_path(&self) -> Option<&FieldPath> {
        self.parsed_path.as_ref()
    }

    /// The path as it was declared.
    pub(super) fn path_text(&self) -> Option<&str> {
        self.path.as_deref()
    }

    /// What the field holds.
    pub fn field_type(&self) -> &FieldType {
        &self.field_type
    }

    pub(super) fn numbered(mut self, number: u32) -> Self {
        self.number = number;
        self
    }

    /// Checks the declaration and fills in what it leaves open.
    pub(super) fn resolved(mut self) -> Result<Self> {
        match self.resolve() {
            Ok(()) => Ok(self),
            Err(problem) => Err(Error::Schema { field: Some(self.name), problem }),
        }
    }

    fn resolve(&mut self) -> Result<(), String> {
        check_name(&self.name)?;
        self.parsed_path = self.path.as_deref().map(FieldPath::parse).transpose()?;
        match &mut self.field_type {
            FieldType::Vector(options) => options.resolve(self.indexed),
            FieldType::Text(text) => text.check(),
            _ => Ok(()),
        }
    }

    /// True when both are declared the same, whatever their numbers.
    pub(super) fn same_declaration(&self, other: &Self) -> bool {
        *self == other.clone().numbered(self.number)
    }
}
