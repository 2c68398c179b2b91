//! How many neighbors a search finds whose `k` is not set, and what its pages show.

use crate::common::documents::{in_memory, small_segments};
use crate::common::rng::Rng;
use lucerne::{
    Bool, Document, Error, Fuse, Index, Knn, Match, Query, Rerank, Schema, Search, Searcher, Sort, Vector,
};
use std::collections::HashSet;

const DOCS: usize = 3_000;
const DIMENSION: usize = 24;

/// Documents that all have the word `lamp`; their vectors are in two segments.
fn index() -> Index {
    let schema =
        Schema::builder().key("id").text("t").i64("n").vector("v", Vector::f32(DIMENSION)).build().unwrap();
    let (_, index) = in_memory(schema);
    let writer = index.writer_with(small_segments(DOCS as u32 / 2)).unwrap();
    let mut rng = Rng::new(5);
    for number in 0..DOCS {
        let text = format!("{} word{}", "lamp ".repeat(1 + rng.below(6)), rng.below(50));
        let document = Document::new().with("id", format!("d{number:04}")).with("t", text);
        writer.add(&document.with("n", number as i64).with("v", rng.vector(DIMENSION))).unwrap();
    }
    writer.close().unwrap();
    index
}

fn near() -> Knn {
    Knn::new("v", Rng::new(6).vector(DIMENSION))
}

fn keys(searcher: &Searcher, search: Search) -> Vec<String> {
    searcher.search(search).unwrap().keys().into_iter().map(str::to_owned).collect()
}

#[test]
fn an_unset_k_follows_what_is_around_the_query() {
    let searcher = index().searcher().unwrap();
    let count = |search: Search| searcher.search(search).unwrap().hits.len();
    assert_eq!(count(near().into()), 10);
    assert_eq!(count(Search::new(near()).limit(50)), 50);
    assert_eq!(count(Search::new(near()).limit(50).offset(25)), 50);
    assert_eq!(count(Search::new(Bool::new().must(near())).limit(50)), 50);
    assert_eq!(count(Search::new(Query::all()).filter(near()).limit(50)), 50);
    assert_eq!(count(Search::new(near()).sort(Sort::asc("n")).limit(50)), 50);
    // The neighbors of a fusion are as many as its window.
    let fused = |knn: Knn| Search::new(Fuse::rrf().query(Match::new("t", "none")).query(knn)).limit(1_000);
    assert_eq!(count(fused(near())), 100);
    let wider = Fuse::rrf().window(300).query(Bool::new().should(near()));
    assert_eq!(count(Search::new(wider).limit(1_000)), 300);
    assert_eq!(searcher.count(Fuse::linear().query(near())).unwrap(), 100);
    // A reranking compares with as many as it reranks.
    let rerank = Search::new(Match::new("t", "lamp")).rerank(Rerank::query(near()).window(DOCS)).limit(60);
    let exact = keys(&searcher, Search::new(near().k(60).exact()).limit(60));
    let reranked: HashSet<String> = keys(&searcher, rerank.clone()).into_iter().collect();
    assert!(exact.iter().filter(|key| reranked.contains(*key)).count() > 10);
    // A k that is set stays.
    assert_eq!(count(Search::new(near().k(7)).limit(50)), 7);
    assert_eq!(count(fused(near().k(7))), 7);
    let json = r#"{"knn": {"field": "v", "vector": [0.5], "k": 7}}"#;
    assert_eq!(Query::from_json(json).unwrap().to_json().matches("\"k\":7").count(), 1);
    assert!(!Query::from(near()).to_json().contains("\"k\""));
}

#[test]
fn pages_neither_repeat_documents_nor_leave_any_out() {
    let searcher = index().searcher().unwrap();
    let text = Match::new("t", "lamp");
    let both = Fuse::rrf().query(text.clone()).query(near());
    let by_vector = Rerank::vector("v", Rng::new(6).vector(DIMENSION)).weight(5.0);
    let by_neighbors = Rerank::query(near()).weight(5.0);
    let searches: [(&str, Search, usize); 10] = [
        ("knn", Search::new(near()), 400),
        ("knn, few candidates", Search::new(near().candidates(10)), 400),
        ("knn, rescored", Search::new(near().rescore(2.0)), 400),
        ("knn, filtered", Search::new(near()).filter(Match::new("t", "word7 word8")), 60),
        ("knn, exact", Search::new(near().exact()), 400),
        ("knn, reranked", Search::new(near()).rerank(by_vector.clone().window(30)), 400),
        ("reranked", Search::new(text.clone()).rerank(by_vector), 400),
        ("reranked by neighbors", Search::new(text).rerank(by_neighbors), 400),
        ("fused", Search::new(both.clone()), 150),
        ("fused, sorted", Search::new(both).sort(Sort::desc("n")), 150),
    ];
    for (name, search, end) in searches {
        for limit in [10, 25, 50] {
            let mut seen = HashSet::new();
            for offset in (0..end).step_by(limit) {
                let page = keys(&searcher, search.clone().limit(limit).offset(offset));
                let full = offset + limit <= end;
                assert!(!full || page.len() == limit, "{name}: {} hits at {offset}", page.len());
                for key in page {
                    assert!(seen.insert(key), "{name}: pages of {limit} repeat at {offset}");
                }
            }
        }
    }
}

#[test]
fn pages_of_neighbors_have_the_nearest_ones() {
    let searcher = index().searcher().unwrap();
    let exact: HashSet<String> =
        keys(&searcher, Search::new(near().exact()).limit(200)).into_iter().collect();
    let pages = (0..200).step_by(20).flat_map(|offset| {
        let page = searcher.search(Search::new(near()).limit(20).offset(offset)).unwrap();
        assert!(page.hits.is_sorted_by(|left, right| left.score >= right.score), "page at {offset}");
        page.hits.into_iter().map(|hit| hit.key)
    });
    let found = pages.filter(|key| exact.contains(key)).count();
    assert!(found >= 190, "{found} of 200");
}

#[test]
fn a_page_of_neighbors_beyond_the_largest_k_is_refused() {
    let searcher = index().searcher().unwrap();
    let beyond = searcher.search(Search::new(near()).limit(10).offset(9_991)).unwrap_err();
    assert!(matches!(beyond, Error::WrongQuery { .. }), "{beyond}");
    assert!(
        beyond.to_string().contains("offset + limit is 10001; nearest neighbors end at 10000"),
        "{beyond}"
    );
    // Up to there pages end with the documents.
    assert_eq!(keys(&searcher, Search::new(near()).limit(10).offset(DOCS - 5)).len(), 5);
    assert_eq!(keys(&searcher, Search::new(near()).limit(10).offset(9_990)).len(), 0);
}

#[test]
fn explanations_speak_of_the_neighbors_of_the_page() {
    let searcher = index().searcher().unwrap();
    let search = Search::new(near()).limit(20).offset(20);
    let hits = searcher.search(search.clone().explain()).unwrap().hits;
    let explained = hits[5].explanation.as_ref().unwrap().to_string();
    assert!(explained.contains("k 40: rank 26"), "{explained}");
    let why = searcher.explain(search, &hits[5].key).unwrap().to_string();
    assert!(why.contains("is a hit: rank 26"), "{why}");
}
