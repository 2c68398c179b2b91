//! The examples print what they should; the expected output of each is a file in `expected/`.
#![allow(clippy::print_stdout, missing_docs, reason = "the examples are modules here")]

#[path = "../../examples/coming_from_milvus.rs"]
#[allow(dead_code, reason = "its main is not called")]
mod coming_from_milvus;
#[path = "../../examples/coming_from_redis.rs"]
#[allow(dead_code, reason = "its main is not called")]
mod coming_from_redis;
#[path = "../../examples/coming_from_solr.rs"]
#[allow(dead_code, reason = "its main is not called")]
mod coming_from_solr;
#[path = "../../examples/coming_from_weaviate.rs"]
#[allow(dead_code, reason = "its main is not called")]
mod coming_from_weaviate;
#[path = "../../examples/filtered_search.rs"]
#[allow(dead_code, reason = "its main is not called")]
mod filtered_search;
#[path = "../../examples/hybrid_search.rs"]
#[allow(dead_code, reason = "its main is not called")]
mod hybrid_search;

use lucerne::query::QueryParser;
use lucerne::{Knn, Match, Schema};
use std::collections::BTreeSet;

/// Compares line by line; what is expected is a file in `expected/`.
#[track_caller]
fn assert_lines(found: &str, expected: &str, file: &str) {
    for (number, (found, expected)) in found.lines().zip(expected.lines()).enumerate() {
        assert_eq!(found, expected, "{file}, line {}; all of it:\n{found}", number + 1);
    }
    assert_eq!(found.lines().count(), expected.lines().count(), "{file}:\n{found}");
}

#[test]
fn the_dense_vector_field_of_solr() {
    let folder = tempfile::tempdir().unwrap();
    let report = coming_from_solr::report(folder.path()).unwrap();
    assert_lines(&report, include_str!("expected/coming_from_solr.txt"), "coming_from_solr.txt");
}

#[test]
fn the_binary_vectors_of_milvus() {
    let folder = tempfile::tempdir().unwrap();
    let report = coming_from_milvus::report(folder.path()).unwrap();
    assert_lines(&report, include_str!("expected/coming_from_milvus.txt"), "coming_from_milvus.txt");
}

#[test]
fn the_binary_quantization_of_weaviate() {
    let folder = tempfile::tempdir().unwrap();
    let report = coming_from_weaviate::report(folder.path()).unwrap();
    assert_lines(&report, include_str!("expected/coming_from_weaviate.txt"), "coming_from_weaviate.txt");
}

#[test]
fn filtered_searches() {
    let folder = tempfile::tempdir().unwrap();
    let report = filtered_search::report(folder.path()).unwrap();
    assert_lines(&report, include_str!("expected/filtered_search.txt"), "filtered_search.txt");
}

#[test]
fn hybrid_searches() {
    let folder = tempfile::tempdir().unwrap();
    let report = hybrid_search::report(folder.path()).unwrap();
    assert_lines(&report, include_str!("expected/hybrid_search.txt"), "hybrid_search.txt");
}

#[test]
fn the_bikes_of_redis() {
    let folder = tempfile::tempdir().unwrap();
    let searcher = coming_from_redis::index(&folder.path().join("bikes.idx")).unwrap();
    let table = coming_from_redis::table(&searcher).unwrap();
    assert_lines(&table, include_str!("expected/coming_from_redis.md"), "coming_from_redis.md");

    // Eleven queries of three hits each, the query named once, the best first.
    let rows: Vec<Vec<&str>> =
        table.lines().skip(2).map(|line| line.split('|').map(str::trim).collect()).collect();
    assert_eq!(rows.len(), 33);
    let mut cut = 0;
    for hits in rows.chunks(3) {
        assert!(!hits[0][1].is_empty() && hits[1][1].is_empty() && hits[2][1].is_empty(), "{hits:?}");
        let scores: Vec<f64> = hits.iter().map(|hit| hit[2].parse().unwrap()).collect();
        assert!(scores.is_sorted_by(|left, right| left >= right), "{hits:?}");
        for hit in hits {
            let length = hit[4].chars().count();
            assert!(length <= 500, "{hit:?}");
            if hit[4].ends_with("...") {
                assert_eq!(length, 500);
                cut += 1;
            }
        }
    }
    assert!(cut > 0, "no description was long enough to be cut");
}

#[test]
fn a_bike_is_found_by_text_before_it_has_a_vector_and_by_both_after() {
    let folder = tempfile::tempdir().unwrap();
    let index = lucerne::Index::create(folder.path().join("bikes.idx"), coming_from_redis::schema().unwrap())
        .unwrap();
    let writer = index.writer().unwrap();
    let bike = r#"{"id":"bikes:001","model":"Jigger","brand":"Velorim","price":270,"type":"Kids bikes,Small bikes",
        "description":"a small bike"}"#;
    writer.add(&lucerne::Document::from_json(bike).unwrap()).unwrap();
    writer.commit().unwrap();
    let text = Match::new("description", "small");
    let knn = Knn::new("vector", coming_from_redis::embed("a small bike"));
    let found = |knn: &Knn| {
        let searcher = index.searcher().unwrap();
        let by_text = searcher.search(&text).unwrap();
        (by_text.hits.len(), searcher.search(knn).unwrap().hits.len())
    };
    assert_eq!(found(&knn), (1, 0));
    let vector =
        lucerne::Document::new().with("description_embeddings", coming_from_redis::embed("a small bike"));
    writer.update("bikes:001", &vector).unwrap();
    writer.commit().unwrap();
    assert_eq!(found(&knn), (1, 1));

    let searcher = index.searcher().unwrap();
    let parser = QueryParser::new(searcher.schema());
    for (query, hits) in [
        ("type:\"Kids bikes\"", 1),
        ("@type:{small bikes | Small bikes}", 1),
        ("price:[200 TO 300}", 1),
        ("model:jigger AND brand:velorim", 1),
        ("type:Kids", 0),
    ] {
        assert_eq!(searcher.search(parser.parse(query).unwrap()).unwrap().hits.len(), hits, "{query}");
    }
}

#[test]
fn the_schema_of_the_bikes_in_json_equals_the_one_in_rust() {
    let json = r#"{ "key": "id", "fields": [
        { "name": "model", "type": "text", "path": "$.model", "weight": 1.0 },
        { "name": "brand", "type": "text", "path": "$.brand", "weight": 1.0 },
        { "name": "price", "type": "f64", "path": "$.price" },
        { "name": "type", "type": "keyword", "path": "$.type", "separator": "," },
        { "name": "description", "type": "text", "path": "$.description", "weight": 1.0 },
        { "name": "vector", "type": "vector", "path": "$.description_embeddings", "dimension": 768,
          "similarity": "cosine", "index": "flat", "quantization": "none" } ] }"#;
    let schema = coming_from_redis::schema().unwrap();
    assert_eq!(Schema::from_json(json).unwrap(), schema);
    assert_eq!(Schema::from_value(&schema.to_json()).unwrap(), schema);
    let names: BTreeSet<&str> = schema.fields().iter().map(lucerne::schema::Field::name).collect();
    assert_eq!(names.len(), 6);
}
