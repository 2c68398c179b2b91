//! Documents that are there already, and what an update makes of them.

use crate::document::{Document, Update, Value, given_as};
use crate::error::{Error, Result};
use crate::reader::SegmentReader;
use crate::schema::{FieldType, Schema};
use lucerne_codec::DocId;

/// A document as it is kept: its stored JSON, and its vectors by field, of f32 or of bits.
pub(super) struct KeptDocument {
    pub(super) stored: Vec<u8>,
    pub(super) vectors: Vec<(u32, Vec<u8>)>,
}

impl KeptDocument {
    /// A document of a buffer, with its stored rows.
    pub(super) fn buffered(schema: &Schema, stored: Vec<u8>, rows: Vec<(u32, Vec<u8>)>) -> Self {
        let widened = |(number, row): (u32, Vec<u8>)| match schema.vector_field(number) {
            Ok(field) => (number, field.info().component().vector(&row).into_owned()),
            Err(_) => (number, row),
        };
        Self { stored, vectors: rows.into_iter().map(widened).collect() }
    }

    /// The document as it was given.
    pub(super) fn document(self, schema: &Schema) -> Result<Document> {
        let mut document = Document::from_slice(&self.stored)?;
        for field in schema.vector_fields() {
            let rows = self.vectors.iter().filter(|(number, _)| *number == field.number());
            let vectors: Vec<Value> = rows.map(|(_, row)| given_as(field, row)).collect();
            let by_path = schema.field(field.name()).is_some_and(|field| field.field_path().is_some());
            if by_path || vectors.is_empty() {
                continue;
            }
            if field.options().is_multiple() {
                document.set(field.name(), vectors);
            } else {
                vectors.into_iter().for_each(|vector| document.set(field.name(), vector));
            }
        }
        Ok(document)
    }
}

/// Reads a document of a segment.
pub(super) fn read_segment(schema: &Schema, segment: &SegmentReader, doc: DocId) -> Result<KeptDocument> {
    let mut kept = KeptDocument { stored: Vec::new(), vectors: Vec::new() };
    segment.stored().get(doc, &mut kept.stored)?;
    let mut ordinals = Vec::new();
    for field in schema.vector_fields() {
        let Some(vectors) = segment.vector_field(field.number()) else { continue };
        vectors.reader.ordinals(doc, &mut ordinals)?;
        for ordinal in &ordinals {
            kept.vectors.push((field.number(), vectors.reader.vector(*ordinal)?.into_owned()));
        }
    }
    Ok(kept)
}

/// Changes the document of a key; says whether that made a difference.
pub(super) fn changed(update: &Update, document: &mut Document, key: &str) -> Result<bool> {
    update.apply(document).map_err(|error| match error {
        Error::Document { problem, .. } => Error::Document { key: Some(key.to_owned()), problem },
        other => other,
    })
}

/// Refuses an update that would lose something, or that changes the key: of the document with that key, or of any.
pub(super) fn check_update(schema: &Schema, key: Option<&str>, update: &Update) -> Result<()> {
    let key_field = schema.key().name();
    if update.fields().any(|field| field == key_field)
        && (key.is_none() || update.value(key_field) != key.map(Value::from).as_ref())
    {
        let of = key.map_or(String::new(), |key| format!(" of {key:?}"));
        return Err(Error::Invalid(format!("an update{of} cannot change the key field {key_field:?}")));
    }
    let lost = schema.fields().iter().find(|field| {
        let vector = matches!(field.field_type(), FieldType::Vector(_));
        let by_path = field.field_path().is_some();
        field.is_indexed() && !field.is_stored() && !vector && !by_path && !update.replaces(field.name())
    });
    match lost {
        None => Ok(()),
        Some(field) => Err(Error::NotStored { field: field.name().to_owned() }),
    }
}
