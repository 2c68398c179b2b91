//! The first pass: the documents of a query, best first.

use super::hits::SegmentSearch;
use super::knn::{self, key_order};
use super::node::Node;
use super::resolve::Resolver;
use super::{filter, fuse, score};
use crate::error::Result;
use crate::query::Query;
use crate::reader::{Snapshot, SnapshotSegment};
use lucerne_codec::{Accept, BitSet, DocId, Neighbor};

/// A document with its score.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ranked {
    /// Position of its segment in the snapshot.
    pub(super) segment: usize,
    pub(super) doc: DocId,
    pub(super) score: f32,
    /// The vector it was found by, if it was.
    pub(super) nearest: Option<Nearest>,
}

/// A vector near the query's.
#[derive(Clone, Copy, Debug)]
pub(super) struct Nearest {
    /// The vector field's number.
    pub(super) field: u32,
    pub(super) neighbor: Neighbor,
}

/// What a first pass has found.
pub(super) struct Pass {
    /// Best first, ties in the order of keys.
    pub(super) ranked: Vec<Ranked>,
    /// False when distances are estimates from codes.
    pub(super) exact: bool,
    pub(super) segments: Vec<SegmentSearch>,
}

impl Pass {
    pub(super) fn of(ranked: Vec<Ranked>) -> Self {
        Self { ranked, exact: true, segments: Vec::new() }
    }
}

/// The best of a query among the documents of the resolver's filter: all neighbours of a kNN query, all
/// documents of a fusion, else `wanted`.
pub(super) fn first_pass(resolver: &Resolver<'_>, query: &Query, wanted: usize) -> Result<Pass> {
    match query {
        Query::Knn(query) => {
            let result = knn::search(resolver, query)?;
            Ok(Pass { ranked: result.ranked(), exact: result.exact, segments: result.segments })
        }
        Query::Fuse(query) => fuse::fuse(resolver, query),
        query => {
            let node = resolver.resolve(query)?;
            best(resolver.snapshot, &node, resolver.filter, wanted)
        }
    }
}

/// The `wanted` best documents of a node.
pub(super) fn best(snapshot: &Snapshot, node: &Node, filter: Option<&Node>, wanted: usize) -> Result<Pass> {
    let (mut ranked, mut segments): (Vec<Ranked>, Vec<SegmentSearch>) = (Vec::new(), Vec::new());
    for (index, segment) in snapshot.segments.iter().enumerate() {
        let filtered = accepted(filter.as_slice(), index, segment)?;
        let accept = filtered.as_ref().map_or_else(|| segment.accept(), Accept::only);
        let ties = key_order(segment);
        // What has as many better ones in other segments need not be looked at. An equal score may still win.
        let floor = match ranked.get(wanted.wrapping_sub(1)) {
            Some(last) => last.score,
            None => f32::NEG_INFINITY,
        };
        let (found, visited) = score::top(node, index, segment, wanted, accept, &ties, floor)?;
        segments.push(SegmentSearch {
            segment: segment.reader.name().to_owned(),
            strategy: "terms",
            visited,
            accepted: accept.count(),
        });
        ranked.extend(found.into_iter().map(|(doc, score)| Ranked {
            segment: index,
            doc,
            score,
            nearest: None,
        }));
        best_first(snapshot, &mut ranked, wanted);
    }
    Ok(Pass { ranked, exact: true, segments })
}

/// Live documents of a segment that match all filters; `None` without any.
pub(super) fn accepted(filters: &[&Node], index: usize, segment: &SnapshotSegment) -> Result<Option<BitSet>> {
    let Some((first, others)) = filters.split_first() else { return Ok(None) };
    let mut docs = filter::matching(first, index, segment)?;
    for other in others {
        docs.intersect(&filter::matching(other, index, segment)?);
    }
    if let Some(live) = &segment.live {
        docs.intersect(live);
    }
    Ok(Some(docs))
}

/// Sorts by score, then key, and keeps the first `wanted`.
pub(super) fn best_first(snapshot: &Snapshot, ranked: &mut Vec<Ranked>, wanted: usize) {
    let key = |one: &Ranked| snapshot.segments.get(one.segment)?.reader.keys().key(one.doc).ok();
    ranked.sort_by(|left, right| right.score.total_cmp(&left.score).then_with(|| key(left).cmp(&key(right))));
    ranked.truncate(wanted);
}
