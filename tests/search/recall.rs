//! Recall that is asked for, in an index that lives: flushes, upserts, deletes, merges, filters, calibration.

use crate::common::brute_force;
use crate::common::documents::{document, in_memory, one_field, small_segments};
use lucerne::{Cancel, Document, ErrorKind, Index, Knn, Range, Schema, Searcher, Vector, admin};

const DIMENSION: usize = 16;

/// A vector that a number decides, around one of thirty centers.
fn vector(number: u64) -> Vec<f32> {
    let mut state = number.wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ 0xABCD;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 40) as f32 / (1u64 << 24) as f32 - 0.5
    };
    next();
    let center = (number % 30) as f32;
    (0..DIMENSION).map(|at| (center * (at as f32 + 1.3)).sin() + 0.8 * next()).collect()
}

fn queries(count: u64) -> Vec<Vec<f32>> {
    (0..count).map(|number| vector(1_000_000 + number)).collect()
}

fn reached(searcher: &Searcher, queries: &[Vec<f32>], how: impl Fn(Knn) -> Knn) -> f64 {
    let mut sum = 0.0;
    for query in queries {
        let knn = how(Knn::new("v", query.clone()));
        let exact = searcher.search(knn.clone().exact()).unwrap();
        let exact: Vec<&str> = exact.keys();
        sum += brute_force::recall(&searcher.search(knn).unwrap(), &exact);
    }
    sum / queries.len() as f64
}

fn schema() -> Schema {
    let vector = Vector::f32(DIMENSION).advanced("graph_threshold", 500);
    Schema::builder().key("id").i64("part").vector("v", vector).build().unwrap()
}

fn row(key: u64, version: u64) -> Document {
    let part = (key * 7919 % 1000) as i64;
    Document::new()
        .with("id", format!("{key:06}"))
        .with("part", part)
        .with("v", vector(key + 100_000 * version))
}

#[test]
fn what_is_asked_for_is_reached_through_upserts_deletes_merges_and_filters() {
    let (_, index) = in_memory(schema());
    let writer = index.writer_with(small_segments(3_000)).unwrap();
    let queries = queries(120);
    (0..9_000).for_each(|key| drop(writer.upsert(&row(key, 0)).unwrap()));
    for round in 1..=6u64 {
        for key in (round * 37..9_000).step_by(23) {
            writer.upsert(&row(key, round)).unwrap();
        }
        for key in (round * 11..9_000).step_by(61) {
            writer.delete(&format!("{key:06}")).unwrap();
        }
        if round % 3 == 0 {
            writer.force_merge(1, &Cancel::new()).unwrap();
        }
        writer.commit().unwrap();
        let found = reached(&index.searcher().unwrap(), &queries, |knn| knn);
        assert!(found >= 0.94, "round {round}: {found:.3}");
    }
    let searcher = index.searcher().unwrap();
    for asked in [0.9, 0.98] {
        let found = reached(&searcher, &queries, |knn| knn.recall(asked));
        assert!(found >= f64::from(asked) - 0.01, "asked {asked}, found {found:.3}");
    }
    for below in [500, 100, 30, 10, 1] {
        let found = reached(&searcher, &queries, |knn| knn.recall(0.95).filter(Range::new("part").lt(below)));
        assert!(found >= 0.94, "{below} of 1,000 kept: {found:.3}");
    }
}

#[test]
fn a_recall_out_of_range_or_beside_candidates_is_refused() {
    let (_, index) = in_memory(one_field(Vector::f32(2)));
    let searcher = index.searcher().unwrap();
    let refused = |knn: Knn| searcher.search(knn).unwrap_err();
    let query = || Knn::new("v", [0.0, 1.0]);
    for recall in [0.0, -0.5, 1.01, f32::NAN, f32::INFINITY] {
        let error = refused(query().recall(recall));
        assert_eq!(error.kind(), ErrorKind::Usage);
        assert!(error.to_string().contains("expected a share above 0 and up to 1"), "{error}");
    }
    for knn in [query().recall(0.9).candidates(50), query().recall(0.9).nprobe(3)] {
        let error = refused(knn);
        assert_eq!(error.kind(), ErrorKind::Usage);
        assert!(error.to_string().contains("leave one of them out"), "{error}");
    }
    for recall in [0.0, 1.5, f32::NAN] {
        assert!(Schema::builder().vector("v", Vector::f32(2).recall(recall)).build().is_err(), "{recall}");
    }
    let parsed: Knn = serde_json::from_str(r#"{"field": "v", "vector": [0, 1], "recall": 0.9}"#).unwrap();
    assert_eq!(parsed, query().recall(0.9));
}

#[test]
fn a_field_has_a_default_and_one_means_exact() {
    let vector = |recall| Vector::f32(DIMENSION).advanced("graph_threshold", 0).recall(recall);
    let schema = one_field(vector(0.6));
    assert_eq!(Schema::from_json(&schema.to_json().to_string()).unwrap(), schema);
    let (_, index) = in_memory(schema);
    let writer = index.writer().unwrap();
    (0..3_000)
        .for_each(|key| drop(writer.add(&document(format!("{key}"), crate::recall::vector(key))).unwrap()));
    writer.commit().unwrap();
    let query = || Knn::new("v", crate::recall::vector(7_000_001));
    let searcher = index.searcher().unwrap();
    let candidates = |knn: Knn| searcher.candidates(&knn).unwrap();
    assert_eq!(candidates(query()), candidates(query().recall(0.6)));
    assert!(candidates(query()) < candidates(query().recall(0.99)));
    assert_eq!(candidates(query().recall(1.0)), None);
    let exact = searcher.search(query().recall(1.0)).unwrap();
    assert_eq!((exact.exact, exact.segments[0].strategy), (true, "scan raw"));
    writer.set_schema(&one_field(vector(0.99))).unwrap();
    writer.commit().unwrap();
    let later = index.searcher().unwrap();
    assert_eq!(later.candidates(&query()).unwrap(), candidates(query().recall(0.99)));
}

/// Queries that lie nowhere near the documents.
fn elsewhere(count: u64) -> Vec<Vec<f32>> {
    (0..count)
        .map(|number| vector(2_000_000 + number).iter().rev().map(|it| it * it * 3.0 - 1.0).collect())
        .collect()
}

#[test]
fn a_calibration_reaches_what_is_asked_for_and_survives_merges() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("index");
    let index = Index::create(&path, schema()).unwrap();
    let writer = index.writer_with(small_segments(3_000)).unwrap();
    (0..6_000).for_each(|key| drop(writer.upsert(&row(key, 0)).unwrap()));
    writer.force_merge(1, &Cancel::new()).unwrap();
    writer.commit().unwrap();
    let queries = elsewhere(200);
    let found = admin::calibrate(&index.searcher().unwrap(), "v", &queries, 10, &Cancel::new(), &()).unwrap();
    assert!(found.points.iter().all(|point| point.reached >= point.recall), "{found:?}");
    writer.set_calibration("v", Some(found.clone())).unwrap();
    writer.commit().unwrap();
    let kept = |index: &Index| {
        let schema = index.searcher().unwrap().schema().clone();
        schema.vector_field_named("v").unwrap().options().calibration().cloned()
    };
    assert_eq!(kept(&index), Some(found.clone()));
    (6_000..8_000).for_each(|key| drop(writer.upsert(&row(key, 0)).unwrap()));
    writer.force_merge(1, &Cancel::new()).unwrap();
    // A schema that says nothing of it leaves it as it is.
    writer.set_schema(&schema()).unwrap();
    writer.commit().unwrap();
    drop(writer);
    let index = Index::open(&path).unwrap();
    assert_eq!(kept(&index), Some(found));
    let reached = reached(&index.searcher().unwrap(), &queries, |knn| knn.recall(0.95));
    assert!(reached >= 0.92, "{reached:.3}");
    let writer = index.writer().unwrap();
    writer.set_calibration("v", None).unwrap();
    writer.commit().unwrap();
    assert_eq!(kept(&index), None);
    let few = admin::calibrate(&index.searcher().unwrap(), "v", &queries[..3], 10, &Cancel::new(), &());
    assert!(few.unwrap_err().to_string().contains("3 queries, expected 10 or more"));
}
