//! Reads documents back: by key, their stored fields, their vectors.

use super::ranking::DocAddress;
use crate::document::{components, given_as};
use crate::error::{Error, Result};
use crate::reader::{Snapshot, SnapshotSegment};
use crate::schema::{Schema, VectorField};
use lucerne_codec::DocId;
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// The live document with a key; `None` when there is none.
pub(super) fn find(snapshot: &Snapshot, key: &str) -> Result<Option<DocAddress>> {
    for (index, segment) in snapshot.segments.iter().enumerate().rev() {
        if let Some(doc) = segment.reader.find_live(key, |doc| !segment.is_live(doc))? {
            return Ok(Some(DocAddress { segment: index, doc }));
        }
    }
    Ok(None)
}

/// The segment at a position of the snapshot.
pub(super) fn segment(snapshot: &Snapshot, index: usize) -> Result<&SnapshotSegment> {
    let segment = snapshot.segments.get(index);
    segment.ok_or_else(|| lucerne_codec::Error::Invalid(format!("no segment {index}")).into())
}

/// Refuses fields that are not there or not stored.
pub(super) fn check_returnable(schema: &Schema, field: &str) -> Result<()> {
    let declared = schema.field(field);
    let known = schema.is_dynamic() || field == schema.key().name() || schema.is_path_source(field);
    match declared {
        Some(declared) if !declared.is_stored() => Err(Error::NotStored { field: field.to_owned() }),
        None if !known => schema.require(field).map(drop),
        _ => Ok(()),
    }
}

/// Refuses what cannot be returned: fields, and vector fields, that are not there or not stored.
pub(super) fn check_wanted(schema: &Schema, fields: &[String], vectors: &[String]) -> Result<()> {
    fields.iter().chain(vectors).try_for_each(|field| check_returnable(schema, field))?;
    vectors.iter().try_for_each(|field| schema.vector_field_named(field).map(drop))
}

/// The stored fields of a document that `wanted` names, or all when it names none.
pub(super) fn fields(
    schema: &Schema,
    segment: &SnapshotSegment,
    doc: DocId,
    wanted: &[String],
) -> Result<Map<String, Value>> {
    fields_of(stored_json(segment, doc)?, schema, segment, doc, (wanted, &[]))
}

/// The same from its stored JSON, without some vector fields.
pub(super) fn fields_of(
    mut stored: Map<String, Value>,
    schema: &Schema,
    segment: &SnapshotSegment,
    doc: DocId,
    (wanted, without): (&[String], &[String]),
) -> Result<Map<String, Value>> {
    for field in schema.vector_fields() {
        let is_named = |names: &[String]| names.iter().any(|name| name == field.name());
        let is_wanted = (wanted.is_empty() || is_named(wanted)) && !is_named(without);
        // Fields with a path are part of the stored value that the path starts from.
        let has_path = schema.field(field.name()).is_some_and(|field| field.field_path().is_some());
        if is_wanted && field.is_stored() && field.options().keeps_raw() && !has_path {
            let rows = vectors(segment, doc, field)?;
            let values = rows.iter().map(|row| given_as(field, row));
            let values = values.map(|value| serde_json::to_value(value).unwrap_or_default());
            let values: Vec<Value> = values.collect();
            if field.options().is_multiple() && !values.is_empty() {
                stored.insert(field.name().to_owned(), values.into());
            } else if let Some(only) = values.into_iter().next() {
                stored.insert(field.name().to_owned(), only);
            }
        }
    }
    if wanted.is_empty() {
        return Ok(stored);
    }
    let value = |name: &String| Some((name.clone(), value_of(schema, &stored, name)?));
    Ok(wanted.iter().filter_map(value).collect())
}

/// A document's vectors in the fields named, in the order they were given; bits as zeros and ones.
pub(super) fn vectors_of(
    schema: &Schema,
    segment: &SnapshotSegment,
    doc: DocId,
    names: &[String],
) -> Result<BTreeMap<String, Vec<Vec<f32>>>> {
    let of_field = |name: &String| {
        let field = schema.vector_field_named(name)?;
        let rows = vectors(segment, doc, field)?;
        Ok((name.clone(), rows.iter().map(|row| components(field, row)).collect()))
    };
    names.iter().map(of_field).collect()
}

/// A field's value in a stored document.
pub(super) fn value_of(schema: &Schema, stored: &Map<String, Value>, name: &str) -> Option<Value> {
    let Some(path) = schema.field(name).and_then(|field| field.field_path()) else {
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

/// The stored JSON of a document, without its vectors.
pub(super) fn stored_json(segment: &SnapshotSegment, doc: DocId) -> Result<Map<String, Value>> {
    let mut bytes = Vec::new();
    segment.reader.stored().get(doc, &mut bytes)?;
    serde_json::from_slice(&bytes).map_err(|error| {
        let file = segment.reader.info().stored.files.first().map_or("", |file| &file.name);
        lucerne_codec::Error::corrupt(file, 0, format!("document {doc} is not JSON: {error}")).into()
    })
}

/// The rows of a document's vectors as they were added or, where raw vectors are not kept, as their codes have them.
pub(super) fn vectors(segment: &SnapshotSegment, doc: DocId, field: VectorField<'_>) -> Result<Vec<Vec<u8>>> {
    let Some(vectors) = segment.reader.vector_field(field.number()) else { return Ok(Vec::new()) };
    let mut ordinals = Vec::new();
    vectors.reader.ordinals(doc, &mut ordinals)?;
    ordinals.into_iter().map(|ordinal| Ok(vectors.reader.vector(ordinal)?.into_owned())).collect()
}
