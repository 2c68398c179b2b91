//! From a buffer to a segment: each structure written by its format.

use super::buffer::Buffer;
use super::{columns, inverted};
use crate::error::Result;
use crate::merge::structure;
use crate::reader::{Pins, SegmentReader};
use crate::schema::Schema;
use lucerne_codec::format::WriteContext;
use lucerne_codec::segment_info::{SegmentInfo, VectorInfo};
use lucerne_codec::vector::VectorReader;
use lucerne_codec::{Cancel, Directory, Registry, SegmentId};
use std::sync::Arc;

/// What a flush needs to know.
pub(crate) struct FlushTask<'a> {
    pub(crate) directory: &'a dyn Directory,
    pub(crate) registry: &'a Registry,
    pub(crate) pins: &'a Arc<Pins>,
    pub(crate) schema: &'a Schema,
    pub(crate) name: &'a str,
    pub(crate) id: SegmentId,
    pub(crate) seed: u64,
    pub(crate) threads: usize,
    pub(crate) cancel: &'a Cancel,
    /// An earlier segment, to take shared state (a centre) from.
    pub(crate) sibling: Option<&'a SegmentReader>,
}

/// Writes a buffer (of at least one document) as a segment and opens it. Nothing is synced. After an error
/// the files written so far are deleted as far as possible.
pub(crate) fn flush(task: &FlushTask<'_>, buffer: &Buffer) -> Result<SegmentReader> {
    let span = tracing::debug_span!("flush", segment = task.name, docs = buffer.len());
    let _entered = span.enter();
    let result = write(task, buffer);
    if result.is_err() {
        discard(task.directory, task.name);
    }
    result
}

fn write(task: &FlushTask<'_>, buffer: &Buffer) -> Result<SegmentReader> {
    let context = WriteContext {
        directory: task.directory,
        segment: task.name,
        segment_id: task.id,
        max_doc: buffer.len(),
        seed: task.seed,
        threads: task.threads,
        cancel: task.cancel,
        progress: &(),
    };
    let mut vectors = Vec::new();
    for (number, buffered) in buffer.vectors() {
        let field = task.schema.vector_field(number)?;
        let format = field.format(task.registry)?;
        let info = field.info();
        let written = format.write(&context, &info, buffered.rows(), sibling(task, number, format.name()))?;
        vectors.push(VectorInfo { field: info, structure: structure(format.name(), written) });
    }
    let stored = task.registry.default_stored()?;
    let written = stored.write(&context, &mut |doc, into| {
        into.clear();
        into.extend_from_slice(buffer.stored(doc));
        Ok(())
    })?;
    let stored = structure(stored.name(), written);
    let keys = task.registry.default_keys()?;
    let texts: Vec<&str> = buffer.keys().iter().map(|key| &**key).collect();
    let keys = structure(keys.name(), keys.write(&context, &texts)?);
    let postings = inverted::write(task.registry, &context, task.schema, &buffer.terms)?;
    let columns = columns::write(task.registry, &context, task.schema, &buffer.numbers, &buffer.terms)?;
    let info = SegmentInfo {
        name: task.name.to_owned(),
        id: task.id,
        max_doc: buffer.len(),
        written_by: crate::limits::WRITTEN_BY.to_owned(),
        stored,
        keys,
        postings,
        columns,
        vectors,
        merge: None,
    };
    let entry = task.registry.segment_info.write(task.directory, &info)?;
    SegmentReader::open(task.directory, task.registry, task.pins, &entry, task.id)
}

fn sibling<'a>(task: &FlushTask<'a>, number: u32, format: &str) -> Option<&'a dyn VectorReader> {
    let field = task.sibling?.vector_field(number)?;
    (field.format == format).then_some(&*field.reader)
}

/// A segment id from the system's random source.
pub(crate) fn random_segment_id() -> Result<SegmentId> {
    let mut id = [0u8; 16];
    getrandom::fill(&mut id).map_err(|error| {
        let source = std::io::Error::other(error.to_string());
        lucerne_codec::Error::io("the system's random source", "read", source)
    })?;
    Ok(SegmentId(id))
}

/// Deletes what was written of a segment that will not be.
pub(crate) fn discard(directory: &dyn Directory, segment: &str) {
    let Ok(names) = directory.list() else { return };
    let belongs = |name: &&String| {
        name.strip_prefix(segment).is_some_and(|rest| rest.starts_with('.') || rest.starts_with('_'))
    };
    for name in names.iter().filter(belongs) {
        if let Err(error) = directory.delete(name) {
            tracing::warn!(%name, %error, "a file of an abandoned segment could not be deleted");
        }
    }
}
