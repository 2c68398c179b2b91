//! What a forced merge would do, told without a writer.

use crate::error::Result;
use crate::merge::{self, MergeCandidate, SegmentMeta, Source};
use crate::reader::SnapshotSegment;
use crate::search::Searcher;
use lucerne_codec::Report;
use std::sync::Arc;

/// What [`Writer::force_merge`](crate::Writer::force_merge) would do with the segments of a searcher's point in time: a plan
/// for each merge, as [`Writer::plan_force_merge`](crate::Writer::plan_force_merge) returns. Nothing is locked and nothing
/// is written.
///
/// ```
/// # let folder = tempfile::tempdir().unwrap();
/// # let path = folder.path();
/// use lucerne::{Document, Index, Schema, admin};
///
/// let index = Index::create(path, Schema::builder().build()?)?;
/// let writer = index.writer()?;
/// for _ in 0..2 {
///     writer.add(&Document::new())?;
///     writer.commit()?; // a segment each
/// }
/// let plan = admin::plan_force_merge(&index.searcher()?, 1)?;
/// assert_eq!((plan.len(), &plan[0]["docs"]), (1, &2.into()));
/// # Ok::<(), lucerne::Error>(())
/// ```
///
/// # Errors
/// When a segment cannot be read.
pub fn plan_force_merge(searcher: &Searcher, max_segments: usize) -> Result<Vec<Report>> {
    plan(searcher, |segments| merge::force_merge(segments, max_segments))
}

/// Merges that leave at most `max_segments` segments of about the same size, for as many processes: no two have a source
/// in common. A plan for each, as [`plan_force_merge`] returns; [`merge_segments`](crate::transfer::merge_segments) does
/// what one says.
///
/// # Errors
/// When a segment cannot be read.
pub fn plan_even_merges(searcher: &Searcher, max_segments: usize) -> Result<Vec<Report>> {
    plan(searcher, |segments| merge::even_merges(segments, max_segments))
}

/// What [`Writer::expunge_deletes`](crate::Writer::expunge_deletes) would do, as [`plan_force_merge`] does for forced merges.
///
/// # Errors
/// When a segment cannot be read.
pub fn plan_expunge_deletes(searcher: &Searcher, above: f64) -> Result<Vec<Report>> {
    plan(searcher, |segments| merge::expunge_deletes(segments, above))
}

/// What [`Writer::upgrade`](crate::Writer::upgrade) would do, as [`plan_force_merge`] does for forced merges.
///
/// # Errors
/// When a segment cannot be read.
pub fn plan_upgrade(searcher: &Searcher) -> Result<Vec<Report>> {
    plan(searcher, merge::upgrade)
}

fn plan(searcher: &Searcher, find: impl Fn(&[SegmentMeta]) -> Vec<MergeCandidate>) -> Result<Vec<Report>> {
    let snapshot = searcher.snapshot();
    let (registry, schema) = (&snapshot.commit.registry, &snapshot.schema);
    let meta = |segment: &SnapshotSegment| {
        let deleted = segment.reader.max_doc() - segment.live_docs();
        merge::segment_meta(registry, schema, &segment.reader, deleted)
    };
    let metas: Vec<SegmentMeta> = snapshot.segments.iter().map(meta).collect();
    let candidates = find(&metas);
    let plans = candidates.iter().map(|candidate| {
        let chosen = snapshot.segments.iter();
        let chosen = chosen.filter(|segment| candidate.segments.iter().any(|it| it == segment.reader.name()));
        let sources: Vec<Source> = chosen.map(source).collect();
        merge::plan(registry, schema, &sources)
    });
    plans.collect()
}

fn source(segment: &SnapshotSegment) -> Source {
    Source { reader: Arc::clone(&segment.reader), live: segment.live.as_deref().cloned() }
}
