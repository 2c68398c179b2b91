//! What a vector field and a key take, keep and return.

use crate::common::documents::{
    FORMATS, add_all, document, in_memory, one_field, reopen, rows, small_segments, vectors_of,
};
use lucerne::admin::inspect;
use lucerne::error::ValueProblem;
use lucerne::schema::Field;
use lucerne::{Document, Error, ErrorKind, Index, Knn, Schema, Similarity, Value, Vector, WriterOptions};
use std::collections::BTreeMap;

#[test]
fn a_vector_of_another_length_is_refused_and_nothing_of_its_batch_is_written() {
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
fn a_metric_is_named_in_a_string_or_takes_the_documented_default() {
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
fn dot_product_takes_unit_vectors_only_or_normalizes_on_request() {
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
fn cosine_keeps_the_original_vector_bit_for_bit() {
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
fn a_field_not_indexed_says_so_and_one_not_stored_is_not_returned() {
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
fn automatic_keys_are_strings_that_are_unique_grow_and_are_returned() {
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
