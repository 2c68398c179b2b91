//! Which candidates become links.

use super::Ordinal;
use super::scratch::{Key, Visited};
use crate::distance::{GraphVectors, NodeDistances};

/// A link: where it leads and how far that is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Link {
    pub(super) position: u32,
    pub(super) distance: f32,
    pub(super) standing: Standing,
}

/// What is known of a link's place among the others of its row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Standing {
    /// The heuristic has chosen it together with all others of its row that say so.
    Chosen,
    /// One of those dominates it: it fills room until another link needs it.
    Spare,
    /// It was not compared with the others yet.
    Unknown,
}

impl Link {
    pub(super) fn new(position: u32, distance: f32) -> Self {
        Self { position, distance, standing: Standing::Unknown }
    }

    /// Orders links: nearest first, ties by position.
    #[inline]
    pub(super) fn key(&self) -> Key {
        Key::new(self.distance, self.position)
    }

    /// Whether a chosen link at `distance`, which is at most this one's, dominates this one when it is
    /// `between` away from it.
    #[inline]
    pub(super) fn is_dominated(&self, between: f32, distance: f32) -> bool {
        between < self.bound() || (between <= self.distance && distance == self.distance)
    }

    /// A chosen link nearer to this one than that dominates it.
    #[inline]
    pub(super) fn bound(&self) -> f32 {
        // An inner product below zero is no distance, and a factor on it means nothing.
        if self.distance >= 0.0 { self.distance / RELAX } else { self.distance }
    }
}

/// A candidate is dominated by a chosen link that is nearer to it than the node is by this factor (α of
/// Vamana, NeurIPS 2019; for squared distances, the cosine among them, it counts squared).
///
/// Measured on 77,815 embeddings of 384 dimensions (m = 16, beam width 100, one seed), in distances computed for
/// a recall of 0.95 and 0.99, and links per node: 1 (HNSW, Lucene) 639 and 1,941, 16.2; 1.05: 649 and 1,804,
/// 20.5; 1.1: 594 and 1,968, 23.9; 1.2: 648 and 2,020, 27.9; 1 with rows filled up with the nearest dominated
/// candidates (`keepPrunedConnections` of the HNSW paper): 693 and 2,151, 25.2. With the rows shuffled, 1 gives
/// 621 and 2,824, 1.1 gives 623 and 2,255: so differences of this size between the factors are within what
/// chance does, and visits at equal recall do not decide. What 1.1 does give in both orders is recall at equal
/// candidates (0.985 and 0.982 against 0.979 and 0.978 at 100), for 1.4 times the time to build.
const RELAX: f32 = 1.1;

/// Candidates are compared with this many chosen links in one call, then the comparison may end.
const CHUNK: usize = 8;

/// Chooses links, with reusable memory.
pub(super) struct Chooser<'v> {
    distances: Box<dyn NodeDistances + 'v>,
    chosen: Vec<Link>,
    /// Of what is chosen: ordinals and distances of the links that were checked before, and of the others.
    checked: Vec<(Ordinal, f32)>,
    unchecked: Vec<(Ordinal, f32)>,
    /// Positions of candidates that a link chosen is known to dominate.
    dominated: Visited,
    /// For callers: a row being changed.
    pub(super) row: Vec<Link>,
    /// For callers: links of the row a new one was not compared with, and the distances between.
    pub(super) missing: Vec<u32>,
    pub(super) between: Vec<f32>,
}

impl<'v> Chooser<'v> {
    pub(super) fn new(vectors: &'v dyn GraphVectors) -> Self {
        Self {
            distances: vectors.computer(),
            chosen: Vec::new(),
            checked: Vec::new(),
            unchecked: Vec::new(),
            dominated: Visited::default(),
            row: Vec::new(),
            missing: Vec::new(),
            between: Vec::new(),
        }
    }

    /// The distance of a vector from itself, which need not be 0.
    pub(super) fn own_distance(&mut self, node: Ordinal) -> f32 {
        let mut own = [0.0];
        self.distances.set_query(node);
        self.distances.gather(&[node], &mut own);
        own[0]
    }

    /// What [`Chooser::choose`] chose, nearest first.
    pub(super) fn chosen(&self) -> &[Link] {
        &self.chosen
    }

    /// Chooses at most `limit` of the `candidates` (sorted) for links that lead into different directions
    /// (algorithm 4 of the HNSW paper): from the nearest on, those that no chosen link dominates. Of candidates
    /// at the same distance one dominates another at the first equality, so that of many copies of one vector
    /// one is linked. `node` tells a position's ordinal.
    ///
    /// Links of a row chosen before need not be compared with each other again, which halves the work of
    /// pruning and changes nothing. `spread` is told each choice, and may add
    /// positions of candidates that it is known to dominate, so that they need no comparing.
    pub(super) fn choose(
        &mut self,
        candidates: &[Link],
        limit: usize,
        node: impl Fn(u32) -> Ordinal,
        spread: impl Fn(&Link, &mut Visited),
    ) {
        let places = candidates.iter().map(|link| link.position as usize + 1).max();
        self.dominated.reset(places.unwrap_or(0));
        self.chosen.clear();
        self.checked.clear();
        self.unchecked.clear();
        for candidate in candidates {
            if self.chosen.len() >= limit {
                break;
            }
            let ordinal = node(candidate.position);
            let known = candidate.standing == Standing::Chosen;
            let dominated = self.dominated.contains(candidate.position)
                || (!known && dominates(&self.checked, candidate, ordinal, &mut *self.distances))
                || dominates(&self.unchecked, candidate, ordinal, &mut *self.distances);
            if !dominated {
                self.chosen.push(Link { standing: Standing::Chosen, ..*candidate });
                spread(candidate, &mut self.dominated);
                let side = if known { &mut self.checked } else { &mut self.unchecked };
                side.push((ordinal, candidate.distance));
            }
        }
    }
}

/// Whether one of `chosen` dominates the candidate.
fn dominates(
    chosen: &[(Ordinal, f32)],
    candidate: &Link,
    ordinal: Ordinal,
    distances_to: &mut dyn NodeDistances,
) -> bool {
    if chosen.is_empty() {
        return false;
    }
    distances_to.set_query(ordinal);
    let (mut ordinals, mut distances) = ([0; CHUNK], [0.0; CHUNK]);
    chosen.chunks(CHUNK).any(|chunk| {
        let (Some(ordinals), Some(distances)) =
            (ordinals.get_mut(..chunk.len()), distances.get_mut(..chunk.len()))
        else {
            return false;
        };
        ordinals.iter_mut().zip(chunk).for_each(|(to, from)| *to = from.0);
        distances_to.gather(ordinals, distances);
        let mut pairs = distances.iter().zip(chunk);
        pairs.any(|(&between, &(_, distance))| candidate.is_dominated(between, distance))
    })
}
