//! Merges of a writer's segments: selecting and running them, and putting the result in its sources' place.

use super::segment_state::{DeletedDocs, SegmentState};
use super::segments::SegmentEntry;
use super::shared::WriterInner;
use crate::commit::{NewFiles, manifest};
use crate::error::{Error, Result, catch_panic};
use crate::memory::{MergeNeeds, Reserved};
use crate::merge::{
    self, MergeCandidate, MergeEvent, MergeObserver, MergeRecord, Merged, SegmentMeta, Source,
    ThrottledDirectory,
};
use crate::segment_write::SegmentWrite;
use lucerne_codec::format::Working;
use lucerne_codec::{Cancel, Directory, Progress, Report};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

/// A merge that has been selected: its sources as they were then.
struct SelectedMerge {
    number: u64,
    entries: Vec<SegmentEntry>,
    deleted: Vec<DeletedDocs>,
    bytes: u64,
    needs: MergeNeeds,
}

impl SelectedMerge {
    fn name(&self) -> String {
        manifest::segment_name(self.number)
    }

    fn sources(&self) -> Vec<Source> {
        self.entries.iter().zip(&self.deleted).map(|(entry, deleted)| source(entry, deleted)).collect()
    }
}

fn source(entry: &SegmentEntry, deleted: &DeletedDocs) -> Source {
    Source { reader: Arc::clone(&entry.reader), live: deleted.live(entry.reader.max_doc()) }
}

/// Starts the merges that the policy finds, as many as may run.
pub(crate) fn maybe_merge(writer: &Arc<WriterInner>) {
    if writer.forced_merges.load(Ordering::Relaxed) {
        return;
    }
    if writer.scheduler.is_inline() {
        while let Some(selected) = select(writer, |metas| writer.options.merge_policy.find_merges(metas)) {
            if run(writer, &selected, &writer.cancel.clone()).is_err() {
                return;
            }
        }
        return;
    }
    while writer.scheduler.free_slots() > 0 && writer.check_open().is_ok() {
        let Some(selected) = select(writer, |metas| writer.options.merge_policy.find_merges(metas)) else {
            return;
        };
        let (selected, cancel, owner) = (Arc::new(selected), Cancel::new(), Arc::downgrade(writer));
        let (in_thread, own, memory) = (Arc::clone(&selected), cancel.clone(), writer.store.memory.clone());
        // Without the writer: whoever waits for memory does not keep it.
        let admit = {
            let (needs, cancel) = (selected.needs, cancel.clone());
            move || memory.admit_merge(needs, &cancel)
        };
        let started = writer.scheduler.spawn(selected.bytes, cancel, admit, move |admitted| {
            let Some(writer) = owner.upgrade() else { return };
            if run_admitted(&writer, &in_thread, &own, admitted).is_ok() {
                maybe_merge(&writer);
            }
        });
        if started {
            continue;
        }
        if writer.check_open().is_err() {
            writer.release(selected.number, &selected.entries);
            return;
        }
        // The system gives no thread: it is done on this one.
        if run(writer, &selected, &writer.cancel.clone()).is_err() {
            return;
        }
    }
}

/// A write stall: makes the calling thread wait while merges cannot keep up.
pub(crate) fn stall_writes(writer: &Arc<WriterInner>) {
    if writer.scheduler.is_inline() || writer.scheduler.free_slots() > 0 {
        return;
    }
    let behind = || {
        let metas = writer.free_segments();
        writer.scheduler.free_slots() == 0 && !writer.options.merge_policy.find_merges(&metas).is_empty()
    };
    if !behind() {
        return;
    }
    let running = writer.scheduler.running();
    tracing::info!(running, "merges cannot keep up; writers wait");
    writer.options.merge_observer.notify(&MergeEvent::WriterSlowed { running });
    while writer.check_open().is_ok() && behind() {
        writer.scheduler.wait_for_change(Duration::from_millis(250));
    }
}

/// Runs the merges that `find` returns; each is reported to the observer. Waits for background merges that are under
/// way first.
pub(crate) fn run_all(
    writer: &Arc<WriterInner>,
    cancel: &Cancel,
    find: impl Fn(&[SegmentMeta]) -> Vec<MergeCandidate>,
) -> Result<Vec<Report>> {
    writer.forced_merges.store(true, Ordering::Relaxed);
    writer.scheduler.wait_until_idle();
    // As many as are found now: what is written meanwhile is not waited for.
    let records = catch_panic("merging segments", || {
        let found = find(&writer.free_segments());
        // Before the first of them begins.
        for candidate in &found {
            writer.store.memory.check_merge(needs_of(writer, &entries_of(writer, candidate)))?;
        }
        let merges = (0..found.len()).map_while(|_| select(writer, &find));
        merges.map(|selected| run(writer, &selected, cancel)).collect()
    });
    writer.forced_merges.store(false, Ordering::Relaxed);
    records
}

/// What forced merges would do now, without doing it.
pub(crate) fn plan_all(
    writer: &Arc<WriterInner>,
    find: impl Fn(&[SegmentMeta]) -> Vec<MergeCandidate>,
) -> Result<Vec<Report>> {
    let candidates = find(&writer.free_segments());
    let plans = candidates.iter().map(|candidate| {
        let entries = entries_of(writer, candidate);
        let sources: Vec<Source> =
            entries.iter().map(|entry| source(entry, &entry.state.deleted())).collect();
        merge::plan(&writer.store.registry, &writer.schema(), &sources)
    });
    plans.collect()
}

/// The segments of a candidate, as they are now.
fn entries_of(writer: &WriterInner, candidate: &MergeCandidate) -> Vec<SegmentEntry> {
    let named = |entry: &&SegmentEntry| candidate.segments.iter().any(|name| name == entry.reader.name());
    writer.segments().iter().filter(named).cloned().collect()
}

fn needs_of(writer: &WriterInner, entries: &[SegmentEntry]) -> MergeNeeds {
    let live = entries.iter().map(|entry| u64::from(entry.reader.max_doc() - entry.state.deleted().count()));
    let readers = entries.iter().map(|entry| &*entry.reader);
    merge::needs(&writer.store.registry, &writer.schema(), live.sum(), readers)
}

/// The first merge found that has room under the ceiling, its sources marked as being merged. One that never has is tried
/// without its largest sources.
fn select(
    writer: &Arc<WriterInner>,
    find: impl Fn(&[SegmentMeta]) -> Vec<MergeCandidate>,
) -> Option<SelectedMerge> {
    // One at a time, so that no segment is selected twice.
    let _selecting = writer.selecting.lock();
    find(&writer.free_segments()).into_iter().find_map(|candidate| {
        let mut entries = entries_of(writer, &candidate);
        if entries.len() != candidate.segments.len() {
            return None; // Rolled back meanwhile.
        }
        let mut needs = needs_of(writer, &entries);
        while writer.store.memory.check_merge(needs).is_err() {
            let largest =
                (0..entries.len()).max_by_key(|&at| entries.get(at).map(|it| it.reader.max_doc()))?;
            entries.remove(largest);
            if entries.len() < 2 {
                tracing::debug!("a merge does not fit below the ceiling of memory; its segments stay");
                return None;
            }
            needs = needs_of(writer, &entries);
        }
        entries.iter().for_each(|entry| entry.state.merging.store(true, Ordering::Relaxed));
        let deleted = entries.iter().map(|entry| entry.state.deleted()).collect();
        let (number, bytes) = (writer.take_segment_number(), candidate.bytes);
        Some(SelectedMerge { number, entries, deleted, bytes, needs })
    })
}

/// Runs one merge, once there is room for it, to its end and returns its record.
fn run(writer: &Arc<WriterInner>, selected: &SelectedMerge, cancel: &Cancel) -> Result<Report> {
    let admitted = writer.store.memory.admit_merge(selected.needs, cancel);
    run_admitted(writer, selected, cancel, admitted)
}

/// Runs one merge to its end and returns its record.
fn run_admitted(
    writer: &Arc<WriterInner>,
    selected: &SelectedMerge,
    cancel: &Cancel,
    admitted: Result<(Reserved, Working)>,
) -> Result<Report> {
    let observer = &writer.options.merge_observer;
    let segment = selected.name();
    let names = selected.entries.iter().map(|entry| entry.reader.name().to_owned());
    let started =
        MergeEvent::Started { segment: segment.clone(), sources: names.collect(), bytes: selected.bytes };
    let span = tracing::debug_span!("merge", segment, sources = selected.entries.len());
    let (_entered, begun) = (span.enter(), Instant::now());
    let result = catch_panic("merging segments", || {
        let (_heap, working) = admitted?;
        observer.notify(&started);
        merge_and_replace(writer, selected, cancel, working)
    });
    writer.release(selected.number, &selected.entries);
    match &result {
        Ok(record) => {
            let bytes = record.get("bytes_written").and_then(serde_json::Value::as_u64).unwrap_or(0);
            writer.store.counters.merged(begun.elapsed(), bytes);
            tracing::info!(segment, docs = %record["docs"], "merged");
            observer.notify(&MergeEvent::Finished { segment, record: record.clone() });
        }
        Err(error) => {
            writer.store.counters.failed_merges.add(1);
            let cancelled = cancel.is_cancelled();
            tracing::warn!(segment, %error, "a merge did not finish; nothing has changed");
            observer.notify(&MergeEvent::Failed { segment, error: error.to_string(), cancelled });
        }
    }
    result
}

fn merge_and_replace(
    writer: &Arc<WriterInner>,
    selected: &SelectedMerge,
    cancel: &Cancel,
    working: Working,
) -> Result<Report> {
    let sources = selected.sources();
    if sources.iter().zip(&selected.deleted).all(|(source, gone)| gone.count() == source.reader.max_doc()) {
        return replace(writer, selected, None, &[]).map(|()| Report::Null); // Nothing is left of them.
    }
    let (store, options, name) = (&writer.store, &writer.options, selected.name());
    let rate = options.merge_bytes_per_second;
    let folder: Arc<dyn Directory> = Arc::clone(&writer.directory) as _;
    let throttled = ThrottledDirectory::new(folder, rate, cancel.clone());
    let files = NewFiles::new(&throttled);
    let progress = ProgressAdapter { observer: &options.merge_observer, segment: &name };
    let write = SegmentWrite {
        directory: &files,
        registry: &store.registry,
        pins: &store.pins,
        schema: &writer.schema(),
        name: &name,
        id: writer.segment_id(selected.number)?,
        seed: writer.seed(),
        threads: options.threads,
        working,
        cancel,
        progress: &progress,
    };
    let kept = if options.seed.is_some() { MergeRecord::Reproducible } else { MergeRecord::Timed };
    let Merged { reader, docs, mut record } = merge::merge(&write, &files, &sources, kept)?;
    cancel.check()?;
    if let Some(all) = record.get_mut("bytes_written") {
        *all = throttled.written().into(); // With the segment info itself.
    }
    let state = SegmentState::committed(None, None);
    let position = selected.entries.first().map_or(0, |entry| entry.position);
    let merged = SegmentEntry { reader: Arc::new(reader), state: Arc::new(state), position };
    replace(writer, selected, Some(merged), &docs)?;
    files.keep();
    Ok(record)
}

/// Puts the merged segment in its sources' place, with the deletes that arrived meanwhile.
fn replace(
    writer: &Arc<WriterInner>,
    selected: &SelectedMerge,
    merged: Option<SegmentEntry>,
    docs: &[lucerne_codec::DocMap],
) -> Result<()> {
    let _exclusive = writer.commit_barrier.write();
    writer.check_open()?;
    let mut list = writer.segments.lock();
    let is_source =
        |entry: &SegmentEntry| selected.entries.iter().any(|old| Arc::ptr_eq(&old.state, &entry.state));
    if list.segments.iter().filter(|entry| is_source(entry)).count() != selected.entries.len() {
        return Err(Error::Cancelled); // Rolled back meanwhile.
    }
    for ((entry, before), docs) in selected.entries.iter().zip(&selected.deleted).zip(docs) {
        let now = entry.state.deleted();
        let Some(merged) = &merged else { break };
        writer.moves.record(&entry.state, docs, &merged.state);
        if now.count() == before.count() {
            continue;
        }
        let late = (0..entry.reader.max_doc()).filter(|&doc| now.contains(doc) && !before.contains(doc));
        late.filter_map(|doc| docs.get(doc)).for_each(|doc| merged.state.delete(doc));
    }
    list.replace(is_source, merged);
    Ok(())
}

/// Passes the progress of a merge on to the observer.
struct ProgressAdapter<'a> {
    observer: &'a MergeObserver,
    segment: &'a str,
}

impl Progress for ProgressAdapter<'_> {
    fn report(&self, phase: &'static str, done: u64, total: u64) {
        self.observer.notify(&MergeEvent::Progress { segment: self.segment.to_owned(), phase, done, total });
    }
}
