//! A searcher: a snapshot and the ways to ask it.

use super::hits::{Hit, Hits};
use super::knn;
use crate::analysis::Analyzers;
use crate::document::Document;
use crate::error::{Error, Result};
use crate::query::Knn;
use crate::reader::{Snapshot, SnapshotSegment};
use crate::schema::Schema;
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Searches one point in time of an index. Cheap to clone, usable from many threads; its answers never
/// change, whatever is written, merged or deleted meanwhile.
#[derive(Clone)]
pub struct Searcher {
    snapshot: Arc<Snapshot>,
    analyzers: Analyzers,
}

impl std::fmt::Debug for Searcher {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Searcher").field("generation", &self.snapshot.generation).finish_non_exhaustive()
    }
}

impl Searcher {
    pub(crate) fn new(snapshot: Arc<Snapshot>, analyzers: Analyzers) -> Self {
        Self { snapshot, analyzers }
    }

    pub(crate) fn snapshot(&self) -> &Snapshot {
        &self.snapshot
    }

    /// The schema at this point in time.
    pub fn schema(&self) -> &Schema {
        &self.snapshot.schema
    }

    /// Generation of the commit this is, or that this near-real-time snapshot follows.
    pub fn generation(&self) -> u64 {
        self.snapshot.generation
    }

    /// The application's notes in the commit.
    pub fn user_data(&self) -> &BTreeMap<String, String> {
        &self.snapshot.user_data
    }

    /// Documents that are not deleted.
    pub fn len(&self) -> u64 {
        self.snapshot.live_docs()
    }

    /// True when there is no document.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Number of segments.
    pub fn segment_count(&self) -> usize {
        self.snapshot.segments.len()
    }

    /// The documents nearest to a vector, nearest first, ties in the order of keys. The same query gives the
    /// same answer every time. Deleted documents never appear and never use up a place: min(k, live
    /// documents with a vector) hits come back.
    ///
    /// # Errors
    /// When the field is not an indexed vector field, the vector does not fit it, or a knob is out of range.
    pub fn search(&self, query: &Knn) -> Result<Hits> {
        if let Some(fields) = &query.fields {
            fields.iter().try_for_each(|field| self.check_returnable(field))?;
        }
        let result = knn::search(&self.snapshot, query)?;
        let hits = result.found.iter().map(|found| {
            let segment = self.segment(found.segment)?;
            let doc = found.neighbor.doc;
            let fields = query.fields.as_ref().map(|wanted| self.fields(segment, doc, wanted));
            Ok(Hit {
                key: segment.reader.keys().key(doc)?.to_owned(),
                score: result.similarity.score(found.neighbor.distance),
                distance: found.neighbor.distance,
                fields: fields.transpose()?,
            })
        });
        Ok(Hits { hits: hits.collect::<Result<_>>()?, exact: result.exact, segments: result.segments })
    }

    /// The stored document of that key, vectors included where the schema stores them; `None` when there
    /// is no live document of that key.
    ///
    /// # Errors
    /// When a file is damaged.
    pub fn get(&self, key: &str) -> Result<Option<Document>> {
        let Some((segment, doc)) = self.find(key)? else { return Ok(None) };
        let fields = self.fields(segment, doc, &[])?;
        Document::from_value(Value::Object(fields)).map(Some)
    }

    /// The vector of a document as it was added, bit for bit; `None` when there is no live document of that
    /// key or it has no vector in the field.
    ///
    /// # Errors
    /// [`Error::NotStored`] when the schema says `stored: false`.
    pub fn vector(&self, key: &str, field: &str) -> Result<Option<Vec<f32>>> {
        self.check_returnable(field)?;
        let number = self.snapshot.schema.vector_field_named(field)?.number();
        let Some((segment, doc)) = self.find(key)? else { return Ok(None) };
        vector(segment, doc, number)
    }

    fn segment(&self, index: usize) -> Result<&SnapshotSegment> {
        let segment = self.snapshot.segments.get(index);
        segment.ok_or_else(|| lucerne_codec::Error::Invalid(format!("no segment {index}")).into())
    }

    fn find(&self, key: &str) -> Result<Option<(&SnapshotSegment, u32)>> {
        for segment in self.snapshot.segments.iter().rev() {
            if let Some(doc) = segment.reader.find_live(key, |doc| !segment.is_live(doc))? {
                return Ok(Some((segment, doc)));
            }
        }
        Ok(None)
    }

    fn check_returnable(&self, field: &str) -> Result<()> {
        let schema = &self.snapshot.schema;
        let declared = schema.field(field);
        let dynamic = schema.is_dynamic() || field == schema.key().name();
        match declared {
            Some(declared) if !declared.is_stored() => Err(Error::NotStored { field: field.to_owned() }),
            None if !dynamic => schema.require(field).map(drop),
            _ => Ok(()),
        }
    }

    /// Stored fields of a document: those wanted, or all when none are named.
    fn fields(&self, segment: &SnapshotSegment, doc: u32, wanted: &[String]) -> Result<Map<String, Value>> {
        let mut bytes = Vec::new();
        segment.reader.stored().get(doc, &mut bytes)?;
        let mut fields: Map<String, Value> = serde_json::from_slice(&bytes).map_err(|error| {
            let file = segment.reader.info().stored.files.first().map_or("", |file| &file.name);
            lucerne_codec::Error::corrupt(file, 0, format!("document {doc} is not JSON: {error}"))
        })?;
        if !wanted.is_empty() {
            fields.retain(|name, _| wanted.contains(name));
        }
        for field in self.snapshot.schema.vector_fields() {
            let asked = wanted.is_empty() || wanted.iter().any(|name| name == field.name());
            if !asked || !field.is_stored() {
                continue;
            }
            if let Some(vector) = vector(segment, doc, field.number())? {
                fields.insert(field.name().to_owned(), Value::from(vector));
            }
        }
        Ok(fields)
    }
}

fn vector(segment: &SnapshotSegment, doc: u32, number: u32) -> Result<Option<Vec<f32>>> {
    let Some(vectors) = segment.reader.vector_field(number) else { return Ok(None) };
    let Some(ordinal) = vectors.reader.ordinal(doc)? else { return Ok(None) };
    let components = vectors.reader.row(ordinal)?.chunks_exact(4);
    let decode = |bytes: &[u8]| <[u8; 4]>::try_from(bytes).map_or(0.0, f32::from_le_bytes);
    Ok(Some(components.map(decode).collect()))
}
