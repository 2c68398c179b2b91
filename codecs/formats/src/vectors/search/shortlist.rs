//! The nearest of many vectors by cheap distances, to be compared better.

use super::request::Search;
use lucerne_codec::{Neighbor, Ordinal, Result, ordered, top_k};

/// The buffer is cut once it has so many times the vectors wanted: often enough that few are buffered for nothing, and seldom
/// enough that cutting costs less than a heap.
const BUFFERED: usize = 4;

/// Keeps the nearest vectors, and all that tie with the last of them.
pub(super) struct Shortlist {
    len: usize,
    /// Distances in the order of their bits, and ordinals below them.
    kept: Vec<u64>,
    /// At this length the buffer is cut.
    cut_at: usize,
    threshold: f32,
}

impl Shortlist {
    /// Keeps `len`, at least one.
    pub(super) fn new(len: usize) -> Self {
        let cut_at = len.saturating_mul(BUFFERED);
        Self { len, kept: Vec::new(), cut_at, threshold: f32::INFINITY }
    }

    /// How many it keeps.
    pub(super) fn len(&self) -> usize {
        self.len
    }

    /// The distance that a vector must not exceed to be kept.
    #[inline]
    pub(super) fn threshold(&self) -> f32 {
        self.threshold
    }

    /// Keeps a vector whose distance does not exceed the threshold.
    #[inline]
    pub(super) fn keep(&mut self, distance: f32, ordinal: Ordinal) {
        self.kept.push(u64::from(ordered::from_f32(distance)) << 32 | u64::from(ordinal));
        if self.kept.len() >= self.cut_at {
            self.cut();
            // Where most tie, they are not looked through again and again.
            self.cut_at = self.cut_at.max(self.kept.len().saturating_mul(2));
        }
    }

    fn cut(&mut self) {
        if self.kept.len() > self.len {
            let (_, &mut last, _) = self.kept.select_nth_unstable(self.len.saturating_sub(1));
            self.kept.retain(|kept| kept >> 32 <= last >> 32);
            self.threshold = distance(last);
        }
    }

    /// Replaces the content of `found` by the nearest that are accepted, in no order; ties for the last place are decided as
    /// those of a result.
    pub(super) fn finish(mut self, search: &Search<'_>, found: &mut Vec<(f32, Ordinal)>) -> Result<()> {
        self.cut();
        found.clear();
        let kept = self.kept.iter().map(|&kept| (distance(kept), kept as Ordinal));
        // Only now: a look at the documents of all that were ever near would be a wait for memory each.
        let kept = kept.filter(|&(_, ordinal)| search.accepts(ordinal));
        if self.kept.len() <= self.len {
            found.extend(kept);
            return Ok(());
        }
        let map = &search.segment.map;
        let neighbor = |(distance, ordinal)| map.doc(ordinal).map(|doc| Neighbor { distance, ordinal, doc });
        let mut neighbors = kept.map(neighbor).collect::<Result<Vec<Neighbor>>>()?;
        neighbors.sort_unstable_by(|left, right| top_k::order(left, right, search.request.ties));
        found.extend(neighbors.iter().take(self.len).map(|kept| (kept.distance, kept.ordinal)));
        Ok(())
    }
}

fn distance(kept: u64) -> f32 {
    ordered::to_f32((kept >> 32) as u32)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_and_their_ties_are_kept() {
        for (len, count, values) in [(1, 50, 3), (10, 2_000, 7), (10, 5, 2), (64, 4_000, 900), (7, 0, 1)] {
            let of = |ordinal: u32| ((ordinal.wrapping_mul(2_654_435_761) >> 8) % values) as f32 - 2.0;
            let mut shortlist = Shortlist::new(len);
            for ordinal in 0..count {
                if of(ordinal) <= shortlist.threshold() {
                    shortlist.keep(of(ordinal), ordinal);
                }
            }
            shortlist.cut();
            let mut kept: Vec<(f32, u32)> =
                shortlist.kept.iter().map(|&kept| (distance(kept), kept as u32)).collect();
            let mut all: Vec<(f32, u32)> = (0..count).map(|ordinal| (of(ordinal), ordinal)).collect();
            let order = |a: &(f32, u32), b: &(f32, u32)| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1));
            kept.sort_by(order);
            all.sort_by(order);
            let last = all.iter().take(len).next_back().map(|last| last.0);
            all.retain(|one| last.is_some_and(|last| one.0 <= last));
            assert_eq!(kept, all, "{len} of {count}");
        }
    }
}
