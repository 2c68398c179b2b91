//! Fusions of random queries.

use super::{Asker, Scores, near};
use crate::aggregate_model::{agree, groups_agree};
use crate::common::rng::Rng;
use lucerne::{Fuse, Hits, Search, Searcher};

/// A fusion adds up the ranks that its parts have alone.
pub(super) fn agrees(searcher: &Searcher, asker: &Asker<'_>, rng: &mut Rng) {
    let parts = [asker.one(rng, 1), asker.one(rng, 0)];
    let mut query = Fuse::rrf().window(5);
    let mut expected = Scores::new();
    for part in &parts {
        query = query.query(part.query.clone());
        let alone = searcher.search(Search::new(part.query.clone()).limit(5)).unwrap();
        ranked_alike(&alone, &part.scores, || serde_json::to_string(&part.query).unwrap());
        for (rank, key) in alone.keys().into_iter().enumerate() {
            *expected.entry(key.to_owned()).or_default() += 1.0 / (61.0 + rank as f64);
        }
    }
    let search = Search::from(query).limit(20);
    let hits = searcher.search(&search).unwrap();
    agree(searcher, &search, &hits, asker.model, rng);
    groups_agree(searcher, &search, &hits, asker.model, rng);
    assert_eq!(hits.hits.len(), expected.len(), "{:?}", parts.each_ref().map(|part| &part.query));
    assert!(hits.hits.iter().all(|hit| near(hit.score.into(), expected[&hit.key])), "{hits:?}");
}

/// The best five are those of the evaluator. Scores that are equal but for rounding may change places: BM25 gives the same to
/// a word once among two and twice among five, at an average of three, which are equal in double precision and differ in
/// the last bit in single precision. Likewise (a + b) + c and a + (b + c), since the score of each clause is rounded. Keys
/// do not decide between them.
fn ranked_alike(alone: &Hits, scores: &Scores, query: impl Fn() -> String) {
    let best = ranked(scores);
    assert_eq!(alone.hits.len(), best.len().min(5), "{}: {alone:?}, expected {best:?}", query());
    for (hit, (_, score)) in alone.hits.iter().zip(&best) {
        let own = scores[&hit.key];
        let is_alike = near(hit.score.into(), own) && near(own, *score);
        assert!(is_alike, "{}: {alone:?}, expected {best:?}", query());
    }
}

/// Best first, ties in the order of keys.
fn ranked(scores: &Scores) -> Vec<(&String, f64)> {
    let mut all: Vec<_> = scores.iter().map(|(key, score)| (key, *score)).collect();
    all.sort_by(|left, right| right.1.total_cmp(&left.1).then(left.0.cmp(right.0)));
    all
}
