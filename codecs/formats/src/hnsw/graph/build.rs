//! A graph from nothing.

use super::builder::GraphBuilder;
use super::bulk::{BulkBuild, pair_workers};
use super::connectivity::connect_unreachable;
use super::duplicates::Duplicates;
use super::insert::{Inserter, Start};
use super::memory::level_of;
use super::mend::mend;
use super::parallel::Steps;
use super::separation::Separations;
use super::worker::{Worker, workers};
use super::{BuildParams, Graph, GraphView, MAX_NODES};
use crate::distance::GraphVectors;
use lucerne_codec::{Cancel, Error, Ordinal, Progress, Result};

/// Builds a graph over all vectors.
pub fn build(
    params: &BuildParams<'_>,
    vectors: &dyn GraphVectors,
    cancel: &Cancel,
    progress: &dyn Progress,
) -> Result<Graph> {
    check(params, vectors)?;
    let len = vectors.len();
    let highest: Vec<u8> = (0..len as u32).map(|node| level_of(params.seed, node, params.m) as u8).collect();
    let builder = GraphBuilder::new(&highest, params, Separations::new(vectors, cancel)?, None)?;
    let duplicates = Duplicates::new(len);
    let steps = Steps::new(progress, len * params.passes);
    let mut workers = workers(params, vectors);
    let entry_point = builder.top();
    let entry_node = builder.graph().node(entry_point.level, entry_point.position);
    let order = insertion_order(&highest, entry_node);
    let upper = order.iter().take_while(|&&node| highest.get(node as usize) > Some(&0)).count();
    let inserter = Inserter {
        builder: &builder,
        duplicates: &duplicates,
        highest: &highest,
        entry_point,
        beam_width: params.beam_width,
        cancel,
    };
    let pair_workers = pair_workers(params, vectors);
    let (inserted, rest) = order.split_at(if pair_workers.is_empty() { order.len() } else { upper });
    inserter.insert_all(inserted, &mut 1, |_, _| Start::EntryPoint, &mut workers, &steps)?;
    if !rest.is_empty() {
        BulkBuild { inserter: &inserter, vectors, steps: &steps }.run(
            params.files,
            pair_workers,
            &mut workers,
        )?;
    }
    if params.passes > 1 {
        inserter.refine(&mut workers, &steps)?;
    }
    finish(builder, vectors, &duplicates, &mut workers, cancel, &steps)
}

/// Refuses parameters no graph can be built with.
pub(super) fn check(params: &BuildParams<'_>, vectors: &dyn GraphVectors) -> Result<()> {
    if params.m < 2 || params.m > 4_096 || params.beam_width == 0 {
        return Err(Error::Invalid(format!(
            "m {} and beam width {}: expected 2 to 4096 and at least 1",
            params.m, params.beam_width
        )));
    }
    if vectors.len() > MAX_NODES {
        return Err(Error::Invalid(format!("{} vectors: too many for a graph", vectors.len())));
    }
    Ok(())
}

/// The nodes of high levels first, otherwise in order. So the entry point never changes, the upper levels are
/// complete before most nodes need them, and a level-0 graph of evenly spread nodes is there before the rest
/// arrives in what may be a very uneven order.
fn insertion_order(highest: &[u8], entry_node: Ordinal) -> Vec<Ordinal> {
    let mut order: Vec<Ordinal> = (0..highest.len() as u32).filter(|&node| node != entry_node).collect();
    order.sort_by_key(|&node| std::cmp::Reverse(highest.get(node as usize).copied()));
    order
}

/// Finishes the graph, adds the duplicates, and proves that every node can be reached and is found.
pub(super) fn finish(
    builder: GraphBuilder,
    vectors: &dyn GraphVectors,
    duplicates: &Duplicates,
    workers: &mut [Worker<'_>],
    cancel: &Cancel,
    steps: &Steps<'_>,
) -> Result<Graph> {
    let (mut graph, separations) = builder.finish();
    duplicates.attach(&mut graph);
    let tree = connect_unreachable(&mut graph, vectors, &separations, cancel)?;
    // By inner product a vector need not be its own nearest.
    if !vectors.are_inner_products() {
        let is_duplicate = |node| duplicates.is_duplicate(node);
        let self_search = mend(&mut graph, &tree, is_duplicate, workers, cancel)?;
        graph.set_self_search(self_search);
    }
    steps.finish();
    Ok(graph)
}
