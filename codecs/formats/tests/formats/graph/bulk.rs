//! Graphs built in bulk: as good as inserted ones, the same on any number of threads, whatever the vectors are.

use super::support::*;
use lucerne_codec::{Cancel, Error, Progress};
use lucerne_formats::distance::GraphVectors;
use lucerne_formats::hnsw::graph::{BuildParams, Graph, build};

/// As few as are built in bulk.
const LEAST: usize = 10_000;

fn built_in_bulk(vectors: &InPanels, threads: usize) -> Graph {
    build(&params(threads), vectors, &Cancel::new(), &()).unwrap()
}

#[test]
fn a_graph_built_in_bulk_finds_what_an_inserted_one_finds() {
    let vectors = InPanels(Vectors::clustered(LEAST, 1));
    let graph = built_in_bulk(&vectors, 1);
    assert_sound(&graph);
    let inserted = built(&vectors.0, 2);
    assert_ne!(graph, inserted);
    let wide = BuildParams { beam_width: 101, ..params(2) };
    let [by_panels, by_itself] =
        [&vectors as &dyn GraphVectors, &vectors.0].map(|vectors| build(&wide, vectors, &Cancel::new(), &()));
    assert_eq!(by_panels.unwrap(), by_itself.unwrap(), "a wider beam is searched with");
    for candidates in [20, 50, 100] {
        let (bulk, inserted) =
            (recall(&graph, &vectors.0, candidates), recall(&inserted, &vectors.0, candidates));
        assert!(bulk >= inserted - 0.01, "{candidates} candidates: {bulk}, and {inserted} inserted");
    }
}

#[test]
fn a_graph_built_in_bulk_is_the_same_on_any_number_of_threads() {
    let vectors = InPanels(Vectors::clustered(LEAST, 2));
    let graph = built_in_bulk(&vectors, 1);
    for threads in [1, 2, 3, 7] {
        assert_eq!(graph, built_in_bulk(&vectors, threads));
    }
    let two_passes = BuildParams { passes: 2, ..params(2) };
    assert_sound(&build(&two_passes, &vectors, &Cancel::new(), &()).unwrap());
}

#[test]
fn leaders_that_are_many_are_looked_for_in_regions() {
    // 2,048 leaders and more.
    let vectors = InPanels(Vectors::clustered(36_000, 3));
    let graph = built_in_bulk(&vectors, 2);
    assert_sound(&graph);
    let recall = recall(&graph, &vectors.0, 100);
    assert!(recall >= 0.97, "recall {recall}");
}

#[test]
fn copies_lines_and_lone_vectors_are_found_in_a_graph_built_in_bulk() {
    let mut copies = Vectors::clustered(6_000, 4);
    let (first, second) = (copies.0[17], copies.0[1_700]);
    copies.0.extend([first; 3_000]);
    copies.0.extend([second; 2_000]);
    Random(5).shuffle(&mut copies.0);
    let mut lone = Vectors::clustered(LEAST, 6);
    for (number, vector) in lone.0.iter_mut().step_by(997).enumerate() {
        vector[number % DIMENSION] += 1_000.0 * (number as f32 + 1.0);
    }
    let line = Vectors((0..LEAST).map(|i| [i as f32; DIMENSION]).collect());
    let same = Vectors(vec![[0.5; DIMENSION]; LEAST]);
    for vectors in [copies, lone, line, same].map(InPanels) {
        let graph = built_in_bulk(&vectors, 2);
        assert_sound(&graph);
        for node in (0..vectors.0.0.len()).step_by(499) {
            let own = vectors.0.0[node];
            assert_eq!(find(&graph, &vectors.0, &own, 50)[0].0, 0.0, "node {node}");
        }
    }
}

#[test]
fn building_in_bulk_reports_progress_and_stops_when_cancelled() {
    struct CancelAt<'a>(&'a Cancel, u64);
    impl Progress for CancelAt<'_> {
        fn report(&self, _: &str, done: u64, total: u64) {
            assert_eq!(total, LEAST as u64);
            if done >= self.1 {
                self.0.cancel();
            }
        }
    }
    let vectors = InPanels(Vectors::clustered(LEAST, 7));
    for at in [1, 2_000, 5_000, 9_500] {
        let cancel = Cancel::new();
        let result = build(&params(2), &vectors, &cancel, &CancelAt(&cancel, at));
        assert!(matches!(result, Err(Error::Cancelled)), "at {at}");
    }
}
