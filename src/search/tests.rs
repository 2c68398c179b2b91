//! Explanations agree with the search that they explain.

use crate::directory::RamDirectory;
use crate::document::Document;
use crate::index::IndexBuilder;
use crate::query::Knn;
use crate::schema::{Schema, SignHash, Vector, VectorIndex};
use crate::search::Searcher;
use std::sync::Arc;

const DIMENSION: usize = 32;
const DOCS: usize = 600;

/// Vectors of pseudo-random components.
fn vectors(seed: u64) -> impl Iterator<Item = Vec<f32>> {
    let mut state = seed;
    let mut component = move || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 40) as f32 / (1u64 << 23) as f32 - 1.0
    };
    std::iter::repeat_with(move || (0..DIMENSION).map(|_| component()).collect())
}

fn searcher(vector: Vector) -> Searcher {
    let schema = Schema::builder().key("id").vector("v", vector).build().unwrap();
    let index = IndexBuilder::new().create(Arc::new(RamDirectory::new()), schema).unwrap();
    let writer = index.writer().unwrap();
    for (number, vector) in vectors(1).take(DOCS).enumerate() {
        writer.add(&Document::new().with("id", format!("d{number}")).with("v", vector)).unwrap();
    }
    writer.commit().unwrap();
    index.searcher().unwrap()
}

/// A query whose nearest document the search misses, and that document.
fn missed(searcher: &Searcher) -> (Knn, String) {
    let missed = vectors(2).take(500).find_map(|vector| {
        let query = Knn::new("v", vector).k(1);
        let nearest = searcher.search(query.clone().exact()).unwrap().keys()[0].to_owned();
        (searcher.search(&query).unwrap().keys() != [&*nearest]).then_some((query, nearest))
    });
    missed.expect("a query that misses its nearest document")
}

#[test]
fn a_document_beyond_the_default_candidates_of_sign_hashes_is_said_to_be_no_candidate() {
    let vector = Vector::f32(DIMENSION).index(VectorIndex::Flat).sign_hash_by(SignHash::Plain).recall(0.8);
    let searcher = searcher(vector);
    let (query, nearest) = missed(&searcher);
    let why = searcher.explain(&query, &nearest).unwrap().to_string();
    assert!(why.contains("not among the candidates") && why.contains("exact rank 1"), "{why}");
    // What the explanation suggests is true.
    assert_eq!(searcher.search(query.candidates(DOCS)).unwrap().keys(), [&*nearest]);
}

#[test]
fn a_document_that_its_estimate_puts_behind_k_is_said_to_be_found_by_rescoring() {
    let searcher =
        searcher(Vector::f32(DIMENSION).index(VectorIndex::Flat).param("confidence_interval", 0.9));
    let (query, nearest) = missed(&searcher);
    let why = searcher.explain(&query, &nearest).unwrap().to_string();
    assert!(why.contains("lost by quantization") && why.contains("exact rank 1"), "{why}");
    assert_eq!(searcher.search(query.rescore(50.0)).unwrap().keys(), [&*nearest]);
}
