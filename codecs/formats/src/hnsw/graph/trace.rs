//! One search that shows what searches with fewer candidates would have found.
//!
//! A search expands the nearest candidate it knows, however many it keeps: so a search that keeps fewer is the beginning of
//! one that keeps more (but for the second node of two that are expanded together). Measuring recall for many numbers of
//! candidates takes one search.

use super::GraphView;
use super::search::{GraphSearcher, SearchParams};
use crate::distance::DistanceComputer;
use lucerne_codec::{Ordinal, Result};

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
}
