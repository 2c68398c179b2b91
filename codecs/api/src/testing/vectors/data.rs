//! The suite's vectors, and how they are written and searched.

use crate::format::{WriteContext, Written};
use crate::vector::{Effort, VectorFormat, VectorHits, VectorReader, VectorRows, VectorSearch};
use crate::{Accept, Cancel, Component, DocId, FieldInfo, OnStop, Similarity, half};

/// Components of the suite's vectors: not a multiple of any register. Of a binary vector they are the first bits, set
/// where the component is positive; the others are not set.
pub(super) const DIMENSION: usize = 19;
/// Bits of a binary vector.
pub(super) const BITS: u32 = 24;

/// Reproducible vectors, roughly normal, some around a far point.
pub fn random_rows(count: usize, dimension: usize, seed: u64) -> Vec<Vec<f32>> {
    let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    let mut next = move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 40) as f32 / 16_777_216.0 - 0.5
    };
    let mut value = move || next() + next() + next();
    (0..count).map(|_| (0..dimension).map(|_| value()).collect()).collect()
}

/// A vector's stored row in a field.
pub(super) fn bytes(field: &FieldInfo, vector: &[f32]) -> Vec<u8> {
    match field.component() {
        Component::F32 => return crate::io::bytes::from_f32s(vector),
        Component::F16 => return crate::io::bytes::f16s_from(vector),
        Component::Bit => {}
    }
    let mut row = vec![0; field.row_len()];
    for (at, _) in vector.iter().enumerate().filter(|(_, value)| **value > 0.0) {
        row[at / 8] |= 1 << (at % 8);
    }
    row
}

/// A query in a field, or a vector as readers give it.
pub(super) fn query_bytes(field: &FieldInfo, vector: &[f32]) -> Vec<u8> {
    match field.component() {
        Component::F32 | Component::F16 => crate::io::bytes::from_f32s(vector),
        Component::Bit => bytes(field, vector),
    }
}

/// The vectors as a field keeps them: of half precision as they are rounded, and within its range.
pub(super) fn kept(field: &FieldInfo, mut vectors: Vec<Vec<f32>>) -> Vec<Vec<f32>> {
    if field.component() == Component::F16 {
        for value in vectors.iter_mut().flatten() {
            *value = half::to_f32(half::from_f32(value.clamp(-half::MAX, half::MAX)));
        }
    }
    vectors
}

/// Vector i belongs to document 2i + 1: some documents have none.
pub(super) fn doc_of(index: usize) -> DocId {
    2 * index as DocId + 1
}

pub(super) fn write(
    format: &dyn VectorFormat,
    field: &FieldInfo,
    vectors: &[Vec<f32>],
    context: &WriteContext<'_>,
) -> Written {
    let rows: Vec<u8> = vectors.iter().flat_map(|vector| bytes(field, vector)).collect();
    let docs: Vec<DocId> = (0..vectors.len()).map(doc_of).collect();
    let rows = VectorRows { rows: &rows, docs: &docs };
    format.write(context, field, rows, None).expect("writing")
}

pub(super) fn search(
    reader: &dyn VectorReader,
    query: &[u8],
    k: usize,
    effort: Effort,
    accept: Accept<'_>,
) -> VectorHits {
    let hits = reader
        .search(&VectorSearch {
            query,
            k,
            effort,
            accept,
            ties: &|left: DocId, right: DocId| left.cmp(&right),
            cancel: &Cancel::new(),
            on_stop: OnStop::Fail,
        })
        .expect("searching");
    for hit in &hits.neighbors {
        assert!(hit.distance.is_finite() && accept.accepts(hit.doc));
        assert_eq!(reader.doc(hit.ordinal).expect("a document"), hit.doc);
    }
    assert!(hits.neighbors.is_sorted_by(|left, right| left.distance <= right.distance));
    hits
}

/// The distance as the similarity defines it.
pub(super) fn distance(similarity: Similarity, x: &[f32], y: &[f32]) -> f64 {
    let dot =
        |x: &[f32], y: &[f32]| -> f64 { x.iter().zip(y).map(|(&x, &y)| f64::from(x) * f64::from(y)).sum() };
    match similarity {
        Similarity::Euclidean => x.iter().zip(y).map(|(&x, &y)| (f64::from(x) - f64::from(y)).powi(2)).sum(),
        Similarity::Cosine => {
            let norms = (dot(x, x) * dot(y, y)).sqrt();
            1.0 - if norms > 0.0 { dot(x, y) / norms } else { 0.0 }
        }
        Similarity::Hamming | Similarity::Jaccard => {
            let count = |of: fn(bool, bool) -> bool| {
                x.iter().zip(y).filter(|(x, y)| of(**x > 0.0, **y > 0.0)).count() as f64
            };
            let (differing, either) = (count(|x, y| x != y), count(|x, y| x || y));
            if similarity == Similarity::Hamming { differing } else { differing / either.max(1.0) }
        }
        _ => -dot(x, y),
    }
}
