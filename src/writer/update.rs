//! Changing some fields of a document that is there.

use super::core::Core;
use super::keymap::Place;
use super::state::{Frozen, Stage};
use crate::document::{Document, Validated, Value, given_as, validate};
use crate::error::{Error, Result};
use crate::schema::{FieldType, Schema};
use std::sync::Arc;

/// A document as it is kept: its stored JSON, and its vectors by field.
struct Kept {
    stored: Vec<u8>,
    vectors: Vec<(u32, Vec<u8>)>,
}

/// What came of looking for a document.
enum Found {
    Kept(Kept),
    /// Its buffer is being flushed: look again when that has ended.
    Flushing(Arc<Frozen>),
    /// A merge has taken its segment's place: look again.
    Moved,
}

impl Core {
    /// Sets the fields given, leaves the others as they are.
    pub(crate) fn update(&self, key: &str, fields: &Document) -> Result<()> {
        let schema = self.schema();
        check(&schema, key, fields)?;
        self.make_room()?;
        loop {
            // Alone: every buffer is in the pool or frozen.
            let alone = self.gate.write();
            self.alive()?;
            let mut shard = self.keys.lock(key);
            let place = self.locate(&shard, key)?;
            let place = place.ok_or_else(|| Error::NoSuchDocument { key: key.to_owned() })?;
            let kept = match self.read(&schema, &place)? {
                Found::Kept(kept) => kept,
                Found::Moved => continue,
                Found::Flushing(frozen) => {
                    drop((shard, alone));
                    self.flush_or_wait(&frozen)?;
                    continue;
                }
            };
            let document = changed(&schema, kept, fields)?;
            let validated: Validated = validate(&schema, &self.analyzers(), &document)?;
            let mut buffer = self.take_buffer();
            self.push(&mut shard, &mut buffer, key, &validated);
            self.pool.lock().push(buffer);
            place.slot.delete(place.doc);
            return Ok(());
        }
    }

    fn read(&self, schema: &Schema, place: &Place) -> Result<Found> {
        let from_buffer = |buffer: &super::Buffer| {
            let stored = buffer.stored(place.doc).to_vec();
            Found::Kept(Kept { stored, vectors: buffer.vectors_of(place.doc) })
        };
        if let Some(buffer) = self.pool.lock().iter().find(|buffer| Arc::ptr_eq(&buffer.slot, &place.slot)) {
            return Ok(from_buffer(buffer));
        }
        let (ready, frozen) = {
            let state = self.state.lock();
            (Arc::clone(&state.ready), state.frozen.clone())
        };
        if let Some(entry) = ready.iter().find(|entry| Arc::ptr_eq(&entry.slot, &place.slot)) {
            let mut kept = Kept { stored: Vec::new(), vectors: Vec::new() };
            entry.reader.stored().get(place.doc, &mut kept.stored)?;
            let mut ordinals = Vec::new();
            for field in schema.vector_fields() {
                let Some(vectors) = entry.reader.vector_field(field.number()) else { continue };
                vectors.reader.ordinals(place.doc, &mut ordinals)?;
                for ordinal in &ordinals {
                    kept.vectors.push((field.number(), vectors.reader.row(*ordinal)?.to_vec()));
                }
            }
            return Ok(Found::Kept(kept));
        }
        let frozen = frozen.into_iter().find(|frozen| Arc::ptr_eq(&frozen.slot, &place.slot));
        let Some(frozen) = frozen else { return Ok(Found::Moved) };
        let stage = frozen.stage.lock();
        if let Stage::Waiting(buffer) = &*stage {
            return Ok(from_buffer(buffer));
        }
        drop(stage);
        Ok(Found::Flushing(frozen))
    }
}

/// Refuses an update that would lose something, or that changes the key.
fn check(schema: &Schema, key: &str, fields: &Document) -> Result<()> {
    let key_field = schema.key().name();
    if fields.get(key_field).is_some_and(|value| *value != Value::from(key)) {
        return Err(Error::Invalid(format!(
            "an update of {key:?} cannot change the key field {key_field:?}"
        )));
    }
    let lost = schema.fields().iter().find(|field| {
        let vector = matches!(field.field_type(), FieldType::Vector(_));
        let by_path = field.field_path().is_some();
        field.is_indexed() && !field.is_stored() && !vector && !by_path && fields.get(field.name()).is_none()
    });
    match lost {
        None => Ok(()),
        Some(field) => Err(Error::NotStored { field: field.name().to_owned() }),
    }
}

/// The kept document with the fields given; those that are null are taken out.
fn changed(schema: &Schema, kept: Kept, fields: &Document) -> Result<Document> {
    let mut document = Document::from_slice(&kept.stored)?;
    for field in schema.vector_fields() {
        let rows = kept.vectors.iter().filter(|(number, _)| *number == field.number());
        let vectors: Vec<Value> = rows.map(|(_, row)| given_as(field, row)).collect();
        let by_path = schema.field(field.name()).is_some_and(|field| field.field_path().is_some());
        if by_path || vectors.is_empty() {
            continue;
        }
        match field.options().is_multiple() {
            true => document.set(field.name(), vectors),
            false => vectors.into_iter().for_each(|vector| document.set(field.name(), vector)),
        }
    }
    for (name, value) in fields.iter() {
        match value {
            Value::Null => drop(document.remove(name)),
            value => document.set(name, value.clone()),
        }
    }
    Ok(document)
}
