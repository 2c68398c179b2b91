//! Taking the raw vectors of a field away: new segment infos that do not name them. No other file is written.

use super::commit::{Committed, refresh};
use super::segments::SegmentEntry;
use super::shared::WriterInner;
use crate::commit::NewFiles;
use crate::error::{Error, Result};
use crate::reader::{SegmentReader, info_without_raw};
use parking_lot::Mutex;
use std::sync::Arc;
use std::sync::atomic::Ordering;

/// What [`Writer::drop_raw`](super::Writer::drop_raw) has done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DroppedRaw {
    /// Segments that had raw vectors of the field.
    pub segments: usize,
    /// Bytes of the files that no commit needs from the next on.
    pub bytes: u64,
}

/// Takes the raw vectors of a field out of every segment, and lets later segments keep none.
pub(crate) fn drop_raw(
    writer: &Arc<WriterInner>,
    committed: &Mutex<Committed>,
    field: &str,
) -> Result<DroppedRaw> {
    let old = writer.schema();
    let next = old.without_raw(field)?;
    writer.forced_merges.store(true, Ordering::Relaxed);
    writer.scheduler.wait_until_idle();
    let dropped = writer.set_schema(&next).and_then(|()| {
        // What was buffered becomes segments: none that is being flushed still has the old schema.
        refresh(writer).and_then(|()| replace_all(writer, &mut committed.lock(), field))
    });
    writer.forced_merges.store(false, Ordering::Relaxed);
    if dropped.is_err() && writer.schema() == next {
        writer.restore_schema(&old)?;
    }
    dropped
}

fn replace_all(writer: &WriterInner, committed: &mut Committed, field: &str) -> Result<DroppedRaw> {
    let _selecting = writer.selecting.lock();
    let schema = writer.schema();
    let field = schema.vector_field_named(field)?;
    // The number of an attempt to commit that is not made: no file is ever called so again.
    let generation = committed.next_generation;
    committed.next_generation += 1;
    let (registry, files) = (&writer.store.registry, NewFiles::new(&*writer.directory));
    let (mut dropped, mut replaced) = (DroppedRaw::default(), Vec::new());
    for entry in writer.segments().iter() {
        let Some(info) = info_without_raw(registry, field, entry.reader.info())? else { continue };
        if entry.state.merging.load(Ordering::Relaxed) {
            let problem = format!("segment {} is being merged; drop raw vectors after that", info.name);
            return Err(Error::Invalid(problem));
        }
        let file = registry.segment_info.write(&files, &info, Some(generation))?;
        dropped.segments += 1;
        dropped.bytes += bytes(entry.reader.info()).saturating_sub(bytes(&info));
        let pins = &writer.store.pins;
        let reader = SegmentReader::open_info(&files, registry, pins, &file, info)?;
        replaced.push(SegmentEntry { reader: Arc::new(reader), ..entry.clone() });
    }
    let _exclusive = writer.commit_barrier.write();
    writer.check_open()?;
    let mut list = writer.segments.lock();
    for new in replaced {
        list.replace(|old| Arc::ptr_eq(&old.state, &new.state), Some(new.clone()));
    }
    files.keep();
    Ok(dropped)
}

fn bytes(info: &lucerne_codec::segment_info::SegmentInfo) -> u64 {
    info.files().map(|file| file.len).sum()
}
