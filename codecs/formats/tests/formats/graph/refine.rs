//! Graphs of two passes: the links of every node selected anew.

use super::support::*;
use lucerne_codec::Cancel;
use lucerne_formats::hnsw::graph::{BuildParams, Graph, SourceGraph, build, merge_graphs};

fn two_passes(threads: usize) -> BuildParams<'static> {
    BuildParams { passes: 2, ..params(threads) }
}

fn built_twice(vectors: &Vectors, threads: usize) -> Graph {
    build(&two_passes(threads), vectors, &Cancel::new(), &()).unwrap()
}

#[test]
fn a_second_pass_finds_more_with_as_many_candidates() {
    let vectors = Vectors::clustered(5_000, 1);
    let (once, twice) = (built(&vectors, 1), built_twice(&vectors, 1));
    assert_sound(&twice);
    assert_ne!(once, twice);
    let (before, after) = (recall(&once, &vectors, 20), recall(&twice, &vectors, 20));
    assert!(after >= before, "recall {after} after {before}");
}

#[test]
fn a_second_pass_gives_one_graph_on_any_number_of_threads() {
    let vectors = Vectors::clustered(2_000, 2);
    let graph = built_twice(&vectors, 1);
    for threads in [2, 3, 7] {
        assert_eq!(graph, built_twice(&vectors, threads));
    }
}

#[test]
fn a_second_pass_over_degenerate_inputs_gives_sound_graphs() {
    for n in [0, 1, 2, 3, 33, 700] {
        assert_sound(&built_twice(&Vectors::clustered(n, 3), 3));
        assert_sound(&built_twice(&Vectors(vec![[0.5; DIMENSION]; n]), 3));
    }
    let mut vectors = Vectors::clustered(1_000, 4);
    let copied = vectors.0[17];
    vectors.0.extend([copied; 1_000]);
    let graph = built_twice(&vectors, 2);
    assert_sound(&graph);
    assert_eq!(find(&graph, &vectors, &copied, 1_001).iter().filter(|hit| hit.0 == 0.0).count(), 1_001);
}

#[test]
fn a_merge_of_two_passes_is_sound_and_finds_as_much() {
    let vectors = Vectors::clustered(4_000, 6);
    let halves = vectors.0.split_at(2_000);
    let (first, second) = (Vectors(halves.0.to_vec()), Vectors(halves.1.to_vec()));
    let graphs = (built(&first, 1), built(&second, 1));
    let (old, new): (Vec<u32>, Vec<u32>) = ((0..2_000).collect(), (2_000..4_000).collect());
    let sources =
        [SourceGraph { graph: &graphs.0, ordinals: &old }, SourceGraph { graph: &graphs.1, ordinals: &new }];
    let merged = |params: &BuildParams<'_>| {
        let graph = merge_graphs(params, &vectors, &sources, &[], &Cancel::new(), &()).unwrap();
        assert_sound(&graph);
        graph
    };
    let (once, twice) = (merged(&params(1)), merged(&two_passes(1)));
    assert_eq!(twice, merged(&two_passes(3)));
    let (before, after) = (recall(&once, &vectors, 20), recall(&twice, &vectors, 20));
    assert!(after >= before, "recall {after} after {before}");
}
