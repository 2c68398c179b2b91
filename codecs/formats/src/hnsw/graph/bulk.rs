//! Level 0 all at once, without searches.
//!
//! An insertion compares a node with a thousand others that lie anywhere in memory, one by one. Comparing a panel of nodes with others
//! takes a tenth of that for each pair, and the others come in order. So nodes are put into overlapping leaves (`leaves`), all
//! pairs of a leaf are compared (`pairs`), and the nearest of each node listed (`near_lists`); neighbors are selected from
//! these, and once more when links back are added. The nodes of upper levels are inserted before: they lead the leaves, and their
//! links on level 0 are the long ones.
//!
//! Lists also say how far listed nodes are from each other: neighbor selection asks them before it computes a distance. The graph
//! is the same for any number of threads: a list is what it is whatever comes first, and a row depends on lists and rows
//! of the step before.

use super::insert::Inserter;
use super::leaves::{LEAVES, Leaves, leaves};
use super::lists::Lists;
use super::near_lists::NearLists;
use super::pairs::{KEPT, PairWorker};
use super::parallel::{Steps, each};
use super::scratch::{SearchScratch, Visited};
use super::select::{KnownDistances, Link};
use super::separation::is_nearer_by_alpha;
use super::worker::Worker;
use super::{BuildParams, Graph, GraphView, NO_NODE, Word};
use crate::distance::GraphVectors;
use lucerne_codec::format::Working;
use lucerne_codec::{Directory, Ordinal, Result};
use std::ops::RangeInclusive;
use std::sync::atomic::AtomicU32;

/// Fewer vectors are inserted one by one: that takes no longer.
const LEAST: usize = 10_000;
/// More vectors are, too: that takes less memory.
const MOST: usize = 1 << 21;

/// A wider beam asks for a better graph than this gives.
const WIDEST_BEAM: usize = 100;

/// With other `m` leaves, which have about [`LEAVES`] · `m` nodes, are too small or too large.
const LINKS: RangeInclusive<usize> = 8..=32;

/// Nodes listed for a node, which may have `2 m` links: no more than all its leaves may know.
fn listed(m: usize) -> usize {
    (7 * m / 2).min(KEPT * LEAVES)
}

/// Bytes of heap that building a graph over so many vectors in bulk takes besides the graph, with rows there or in files.
pub fn bulk_bytes(vectors: usize, m: usize, working: Working) -> usize {
    if !(LEAST..=MOST).contains(&vectors) || !LINKS.contains(&m) {
        return 0;
    }
    let rows = match working {
        // Lists with distances and links back; before them the leaves, twice while they are put in order.
        Working::Heap => (listed(m) * 8 + 2 * m * 4).max(2 * 4 * LEAVES),
        Working::Files => 0,
    };
    vectors * (rows + NUMBERS)
}

/// Bytes of a vector in orders and ends of lists.
const NUMBERS: usize = 48;

/// Whether a graph over these vectors is built so.
pub(super) fn is_bulk_built(params: &BuildParams<'_>, vectors: &dyn GraphVectors) -> bool {
    let of_params = params.beam_width <= WIDEST_BEAM && LINKS.contains(&params.m);
    of_params && (LEAST..=MOST).contains(&vectors.len()) && vectors.panel().is_some()
}

/// Workers that compare pairs, one for each thread; none where nodes are better inserted one by one.
pub(super) fn pair_workers<'v>(
    params: &BuildParams<'_>,
    vectors: &'v dyn GraphVectors,
) -> Vec<PairWorker<'v>> {
    let threads = if is_bulk_built(params, vectors) { params.threads.max(1) } else { 0 };
    (0..threads).map_while(|_| PairWorker::new(vectors)).collect()
}

/// What all steps share.
pub(super) struct BulkBuild<'a> {
    pub(super) inserter: &'a Inserter<'a>,
    pub(super) vectors: &'a dyn GraphVectors,
    pub(super) steps: &'a Steps<'a>,
}

impl BulkBuild<'_> {
    /// Links all nodes of level 0, of which those of upper levels are inserted.
    pub(super) fn run(
        &self,
        files: Option<&dyn Directory>,
        mut pair_workers: Vec<PairWorker<'_>>,
        workers: &mut [Worker<'_>],
    ) -> Result<()> {
        let graph = self.inserter.builder.graph();
        self.find_duplicates(&pair_workers, workers)?;
        let is_linked = |node: &Ordinal| !self.inserter.duplicates.is_duplicate(*node);
        let of_level = |level| -> Vec<Ordinal> {
            let positions = 0..if level < graph.level_count() { graph.level_len(level) as u32 } else { 0 };
            positions.map(|position| graph.node(level, position)).filter(is_linked).collect()
        };
        let nodes: Vec<Ordinal> = (0..graph.len() as u32).filter(is_linked).collect();
        let Leaves { nodes: leaves, order } =
            leaves(&nodes, &of_level(1), &of_level(2), &mut pair_workers, self.inserter.cancel, files)?;
        let lists = NearLists::new(graph.len(), listed(graph.m()), files)?;
        let of_leaves: Vec<&[Ordinal]> = leaves.iter().collect();
        each(&of_leaves, &mut pair_workers, self.inserter.cancel, None, |worker, leaf| {
            worker.compare_all(leaf, &lists);
            // Three quarters of the time.
            self.steps.add(leaf.len() * 3 / (4 * LEAVES));
            Ok(())
        })?;
        drop((of_leaves, pair_workers));
        drop(leaves);
        each(&order, workers, self.inserter.cancel, None, |worker, &node| {
            self.select_links(node, &lists, worker);
            if node.is_multiple_of(4) {
                self.steps.add(1);
            }
            Ok(())
        })?;
        let back = Lists::from_pairs(graph.len(), links_back(graph), files, self.inserter.cancel)?;
        each(&order, workers, self.inserter.cancel, None, |worker, &node| {
            self.add_links_back(node, &lists, &back, worker);
            Ok(())
        })
    }

    /// Finds vectors that no distance can tell apart: but for one of each kind they get no links.
    fn find_duplicates(&self, pair_workers: &[PairWorker<'_>], workers: &mut [Worker<'_>]) -> Result<()> {
        let (Some(pairs), Some(Worker { query, .. })) = (pair_workers.first(), workers.first_mut()) else {
            return Ok(());
        };
        let Inserter { duplicates, cancel, .. } = self.inserter;
        let mut kinds: Vec<(u64, Ordinal)> = Vec::with_capacity(self.vectors.len());
        for node in 0..self.vectors.len() as u32 {
            cancel.check_every(1_024, node as usize)?;
            kinds.push((pairs.fingerprint(node), node));
        }
        kinds.sort_unstable();
        let is_linked =
            |&&(_, node): &&(u64, Ordinal)| self.inserter.is_inserted(node) && !duplicates.is_duplicate(node);
        for kind in kinds.chunk_by(|one, other| one.0 == other.0).filter(|kind| kind.len() > 1) {
            cancel.check()?;
            let Some(&(_, first)) = kind.iter().find(is_linked).or(kind.first()) else { continue };
            query.set_query(first);
            let mut distance_to = |node| {
                let mut distance = [0.0];
                query.gather(&[node], &mut distance);
                distance
            };
            let own = distance_to(first);
            for &(_, node) in kind.iter().filter(|&&(_, node)| node != first) {
                if !self.inserter.is_inserted(node) && distance_to(node) == own {
                    duplicates.set(node, first);
                }
            }
        }
        Ok(())
    }

    /// Selects the links of a node among those listed, and among the links it has if it is of an upper level.
    fn select_links(&self, node: Ordinal, lists: &NearLists, worker: &mut Worker<'_>) {
        let inserter = self.inserter;
        let Worker { query, scratch, candidates, links, .. } = &mut *worker;
        candidates.resize_with(1, Vec::new);
        let Some(of_level) = candidates.first_mut() else { return };
        of_level.clear();
        scratch.reset_known(inserter.builder.graph().len());
        inserter.builder.links(0, node, links);
        let listed = lists.get(node).map(|(other, distance)| Link::new(other, distance));
        let long = links.iter().map(|link| Link::new(link.position, link.distance));
        of_level.extend(listed.chain(long).filter(|link| scratch.visited.insert(link.position)));
        query.set_query(node);
        inserter.rescore(&mut **query, scratch, candidates);
        inserter.builder.clear_links(0, node);
        let Worker { scratch, candidates, selector, .. } = worker;
        let known = KnownDistances { visited: &scratch.visited, distances: &scratch.known };
        inserter.builder.set_selected(
            node,
            candidates.first().map_or(&[], Vec::as_slice),
            selector,
            |link, occluded| {
                mark_occluded(lists, known, link, occluded);
            },
        );
    }

    /// Adds the links back to a node, and selects anew when they are too many.
    fn add_links_back(&self, node: Ordinal, lists: &NearLists, back: &Lists, worker: &mut Worker<'_>) {
        let Worker { query, scratch, selector, links, candidates, .. } = worker;
        candidates.resize_with(1, Vec::new);
        let Some(added) = candidates.first_mut() else { return };
        scratch.reset_known(self.inserter.builder.graph().len());
        self.inserter.builder.links(0, node, links);
        let SearchScratch { visited, known, scored, .. } = scratch;
        links.iter().for_each(|link| _ = visited.insert(link.position));
        let new: Vec<Ordinal> =
            back.get(node as usize).iter().copied().filter(|&from| visited.insert(from)).collect();
        query.set_query(node);
        let distances = scored.compute(&mut **query, new.iter().copied());
        added.clear();
        added.extend(new.iter().zip(distances).map(|(&from, &distance)| Link::new(from, distance)));
        for link in links.iter().chain(&*added) {
            known.get_mut(link.position as usize).into_iter().for_each(|known| *known = link.distance);
        }
        let known = KnownDistances { visited, distances: known };
        self.inserter.builder.add_links_with(0, node, added, selector, |link, occluded| {
            mark_occluded(lists, known, link, occluded);
        });
    }
}

/// The links of level 0 turned around: where each leads, and where it comes from.
fn links_back(graph: &Graph<AtomicU32>) -> impl Iterator<Item = (u32, Ordinal)> + Clone {
    (0..graph.len() as u32).flat_map(|from| {
        let row = graph.row(0, from).iter().map(Word::get);
        row.take_while(|&to| to != NO_NODE).map(move |to| (to, from))
    })
}

/// Of the nodes at `known` distances marks those that a selected link occludes, as far as its list tells.
fn mark_occluded(lists: &NearLists, known: KnownDistances<'_>, selected: &Link, occluded: &mut Visited) {
    for (other, between) in lists.get(selected.position) {
        if known.get(other).is_some_and(|own| is_nearer_by_alpha(between, own)) {
            occluded.insert(other);
        }
    }
}
