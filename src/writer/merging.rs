//! Merges of a writer's segments: proposing, running, and putting the result in its sources' place.

use super::core::Core;
use super::flush;
use super::slot::{Deleted, Slot};
use super::state::Entry;
use crate::commit::manifest;
use crate::error::{Error, Result};
use crate::merge::{
    self, Intention, MergeEvent, MergeObserver, Merged, SegmentMeta, Source, Task, ThrottledDirectory,
};
use lucerne_codec::{Cancel, Progress, Report};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

/// A merge that has been decided on: its sources as they were then.
struct Chosen {
    number: u64,
    entries: Vec<Entry>,
    deleted: Vec<Deleted>,
    bytes: u64,
}

impl Chosen {
    fn name(&self) -> String {
        manifest::segment_name(self.number)
    }

    fn sources(&self) -> Vec<Source> {
        let sources = self.entries.iter().zip(&self.deleted).map(|(entry, deleted)| Source {
            reader: Arc::clone(&entry.reader),
            live: deleted.live(entry.reader.max_doc()),
        });
        sources.collect()
    }
}

/// Starts the merges that the policy wants, as far as there is room.
pub(crate) fn consider(core: &Arc<Core>) {
    if core.forcing.load(Ordering::Relaxed) {
        return;
    }
    if core.scheduler.is_inline() {
        while let Some(chosen) = choose(core, |metas| core.options.merge_policy.natural(metas)) {
            if run(core, &chosen, &core.cancel.clone()).is_err() {
                return;
            }
        }
        return;
    }
    while core.scheduler.room() > 0 && core.alive().is_ok() {
        let Some(chosen) = choose(core, |metas| core.options.merge_policy.natural(metas)) else { return };
        let (bytes, cancel, owner) = (chosen.bytes, Cancel::new(), Arc::downgrade(core));
        let (number, sources) = (chosen.number, chosen.entries.clone());
        let own = cancel.clone();
        let started = core.scheduler.spawn(bytes, cancel, move || {
            let Some(core) = owner.upgrade() else { return };
            if run(&core, &chosen, &own).is_ok() {
                consider(&core);
            }
        });
        if !started {
            core.release(number, &sources);
        }
    }
}

/// Makes threads that add documents wait while merges cannot keep up.
pub(crate) fn slow_down(core: &Arc<Core>) {
    if core.scheduler.is_inline() || core.scheduler.room() > 0 {
        return;
    }
    let behind = || {
        let metas = core.free_segments();
        core.scheduler.room() == 0 && !core.options.merge_policy.natural(&metas).is_empty()
    };
    if !behind() {
        return;
    }
    let running = core.scheduler.running();
    tracing::info!(running, "merges cannot keep up; writers wait");
    core.options.merge_observer.tell(&MergeEvent::WriterSlowed { running });
    while core.alive().is_ok() && behind() {
        core.scheduler.wait_for_change(Duration::from_millis(250));
    }
}

/// Runs merges until `wanted` asks for no more; each is reported to the observer. Waits for background
/// merges that are under way first.
pub(crate) fn run_all(
    core: &Arc<Core>,
    cancel: &Cancel,
    wanted: impl Fn(&[SegmentMeta]) -> Vec<Intention>,
) -> Result<Vec<Report>> {
    core.forcing.store(true, Ordering::Relaxed);
    core.scheduler.wait_until_idle();
    // As many as are wanted now: what is written meanwhile is not waited for.
    let rounds = wanted(&core.free_segments()).len();
    let merges = (0..rounds).map_while(|_| choose(core, &wanted));
    let records = merges.map(|chosen| run(core, &chosen, cancel)).collect();
    core.forcing.store(false, Ordering::Relaxed);
    records
}

/// What forced merges would do now, without doing it.
pub(crate) fn plan_all(
    core: &Arc<Core>,
    wanted: impl Fn(&[SegmentMeta]) -> Vec<Intention>,
) -> Result<Vec<Report>> {
    let intentions = wanted(&core.free_segments());
    let plans = intentions.iter().map(|intention| {
        let ready = core.ready();
        let named = |entry: &&Entry| intention.segments.iter().any(|name| name == entry.reader.name());
        let sources: Vec<Source> = ready
            .iter()
            .filter(named)
            .map(|entry| Source {
                reader: Arc::clone(&entry.reader),
                live: entry.slot.deleted().live(entry.reader.max_doc()),
            })
            .collect();
        merge::plan(&core.store.registry, &core.schema(), &sources)
    });
    plans.collect()
}

/// The first merge wanted, its sources marked as being merged.
fn choose(core: &Arc<Core>, wanted: impl Fn(&[SegmentMeta]) -> Vec<Intention>) -> Option<Chosen> {
    // One at a time, so that no segment is chosen twice.
    let _choosing = core.choosing.lock();
    let intention = wanted(&core.free_segments()).into_iter().next()?;
    let named = |entry: &&Entry| intention.segments.iter().any(|name| name == entry.reader.name());
    let entries: Vec<Entry> = core.ready().iter().filter(named).cloned().collect();
    if entries.len() != intention.segments.len() {
        return None; // Rolled back meanwhile.
    }
    entries.iter().for_each(|entry| entry.slot.merging.store(true, Ordering::Relaxed));
    let deleted = entries.iter().map(|entry| entry.slot.deleted()).collect();
    Some(Chosen { number: core.take_segment_number(), entries, deleted, bytes: intention.bytes })
}

/// Runs one merge to its end and returns its record.
fn run(core: &Arc<Core>, chosen: &Chosen, cancel: &Cancel) -> Result<Report> {
    let observer = &core.options.merge_observer;
    let segment = chosen.name();
    let names = chosen.entries.iter().map(|entry| entry.reader.name().to_owned());
    observer.tell(&MergeEvent::Started {
        segment: segment.clone(),
        sources: names.collect(),
        bytes: chosen.bytes,
    });
    let result = merge_and_replace(core, chosen, cancel);
    core.release(chosen.number, &chosen.entries);
    match &result {
        Ok(record) => {
            tracing::info!(segment, docs = %record["docs"], "merged");
            observer.tell(&MergeEvent::Finished { segment, record: record.clone() });
        }
        Err(error) => {
            flush::discard(&*core.store.directory, &segment);
            let cancelled = cancel.is_cancelled();
            tracing::warn!(segment, %error, "a merge did not finish; nothing has changed");
            observer.tell(&MergeEvent::Failed { segment, error: error.to_string(), cancelled });
        }
    }
    result
}

fn merge_and_replace(core: &Arc<Core>, chosen: &Chosen, cancel: &Cancel) -> Result<Report> {
    let sources = chosen.sources();
    if sources.iter().zip(&chosen.deleted).all(|(source, gone)| gone.count() == source.reader.max_doc()) {
        return replace(core, chosen, None, &[]).map(|()| Report::Null); // Nothing is left of them.
    }
    let (store, options, name) = (&core.store, &core.options, chosen.name());
    let rate = options.merge_bytes_per_second;
    let directory = ThrottledDirectory::new(Arc::clone(&store.directory), rate, cancel.clone());
    let progress = Told { observer: &options.merge_observer, segment: &name };
    let task = Task {
        directory: &directory,
        registry: &store.registry,
        pins: &store.pins,
        schema: &core.schema(),
        name: &name,
        id: core.segment_id(chosen.number)?,
        seed: core.seed(),
        threads: options.threads,
        cancel,
        progress: &progress,
        reproducible: options.seed.is_some(),
    };
    let Merged { reader, docs, mut record } = merge::merge(&task, &sources)?;
    cancel.check()?;
    if let Some(all) = record.get_mut("bytes_written") {
        *all = directory.written().into(); // With the segment info itself.
    }
    let slot = Slot::default();
    slot.findable.store(true, Ordering::Relaxed);
    let sequence = chosen.entries.first().map_or(0, |entry| entry.sequence);
    let merged = Entry { reader: Arc::new(reader), slot: Arc::new(slot), sequence };
    replace(core, chosen, Some(merged), &docs)?;
    Ok(record)
}

/// Puts the merged segment in its sources' place, with the deletes that arrived meanwhile.
fn replace(
    core: &Arc<Core>,
    chosen: &Chosen,
    merged: Option<Entry>,
    docs: &[lucerne_codec::DocMap],
) -> Result<()> {
    let _alone = core.gate.write();
    core.alive()?;
    let mut state = core.state.lock();
    let is_source = |entry: &Entry| chosen.entries.iter().any(|old| Arc::ptr_eq(&old.slot, &entry.slot));
    if state.ready.iter().filter(|entry| is_source(entry)).count() != chosen.entries.len() {
        return Err(Error::Cancelled); // Rolled back meanwhile.
    }
    for ((entry, before), docs) in chosen.entries.iter().zip(&chosen.deleted).zip(docs) {
        let now = entry.slot.deleted();
        let Some(merged) = &merged else { break };
        if now.count() == before.count() {
            continue;
        }
        let late = (0..entry.reader.max_doc()).filter(|&doc| now.contains(doc) && !before.contains(doc));
        late.filter_map(|doc| docs.get(doc)).for_each(|doc| merged.slot.delete(doc));
    }
    state.replace_ready(is_source, merged);
    Ok(())
}

/// Tells the observer how far a merge has come.
struct Told<'a> {
    observer: &'a MergeObserver,
    segment: &'a str,
}

impl Progress for Told<'_> {
    fn report(&self, phase: &'static str, done: u64, total: u64) {
        self.observer.tell(&MergeEvent::Progress { segment: self.segment.to_owned(), phase, done, total });
    }
}
