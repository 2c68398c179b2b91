//! Merging segments of an index apart from its writer.

use super::BUILT_PREFIX;
use super::handle::SegmentHandle;
use crate::commit::{NewFiles, publish};
use crate::directory::FsDirectory;
use crate::error::{Error, Result};
use crate::merge::{self, MergeRecord, Source};
use crate::reader::Pins;
use crate::search::Searcher;
use crate::segment_write::{SegmentWrite, random_segment_id};
use crate::writer::WriterOptions;
use lucerne_codec::format::Working;
use lucerne_codec::{Cancel, Progress, SegmentId};
use std::path::Path;
use std::sync::Arc;

/// Merges segments of a searcher's point in time, by their names, into a new one in `folder`, which may be the index's own.
/// Nothing is locked, and the index is not changed: [`Index::publish`](crate::Index::publish) puts the new segment in the
/// place of the old ones, with the deletes that came meanwhile. Any number of processes may do so at once, with segments
/// that [`plan_even_merges`](crate::admin::plan_even_merges) gives each of them.
///
/// ```
/// use lucerne::transfer::{PublishOptions, merge_segments};
/// use lucerne::{Cancel, Document, Index, Schema, WriterOptions, admin};
///
/// # let folder = tempfile::tempdir()?;
/// # let path = folder.path();
/// let index = Index::create(path, Schema::builder().key("id").build()?)?;
/// let writer = index.writer()?;
/// for key in ["a", "b"] {
///     writer.add(&Document::new().with("id", key))?;
///     writer.commit()?; // a segment each
/// }
/// writer.close()?;
///
/// let (searcher, options) = (index.searcher()?, WriterOptions::new());
/// for plan in admin::plan_even_merges(&searcher, 1)? {
///     // In another process:
///     let names: Vec<&str> = plan["sources"].as_array().unwrap().iter().map(|it| it["segment"].as_str().unwrap()).collect();
///     let handle = merge_segments(&searcher, &names, path, &options, &Cancel::new(), &())?;
///     // And in the one that publishes:
///     index.publish(&[handle], &PublishOptions::new(), &Cancel::new())?;
/// }
/// assert_eq!((index.searcher()?.segment_count(), index.searcher()?.len()), (1, 2));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// Of the options, threads and seed are used. Memory is that of a merge on the heap; no ceiling counts it.
///
/// # Errors
/// [`Error::SourcesGone`] when the searcher has no segment of that name; [`Error::Invalid`] when there is no name, or one
/// twice, or nothing is left of the segments; when a file is damaged or cannot be written. Nothing is left behind then, as
/// far as possible.
pub fn merge_segments<T: AsRef<str>>(
    searcher: &Searcher,
    segments: &[T],
    folder: impl AsRef<Path>,
    options: &WriterOptions,
    cancel: &Cancel,
    progress: &dyn Progress,
) -> Result<SegmentHandle> {
    let snapshot = searcher.snapshot();
    let names: Vec<&str> = segments.iter().map(AsRef::as_ref).collect();
    let has = |name: &str| snapshot.segments.iter().any(|segment| segment.reader.name() == name);
    if let Some(missing) = names.iter().find(|name| !has(name)) {
        return Err(Error::SourcesGone { segment: (*missing).to_owned() });
    }
    // In the order of the index, whatever order they are named in.
    let sources = snapshot.segments.iter().filter(|segment| names.contains(&segment.reader.name()));
    let sources: Vec<Source> = sources
        .map(|segment| Source { reader: Arc::clone(&segment.reader), live: segment.live.as_deref().cloned() })
        .collect();
    if sources.len() != names.len() || sources.iter().all(|source| source.live_docs() == 0) {
        return Err(Error::Invalid("a merge takes at least one document, of each segment once".to_owned()));
    }
    let ids: Vec<SegmentId> = sources.iter().map(|source| source.reader.info().id).collect();
    let directory = FsDirectory::create(folder)?;
    let files = NewFiles::new(&directory);
    let id = random_segment_id()?;
    let name = format!("{BUILT_PREFIX}{id}");
    let write = SegmentWrite {
        directory: &files,
        registry: &snapshot.commit.registry,
        pins: &Arc::<Pins>::default(),
        schema: &snapshot.schema,
        name: &name,
        id,
        seed: options.seed.unwrap_or(crate::limits::DEFAULT_SEED),
        threads: options.threads,
        working: Working::Heap,
        cancel,
        progress,
    };
    let kept = if options.seed.is_some() { MergeRecord::Reproducible } else { MergeRecord::Timed };
    let merged = merge::merge(&write, &*snapshot.commit.directory, &sources, kept)?;
    let reader = merged.reader;
    publish::built_segment(&files, reader.info_file(), reader.info().files())?;
    files.keep();
    Ok(SegmentHandle::of(&reader, &snapshot.schema, ids))
}
