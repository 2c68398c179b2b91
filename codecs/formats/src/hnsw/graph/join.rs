//! A graph from graphs.
//!
//! The largest source's graph is copied and healed (`repair`). A vector of another source needs no search from
//! the entry point: its neighbours in its own graph that are placed already show where it belongs, and a
//! narrow search from them finds its neighbours in the whole. Lucene has the same idea (apache/lucene#14331),
//! but inserts a fifth to half of a source, a covering set, by full searches first. Here a random part of the
//! source comes first, so that the graph has its long links before the rest, which then comes with neighbours
//! close together: it finds most of its own placed, and in cache, and needs a narrower search. Only nodes
//! without a placed neighbour (and those of upper levels) are searched for from the entry point. Order of
//! neighbourhood alone, without the part that comes first, was 0.002 to 0.005 of recall worse.

use super::build::{build, check, finish, insert_all, workers};
use super::duplicates::Duplicates;
use super::insert::{Inserter, Worker};
use super::levels::{MAX_LEVELS, level_of, split_mix};
use super::parallel::{Steps, each};
use super::repair::Base;
use super::working::Working;
use super::{BuildParams, Graph, GraphView, NO_NODE, Ordinal};
use crate::distance::GraphVectors;
use lucerne_codec::{Cancel, Error, Progress, Result};
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

/// Share of a source, of 2⁶⁴, that is inserted first: 15 %.
const COVER: u64 = u64::MAX / 100 * 15;

/// Candidates whose links are followed in a local search, for the cover and for the rest; as many are kept to
/// choose links from as in a full search. Measured with ten graphs of 7,782 vectors joined (benches/README.md):
/// for the rest 32 has the recall of 16, and 8 loses 0.004; keeping 64 instead of 100 loses 0.010.
const COVER_BEAM: usize = 32;
const REST_BEAM: usize = 16;

/// One source of a [`join`].
#[derive(Clone, Copy)]
pub struct JoinSource<'a> {
    /// Its graph.
    pub graph: &'a dyn GraphView,
    /// The new ordinal of each of its nodes, [`NO_NODE`] for a deleted one.
    pub ordinals: &'a [u32],
}

impl JoinSource<'_> {
    fn live(&self) -> usize {
        self.ordinals.iter().filter(|&&new| new != NO_NODE).count()
    }
}

/// Joins graphs into one over `vectors`, whose ordinals are the new ones. `loose` are the new ordinals of
/// vectors that are in no source's graph. Every new ordinal must be given exactly once.
pub fn join(
    params: &BuildParams,
    vectors: &dyn GraphVectors,
    sources: &[JoinSource<'_>],
    loose: &[Ordinal],
    cancel: &Cancel,
    progress: &dyn Progress,
) -> Result<Graph> {
    check(params, vectors)?;
    check_numbering(vectors.len(), sources, loose)?;
    let base = (0..sources.len()).rev().max_by_key(|&source| {
        let live = sources.get(source).map_or(0, JoinSource::live);
        (live, std::cmp::Reverse(source))
    });
    let Some((base, source)) = base.and_then(|base| Some((base, sources.get(base)?))) else {
        return build(params, vectors, cancel, progress);
    };
    if source.live() == 0 {
        return build(params, vectors, cancel, progress);
    }
    let highest = highest_levels(params, vectors.len(), source)?;
    let (mut graph, promoted) = prepare(params, &highest, source)?;
    let steps = Steps::new(progress, vectors.len());
    let mut workers = workers(params, vectors);
    let duplicates = Duplicates::new(vectors.len());
    let copied = Base { source: *source, graph: &graph, duplicates: &duplicates, highest: &highest, cancel };
    let orphans = copied.copy(&mut workers, &steps)?;
    if let Some(node) = promoted {
        // A node above the base's highest level: it is the entry point from now on.
        inserter(&graph, &duplicates, params, cancel).insert(
            node,
            usize::from(highest.get(node as usize).copied().unwrap_or(0)),
            workers.first_mut().unwrap_or(&mut Worker::new(vectors)),
        )?;
        graph.set_entry((graph.levels() - 1, 0));
    }
    let inserter = inserter(&graph, &duplicates, params, cancel);
    insert_all(&inserter, &orphans, &highest, &mut workers, &steps)?;
    for (index, source) in sources.iter().enumerate() {
        if index != base {
            insert_source(&inserter, source, params.seed, &highest, promoted, &mut workers, &steps)?;
        }
    }
    let loose: Vec<Ordinal> = loose.iter().copied().filter(|&node| Some(node) != promoted).collect();
    insert_all(&inserter, &loose, &highest, &mut workers, &steps)?;
    finish(graph, vectors, &duplicates, params, cancel, &steps)
}

fn inserter<'a>(
    graph: &'a Working,
    duplicates: &'a Duplicates,
    params: &BuildParams,
    cancel: &'a Cancel,
) -> Inserter<'a> {
    Inserter { graph, duplicates, beam_width: params.beam_width, cancel }
}

/// Every new ordinal exactly once.
fn check_numbering(len: usize, sources: &[JoinSource<'_>], loose: &[Ordinal]) -> Result<()> {
    let mut given = vec![false; len];
    let mut count = 0;
    for source in sources {
        if source.ordinals.len() != source.graph.len() {
            let (ordinals, nodes) = (source.ordinals.len(), source.graph.len());
            return Err(Error::Invalid(format!("{ordinals} new ordinals for a graph of {nodes}")));
        }
    }
    let mapped = sources.iter().flat_map(|source| source.ordinals);
    for &new in mapped.filter(|&&new| new != NO_NODE).chain(loose) {
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
fn highest_levels(params: &BuildParams, len: usize, base: &JoinSource<'_>) -> Result<Vec<u8>> {
    let mut highest: Vec<u8> =
        (0..len as u32).map(|node| level_of(params.seed, node, params.m) as u8).collect();
    for &new in base.ordinals {
        if let Some(level) = highest.get_mut(new as usize) {
            *level = 0;
        }
    }
    for level in 1..base.graph.levels().min(MAX_LEVELS) {
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

/// The graph without links, its entry point a node of the base, and the node of another source, if any, that
/// must be inserted first because it is above all of them.
fn prepare(
    params: &BuildParams,
    highest: &[u8],
    base: &JoinSource<'_>,
) -> Result<(Working, Option<Ordinal>)> {
    let level = |node: Ordinal| highest.get(node as usize).copied().unwrap_or(0);
    let top = highest.iter().copied().max().unwrap_or(0);
    let old_entry = super::search::entry_ordinal(base.graph)?;
    let old_entry = base.ordinals.get(old_entry as usize).copied();
    let live = base.ordinals.iter().copied().filter(|&new| new != NO_NODE);
    // The highest node of the base, the old entry point before others.
    let entry = old_entry
        .into_iter()
        .filter(|&new| new != NO_NODE)
        .chain(live)
        .min_by_key(|&new| std::cmp::Reverse(level(new)));
    let entry = entry.unwrap_or(0);
    if level(entry) == top {
        return Ok((Working::new(highest, params.m, Some(entry)), None));
    }
    let mut graph = Working::new(highest, params.m, None);
    let promoted = graph.node(graph.entry().0, 0);
    let entry_level = usize::from(level(entry));
    let position = graph.position(entry_level, entry).unwrap_or(0);
    graph.set_entry((entry_level, position));
    Ok((graph, Some(promoted)))
}

/// Inserts the nodes of another graph near their placed neighbours.
fn insert_source(
    inserter: &Inserter<'_>,
    source: &JoinSource<'_>,
    seed: u64,
    highest: &[u8],
    promoted: Option<Ordinal>,
    workers: &mut [Worker<'_>],
    steps: &Steps<'_>,
) -> Result<()> {
    let new_of = |old: Ordinal| source.ordinals.get(old as usize).copied().unwrap_or(NO_NODE);
    let mut order: Vec<Ordinal> =
        (0..source.graph.len() as u32).filter(|&old| new_of(old) != NO_NODE).collect();
    // The cover in random order, then the rest in the order of the source, which has neighbours close together.
    let random = |old: Ordinal| split_mix(seed, u64::from(old));
    let is_cover = |old: Ordinal| random(old) < COVER;
    order.sort_by_cached_key(|&old| match is_cover(old) {
        true => (false, random(old)),
        false => (true, u64::from(old)),
    });
    let placed: Vec<AtomicBool> =
        source.ordinals.iter().map(|&new| AtomicBool::new(Some(new) == promoted)).collect();
    let is_placed = |old: Ordinal| placed.get(old as usize).is_some_and(|placed| placed.load(Relaxed));
    each(&order, workers, inserter.cancel, Some(steps), |worker, &old| {
        let node = new_of(old);
        if is_placed(old) {
            return Ok(());
        }
        let level = usize::from(highest.get(node as usize).copied().unwrap_or(0));
        let scratch = &mut worker.scratch;
        source.graph.neighbors(0, old, &mut scratch.row);
        let placed_links = scratch.row.iter().copied().filter(|&link| is_placed(link));
        scratch.starts.clear();
        scratch.starts.extend(placed_links.map(new_of));
        let beam = if is_cover(old) { COVER_BEAM } else { REST_BEAM };
        // Upper levels need the descent anyway.
        if level > 0 || scratch.starts.is_empty() {
            inserter.insert(node, level, worker)?;
        } else {
            inserter.insert_near(node, inserter.beam_width.min(beam), worker)?;
        }
        if let Some(placed) = placed.get(old as usize) {
            placed.store(true, Relaxed);
        }
        Ok(())
    })
}
