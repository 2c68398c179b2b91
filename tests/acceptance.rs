//! What a user can do: the acceptance list, one test a line, named by its number.

mod common;

use common::documents::{
    FORMATS, add_all, document, in_memory, normalized, one_field, reopen, small_segments, vectors_of,
};
use common::rng::Rng;
use common::{files, npy, oracle};
use lucerne::admin::inspect;
use lucerne::codec::Cancel;
use lucerne::directory::RamDirectory;
use lucerne::error::ValueProblem;
use lucerne::index::IndexBuilder;
use lucerne::schema::{Field, Quantization, VectorIndex};
use lucerne::{
    Document, Error, ErrorKind, Index, Knn, Schema, Searcher, Similarity, Value, Vector, WriterOptions,
};
use std::collections::BTreeMap;
use std::sync::Arc;

type Vectors = BTreeMap<String, Vec<f32>>;

fn rows(documents: &Vectors) -> impl Iterator<Item = (&str, &[f32])> {
    documents.iter().map(|(key, vector)| (key.as_str(), vector.as_slice()))
}

/// `count` documents of random vectors that every metric accepts.
fn random(count: usize, dimension: usize, seed: u64) -> Vectors {
    let mut rng = Rng::new(seed);
    (0..count).map(|i| (format!("d{i:04}"), normalized(&rng.vector(dimension)))).collect()
}

fn keys(searcher: &Searcher, query: &Knn) -> Vec<String> {
    searcher.search(query).unwrap().keys().into_iter().map(str::to_owned).collect()
}

#[test]
fn ac_01_a_vector_of_another_length_is_refused_and_nothing_of_its_batch_is_written() {
    for dimension in [1, 4_096] {
        let (_, index) = in_memory(vectors_of(dimension, Similarity::Euclidean));
        index.writer().unwrap().add(&document("a", vec![0.5; dimension])).unwrap();
    }
    for dimension in [0, 4_097] {
        let error = Schema::builder().vector("v", Vector::f32(dimension)).build().unwrap_err().to_string();
        assert_eq!(error, format!("schema: field \"v\": dimension is {dimension}, expected 1 to 4096"));
    }
    let missing = r#"{"fields": [{"name": "v", "type": "vector"}]}"#;
    let error = Schema::from_json(missing).unwrap_err().to_string();
    assert!(error.contains(r#"field "v": dimension is missing"#), "{error}");

    let (directory, index) = in_memory(vectors_of(3, Similarity::Euclidean));
    let writer = index.writer().unwrap();
    writer.add(&document("old", [1.0, 2.0, 3.0])).unwrap();
    let batch = [document("new", [1.0, 0.0, 0.0]), document("old", [0.0; 3]), document("short", [1.0, 2.0])];
    for error in [
        writer.upsert_batch(&batch).unwrap_err(),
        writer.add(&batch[2]).unwrap_err(),
        writer.upsert(&batch[2]).unwrap_err(),
    ] {
        let expected = ValueProblem::WrongDimension { field: "v".into(), expected: 3, given: 2 };
        assert!(matches!(&error, Error::Document { problem, .. } if *problem == expected), "{error:?}");
        let told = r#"document "short": field "v": expected a vector of 3 components, given 2"#;
        assert_eq!(error.to_string(), told);
    }
    writer.close().unwrap();
    let searcher = reopen(&directory).searcher().unwrap();
    assert_eq!(searcher.len(), 1);
    assert_eq!(searcher.vector("old", "v").unwrap().unwrap(), [1.0, 2.0, 3.0]);
}

#[test]
fn ac_02_a_metric_is_named_in_a_string_or_takes_the_documented_default() {
    let schema =
        Schema::from_json(r#"{"fields": [{"name": "v", "type": "vector", "dimension": 2}]}"#).unwrap();
    let (_, index) = in_memory(schema);
    let shown = inspect(&index.searcher().unwrap()).unwrap();
    assert_eq!(shown["schema"]["fields"][0]["similarity"], "cosine");

    for (name, similarity) in [
        ("euclidean", Similarity::Euclidean),
        ("dot_product", Similarity::DotProduct),
        ("cosine", Similarity::Cosine),
        ("max_inner_product", Similarity::MaxInnerProduct),
    ] {
        assert_eq!(name.parse::<Similarity>().unwrap(), similarity);
        let json = format!(
            r#"{{"fields": [{{"name": "v", "type": "vector", "dimension": 2, "similarity": "{name}"}}]}}"#
        );
        let schema = Schema::from_json(&json).unwrap();
        assert_eq!(schema.vector_field_named("v").unwrap().options().similarity(), similarity);
    }
    let other = r#"{"fields": [{"name": "v", "type": "vector", "dimension": 2, "similarity": "manhattan"}]}"#;
    let error = Schema::from_json(other).unwrap_err().to_string();
    for told in ["\"v\"", "\"manhattan\"", "euclidean, dot_product, cosine, max_inner_product"] {
        assert!(error.contains(told), "{error}");
    }
}

#[test]
fn ac_03_dot_product_takes_unit_vectors_only_or_normalises_on_request() {
    let (_, index) = in_memory(vectors_of(2, Similarity::DotProduct));
    let writer = index.writer().unwrap();
    writer.add(&document("unit", [0.6, 0.8])).unwrap();
    let error = writer.add(&document("long", [3.0, 4.0])).unwrap_err();
    let told = error.to_string();
    assert!(told.contains(r#"field "v""#) && told.contains("length 5, expected 1 ± 0.001"), "{told}");
    assert_eq!(error.kind(), ErrorKind::Usage);
    writer.commit().unwrap();
    let searcher = index.searcher().unwrap();
    let error = searcher.search(Knn::new("v", [3.0, 4.0])).unwrap_err();
    assert!(matches!(&error, Error::QueryVector { problem: ValueProblem::NotUnit { .. } }), "{error:?}");
    assert_eq!(searcher.len(), 1);

    let vector = Vector::f32(2).similarity(Similarity::DotProduct).normalize_on_write();
    let (directory, index) = in_memory(one_field(vector));
    let stored = BTreeMap::from([("a".to_owned(), vec![3.0, 4.0]), ("b".to_owned(), vec![0.1, -7.0])]);
    add_all(&index, WriterOptions::new(), rows(&stored));
    let searcher = reopen(&directory).searcher().unwrap();
    for (key, vector) in &stored {
        assert_eq!(searcher.vector(key, "v").unwrap().as_ref(), Some(vector), "the original length is kept");
    }
    let hits = searcher.search(Knn::new("v", [30.0, 40.0]).exact()).unwrap();
    assert_eq!(hits.keys(), ["a", "b"]);
    for (hit, cosine) in hits.hits.iter().zip([1.0, (0.1 * 0.6 - 7.0 * 0.8) / 49.01f64.sqrt()]) {
        assert!((f64::from(hit.score) - (1.0 + cosine) / 2.0).abs() < 1e-6, "{hit:?}");
    }
    let error = searcher.search(Knn::new("v", [0.0, 0.0])).unwrap_err().to_string();
    assert!(error.contains("no direction"), "{error}");
}

#[test]
fn ac_04_cosine_keeps_the_original_vector_bit_for_bit() {
    let originals: [[f32; 4]; 4] = [
        [1.0, 2.5, 3.7, 4.1],
        [1e-40, -0.0, f32::MIN_POSITIVE, 1.0e-45],
        [0.1 + 0.2, -1.0 / 3.0, 1e30, -1e-30],
        [3.4e38, -3.4e38, 0.0, 16_777_217.0],
    ];
    for (index_kind, quantization) in FORMATS {
        let vector = Vector::f32(4).similarity(Similarity::Cosine);
        let (directory, index) = in_memory(one_field(vector.index(index_kind).quantization(quantization)));
        let names: Vec<String> = (0..originals.len()).map(|i| format!("{i}")).collect();
        let pairs = names.iter().zip(&originals).map(|(key, vector)| (key.as_str(), vector.as_slice()));
        add_all(&index, small_segments(2), pairs);
        let searcher = reopen(&directory).searcher().unwrap();
        let hits = searcher.search(Knn::new("v", [1.0; 4]).fields(["v"])).unwrap();
        assert_eq!(hits.hits.len(), originals.len());
        for (key, original) in names.iter().zip(&originals) {
            let bits = |vector: &[f32]| vector.iter().map(|x| x.to_bits()).collect::<Vec<_>>();
            let stored = searcher.vector(key, "v").unwrap().unwrap();
            assert_eq!(bits(&stored), bits(original), "{key}");
            let hit = hits.hits.iter().find(|hit| hit.key == *key).unwrap();
            let listed = hit.fields.as_ref().unwrap()["v"].as_array().unwrap();
            let listed: Vec<f32> = listed.iter().map(|x| x.as_f64().unwrap() as f32).collect();
            assert_eq!(bits(&listed), bits(original), "{key} in a hit");
        }
    }
}

#[test]
fn ac_05_the_two_documents_of_the_worked_example_come_back_in_order() {
    let lines = r#"{"id":"1","vector":[1.0,2.5,3.7,4.1]}
{"id":"2","vector":[1.5,5.5,6.7,65.1]}"#;
    for (similarity, expected) in [("cosine", [0.995_464, 0.814_323]), ("euclidean", [0.75, 3_759.4])] {
        let schema = format!(
            r#"{{"key": "id", "fields": [{{"name": "vector", "type": "vector", "dimension": 4,
                 "similarity": "{similarity}", "m": 10, "beam_width": 40}}]}}"#
        );
        let (directory, index) = in_memory(Schema::from_json(&schema).unwrap());
        let writer = index.writer().unwrap();
        for line in lines.lines() {
            writer.add(&Document::from_json(line).unwrap()).unwrap();
        }
        writer.close().unwrap();
        let searcher = reopen(&directory).searcher().unwrap();
        let query = Knn::new("vector", [1.0, 2.0, 3.0, 4.0]).k(10);
        assert_eq!(keys(&searcher, &query), ["1", "2"]);
        for query in [query.clone().exact(), query.rescore(2.0)] {
            let hits = searcher.search(&query).unwrap();
            assert_eq!(hits.keys(), ["1", "2"]);
            for (hit, expected) in hits.hits.iter().zip(expected) {
                let (shown, digits) = match similarity {
                    "cosine" => (1.0 - hit.distance.unwrap(), 5e-7),
                    _ => (hit.distance.unwrap(), 1e-3),
                };
                assert!(
                    (f64::from(shown) - expected).abs() < digits,
                    "{similarity}: {shown}, not {expected}"
                );
            }
        }
    }
}

#[test]
fn ac_06_a_field_not_indexed_says_so_and_one_not_stored_is_not_returned() {
    let schema = Schema::builder()
        .key("id")
        .vector("unindexed", Vector::f32(2).indexed(false))
        .vector("unstored", Vector::f32(2).stored(false))
        .field(Field::text("title").stored(false))
        .text("body")
        .build()
        .unwrap();
    let (directory, index) = in_memory(schema);
    let document = Document::new()
        .with("id", "a")
        .with("unindexed", [1.0, 2.0])
        .with("unstored", [3.0, 4.0])
        .with("title", "hidden")
        .with("body", "shown");
    let writer = index.writer().unwrap();
    writer.add(&document).unwrap();
    writer.close().unwrap();
    let searcher = reopen(&directory).searcher().unwrap();

    let error = searcher.search(Knn::new("unindexed", [1.0, 2.0])).unwrap_err();
    assert!(matches!(&error, Error::NotIndexed { field } if field == "unindexed"), "{error:?}");
    assert!(error.to_string().contains("is not indexed"), "{error}");
    assert_eq!(searcher.vector("a", "unindexed").unwrap().unwrap(), [1.0, 2.0]);

    let none: [&str; 0] = [];
    let hits = searcher.search(Knn::new("unstored", [3.0, 4.0]).fields(none)).unwrap();
    let returned: Vec<&String> = hits.hits[0].fields.as_ref().unwrap().keys().collect();
    assert_eq!(returned, ["id", "body", "unindexed"]);
    for (field, error) in [
        ("unstored", searcher.vector("a", "unstored").unwrap_err()),
        ("title", searcher.search(Knn::new("unstored", [3.0, 4.0]).fields(["title"])).unwrap_err()),
    ] {
        assert!(matches!(&error, Error::NotStored { field: named } if named == field), "{error:?}");
    }
    let read = searcher.get("a").unwrap().unwrap();
    assert_eq!(read.to_json(), serde_json::json!({"id": "a", "body": "shown", "unindexed": [1.0, 2.0]}));
}

#[test]
fn ac_11_automatic_keys_are_strings_that_are_unique_grow_and_are_returned() {
    let schema = Schema::builder().auto_key("id").vector("v", Vector::f32(1)).build().unwrap();
    let (directory, mut index) = in_memory(schema);
    let add = |index: &Index, count: usize| {
        let writer = index.writer_with(small_segments(7)).unwrap();
        let document = Document::new().with("v", [1.0]);
        let mut keys: Vec<String> = (0..count).map(|_| writer.add(&document).unwrap()).collect();
        keys.extend(writer.add_batch(&vec![document; 3]).unwrap());
        writer.close().unwrap();
        keys
    };
    let mut all = add(&index, 20);
    index = reopen(&directory);
    all.extend(add(&index, 20));
    assert!(all.windows(2).all(|pair| pair[0] < pair[1]), "not monotonic: {all:?}");
    let searcher = index.searcher().unwrap();
    assert_eq!(searcher.len(), 46);
    for key in &all {
        let document = searcher.get(key).unwrap().expect("a returned key finds its document");
        assert_eq!(document.get("id"), Some(&Value::from(key.as_str())));
    }
    // From four threads too.
    let writer = index.writer().unwrap();
    let document = Document::new().with("v", [1.0]);
    let mut per_thread: Vec<Vec<String>> = std::thread::scope(|scope| {
        let add = || (0..50).map(|_| writer.add(&document).unwrap()).collect();
        let threads: Vec<_> = (0..4).map(|_| scope.spawn(add)).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    assert!(per_thread.iter().all(|keys: &Vec<String>| keys.is_sorted()));
    all.extend(per_thread.drain(..).flatten());
    writer.commit().unwrap();
    assert_eq!(std::collections::BTreeSet::from_iter(&all).len(), 246);
    assert_eq!(index.searcher().unwrap().len(), 246);

    let schema = Schema::builder().key("id").key_max_len(5).build().unwrap();
    let (_, index) = in_memory(schema);
    let writer = index.writer().unwrap();
    writer.add(&Document::new().with("id", "12345")).unwrap();
    let error = writer.add(&Document::new().with("id", "123456")).unwrap_err();
    let expected = ValueProblem::KeyTooLong { field: "id".into(), len: 6, max: 5 };
    assert!(matches!(&error, Error::Document { problem, .. } if *problem == expected), "{error:?}");
}

#[test]
fn ac_20_results_after_each_flush_equal_brute_force() {
    for similarity in Similarity::FLOAT {
        for (index_kind, quantization) in FORMATS {
            let vector = Vector::f32(8).similarity(similarity).index(index_kind).quantization(quantization);
            let (_, index) = in_memory(one_field(vector));
            let writer = index.writer_with(small_segments(1)).unwrap();
            let all = random(25, 8, 20);
            let mut added = Vectors::new();
            for (key, vector) in &all {
                writer.add(&document(key, vector.clone())).unwrap();
                writer.refresh().unwrap();
                added.insert(key.clone(), vector.clone());
                let searcher = index.searcher().unwrap();
                let query = normalized(&Rng::new(added.len() as u64).vector(8));
                for k in [1, added.len().div_ceil(2), added.len()] {
                    let knn = Knn::new("v", query.clone()).k(k);
                    let everything = added.len() as f32 / k as f32;
                    for knn in [knn.clone().exact(), knn.clone().rescore(everything)] {
                        let hits = searcher.search(&knn).unwrap();
                        oracle::assert_exact(&hits, similarity, &query, rows(&added), k);
                    }
                    let hits = searcher.search(&knn).unwrap();
                    if quantization == Quantization::None {
                        oracle::assert_exact(&hits, similarity, &query, rows(&added), k);
                    }
                    assert_eq!(hits.hits.len(), k);
                }
            }
        }
    }
}

#[test]
fn ac_20_flushing_at_a_memory_limit_changes_no_answer() {
    let (_, index) = in_memory(vectors_of(256, Similarity::Euclidean));
    let all = random(2_000, 256, 21);
    let options = WriterOptions::new().threads(1).ram_budget(1 << 20);
    let writer = index.writer_with(options).unwrap();
    for (key, vector) in &all {
        writer.add(&document(key, vector.clone())).unwrap();
    }
    writer.refresh().unwrap();
    let searcher = index.searcher().unwrap();
    assert!(searcher.segment_count() >= 2, "{} MB of vectors in 1 MiB", 2_000 * 1_024 / 1_000_000);
    let query = Rng::new(3).vector(256);
    for k in [1, 10, 2_000] {
        let hits = searcher.search(Knn::new("v", query.clone()).k(k).exact()).unwrap();
        oracle::assert_exact(&hits, Similarity::Euclidean, &query, rows(&all), k);
    }
}

#[test]
fn ac_21_inspect_lists_the_parts_of_each_segment_with_their_sizes() {
    let (dimension, count) = (24, 100);
    let vector = Vector::f32(dimension).param("graph_threshold", 10);
    let (_, index) = in_memory(one_field(vector));
    add_all(&index, small_segments(40), rows(&random(count, dimension, 21)));
    let facts = inspect(&index.searcher().unwrap()).unwrap();
    let segments = facts["segments"].as_array().unwrap();
    let docs: Vec<u64> = segments.iter().map(|segment| segment["docs"].as_u64().unwrap()).collect();
    assert_eq!(docs, [40, 40, 20]);
    for (segment, n) in segments.iter().zip(docs) {
        let field = &segment["fields"]["v"];
        let bytes = |part: &str| field["bytes"][part].as_u64().unwrap_or_else(|| panic!("{part}: {field}"));
        assert_eq!(bytes("raw"), 4 * dimension as u64 * n);
        assert_eq!(bytes("codes") + bytes("corrections"), (dimension as u64 + 4) * n);
        assert!(bytes("graph") > 0);
        let quantiles: Vec<f64> =
            field["quantiles"].as_array().unwrap().iter().map(|x| x.as_f64().unwrap()).collect();
        assert!(quantiles.len() == 2 && quantiles[0] < quantiles[1], "{quantiles:?}");
        // Beside the parts only the envelopes: the files hold nothing that is not said.
        let of_field = segment["files"].as_array().unwrap().iter().filter(|file| {
            let name = file["name"].as_str().unwrap();
            name.contains(".0.")
        });
        let on_disk: u64 = of_field.map(|file| file["bytes"].as_u64().unwrap()).sum();
        let told: u64 = field["bytes"].as_object().unwrap().values().map(|part| part.as_u64().unwrap()).sum();
        assert!(on_disk >= told && on_disk - told <= 2_000, "{on_disk} on disk, {told} told");
    }
}

#[test]
fn ac_22_a_search_without_rescoring_never_reads_raw_vectors() {
    let vector = Vector::f32(384).param("graph_threshold", 0);
    let (directory, index) = in_memory(one_field(vector));
    let embeddings = npy::read_f16_rows("packages.f16.npy");
    let writer = index.writer_with(small_segments(10_000)).unwrap();
    for (row, embedding) in embeddings.iter().enumerate() {
        writer.add(&document(format!("{row:04}"), embedding.clone())).unwrap();
    }
    writer.close().unwrap();
    let queries = npy::read_f16_rows("queries.f16.npy");
    let ask = |index: &Index, knn: &dyn Fn(Knn) -> Knn| {
        let searcher = index.searcher().unwrap();
        let search = |query: &Vec<f32>| searcher.search(knn(Knn::new("v", query.clone())));
        queries.iter().take(30).map(search).collect::<Vec<_>>()
    };
    let ways: [&dyn Fn(Knn) -> Knn; 2] = [&|knn| knn, &|knn| knn.k(5).candidates(5)];
    let before = ways.map(|way| ask(&reopen(&directory), way));
    let strategies = |hits: &lucerne::Hits| hits.segments.iter().map(|segment| segment.strategy).collect();
    let strategies: Vec<Vec<&str>> =
        before.iter().map(|hits| strategies(hits[0].as_ref().unwrap())).collect();
    assert!(strategies[1].contains(&"graph"), "{strategies:?}");
    let rescored = ask(&reopen(&directory), &|knn| knn.rescore(2.0));

    // Every byte of every raw vector becomes 0xFF: all components are NaN.
    let mut poisoned = 0;
    for (name, mut bytes) in
        files::contents(&directory).into_iter().filter(|(name, _)| name.ends_with(".vec"))
    {
        let body = 64..bytes.len() - 16;
        assert_eq!(body.len(), 4 * 384 * 2_400, "{name} holds the raw vectors and nothing else");
        bytes[body].fill(0xFF);
        files::replace(&directory, &name, &bytes);
        poisoned += 1;
    }
    assert_eq!(poisoned, 1);
    let index = reopen(&directory);
    for (way, before) in ways.iter().zip(&before) {
        for (after, before) in ask(&index, way).iter().zip(before) {
            assert_eq!(after.as_ref().unwrap(), before.as_ref().unwrap());
        }
    }
    for (after, before) in ask(&index, &|knn| knn.rescore(2.0)).iter().zip(&rescored) {
        let same = after.as_ref().is_ok_and(|after| after.hits == before.as_ref().unwrap().hits);
        assert!(!same, "rescoring reads raw vectors");
    }
}

#[test]
fn ac_26_degenerate_segments_have_ordered_finite_quantiles_and_answer() {
    let constant = |value: f32| vec![vec![value; 4]; 20];
    let mut outlier = constant(0.01);
    outlier[7] = vec![3e38, -3e38, 3e38, 0.0];
    let segments: [(&str, Vec<Vec<f32>>); 8] = [
        ("one vector", vec![vec![0.1, 0.2, 0.3, 0.4]]),
        ("one zero vector", vec![vec![0.0; 4]]),
        ("constant", constant(0.5)),
        ("zero", constant(0.0)),
        ("negative zero", constant(-0.0)),
        ("huge", constant(3.4e38)),
        ("subnormal", constant(1e-45)),
        ("outlier", outlier),
    ];
    for similarity in [Similarity::Euclidean, Similarity::Cosine, Similarity::MaxInnerProduct] {
        for (index_kind, quantization) in FORMATS {
            let vector = Vector::f32(4).similarity(similarity).index(index_kind).quantization(quantization);
            let vector = match index_kind {
                VectorIndex::Hnsw => vector.param("graph_threshold", 0),
                _ => vector,
            };
            let directory = RamDirectory::new();
            let index = IndexBuilder::new().create(Arc::new(directory.clone()), one_field(vector)).unwrap();
            let writer = index.writer().unwrap();
            for (name, vectors) in &segments {
                for (number, vector) in vectors.iter().enumerate() {
                    writer.add(&document(format!("{name} {number}"), vector.clone())).unwrap();
                }
                writer.refresh().unwrap();
                for bad in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
                    let error = writer.add(&document("bad", [0.5, bad, 0.5, 0.5])).unwrap_err();
                    let told = error.to_string();
                    assert!(told.contains(r#"field "v""#) && told.contains("at position 1"), "{told}");
                    assert_eq!(error.kind(), ErrorKind::Usage);
                }
            }
            writer.close().unwrap();
            let index = reopen(&directory);
            let searcher = index.searcher().unwrap();
            let total: usize = segments.iter().map(|(_, vectors)| vectors.len()).sum();
            assert_eq!(searcher.len(), total as u64);
            for segment in inspect(&searcher).unwrap()["segments"].as_array().unwrap() {
                let field = &segment["fields"]["v"];
                if quantization == Quantization::Int8 {
                    let quantile = |i: usize| field["quantiles"][i].as_f64().expect("a number") as f32;
                    let (lower, upper) = (quantile(0), quantile(1));
                    assert!(lower < upper && lower.is_finite() && upper.is_finite(), "{field}");
                }
            }
            for query in [[0.5, 0.5, 0.5, 0.5], [0.0; 4], [-3.4e38, 1e-45, 3.4e38, 1.0]] {
                for knn in
                    [Knn::new("v", query), Knn::new("v", query).exact(), Knn::new("v", query).rescore(1.0)]
                {
                    let hits = searcher.search(knn.k(total)).unwrap();
                    assert_eq!(hits.hits.len(), total);
                    assert!(hits.hits.iter().all(|hit| hit.score.is_finite() && hit.score >= 0.0));
                    assert!(hits.hits.iter().all(|hit| hit.distance.unwrap().is_finite()));
                }
            }
            let directory = Arc::new(directory);
            let report =
                lucerne::admin::check_in(IndexBuilder::new(), directory, &Cancel::new(), &()).unwrap();
            assert!(report.ok(), "{similarity}: {:?}", report.problems);
        }
    }
}

#[test]
fn ac_35_defaults_hold_and_are_shown() {
    let (_, index) = in_memory(vectors_of(4, Similarity::Cosine));
    add_all(&index, WriterOptions::new(), rows(&random(30, 4, 35)));
    let searcher = index.searcher().unwrap();
    let facts = inspect(&searcher).unwrap();
    let field = &facts["segments"][0]["fields"]["v"];
    assert_eq!((&field["m"], &field["beam_width"]), (&16.into(), &100.into()), "{field}");
    assert_eq!(facts["defaults"]["k"], 10, "{facts}");
    assert_eq!(searcher.search(Knn::new("v", [1.0; 4])).unwrap().hits.len(), 10);

    // And what is set is shown instead.
    let (_, index) = in_memory(one_field(Vector::f32(4).m(10).beam_width(40)));
    add_all(&index, WriterOptions::new(), rows(&random(30, 4, 35)));
    let facts = inspect(&index.searcher().unwrap()).unwrap();
    let field = &facts["segments"][0]["fields"]["v"];
    assert_eq!((&field["m"], &field["beam_width"]), (&10.into(), &40.into()), "{field}");
}

#[test]
fn ac_40_knn_returns_k_hits_sorted_by_the_metric_with_ties_by_key() {
    // Each vector three times, in another order than the keys'.
    let mut all = Vectors::new();
    for (i, vector) in random(20, 6, 40).into_values().enumerate() {
        for (copy, letter) in ["c", "a", "b"].into_iter().enumerate() {
            all.insert(format!("{letter}{:02}", (i * 7 + copy * 3) % 20), vector.clone());
        }
    }
    assert_eq!(all.len(), 60);
    let query = normalized(&Rng::new(4).vector(6));
    for similarity in Similarity::FLOAT {
        for (index_kind, quantization) in FORMATS {
            let vector = Vector::f32(6).similarity(similarity).index(index_kind).quantization(quantization);
            for flush_docs in [1, 7, 100] {
                let (_, index) = in_memory(one_field(vector.clone()));
                add_all(&index, small_segments(flush_docs), rows(&all));
                let searcher = index.searcher().unwrap();
                for k in [1, 2, 3, 10, 59, 60, 61] {
                    let knn = Knn::new("v", query.clone()).k(k);
                    for knn in [knn.clone().exact(), knn.clone().rescore(60.0)] {
                        let hits = searcher.search(&knn).unwrap();
                        oracle::assert_exact(&hits, similarity, &query, rows(&all), k);
                    }
                    let hits = searcher.search(&knn).unwrap();
                    assert_eq!(hits.hits.len(), k.min(60));
                    let order = |hit: &lucerne::Hit| (hit.distance.unwrap(), hit.key.clone());
                    assert!(hits.hits.is_sorted_by(|left, right| order(left) < order(right)));
                    assert!(hits.hits.is_sorted_by(|left, right| left.score >= right.score));
                }
                for length in [0, 5, 7] {
                    let error = searcher.search(Knn::new("v", vec![0.5; length])).unwrap_err();
                    let expected =
                        ValueProblem::WrongDimension { field: "v".into(), expected: 6, given: length };
                    assert!(
                        matches!(&error, Error::QueryVector { problem } if *problem == expected),
                        "{error}"
                    );
                }
            }
        }
    }
}

#[test]
fn ac_45_exact_search_is_the_oracle_on_any_field_at_any_time() {
    // Against numbers computed elsewhere in double precision.
    let vector =
        |i: usize| (0..8).map(|j| ((i * 7 + j * 13) % 31) as f32 / 8.0 - 15.0 / 8.0).collect::<Vec<_>>();
    let query: Vec<f32> = (0..8).map(|j| ((j * 5) % 11) as f32 / 4.0 - 5.0 / 4.0).collect();
    let all: Vectors = (0..12).map(|i| (format!("d{i:02}"), vector(i))).collect();
    let expected = [
        (Similarity::Euclidean, [1.578_125, 8.5, 8.562_5, 9.25, 9.5]),
        (
            Similarity::Cosine,
            [
                0.038_051_786_441_6,
                0.440_639_917_339_9,
                0.444_445_087_970_3,
                0.603_197_541_107,
                0.611_352_361_745,
            ],
        ),
        (Similarity::MaxInnerProduct, [-7.593_75, -4.593_75, -4.562_5, -2.875, -2.843_75]),
    ];
    for (similarity, distances) in expected {
        for (index_kind, quantization) in FORMATS {
            let vector = Vector::f32(8).similarity(similarity).index(index_kind).quantization(quantization);
            let (_, index) = in_memory(one_field(vector));
            add_all(&index, small_segments(5), rows(&all));
            let searcher = index.searcher().unwrap();
            let hits = searcher.search(Knn::new("v", query.clone()).k(5).exact()).unwrap();
            assert_eq!(hits.keys(), ["d05", "d09", "d00", "d10", "d01"], "{similarity}");
            for (hit, distance) in hits.hits.iter().zip(distances) {
                assert!(
                    (f64::from(hit.distance.unwrap()) / distance - 1.0).abs() < 1e-5,
                    "{similarity}: {hit:?}"
                );
            }
            assert!(hits.exact);
        }
    }
    // Against the sample's truth, which was computed elsewhere, too.
    let (_, index) = in_memory(npy::sample_schema());
    let writer = index.writer_with(small_segments(1_000)).unwrap();
    let documents = npy::sample_documents();
    documents.iter().for_each(|document| drop(writer.add(document).unwrap()));
    writer.commit().unwrap();
    let searcher = index.searcher().unwrap();
    let truth = npy::read_truth("truth.cosine.ibin");
    let embeddings = npy::read_f16_rows("packages.f16.npy");
    for (query, truth) in npy::read_f16_rows("queries.f16.npy").iter().zip(&truth) {
        let hits =
            searcher.search(Knn::new("embedding", query.clone()).k(100).exact().fields(["row"])).unwrap();
        let row = |hit: &lucerne::Hit| hit.fields.as_ref().unwrap()["row"].as_u64().unwrap() as usize;
        assert_eq!(hits.hits.len(), truth.len());
        for (hit, &expected) in hits.hits.iter().zip(truth) {
            let of_row = |row: usize| oracle::distance(Similarity::Cosine, query, &embeddings[row]);
            // Another row only where single precision cannot tell the two apart.
            assert!((of_row(row(hit)) - of_row(expected)).abs() < 3e-7, "{hit:?}, expected row {expected}");
            assert!((f64::from(hit.distance.unwrap()) / of_row(row(hit)) - 1.0).abs() < 1e-5, "{hit:?}");
        }
    }
}

#[test]
fn ac_46_scaling_a_vector_by_ten_does_what_each_metric_says() {
    let table: [(&str, [f32; 3]); 6] = [
        ("query's double", [2.0, 4.0, 6.0]),
        ("near", [1.0, 2.0, 2.5]),
        ("orthogonal", [3.0, 0.0, -1.0]),
        ("opposite", [-1.0, -2.0, -3.0]),
        ("far", [8.0, -6.0, 1.0]),
        ("zero", [0.0, 0.0, 0.0]),
    ];
    let query = [1.0, 2.0, 3.0];
    let distances = |similarity: Similarity, scale: f32| -> BTreeMap<String, f32> {
        let (_, index) = in_memory(vectors_of(3, similarity));
        let writer = index.writer().unwrap();
        for (key, vector) in table {
            writer.add(&document(key, vector.map(|x| x * scale))).unwrap();
        }
        writer.commit().unwrap();
        let hits = index.searcher().unwrap().search(Knn::new("v", query).exact()).unwrap();
        assert!(hits.hits.is_sorted_by(|left, right| left.distance.unwrap() <= right.distance.unwrap()));
        hits.hits.into_iter().map(|hit| (hit.key, hit.distance.unwrap())).collect()
    };
    let cosine = distances(Similarity::Cosine, 1.0);
    let dot = distances(Similarity::MaxInnerProduct, 1.0);
    let squared = distances(Similarity::Euclidean, 1.0);
    assert!(cosine["query's double"].abs() < 1e-6 && (cosine["opposite"] - 2.0).abs() < 1e-6);
    assert_eq!((cosine["orthogonal"], cosine["zero"]), (1.0, 1.0));
    let expected = [("query's double", -28.0), ("near", -12.5), ("orthogonal", 0.0), ("opposite", 14.0)];
    expected.iter().for_each(|(key, distance)| assert_eq!(dot[*key], *distance, "{key}"));
    let expected = [("query's double", 14.0), ("near", 0.25), ("orthogonal", 24.0), ("opposite", 56.0)];
    expected.iter().for_each(|(key, distance)| assert_eq!(squared[*key], *distance, "{key}"));

    for (key, distance) in distances(Similarity::Cosine, 10.0) {
        assert!((distance - cosine[&key]).abs() < 1e-6, "{key}: the cosine does not see lengths");
    }
    for (key, distance) in distances(Similarity::MaxInnerProduct, 10.0) {
        assert_eq!(distance, dot[&key] * 10.0, "{key}: the inner product grows with the length");
    }
    for (key, distance) in distances(Similarity::Euclidean, 10.0) {
        assert_eq!(distance == squared[&key], key == "zero", "{key}: distances change with lengths");
    }
    // The unit-vector metric agrees with the inner product on unit vectors.
    let (_, index) = in_memory(vectors_of(3, Similarity::DotProduct));
    let writer = index.writer().unwrap();
    for (key, vector) in table.iter().take(5) {
        writer.add(&document(*key, normalized(vector))).unwrap();
    }
    writer.commit().unwrap();
    let hits = index.searcher().unwrap().search(Knn::new("v", normalized(&query)).exact()).unwrap();
    for hit in hits.hits {
        assert!((hit.distance.unwrap() - (cosine[&hit.key] - 1.0)).abs() < 1e-6, "{hit:?}");
    }
}
