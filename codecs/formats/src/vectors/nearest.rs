//! The nearest of a stream by distance alone, with all that tie with the last of them.
//!
//! Where many are equally near, as among bits, most that are as near as the last one kept so far are not in the end.
//! Looking up their documents and comparing these costs more than a distance: it is left for those that remain.

use lucerne_codec::Ordinal;
use std::cmp::Ordering;
use std::collections::BinaryHeap;

/// As many of the found as this and `k` are not sifted again.
const FEW: usize = 256;

/// A distance that sorts.
#[derive(Clone, Copy, Debug)]
struct Distance(f32);

impl Ord for Distance {
    fn cmp(&self, other: &Self) -> Ordering {
        self.0.total_cmp(&other.0)
    }
}

impl PartialOrd for Distance {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Distance {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Distance {}

/// Keeps the `k` nearest and those as near as the last of them.
#[derive(Debug)]
pub(super) struct Nearest {
    k: usize,
    /// The `k` least distances, the largest first.
    least: BinaryHeap<Distance>,
    threshold: f32,
    found: Vec<(f32, Ordinal)>,
    /// Found that many, those that are too far by now are let go.
    sift_at: usize,
}

impl Nearest {
    pub(super) fn new(k: usize) -> Self {
        let threshold = if k == 0 { f32::NEG_INFINITY } else { f32::INFINITY };
        Self { k, least: BinaryHeap::new(), threshold, found: Vec::new(), sift_at: k.saturating_add(FEW) }
    }

    pub(super) fn wanted(&self) -> usize {
        self.k
    }

    /// The distance a vector must not exceed to be kept.
    #[inline]
    pub(super) fn threshold(&self) -> f32 {
        self.threshold
    }

    pub(super) fn offer(&mut self, distance: f32, ordinal: Ordinal) {
        if distance > self.threshold || self.k == 0 {
            return;
        }
        self.found.push((distance, ordinal));
        if self.least.len() < self.k {
            self.least.push(Distance(distance));
        } else if let Some(mut last) = self.least.peek_mut()
            && distance < last.0
        {
            *last = Distance(distance);
        }
        if self.least.len() == self.k {
            self.threshold = self.least.peek().map_or(f32::INFINITY, |last| last.0);
        }
        if self.found.len() >= self.sift_at {
            self.sift();
            self.sift_at = self.found.len().saturating_mul(2).max(self.k.saturating_add(FEW));
        }
    }

    fn sift(&mut self) {
        let threshold = self.threshold;
        self.found.retain(|found| found.0 <= threshold);
    }

    /// Those that are left, nearest first.
    pub(super) fn into_left(mut self) -> Vec<(f32, Ordinal)> {
        self.sift();
        self.found.sort_unstable_by(|left, right| left.0.total_cmp(&right.0).then(left.1.cmp(&right.1)));
        self.found
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_and_their_ties_are_left() {
        for (k, len, values) in
            [(1, 50, 3), (10, 2_000, 7), (10, 5, 2), (300, 4_000, 90), (0, 9, 2), (7, 0, 1)]
        {
            let distance = |ordinal: u32| (ordinal.wrapping_mul(2_654_435_761) >> 8) % values;
            let mut nearest = Nearest::new(k);
            (0..len).for_each(|ordinal| nearest.offer(distance(ordinal) as f32, ordinal));
            let mut all: Vec<(u32, u32)> = (0..len).map(|ordinal| (distance(ordinal), ordinal)).collect();
            all.sort_unstable();
            let last = all.iter().take(k).next_back().map(|last| last.0);
            all.retain(|(distance, _)| last.is_some_and(|last| *distance <= last));
            let left: Vec<(u32, u32)> = nearest
                .into_left()
                .into_iter()
                .map(|(distance, ordinal)| (distance as u32, ordinal))
                .collect();
            assert_eq!(left, all, "{k} of {len}");
        }
    }
}
