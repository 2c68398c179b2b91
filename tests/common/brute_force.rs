//! Nearest neighbors by brute force, in double precision, from the definitions alone.

use lucerne::{Hits, Similarity};
use std::cmp::Ordering;

/// The distance of the documented table.
pub(crate) fn distance(similarity: Similarity, query: &[f32], vector: &[f32]) -> f64 {
    assert_eq!(query.len(), vector.len());
    let pairs = || query.iter().zip(vector).map(|(&q, &x)| (f64::from(q), f64::from(x)));
    let dot: f64 = pairs().map(|(q, x)| q * x).sum();
    match similarity {
        Similarity::Euclidean => pairs().map(|(q, x)| (q - x) * (q - x)).sum(),
        Similarity::Cosine => {
            let norms = pairs().map(|(q, _)| q * q).sum::<f64>() * pairs().map(|(_, x)| x * x).sum::<f64>();
            1.0 - if norms > 0.0 { dot / norms.sqrt() } else { 0.0 }
        }
        Similarity::DotProduct | Similarity::MaxInnerProduct => 0.0 - dot,
        Similarity::Hamming => pairs().filter(|(q, x)| q != x).count() as f64,
        Similarity::Jaccard => {
            let either = pairs().filter(|(q, x)| q + x > 0.0).count() as f64;
            if either > 0.0 { 1.0 - dot / either } else { 0.0 }
        }
        other => panic!("no brute force for {other}"),
    }
}

/// The score of the documented table.
pub(crate) fn score(similarity: Similarity, distance: f64) -> f64 {
    match similarity {
        Similarity::Euclidean | Similarity::Hamming => 1.0 / (1.0 + distance),
        Similarity::Jaccard => 1.0 - distance,
        Similarity::DotProduct => (1.0 - distance) / 2.0,
        Similarity::Cosine => (2.0 - distance) / 2.0,
        Similarity::MaxInnerProduct if distance > 0.0 => 1.0 / (1.0 + distance),
        Similarity::MaxInnerProduct => 1.0 - distance,
        other => panic!("no brute force for {other}"),
    }
}

/// How far single precision may be from [`distance`].
fn tolerance(similarity: Similarity, query: &[f32], vector: &[f32]) -> f64 {
    let pairs = query.iter().zip(vector).map(|(&q, &x)| (f64::from(q), f64::from(x)));
    let magnitude: f64 = match similarity {
        Similarity::Euclidean => pairs.map(|(q, x)| (q - x) * (q - x)).sum(),
        Similarity::Cosine | Similarity::Jaccard => 1.0,
        _ => pairs.map(|(q, x)| (q * x).abs()).sum(),
    };
    magnitude * 2e-6 + 1e-12
}

/// Documents by distance, then by key.
pub(crate) fn ranked<'a>(
    similarity: Similarity,
    query: &[f32],
    documents: impl IntoIterator<Item = (&'a str, &'a [f32])>,
) -> Vec<(f64, &'a str)> {
    let scored = documents.into_iter().map(|(key, vector)| (distance(similarity, query, vector), key));
    let mut ranked: Vec<_> = scored.collect();
    ranked.sort_by(|left, right| left.0.total_cmp(&right.0).then_with(|| left.1.cmp(right.1)));
    ranked
}

/// Panics unless `hits` are the `k` nearest of `documents`: as many as there can be, with the right
/// distances and scores, in order, ties by key; what rounding to single precision cannot tell apart may
/// change places, but identical vectors may not.
pub(crate) fn assert_exact<'a>(
    hits: &Hits,
    similarity: Similarity,
    query: &[f32],
    documents: impl IntoIterator<Item = (&'a str, &'a [f32])>,
    k: usize,
) {
    let documents: std::collections::BTreeMap<&str, &[f32]> = documents.into_iter().collect();
    assert!(hits.exact, "distances are estimates");
    assert_eq!(hits.hits.len(), k.min(documents.len()), "hits of {} documents: {hits:?}", documents.len());
    let by_engine =
        |left: (f32, &str), right: (f32, &str)| left.0.total_cmp(&right.0).then_with(|| left.1.cmp(right.1));
    for pair in hits.hits.windows(2) {
        let order =
            by_engine((pair[0].distance.unwrap(), &pair[0].key), (pair[1].distance.unwrap(), &pair[1].key));
        assert_eq!(order, Ordering::Less, "not in order: {:?} before {:?}", pair[0], pair[1]);
    }
    for hit in &hits.hits {
        let Some(vector) = documents.get(&*hit.key) else { panic!("{hit:?} is not a live document") };
        let expected = distance(similarity, query, vector);
        let allowed = tolerance(similarity, query, vector);
        assert!(
            (f64::from(hit.distance.unwrap()) - expected).abs() <= allowed,
            "{hit:?}, expected {expected}"
        );
        let expected = score(similarity, f64::from(hit.distance.unwrap()));
        assert!((f64::from(hit.score) - expected).abs() <= expected.abs() * 1e-6, "{hit:?}: {expected}");
    }
    let Some(last) = hits.hits.last() else { return };
    let found: std::collections::BTreeSet<&str> = hits.hits.iter().map(|hit| &*hit.key).collect();
    for (key, vector) in documents.iter().filter(|(key, _)| !found.contains(*key)) {
        let nearest = distance(similarity, query, vector) + tolerance(similarity, query, vector);
        assert!(nearest >= f64::from(last.distance.unwrap()), "{key:?} at {nearest} is nearer than {last:?}");
        let same = |other: &[f32]| other.iter().map(|x| x.to_bits()).eq(vector.iter().map(|x| x.to_bits()));
        if same(documents[&*last.key]) {
            assert!(*key > &*last.key, "{key:?} ties with {last:?} and comes first");
        }
    }
}

/// Panics unless `hits` are exactly `ranked`'s first `k`: for vectors whose distances single precision holds
/// without rounding.
pub(crate) fn assert_identical(hits: &Hits, ranked: &[(f64, &str)], k: usize) {
    let found: Vec<_> = hits.hits.iter().map(|hit| (f64::from(hit.distance.unwrap()), &*hit.key)).collect();
    assert_eq!(found, ranked[..k.min(ranked.len())]);
}

/// The share of the `k` nearest that `hits` have.
pub(crate) fn recall(hits: &Hits, truth: &[&str]) -> f64 {
    let found = hits.hits.iter().filter(|hit| truth.contains(&&*hit.key)).count();
    found as f64 / truth.len() as f64
}
