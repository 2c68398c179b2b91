//! The documents that may be among the best by inner product with a sparse vector, as far as their bounds tell.

use super::collector::TopDocsCollector;
use super::sparse_lists::SparseLists;
use lucerne_codec::{DocId, Result};
use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// Documents that are scored between two looks at the cancel flag.
const CANCEL_STEP: u32 = 64;
/// Candidates that are kept beside the best until those are left out that no longer may be among them.
const SPARE: usize = 256;

/// Documents with their bounds.
///
/// A bound is above the score by no more than is known, so the k best bounds say what a document needs: without reading a
/// row until the end, and then few more than k.
pub(super) struct SparseCandidates<'r, 'a> {
    lists: &'r SparseLists<'a>,
    /// The greatest bounds, at most `k`.
    best: BinaryHeap<Reverse<u32>>,
    k: usize,
    least: u32,
    found: Vec<(u32, DocId)>,
    /// So many are too many.
    full: usize,
}

impl<'r, 'a> SparseCandidates<'r, 'a> {
    /// Candidates for a collector.
    pub(super) fn new(lists: &'r SparseLists<'a>, collector: &TopDocsCollector<'_>) -> Self {
        let least = lists.bound_of(collector.min_competitive_score());
        let k = collector.wanted().0;
        let best = BinaryHeap::with_capacity(k.min(SPARE));
        Self { lists, best, k, least, found: Vec::with_capacity(SPARE), full: SPARE }
    }

    /// The bound that a document needs; at least 1.
    #[inline]
    pub(super) fn least(&self) -> u32 {
        self.least
    }

    /// Adds a document that is accepted.
    pub(super) fn offer(&mut self, bound: u32, doc: DocId) {
        if bound < self.least {
            return;
        }
        self.found.push((bound, doc));
        if self.best.len() < self.k {
            self.best.push(Reverse(bound));
        } else if let Some(mut last) = self.best.peek_mut()
            && bound > last.0
        {
            *last = Reverse(bound);
        } else {
            return;
        }
        if self.best.len() == self.k
            && let Some(Reverse(last)) = self.best.peek()
        {
            self.least = self.least.max(self.lists.bound_of(self.lists.least_score_of(*last)));
        }
        if self.found.len() >= self.full {
            self.found.retain(|(bound, _)| *bound >= self.least);
            self.full = self.found.len() * 2 + SPARE;
        }
    }

    /// Scores by their rows those that may be among the best, the highest bound first.
    pub(super) fn collect(mut self, collector: &mut TopDocsCollector<'_>) -> Result<()> {
        self.found.retain(|(bound, _)| *bound >= self.least);
        self.found.sort_unstable_by(|left, right| right.0.cmp(&left.0).then(left.1.cmp(&right.1)));
        for (done, (bound, doc)) in (0..).zip(&self.found) {
            collector.check_cancelled_every(CANCEL_STEP, done)?;
            if *bound < self.lists.bound_of(collector.min_competitive_score()) {
                break;
            }
            collector.collect(*doc, self.lists.score(*doc)?);
        }
        Ok(())
    }
}
