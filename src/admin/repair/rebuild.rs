//! A segment written again from what is left of it: what is whole is merged as ever, what is damaged is made from stored
//! documents and vectors.

use super::damage::{Part, Remains};
use crate::commit::manifest;
use crate::document::{Document, FieldAnalyzers, Validated, validate};
use crate::error::{Result, catch_panic};
use crate::reader::Pins;
use crate::schema::Schema;
use crate::segment_write::{SegmentParts, SegmentWrite, random_segment_id};
use crate::writer::{Buffer, write_columns, write_sparse, write_terms};
use lucerne_codec::commit::CommitSegment;
use lucerne_codec::format::{Working, WriteContext};
use lucerne_codec::segment_info::{StructureInfo, VectorInfo};
use lucerne_codec::{Cancel, Directory, DocId, DocMap, MergeInput, Progress, Registry};
use std::cell::Cell;
use std::sync::Arc;

/// With what segments are written.
pub(super) struct Means<'a> {
    pub(super) directory: &'a dyn Directory,
    pub(super) registry: &'a Registry,
    pub(super) pins: &'a Arc<Pins>,
    pub(super) threads: usize,
    pub(super) ram_budget: usize,
    pub(super) next_segment: Cell<u64>,
    pub(super) cancel: &'a Cancel,
    pub(super) progress: &'a dyn Progress,
}

/// The segments that take the place of a damaged one.
#[derive(Default)]
pub(super) struct Rebuilt {
    pub(super) parts: Vec<RebuiltPart>,
    /// Documents that do not fit the schema as they are stored.
    pub(super) not_indexed: u32,
}

pub(super) struct RebuiltPart {
    pub(super) segment: CommitSegment,
    /// The document of the damaged segment that each document was.
    pub(super) docs: Vec<DocId>,
}

/// Writes what is left of a segment, in order.
pub(super) fn rebuild(
    means: &Means<'_>,
    schema: &Schema,
    analyzers: &FieldAnalyzers,
    left: &Remains,
) -> Result<Rebuilt> {
    let mut rebuilt = Rebuilt::default();
    let values = left.postings.is_damaged() || left.columns.is_damaged() || left.sparse.is_damaged();
    let (mut docs, mut buffer, mut stored) = (Vec::new(), Buffer::default(), Vec::new());
    for doc in left.survivors() {
        docs.push(doc);
        if !values {
            continue;
        }
        means.cancel.check_every(64, docs.len())?;
        if let Some(reader) = &left.stored {
            reader.get(doc, &mut stored)?;
        }
        let document = Document::from_slice(&stored)?;
        let validated = catch_panic("analyzing a document", || validate(schema, analyzers, &document));
        let validated = validated.unwrap_or_else(|error| {
            tracing::warn!(segment = left.info.name, doc, %error, "a stored document does not fit the schema");
            rebuilt.not_indexed += 1;
            Validated::not_indexed()
        });
        // Only its terms and values are needed.
        buffer.push("", &Validated { stored: Vec::new(), vectors: Vec::new(), ..validated }, |_| 0);
        if buffer.bytes() >= means.ram_budget {
            let part = write(means, schema, left, std::mem::take(&mut docs), &buffer)?;
            rebuilt.parts.push(part);
            buffer = Buffer::default();
        }
    }
    if !docs.is_empty() {
        rebuilt.parts.push(write(means, schema, left, docs, &buffer)?);
    }
    Ok(rebuilt)
}

/// Writes the documents `docs`, whose terms and values are in `buffer` if they are to be made again.
fn write(
    means: &Means<'_>,
    schema: &Schema,
    left: &Remains,
    docs: Vec<DocId>,
    buffer: &Buffer,
) -> Result<RebuiltPart> {
    let name = manifest::segment_name(means.next_segment.replace(means.next_segment.get() + 1));
    let write = SegmentWrite {
        directory: means.directory,
        registry: means.registry,
        pins: means.pins,
        schema,
        name: &name,
        id: random_segment_id()?,
        seed: crate::limits::DEFAULT_SEED,
        threads: means.threads,
        working: Working::Heap,
        cancel: means.cancel,
        progress: means.progress,
    };
    let max_doc = docs.len() as u32;
    let context = write.context(max_doc);
    let mut new = (0u32..).zip(&docs).peekable();
    let map = DocMap::new((0..left.info.max_doc).map(|old| {
        let (new, _) = new.next_if(|(_, doc)| **doc == old)?;
        Some(new)
    }));
    let vectors = vectors(means, schema, left, &context, &map)?;
    let format = means.registry.default_stored()?;
    let input = input(left, left.stored.as_deref(), &map);
    let stored = StructureInfo::new(format.name(), format.merge(&context, &[input])?);
    let format = means.registry.default_keys()?;
    let keys: Vec<&str> =
        docs.iter().filter_map(|&doc| left.own_keys.get(doc as usize).map(|key| &**key)).collect();
    let keys = StructureInfo::new(format.name(), format.write(&context, &keys)?);
    let postings = match &left.postings {
        Part::None => None,
        Part::Damaged => write_terms(&write, buffer)?,
        Part::Whole(reader) => {
            let format = means.registry.default_postings()?;
            let written = format.merge(&context, &[self::input(left, Some(&**reader), &map)])?;
            Some(StructureInfo::new(format.name(), written))
        }
    };
    let columns = match &left.columns {
        Part::None => None,
        Part::Damaged => write_columns(&write, buffer)?,
        Part::Whole(reader) => {
            let format = means.registry.default_columns()?;
            let written = format.merge(&context, &[self::input(left, Some(&**reader), &map)])?;
            Some(StructureInfo::new(format.name(), written))
        }
    };
    let sparse = match &left.sparse {
        Part::None => None,
        Part::Damaged => write_sparse(&write, buffer)?,
        Part::Whole(reader) => {
            let format = means.registry.default_sparse()?;
            let written = format.merge(&context, &[self::input(left, Some(&**reader), &map)])?;
            Some(StructureInfo::new(format.name(), written))
        }
    };
    let parts = SegmentParts { max_doc, stored, keys, postings, columns, sparse, vectors };
    let reader = write.finish(parts, None)?;
    let info = reader.info_file().clone();
    Ok(RebuiltPart { segment: CommitSegment { name, id: reader.info().id, info, live_docs: None }, docs })
}

fn vectors(
    means: &Means<'_>,
    schema: &Schema,
    left: &Remains,
    context: &WriteContext<'_>,
    map: &DocMap,
) -> Result<Vec<VectorInfo>> {
    let mut written = Vec::new();
    for field in schema.vector_fields() {
        let reader = left.vectors.iter().find(|(number, _)| *number == field.number());
        let Some((_, reader)) = reader else { continue };
        let mut any = false;
        for ordinal in 0..reader.len() as u32 {
            any |= map.get(reader.doc(ordinal)?).is_some();
        }
        if any {
            let format = field.format(means.registry)?;
            let inputs = [input(left, Some(&**reader), map)];
            let (structure, _) = format.merge(context, &field.info(), &inputs)?;
            let structure = StructureInfo::new(format.name(), structure);
            written.push(VectorInfo { field: field.info(), structure });
        }
    }
    Ok(written)
}

fn input<'a, R: ?Sized>(left: &'a Remains, reader: Option<&'a R>, docs: &'a DocMap) -> MergeInput<'a, R> {
    MergeInput { segment: &left.info.name, reader, docs }
}
