//! A graph from graphs.
//!
//! Where most vectors are not in the largest source, and they are many, the graph is built anew (`bulk`). Otherwise the
//! largest source's graph is copied and repaired (`repair`). A vector of another source needs no search from
//! the entry point: its neighbors in its own graph that are inserted already show where it belongs, and a
//! narrow search from them finds its neighbors in the whole. Lucene has the same idea (apache/lucene#14331),
//! but inserts a fifth to half of a source, a join set that covers it, by full searches first. Here the join set is a
//! random part of all sources, so that the graph spreads over all vectors and has its long links before the rest, however
//! unlike each other the sources are. The rest then comes with neighbors close together: it finds most of its own
//! inserted, and in cache. Only nodes without an inserted neighbor (and those of upper levels) are searched for from the
//! entry point.

use super::build::{build, check, finish};
use super::builder::GraphBuilder;
use super::bulk::is_bulk_built;
use super::duplicates::Duplicates;
use super::insert::{Inserter, Start};
use super::memory::{MAX_LEVELS, level_of, split_mix};
use super::parallel::Steps;
use super::repair::Copy;
use super::search::entry_point;
use super::separation::Separations;
use super::worker::{Worker, workers};
use super::{BuildParams, Graph, GraphView, NO_NODE, NodeAt, SourceGraph};
use crate::distance::GraphVectors;
use lucerne_codec::{Cancel, Error, Ordinal, Progress, Result};

/// Share of a source, of 2⁶⁴, that is its join set: 15 %.
const JOIN_SET: u64 = u64::MAX / 100 * 15;

/// Candidates expanded in a search near inserted neighbors; as many are kept to select neighbors from as in a full search.
const NEAR_EF: usize = 32;

/// Of so many vectors or more the graph is built anew, in bulk, if no source has one of [`BASE_OF`]. With fewer that takes as long as
/// inserting those of other sources.
const LEAST_BUILT_ANEW: usize = 1 << 18;
/// See [`LEAST_BUILT_ANEW`].
const BASE_OF: usize = 3;

/// Merges graphs into one over `vectors`, whose ordinals are the new ones. `without_graph` are the new ordinals of
/// vectors that are in no source's graph. Every new ordinal must be given exactly once.
pub fn merge_graphs(
    params: &BuildParams<'_>,
    vectors: &dyn GraphVectors,
    sources: &[SourceGraph<'_>],
    without_graph: &[Ordinal],
    cancel: &Cancel,
    progress: &dyn Progress,
) -> Result<Graph> {
    check(params, vectors)?;
    check_numbering(vectors.len(), sources, without_graph)?;
    let largest = (0..sources.len()).rev().max_by_key(|&source| {
        let live = sources.get(source).map_or(0, SourceGraph::live);
        (live, std::cmp::Reverse(source))
    });
    let base = largest.and_then(|index| Some((index, *sources.get(index)?)));
    let is_worth_keeping = |base: &SourceGraph<'_>| {
        vectors.len() < LEAST_BUILT_ANEW
            || base.live() * BASE_OF >= vectors.len()
            || !is_bulk_built(params, vectors)
    };
    let Some((base_index, base)) = base.filter(|(_, base)| base.live() > 0 && is_worth_keeping(base)) else {
        return build(params, vectors, cancel, progress);
    };
    let highest = highest_levels(params, vectors.len(), base)?;
    let Prepared { builder, entry_point, new_entry_node } =
        prepare(params, &highest, Separations::new(vectors, cancel)?, base)?;
    let steps = Steps::new(progress, vectors.len() * params.passes);
    let mut workers = workers(params, vectors);
    let duplicates = Duplicates::new(vectors.len());
    let mut inserter = Inserter {
        builder: &builder,
        duplicates: &duplicates,
        highest: &highest,
        entry_point,
        beam_width: params.beam_width,
        cancel,
    };
    let orphans = Copy { source: base, inserter: &inserter }.run(&mut workers, &steps)?;
    let mut inserted = base.live() - orphans.len();
    let from_the_top = |_: usize, _: &mut Worker<'_>| Start::EntryPoint;
    if let Some(node) = new_entry_node {
        inserter.insert_all(&[node], &mut inserted, from_the_top, &mut workers, &steps)?;
        inserter.entry_point = builder.top();
    }
    inserter.insert_all(&orphans, &mut inserted, from_the_top, &mut workers, &steps)?;
    let joined: Vec<SourceGraph<'_>> =
        (0..).zip(sources).filter(|&(index, _)| index != base_index).map(|(_, source)| *source).collect();
    insert_sources(&inserter, &joined, params.seed, &mut inserted, &mut workers, &steps)?;
    let rest: Vec<Ordinal> =
        without_graph.iter().copied().filter(|&node| Some(node) != new_entry_node).collect();
    inserter.insert_all(&rest, &mut inserted, from_the_top, &mut workers, &steps)?;
    if params.passes > 1 {
        inserter.refine(&mut workers, &steps)?;
    }
    finish(builder, vectors, &duplicates, &mut workers, cancel, &steps)
}

/// Every new ordinal exactly once.
fn check_numbering(len: usize, sources: &[SourceGraph<'_>], without_graph: &[Ordinal]) -> Result<()> {
    let mut given = vec![false; len];
    let mut count = 0;
    for source in sources {
        if source.ordinals.len() != source.graph.len() {
            let (ordinals, nodes) = (source.ordinals.len(), source.graph.len());
            return Err(Error::Invalid(format!("{ordinals} new ordinals for a graph of {nodes}")));
        }
    }
    let mapped = sources.iter().flat_map(|source| source.ordinals);
    for &new in mapped.filter(|&&new| new != NO_NODE).chain(without_graph) {
        match given.get_mut(new as usize) {
            Some(given @ false) => *given = true,
            _ => return Err(Error::Invalid(format!("new ordinal {new} is out of range or given twice"))),
        }
        count += 1;
    }
    if count != len {
        return Err(Error::Invalid(format!("{count} of {len} new ordinals are given")));
    }
    Ok(())
}

/// Nodes of the base keep their levels, so that their links there stay; the others draw theirs.
fn highest_levels(params: &BuildParams<'_>, len: usize, base: SourceGraph<'_>) -> Result<Vec<u8>> {
    let mut highest: Vec<u8> =
        (0..len as u32).map(|node| level_of(params.seed, node, params.m) as u8).collect();
    for &new in base.ordinals {
        if let Some(level) = highest.get_mut(new as usize) {
            *level = 0;
        }
    }
    for level in 1..base.graph.level_count().min(MAX_LEVELS) {
        for position in 0..base.graph.level_len(level) as u32 {
            let old = base.graph.node(level, position);
            let Some(&new) = base.ordinals.get(old as usize) else {
                return Err(base.graph.corrupt(format!("level {level}: no node {old}")));
            };
            if let Some(highest) = highest.get_mut(new as usize) {
                *highest = level as u8;
            }
        }
    }
    Ok(highest)
}

/// A graph without links.
struct Prepared {
    builder: GraphBuilder,
    /// The highest node of the base.
    entry_point: NodeAt,
    /// A node of another source that is above all of the base, if there is one: it must be inserted first, and is the
    /// entry point from then on.
    new_entry_node: Option<Ordinal>,
}

fn prepare(
    params: &BuildParams<'_>,
    highest: &[u8],
    separations: Separations,
    base: SourceGraph<'_>,
) -> Result<Prepared> {
    let level = |node: Ordinal| highest.get(node as usize).copied().unwrap_or(0);
    let top = highest.iter().copied().max().unwrap_or(0);
    let old_entry = base.new_ordinal(entry_point(base.graph)?);
    // The highest node of the base, the old entry point before others.
    let live = [old_entry].into_iter().chain(base.ordinals.iter().copied()).filter(|&new| new != NO_NODE);
    let entry = live.min_by_key(|&new| std::cmp::Reverse(level(new))).unwrap_or(0);
    if level(entry) == top {
        let builder = GraphBuilder::new(highest, params, separations, Some(entry))?;
        return Ok(Prepared { entry_point: builder.top(), builder, new_entry_node: None });
    }
    let builder = GraphBuilder::new(highest, params, separations, None)?;
    let top = builder.top();
    let new_entry_node = builder.graph().node(top.level, top.position);
    let level = usize::from(level(entry));
    let position = builder.graph().position(level, entry).unwrap_or(0);
    Ok(Prepared { builder, entry_point: NodeAt { level, position }, new_entry_node: Some(new_entry_node) })
}

/// A node of a source.
#[derive(Clone, Copy)]
struct Joining {
    source: u32,
    /// Its ordinal there, and the new one.
    old: Ordinal,
    new: Ordinal,
}

/// Inserts the nodes of other graphs near their inserted neighbors: those of upper levels first, then the join sets of all
/// sources in random order, so that the graph is spread over all vectors before the rest comes, however unlike each other
/// the sources are; then the rest in the order of its source, which has neighbors close together.
fn insert_sources(
    inserter: &Inserter<'_>,
    sources: &[SourceGraph<'_>],
    seed: u64,
    inserted: &mut usize,
    workers: &mut [Worker<'_>],
    steps: &Steps<'_>,
) -> Result<()> {
    let mut joining: Vec<Joining> = Vec::new();
    for (source, number) in sources.iter().zip(0..) {
        let nodes = source.ordinals.iter().zip(0..).map(|(&new, old)| Joining { source: number, old, new });
        joining.extend(nodes.filter(|node| node.new != NO_NODE && !inserter.is_inserted(node.new)));
    }
    let random = |node: &Joining| split_mix(seed, u64::from(node.new));
    joining.sort_unstable_by_key(|node| match (inserter.highest(node.new), random(node)) {
        (0, random) if random >= JOIN_SET => (2, u64::from(node.source), u64::from(node.old)),
        (0, random) => (1, random, 0),
        (level, random) => (0, u64::MAX - level as u64, random),
    });
    let nodes: Vec<Ordinal> = joining.iter().map(|node| node.new).collect();
    let near = |index: usize, worker: &mut Worker<'_>| {
        let row = &mut worker.scratch.row;
        row.clear();
        let node = joining.get(index);
        let Some((node, source)) = node.and_then(|node| Some((node, sources.get(node.source as usize)?)))
        else {
            return Start::EntryPoint;
        };
        if inserter.highest(node.new) == 0 {
            // Upper levels need the greedy descent anyway.
            source.graph.neighbors(0, node.old, row);
        }
        let neighbors = row.iter().map(|&link| source.new_ordinal(link));
        let entry_points: Vec<Ordinal> =
            neighbors.filter(|&new| new != NO_NODE && inserter.is_inserted(new)).collect();
        match entry_points.is_empty() {
            true => Start::EntryPoint,
            false => Start::Near { entry_points, ef: NEAR_EF.min(inserter.beam_width) },
        }
    };
    inserter.insert_all(&nodes, inserted, near, workers, steps)
}
