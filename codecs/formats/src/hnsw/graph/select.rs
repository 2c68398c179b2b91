//! Neighbor selection: which candidates become links (algorithm 4 of the HNSW paper, with the α of Vamana).
//!
//! Where vectors lie very unevenly, the first link occludes nearly all candidates, and a row of one or two links leads
//! nowhere. So a row of level 0 is filled up to `m` links with the nearest occluded candidates ([`LinkLimits`]).
//!
//! A link back to a new node needs hardly any distances. A node's links lead to what its search has found, and most of
//! what those are linked to was visited on the way: so the row of each can be asked almost for nothing whether the link
//! back is occluded there.

use super::scratch::{Key, Visited};
use super::separation::{Separations, is_occluded};
use super::{NO_NODE, max_links};
use crate::distance::{DistanceComputer, GraphVectors, NodeDistances};
use lucerne_codec::Ordinal;

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
}

/// How many links a row has.
#[derive(Clone, Copy, Debug)]
pub(super) struct LinkLimits {
    /// Selected ones at most.
    pub(super) most: usize,
    /// With fewer selected ones it is filled up to this many with the nearest others.
    pub(super) fewest: usize,
}

impl LinkLimits {
    /// Those of a row of `level`. On level 0 half of a row is the floor; on upper levels there is none: a descent has one
    /// candidate only, which further links of the same direction do not help.
    pub(super) fn of(m: usize, level: usize) -> Self {
        Self { most: max_links(m, level), fewest: if level == 0 { m } else { 0 } }
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
    /// The nearest occluded candidates.
    pruned: Vec<Link>,
    /// Of what is selected: ordinals and separations of the links that were selected before, and of the others.
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
            pruned: Vec::new(),
            checked: Vec::new(),
            unchecked: Vec::new(),
            occluded: Visited::default(),
            row: Vec::new(),
            missing: Vec::new(),
            between: Vec::new(),
        }
    }

    /// What [`NeighborSelector::select`] selected, nearest first, then what it filled up with.
    pub(super) fn selected(&self) -> &[Link] {
        &self.selected
    }

    /// Selects among the `candidates` (sorted) of the node `from` links that lead into different directions: from the
    /// nearest on, those that no selected link occludes. Of candidates at the same distance one occludes another at the
    /// first equality, so that of many copies of one vector one is linked. `node` tells a position's ordinal.
    ///
    /// Links of a row selected before need not be compared with each other again, which halves the work of pruning and
    /// changes nothing. `mark_occluded` is called with each selected link, and may add positions of candidates that it is
    /// known to occlude, so that they need no comparing.
    pub(super) fn select(
        &mut self,
        from: Ordinal,
        candidates: &[Link],
        limits: LinkLimits,
        separations: &Separations,
        node: impl Fn(u32) -> Ordinal,
        mark_occluded: impl Fn(&Link, &mut Visited),
    ) {
        let positions = candidates.iter().map(|link| link.position as usize + 1).max();
        self.occluded.reset(positions.unwrap_or(0));
        self.selected.clear();
        self.pruned.clear();
        self.checked.clear();
        self.unchecked.clear();
        let mut compare = Compare { separations, distances: &mut *self.distances };
        for candidate in candidates {
            if self.selected.len() >= limits.most {
                break;
            }
            let ordinal = node(candidate.position);
            let own = (ordinal, separations.of(from, ordinal, candidate.distance));
            let checked = candidate.is_selected();
            let occluded = self.occluded.contains(candidate.position)
                || (!checked && compare.occludes(&mut self.checked, own))
                || compare.occludes(&mut self.unchecked, own);
            if !occluded {
                self.selected.push(Link { status: LinkStatus::Selected, ..*candidate });
                mark_occluded(candidate, &mut self.occluded);
                let group = if checked { &mut self.checked } else { &mut self.unchecked };
                group.push(own);
            } else if self.pruned.len() < limits.fewest {
                self.pruned.push(Link { status: LinkStatus::Pruned, ..*candidate });
            }
        }
        let missing = limits.fewest.saturating_sub(self.selected.len());
        self.selected.extend(self.pruned.iter().take(missing));
    }

    /// Compares `back`, the link of level 0 from the node `from` back to a new node, with the selected links of `self.row`,
    /// and prunes those it occludes. `query` has the new node as its query.
    pub(super) fn check_backlink(
        &mut self,
        from: Ordinal,
        back: &Link,
        separations: &Separations,
        known: KnownDistances<'_>,
        query: &mut dyn DistanceComputer,
    ) -> LinkStatus {
        let Self { row, missing, between, .. } = self;
        let own = |link: &Link| separations.of(from, link.position, link.distance);
        let own_back = own(back);
        let between_of = |link: &Link, distance: f32| separations.of(back.position, link.position, distance);
        let occludes = |link: &Link, distance: f32| {
            link.key() < back.key() && is_occluded(own_back, between_of(link, distance), own(link))
        };
        missing.clear();
        for link in row.iter().filter(|link| link.is_selected()) {
            match known.get(link.position) {
                Some(distance) if occludes(link, distance) => return LinkStatus::Pruned,
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
        if unknown.zip(between.iter()).any(|(link, &distance)| occludes(link, distance)) {
            return LinkStatus::Pruned;
        }
        let mut computed = between.iter().copied();
        for link in row.iter_mut().filter(|link| link.is_selected()) {
            let distance = known.get(link.position).or_else(|| computed.next()).unwrap_or(f32::MAX);
            if link.key() > back.key() && is_occluded(own(link), between_of(link, distance), own_back) {
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

/// Compares candidates with selected links.
struct Compare<'a> {
    separations: &'a Separations,
    distances: &'a mut dyn NodeDistances,
}

impl Compare<'_> {
    /// Whether one of the `selected`, each with its separation from the node whose row it is, occludes the candidate. The
    /// one that does moves to the front: the next candidates often lie behind the same.
    fn occludes(&mut self, selected: &mut [(Ordinal, f32)], candidate: (Ordinal, f32)) -> bool {
        if selected.is_empty() {
            return false;
        }
        let (ordinal, own) = candidate;
        self.distances.set_query(ordinal);
        let (mut ordinals, mut between) = ([NO_NODE; BATCH], [0.0; BATCH]);
        let mut first = 0;
        for batch in selected.chunks(BATCH) {
            let (Some(ordinals), Some(between)) =
                (ordinals.get_mut(..batch.len()), between.get_mut(..batch.len()))
            else {
                return false;
            };
            ordinals.iter_mut().zip(batch).for_each(|(to, from)| *to = from.0);
            self.distances.gather(ordinals, between);
            let found = between.iter().zip(batch).position(|(&between, &(other, separation))| {
                is_occluded(own, self.separations.of(ordinal, other, between), separation)
            });
            if let Some(at) = found {
                if let Some(head) = selected.get_mut(..=first + at) {
                    head.rotate_right(1);
                }
                return true;
            }
            first += batch.len();
        }
        false
    }
}
