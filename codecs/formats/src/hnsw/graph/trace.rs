//! One search that shows what searches with fewer candidates would have found.
//!
//! A search expands the nearest candidate it knows, however many it keeps: so a search that keeps fewer is the beginning of
//! one that keeps more (but for the second node of two that are expanded together). Measuring recall for many numbers of
//! candidates takes one search.

use super::GraphView;
use super::search::{GraphSearcher, SearchParams, Walk};
use crate::distance::DistanceComputer;
use lucerne_codec::{Ordinal, Result};

/// Nodes that [`GraphSearcher::go_on_around`] expands without finding one of the nearest before it ends.
const FRUITLESS_AROUND: usize = 32;

impl<G: GraphView + ?Sized, D: DistanceComputer + ?Sized> GraphSearcher<'_, G, D> {
    /// Searches for the nearest `k` with `params`, and calls `visit` for each of `efs`, numbers of candidates that ascend to
    /// `params.ef`, with what [`GraphSearcher::search`] finds when it keeps so many, nearest first, and the distances it
    /// computes. Ends when `visit` returns false, and before the first search that takes more than the budget.
    pub fn trace(
        &mut self,
        k: usize,
        params: SearchParams,
        efs: &[usize],
        mut visit: impl FnMut(&[(f32, Ordinal)], u64) -> Result<bool>,
    ) -> Result<()> {
        let (mut pending, mut found) = (efs.iter().copied().peekable(), Vec::new());
        let stats = self.walk(k, params, |at| {
            while let Some(ef) = pending.next_if(|&ef| at.is_expanded(ef) || at.is_out_of_patience(ef)) {
                at.queue.nearest(ef, &mut found);
                if !visit(&found, at.visited)? {
                    pending = [].iter().copied().peekable();
                }
            }
            Ok(pending.peek().is_none())
        })?;
        if stats.complete {
            // All candidates are expanded.
            for ef in pending {
                self.scratch.queue.nearest(ef, &mut found);
                if !visit(&found, stats.visited)? {
                    break;
                }
            }
        }
        Ok(())
    }

    /// Goes on where [`GraphSearcher::trace`] has ended, from the links of the node that it did not see: these lead to what is
    /// near the query and not on its way. Puts the nearest `count` of both searches into `out`.
    pub fn go_on_around(
        &mut self,
        hidden: Ordinal,
        k: usize,
        count: usize,
        out: &mut Vec<(f32, Ordinal)>,
    ) -> Result<()> {
        let mut links = Vec::new();
        self.graph.neighbors(0, hidden, &mut links);
        let mut is_done = |at: &mut Walk<'_>| Ok(at.fruitless > FRUITLESS_AROUND);
        self.search_from(&links, k, &mut 0, &mut is_done)?;
        self.scratch.queue.nearest(count, out);
        Ok(())
    }
}
