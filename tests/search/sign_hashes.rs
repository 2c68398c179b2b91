//! Sign hashes as candidates for exact distances, and the quality that they and a relevance set measure.

use crate::common::documents::{document, in_memory, one_field, reopen, small_segments};
use crate::common::rng::Rng;
use lucerne::admin::{HashQualityOptions, RelevanceSet, check_in, hash_quality, inspect};
use lucerne::codec::Report;
use lucerne::index::IndexBuilder;
use lucerne::schema::{Quantization, SignHash, VectorIndex};
use lucerne::{Cancel, Hits, Index, Knn, Schema, Searcher, Similarity, Term, Vector};
use std::sync::Arc;

const DIMENSION: usize = 32;
const KINDS: [VectorIndex; 2] = [VectorIndex::Flat, VectorIndex::Hnsw];
const KINDS_OF_HASH: [SignHash; 2] = [SignHash::Plain, SignHash::Corrected];

fn vector(kind: VectorIndex) -> Vector {
    let vector = Vector::f32(DIMENSION).index(kind);
    if kind == VectorIndex::Hnsw { vector.advanced("graph_threshold", 0) } else { vector }
}

fn key(number: usize) -> String {
    format!("d{number:05}")
}

fn vectors(count: usize, seed: u64) -> Vec<Vec<f32>> {
    let mut rng = Rng::new(seed);
    (0..count).map(|_| rng.vector(DIMENSION)).collect()
}

fn index(schema: Schema, vectors: &[Vec<f32>], flush: u32) -> Index {
    let (_, index) = in_memory(schema);
    let writer = index.writer_with(small_segments(flush)).unwrap();
    for (number, vector) in vectors.iter().enumerate() {
        writer.add(&document(key(number), vector.clone())).unwrap();
    }
    writer.close().unwrap();
    index
}

fn found(hits: &Hits) -> Vec<(String, u32)> {
    hits.hits.iter().map(|hit| (hit.key.clone(), hit.score.to_bits())).collect()
}

fn field(searcher: &Searcher) -> Report {
    inspect(searcher).unwrap()["segments"][0]["fields"]["v"].clone()
}

/// Cosine distance by the book.
fn distance(x: &[f32], y: &[f32]) -> f64 {
    let dot =
        |x: &[f32], y: &[f32]| -> f64 { x.iter().zip(y).map(|(&x, &y)| f64::from(x) * f64::from(y)).sum() };
    1.0 - dot(x, y) / (dot(x, x) * dot(y, y)).sqrt()
}

#[test]
fn one_flag_adds_sign_hashes_and_without_it_the_old_results_are_back() {
    let (vectors, queries) = (vectors(900, 1), vectors(20, 2));
    for kind in KINDS {
        let plain = one_field(vector(kind));
        let index = index(plain.clone(), &vectors, 900);
        // The same call for all of this.
        let ask = |index: &Index| -> Vec<_> {
            let searcher = index.searcher().unwrap();
            queries
                .iter()
                .map(|query| found(&searcher.search(Knn::new("v", query.clone())).unwrap()))
                .collect()
        };
        let exact: Vec<_> = {
            let searcher = index.searcher().unwrap();
            let exact = |query: &Vec<f32>| searcher.search(Knn::new("v", query.clone()).exact()).unwrap();
            queries.iter().map(|query| found(&exact(query))).collect()
        };
        let writer = index.writer_with(small_segments(300)).unwrap();
        let before = ask(&index);
        for flag in [vector(kind).sign_hash(true), vector(kind).sign_hash_by(SignHash::Plain)] {
            let schema = one_field(flag);
            writer.set_schema(&schema).unwrap();
            writer.force_merge(1, &Cancel::new()).unwrap();
            writer.commit().unwrap();
            let name = if kind == VectorIndex::Hnsw { "hnsw_hash" } else { "flat_hash" };
            assert_eq!(field(&index.searcher().unwrap())["format"], name);
            // Distances are exact: what is found has the score that exact search gives it.
            let hashed = ask(&index);
            let pairs = hashed.iter().zip(&exact);
            let same: usize =
                pairs.map(|(found, exact)| found.iter().filter(|hit| exact.contains(hit)).count()).sum();
            assert!(same >= 180, "{same} of 200");
        }
        writer.set_schema(&plain).unwrap();
        writer.force_merge(1, &Cancel::new()).unwrap();
        writer.commit().unwrap();
        assert_eq!(ask(&index), before);
    }
}

#[test]
fn the_flag_round_trips_through_json_and_what_contradicts_it_is_refused() {
    let builder = IndexBuilder::new();
    let schema = |options: &str| {
        Schema::from_json(&format!(
            r#"{{"key": "id", "fields": [{{"name": "v", "type": "vector", "dimension": 8, {options}}}]}}"#
        ))
    };
    for (options, format) in [
        (r#""sign_hash": true"#, "hnsw_hash"),
        (r#""sign_hash": "plain", "index": "flat""#, "flat_hash"),
        (r#""sign_hash": "corrected""#, "hnsw_hash"),
        (r#""sign_hash": false"#, "hnsw_sq8"),
    ] {
        let read = schema(options).unwrap();
        let found = read.vector_field_named("v").unwrap().format(builder.registry()).unwrap();
        assert_eq!(found.name(), format, "{options}");
        assert_eq!(Schema::from_value(&read.to_json()).unwrap(), read);
    }
    let refused = [r#""sign_hash": true, "quantization": "int8""#, r#""sign_hash": true, "indexed": false"#];
    for options in refused {
        let error = schema(options).unwrap_err().to_string();
        assert!(error.contains("\"v\"") && error.contains("sign_hash"), "{error}");
    }
    let unknown = schema(r#""sign_hash": "best""#).unwrap();
    let error = IndexBuilder::new().create(Arc::new(lucerne::directory::RamDirectory::new()), unknown);
    let error = error.unwrap_err().to_string();
    assert!(error.contains("plain, corrected") && error.contains("\"best\""), "{error}");
}

#[test]
fn deletes_filters_and_several_vectors_work_as_in_other_fields() {
    let vectors = vectors(600, 3);
    for (kind, by) in KINDS.into_iter().flat_map(|kind| KINDS_OF_HASH.map(|by| (kind, by))) {
        let vector = vector(kind).sign_hash_by(by).multiple();
        let schema = Schema::builder().key("id").keyword("tag").vector("v", vector).build().unwrap();
        let (directory, index) = in_memory(schema);
        let writer = index.writer_with(small_segments(70)).unwrap();
        for (number, three) in vectors.chunks(3).enumerate() {
            let list: Vec<lucerne::Value> = three.iter().map(|vector| vector.clone().into()).collect();
            let tag = if number % 10 == 0 { "few" } else { "many" };
            let document = lucerne::Document::new().with("id", key(number)).with("tag", tag).with("v", list);
            writer.add(&document).unwrap();
        }
        writer.commit().unwrap();
        for number in 0..40 {
            writer.delete(&key(number)).unwrap();
        }
        writer.force_merge(1, &Cancel::new()).unwrap();
        writer.close().unwrap();
        assert!(
            check_in(IndexBuilder::new(), Arc::new(directory.clone()), &Cancel::new(), &()).unwrap().ok()
        );
        let searcher = reopen(&directory).searcher().unwrap();
        for query in vectors.iter().step_by(100) {
            for filter in ["few", "many"] {
                let query = Knn::new("v", query.clone()).k(16).filter(Term::new("tag", filter));
                let all = searcher.search(query.clone().candidates(10_000)).unwrap();
                assert_eq!(found(&all), found(&searcher.search(query.clone().exact()).unwrap()));
                let some = searcher.search(query.candidates(16)).unwrap();
                assert!(some.exact && some.hits.len() == 16, "{filter}: {}", some.hits.len());
            }
        }
    }
}

#[test]
fn the_top_50_are_the_candidates_in_exact_order_and_their_number_is_a_parameter() {
    let (vectors, queries) = (vectors(3_000, 4), vectors(10, 5));
    for (kind, by) in KINDS.into_iter().flat_map(|kind| KINDS_OF_HASH.map(|by| (kind, by))) {
        let index = index(one_field(vector(kind).sign_hash_by(by)), &vectors, 3_000);
        let searcher = index.searcher().unwrap();
        for query in &queries {
            let knn = || Knn::new("v", query.clone());
            // All candidates, in the order they are returned in: by exact distance.
            let all = searcher.search(knn().k(1_000).candidates(1_000)).unwrap();
            let number = |key: &str| key[1..].parse::<usize>().unwrap();
            let mut candidates: Vec<(f64, &str)> = all
                .hits
                .iter()
                .map(|hit| (distance(query, &vectors[number(&hit.key)]), hit.key.as_str()))
                .collect();
            assert_eq!(candidates.len(), 1_000);
            candidates.sort_by(|left, right| left.0.total_cmp(&right.0));
            let top = searcher.search(knn().k(50).candidates(1_000)).unwrap();
            let found: Vec<&str> = top.hits.iter().map(|hit| hit.key.as_str()).collect();
            let expected: Vec<&str> = candidates.iter().take(50).map(|(_, key)| *key).collect();
            assert_eq!(found, expected);
            for (hit, (distance, _)) in top.hits.iter().zip(&candidates) {
                assert!((f64::from(hit.score) - (1.0 - distance / 2.0)).abs() < 1e-5);
            }
            // A search that does not say how many keeps as many as its recall takes.
            let asked = searcher.search(knn().k(50).recall(0.95)).unwrap();
            assert_eq!(self::found(&searcher.search(knn().k(50)).unwrap()), self::found(&asked));
            assert_ne!(searcher.search(knn().k(50).candidates(50)).unwrap().segments, top.segments);
        }
    }
}

#[test]
fn rescoring_tells_vectors_of_equal_hashes_apart() {
    let schema = || Vector::f32(2).sign_hash_by(SignHash::Plain);
    for vector in [schema().flat(), schema().advanced("graph_threshold", 0)] {
        let (x, y) = ([0.13, 0.97], [0.87, 0.02]);
        let index = index(one_field(vector), &[x.to_vec(), y.to_vec()], 10);
        let searcher = index.searcher().unwrap();
        let hits = searcher.search(Knn::new("v", x).k(2)).unwrap().hits;
        assert_eq!([&hits[0].key, &hits[1].key], ["d00000", "d00001"]);
        let distances = [0, 1].map(|hit| 2.0 * (1.0 - hits[hit].score));
        assert!(distances[0].abs() < 1e-6 && (distances[1] - 0.844423).abs() < 2e-6, "{distances:?}");
        let hits = searcher.search(Knn::new("v", y).k(1)).unwrap().hits;
        assert_eq!(hits[0].key, "d00001");
    }
}

#[test]
fn flat_and_hnsw_find_the_same_and_an_estimate_says_which_is_cheaper() {
    let (vectors, queries) = (vectors(4_000, 6), vectors(20, 7));
    for by in KINDS_OF_HASH {
        let [flat, hnsw] = KINDS.map(|kind| index(one_field(vector(kind).sign_hash_by(by)), &vectors, 4_000));
        let (mut same, mut strategies) = (0, Vec::new());
        for query in &queries {
            let query = Knn::new("v", query.clone()).candidates(30);
            let [flat, hnsw] = [&flat, &hnsw].map(|index| index.searcher().unwrap().search(&query).unwrap());
            let keys = |hits: &Hits| hits.hits.iter().map(|hit| hit.key.clone()).collect::<Vec<_>>();
            same += keys(&flat).iter().filter(|key| keys(&hnsw).contains(key)).count();
            strategies = vec![flat.segments[0].strategy, hnsw.segments[0].strategy];
        }
        // Corrected hashes take longer to scan, so that the graph is cheaper for so few candidates.
        let cheaper = if by == SignHash::Corrected { "graph" } else { "scan hashes" };
        assert_eq!(strategies, ["scan hashes", cheaper]);
        assert!(same >= 150, "{same} of 200");
        let estimate = field(&hnsw.searcher().unwrap())["estimate"].clone();
        assert_eq!(estimate, field(&flat.searcher().unwrap())["estimate"]);
        let number = |name: &str| estimate[name].as_u64().unwrap();
        let cheaper = if number("hnsw") < number("flat") { "hnsw" } else { "flat" };
        assert_eq!(estimate["cheaper"], cheaper);
        assert_eq!((cheaper, number("candidates")), ("flat", 200));
    }
}

#[test]
fn inspect_shows_the_memory_of_hashes_of_the_graph_and_in_all() {
    let n = 500;
    for (kind, by) in KINDS.into_iter().flat_map(|kind| KINDS_OF_HASH.map(|by| (kind, by))) {
        let index = index(one_field(vector(kind).sign_hash_by(by)), &vectors(n, 8), 1_000);
        let facts = field(&index.searcher().unwrap());
        let bytes = |name: &str| facts["bytes"][name].as_u64().unwrap_or(0) as usize;
        assert_eq!(facts["sign_hash"], by.name());
        assert_eq!((bytes("hashes"), bytes("raw")), (DIMENSION / 8 * n, DIMENSION * 4 * n));
        assert_eq!(bytes("corrections"), if by == SignHash::Plain { 0 } else { 8 * n + 4 * DIMENSION });
        assert_eq!(bytes("graph") > 0, kind == VectorIndex::Hnsw);
        let parts = ["raw", "hashes", "corrections", "graph", "maps"].map(bytes);
        assert_eq!(bytes("total"), parts.iter().sum::<usize>());
        let searched = parts[1..].iter().sum::<usize>();
        assert_eq!(bytes("searched"), searched);
        // The hashes are a 32nd of the raw vectors; what a search reads is more than that, and all is more still.
        assert!(searched * 32 > bytes("raw") && bytes("total") > bytes("raw"));
    }
}

#[test]
fn hash_quality_is_measured_with_the_flag_and_without() {
    let near_each_other: Vec<Vec<f32>> =
        vectors(600, 9).into_iter().map(|vector| vector.iter().map(|value| 20.0 + value).collect()).collect();
    for (vectors, plain_is_poor) in [(vectors(600, 9), false), (near_each_other, true)] {
        let mut reports = Vec::new();
        for vector in [vector(VectorIndex::Flat), vector(VectorIndex::Flat).sign_hash(true)] {
            let index = index(one_field(vector.similarity(Similarity::Cosine)), &vectors, 400);
            let searcher = index.searcher().unwrap();
            let mut options = HashQualityOptions::default();
            (options.sample, options.candidates) = (100, vec![20, 50, 200]);
            let report = hash_quality(&searcher, "v", &options, &Cancel::new(), &()).unwrap();
            assert_eq!((report.vectors, report.compared, report.k), (600, 600, 10));
            assert_eq!((report.queries, report.default_candidates), (100, 200));
            for lines in report.lines.chunks(3) {
                assert!(lines.is_sorted_by(|left, right| left.recall <= right.recall), "{lines:?}");
            }
            let poor: Vec<SignHash> = report.poor().map(|line| line.estimator).collect();
            assert_eq!(poor, if plain_is_poor { vec![SignHash::Plain] } else { Vec::new() }, "{report:?}");
            reports.push(report);
        }
        assert_eq!(reports[0].lines, reports[1].lines);
    }
}

#[test]
fn hash_quality_that_cannot_be_measured_is_refused() {
    let index = index(one_field(Vector::f32(DIMENSION)), &vectors(10, 1), 100);
    let searcher = index.searcher().unwrap();
    let measure = |field: &str, change: fn(&mut HashQualityOptions)| {
        let mut options = HashQualityOptions::default();
        change(&mut options);
        hash_quality(&searcher, field, &options, &Cancel::new(), &()).map(|_| ()).unwrap_err().to_string()
    };
    assert!(measure("w", |_| {}).contains("no field \"w\""));
    assert!(measure("v", |options| options.k = 0).contains("k is 0"));
    assert!(measure("v", |options| options.sample = 0).contains("sample is 0"));
    assert!(measure("v", |options| options.candidates = vec![9]).contains("candidates is 9"));
    assert!(measure("v", |options| options.queries = vec![vec![1.0]]).contains("32"));
    let bits = Schema::builder().vector("b", lucerne::Vector::bits(8)).build().unwrap();
    let bits = in_memory(bits).1.searcher().unwrap();
    let options = HashQualityOptions::default();
    let error = hash_quality(&bits, "b", &options, &Cancel::new(), &()).unwrap_err().to_string();
    assert!(error.contains("bits already"), "{error}");
    let empty = self::index(one_field(Vector::f32(4).quantization(Quantization::None)), &[], 100);
    let options = HashQualityOptions::default();
    let error = hash_quality(&empty.searcher().unwrap(), "v", &options, &Cancel::new(), &()).unwrap_err();
    assert!(error.to_string().contains("no vectors"), "{error}");
}

#[test]
fn a_relevance_set_is_matched_with_documents_and_measured() {
    let schema = Schema::builder().key("id").text("body").build().unwrap();
    let (_, index) = in_memory(schema);
    let writer = index.writer_with(small_segments(3)).unwrap();
    let bodies = [
        "a red fox",
        "a red fox",
        "the lazy dog",
        "a fox and a dog and more",
        "red wine",
        "nothing",
        "old fox",
    ];
    for (number, body) in bodies.iter().enumerate() {
        writer.add(&lucerne::Document::new().with("id", key(number)).with("body", *body)).unwrap();
    }
    writer.commit().unwrap();
    writer.delete(&key(6)).unwrap();
    writer.close().unwrap();
    let searcher = index.searcher().unwrap();
    let set = r#"{"query": "red fox", "pos": ["a red fox"], "neg": ["red wine", "no such passage"], "type": "x"}

{"query": "dog", "pos": ["a fox and a dog and more", "the lazy dog", "unknown"], "neg": []}
{"query": "old", "pos": ["old fox"]}"#;
    let set = RelevanceSet::from_jsonl(set).unwrap();
    let judgements = set.judgements(&searcher, Some("body")).unwrap();
    assert_eq!((judgements.matched, judgements.unanswerable()), (4, 1));
    let named = |all: &[lucerne::admin::Unmatched]| -> Vec<_> {
        all.iter().map(|one| (one.line, one.passage.clone())).collect()
    };
    let wrong = named(&judgements.unmatched_wrong);
    assert_eq!(named(&judgements.unmatched_right), [(3, "unknown".to_owned()), (4, "old fox".to_owned())]);
    assert_eq!(wrong, [(1, "no such passage".to_owned())]);
    let ranking = |text: &str| -> Vec<String> {
        let hits = searcher.search(lucerne::Match::new("body", text)).unwrap().hits;
        hits.into_iter().map(|hit| hit.key).collect()
    };
    let rankings: Vec<Vec<String>> = set.queries().map(ranking).collect();
    // The shorter of the documents with "dog" comes first; the other is found with k = 2.
    let (one, two) = (judgements.measure(&rankings, 1), judgements.measure(&rankings, 2));
    assert_eq!((one.queries, one.recall, one.mrr, one.ndcg, one.negatives), (2, 0.75, 1.0, 1.0, 0.0));
    assert_eq!((two.recall, two.mrr), (1.0, 1.0));
    let all = judgements.measure(&rankings, 10);
    assert_eq!((all.recall, all.negatives), (1.0, 0.05));
    // By key, which none of these passages is.
    let by_key = set.judgements(&searcher, None).unwrap();
    assert_eq!((by_key.matched, by_key.unanswerable()), (0, 3));
    for (text, expected) in [
        ("{}", "line 1: missing field `query`"),
        ("\n{\"query\": \"q\", \"pos\": []}", "line 2: \"pos\" is empty"),
    ] {
        let error = RelevanceSet::from_jsonl(text).unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
    }
    assert!(set.judgements(&searcher, Some("title")).is_err());
}
