//! A vector field of a schema: its declaration as the format that writes it sees it.

use super::field::{Field, FieldType};
use super::vector::VectorOptions;
use crate::error::Result;
use lucerne_codec::vector::VectorFormat;
use lucerne_codec::{FieldInfo, Registry, Similarity};

impl Field {
    /// The field as a vector field, if it is one.
    pub fn as_vector(&self) -> Option<VectorField<'_>> {
        match self.field_type() {
            FieldType::Vector(options) => Some(VectorField { field: self, options }),
            _ => None,
        }
    }
}

/// A vector field of a schema: its name and number together with its options.
///
/// ```
/// use lucerne::index::IndexBuilder;
/// use lucerne::{Schema, Vector};
///
/// let schema = Schema::builder().vector("v", Vector::f32(4).flat()).build()?;
/// let field = schema.vector_field_named("v")?;
/// assert_eq!(field.info().dimension, 4);
/// assert_eq!(field.format(IndexBuilder::new().registry())?.name(), "flat_sq8");
/// # Ok::<(), lucerne::Error>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct VectorField<'a> {
    field: &'a Field,
    options: &'a VectorOptions,
}

impl<'a> VectorField<'a> {
    /// The field's name.
    pub fn name(&self) -> &'a str {
        self.field.name()
    }

    /// The field's number.
    pub fn number(&self) -> u32 {
        self.field.number()
    }

    /// True when the field can be searched.
    pub fn is_indexed(&self) -> bool {
        self.field.is_indexed()
    }

    /// True when vectors can be read back.
    pub fn is_stored(&self) -> bool {
        self.field.is_stored()
    }

    /// The declaration.
    pub fn options(&self) -> &'a VectorOptions {
        self.options
    }

    /// The vector format new segments are written with: the one the field names, or the one that serves its index and
    /// its quantization.
    ///
    /// # Errors
    /// When none is registered.
    pub fn format<'r>(&self, registry: &'r Registry) -> Result<&'r dyn VectorFormat> {
        let format = match &self.options.format {
            Some(name) => registry.vectors(name, "schema")?,
            None => registry.vectors_for(self.options.kind())?,
        };
        Ok(format)
    }

    /// The description that the format is given. A field that normalizes is a cosine field to its format; its rows stay as
    /// they were given.
    pub fn info(&self) -> FieldInfo {
        FieldInfo {
            number: self.number(),
            name: self.name().to_owned(),
            dimension: self.options.dimension as u32,
            similarity: if self.options.normalize { Similarity::Cosine } else { self.options.similarity },
            params: self.options.params.clone(),
        }
    }
}
