//! The heap that a search takes, before it runs: what a ceiling on memory is told.

use crate::query::Search;
use crate::reader::Snapshot;

/// What any search takes: queues, dictionaries, the state of cursors.
const LEAST: u64 = 256 << 10;
/// Sets of documents of a bit each: visited nodes, a filter, what matches, one that is being made.
const SETS: u64 = 4;
/// A match that is kept for sorting, grouping or aggregating: place, score, value.
const BYTES_PER_MATCH: u64 = 24;
/// A hit with its stored fields, as far as these are usual.
const BYTES_PER_HIT: u64 = 4 << 10;

/// About the most bytes that a search takes, on one thread. Values that the hits return are not known yet.
pub(super) fn heap(snapshot: &Snapshot, search: &Search) -> u64 {
    let docs: u64 = snapshot.segments.iter().map(|segment| u64::from(segment.reader.max_doc())).sum();
    let keeps_all = !search.sort.is_empty() || !search.aggs.is_empty() || search.collapse.is_some();
    let matches = if keeps_all { docs * BYTES_PER_MATCH } else { 0 };
    let hits = (search.offset as u64).saturating_add(search.limit as u64).saturating_mul(32)
        + search.limit as u64 * BYTES_PER_HIT;
    LEAST + docs.div_ceil(8) * SETS + matches + hits
}
