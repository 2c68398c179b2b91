//! Making segments from elsewhere part of an index, all or nothing.

use super::BUILT_PREFIX;
use super::copy::{self, OpenFile};
use super::handle::SegmentHandle;
use crate::commit::NewFiles;
use crate::directory::FsDirectory;
use crate::error::{Error, Result};
use crate::index::Index;
use crate::reader::{SegmentReader, Snapshot, check_fields};
use crate::schema::Schema;
use crate::writer::Writer;
use lucerne_codec::segment_info::SegmentInfo;
use lucerne_codec::{BitSet, Cancel, Directory, Registry, SegmentId};
use std::collections::HashSet;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

/// A segment to take in.
struct Incoming {
    from: Arc<dyn Directory>,
    files: Vec<OpenFile>,
    info: SegmentInfo,
    live: Option<BitSet>,
}

/// Publishes built segments in one commit and returns its generation.
pub(crate) fn publish(index: &Index, handles: &[SegmentHandle], expected_generation: u64) -> Result<u64> {
    let writer = index.writer_for_merges()?;
    let found = writer.generation();
    if found != expected_generation {
        return Err(Error::GenerationMoved { expected: expected_generation, found });
    }
    let registry = &index.store.registry;
    let incoming = handles.iter().map(|handle| {
        let from = Arc::new(FsDirectory::open(&handle.folder)?);
        check_schema(&writer.schema(), &Schema::from_value(&handle.schema)?, &handle.name)?;
        let info = registry.segment_info.read(&*from, &handle.info, handle.id)?;
        let files = OpenFile::all(&*from, info.files())?;
        Ok(Incoming { from, files, info, live: None })
    });
    take_in(index, &writer, incoming.collect::<Result<_>>()?, &Cancel::new())
}

/// Adds all documents of other indexes in one commit and returns its generation.
pub(crate) fn add_indexes(index: &Index, paths: &[&Path], cancel: &Cancel) -> Result<u64> {
    let writer = index.writer_for_merges()?;
    let mut incoming = Vec::new();
    for path in paths {
        let other = index.open_other(path)?;
        let open_files = |snapshot: &Snapshot| {
            let segments = snapshot.segments.iter();
            let open =
                segments.map(|segment| OpenFile::all(&*other.store.directory, segment.reader.info().files()));
            open.collect::<Result<Vec<_>>>()
        };
        let (snapshot, files) = other.store.newest_commit_with(other.on_damage(), open_files)?;
        check_schema(&writer.schema(), &snapshot.schema, &path.display().to_string())?;
        for (segment, files) in snapshot.segments.iter().zip(files) {
            let live = segment.live.as_deref().cloned();
            let from = Arc::clone(&other.store.directory);
            incoming.push(Incoming { from, files, info: segment.reader.info().clone(), live });
        }
    }
    take_in(index, &writer, incoming, cancel)
}

fn check_schema(ours: &Schema, theirs: &Schema, whose: &str) -> Result<()> {
    if ours == theirs {
        return Ok(());
    }
    let problem = format!("{whose} was written with another schema than the index's");
    Err(Error::Schema { field: None, problem })
}

fn take_in(index: &Index, writer: &Writer, incoming: Vec<Incoming>, cancel: &Cancel) -> Result<u64> {
    let known: HashSet<SegmentId> = writer.segment_ids().into_iter().collect();
    let mut ids = known.clone();
    if let Some(again) = incoming.iter().find(|segment| !ids.insert(segment.info.id)) {
        let id = again.info.id;
        return Err(Error::Invalid(format!("segment {} ({id}) is in the index already", again.info.name)));
    }
    let (to, registry) = (NewFiles::new(writer.directory()), &index.store.registry);
    let schema = writer.schema();
    let names: Vec<String> = incoming.iter().map(|_| writer.take_segment_name()).collect();
    let opened = incoming.into_iter().zip(&names).map(|(segment, name)| {
        let entry = copy::take(&*segment.from, &segment.files, &to, registry, &segment.info, name, cancel)?;
        let reader = open(index, registry, &entry, segment.info.id)?;
        // Whatever a handle says: with another field in it the index could never be opened again.
        check_fields(&schema, &reader).map_err(|problem| Error::Schema { field: None, problem })?;
        Ok((reader, segment.live))
    });
    writer.attach(opened.collect::<Result<_>>()?)?;
    to.keep();
    writer.commit()
}

fn open(
    index: &Index,
    registry: &Registry,
    entry: &lucerne_codec::envelope::FileEntry,
    id: SegmentId,
) -> Result<SegmentReader> {
    SegmentReader::open(&*index.store.directory, registry, &index.store.pins, entry, id)
}

/// Deletes files of built segments in `directory` that are older than `older_than`; returns how many.
pub(crate) fn sweep(directory: &dyn Directory, older_than: Duration) -> Result<usize> {
    let mut deleted = 0;
    for name in directory.list()? {
        if is_built(&name) && directory.age(&name)?.is_some_and(|age| age >= older_than) {
            directory.delete(&name)?;
            deleted += 1;
        }
    }
    Ok(deleted)
}

/// True for the names of a built segment's files: the prefix, the segment's id in 32 digits, an extension.
fn is_built(name: &str) -> bool {
    let id = name.strip_prefix(BUILT_PREFIX).and_then(|rest| rest.split_once('.'));
    id.is_some_and(|(id, _)| id.len() == 32 && id.bytes().all(|byte| byte.is_ascii_hexdigit()))
}
