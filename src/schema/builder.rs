//! Declaring a schema in Rust.

use super::field::Field;
use super::names::check_name;
use super::vector::Vector;
use super::{
    AUTOMATIC_KEY_LEN, DEFAULT_KEY, DEFAULT_KEY_MAX_LEN, KeyField, MAX_KEY_LEN, Schema, SchemaInner,
};
use crate::error::{Error, Result};
use std::collections::HashMap;
use std::sync::Arc;

/// Declares a schema, field by field; mistakes are reported by [`SchemaBuilder::build`].
///
/// ```
/// use lucerne::schema::{Field, Text};
/// use lucerne::{Schema, Vector};
///
/// let schema = Schema::builder()
///     .auto_key("id") // the writer numbers the documents
///     .field(Field::text_with("title", Text::new().weight(2.0)))
///     .field(Field::i64("weight").path("$.specs.weight"))
///     .vector("embedding", Vector::f32(8))
///     .dynamic(true) // other fields are kept and can be filtered by
///     .build()?;
/// assert_eq!(schema.fields().len(), 3);
///
/// let twice = Schema::builder().text("title").i64("title").build();
/// assert!(twice.unwrap_err().to_string().contains("declared twice"));
/// # Ok::<(), lucerne::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct SchemaBuilder {
    key: KeyField,
    dynamic: bool,
    fields: Vec<Field>,
}

impl Default for SchemaBuilder {
    fn default() -> Self {
        let key = KeyField { name: DEFAULT_KEY.to_owned(), automatic: true, max_len: DEFAULT_KEY_MAX_LEN };
        Self { key, dynamic: false, fields: Vec::new() }
    }
}

impl SchemaBuilder {
    /// A builder that holds what the schema declares.
    pub(super) fn of(schema: &Schema) -> Self {
        let SchemaInner { key, dynamic, fields, .. } = &*schema.0;
        Self { key: key.clone(), dynamic: *dynamic, fields: fields.clone() }
    }

    /// Names the key field; every document must give its key, a string. Without this and
    /// [`SchemaBuilder::auto_key`], keys are automatic and the field is called `id`.
    #[must_use]
    pub fn key(mut self, name: impl Into<String>) -> Self {
        (self.key.name, self.key.automatic) = (name.into(), false);
        self
    }

    /// Names the key field and lets the writer assign keys; see [`KeyField`] for what they look like.
    #[must_use]
    pub fn auto_key(mut self, name: impl Into<String>) -> Self {
        (self.key.name, self.key.automatic) = (name.into(), true);
        self
    }

    /// Bytes of a key at most: 1 to 65,535, by default 512.
    #[must_use]
    pub fn key_max_len(mut self, bytes: usize) -> Self {
        self.key.max_len = bytes;
        self
    }

    /// Whether fields that are not declared are kept instead of refused. Default: refused.
    #[must_use]
    pub fn dynamic(mut self, dynamic: bool) -> Self {
        self.dynamic = dynamic;
        self
    }

    /// Adds a field with its options.
    #[must_use]
    pub fn field(mut self, field: Field) -> Self {
        self.fields.push(field);
        self
    }

    /// Adds a text field.
    #[must_use]
    pub fn text(self, name: impl Into<String>) -> Self {
        self.field(Field::text(name))
    }

    /// Adds a keyword field.
    #[must_use]
    pub fn keyword(self, name: impl Into<String>) -> Self {
        self.field(Field::keyword(name))
    }

    /// Adds a field of whole numbers.
    #[must_use]
    pub fn i64(self, name: impl Into<String>) -> Self {
        self.field(Field::i64(name))
    }

    /// Adds a field of numbers.
    #[must_use]
    pub fn f64(self, name: impl Into<String>) -> Self {
        self.field(Field::f64(name))
    }

    /// Adds a field of sparse vectors.
    #[must_use]
    pub fn sparse_vector(self, name: impl Into<String>) -> Self {
        self.field(Field::sparse_vector(name))
    }

    /// Adds a field of truth values.
    #[must_use]
    pub fn bool(self, name: impl Into<String>) -> Self {
        self.field(Field::bool(name))
    }

    /// Adds a field of dates.
    #[must_use]
    pub fn date(self, name: impl Into<String>) -> Self {
        self.field(Field::date(name))
    }

    /// Adds a vector field.
    #[must_use]
    pub fn vector(self, name: impl Into<String>, vector: Vector) -> Self {
        self.field(Field::vector(name, vector))
    }

    /// Checks the declaration and builds the schema. Parameters of a vector field's format (`m`, `beam_width` and
    /// others) are checked when an index is created with the schema.
    ///
    /// # Errors
    /// [`Error::Schema`], which names the field and what is wrong with its declaration.
    pub fn build(self) -> Result<Schema> {
        let Self { key, dynamic, fields } = self;
        check_key(&key).map_err(|problem| Error::Schema { field: Some(key.name.clone()), problem })?;
        let mut by_name = HashMap::with_capacity(fields.len());
        let mut numbered = Vec::with_capacity(fields.len());
        for (number, field) in (0u32..).zip(fields) {
            let field = field.resolved()?.numbered(number);
            let refuse = |problem: &str| Error::Schema {
                field: Some(field.name().to_owned()),
                problem: problem.to_owned(),
            };
            if field.name() == key.name {
                return Err(refuse("is the key, which is a string; do not declare it as a field too"));
            }
            if by_name.insert(field.name().to_owned(), number).is_some() {
                return Err(refuse("is declared twice; declare it once"));
            }
            numbered.push(field);
        }
        Ok(Schema(Arc::new(SchemaInner { key, dynamic, fields: numbered, by_name })))
    }
}

fn check_key(key: &KeyField) -> Result<(), String> {
    check_name(&key.name)?;
    let least = if key.automatic { AUTOMATIC_KEY_LEN } else { 1 };
    if !(least..=MAX_KEY_LEN).contains(&key.max_len) {
        let kind = if key.automatic { "automatic keys" } else { "a key" };
        return Err(format!(
            "the key's max_length is {}, expected {least} to {MAX_KEY_LEN} for {kind}",
            key.max_len
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::vector_index::{Quantization, VectorIndex};
    use super::*;
    use lucerne_codec::Similarity;

    fn refused(builder: SchemaBuilder) -> String {
        builder.build().unwrap_err().to_string()
    }

    /// The built-in format of a field, by name.
    fn format(vector: Vector) -> std::result::Result<&'static str, String> {
        let schema = Schema::builder().vector("e", vector).build().unwrap();
        let format =
            schema.vector_field(0).unwrap().format(&lucerne_formats::builtin()).map(|format| format.name());
        format.map_err(|error| error.to_string())
    }

    #[test]
    fn a_dimension_outside_1_to_4096_is_refused_by_name() {
        for dimension in [1, 4096] {
            Schema::builder().vector("e", Vector::f32(dimension)).build().unwrap();
        }
        for dimension in [0, 4097, usize::MAX] {
            let error = refused(Schema::builder().vector("e", Vector::f32(dimension)));
            assert!(error.contains(r#"field "e""#) && error.contains("expected 1 to 4096"), "{error}");
            assert!(error.contains(&dimension.to_string()), "{error}");
        }
    }

    #[test]
    fn no_metric_means_cosine_and_no_options_mean_hnsw_over_int8() {
        let schema = Schema::builder().vector("e", Vector::f32(4)).build().unwrap();
        let field = schema.vector_field_named("e").unwrap();
        assert_eq!(field.info().similarity, Similarity::Cosine);
        assert_eq!(field.options().index(), Some(VectorIndex::Hnsw));
        assert_eq!(format(Vector::f32(4)).unwrap(), "hnsw_sq8");
        assert!(field.is_indexed() && field.is_stored());
    }

    #[test]
    fn each_choice_of_index_and_quantization_has_its_format() {
        for index in [VectorIndex::Hnsw, VectorIndex::Flat] {
            for quantization in Quantization::ALL {
                assert!(format(Vector::f32(4).index(index).quantization(quantization)).is_ok());
            }
            assert!(format(Vector::f32(4).index(index).sign_hash(true)).is_ok());
        }
        for index in VectorIndex::ALL {
            let schema = Schema::builder().vector("e", Vector::bits(8).index(index));
            let schema = schema.build().unwrap();
            assert!(schema.vector_field(0).unwrap().format(&lucerne_formats::builtin()).is_ok());
        }
        let vector = Vector::f32(4).flat().quantization(Quantization::None);
        assert_eq!(format(vector).unwrap(), "flat_f32");
    }

    #[test]
    fn a_named_format_takes_its_parameters_and_excludes_index_and_quantization() {
        let toy = || Vector::f32(4).format("toy").param("buckets", 7);
        let schema = Schema::builder().vector("e", toy()).build().unwrap();
        let field = schema.vector_field(0).unwrap();
        assert_eq!(field.info().params.get("buckets"), Some(&7.into()));
        assert!(format(toy()).unwrap_err().contains("\"toy\""));
        for bad in [toy().flat(), toy().quantization(Quantization::Int8), toy().format("")] {
            assert!(refused(Schema::builder().vector("e", bad)).contains("format"));
        }
        let error = refused(Schema::builder().vector("e", toy().param("dimension", 3)));
        assert!(error.contains("is an option of the field"), "{error}");
    }

    #[test]
    fn a_vector_field_that_is_not_indexed_keeps_raw_vectors_only() {
        let schema = Schema::builder().vector("e", Vector::f32(4).indexed(false)).build().unwrap();
        let field = schema.vector_field(0).unwrap();
        assert!(!field.is_indexed());
        assert_eq!(format(Vector::f32(4).indexed(false)).unwrap(), "flat_f32");
        let vector = Vector::f32(4).indexed(false).quantization(Quantization::Int8);
        let error = refused(Schema::builder().vector("e", vector));
        assert!(error.contains("indexed is false"), "{error}");
    }

    #[test]
    fn a_field_that_normalizes_is_a_cosine_field_to_its_format() {
        let vector = Vector::f32(4).similarity(Similarity::DotProduct).normalize_on_write();
        let schema = Schema::builder().vector("e", vector).build().unwrap();
        let field = schema.vector_field(0).unwrap();
        assert_eq!(field.options().similarity(), Similarity::DotProduct);
        assert_eq!(field.info().similarity, Similarity::Cosine);
        let error = refused(Schema::builder().vector("e", Vector::f32(4).normalize_on_write()));
        assert!(error.contains("dot_product"), "{error}");
    }

    #[test]
    fn names_must_be_unique_allowed_and_not_the_key() {
        assert!(refused(Schema::builder().text("a").i64("a")).contains("declared twice"));
        assert!(refused(Schema::builder().key("a").i64("a")).contains("is the key"));
        assert!(refused(Schema::builder().text("_a")).contains("reserved"));
        assert!(refused(Schema::builder().key("")).contains("empty"));
    }

    #[test]
    fn keys_are_automatic_and_called_id_unless_named_and_their_length_is_bounded() {
        let schema = Schema::builder().build().unwrap();
        let key = schema.key();
        assert_eq!((key.name(), key.is_automatic(), key.max_len()), ("id", true, 512));
        let schema = Schema::builder().auto_key("pk").key_max_len(100).build().unwrap();
        assert_eq!((schema.key().name(), schema.key().max_len()), ("pk", 100));
        for (builder, expected) in [
            (Schema::builder().key("id").key_max_len(0), "expected 1 to 65535"),
            (Schema::builder().key("id").key_max_len(65_536), "expected 1 to 65535"),
            (Schema::builder().auto_key("id").key_max_len(19), "expected 20 to 65535"),
        ] {
            let error = refused(builder);
            assert!(error.contains(expected), "{error}");
        }
    }
}
