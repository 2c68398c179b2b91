//! Vectors in half precision: rounded once, on the way in; everything afterwards is done with what they were rounded to.

use crate::common::brute_force::assert_exact;
use crate::common::documents::{FORMATS, document, in_memory, normalized, one_field, reopen, small_segments};
use crate::common::rng::Rng;
use lucerne::codec::{Cancel, Directory, half};
use lucerne::directory::RamDirectory;
use lucerne::error::ValueProblem;
use lucerne::index::IndexBuilder;
use lucerne::schema::{Quantization, VectorIndex};
use lucerne::{
    Document, Error, ErrorKind, Index, Knn, Query, Rerank, Schema, Search, Similarity, Update, Value, Vector,
    WriterOptions, admin,
};
use std::collections::BTreeMap;
use std::sync::Arc;

fn rounded(vector: &[f32]) -> Vec<f32> {
    vector.iter().map(|&component| half::to_f32(half::from_f32(component))).collect()
}

fn check(directory: &RamDirectory) {
    let directory = Arc::new(directory.clone());
    let report = admin::check_in(IndexBuilder::new(), directory, &Cancel::new(), &()).unwrap();
    assert!(report.ok(), "{:?}", report.problems);
}

/// Bytes of files by extension.
fn bytes(directory: &RamDirectory, extension: &str) -> u64 {
    let names = directory.list().unwrap().into_iter().filter(|name| name.ends_with(extension));
    names.map(|name| directory.open(&name).unwrap().len() as u64).sum()
}

/// A vector that single precision holds and half precision does not. Rounded, it is not longer than 1 where that is the
/// length of all: reported dot products end at 1.
fn vector(similarity: Similarity, dimension: usize, rng: &mut Rng) -> Vec<f32> {
    let vector = rng.vector(dimension);
    match similarity {
        Similarity::DotProduct => normalized(&vector).into_iter().map(|x| x * 0.9995).collect(),
        _ => vector.into_iter().map(|component| component * 100.0).collect(),
    }
}

#[test]
fn exact_searches_equal_an_evaluation_of_the_rounded_vectors_over_flushes_updates_and_merges() {
    let shapes = [(1, 30), (2, 30), (33, 60), (4_096, 12)];
    let mut rng = Rng::new(16);
    for (at, similarity) in Similarity::FLOAT.into_iter().enumerate() {
        for (number, (dimension, count)) in shapes.into_iter().enumerate() {
            let (index, quantization) = FORMATS[(at + number) % 4];
            let field = Vector::f16(dimension).similarity(similarity).index(index).quantization(quantization);
            let field =
                if index == VectorIndex::Hnsw { field.advanced("graph_threshold", 10) } else { field };
            let schema = Schema::builder().key("id").i64("n").vector("v", field).build().unwrap();
            let (directory, index) = in_memory(schema);
            let writer = index.writer_with(small_segments(count / 3)).unwrap();
            let mut model: BTreeMap<String, Vec<f32>> = BTreeMap::new();
            for key in 0..count {
                let given = vector(similarity, dimension, &mut rng);
                writer.add(&document(format!("{key:02}"), given.clone()).with("n", 1)).unwrap();
                assert!(dimension == 1 || rounded(&given) != given);
                model.insert(format!("{key:02}"), rounded(&given));
            }
            let verify = |model: &BTreeMap<String, Vec<f32>>, rng: &mut Rng| {
                let searcher = index.searcher().unwrap();
                assert_eq!(searcher.len(), model.len() as u64);
                for (key, kept) in model {
                    assert_eq!(searcher.vector(key, "v").unwrap().as_ref(), Some(kept), "{key}");
                }
                let rows = || model.iter().map(|(key, vector)| (&**key, &vector[..]));
                // Queries are not rounded.
                let mut queries = vec![vector(similarity, dimension, rng)];
                queries.extend(model.values().next().cloned());
                for query in queries {
                    let knn = Knn::new("v", query.clone()).k(10);
                    let hits = searcher.search(knn.clone().exact()).unwrap();
                    assert_exact(&hits, similarity, &query, rows(), 10);
                    let all = knn.candidates(model.len()).rescore(model.len() as f32 / 10.0 + 1.0);
                    assert_exact(&searcher.search(all).unwrap(), similarity, &query, rows(), 10);
                }
            };
            writer.update("03", Update::new().set("n", 2)).unwrap();
            writer.commit().unwrap();
            verify(&model, &mut rng);
            for key in ["01", "07"] {
                writer.delete(key).unwrap();
                model.remove(key);
            }
            writer.update("05", Update::new().set("n", 2)).unwrap();
            writer.update_by_query(Query::all(), Update::new().set("n", 7)).unwrap();
            writer.commit().unwrap();
            verify(&model, &mut rng);
            for _ in 0..2 {
                writer.force_merge(1, &Cancel::new()).unwrap();
                writer.commit().unwrap();
                verify(&model, &mut rng);
                writer.upsert(&document("02", model["02"].clone()).with("n", 1)).unwrap();
                writer.commit().unwrap();
            }
            writer.close().unwrap();
            assert_eq!(reopen(&directory).searcher().unwrap().len(), model.len() as u64);
            check(&directory);
        }
    }
}

/// Documents of several unit vectors; `field` is given what it has to keep.
fn filled(field: Vector, count: usize) -> (RamDirectory, Index) {
    let (directory, index) = in_memory(one_field(field.multiple()));
    let writer = index.writer_with(small_segments(count as u32 / 2)).unwrap();
    let mut rng = Rng::new(5);
    for key in 0..count {
        let vectors: Vec<Value> =
            (0..1 + key % 3).map(|_| Value::from(rounded(&normalized(&rng.vector(40))))).collect();
        writer.add(&Document::new().with("id", format!("{key:03}")).with("v", vectors)).unwrap();
    }
    writer.close().unwrap();
    (directory, index)
}

#[test]
fn a_field_of_halves_answers_as_a_field_of_the_numbers_that_they_are() {
    for similarity in Similarity::FLOAT {
        for field in [
            Vector::f32(40).advanced("graph_threshold", 100).m(6),
            Vector::f32(40).quantization(Quantization::None).advanced("graph_threshold", 100).m(6),
            Vector::f32(40).flat(),
            Vector::f32(40).flat().quantization(Quantization::None),
            Vector::f32(40).sign_hash(true).advanced("graph_threshold", 100),
            Vector::f32(40).keep_raw(false),
        ] {
            let field = field.similarity(similarity);
            let half = field.clone().param("datatype", "float16");
            let (single, single_index) = filled(field, 400);
            let (halved, halved_index) = filled(half, 400);
            let (ours, theirs) = (halved_index.searcher().unwrap(), single_index.searcher().unwrap());
            for seed in 0..10 {
                let query = || normalized(&Rng::new(seed).vector(40));
                let near = || Knn::new("v", query()).k(10);
                let tokens = [query(), rounded(&query())];
                let mut searches: Vec<Search> = vec![
                    near().into(),
                    near().candidates(30).into(),
                    Search::new(near()).rerank(Rerank::max_sim("v", tokens)),
                ];
                if similarity != Similarity::MaxInnerProduct {
                    searches.push(Search::new(near()).rerank(Rerank::mmr("v", 0.5)));
                }
                if theirs.schema().vector_field_named("v").unwrap().options().keeps_raw() {
                    searches.push(near().exact().into());
                    searches.push(near().rescore(2.0).into());
                    searches.push(theirs.recommend("v", &["003", "004"], &["007"]).unwrap().into());
                }
                for search in searches {
                    let (own, other) = (ours.search(&search).unwrap(), theirs.search(&search).unwrap());
                    assert_eq!(own.hits, other.hits, "{similarity} {search:?}");
                }
            }
            assert_eq!(
                ours.decoded_vectors("005", "v").unwrap(),
                theirs.decoded_vectors("005", "v").unwrap()
            );
            assert_eq!(bytes(&halved, ".sq8"), bytes(&single, ".sq8"));
            let raw = |directory: &RamDirectory| bytes(directory, ".vec").saturating_sub(2 * 80);
            assert_eq!(2 * raw(&halved), raw(&single));
            let document = ours.get("001").unwrap().unwrap().to_json();
            assert_eq!(document, theirs.get("001").unwrap().unwrap().to_json());
            check(&halved);
        }
    }
}

#[test]
fn what_half_precision_does_not_reach_is_refused_by_name_and_leaves_nothing() {
    let (_, index) = in_memory(one_field(Vector::f16(2)));
    let writer = index.writer().unwrap();
    writer.add(&document("good", [65_519.9, -6e-8])).unwrap();
    let error = writer.upsert(&document("bad", [1.0, 65_520.0])).unwrap_err();
    let Error::Document { key, problem } = &error else { panic!("{error}") };
    assert_eq!(key.as_deref(), Some("bad"));
    assert_eq!(*problem, ValueProblem::BeyondFloat16 { field: "v".to_owned(), position: 1, value: 65_520.0 });
    assert!(error.to_string().contains("\"bad\"") && error.to_string().contains("65520"), "{error}");
    let error = writer.update("good", Update::new().set("v", vec![1e9_f32, 0.0])).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Usage, "{error}");
    writer.commit().unwrap();
    let searcher = index.searcher().unwrap();
    assert_eq!(searcher.len(), 1);
    assert_eq!(searcher.vector("good", "v").unwrap(), Some(vec![65_504.0, -(2f32.powi(-24))]));
}

#[test]
fn the_datatype_of_a_field_stays_and_indexes_of_another_are_not_added() {
    let fields = [Vector::f32(40), Vector::f16(40)];
    for (own, other) in [(0, 1), (1, 0)] {
        let (_, index) = filled(fields[own].clone(), 20);
        let writer = index.writer().unwrap();
        let error = writer.set_schema(&one_field(fields[other].clone().multiple())).unwrap_err();
        let (text, names) = (error.to_string(), ["float32", "float16"]);
        assert!(text.contains(&format!("its datatype is {}, given {}", names[own], names[other])), "{text}");
        assert!(text.contains("add another field"), "{text}");
        drop(writer);
        let folder = tempfile::tempdir().unwrap();
        let theirs = Index::create(folder.path(), one_field(fields[other].clone().multiple())).unwrap();
        theirs.writer().unwrap().close().unwrap();
        let error = index.add_indexes(&[folder.path()], &Cancel::new()).unwrap_err().to_string();
        assert!(error.contains("another schema"), "{error}");
    }
}

#[test]
fn raw_halves_can_be_dropped_and_updates_go_on() {
    let (directory, index) =
        in_memory(Schema::builder().key("id").text("t").vector("v", Vector::f16(48)).build().unwrap());
    let writer = index.writer_with(small_segments(150)).unwrap();
    let mut rng = Rng::new(3);
    for key in 0..300 {
        writer.add(&document(key.to_string(), rng.vector(48)).with("t", "one")).unwrap();
    }
    writer.commit().unwrap();
    let loss = admin::raw_loss(&index, "v", &Cancel::new(), &()).unwrap();
    assert_eq!(loss.bytes, 300 * 48 * 2 + 2 * 80);
    let dropped = writer.drop_raw("v").unwrap();
    assert_eq!((dropped.segments, dropped.bytes), (2, loss.bytes));
    writer.commit().unwrap();
    let first = index.searcher().unwrap().decoded_vector("0", "v").unwrap().unwrap();
    for round in 0..5 {
        writer.update("0", Document::new().with("t", format!("round {round}"))).unwrap();
        writer.commit().unwrap();
        writer.force_merge(1, &Cancel::new()).unwrap();
        writer.commit().unwrap();
    }
    let searcher = index.searcher().unwrap();
    assert!(matches!(searcher.vector("0", "v"), Err(Error::NoRawVectors { .. })));
    let last = searcher.decoded_vector("0", "v").unwrap().unwrap();
    let apart = first.iter().zip(&last).map(|(x, y)| (x - y).abs()).fold(0.0, f32::max);
    assert!(apart < 0.004, "five updates moved it by {apart}");
    assert_eq!(searcher.search(Knn::new("v", first).k(1)).unwrap().keys(), ["0"]);
    assert_eq!(bytes(&directory, ".vec"), 0);
    check(&directory);
}

#[test]
fn what_codes_of_the_largest_halves_stand_for_can_be_given_again() {
    let field = Vector::f16(16).similarity(Similarity::Euclidean).keep_raw(false);
    let (_, index) = in_memory(Schema::builder().key("id").i64("n").vector("v", field).build().unwrap());
    let writer = index.writer().unwrap();
    let mut rng = Rng::new(4);
    for key in 0..200 {
        let vector: Vec<f32> =
            rng.vector(16).into_iter().map(|x| (x * 1e6).clamp(-65_504.0, 65_504.0)).collect();
        writer.add(&document(key.to_string(), vector).with("n", 1)).unwrap();
    }
    writer.commit().unwrap();
    let report = writer.update_by_query(Query::all(), Update::new().set("n", 2)).unwrap();
    assert_eq!((report.changed, report.skipped), (200, 0));
}

#[test]
fn a_backup_and_a_report_have_them() {
    let (_, index) = filled(Vector::f16(40), 60);
    let folder = tempfile::tempdir().unwrap();
    index.backup_to(folder.path().join("backup")).unwrap();
    let backup = Index::open(folder.path().join("backup")).unwrap();
    let (own, copied) = (index.searcher().unwrap(), backup.searcher().unwrap());
    assert_eq!(copied.vectors("005", "v").unwrap(), own.vectors("005", "v").unwrap());
    let report = admin::inspect(&copied).unwrap();
    let field = &report["segments"][0]["fields"]["v"];
    assert_eq!(field["datatype"], "float16");
    assert_eq!(report["schema"]["fields"][0]["datatype"], "float16");
    let json = copied.schema().to_json();
    assert_eq!(Schema::from_value(&json).unwrap(), *copied.schema());
}

#[test]
fn a_datatype_is_one_of_two_and_of_float_vectors() {
    let schema = |field: Vector| Schema::builder().vector("v", field).build();
    assert_eq!(schema(Vector::f32(4)).unwrap(), schema(Vector::f32(4).param("datatype", "float32")).unwrap());
    assert_eq!(schema(Vector::f16(4)).unwrap(), schema(Vector::f32(4).param("datatype", "float16")).unwrap());
    assert!(schema(Vector::f16(4)).unwrap().vector_field_named("v").unwrap().options().is_f16());
    for (field, expected) in [
        (Vector::f32(4).param("datatype", "f16"), "datatype is \"f16\", expected one of float32, float16"),
        (Vector::f32(4).param("datatype", 16), "datatype is 16"),
        (Vector::bits(8).param("datatype", "float16"), "datatype is for float vectors"),
    ] {
        let error = schema(field).unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
    }
}

#[test]
fn an_estimate_counts_two_bytes_a_component() {
    let raw = |field: Vector| {
        let estimate = admin::estimate(&one_field(field), &[], 10_000, &WriterOptions::new()).unwrap();
        (estimate.files["vec"] as f64, estimate.files["sq8"])
    };
    let (single, half) = (raw(Vector::f32(64)), raw(Vector::f16(64)));
    assert!((single.0 / 2_560_000.0 - 1.0).abs() < 0.05 && (half.0 / 1_280_000.0 - 1.0).abs() < 0.05);
    assert_eq!(single.1, half.1, "codes are as many");
}
