//! Where merges put documents, for calls that found some before the merge and change them after it.

use super::segment_state::SegmentState;
use lucerne_codec::{DocId, DocMap};
use parking_lot::Mutex;
use std::sync::Arc;

/// The documents of a segment, moved to the one that it was merged into.
#[derive(Debug)]
struct Move {
    from: Arc<SegmentState>,
    docs: DocMap,
    to: Arc<SegmentState>,
}

#[derive(Debug, Default)]
struct Log {
    watches: usize,
    moves: Vec<Arc<Move>>,
}

/// What merges have moved while somebody watched, in order. Kept in memory for as long: 4 bytes for each document of a
/// merge.
#[derive(Debug, Default)]
pub(crate) struct Moves(Mutex<Log>);

impl Moves {
    /// Follows all documents from now on.
    pub(super) fn watch(&self) -> Watch<'_> {
        self.0.lock().watches += 1;
        Watch(self)
    }

    /// Notes that documents have moved. With the commit barrier held exclusively.
    pub(super) fn record(&self, from: &Arc<SegmentState>, docs: &DocMap, to: &Arc<SegmentState>) {
        let mut log = self.0.lock();
        if log.watches > 0 {
            let (from, docs, to) = (Arc::clone(from), docs.clone(), Arc::clone(to));
            log.moves.push(Arc::new(Move { from, docs, to }));
        }
    }
}

/// Knows where documents have gone since it was made.
pub(super) struct Watch<'a>(&'a Moves);

impl Watch<'_> {
    /// Where the documents of a segment have gone by now.
    pub(super) fn route(&self, from: &Arc<SegmentState>) -> Route {
        let mut route = Route { moves: Vec::new(), end: Arc::clone(from) };
        for moved in &self.0.0.lock().moves {
            if Arc::ptr_eq(&moved.from, &route.end) {
                route.end = Arc::clone(&moved.to);
                route.moves.push(Arc::clone(moved));
            }
        }
        route
    }
}

impl Drop for Watch<'_> {
    fn drop(&mut self) {
        let mut log = self.0.0.lock();
        log.watches -= 1;
        if log.watches == 0 {
            log.moves = Vec::new();
        }
    }
}

/// The merges that the documents of a segment went through.
pub(super) struct Route {
    moves: Vec<Arc<Move>>,
    /// Where they are now, unless they were rolled back.
    pub(super) end: Arc<SegmentState>,
}

impl Route {
    /// A document's id at the end of the route; `None` when it was deleted before a merge.
    pub(super) fn doc(&self, doc: DocId) -> Option<DocId> {
        self.moves.iter().try_fold(doc, |doc, moved| moved.docs.get(doc))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn documents_are_followed_through_all_merges_and_forgotten_after_the_last_watch() {
        let state = || Arc::new(SegmentState::default());
        let (a, b, c, other) = (state(), state(), state(), state());
        let map = |ids: &[Option<DocId>]| DocMap::new(ids.iter().copied());
        let moves = Moves::default();
        moves.record(&a, &map(&[Some(9)]), &b); // Nobody watches.
        let watch = moves.watch();
        moves.record(&a, &map(&[Some(1), None, Some(0)]), &b);
        moves.record(&other, &map(&[Some(2)]), &b);
        moves.record(&b, &map(&[None, Some(4), Some(5)]), &c);
        let route = watch.route(&a);
        assert!(Arc::ptr_eq(&route.end, &c));
        assert_eq!([0, 1, 2, 7].map(|doc| route.doc(doc)), [Some(4), None, None, None]);
        assert_eq!(watch.route(&other).doc(0), Some(5));
        assert_eq!(watch.route(&c).doc(3), Some(3));
        drop((watch, moves.watch()));
        assert!(moves.0.lock().moves.is_empty());
    }
}
