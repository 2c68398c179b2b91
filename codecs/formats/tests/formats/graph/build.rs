//! Built graphs: recall, determinism, degenerate inputs.

use super::support::*;
use lucerne_codec::Cancel;
use lucerne_formats::hnsw::graph::{BuildParams, SourceGraph, build, merge_graphs};

#[test]
fn a_graph_finds_what_brute_force_finds() {
    let vectors = Vectors::clustered(5_000, 1);
    let graph = built(&vectors, 1);
    assert_sound(&graph);
    let recall = recall(&graph, &vectors, 100);
    assert!(recall >= 0.98, "recall {recall}");
}

#[test]
fn one_seed_gives_one_graph_on_any_number_of_threads() {
    let vectors = Vectors::clustered(2_000, 2);
    let graph = built(&vectors, 1);
    for threads in [1, 2, 3, 7] {
        assert_eq!(graph, built(&vectors, threads));
    }
    let other = BuildParams { seed: 43, ..params(1) };
    assert_ne!(graph, build(&other, &vectors, &Cancel::new(), &()).unwrap());
}

#[test]
fn threads_build_a_graph_as_good() {
    let vectors = Vectors::clustered(5_000, 1);
    let graph = built(&vectors, 4);
    assert_sound(&graph);
    let recall = recall(&graph, &vectors, 100);
    assert!(recall >= 0.98, "recall {recall}");
}

#[test]
fn small_and_degenerate_inputs_give_sound_graphs() {
    for threads in [1, 3] {
        for n in [0, 1, 2, 3, 33, 700] {
            assert_sound(&built(&Vectors::clustered(n, 3), threads));
            let same = Vectors(vec![[0.5; DIMENSION]; n]);
            let graph = built(&same, threads);
            assert_sound(&graph);
            assert_eq!(find(&graph, &same, &[0.5; DIMENSION], n).len(), n);
        }
        let line = Vectors((0..3_000).map(|i| [i as f32; DIMENSION]).collect());
        assert_sound(&built(&line, threads));
    }
}

/// 3,000 copies of one vector and 2,000 of another among 3,000 others.
fn with_duplicates() -> Vectors {
    let mut vectors = Vectors::clustered(3_000, 4);
    let (first, second) = (vectors.0[17], vectors.0[1_700]);
    vectors.0.extend([first; 3_000]);
    vectors.0.extend([second; 2_000]);
    Random(5).shuffle(&mut vectors.0);
    vectors
}

#[test]
fn thousands_of_duplicates_hide_nothing() {
    let vectors = with_duplicates();
    for threads in [1, 2] {
        let graph = built(&vectors, threads);
        assert_sound(&graph);
        let recall = recall(&graph, &vectors, 100);
        assert!(recall >= 0.97, "recall {recall}");
        // Merged away and back: the trees of duplicates are rebuilt, not piled up.
        let ordinals: Vec<u32> = (0..vectors.0.len() as u32).collect();
        let source = SourceGraph { graph: &graph, ordinals: &ordinals };
        let merged = merge_graphs(&params(threads), &vectors, &[source], &[], &Cancel::new(), &()).unwrap();
        assert_sound(&merged);
        let after = self::recall(&merged, &vectors, 100);
        assert!(after >= recall - 0.01, "recall {after} after {recall}");
    }
}
