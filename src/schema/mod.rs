//! The schema of an index: a key and typed fields.
//!
//! A schema is declared in Rust ([`Schema::builder`]) or in JSON ([`Schema::from_json`]) and is stored in the index.
//! Fields may be added later ([`Schema::with_added`]); a field's type, dimension and metric never change.
//! [`crate::Writer::set_schema`] puts a new schema in force; how vectors are indexed may change with it.
//!
//! ```
//! use lucerne::{Schema, Similarity, Vector};
//!
//! let schema = Schema::builder()
//!     .key("name")
//!     .text("description")
//!     .i64("size")
//!     .vector("embedding", Vector::f32(384).similarity(Similarity::Cosine))
//!     .build()?;
//! let json = r#"{ "key": "name", "fields": [
//!     { "name": "description", "type": "text" },
//!     { "name": "size", "type": "i64" },
//!     { "name": "embedding", "type": "vector", "dimension": 384, "similarity": "cosine" } ] }"#;
//! assert_eq!(Schema::from_json(json)?, schema);
//! assert_eq!(Schema::from_value(&schema.to_json())?, schema);
//! # Ok::<(), lucerne::Error>(())
//! ```
//!
//! # Types of fields
//!
//! | type | values in a document | searched with |
//! |---|---|---|
//! | `text` | a string or a list of strings, split into words | [`Match`](crate::Match), [`Phrase`](crate::Phrase), [`Prefix`](crate::Prefix) |
//! | `keyword` | a string or a list of strings, taken whole | [`Term`](crate::Term), [`Terms`](crate::Terms), [`Prefix`](crate::Prefix), [`Sort`](crate::Sort) |
//! | `i64`, `f64`, `bool`, `date` | a number; true or false; an RFC 3339 string; or a list of them | [`Term`](crate::Term), [`Range`](crate::Range), [`Sort`](crate::Sort) |
//! | `sparse_vector` | an object of weights by dimension, `{"12": 0.5}`, or `{"indices", "values"}` | [`Sparse`](crate::Sparse) |
//! | `vector` | a list of numbers of the field's dimension; with `multiple` a list of such lists | [`Knn`](crate::Knn) |
//! | `binary_vector` | bits: bytes, a string of hexadecimal digits, or a list of 0 and 1 | [`Knn`](crate::Knn) |
//!
//! # JSON
//!
//! ```json
//! { "key": "name", "dynamic": true,
//!   "fields": [
//!     { "name": "description", "type": "text" },
//!     { "name": "size", "type": "i64", "stored": false },
//!     { "name": "embedding", "type": "vector", "dimension": 384, "similarity": "cosine", "m": 16 } ] }
//! ```
//!
//! | where | option | values | default |
//! |---|---|---|---|
//! | schema | `key` | a name, or `{"name", "auto", "max_length"}` | automatic keys in `id` |
//! | schema | `dynamic` | true, false | false |
//! | field | `name`, `type` | text, keyword, i64, f64, bool, date, sparse_vector, vector, binary_vector | required |
//! | field | `indexed`, `stored` | true, false | true |
//! | field | `path` | `$.specs.weight`, `$.parts[*].name` | the field's name |
//! | text | `weight` | above 0 | 1 |
//! | text | `k1`, `b` | BM25's: at least 0; from 0 to 1 | 1.2, 0.75 |
//! | text | any other | an option of [`crate::analysis::TextAnalysis`] | |
//! | keyword | `separator` | one character | a value is taken whole |
//! | vector | `multiple` | true, false: several vectors in one document | false |
//! | vector | `dimension` | 1 to 4096 | required |
//! | vector | `similarity` | euclidean, dot_product, cosine, max_inner_product | cosine |
//! | vector | `normalize` | on_write (dot_product only) | not normalized |
//! | vector | `index` | hnsw, flat | hnsw |
//! | vector | `quantization` | int8, none | int8 |
//! | vector | `sign_hash` | true, false, plain, corrected: instead of quantization | false |
//! | vector | `format` | a registered format, instead of index and quantization | |
//! | vector | `recall` | above 0, up to 1: what searches ask for unless they say otherwise | 0.95 |
//! | vector | `calibration` | what [`calibrate`](crate::admin::calibrate) found | |
//! | vector | `advanced` | an object of parameters for tests and experiments | |
//! | vector | any other | a parameter of the format, which refuses those it does not know | |
//! | binary_vector | `dimension` | a multiple of 8 from 8 to 65536 | required |
//! | binary_vector | `similarity` | hamming, jaccard | hamming |
//! | binary_vector | `index` | hnsw, flat, ivf | hnsw |
//! | binary_vector | `multiple`, `format`, `recall`, any other | as of a vector | |

mod builder;
mod calibration;
mod field;
mod json;
mod names;
mod path;
mod successor;
mod text;
mod vector;
mod vector_field;
mod vector_index;

pub use builder::SchemaBuilder;
pub use calibration::{Calibration, CalibrationPoint};
pub use field::{Field, FieldType};
pub(crate) use names::check_name;
pub use path::FieldPath;
pub use text::{Keyword, Text};
pub use vector::{Vector, VectorOptions};
pub use vector_field::VectorField;
pub(crate) use vector_index::SIGN_HASH;
pub use vector_index::{Quantization, SignHash, VectorIndex};

use crate::error::{Error, Result};
use lucerne_codec::FieldInfo;
use std::collections::HashMap;
use std::sync::Arc;

/// The name of the key field when the schema names none; its keys are automatic.
pub(crate) const DEFAULT_KEY: &str = "id";
/// Bytes of a key at most, unless the schema says otherwise.
pub(crate) const DEFAULT_KEY_MAX_LEN: usize = 512;
/// Bytes of a key at most, whatever the schema says.
pub(crate) const MAX_KEY_LEN: usize = 65_535;
/// Bytes of an automatic key.
pub(crate) const AUTOMATIC_KEY_LEN: usize = 20;
/// Components of a vector at most.
pub(crate) const MAX_DIMENSION: usize = 4_096;
/// Bits of a binary vector at most.
pub(crate) const MAX_BINARY_DIMENSION: usize = 65_536;

/// A key and typed fields. Immutable; a clone is cheap.
///
/// ```
/// use lucerne::schema::{Field, FieldType};
/// use lucerne::{Schema, Vector};
///
/// let schema = Schema::builder().key("id").text("title").vector("v", Vector::f32(3)).build()?;
/// assert_eq!(schema.key().name(), "id");
/// assert!(matches!(schema.require("title")?.field_type(), FieldType::Text(_)));
/// assert_eq!(schema.vector_field_named("v")?.options().dimension(), 3);
///
/// let grown = schema.with_added([Field::i64("year")])?;
/// assert_eq!(grown.fields().len(), 3);
/// assert!(schema.with_added([Field::f64("title")]).is_err(), "a field's type never changes");
/// # Ok::<(), lucerne::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Schema(Arc<SchemaInner>);

#[derive(Debug, PartialEq)]
struct SchemaInner {
    key: KeyField,
    dynamic: bool,
    fields: Vec<Field>,
    by_name: HashMap<String, u32>,
}

/// The field that identifies a document.
///
/// Keys are strings and compare byte by byte; documents of equal score are returned in this order. Automatic
/// keys are the numbers 0, 1, 2, … in 20 digits (`00000000000000000017`), so that byte order is the order
/// in which they were assigned.
///
/// ```
/// use lucerne::schema::KeyField;
/// use lucerne::Schema;
///
/// assert!(Schema::builder().build()?.key().is_automatic());
/// assert_eq!(KeyField::automatic(17), "00000000000000000017");
/// # Ok::<(), lucerne::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyField {
    name: String,
    automatic: bool,
    max_len: usize,
}

impl KeyField {
    /// The field's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// True when the writer assigns keys.
    pub fn is_automatic(&self) -> bool {
        self.automatic
    }

    /// Bytes of a key at most.
    pub fn max_len(&self) -> usize {
        self.max_len
    }

    /// The automatic key of a number.
    pub fn automatic(number: u64) -> String {
        format!("{number:0width$}", width = AUTOMATIC_KEY_LEN)
    }

    /// The number of an automatic key.
    pub fn automatic_number(key: &str) -> Option<u64> {
        let digits = key.len() == AUTOMATIC_KEY_LEN && key.bytes().all(|byte| byte.is_ascii_digit());
        digits.then(|| key.parse().ok()).flatten()
    }
}

impl Schema {
    /// Starts a declaration.
    pub fn builder() -> SchemaBuilder {
        SchemaBuilder::default()
    }

    /// The key field.
    pub fn key(&self) -> &KeyField {
        &self.0.key
    }

    /// True when fields that are not declared are kept instead of refused.
    pub fn is_dynamic(&self) -> bool {
        self.0.dynamic
    }

    /// The declared fields in the order of their numbers; the key is not among them.
    pub fn fields(&self) -> &[Field] {
        &self.0.fields
    }

    /// The field of that name, if it is declared.
    pub fn field(&self, name: &str) -> Option<&Field> {
        self.0.by_name.get(name).and_then(|number| self.0.fields.get(*number as usize))
    }

    /// The field of that name.
    ///
    /// # Errors
    /// [`Error::NoSuchField`], which lists the declared fields.
    pub fn require(&self, name: &str) -> Result<&Field> {
        self.field(name).ok_or_else(|| Error::NoSuchField { field: name.to_owned(), known: self.known() })
    }

    /// The vector field of that number.
    ///
    /// # Errors
    /// [`Error::NoSuchField`] when there is none.
    pub fn vector_field(&self, number: u32) -> Result<VectorField<'_>> {
        let field = self.0.fields.get(number as usize);
        field
            .and_then(Field::as_vector)
            .ok_or_else(|| Error::NoSuchField { field: format!("number {number}"), known: self.known() })
    }

    /// The vector field of that name.
    ///
    /// # Errors
    /// [`Error::NoSuchField`], which lists the declared fields; [`Error::WrongQuery`] when the field is of another type.
    pub fn vector_field_named(&self, name: &str) -> Result<VectorField<'_>> {
        let field = self.require(name)?;
        field.as_vector().ok_or_else(|| Error::WrongQuery {
            field: Some(name.to_owned()),
            problem: format!("expected a vector field, it is a {} field", field.field_type().name()),
        })
    }

    /// The vector fields, by number.
    pub fn vector_fields(&self) -> impl Iterator<Item = VectorField<'_>> {
        self.0.fields.iter().filter_map(Field::as_vector)
    }

    /// The description of a vector field that its format is given.
    pub fn vector_field_info(&self, name: &str) -> Result<FieldInfo> {
        Ok(self.vector_field_named(name)?.info())
    }

    /// This schema with more fields. A field that is there already, exactly as given, is left alone.
    ///
    /// # Errors
    /// [`Error::Schema`] when a field is there already and differs, or is not a valid declaration.
    pub fn with_added(&self, fields: impl IntoIterator<Item = Field>) -> Result<Self> {
        let mut builder = SchemaBuilder::of(self);
        for field in fields {
            let field = field.resolved()?;
            match self.field(field.name()) {
                Some(known) if known.same_declaration(&field) => {}
                Some(known) => {
                    let problem = format!(
                        "it is declared already as {}, given {}; a field's type never changes: use another \
                         name, or build a new index",
                        known.to_json(),
                        field.to_json()
                    );
                    return Err(Error::Schema { field: Some(field.name().to_owned()), problem });
                }
                None => builder = builder.field(field),
            }
        }
        builder.build()
    }

    /// True when the path of some field begins with this top-level name.
    pub(crate) fn is_path_source(&self, name: &str) -> bool {
        self.0.fields.iter().filter_map(Field::field_path).any(|path| path.first() == name)
    }

    /// Names of the key and of all fields, for messages.
    pub(crate) fn known(&self) -> String {
        let names = self.0.fields.iter().map(Field::name);
        let names: Vec<_> = std::iter::once(self.0.key.name.as_str()).chain(names).collect();
        names.join(", ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn schema() -> Schema {
        Schema::builder().key("name").text("title").vector("e", Vector::f32(4)).build().unwrap()
    }

    #[test]
    fn automatic_keys_are_strings_whose_byte_order_is_their_order() {
        let numbers = [0, 1, 9, 10, 99, 1_000_000, u64::MAX];
        let keys: Vec<_> = numbers.iter().map(|number| KeyField::automatic(*number)).collect();
        assert!(keys.is_sorted());
        assert_eq!(keys[1], "00000000000000000001");
        for (number, key) in numbers.iter().zip(&keys) {
            assert_eq!(KeyField::automatic_number(key), Some(*number));
        }
        for other in ["1", "+0000000000000000001", "99999999999999999999", "0000000000000000000x"] {
            assert_eq!(KeyField::automatic_number(other), None, "{other}");
        }
    }

    #[test]
    fn added_fields_take_the_next_numbers_and_old_ones_keep_theirs() {
        let grown = schema().with_added([Field::i64("size"), Field::text("title")]).unwrap();
        let numbers: Vec<_> = grown.fields().iter().map(|field| (field.name(), field.number())).collect();
        assert_eq!(numbers, [("title", 0), ("e", 1), ("size", 2)]);
        assert_eq!(grown.key(), schema().key());
    }

    #[test]
    fn a_fields_type_never_changes() {
        for changed in [
            Field::i64("title"),
            Field::text("title").stored(false),
            Field::vector("e", Vector::f32(8)),
            Field::vector("e", Vector::f32(4).similarity(lucerne_codec::Similarity::Euclidean)),
        ] {
            let error = schema().with_added([changed]).unwrap_err().to_string();
            assert!(error.contains("a field's type never changes"), "{error}");
        }
        let error = schema().with_added([Field::text("name")]).unwrap_err().to_string();
        assert!(error.contains("is the key"), "{error}");
    }

    #[test]
    fn asking_for_an_unknown_field_lists_the_declared_ones() {
        let error = schema().require("titel").unwrap_err().to_string();
        assert_eq!(error, r#"no field "titel"; the schema has: name, title, e"#);
        let error = schema().vector_field_named("title").unwrap_err().to_string();
        assert!(error.contains("expected a vector field, it is a text field"), "{error}");
        assert!(schema().vector_field(0).is_err());
        assert_eq!(schema().vector_field(1).unwrap().name(), "e");
    }
}
