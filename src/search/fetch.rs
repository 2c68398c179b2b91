//! Reading documents back: stored fields, vectors, what a path leads to.

use super::searcher::Searcher;
use crate::document::given_as;
use crate::error::{Error, Result};
use crate::reader::SnapshotSegment;
use crate::schema::VectorField;
use serde_json::{Map, Value};

impl Searcher {
    /// Refuses names whose values cannot be returned.
    pub(crate) fn check_returnable(&self, field: &str) -> Result<()> {
        let schema = self.schema();
        let declared = schema.field(field);
        let known = schema.is_dynamic() || field == schema.key().name() || schema.is_path_source(field);
        match declared {
            Some(declared) if !declared.is_stored() => Err(Error::NotStored { field: field.to_owned() }),
            None if !known => schema.require(field).map(drop),
            _ => Ok(()),
        }
    }

    /// Stored fields of a document: those wanted, or all when none are named.
    pub(crate) fn fields(
        &self,
        segment: &SnapshotSegment,
        doc: u32,
        wanted: &[String],
    ) -> Result<Map<String, Value>> {
        let mut stored = self.stored(segment, doc)?;
        for field in self.schema().vector_fields() {
            let asked = wanted.is_empty() || wanted.iter().any(|name| name == field.name());
            // What a path leads to is stored as it was given.
            let by_path = self.schema().field(field.name()).is_some_and(|field| field.field_path().is_some());
            if asked && field.is_stored() && !by_path {
                let found = vectors(segment, doc, field)?;
                let found = found.iter().map(|row| given_as(field, row));
                let found = found.map(|value| serde_json::to_value(value).unwrap_or_default());
                let found: Vec<Value> = found.collect();
                match field.options().is_multiple() {
                    true if !found.is_empty() => drop(stored.insert(field.name().to_owned(), found.into())),
                    _ => stored.extend(found.into_iter().next().map(|one| (field.name().to_owned(), one))),
                }
            }
        }
        if wanted.is_empty() {
            return Ok(stored);
        }
        let value = |name: &String| Some((name.clone(), self.value(&stored, name)?));
        Ok(wanted.iter().filter_map(value).collect())
    }

    /// A field's value in a stored document.
    fn value(&self, stored: &Map<String, Value>, name: &str) -> Option<Value> {
        let Some(path) = self.schema().field(name).and_then(|field| field.field_path()) else {
            return stored.get(name).cloned();
        };
        let mut found = Vec::new();
        path.values(stored.get(path.first())?, &mut |value| found.push(value.clone()));
        match found.len() {
            0 => None,
            1 => found.pop(),
            _ => Some(found.into()),
        }
    }

    /// The stored bytes of a document, read.
    fn stored(&self, segment: &SnapshotSegment, doc: u32) -> Result<Map<String, Value>> {
        let mut bytes = Vec::new();
        segment.reader.stored().get(doc, &mut bytes)?;
        serde_json::from_slice(&bytes).map_err(|error| {
            let file = segment.reader.info().stored.files.first().map_or("", |file| &file.name);
            lucerne_codec::Error::corrupt(file, 0, format!("document {doc} is not JSON: {error}")).into()
        })
    }
}

/// The rows of a document's vectors as they were added.
pub(super) fn vectors(segment: &SnapshotSegment, doc: u32, field: VectorField<'_>) -> Result<Vec<Vec<u8>>> {
    let Some(vectors) = segment.reader.vector_field(field.number()) else { return Ok(Vec::new()) };
    let mut ordinals = Vec::new();
    vectors.reader.ordinals(doc, &mut ordinals)?;
    ordinals.into_iter().map(|ordinal| Ok(vectors.reader.row(ordinal)?.to_vec())).collect()
}
