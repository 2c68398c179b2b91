//! The sparse vectors of records, and what is found by them.

use super::Model;
use crate::common::rng::Rng;
use lucerne::document::SparseVector;
use lucerne::{Document, Search, Searcher, Sparse, Value};
use std::collections::BTreeMap;

pub(super) const FIELD: &str = "weights";

/// Up to four of six dimensions, with weights of few bits: products and sums are exact.
pub(super) fn random(rng: &mut Rng) -> SparseVector {
    let entries = (0..rng.below(5)).map(|_| (rng.below(6) as u32 * 500_000_000, rng.below(9) as f32 / 4.0));
    let entries: BTreeMap<u32, f32> = entries.filter(|(_, weight)| *weight > 0.0).collect();
    SparseVector::new(entries)
}

/// The vector that a searcher returns; an empty one may be left out.
pub(super) fn of(document: &Document) -> SparseVector {
    match document.get(FIELD) {
        None => SparseVector::default(),
        Some(Value::Sparse(vector)) => vector.clone(),
        Some(other) => panic!("{other:?} is no sparse vector"),
    }
}

/// The best documents are those of a sort of all of them.
pub(super) fn verify(searcher: &Searcher, model: &Model, rng: &mut Rng) {
    let query = random(rng);
    let score = |own: &SparseVector| {
        let wanted: BTreeMap<u32, f32> = query.iter().collect();
        let shared = own.iter().filter_map(|(dimension, weight)| Some(weight * wanted.get(&dimension)?));
        shared.reduce(|sum, product| sum + product)
    };
    let all = model.iter().filter_map(|(key, record)| Some((key.as_str(), score(&record.weights)?)));
    let mut expected: Vec<(&str, f32)> = all.collect();
    expected.sort_by(|left, right| right.1.total_cmp(&left.1).then(left.0.cmp(right.0)));
    expected.truncate(1 + rng.below(expected.len() + 2));
    let search = Search::new(Sparse::new(FIELD, &query)).limit(expected.len().max(1));
    let hits = searcher.search(search).unwrap();
    let found: Vec<(&str, f32)> = hits.hits.iter().map(|hit| (&*hit.key, hit.score)).collect();
    assert_eq!(found, expected, "by {query:?}");
}
