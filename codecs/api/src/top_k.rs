//! The k nearest of a stream of neighbors.

use crate::{DocId, Ordinal};
use std::cmp::Ordering;

/// A vector found near a query.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Neighbor {
    /// Distance to the query; smaller is nearer, never NaN.
    pub distance: f32,
    /// The vector.
    pub ordinal: Ordinal,
    /// Its document.
    pub doc: DocId,
}

/// Decides between two documents at the same distance: the one that orders first is kept and comes first.
pub type TieBreak<'a> = dyn Fn(DocId, DocId) -> Ordering + Sync + 'a;

/// Keeps the `k` nearest neighbors offered, ties decided by a [`TieBreak`].
pub struct TopK<'a> {
    k: usize,
    /// A binary max-heap: the worst kept neighbor is first.
    heap: Vec<Neighbor>,
    ties: &'a TieBreak<'a>,
}

impl<'a> TopK<'a> {
    /// Keeps at most `k`.
    pub fn new(k: usize, ties: &'a TieBreak<'a>) -> Self {
        Self { k, heap: Vec::with_capacity(k.min(4_096)), ties }
    }

    /// The distance a neighbor must not exceed to be kept; infinite while fewer than `k` are.
    #[inline]
    pub fn threshold(&self) -> f32 {
        match self.heap.first() {
            Some(worst) if self.heap.len() >= self.k => worst.distance,
            None if self.k == 0 => f32::NEG_INFINITY,
            _ => f32::INFINITY,
        }
    }

    /// Offers a neighbor.
    #[inline]
    pub fn offer(&mut self, neighbor: Neighbor) {
        if neighbor.distance <= self.threshold() {
            self.insert(neighbor);
        }
    }

    fn insert(&mut self, neighbor: Neighbor) {
        if self.k == 0 {
            return;
        }
        if self.heap.len() < self.k {
            self.heap.push(neighbor);
            self.sift_up(self.heap.len() - 1);
        } else if let Some(worst) = self.heap.first_mut()
            && order(&neighbor, worst, self.ties) == Ordering::Less
        {
            *worst = neighbor;
            self.sift_down();
        }
    }

    fn at(&self, index: usize) -> Option<&Neighbor> {
        self.heap.get(index)
    }

    fn worse(&self, left: usize, right: usize) -> bool {
        match (self.at(left), self.at(right)) {
            (Some(left), Some(right)) => order(left, right, self.ties) == Ordering::Greater,
            _ => false,
        }
    }

    fn sift_up(&mut self, mut index: usize) {
        while index > 0 && self.worse(index, (index - 1) / 2) {
            self.heap.swap(index, (index - 1) / 2);
            index = (index - 1) / 2;
        }
    }

    fn sift_down(&mut self) {
        let mut index = 0;
        loop {
            let (left, right) = (2 * index + 1, 2 * index + 2);
            let child = if right < self.heap.len() && self.worse(right, left) { right } else { left };
            if child >= self.heap.len() || !self.worse(child, index) {
                return;
            }
            self.heap.swap(child, index);
            index = child;
        }
    }

    /// The kept neighbors, in no order.
    pub fn into_unsorted(self) -> Vec<Neighbor> {
        self.heap
    }

    /// The kept neighbors, nearest first.
    pub fn into_sorted(self) -> Vec<Neighbor> {
        let Self { mut heap, ties, .. } = self;
        heap.sort_by(|left, right| order(left, right, ties));
        heap
    }
}

/// Nearest first, ties by `ties`, then by ordinal.
pub fn order(left: &Neighbor, right: &Neighbor, ties: &TieBreak<'_>) -> Ordering {
    left.distance
        .total_cmp(&right.distance)
        .then_with(|| if left.doc == right.doc { Ordering::Equal } else { ties(left.doc, right.doc) })
        .then_with(|| left.ordinal.cmp(&right.ordinal))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn top_k_equals_sorting_everything() {
        let ties = |left: DocId, right: DocId| right.cmp(&left);
        let mut state = 7u64;
        for k in [0usize, 1, 3, 10, 500] {
            let all: Vec<Neighbor> = (0..300)
                .map(|ordinal| {
                    state = state.wrapping_mul(6364136223846793005).wrapping_add(1);
                    Neighbor { distance: (state >> 60) as f32, ordinal, doc: ordinal }
                })
                .collect();
            let mut top = TopK::new(k, &ties);
            all.iter().for_each(|neighbor| top.offer(*neighbor));
            let mut expected = all.clone();
            expected.sort_by(|left, right| order(left, right, &ties));
            expected.truncate(k);
            assert_eq!(top.into_sorted(), expected);
        }
    }
}
