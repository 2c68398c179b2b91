//! Neighbor selection: which candidates become links (algorithm 4 of the HNSW paper, with the α of Vamana).
//!
//! A link back to a new node needs hardly any distances. A node's links lead to what its search has found, and most of
//! what those are linked to was visited on the way: so the row of each can be asked almost for nothing whether the link
//! back is occluded there.

use super::scratch::{Key, Visited};
use crate::distance::{DistanceComputer, GraphVectors, NodeDistances};
use lucerne_codec::Ordinal;

/// α: a candidate is occluded by a selected link that is nearer to it than the node is by this factor (Vamana,
/// NeurIPS 2019; for squared distances, the cosine among them, it counts squared). HNSW and Lucene have 1.
const ALPHA: f32 = 1.1;

/// Candidates are compared with this many selected links in one call, then the comparison may end.
const BATCH: usize = 8;

/// A link: where it leads and how far that is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Link {
    pub(super) position: u32,
    pub(super) distance: f32,
    pub(super) status: LinkStatus,
}

/// What neighbor selection has said of a link, among the others of its row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum LinkStatus {
    /// No other selected link of its row occludes it.
    Selected,
    /// One of them does: it stays until another link needs its place (`keepPrunedConnections` of the HNSW paper).
    Pruned,
    /// It was not compared with the others yet.
    Unchecked,
}

impl Link {
    pub(super) fn new(position: u32, distance: f32) -> Self {
        Self { position, distance, status: LinkStatus::Unchecked }
    }

    pub(super) fn is_selected(&self) -> bool {
        self.status == LinkStatus::Selected
    }

    /// Orders links: nearest first, ties by position.
    #[inline]
    pub(super) fn key(&self) -> Key {
        Key::new(self.distance, self.position)
    }

    /// Whether a selected link at `distance`, which is at most this one's, occludes this one when it is `between` away
    /// from it.
    #[inline]
    fn is_occluded(&self, between: f32, distance: f32) -> bool {
        between < self.occlusion_radius() || (between <= self.distance && distance == self.distance)
    }

    /// A nearer selected link occludes this one if it is nearer to it than that.
    #[inline]
    pub(super) fn occlusion_radius(&self) -> f32 {
        // An inner product below zero is no distance, and a factor on it means nothing.
        if self.distance >= 0.0 { self.distance / ALPHA } else { self.distance }
    }
}

/// Distances from a node that the search for its neighbors on level 0 has computed.
#[derive(Clone, Copy)]
pub(super) struct KnownDistances<'a> {
    pub(super) visited: &'a Visited,
    /// By position; only those of visited nodes are of this search.
    pub(super) distances: &'a [f32],
}

impl KnownDistances<'_> {
    #[inline]
    pub(super) fn get(self, position: u32) -> Option<f32> {
        self.visited.contains(position).then(|| self.distances.get(position as usize).copied()).flatten()
    }
}

/// Selects neighbors, with reusable memory: one for each thread.
pub(super) struct NeighborSelector<'v> {
    /// Its query is the candidate at hand.
    distances: Box<dyn NodeDistances + 'v>,
    selected: Vec<Link>,
    /// Of what is selected: ordinals and distances of the links that were selected before, and of the others.
    checked: Vec<(Ordinal, f32)>,
    unchecked: Vec<(Ordinal, f32)>,
    /// Positions of candidates that a selected link is known to occlude.
    occluded: Visited,
    /// For callers: a row being changed.
    pub(super) row: Vec<Link>,
    /// Links of the row whose distance from a new node is not known, and that distance.
    missing: Vec<u32>,
    between: Vec<f32>,
}

impl<'v> NeighborSelector<'v> {
    pub(super) fn new(vectors: &'v dyn GraphVectors) -> Self {
        Self {
            distances: vectors.computer(),
            selected: Vec::new(),
            checked: Vec::new(),
            unchecked: Vec::new(),
            occluded: Visited::default(),
            row: Vec::new(),
            missing: Vec::new(),
            between: Vec::new(),
        }
    }

    /// What [`NeighborSelector::select`] selected, nearest first.
    pub(super) fn selected(&self) -> &[Link] {
        &self.selected
    }

    /// Selects at most `limit` of the `candidates` (sorted) for links that lead into different directions: from the
    /// nearest on, those that no selected link occludes. Of candidates at the same distance one occludes another at the
    /// first equality, so that of many copies of one vector one is linked. `node` tells a position's ordinal.
    ///
    /// Links of a row selected before need not be compared with each other again, which halves the work of pruning and
    /// changes nothing. `mark_occluded` is called with each selected link, and may add positions of candidates that it is
    /// known to occlude, so that they need no comparing.
    pub(super) fn select(
        &mut self,
        candidates: &[Link],
        limit: usize,
        node: impl Fn(u32) -> Ordinal,
        mark_occluded: impl Fn(&Link, &mut Visited),
    ) {
        let positions = candidates.iter().map(|link| link.position as usize + 1).max();
        self.occluded.reset(positions.unwrap_or(0));
        self.selected.clear();
        self.checked.clear();
        self.unchecked.clear();
        let distances = &mut *self.distances;
        for candidate in candidates {
            if self.selected.len() >= limit {
                break;
            }
            let ordinal = node(candidate.position);
            let checked = candidate.is_selected();
            let occluded = self.occluded.contains(candidate.position)
                || (!checked && occludes(&self.checked, candidate, ordinal, distances))
                || occludes(&self.unchecked, candidate, ordinal, distances);
            if !occluded {
                self.selected.push(Link { status: LinkStatus::Selected, ..*candidate });
                mark_occluded(candidate, &mut self.occluded);
                let group = if checked { &mut self.checked } else { &mut self.unchecked };
                group.push((ordinal, candidate.distance));
            }
        }
    }

    /// Compares `back`, the link back to a new node, with the selected links of `self.row`, and prunes those it occludes.
    /// `query` has the new node as its query.
    pub(super) fn check_backlink(
        &mut self,
        back: &Link,
        known: KnownDistances<'_>,
        query: &mut dyn DistanceComputer,
    ) -> LinkStatus {
        let Self { row, missing, between, .. } = self;
        let occludes =
            |link: &Link, between: f32| link.key() < back.key() && back.is_occluded(between, link.distance);
        missing.clear();
        for link in row.iter().filter(|link| link.is_selected()) {
            match known.get(link.position) {
                Some(between) if occludes(link, between) => return LinkStatus::Pruned,
                Some(_) => {}
                None => missing.push(link.position),
            }
        }
        between.clear();
        between.resize(missing.len(), 0.0);
        if !missing.is_empty() {
            query.gather(missing, between);
        }
        let unknown = row.iter().filter(|link| link.is_selected() && !known.visited.contains(link.position));
        if unknown.zip(between.iter()).any(|(link, &between)| occludes(link, between)) {
            return LinkStatus::Pruned;
        }
        let mut computed = between.iter().copied();
        for link in row.iter_mut().filter(|link| link.is_selected()) {
            let between = known.get(link.position).or_else(|| computed.next()).unwrap_or(f32::MAX);
            if link.key() > back.key() && link.is_occluded(between, back.distance) {
                link.status = LinkStatus::Pruned;
            }
        }
        LinkStatus::Selected
    }

    /// The distance of a vector from itself, which need not be 0.
    pub(super) fn self_distance(&mut self, node: Ordinal) -> f32 {
        let mut own = [0.0];
        self.distances.set_query(node);
        self.distances.gather(&[node], &mut own);
        own[0]
    }
}

/// Whether one of the `selected` occludes the candidate.
fn occludes(
    selected: &[(Ordinal, f32)],
    candidate: &Link,
    ordinal: Ordinal,
    distances: &mut dyn NodeDistances,
) -> bool {
    if selected.is_empty() {
        return false;
    }
    distances.set_query(ordinal);
    let (mut ordinals, mut between) = ([0; BATCH], [0.0; BATCH]);
    selected.chunks(BATCH).any(|selected| {
        let (Some(ordinals), Some(between)) =
            (ordinals.get_mut(..selected.len()), between.get_mut(..selected.len()))
        else {
            return false;
        };
        ordinals.iter_mut().zip(selected).for_each(|(to, from)| *to = from.0);
        distances.gather(ordinals, between);
        let mut pairs = between.iter().zip(selected);
        pairs.any(|(&between, &(_, distance))| candidate.is_occluded(between, distance))
    })
}
