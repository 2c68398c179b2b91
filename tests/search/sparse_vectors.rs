//! Sparse vectors: exact, whatever the vectors, the segments and the query around them.

use crate::common::documents::in_memory;
use crate::common::rng::Rng;
use lucerne::document::SparseVector;
use lucerne::merge::MergePolicy;
use lucerne::query::Aggregation;
use lucerne::schema::Field;
use lucerne::search::SearchOptions;
use lucerne::{
    Bool, Cancel, Document, Error, Fuse, Index, Match, Query, Schema, Search, Searcher, Sparse, Term, Update,
    WriterOptions, admin,
};
use std::collections::BTreeMap;
use std::time::Duration;

type Rows = BTreeMap<String, Vec<(u32, f32)>>;

fn schema() -> Schema {
    Schema::builder().key("id").text("t").keyword("tag").i64("n").sparse_vector("s").build().unwrap()
}

fn document(key: &str, row: &[(u32, f32)], number: usize) -> Document {
    Document::new()
        .with("id", key)
        .with("t", if number.is_multiple_of(3) { "ant bee" } else { "bee" })
        .with("tag", if number.is_multiple_of(2) { "even" } else { "odd" })
        .with("n", number)
        .with("s", SparseVector::from(row))
}

/// An index of rows in segments of so many documents.
fn index(rows: &Rows, flush_docs: u32) -> (Index, Searcher) {
    let (_, index) = in_memory(schema());
    let options = WriterOptions::new().threads(1).flush_docs(flush_docs).merge_policy(MergePolicy::None);
    let writer = index.writer_with(options).unwrap();
    for (number, (key, row)) in rows.iter().enumerate() {
        writer.add(&document(key, row, number)).unwrap();
    }
    writer.close().unwrap();
    let searcher = index.searcher().unwrap();
    (index, searcher)
}

/// All documents that share a dimension, best first.
fn expected(rows: &Rows, query: &[(u32, f32)]) -> Vec<(String, f32)> {
    let wanted: BTreeMap<u32, f32> = query.iter().copied().collect();
    let of = |row: &[(u32, f32)]| {
        let mut sorted = row.to_vec();
        sorted.sort_unstable_by_key(|entry| entry.0);
        let shared: Vec<f64> = sorted
            .iter()
            .filter(|(_, own)| *own > 0.0)
            .filter_map(|(dimension, own)| Some(f64::from(*own) * f64::from(*wanted.get(dimension)?)))
            .collect();
        (!shared.is_empty()).then(|| shared.iter().sum::<f64>().min(f32::MAX.into()) as f32)
    };
    let mut found: Vec<_> = rows.iter().filter_map(|(key, row)| Some((key.clone(), of(row)?))).collect();
    found.sort_by(|left, right| right.1.total_cmp(&left.1).then_with(|| left.0.cmp(&right.0)));
    found
}

fn found(searcher: &Searcher, search: impl Into<Search>) -> Vec<(String, f32)> {
    let hits = searcher.search(search).unwrap().hits;
    hits.into_iter().map(|hit| (hit.key, hit.score)).collect()
}

fn random_rows(docs: usize, dimensions: u64, rng: &mut Rng) -> Rows {
    let row = |rng: &mut Rng| {
        let mut row = BTreeMap::new();
        for _ in 0..rng.below(12) {
            // Low dimensions are frequent, as words are.
            let dimension = (rng.below(1 << 16) as f64 / 65_536.0).powi(3) * dimensions as f64;
            row.insert(dimension as u32, (1 + rng.below(10_000)) as f32 / 999.0);
        }
        row.into_iter().collect()
    };
    (0..docs).map(|number| (format!("{number:06}"), row(rng))).collect()
}

#[test]
fn the_best_documents_are_those_of_an_exact_reference() {
    for (docs, dimensions, flush_docs) in [
        (1, 1, 9),
        (300, 1, 999),
        (2_000, 40, 9_999),
        (2_000, 400, 300),
        (1_000, 1_000_000, 999),
        (700, 5, 100),
    ] {
        let mut rng = Rng::new(docs as u64 + dimensions);
        let rows = random_rows(docs, dimensions, &mut rng);
        let (_, searcher) = index(&rows, flush_docs);
        for round in 0..40 {
            let query: Vec<(u32, f32)> = match round {
                0 => (0..dimensions.min(2_000) as u32).map(|dimension| (dimension, 1.0)).collect(),
                _ => random_rows(1, dimensions, &mut rng).into_values().next().unwrap(),
            };
            let all = expected(&rows, &query);
            let asked = Sparse::new("s", query);
            for limit in [1, 10, 3_000] {
                let best: Vec<_> = all.iter().take(limit).cloned().collect();
                assert_eq!(found(&searcher, Search::new(asked.clone()).limit(limit)), best, "{docs} {round}");
            }
            assert_eq!(searcher.count(asked.clone()).unwrap(), all.len() as u64);
            // The scorer that joins others gives the same.
            let joined = Bool::new().must(asked.clone()).filter(Query::all());
            let best: Vec<_> = all.iter().take(10).cloned().collect();
            assert_eq!(found(&searcher, joined), best, "{docs} {round}");
            let even: Vec<_> = all
                .iter()
                .filter(|(key, _)| key.ends_with(['0', '2', '4', '6', '8']))
                .take(5)
                .cloned()
                .collect();
            let filtered = Search::new(asked.clone()).filter(Term::new("tag", "even")).limit(5);
            assert_eq!(found(&searcher, filtered), even);
            let threads = searcher.search_with(asked, &SearchOptions::new().threads(3)).unwrap();
            assert_eq!(threads.keys(), best.iter().map(|(key, _)| &**key).collect::<Vec<_>>());
        }
    }
}

#[test]
fn scores_that_8_bits_do_not_tell_apart_are_ranked_exactly_among_many_blocks() {
    let mut rng = Rng::new(8);
    let rows: Rows = (0..12_000)
        .map(|number| {
            let near = 1.0 + rng.below(2_000) as f32 / 1e6;
            let row = match rng.below(10) {
                0..3 => vec![(1, near), (2, 0.5 * near), (3, 0.001)],
                3 => vec![(4, 1.5 * near)],
                _ => vec![(2, 0.1 * near), (3, near)],
            };
            (format!("{number:06}"), row)
        })
        .collect();
    let query = [(1, 1.0), (2, 0.9), (3, 0.3), (4, 0.97)];
    let all = expected(&rows, &query);
    for flush_docs in [20_000, 5_000] {
        let (_, searcher) = index(&rows, flush_docs);
        for limit in [1, 7, 300, 6_000, 10_000] {
            let best = &all[..limit];
            assert_eq!(found(&searcher, Search::new(Sparse::new("s", query)).limit(limit)), best, "{limit}");
        }
    }
}

#[test]
fn weights_may_be_huge_tiny_equal_and_copies() {
    let tiny = f32::from_bits(1);
    let mut rows = Rows::new();
    for number in 0..600 {
        let row = match number % 6 {
            0 => vec![(7, f32::MAX), (8, tiny)],
            1 => vec![(7, tiny)],
            2 => vec![(7, 1.0), (9, 1.0)],
            3 => vec![(u32::MAX, 1e-30), (0, 1e30)],
            4 => vec![(7, 0.0), (9, -0.0)],
            _ => vec![],
        };
        rows.insert(format!("{number:06}"), row);
    }
    for flush_docs in [50, 999] {
        let (_, searcher) = index(&rows, flush_docs);
        for query in [
            vec![(7, 1.0)],
            vec![(7, f32::MAX), (8, f32::MAX)],
            vec![(7, tiny), (9, tiny)],
            vec![(0, 1e-38), (u32::MAX, 1.0), (7, 1e-20)],
            vec![(8, 1.0), (9, f32::MIN_POSITIVE)],
            vec![(55, 1.0)],
            vec![(7, 0.0)],
            vec![],
        ] {
            let wanted: Vec<_> = query.iter().copied().filter(|(_, weight)| *weight > 0.0).collect();
            let all = expected(&rows, &wanted);
            for limit in [1, 7, 1_000] {
                let best: Vec<_> = all.iter().take(limit).cloned().collect();
                let search = Search::new(Sparse::new("s", query.clone())).limit(limit);
                assert_eq!(found(&searcher, search), best, "{query:?}");
            }
        }
    }
}

#[test]
fn a_wrong_vector_is_refused_with_its_field_and_value() {
    let (_, index) = in_memory(schema());
    let writer = index.writer().unwrap();
    for (row, text) in [
        (vec![(1, f32::NAN)], "NaN, the weight of dimension 1,"),
        (vec![(1, f32::INFINITY)], "inf, the weight of dimension 1,"),
        (vec![(1, -0.5)], "weights of at least 0, given -0.5 for dimension 1"),
        (vec![(4, 1.0), (4, 2.0)], "dimension 4 twice"),
    ] {
        let error = writer.add(&document("a", &row, 0)).unwrap_err();
        assert!(matches!(error, Error::Document { .. }) && error.to_string().contains(text), "{error}");
        let error = index.searcher().unwrap().search(Sparse::new("s", row)).unwrap_err();
        assert!(matches!(error, Error::QueryVector { .. }) && error.to_string().contains(text), "{error}");
    }
    let searcher = index.searcher().unwrap();
    for (query, text) in [
        (Query::from(Sparse::new("t", [(1, 1.0)])), "expected a sparse_vector field, it is of type text"),
        (Sparse::new("x", [(1, 1.0)]).into(), "no field"),
        (Term::new("s", 1).into(), "search it with a sparse query"),
        (Sparse::new("s", (0..70_000).map(|one| (one, 1.0)).collect::<Vec<_>>()).into(), "at most 65536"),
    ] {
        let error = searcher.search(query).unwrap_err().to_string();
        assert!(error.contains(text), "{error}");
    }
    let search = Search::from_json(r#"{"query": {"sparse": {"field": "s", "vector": {"1": 1, "x": 2}}}}"#);
    assert!(search.unwrap_err().to_string().contains("is no dimension"));
}

#[test]
fn json_takes_both_forms_and_gives_the_vector_back() {
    let (_, index) = in_memory(schema());
    let writer = index.writer().unwrap();
    writer.add(&Document::from_json(r#"{"id": "a", "s": {"3": 0.5, "12": 2}}"#).unwrap()).unwrap();
    let lists = r#"{"id": "b", "s": {"indices": [12, 3], "values": [1.5, 0.25]}}"#;
    writer.add(&Document::from_json(lists).unwrap()).unwrap();
    writer.commit().unwrap();
    let searcher = index.searcher().unwrap();
    for vector in [r#"{"12": 1, "3": 2}"#, r#"{"indices": [3, 12], "values": [2, 1]}"#] {
        let text =
            format!(r#"{{"query": {{"sparse": {{"field": "s", "vector": {vector}}}}}, "fields": ["s"]}}"#);
        let search = Search::from_json(&text).unwrap();
        assert_eq!(Search::from_json(&search.to_json()).unwrap(), search);
        let hits = searcher.search(search).unwrap();
        assert_eq!(hits.keys(), ["a", "b"]);
        assert_eq!((hits.hits[0].score, hits.hits[1].score), (3.0, 2.0));
        assert_eq!(hits.hits[0].fields.as_ref().unwrap()["s"], serde_json::json!({"3": 0.5, "12": 2}));
    }
}

#[test]
fn they_join_text_hybrids_aggregations_and_explanations() {
    let rows = random_rows(400, 30, &mut Rng::new(5));
    let (_, searcher) = index(&rows, 90);
    let query = vec![(0, 1.0), (2, 0.5), (7, 2.0)];
    let (own, text) = (Sparse::new("s", query.clone()), Match::new("t", "ant"));
    let by_vector: BTreeMap<String, f32> = expected(&rows, &query).into_iter().collect();
    let by_text: BTreeMap<String, f32> =
        found(&searcher, Search::new(text.clone()).limit(1_000)).into_iter().collect();
    let both = Search::new(Bool::new().should(own.clone()).should(text.clone())).limit(1_000);
    let hits = searcher.search(&both).unwrap();
    assert!(hits.hits.len() > by_vector.len().max(by_text.len()));
    for hit in &hits.hits {
        let sum = by_vector.get(&hit.key).unwrap_or(&0.0) + by_text.get(&hit.key).unwrap_or(&0.0);
        assert!((hit.score - sum).abs() <= 1e-5 * sum, "{hit:?}");
    }
    let fused = found(&searcher, Fuse::rrf().query(own.clone()).query(text));
    assert!(fused.iter().any(|(key, _)| by_vector.contains_key(key)));
    let counted =
        Search::new(own.clone()).aggregate("tags", Aggregation::terms("tag")).limit(3).count_total(true);
    let hits = searcher.search(counted).unwrap();
    assert_eq!(hits.total, lucerne::search::Total::Exactly(by_vector.len() as u64));
    let (best, score) = expected(&rows, &query).swap_remove(0);
    let explained = searcher.explain(own.clone(), &best).unwrap();
    assert!(explained.matches && explained.score == score);
    let parts = &explained.details[0];
    let sum: f64 = parts.details.iter().map(|detail| f64::from(detail.score)).sum();
    assert!((sum - f64::from(score)).abs() <= 1e-5 * sum, "{explained}");
    assert!(explained.to_string().contains("in the query ×"), "{explained}");
    let none = rows.keys().find(|key| !by_vector.contains_key(*key)).unwrap();
    assert!(!searcher.explain(own, none).unwrap().matches);
}

#[test]
fn merges_deletes_updates_and_tags_keep_every_weight() {
    let folder = tempfile::tempdir().unwrap();
    let index = Index::create(folder.path(), schema()).unwrap();
    let options = WriterOptions::new().threads(1).flush_docs(100).merge_policy(MergePolicy::None);
    let writer = index.writer_with(options).unwrap();
    let (mut rng, query) = (Rng::new(8), vec![(0, 0.3), (1, 1.7), (5, 0.9), (11, 2.5)]);
    let mut rows = random_rows(800, 40, &mut rng);
    for (number, (key, row)) in rows.iter().enumerate() {
        writer.add(&document(key, row, number)).unwrap();
    }
    writer.commit().unwrap();
    writer.tag("first").unwrap();
    let first = expected(&rows, &query);
    for round in 0..5 {
        let keys: Vec<String> = rows.keys().cloned().collect();
        for key in &keys {
            if !rng.chance(15) {
                continue;
            }
            match rng.below(3) {
                0 => {
                    writer.delete(key).unwrap();
                    rows.remove(key);
                }
                1 => {
                    let row = random_rows(1, 40, &mut rng).into_values().next().unwrap();
                    writer.update(key, Document::new().with("s", SparseVector::from(&row))).unwrap();
                    rows.insert(key.clone(), row);
                }
                // Another field changes: the vector stays as it is.
                _ => writer.update(key, Update::new().set("n", round)).unwrap(),
            }
        }
        if round > 1 {
            writer.force_merge(1, &Cancel::new()).unwrap();
        }
        writer.commit().unwrap();
        let hits =
            found(&index.searcher().unwrap(), Search::new(Sparse::new("s", query.clone())).limit(1_000));
        assert_eq!(hits, expected(&rows, &query), "round {round}");
    }
    let tagged = index.open_at("first").unwrap();
    assert_eq!(found(&tagged, Search::new(Sparse::new("s", query.clone())).limit(1_000)), first);
    drop((writer, tagged));
    let report = admin::check(folder.path(), &Cancel::new(), &()).unwrap();
    assert!(report.problems.is_empty(), "{:?}", report.problems);
    let inspected = admin::inspect(&index.searcher().unwrap()).unwrap();
    assert!(inspected.to_string().contains("\"weights\""), "{inspected}");
}

#[test]
fn a_repair_makes_lists_again_from_rows_and_rows_from_stored_documents() {
    for stored in [true, false] {
        for damaged in ["slists", "sparse"] {
            let folder = tempfile::tempdir().unwrap();
            let schema =
                Schema::builder().key("id").field(Field::sparse_vector("s").stored(stored)).build().unwrap();
            let index = Index::create(folder.path(), schema).unwrap();
            let writer = index.writer().unwrap();
            let rows = random_rows(500, 50, &mut Rng::new(2));
            for (key, row) in &rows {
                writer
                    .add(&Document::new().with("id", key.as_str()).with("s", SparseVector::from(row)))
                    .unwrap();
            }
            writer.close().unwrap();
            drop(index);
            let file = folder.path().join(format!("_0.{damaged}"));
            let mut bytes = std::fs::read(&file).unwrap();
            let middle = bytes.len() / 2;
            bytes[middle] ^= 0x55;
            std::fs::write(&file, bytes).unwrap();
            assert!(!admin::check(folder.path(), &Cancel::new(), &()).unwrap().problems.is_empty());
            let report = admin::repair(folder.path(), &admin::RepairOptions::new()).unwrap();
            assert!(report.lost.is_empty());
            assert_eq!(report.segments[0].rebuilt, ["sparse vectors"]);
            assert!(admin::check(folder.path(), &Cancel::new(), &()).unwrap().problems.is_empty());
            let searcher = Index::open(folder.path()).unwrap().searcher().unwrap();
            let query = vec![(0, 1.0), (3, 2.0), (9, 0.5)];
            let hits = found(&searcher, Search::new(Sparse::new("s", query.clone())).limit(1_000));
            let is_kept = stored || damaged == "slists";
            assert_eq!(hits, if is_kept { expected(&rows, &query) } else { Vec::new() });
            assert_eq!(report.segments[0].emptied_fields.is_empty(), is_kept);
        }
    }
}

#[test]
fn a_deadline_and_a_cancel_stop_the_search() {
    let rows = random_rows(3_000, 3, &mut Rng::new(4));
    let (_, searcher) = index(&rows, 1_000);
    let query = Sparse::new("s", [(0, 1.0), (1, 1.0), (2, 1.0)]);
    let options = SearchOptions::new().timeout(Duration::ZERO);
    assert!(searcher.search_with(query.clone(), &options).is_err());
    assert!(searcher.count_with(query.clone(), &options).is_err());
    let cancel = Cancel::new();
    cancel.cancel();
    assert!(searcher.search_with(query, &SearchOptions::new().cancel(&cancel)).is_err());
}
