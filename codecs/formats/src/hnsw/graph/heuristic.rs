//! Which candidates become links.

use super::scratch::Key;
use super::{Ordinal, PairScorer, Scorer};

/// A link: where it leads and how far that is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Link {
    pub(super) position: u32,
    pub(super) distance: f32,
}

impl Link {
    /// Orders links: nearest first, ties by position.
    #[inline]
    pub(super) fn key(&self) -> Key {
        Key::new(self.distance, self.position)
    }
}

/// RELAX
pub(super) const RELAX: f32 = 1.0;

/// Candidates are compared with this many chosen links in one call, then the comparison may end.
const CHUNK: usize = 8;

/// Chooses links, with reusable memory.
#[derive(Debug, Default)]
pub(super) struct Chooser {
    chosen: Vec<Link>,
    ordinals: Vec<Ordinal>,
    /// For callers: a row being changed.
    pub(super) row: Vec<Link>,
}

impl Chooser {
    /// What [`Chooser::choose`] chose, nearest first.
    pub(super) fn chosen(&self) -> &[Link] {
        &self.chosen
    }

    pub(super) fn choose<V: PairScorer>(
        &mut self,
        candidates: &[Link],
        limit: usize,
        vectors: &V,
        node: impl Fn(u32) -> Ordinal,
    ) {
        self.chosen.clear();
        self.ordinals.clear();
        for candidate in candidates {
            if self.chosen.len() >= limit {
                break;
            }
            let ordinal = node(candidate.position);
            if !self.dominated(candidate, ordinal, vectors) {
                self.chosen.push(*candidate);
                self.ordinals.push(ordinal);
            }
        }
    }

    fn dominated<V: PairScorer>(&self, candidate: &Link, ordinal: Ordinal, vectors: &V) -> bool {
        if self.chosen.is_empty() {
            return false;
        }
        let d = candidate.distance;
        let bound = if d >= 0.0 { d / RELAX } else { d * RELAX };
        let mut query = vectors.query(ordinal);
        let mut distances = [0.0f32; CHUNK];
        for (ordinals, links) in self.ordinals.chunks(CHUNK).zip(self.chosen.chunks(CHUNK)) {
            let Some(distances) = distances.get_mut(..ordinals.len()) else {
                continue;
            };
            query.distances(ordinals, distances);
            let dominated = distances
                .iter()
                .zip(links)
                .any(|(&between, link)| between < bound || (between <= bound && link.distance == d));
            if dominated {
                return true;
            }
        }
        false
    }
}
