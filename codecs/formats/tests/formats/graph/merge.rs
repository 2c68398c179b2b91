//! Merged graphs.

use super::support::*;
use lucerne_codec::{Cancel, Error};
use lucerne_formats::hnsw::graph::{Graph, NO_NODE, SourceGraph, merge_graphs};

/// Splits vectors into parts with graphs, deletes a share of each, and merges what is left.
fn merge_parts(threads: usize, parts: usize, deleted: f32, with_others: bool) -> (Vectors, Graph) {
    let mut random = Random(11);
    let mut merged = Vectors(Vec::new());
    let mut sources: Vec<(Graph, Vec<u32>)> = Vec::new();
    for part in 0..parts {
        let vectors = Vectors::clustered(if part == 1 { 2_000 } else { 1_000 }, 50 + part as u64);
        let mut ordinals = Vec::new();
        for vector in &vectors.0 {
            if random.unit() < deleted {
                ordinals.push(NO_NODE);
            } else {
                ordinals.push(merged.0.len() as u32);
                merged.0.push(*vector);
            }
        }
        sources.push((built(&vectors, 1), ordinals));
    }
    let mut without_graph: Vec<u32> = Vec::new();
    if with_others {
        let vectors = Vectors::clustered(500, 70);
        without_graph = (merged.0.len() as u32..).take(500).collect();
        merged.0.extend(vectors.0);
    }
    let sources: Vec<SourceGraph<'_>> =
        sources.iter().map(|(graph, ordinals)| SourceGraph { graph, ordinals }).collect();
    let graph =
        merge_graphs(&params(threads), &merged, &sources, &without_graph, &Cancel::new(), &()).unwrap();
    (merged, graph)
}

#[test]
fn merged_graphs_are_as_good_as_one_from_scratch() {
    for (parts, deleted, with_others) in [(4, 0.0, false), (4, 0.2, true), (2, 0.6, false), (1, 0.0, true)] {
        for threads in [1, 2] {
            let (vectors, merged) = merge_parts(threads, parts, deleted, with_others);
            assert_sound(&merged);
            let (found, expected) =
                (recall(&merged, &vectors, 50), recall(&built(&vectors, 1), &vectors, 50));
            assert!(
                found >= expected - 0.01,
                "{parts} parts, {deleted} deleted: recall {found}, from scratch {expected}"
            );
        }
    }
    assert_eq!(merge_parts(1, 3, 0.3, true).1, merge_parts(1, 3, 0.3, true).1);
}

#[test]
fn many_merges_with_deletes_keep_degree_and_recall() {
    let mut random = Random(21);
    let mut vectors = Vectors::clustered(2_000, 80);
    let mut graph = built(&vectors, 1);
    let degree = mean_degree(&graph);
    for round in 0..30 {
        let fresh = Vectors::clustered(100, 1_000 + round);
        let part = built(&fresh, 1);
        let mut next = Vectors(Vec::new());
        let ordinals: Vec<u32> = (vectors.0.iter())
            .map(|vector| {
                if random.unit() < 0.05 {
                    return NO_NODE;
                }
                next.0.push(*vector);
                next.0.len() as u32 - 1
            })
            .collect();
        let fresh_ordinals: Vec<u32> = (next.0.len() as u32..).take(100).collect();
        next.0.extend(fresh.0);
        let old = SourceGraph { graph: &graph, ordinals: &ordinals };
        let new = SourceGraph { graph: &part, ordinals: &fresh_ordinals };
        graph = merge_graphs(&params(1), &next, &[old, new], &[], &Cancel::new(), &()).unwrap();
        vectors = next;
    }
    assert_sound(&graph);
    assert!(mean_degree(&graph) > 0.9 * degree, "{} of {degree}", mean_degree(&graph));
    let (found, expected) = (recall(&graph, &vectors, 50), recall(&built(&vectors, 1), &vectors, 50));
    assert!(found >= expected - 0.01, "recall {found}, from scratch {expected}");
}

#[test]
fn merging_refuses_a_wrong_numbering() {
    let vectors = Vectors::clustered(20, 1);
    let graph = built(&vectors, 1);
    let all: Vec<u32> = (0..20).collect();
    let mut twice = all.clone();
    twice[3] = 4;
    let mut missing = all.clone();
    missing[3] = NO_NODE;
    for (ordinals, without_graph) in
        [(&twice, vec![]), (&missing, vec![]), (&all, vec![3]), (&all[..19].to_vec(), vec![19])]
    {
        let source = SourceGraph { graph: &graph, ordinals };
        let refused = merge_graphs(&params(1), &vectors, &[source], &without_graph, &Cancel::new(), &());
        assert!(matches!(refused, Err(Error::Invalid(_))));
    }
}
