//! Sparse vectors of documents that a test makes, and what is found by them.

use lucerne::document::SparseVector;
use lucerne::{Document, Result, Search, Searcher, Sparse, Value};
use std::collections::BTreeMap;

pub(crate) const FIELD: &str = "weights";

/// One of five vectors.
pub(crate) fn vector(number: u64) -> SparseVector {
    SparseVector::new([(number as u32 % 5, 1.0), (1_000_000, 0.5)])
}

/// What differs between what is found by sparse vector and what should be, if anything does.
pub(crate) fn difference(
    searcher: &Searcher,
    content: &BTreeMap<String, Document>,
) -> Result<Option<String>> {
    let has = |document: &Document| match document.get(FIELD) {
        Some(Value::Sparse(own)) => own.iter().any(|(dimension, _)| dimension == 2),
        _ => false,
    };
    let all = content.iter().filter(|(_, document)| has(document));
    let expected: Vec<(&str, f32)> = all.map(|(key, _)| (&**key, 1.5)).take(5).collect();
    let hits = searcher.search(Search::new(Sparse::new(FIELD, [(2, 1.5)])).limit(5))?;
    let found: Vec<(&str, f32)> = hits.hits.iter().map(|hit| (&*hit.key, hit.score)).collect();
    Ok((found != expected).then(|| format!("by sparse vector {found:?}, expected {expected:?}")))
}
