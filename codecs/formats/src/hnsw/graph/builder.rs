//! A graph under construction.
//!
//! Rows are arrays of relaxed atomics, so that several threads can change different rows at once without `unsafe`. No row
//! is changed by two threads at a time, nor while it may be read (`batch`).

use super::memory::{Level, level_lists, position_in};
use super::rows::Rows;
use super::scratch::Visited;
use super::select::{KnownDistances, Link, LinkLimits, LinkStatus, NeighborSelector};
use super::separation::{Separations, is_nearer_by_alpha};
use super::{BuildParams, Graph, GraphView, NO_NODE, NodeAt, max_links};
use crate::distance::{DistanceComputer, NodeDistances};
use lucerne_codec::{Ordinal, Result};
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};

/// What is known of the links of one level.
#[derive(Debug)]
struct LinkTable {
    /// The links' distances as bits, in rows like the graph's.
    distances: Rows<AtomicU32>,
    /// For each row how many links are selected, and in the upper half how many are pruned. Selected links come first,
    /// then pruned ones, then those not checked yet.
    counts: Vec<AtomicU32>,
}

/// Whether a link back to a new node is wanted in a row of level 0, and which of the row's links it prunes: one bit for each
/// in its order.
#[derive(Clone, Copy, Debug)]
pub(super) struct BacklinkCheck {
    status: LinkStatus,
    pruned: u64,
}

/// A graph under construction. All levels have their nodes from the start; an unfinished node has no links.
#[derive(Debug)]
pub(super) struct GraphBuilder {
    graph: Graph<AtomicU32>,
    links: Vec<LinkTable>,
    /// What neighbor selection compares.
    separations: Separations,
}

impl GraphBuilder {
    /// A graph without links over nodes of these highest levels. `entry_point`, if given, is a node of the highest.
    pub(super) fn new(
        highest: &[u8],
        params: &BuildParams<'_>,
        separations: Separations,
        entry_point: Option<Ordinal>,
    ) -> Result<Self> {
        let mut levels: Vec<Level<AtomicU32>> = vec![Level::default()];
        for nodes in level_lists(highest, entry_point) {
            let below = match levels.len() {
                1 => nodes.clone(),
                _ => {
                    let lower = levels.last().map_or(&[][..], |level| &level.nodes);
                    let below = nodes.iter().map(|&node| position_in(lower, node));
                    below.map(|position| position.unwrap_or(NO_NODE)).collect()
                }
            };
            levels.push(Level { nodes, below, rows: Rows::default() });
        }
        let mut links = Vec::with_capacity(levels.len());
        for (number, level) in levels.iter_mut().enumerate() {
            let nodes = if number == 0 { highest.len() } else { level.nodes.len() };
            let words = nodes * max_links(params.m, number);
            // Upper levels are small.
            let files = params.files.filter(|_| number == 0);
            level.rows = Rows::filled(NO_NODE, words, files)?;
            let counts = (0..nodes).map(|_| AtomicU32::new(0)).collect();
            links.push(LinkTable { distances: Rows::filled(0, words, files)?, counts });
        }
        let graph = Graph::new(highest.len(), params.m, params.beam_width, levels);
        Ok(Self { graph, links, separations })
    }

    /// The graph as it is now.
    pub(super) fn graph(&self) -> &Graph<AtomicU32> {
        &self.graph
    }

    /// The entry point of the finished graph.
    pub(super) fn top(&self) -> NodeAt {
        NodeAt { level: self.graph.level_count() - 1, position: 0 }
    }

    /// What neighbor selection compares.
    pub(super) fn separations(&self) -> &Separations {
        &self.separations
    }

    fn distances(&self, level: usize, position: u32) -> &[AtomicU32] {
        let range = self.graph.row_range(level, position);
        self.links.get(level).and_then(|links| links.distances.get(range)).unwrap_or_default()
    }

    fn counts(&self, level: usize, position: u32) -> Option<&AtomicU32> {
        self.links.get(level)?.counts.get(position as usize)
    }

    /// Puts the links of a node, with their distances, into `into` (which is cleared first).
    pub(super) fn links(&self, level: usize, position: u32, into: &mut Vec<Link>) {
        into.clear();
        let counts = self.counts(level, position).map_or(0, |counts| counts.load(Relaxed));
        let (selected, pruned) = (counts & 0xFFFF, counts >> 16);
        let words = self.graph.row(level, position).iter().zip(self.distances(level, position));
        into.extend(
            words
                .zip(0u32..)
                .map(|((id, distance), index)| Link {
                    position: id.load(Relaxed),
                    distance: f32::from_bits(distance.load(Relaxed)),
                    status: match index {
                        _ if index < selected => LinkStatus::Selected,
                        _ if index < selected + pruned => LinkStatus::Pruned,
                        _ => LinkStatus::Unchecked,
                    },
                })
                .take_while(|link| link.position != NO_NODE),
        );
    }

    /// Replaces a row by links sorted by status.
    fn store(&self, level: usize, position: u32, links: &[Link]) {
        let empty = Link::new(NO_NODE, 0.0);
        let count = |status| links.iter().filter(|link| link.status == status).count() as u32;
        if let Some(counts) = self.counts(level, position) {
            counts.store(count(LinkStatus::Selected) | count(LinkStatus::Pruned) << 16, Relaxed);
        }
        let links = links.iter().chain(std::iter::repeat(&empty));
        let words = self.graph.row(level, position).iter().zip(self.distances(level, position));
        for ((id, distance), link) in words.zip(links) {
            id.store(link.position, Relaxed);
            distance.store(link.distance.to_bits(), Relaxed);
        }
    }

    /// Removes a node's links.
    pub(super) fn clear_links(&self, level: usize, position: u32) {
        self.store(level, position, &[]);
    }

    /// Replaces a row of level 0 by those of `candidates`, sorted, that neighbor selection selects; for `mark_occluded` see
    /// [`NeighborSelector::select`].
    pub(super) fn set_selected(
        &self,
        position: u32,
        candidates: &[Link],
        selector: &mut NeighborSelector<'_>,
        mark_occluded: impl Fn(&Link, &mut Visited),
    ) {
        let limits = LinkLimits::of(self.graph.m(), 0);
        selector.select(position, candidates, limits, &self.separations, |node| node, mark_occluded);
        self.store(0, position, selector.selected());
    }

    /// Adds links to a node. When they do not all fit, the row is pruned by neighbor selection among old and new.
    pub(super) fn add_links(
        &self,
        level: usize,
        position: u32,
        added: &[Link],
        selector: &mut NeighborSelector<'_>,
    ) {
        self.add_links_with(level, position, added, selector, |_, _| {});
    }

    /// The same; for `mark_occluded` see [`NeighborSelector::select`].
    pub(super) fn add_links_with(
        &self,
        level: usize,
        position: u32,
        added: &[Link],
        selector: &mut NeighborSelector<'_>,
        mark_occluded: impl Fn(&Link, &mut Visited),
    ) {
        let limits = LinkLimits::of(self.graph.m(), level);
        let mut row = std::mem::take(&mut selector.row);
        self.links(level, position, &mut row);
        let before = row.len();
        for link in added {
            if link.position != position && row.iter().all(|other| other.position != link.position) {
                let status = if before == 0 { link.status } else { LinkStatus::Unchecked };
                row.push(Link { status, ..*link });
            }
        }
        if row.len() > limits.most {
            row.sort_unstable_by_key(Link::key);
            let node = |position| self.graph.node(level, position);
            selector.select(node(position), &row, limits, &self.separations, node, mark_occluded);
            self.store(level, position, selector.selected());
        } else if row.len() > before {
            self.store(level, position, &row);
        }
        selector.row = row;
    }

    /// Compares the link from `position` back to a new node with the row it would be added to on level 0, `query` having that
    /// node as its query. The distances that the search for its neighbors has computed make it almost free. `None` where
    /// the row does not allow it.
    pub(super) fn check_backlink(
        &self,
        position: u32,
        back: Link,
        selector: &mut NeighborSelector<'_>,
        known: KnownDistances<'_>,
        query: &mut dyn DistanceComputer,
    ) -> Option<BacklinkCheck> {
        self.links(0, position, &mut selector.row);
        let row = &selector.row;
        let is_checked = |link: &Link| link.status != LinkStatus::Unchecked && link.position != back.position;
        if row.is_empty() || row.len() > 64 || !row.iter().all(is_checked) {
            return None;
        }
        let selected = row.iter().filter(|link| link.is_selected()).count();
        let status = selector.check_backlink(position, &back, &self.separations, known, query);
        let is_pruned = |(bit, link): (u32, &Link)| u64::from(!link.is_selected()) << bit;
        let pruned = (0..).zip(selector.row.iter().take(selected)).map(is_pruned).sum();
        Some(BacklinkCheck { status, pruned })
    }

    /// Adds a link back to a new node to a row that is as it was when it was checked.
    pub(super) fn add_checked_backlink(
        &self,
        position: u32,
        back: Link,
        BacklinkCheck { status, pruned }: BacklinkCheck,
        selector: &mut NeighborSelector<'_>,
    ) {
        if pruned == 0 && self.append(position, Link { status, ..back }) {
            return;
        }
        self.links(0, position, &mut selector.row);
        for (link, _) in selector.row.iter_mut().zip(0..64).filter(|&(_, bit)| pruned >> bit & 1 == 1) {
            link.status = LinkStatus::Pruned;
        }
        self.push_backlink(position, Link { status, ..back }, &mut selector.row);
    }

    /// Whether neighbor selection has seen all links of a row of level 0.
    pub(super) fn is_checked(&self, position: u32) -> bool {
        let counts = self.counts(0, position).map_or(0, |counts| counts.load(Relaxed));
        let checked = (counts & 0xFFFF) + (counts >> 16);
        let row = self.graph.row(0, position);
        row.get(checked as usize).is_none_or(|link| link.load(Relaxed) == NO_NODE)
    }

    /// Adds on level 0 the link from `position` back to a new node to a row that is checked. `query` may have any query.
    pub(super) fn add_backlink(
        &self,
        position: u32,
        back: Link,
        selector: &mut NeighborSelector<'_>,
        query: &mut dyn NodeDistances,
    ) {
        self.links(0, position, &mut selector.row);
        if back.position == position || selector.row.iter().any(|other| other.position == back.position) {
            return;
        }
        query.set_query(back.position);
        let nothing = KnownDistances { visited: &Visited::default(), distances: &[] };
        let status = selector.check_backlink(position, &back, &self.separations, nothing, query);
        self.push_backlink(position, Link { status, ..back }, &mut selector.row);
    }

    /// Adds a link to a row of level 0 that is checked; false when there is no room.
    fn append(&self, position: u32, link: Link) -> bool {
        let Some(counts) = self.counts(0, position) else { return false };
        let (selected, pruned) = (counts.load(Relaxed) & 0xFFFF, counts.load(Relaxed) >> 16);
        let (ids, distances) = (self.graph.row(0, position), self.distances(0, position));
        let end = (selected + pruned) as usize;
        let (Some(id), Some(distance)) = (ids.get(end), distances.get(end)) else { return false };
        // A selected link takes the place of the first that is pruned.
        let (mut id, mut distance) = (id, distance);
        if link.is_selected()
            && let (Some(first), Some(of_first)) =
                (ids.get(selected as usize), distances.get(selected as usize))
        {
            id.store(first.load(Relaxed), Relaxed);
            distance.store(of_first.load(Relaxed), Relaxed);
            (id, distance) = (first, of_first);
        }
        id.store(link.position, Relaxed);
        distance.store(link.distance.to_bits(), Relaxed);
        let (selected, pruned) =
            if link.is_selected() { (selected + 1, pruned) } else { (selected, pruned + 1) };
        counts.store(selected | (pruned << 16), Relaxed);
        true
    }

    fn push_backlink(&self, position: u32, back: Link, row: &mut Vec<Link>) {
        row.push(back);
        let limits = LinkLimits::of(self.graph.m(), 0);
        if row.len() > limits.most {
            row.sort_unstable_by_key(|link| (!link.is_selected(), link.key()));
            let selected = row.iter().filter(|link| link.is_selected()).count();
            row.truncate(selected.clamp(limits.fewest, limits.most));
        } else {
            row.sort_by_key(|link| link.status == LinkStatus::Pruned);
        }
        self.store(0, position, row);
    }

    /// Of the nodes at `known` distances from the node `from`, marks those that a link `selected` for it occludes, as far
    /// as the row of that link on level 0 tells.
    pub(super) fn mark_occluded(
        &self,
        from: Ordinal,
        selected: &Link,
        known: KnownDistances<'_>,
        occluded: &mut Visited,
    ) {
        let ids = self.graph.row(0, selected.position).iter();
        let words = ids.zip(self.distances(0, selected.position));
        let words = words.map(|(id, distance)| (id.load(Relaxed), distance));
        for (id, distance) in words.take_while(|(id, _)| *id != NO_NODE) {
            if let Some(own) = known.get(id) {
                let own = self.separations.of(from, id, own);
                let between =
                    self.separations.of(selected.position, id, f32::from_bits(distance.load(Relaxed)));
                if is_nearer_by_alpha(between, own) {
                    occluded.insert(id);
                }
            }
        }
    }

    /// The finished graph, rows nearest first, and what neighbor selection compared.
    pub(super) fn finish(self) -> (Graph, Separations) {
        let mut row = Vec::new();
        for level in 0..self.graph.level_count() {
            for position in 0..self.graph.level_len(level) as u32 {
                self.links(level, position, &mut row);
                row.sort_unstable_by_key(Link::key);
                self.store(level, position, &row);
            }
        }
        let graph = self.graph.map_levels(|level| Level {
            nodes: level.nodes,
            below: level.below,
            rows: level.rows.into_plain(),
        });
        (graph, self.separations)
    }
}
