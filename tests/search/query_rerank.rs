//! Rerankings of random searches, against an evaluator: a part of `query_model`.

use crate::common::rng::Rng;
use crate::query_model::{Doc, Model, near};
use lucerne::query::{Decay, DecayShape, FieldValue, Modifier};
use lucerne::{Rerank, Search};
use std::collections::BTreeMap;

/// Scores multiplied by a decay, and scores with a number of the document added.
pub(super) fn by_functions(
    searcher: &lucerne::Searcher,
    search: &Search,
    hits: &lucerne::Hits,
    model: &Model,
) {
    let first = |key: &str| f64::from(hits.hits.iter().find(|hit| hit.key == key).unwrap().score);
    let check = |rerank: Rerank, expected: &dyn Fn(&str, &Doc) -> f64| {
        let reranked = searcher.search(search.clone().rerank(rerank.window(100))).unwrap();
        assert_eq!(reranked.hits.len(), hits.hits.len());
        assert!(reranked.hits.is_sorted_by(|left, right| left.score >= right.score));
        for hit in &reranked.hits {
            let expected = expected(&hit.key, &model[&hit.key]);
            assert!(near(hit.score.into(), expected), "{search:?}: {hit:?}, expected {expected}");
        }
    };
    let distance = |value: Option<f64>| value.map(|value| ((value - 0.5).abs() - 0.25).max(0.0));
    let decay = |shape| Decay::new(shape, "x", 0.5, 1.5).offset(0.25).to(0.25);
    check(Rerank::decay(decay(DecayShape::Linear)).multiply(), &|key, doc| {
        first(key) * distance(doc.x).map_or(1.0, |distance| (1.0 - distance * 0.75 / 1.5).max(0.0))
    });
    check(Rerank::decay(decay(DecayShape::Gauss)).multiply().weight(2.0), &|key, doc| {
        first(key) * 2.0 * distance(doc.x).map_or(1.0, |distance| 0.25_f64.powf((distance / 1.5).powi(2)))
    });
    check(Rerank::decay(decay(DecayShape::Exp)), &|key, doc| {
        first(key) + distance(doc.x).map_or(1.0, |distance| 0.25_f64.powf(distance / 1.5))
    });
    let squared = FieldValue::new("n").factor(2.0).modifier(Modifier::Square).missing(1.0);
    check(Rerank::field_value(squared).weight(0.5), &|key, doc| {
        first(key) + 0.5 * (2.0 * doc.n.unwrap_or(1) as f64).powi(2)
    });
}

/// Scores replaced by late interaction: the best of a document's vectors for each of two.
pub(super) fn late(
    searcher: &lucerne::Searcher,
    search: &Search,
    hits: &lucerne::Hits,
    model: &Model,
    rng: &mut Rng,
) {
    let query = [(); 2].map(|()| [rng.below(7) as f32, rng.below(7) as f32]);
    let rerank = Rerank::max_sim("v", query).window(100).replace();
    let late = searcher.search(search.clone().rerank(rerank)).unwrap();
    assert_eq!(late.hits.len(), hits.hits.len());
    for hit in &late.hits {
        let one = |at: &[f32; 2], v: [f32; 2]| {
            1.0 / (1.0 + f64::from((v[0] - at[0]).powi(2) + (v[1] - at[1]).powi(2)))
        };
        let expected: f64 = model[&hit.key].v.map_or(0.0, |v| query.iter().map(|at| one(at, v)).sum());
        assert!(near(hit.score.into(), expected), "{search:?}: {hit:?}, expected {expected}");
    }
}

/// Maximal marginal relevance: each hit is the best that was left, in the light of those before it.
pub(super) fn diverse(
    searcher: &lucerne::Searcher,
    search: &Search,
    hits: &lucerne::Hits,
    model: &Model,
    rng: &mut Rng,
) {
    let lambda = rng.below(5) as f32 / 4.0;
    let rerank = Rerank::mmr("v", lambda).window(100);
    let diverse = searcher.search(search.clone().rerank(rerank.clone())).unwrap();
    let mut left: BTreeMap<&str, f64> =
        hits.hits.iter().map(|hit| (&*hit.key, f64::from(hit.score))).collect();
    let best = left.values().copied().fold(0.0, f64::max);
    let mut chosen: Vec<[f32; 2]> = Vec::new();
    assert_eq!(diverse.hits.len(), left.len());
    for hit in &diverse.hits {
        let value = |key: &str, score: f64| {
            let similarity = |own: [f32; 2]| {
                let distances = chosen.iter().map(|v| (v[0] - own[0]).powi(2) + (v[1] - own[1]).powi(2));
                distances.map(|distance| 1.0 / (1.0 + f64::from(distance))).fold(0.0, f64::max)
            };
            let relevance = if best > 0.0 { score / best } else { 0.0 };
            let lambda = f64::from(lambda);
            lambda * relevance - (1.0 - lambda) * model[key].v.map_or(0.0, similarity)
        };
        let most = left.iter().map(|(key, score)| value(key, *score)).fold(f64::MIN, f64::max);
        assert!(near(hit.score.into(), most), "{search:?}: {hit:?}, expected {most}");
        let own = left.remove(&*hit.key).expect("found once");
        assert!(near(hit.score.into(), value(&hit.key, own)), "{search:?}: {hit:?}");
        chosen.extend(model[&hit.key].v);
    }
    let page = searcher.search(search.clone().rerank(rerank).limit(2).offset(1)).unwrap();
    // A kNN query without k finds fewer for a smaller page.
    if !search.to_json().contains("\"knn\"") {
        let skipped: Vec<&str> = diverse.keys().into_iter().skip(1).take(2).collect();
        assert_eq!(page.keys(), skipped, "{search:?}");
    }
}
