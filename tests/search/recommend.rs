//! Queries made of documents: recommendations from liked and disliked ones, and hits that are unlike each other.

use crate::common::documents::{add_all, in_memory, one_field, small_segments};
use lucerne::query::{Decay, FieldValue, MoreLike};
use lucerne::{Document, ErrorKind, Match, Query, Rerank, Schema, Search, Similarity, Term, Vector};
use std::time::{Duration, SystemTime};

#[test]
fn what_is_liked_attracts_what_is_disliked_repels_and_neither_is_found() {
    for similarity in [Similarity::Cosine, Similarity::Euclidean, Similarity::DotProduct] {
        let (_, index) = in_memory(one_field(Vector::f32(2).similarity(similarity)));
        let at = |degrees: f32| [degrees.to_radians().cos(), degrees.to_radians().sin()];
        let angles: Vec<(String, [f32; 2])> =
            (0..18).map(|n| (format!("{n:02}"), at(10.0 * n as f32))).collect();
        add_all(&index, small_segments(5), angles.iter().map(|(key, vector)| (&**key, &vector[..])));
        let searcher = index.searcher().unwrap();
        let found = |liked: &[&str], disliked: &[&str]| {
            let knn = searcher.recommend("v", liked, disliked).unwrap().k(2).exact();
            let mut keys: Vec<String> =
                searcher.search(knn).unwrap().hits.into_iter().map(|hit| hit.key).collect();
            keys.sort();
            keys
        };
        assert_eq!(found(&["05"], &[]), ["04", "06"], "{similarity}");
        assert!(found(&["04", "06"], &[]).contains(&"05".to_owned()), "{similarity}");
        // 2 · 50° less 20° points beyond 50°.
        assert!(found(&["05"], &["02"]).iter().all(|key| **key > *"05"), "{similarity}");
    }
}

#[test]
fn what_cannot_be_recommended_is_told() {
    let schema =
        Schema::builder().key("id").text("t").vector("v", Vector::f32(2)).vector("bits", Vector::bits(8));
    let (_, index) = in_memory(schema.build().unwrap());
    let writer = index.writer().unwrap();
    writer.add(&Document::new().with("id", "a").with("v", [1.0, 0.0]).with("t", "red car")).unwrap();
    writer.add(&Document::new().with("id", "b").with("v", [-1.0, 0.0]).with("t", "red bike")).unwrap();
    writer.add(&Document::new().with("id", "c")).unwrap();
    writer.commit().unwrap();
    let searcher = index.searcher().unwrap();
    for (field, liked, expected) in [
        ("v", &[][..], "at least one"),
        ("v", &["nobody"][..], "no document \"nobody\""),
        ("v", &["a", "c"][..], "no document \"c\" that has a vector"),
        ("v", &["a", "b"][..], "cancel each other out"),
        ("bits", &["a"][..], "no average"),
        ("t", &["a"][..], "vector"),
    ] {
        let error = searcher.recommend(field, liked, &[]).unwrap_err();
        assert!(error.kind() == ErrorKind::Usage && error.to_string().contains(expected), "{error}");
    }
    for query in [
        MoreLike::key("nobody"),
        MoreLike::key("a").fields(["v"]),
        MoreLike::key("a").fields(["nothing"]),
        MoreLike::key("a").max_terms(0),
    ] {
        assert_eq!(searcher.search(&query).unwrap_err().kind(), ErrorKind::Usage, "{query:?}");
    }
    assert_eq!(searcher.search(MoreLike::key("a")).unwrap().keys(), ["b"]);
    assert_eq!(searcher.search(MoreLike::key("a").min_doc_freq(3)).unwrap().keys(), [""; 0]);
    assert_eq!(searcher.search(MoreLike::key("c")).unwrap().keys(), [""; 0]);
    for rerank in [
        Rerank::mmr("v", 1.5),
        Rerank::mmr("v", f32::NAN),
        Rerank::mmr("t", 0.5),
        Rerank::mmr("nothing", 0.5),
        Rerank::decay(Decay::gauss("t", 1, 1.0)),
        Rerank::decay(Decay::gauss("nothing", 1, 1.0)),
        Rerank::field_value(FieldValue::new("v")),
    ] {
        let search = Search::new(Query::all()).rerank(rerank);
        assert_eq!(searcher.search(&search).unwrap_err().kind(), ErrorKind::Usage, "{search:?}");
    }
}

#[test]
fn only_the_rarest_words_are_searched_for() {
    let (_, index) = in_memory(Schema::builder().key("id").text("t").build().unwrap());
    let writer = index.writer().unwrap();
    for (key, text) in
        [("a", "common rare"), ("b", "common"), ("c", "rare"), ("d", "common other"), ("e", "common")]
    {
        writer.add(&Document::new().with("id", key).with("t", text)).unwrap();
    }
    writer.commit().unwrap();
    let searcher = index.searcher().unwrap();
    assert_eq!(searcher.search(MoreLike::key("a").max_terms(1)).unwrap().keys(), ["c"]);
    assert_eq!(searcher.search(MoreLike::key("a").max_doc_freq(3)).unwrap().keys(), ["c"]);
    assert_eq!(searcher.search(MoreLike::text("common common rare").min_term_freq(2)).unwrap().hits.len(), 4);
    let explained = searcher.explain(MoreLike::key("a"), "c").unwrap();
    assert!(explained.matches && explained.to_string().contains("more_like"), "{explained}");
    assert!(!searcher.explain(MoreLike::key("a"), "a").unwrap().matches);
}

#[test]
fn newer_documents_come_first_by_a_decay_over_dates() {
    let schema = Schema::builder().key("id").text("t").date("made").i64("n").build().unwrap();
    let (_, index) = in_memory(schema);
    let writer = index.writer().unwrap();
    let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000);
    let days = |days: u64| Duration::from_secs(days * 86_400);
    for (key, age) in [("a", 100), ("b", 30), ("c", 5), ("d", 0)] {
        writer.add(&Document::new().with("id", key).with("t", "word").with("made", now - days(age))).unwrap();
    }
    writer
        .add(
            &Document::new()
                .with("id", "e")
                .with("t", "word")
                .with("made", vec![now - days(90), now + days(30)]),
        )
        .unwrap();
    writer.commit().unwrap();
    let searcher = index.searcher().unwrap();
    let search = |decay: Decay| Search::new(Match::new("t", "word")).rerank(Rerank::decay(decay).multiply());
    let decay = Decay::gauss("made", now, "30d").offset(days(7));
    let hits = searcher.search(search(decay.clone())).unwrap().hits;
    let plain = searcher.search(Match::new("t", "word")).unwrap().hits[0].score;
    let shares: Vec<(&str, f32)> = hits.iter().map(|hit| (&*hit.key, hit.score / plain)).collect();
    assert_eq!(shares.iter().map(|(key, _)| *key).collect::<Vec<_>>(), ["c", "d", "b", "e", "a"]);
    assert!(
        (shares[0].1 - 1.0).abs() < 1e-6
            && (shares[2].1 - 0.5_f32.powf((23.0_f32 / 30.0).powi(2))).abs() < 1e-5
    );
    let json = search(decay).to_json();
    assert_eq!(searcher.search(Search::from_json(&json).unwrap()).unwrap().hits, hits, "{json}");
    let explained = searcher.explain(Search::from_json(&json).unwrap(), "b").unwrap().to_string();
    assert!(explained.contains("multiplied by 1 × second score 0.66"), "{explained}");
    for decay in [
        Decay::gauss("made", now, 30.0),
        Decay::gauss("made", now, "30"),
        Decay::gauss("made", "yesterday", "30d"),
        Decay::gauss("n", 1, "30d"),
        Decay::gauss("n", 1, 0.0),
        Decay::gauss("n", 1, 1.0).to(1.0),
        Decay::exp("n", 1, 1.0).offset(-1.0),
    ] {
        assert_eq!(searcher.search(search(decay.clone())).unwrap_err().kind(), ErrorKind::Usage, "{decay:?}");
    }
    let dates = Search::new(Term::new("t", "word")).rerank(Rerank::field_value(FieldValue::new("made")));
    assert_eq!(searcher.search(dates).unwrap_err().kind(), ErrorKind::Usage);
}

#[test]
fn the_explanation_of_diverse_hits_says_what_their_score_is() {
    let schema = Schema::builder().key("id").text("t").vector("v", Vector::f32(2)).build().unwrap();
    let (_, index) = in_memory(schema);
    let writer = index.writer().unwrap();
    writer.add(&Document::new().with("id", "a").with("v", [1.0, 0.0]).with("t", "red car")).unwrap();
    writer.commit().unwrap();
    let search = Search::new(Match::new("t", "red")).rerank(Rerank::mmr("v", 0.5));
    let explained = index.searcher().unwrap().explain(search, "a").unwrap().to_string();
    assert!(explained.contains("is not a sum but 0.5 × relevance"), "{explained}");
}
