//! Late interaction: the second score is the sum of the greatest similarities, exactly.

use crate::common::documents::in_memory;
use crate::common::rng::Rng;
use lucerne::document::QueryVector;
use lucerne::query::RerankBy;
use lucerne::search::SearchOptions;
use lucerne::{
    Cancel, Document, Error, Match, Query, Rerank, Schema, Search, Searcher, Similarity, Vector,
    WriterOptions,
};
use std::collections::BTreeMap;

const DIMENSION: usize = 24;

type Tokens = BTreeMap<String, Vec<Vec<f32>>>;

fn vectors(count: usize, rng: &mut Rng) -> Vec<Vec<f32>> {
    let one = |rng: &mut Rng| {
        let vector: Vec<f32> = (0..DIMENSION).map(|_| rng.below(2_001) as f32 / 1_000.0 - 1.0).collect();
        let length = vector.iter().map(|component| component * component).sum::<f32>().sqrt().max(0.1);
        vector.into_iter().map(|component| component / length).collect()
    };
    (0..count).map(|_| one(rng)).collect()
}

/// Documents of no to eight vectors, in segments of 40.
fn index(vector: Vector, rng: &mut Rng) -> (Searcher, Tokens) {
    let schema = Schema::builder().key("id").text("t").vector("tokens", vector.multiple());
    let (_, index) = in_memory(schema.build().unwrap());
    let writer = index.writer_with(WriterOptions::new().threads(1).flush_docs(40)).unwrap();
    let mut all = Tokens::new();
    for number in 0..150 {
        let (key, tokens) = (format!("{number:03}"), vectors(rng.below(9), rng));
        writer
            .add(&Document::new().with("id", &key).with("t", "ant").with("tokens", tokens.clone()))
            .unwrap();
        all.insert(key, tokens);
    }
    writer.close().unwrap();
    (index.searcher().unwrap(), all)
}

fn max_sim(similarity: Similarity, query: &[Vec<f32>], tokens: &[Vec<f32>]) -> f64 {
    let dot = |left: &[f32], right: &[f32]| {
        left.iter().zip(right).map(|(left, right)| f64::from(*left) * f64::from(*right)).sum::<f64>()
    };
    let one = |left: &Vec<f32>, right: &Vec<f32>| match similarity {
        Similarity::Euclidean => 1.0 / (1.0 + dot(left, left) + dot(right, right) - 2.0 * dot(left, right)),
        Similarity::Cosine => dot(left, right) / (dot(left, left) * dot(right, right)).sqrt(),
        _ => dot(left, right),
    };
    if tokens.is_empty() {
        return 0.0;
    }
    query.iter().map(|left| tokens.iter().map(|right| one(left, right)).fold(f64::MIN, f64::max)).sum()
}

#[test]
fn the_score_is_the_sum_of_the_greatest_similarities() {
    for similarity in Similarity::FLOAT {
        let mut rng = Rng::new(9);
        let (searcher, all) = index(Vector::f32(DIMENSION).similarity(similarity), &mut rng);
        let query = vectors(5, &mut rng);
        let first = Search::new(Match::new("t", "ant")).limit(150);
        let before: BTreeMap<String, f32> =
            searcher.search(&first).unwrap().hits.into_iter().map(|hit| (hit.key, hit.score)).collect();
        type Joined = fn(f64, f64) -> f64;
        let rerank = Rerank::max_sim("tokens", query.clone()).window(150).weight(0.5);
        let ways: [(Rerank, Joined); 3] = [
            (rerank.clone(), |first, second| first + 0.5 * second),
            (rerank.clone().multiply(), |first, second| first * 0.5 * second),
            (rerank.clone().replace(), |_, second| 0.5 * second),
        ];
        for (rerank, joined) in ways {
            let search = first.clone().rerank(rerank);
            assert_eq!(Search::from_json(&search.to_json()).unwrap(), search);
            let hits = searcher.search(&search).unwrap();
            assert!(hits.exact && hits.hits.len() == 150);
            assert!(hits.hits.is_sorted_by(|left, right| left.score >= right.score));
            for hit in &hits.hits {
                let second = max_sim(similarity, &query, &all[&hit.key]);
                let expected = joined(before[&hit.key].into(), second);
                assert!((f64::from(hit.score) - expected).abs() < 1e-5, "{similarity}: {hit:?}, {expected}");
            }
            let explained = searcher.explain(&search, &hits.hits[0].key).unwrap();
            assert!(explained.to_string().contains("second score"), "{explained}");
            let options = SearchOptions::new().threads(3);
            assert_eq!(searcher.search_with(&search, &options).unwrap().keys(), hits.keys());
        }
    }
}

#[test]
fn a_field_of_one_vector_and_codes_alone_do_as_well() {
    let mut rng = Rng::new(3);
    let schema = Schema::builder().key("id").vector("v", Vector::f32(DIMENSION));
    let (_, index) = in_memory(schema.build().unwrap());
    let writer = index.writer().unwrap();
    let rows = vectors(30, &mut rng);
    for (number, row) in rows.iter().enumerate() {
        writer.add(&Document::new().with("id", number.to_string()).with("v", row.clone())).unwrap();
    }
    writer.close().unwrap();
    let query = vectors(3, &mut rng);
    let search = Search::new(Query::all()).limit(30).rerank(Rerank::max_sim("v", query.clone()).replace());
    for hit in index.searcher().unwrap().search(search).unwrap().hits {
        let row = rows[hit.key.parse::<usize>().unwrap()].clone();
        let expected = max_sim(Similarity::Cosine, &query, &[row]);
        assert!((f64::from(hit.score) - expected).abs() < 1e-5, "{hit:?}, {expected}");
    }
    let (searcher, all) = index_of_codes(&mut rng);
    let search =
        Search::new(Query::all()).limit(150).rerank(Rerank::max_sim("tokens", query.clone()).replace());
    let hits = searcher
        .search(search.rerank(Rerank::max_sim("tokens", query.clone()).window(150).replace()))
        .unwrap();
    assert!(!hits.exact);
    for hit in hits.hits {
        let expected = max_sim(Similarity::Cosine, &query, &all[&hit.key]);
        assert!((f64::from(hit.score) - expected).abs() < 0.1, "{hit:?}, {expected}");
    }
}

fn index_of_codes(rng: &mut Rng) -> (Searcher, Tokens) {
    index(Vector::f32(DIMENSION).keep_raw(false), rng)
}

#[test]
fn wrong_vectors_are_refused_and_a_cancel_stops_it() {
    let (searcher, _) = index(Vector::f32(DIMENSION), &mut Rng::new(1));
    let search = |rerank: Rerank| Search::new(Query::all()).rerank(rerank);
    let none: [Vec<f32>; 0] = [];
    for (rerank, text) in [
        (Rerank::max_sim("tokens", none), "0 vectors, expected 1 to 1024"),
        (Rerank::max_sim("tokens", vec![vec![0.5_f32; DIMENSION]; 1_025]), "1025 vectors"),
        (Rerank::max_sim("tokens", [vec![1.0_f32, 2.0]]), "expected a vector of 24 components, given 2"),
        (Rerank::max_sim("tokens", [vec![f32::NAN; DIMENSION]]), "not a finite number"),
        (Rerank::max_sim("t", [vec![1.0_f32; DIMENSION]]), "expected a vector field"),
        (Rerank::max_sim("x", [vec![1.0_f32; DIMENSION]]), "no field"),
    ] {
        let error = searcher.search(search(rerank)).unwrap_err();
        assert!(!matches!(error, Error::Codec(_)) && error.to_string().contains(text), "{error}");
    }
    let cancel = Cancel::new();
    cancel.cancel();
    let rerank = Rerank::max_sim("tokens", vectors(3, &mut Rng::new(1)));
    assert!(searcher.search_with(search(rerank), &SearchOptions::new().cancel(&cancel)).is_err());
    let json = r#"{"query": {"all": {}}, "rerank": {"by": {"max_sim": {"field": "tokens", "vectors": [[1, 2]]}}, "combine": "replace"}}"#;
    let read = Search::from_json(json).unwrap();
    assert_eq!(read, search(Rerank::max_sim("tokens", [[1.0_f32, 2.0]]).replace()));
    let by =
        RerankBy::MaxSim { field: "tokens".to_owned(), vectors: vec![QueryVector::Floats(vec![1.0, 2.0])] };
    assert!(serde_json::to_string(&by).unwrap().contains("max_sim"));
}
