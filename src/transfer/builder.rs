//! Building one segment outside an index.

use super::BUILT_PREFIX;
use super::handle::SegmentHandle;
use crate::commit::publish;
use crate::directory::FsDirectory;
use crate::document::{Document, FieldAnalyzers, validate};
use crate::error::{Error, Result};
use crate::index::IndexBuilder;
use crate::reader::Pins;
use crate::schema::Schema;
use crate::segment_write::{SegmentWrite, random_segment_id};
use crate::writer::{Buffer, WriterOptions, flush};
use lucerne_codec::format::Working;
use lucerne_codec::{Cancel, Directory, Registry};
use std::collections::HashSet;
use std::path::Path;
use std::sync::Arc;

/// Builds one segment in a folder. Any number of processes may do so at once: they share nothing. See
/// [`crate::transfer`] for the whole procedure.
///
/// Documents are held in memory until [`SegmentBuilder::finish`]. A builder that is dropped, or whose process
/// dies, leaves nothing that an index would ever see.
///
/// ```
/// use lucerne::transfer::SegmentBuilder;
/// use lucerne::{Document, Schema, WriterOptions};
///
/// let folder = tempfile::tempdir()?;
/// let schema = Schema::builder().key("id").build()?;
/// let mut builder = SegmentBuilder::new(schema, folder.path(), WriterOptions::new())?;
/// builder.add(&Document::new().with("id", "a"))?;
/// assert!(builder.add(&Document::new().with("id", "a")).is_err(), "keys are unique");
/// let handle = builder.finish()?;
/// assert_eq!(handle.docs, 1);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct SegmentBuilder {
    schema: Schema,
    registry: Registry,
    analyzers: FieldAnalyzers,
    options: WriterOptions,
    directory: Arc<FsDirectory>,
    buffer: Buffer,
    keys: HashSet<String>,
}

impl SegmentBuilder {
    /// A builder of documents of `schema`, with the built-in formats; `folder` is created if need be and may
    /// be the index's own.
    ///
    /// # Errors
    /// When the folder cannot be created, a field's parameters are refused, or keys are automatic (numbers
    /// given in two places would clash).
    pub fn new(schema: Schema, folder: impl AsRef<Path>, options: WriterOptions) -> Result<Self> {
        let registry = IndexBuilder::new().registry().clone();
        for field in schema.vector_fields() {
            field.format(&registry)?.check(&field.info())?;
        }
        if schema.key().is_automatic() {
            let problem = "keys are automatic: give keys where segments are built apart".to_owned();
            return Err(Error::Schema { field: Some(schema.key().name().to_owned()), problem });
        }
        let analyzers = FieldAnalyzers::of(&schema, IndexBuilder::new().analyzers())?;
        let directory = Arc::new(FsDirectory::create(folder)?);
        let (buffer, keys) = (Buffer::default(), HashSet::new());
        Ok(Self { schema, registry, analyzers, options, directory, buffer, keys })
    }

    /// Takes a document.
    ///
    /// # Errors
    /// As [`crate::Writer::add`]; [`Error::KeyTwice`] when the builder has a document of this key.
    pub fn add(&mut self, document: &Document) -> Result<()> {
        let validated = validate(&self.schema, &self.analyzers, document)?;
        let key = validated.key.clone().unwrap_or_default();
        if !self.keys.insert(key.clone()) {
            return Err(Error::KeyTwice { key });
        }
        self.buffer.push(&key, &validated, |_| 0);
        Ok(())
    }

    /// The schema of its documents.
    pub fn schema(&self) -> &Schema {
        &self.schema
    }

    /// Documents taken so far.
    pub fn len(&self) -> u32 {
        self.buffer.len()
    }

    /// True when no document was taken.
    pub fn is_empty(&self) -> bool {
        self.buffer.is_empty()
    }

    /// Writes the segment, makes it durable and returns its handle. The segment info, without which the
    /// other files mean nothing, gets its name last.
    ///
    /// # Errors
    /// When there is no document or a file cannot be written; nothing is left behind then, as far as
    /// possible.
    pub fn finish(self) -> Result<SegmentHandle> {
        if self.buffer.is_empty() {
            return Err(Error::Invalid("a segment needs at least one document".into()));
        }
        let id = random_segment_id()?;
        let name = format!("{BUILT_PREFIX}{id}");
        let directory: &dyn Directory = &*self.directory;
        let reader = flush(
            &SegmentWrite {
                directory,
                registry: &self.registry,
                pins: &Arc::<Pins>::default(),
                schema: &self.schema,
                name: &name,
                id,
                seed: self.options.seed.unwrap_or(crate::limits::DEFAULT_SEED),
                threads: self.options.threads,
                working: Working::Heap,
                cancel: &Cancel::new(),
                progress: &(),
            },
            &self.buffer,
            None,
        )?;
        publish::built_segment(directory, reader.info_file(), reader.info().files())?;
        Ok(SegmentHandle::of(&reader, &self.schema, Vec::new()))
    }
}
