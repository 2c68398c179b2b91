//! Deletes and updates of all documents that match a query.
//!
//! What matches is found in a snapshot, beside other writes and merges. The deletes, and the new versions of updated
//! documents, take effect at one point in time: a refresh, commit or rollback sees all of them or none.

use super::kept::{changed, check_update, read_segment};
use super::moves::Watch;
use super::segment_state::SegmentState;
use super::shared::WriterInner;
use super::staged::{Found, Replaced, Staged};
use crate::document::Update;
use crate::error::Result;
use crate::query::Query;
use crate::reader::Snapshot;
use crate::search::matches;
use lucerne_codec::{BitSet, Cancel, Progress};
use std::sync::Arc;
use std::sync::atomic::Ordering;

/// Documents updated between two reports of progress.
const PROGRESS_STEP: u64 = 256;

/// What [`Writer::delete_by_query`](super::Writer::delete_by_query) or
/// [`Writer::update_by_query`](super::Writer::update_by_query) has done: `matched` is the sum of the three below it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ByQueryReport {
    /// Documents that match the query.
    pub matched: u64,
    /// Documents that were deleted or updated.
    pub changed: u64,
    /// Documents that an update leaves as they are, because they have these values already.
    pub unchanged: u64,
    /// Documents that another thread replaced or deleted meanwhile, or that were rolled back. They stay as it left them.
    pub skipped: u64,
    /// In a dynamic schema: fields that the query names, but neither the schema nor any document has. They may be
    /// misspelt.
    pub unknown_fields: Vec<String>,
}

/// The documents found, and where they were.
struct Candidates {
    snapshot: Snapshot,
    states: Vec<Arc<SegmentState>>,
    docs: Vec<BitSet>,
    unknown_fields: Vec<String>,
}

fn find(writer: &WriterInner, query: Query, cancel: &Cancel) -> Result<Candidates> {
    let (snapshot, states) = writer.private_snapshot()?;
    let found = matches(&writer.store, &snapshot, query, cancel)?;
    Ok(Candidates { snapshot, states, docs: found.segments, unknown_fields: found.unknown_fields })
}

impl Candidates {
    fn report(&self) -> ByQueryReport {
        let matched = self.docs.iter().map(|docs| u64::from(docs.count())).sum();
        ByQueryReport { matched, unknown_fields: self.unknown_fields.clone(), ..ByQueryReport::default() }
    }
}

/// Deletes what matches.
pub(super) fn delete(writer: &WriterInner, query: Query, cancel: &Cancel) -> Result<ByQueryReport> {
    let watch = writer.moves.watch();
    let found = find(writer, query, cancel)?;
    let mut report = found.report();
    let _exclusive = writer.commit_barrier.write();
    writer.check_takes_writes()?;
    report.changed =
        found.states.iter().zip(&found.docs).map(|(state, docs)| deleted(writer, &watch, state, docs)).sum();
    report.skipped = report.matched - report.changed;
    writer.store.counters.documents_deleted.add(report.changed);
    writer.changes.fetch_add(report.changed, Ordering::Relaxed);
    Ok(report)
}

/// Deletes the documents of a segment that are still there; returns how many those are.
fn deleted(writer: &WriterInner, watch: &Watch<'_>, state: &Arc<SegmentState>, docs: &BitSet) -> u64 {
    let route = watch.route(state);
    match writer.segments().iter().any(|entry| Arc::ptr_eq(&entry.state, &route.end)) {
        true => route.end.delete_all(docs.iter().filter_map(|doc| route.doc(doc))).into(),
        false => 0,
    }
}

/// Updates what matches.
pub(super) fn update(
    writer: &WriterInner,
    query: Query,
    update: &Update,
    cancel: &Cancel,
    progress: &dyn Progress,
) -> Result<ByQueryReport> {
    let watch = writer.moves.watch();
    let found = find(writer, query, cancel)?;
    let (mut report, schema) = (found.report(), &found.snapshot.schema);
    check_update(schema, None, update)?;
    let (mut staged, mut done) = (Staged::new(writer, schema), 0);
    for (segment, docs) in found.docs.iter().enumerate() {
        let Some(reader) = found.snapshot.segments.get(segment).map(|segment| &segment.reader) else {
            continue;
        };
        for doc in docs.iter() {
            cancel.check()?;
            if done % PROGRESS_STEP == 0 {
                progress.report("update", done, report.matched);
            }
            done += 1;
            let key = reader.keys().key(doc)?;
            let mut document = read_segment(schema, reader, doc)?.document(schema)?;
            if !changed(update, &mut document, key)? {
                report.unchanged += 1;
                continue;
            }
            let validated = writer.validate(schema, &document)?;
            staged.push(Found { segment, doc }, key, &validated)?;
        }
    }
    progress.report("update", done, report.matched);
    let Replaced { changed, skipped } = staged.publish(&found.states, &watch)?;
    (report.changed, report.skipped) = (changed, skipped);
    Ok(report)
}
