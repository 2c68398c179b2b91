//! Making segments from elsewhere part of an index, all or nothing.

use super::copy::{self, OpenFile};
use super::handle::SegmentHandle;
use super::options::{PublishOptions, Published};
use crate::commit::NewFiles;
use crate::directory::FsDirectory;
use crate::error::{Error, Result};
use crate::index::Index;
use crate::reader::{SegmentReader, Snapshot, check_fields};
use crate::schema::Schema;
use crate::writer::{Attached, NewSegment, OnExisting, Writer};
use lucerne_codec::envelope::FileEntry;
use lucerne_codec::segment_info::SegmentInfo;
use lucerne_codec::{BitSet, Cancel, Directory, Registry, SegmentId};
use std::collections::HashSet;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How often a publisher that waits looks whether the index is free.
const POLL: Duration = Duration::from_millis(20);

/// A segment to take in.
struct Incoming {
    from: Arc<dyn Directory>,
    files: Vec<OpenFile>,
    info: SegmentInfo,
    live: Option<BitSet>,
    sources: Vec<SegmentId>,
}

/// Publishes built and merged segments in one commit.
pub(crate) fn publish(
    index: &Index,
    handles: &[SegmentHandle],
    options: &PublishOptions,
    cancel: &Cancel,
) -> Result<Published> {
    let mut folders = vec![Arc::clone(&index.store.directory)];
    for folder in &options.folders {
        folders.push(Arc::new(FsDirectory::open(folder)?));
    }
    // Whatever can be refused without the lock is.
    let incoming = handles.iter().map(|handle| incoming(&index.store.registry, handle, &folders));
    let incoming: Vec<Incoming> = incoming.collect::<Result<_>>()?;
    let writer = writer(index, options.wait, cancel)?;
    let found = writer.generation();
    if let Some(expected) = options.expected_generation.filter(|expected| *expected != found) {
        return Err(Error::GenerationMoved { expected, found });
    }
    let schema = writer.schema();
    for handle in handles {
        let theirs = Schema::from_value(&handle.schema)?.with_calibrations_of(&schema);
        check_schema(&schema, &theirs, &handle.name)?;
    }
    take_in(index, &writer, incoming, options.on_existing, cancel)
}

/// The writer, as soon as nobody else has the index.
fn writer(index: &Index, wait: Duration, cancel: &Cancel) -> Result<Writer> {
    let begun = Instant::now();
    loop {
        match index.writer_for_merges() {
            Err(Error::Locked { .. }) if begun.elapsed() < wait => std::thread::sleep(POLL),
            opened => return opened,
        }
        cancel.check()?;
    }
}

/// Opens the files of a segment in the first folder that has them.
fn incoming(registry: &Registry, handle: &SegmentHandle, folders: &[Arc<dyn Directory>]) -> Result<Incoming> {
    let has_it = |folder: &&Arc<dyn Directory>| folder.file_len(&handle.info.name).is_ok();
    // Where none has it, the error of the first says so.
    let from = folders.iter().find(has_it).or(folders.first());
    let from = Arc::clone(from.ok_or_else(|| Error::Invalid("no folder to publish from".to_owned()))?);
    let info = registry.segment_info.read(&*from, &handle.info, handle.id)?;
    if info.max_doc != handle.docs {
        return Err(Error::Invalid(format!(
            "segment {} has {} documents, its handle says {}; publish the handle that its builder returned",
            handle.name, info.max_doc, handle.docs
        )));
    }
    let files = OpenFile::all(&*from, info.files())?;
    Ok(Incoming { from, files, info, live: None, sources: handle.sources.clone() })
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
            let info = segment.reader.info().clone();
            incoming.push(Incoming { from, files, info, live, sources: Vec::new() });
        }
    }
    Ok(take_in(index, &writer, incoming, OnExisting::Fail, cancel)?.generation)
}

fn check_schema(ours: &Schema, theirs: &Schema, whose: &str) -> Result<()> {
    if ours == theirs {
        return Ok(());
    }
    let problem = format!("{whose} was written with another schema than the index's");
    Err(Error::Schema { field: None, problem })
}

fn take_in(
    index: &Index,
    writer: &Writer,
    incoming: Vec<Incoming>,
    on_existing: OnExisting,
    cancel: &Cancel,
) -> Result<Published> {
    let mut ids: HashSet<SegmentId> = writer.segment_ids().into_iter().collect();
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
        Ok(NewSegment { reader, live: segment.live, sources: segment.sources })
    });
    let attached = writer.attach(opened.collect::<Result<_>>()?, on_existing)?;
    to.keep();
    let generation = writer.commit()?;
    let Attached { docs, replaced, skipped, merged } = attached;
    Ok(Published { generation, docs, replaced, skipped, merged })
}

fn open(index: &Index, registry: &Registry, entry: &FileEntry, id: SegmentId) -> Result<SegmentReader> {
    SegmentReader::open(&*index.store.directory, registry, &index.store.pins, entry, id)
}
