//! Every live vector is found by a search for itself, with the candidates a search keeps by default.

use super::support::*;
use crate::common::{Segment, field, format};
use lucerne_codec::{Cancel, Directory as _, Ordinal, Similarity};
use lucerne_formats::distance::{DistanceComputer, GraphVectors, NodeDistances};
use lucerne_formats::hnsw::graph::{
    Graph, GraphSearcher, NO_NODE, SearchParams, SearchScratch, SourceGraph, build, merge_graphs,
};

/// About normal.
fn normal(random: &mut Random) -> f32 {
    (0..12).map(|_| random.unit()).sum::<f32>() - 6.0
}

/// A dense cluster, and one vector in 40 anywhere.
fn far_beside_a_cluster(n: usize, seed: u64) -> Vectors {
    let mut random = Random(seed);
    let rows = (0..n).map(|i| {
        let width = if i % 40 == 7 { 1.0 } else { 1e-2 };
        std::array::from_fn(|_| 2.0 + width * normal(&mut random))
    });
    Vectors(rows.collect())
}

/// Directions at random, of lengths that differ by orders of magnitude.
fn lognormal_lengths(n: usize, seed: u64) -> Vectors {
    let mut random = Random(seed);
    let rows = (0..n).map(|_| {
        let length = normal(&mut random).exp();
        std::array::from_fn(|_| length * normal(&mut random))
    });
    Vectors(rows.collect())
}

/// Groups of near copies.
fn near_copies(n: usize, seed: u64) -> Vectors {
    let mut random = Random(seed);
    let centers = lognormal_lengths(n / 20, seed + 1);
    let near = |i: usize| centers.0[i % centers.0.len()].map(|value| value + 1e-3 * normal(&mut random));
    Vectors((0..n).map(near).collect())
}

fn sorted(n: usize, seed: u64) -> Vectors {
    let mut vectors = lognormal_lengths(n, seed);
    vectors.0.sort_by(|one, other| one[0].total_cmp(&other[0]));
    vectors
}

/// The vectors that a search for themselves does not find.
fn missed(graph: &Graph, vectors: &Vectors) -> Vec<usize> {
    let (mut scratch, mut out) = (SearchScratch::new(), Vec::new());
    let mut is_missed = |vector: &[f32; DIMENSION]| {
        let distances = &mut To(vectors, *vector);
        let mut searcher = GraphSearcher { graph, distances, scratch: &mut scratch, cancel: &Cancel::new() };
        searcher.search(1, SearchParams { ef: 100, budget: u64::MAX, hidden: None }, &mut out).unwrap();
        out[0].0 > 0.0
    };
    (0..vectors.0.len()).filter(|&i| is_missed(&vectors.0[i])).collect()
}

#[test]
fn every_vector_finds_itself() {
    for (name, vectors) in [
        ("far beside a cluster", far_beside_a_cluster(3_000, 1)),
        ("lognormal lengths", lognormal_lengths(3_000, 2)),
        ("near copies", near_copies(3_000, 3)),
        ("sorted", sorted(3_000, 4)),
    ] {
        for threads in [1, 2] {
            let graph = built(&vectors, threads);
            assert_sound(&graph);
            assert_eq!(missed(&graph, &vectors), [0; 0], "{name}");
            let searches = graph.self_search().unwrap();
            assert!(searches.complete && searches.mended == searches.missed, "{name}: {searches:?}");
        }
    }
}

#[test]
fn every_live_vector_finds_itself_after_deletes_and_merges() {
    for make in [far_beside_a_cluster, lognormal_lengths] {
        let mut random = Random(5);
        let mut merged = Vectors(Vec::new());
        let mut sources = Vec::new();
        for part in 0..3 {
            let vectors = make(1_500, 10 + part);
            let mut ordinals = Vec::new();
            for vector in &vectors.0 {
                if random.unit() < 0.3 {
                    ordinals.push(NO_NODE);
                } else {
                    ordinals.push(merged.0.len() as u32);
                    merged.0.push(*vector);
                }
            }
            sources.push((built(&vectors, 1), ordinals));
        }
        let sources: Vec<SourceGraph<'_>> =
            sources.iter().map(|(graph, ordinals)| SourceGraph { graph, ordinals }).collect();
        let graph = merge_graphs(&params(1), &merged, &sources, &[], &Cancel::new(), &()).unwrap();
        assert_sound(&graph);
        assert_eq!(missed(&graph, &merged), [0; 0]);
    }
}

#[test]
fn rows_of_uneven_data_are_not_starved() {
    let vectors = lognormal_lengths(2_000, 6);
    let graph = built(&vectors, 1);
    let rows = graph.levels()[0].rows.chunks_exact(32);
    let lengths = rows.map(|row| row.iter().filter(|&&link| link != NO_NODE).count());
    assert!(lengths.min().unwrap() >= 16);
}

#[test]
fn a_check_counts_the_vectors_that_a_broken_graph_does_not_find() {
    let rows: Vec<Vec<f32>> = far_beside_a_cluster(1_500, 7).0.iter().map(|row| row.to_vec()).collect();
    let params = r#"{"advanced": {"graph_threshold": 0}}"#;
    let cancel = Cancel::new();
    for (name, similarity) in [("hnsw_f32", Similarity::Euclidean), ("hnsw_sq8", Similarity::Cosine)] {
        let field = field(DIMENSION, similarity, params);
        let segment = Segment::flush(format(name), &field, &rows);
        let whole = segment.open().search_selves(&cancel).unwrap().unwrap();
        assert!(whole.searched > 100 && whole.found * 100 >= whole.searched * 99, "{name}: {whole:?}");
        // Each node linked to the next one only: everything can be reached, and next to nothing is found.
        let file = segment.file("hnsw");
        let mut bytes = segment.directory.open(&file).unwrap().bytes().to_vec();
        for (node, row) in bytes[64..64 + rows.len() * 128].chunks_exact_mut(128).enumerate() {
            row.fill(0xFF);
            row[..4].copy_from_slice(&((node as u32 + 1) % rows.len() as u32).to_le_bytes());
        }
        segment.directory.put(&file, bytes);
        let broken = segment.open();
        assert_eq!(broken.verify(&cancel).unwrap(), []);
        let searches = broken.search_selves(&cancel).unwrap().unwrap();
        assert!(searches.found * 2 < searches.searched, "{name}: {searches:?}");
    }
    // By inner product a vector need not be its own nearest.
    let field = field(DIMENSION, Similarity::MaxInnerProduct, params);
    let segment = Segment::flush(format("hnsw_f32"), &field, &rows);
    assert_eq!(segment.open().search_selves(&cancel).unwrap(), None);
}

/// Distances are inner products.
struct InnerProducts(Vectors);

struct From<'a>(&'a Vectors, [f32; DIMENSION]);

impl DistanceComputer for From<'_> {
    fn gather(&mut self, ordinals: &[Ordinal], out: &mut [f32]) {
        for (&ordinal, out) in ordinals.iter().zip(out) {
            *out = -self.0.0[ordinal as usize].iter().zip(&self.1).map(|(x, y)| x * y).sum::<f32>();
        }
    }
}

impl NodeDistances for From<'_> {
    fn set_query(&mut self, node: Ordinal) {
        self.1 = self.0.0[node as usize];
    }
}

impl GraphVectors for InnerProducts {
    fn len(&self) -> usize {
        self.0.0.len()
    }

    fn are_inner_products(&self) -> bool {
        true
    }

    fn computer(&self) -> Box<dyn NodeDistances + '_> {
        Box::new(From(&self.0, [0.0; DIMENSION]))
    }
}

/// All vectors have nearly one direction, so the few longest are everyone's nearest, and most others nobody's: these must not
/// take the places of the links that lead from one of the longest to the next.
#[test]
fn the_longest_vectors_keep_their_links_to_each_other() {
    let mut random = Random(8);
    let row = |_| std::array::from_fn(|_| 100.0 + normal(&mut random));
    let vectors = InnerProducts(Vectors((0..3_000).map(row).collect()));
    let graph = build(&params(1), &vectors, &Cancel::new(), &()).unwrap();
    assert_sound(&graph);
    let square = |node: &usize| vectors.0.0[*node].iter().map(|x| x * x).sum::<f32>();
    let mut longest: Vec<usize> = (0..3_000).collect();
    longest.sort_by(|one, other| square(other).total_cmp(&square(one)));
    longest.truncate(20);
    let row = |node: &usize| &graph.levels()[0].rows[node * 32..(node + 1) * 32];
    for node in &longest {
        assert!(longest.iter().any(|from| row(from).contains(&(*node as u32))), "{node} of {longest:?}");
    }
}
