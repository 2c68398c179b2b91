//! What merges of int8 segments decide and keep: the worked example, drift, centers, other formats.

use crate::common::{Segment, built_in, field, format, merge, outcomes, recall, search};
use lucerne_codec::testing::random_rows;
use lucerne_codec::vector::{Effort, VectorFormat};
use lucerne_codec::{Component, DocMap, MergeInput, Similarity};
use lucerne_formats::encoding::sq8::{Sq8, Sq8Vectors};
use lucerne_formats::vectors::{IndexKind, VectorFieldFormat};
use std::sync::Arc;

fn forced(lower: f32, upper: f32) -> Arc<dyn VectorFormat> {
    let encoding = Arc::new(Sq8::with_quantiles(lower, upper));
    Arc::new(VectorFieldFormat::new("hnsw_sq8", Component::F32, IndexKind::Hnsw, encoding))
}

fn example(params: &str) -> (Vec<Segment>, lucerne_codec::FieldInfo) {
    let field = field(12, Similarity::Euclidean, params);
    let mut segments: Vec<Segment> = Vec::new();
    for (seed, (lower, upper, count)) in
        (1..).zip([(-0.75, 0.86, 1000), (-0.76, 0.84, 1000), (-0.70, 0.81, 100)])
    {
        let previous = segments.last().map(Segment::open);
        let rows = random_rows(count, 12, seed);
        segments.push(Segment::flush_after(forced(lower, upper), &field, &rows, previous.as_deref()));
    }
    (segments, field)
}

fn merged_quantiles(report: &lucerne_codec::Report) -> (f64, f64) {
    let value = |index: usize| report["quantiles"][index].as_f64().unwrap();
    (value(0), value(1))
}

#[test]
fn the_worked_example_keeps_two_and_requantizes_one() {
    let (segments, field) = example(r#"{"advanced": {"graph_threshold": 0}}"#);
    let sources: Vec<&Segment> = segments.iter().collect();
    let (merged, plan, report) = merge(format("hnsw_sq8"), &field, &sources);
    for report in [&plan, &report] {
        let (lower, upper) = merged_quantiles(report);
        assert!((lower + 0.752381).abs() < 1e-6 && (upper - 0.848095).abs() < 1e-6, "{report}");
        assert_eq!(outcomes(report), ["kept", "kept", "requantized"]);
    }
    assert_eq!(report["vectors_requantized"], 100);
    assert_eq!(report["sources"][2]["vectors_requantized"], 100);
    let new = merged.open();
    let mut start = 0;
    for (segment, same) in segments.iter().zip([true, true, false]) {
        let old = segment.open();
        let codes = |reader: &dyn lucerne_codec::vector::VectorReader, doc| {
            let ordinal = reader.ordinal(doc).unwrap().unwrap();
            let file = built_in(reader).encoded::<Sq8Vectors>().unwrap().codes();
            let correction = file.rows().correction(ordinal as usize);
            (file.codes(ordinal).unwrap().to_vec(), correction)
        };
        let equal = (0..segment.docs).all(|doc| codes(&*old, doc) == codes(&*new, start + doc));
        assert_eq!(equal, same);
        start += segment.docs;
    }
}

#[test]
fn the_same_merge_resamples_under_the_thresholds_of_lucene() {
    let (segments, field) = example(r#"{"requantize_above": 0.0015625, "resample_above": 0.03125}"#);
    let sources: Vec<&Segment> = segments.iter().collect();
    let (_, plan, report) = merge(format("hnsw_sq8"), &field, &sources);
    for report in [&plan, &report] {
        assert_eq!(outcomes(report), ["resampled"; 3]);
        assert!((merged_quantiles(report).0 + 0.752381).abs() > 0.1);
        assert_eq!(report["thresholds"]["resample_above"], 0.03125);
    }
    assert_eq!(report["vectors_requantized"], 2_100);
}

/// 16.4 MiB of codes: they are on disk while the graph is made, and then they are gone from there.
#[test]
fn codes_of_a_large_merge_are_kept_and_renewed_all_the_same() {
    let field = field(
        4_096,
        Similarity::Euclidean,
        r#"{"advanced": {"graph_threshold": 0}, "m": 4, "beam_width": 8}"#,
    );
    let rows = |seed| random_rows(2_100, 4_096, seed);
    let old = Segment::flush(forced(-0.1, 0.1), &field, &rows(1));
    let other = Segment::flush_after(forced(-0.11, 0.1), &field, &rows(2), Some(&*old.open()));
    let (merged, _, report) = merge(format("hnsw_sq8"), &field, &[&old, &other]);
    assert!(outcomes(&report).contains(&"requantized"), "{report}");
    let mut written: Vec<_> = merged.written.files.iter().map(|file| file.name.clone()).collect();
    written.sort();
    assert_eq!(merged.directory.files().into_keys().collect::<Vec<_>>(), written);
    assert!(merged.written.files.iter().any(|file| file.len > 16 << 20));
}

/// Every merge moves the quantiles a little; what was kept from the first is measured from what it is.
#[test]
fn small_moves_cannot_add_up_unseen() {
    let field = field(12, Similarity::Euclidean, "{}");
    let mut merged = Segment::flush(forced(-1.0, 1.0), &field, &random_rows(200, 12, 1));
    let mut renewed = 0;
    for step in 1..12 {
        let lower = -1.0 - 0.02 * step as f32;
        let rows = random_rows(200, 12, 1 + step);
        let next = Segment::flush_after(forced(lower, 1.0), &field, &rows, Some(&*merged.open()));
        let (result, _, report) = merge(format("hnsw_sq8"), &field, &[&merged, &next]);
        renewed += report["vectors_requantized"].as_u64().unwrap();
        merged = result;
        let reader = merged.open();
        let meta = built_in(&*reader).encoded::<Sq8Vectors>().unwrap().codes().meta().clone();
        for version in &meta.versions {
            assert!(version.quantiles.drift(meta.quantiles) <= 0.015);
        }
        assert!(meta.versions.len() > 1);
    }
    assert!(renewed > 200, "{renewed}");
}

/// Small differences far from zero.
fn off_center(count: usize, seed: u64) -> Vec<Vec<f32>> {
    let mut rows = random_rows(count, 64, seed);
    for row in &mut rows {
        row.iter_mut().for_each(|value| *value *= 0.05);
        row[3] += 8.0;
        row[17] -= 9.0;
        row[40] += 8.5;
    }
    rows
}

#[test]
fn codes_find_nearest_neighbors_far_from_zero() {
    for similarity in Similarity::FLOAT {
        let field = field(64, similarity, "{}");
        let segment = Segment::flush(format("flat_sq8"), &field, &off_center(3_000, 1));
        let recall = recall(&segment, &off_center(30, 2), 15, 15);
        assert!(recall >= 0.99, "{similarity}: {recall}");
    }
}

#[test]
fn a_center_is_passed_on_and_another_one_gives_way() {
    let field = field(64, Similarity::MaxInnerProduct, "{}");
    let center = |segment: &Segment| segment.open().inspect()["center"].clone();
    let first = Segment::flush(format("hnsw_sq8"), &field, &off_center(900, 1));
    let reader = first.open();
    let second = Segment::flush_after(format("hnsw_sq8"), &field, &off_center(900, 2), Some(&*reader));
    let tiny = Segment::flush_after(format("hnsw_sq8"), &field, &off_center(3, 4), Some(&*reader));
    assert_eq!(center(&first), center(&second));
    assert_eq!(center(&first), center(&tiny));
    let stranger = Segment::flush(format("hnsw_sq8"), &field, &off_center(300, 3));
    assert_ne!(center(&first), center(&stranger));
    let (merged, plan, _) = merge(format("hnsw_sq8"), &field, &[&stranger, &first, &second, &tiny]);
    assert_eq!(outcomes(&plan), ["requantized", "kept", "kept", "requantized"]);
    assert_eq!(center(&merged), center(&first));
}

/// Rows around one place.
fn around(place: f32, count: usize, seed: u64) -> Vec<Vec<f32>> {
    let mut rows = random_rows(count, 24, seed);
    rows.iter_mut().flatten().for_each(|value| *value += place);
    rows
}

#[test]
fn a_center_that_serves_no_more_is_not_passed_on() {
    let field = field(24, Similarity::Euclidean, r#"{"advanced": {"graph_threshold": 0}}"#);
    let flush = |place, count, seed, previous: Option<&Segment>| {
        let previous = previous.map(Segment::open);
        Segment::flush_after(format("hnsw_sq8"), &field, &around(place, count, seed), previous.as_deref())
    };
    let far = flush(100.0, 500, 1, None);
    let here: Vec<Segment> = (2..5).map(|seed| flush(0.0, 400, seed, Some(&far))).collect();
    assert_ne!(far.open().inspect()["center"], here[0].open().inspect()["center"]);
    // The heaviest source is not where most vectors are.
    let sources: Vec<&Segment> = std::iter::once(&far).chain(&here).collect();
    let (merged, plan, _) = merge(format("hnsw_sq8"), &field, &sources);
    assert_eq!(outcomes(&plan), ["resampled"; 4]);
    let all: Vec<Vec<f32>> =
        [around(100.0, 500, 1), around(0.0, 400, 2), around(0.0, 400, 3), around(0.0, 400, 4)].concat();
    let fresh = Segment::flush(format("hnsw_sq8"), &field, &all);
    let queries = around(0.0, 40, 9);
    let (merged, fresh) = (recall(&merged, &queries, 100, 15), recall(&fresh, &queries, 100, 15));
    assert!(merged >= fresh - 0.003 && merged > 0.99, "{merged} {fresh}");
}

#[test]
fn lengths_that_differ_by_orders_of_magnitude_lose_no_neighbors() {
    let scaled = |factor: f32, seed| {
        let mut rows = random_rows(800, 24, seed);
        rows.iter_mut().flatten().for_each(|value| *value *= factor);
        rows
    };
    let field = field(24, Similarity::Euclidean, "{}");
    let (narrow, wide) = (scaled(0.01, 1), scaled(100.0, 2));
    let sources = [&narrow, &wide].map(|rows| Segment::flush(format("flat_sq8"), &field, rows));
    let (merged, ..) = merge(format("flat_sq8"), &field, &[&sources[0], &sources[1]]);
    for queries in [scaled(0.01, 3), scaled(100.0, 4)] {
        let recall = recall(&merged, &queries[..40], 10, 15);
        assert!(recall > 0.97, "{recall}");
    }
}

/// What codes cannot tell apart is ordered by raw vectors, or searched by them.
#[test]
fn vectors_closer_than_a_code_step_are_told_apart() {
    let copies = |copies: usize, noise: f32| {
        let (of, apart) = (random_rows(2_000 / copies, 64, 1), random_rows(2_000, 64, 2));
        let near = |(index, apart): (usize, &Vec<f32>)| -> Vec<f32> {
            of[index / copies].iter().zip(apart).map(|(x, y)| x + noise * y).collect()
        };
        apart.iter().enumerate().map(near).collect::<Vec<_>>()
    };
    for (count, noise, said) in
        [(20, 1e-3, "\"rescored\":20"), (200, 1e-5, "do not tell nearest neighbors apart")]
    {
        let rows = copies(count, noise);
        let segment = Segment::flush(format("flat_sq8"), &field(64, Similarity::Euclidean, "{}"), &rows);
        let report = segment.open().inspect().to_string();
        assert!(report.contains(said), "{report}");
        for (doc, row) in rows.iter().enumerate().step_by(97) {
            let found = search(&*segment.open(), row, 1, Effort::Candidates(100), 2_000);
            assert!(found[0].doc == doc as u32 || found[0].distance == 0.0, "{report}");
        }
    }
}

#[test]
fn values_on_a_lattice_are_encoded_without_loss() {
    let pixels = |count, seed| {
        let mut rows = random_rows(count, 80, seed);
        rows.iter_mut()
            .flatten()
            .for_each(|value| *value = ((*value + 1.0) * 127.5).round().clamp(0.0, 255.0));
        rows
    };
    let field = field(80, Similarity::Euclidean, "{}");
    let flush = |rows: &[Vec<f32>]| Segment::flush(format("flat_sq8"), &field, rows);
    let (one, two) = (flush(&pixels(600, 1)), flush(&pixels(300, 2)));
    let (merged, plan, _) = merge(format("flat_sq8"), &field, &[&one, &two]);
    assert_eq!(outcomes(&plan), ["kept"; 2], "{plan}");
    assert_eq!(merged.open().inspect()["rotation"], false);
    for query in pixels(10, 3) {
        let codes = search(&*merged.open(), &query, 10, Effort::Candidates(100), 900);
        let exact = search(&*merged.open(), &query, 10, Effort::Exact, 900);
        for (code, exact) in codes.iter().zip(&exact) {
            assert_eq!(code.doc, exact.doc);
            assert!((code.distance - exact.distance).abs() < 1e-4 * exact.distance);
        }
    }
    // Together with others they are vectors like any.
    let other = flush(&random_rows(900, 80, 4));
    let (mixed, plan, _) = merge(format("flat_sq8"), &field, &[&one, &other]);
    assert_eq!(outcomes(&plan)[0], "requantized");
    assert_eq!(mixed.open().inspect()["rotation"], true);
}

#[test]
fn any_format_migrates_to_any_other() {
    let names = ["flat_f32", "hnsw_f32", "flat_sq8", "hnsw_sq8"];
    for similarity in Similarity::FLOAT {
        let rows = |count, seed| {
            let mut rows = random_rows(count, 24, seed);
            for row in &mut rows {
                let length = row.iter().map(|value| value * value).sum::<f32>().sqrt();
                row.iter_mut().for_each(|value| *value /= length);
            }
            rows
        };
        let mut sources: Vec<Segment> = Vec::new();
        for (seed, name) in (1..).zip(names) {
            let field = field(24, similarity, "{}");
            let previous = sources.last().map(Segment::open);
            sources.push(Segment::flush_after(format(name), &field, &rows(400, seed), previous.as_deref()));
        }
        for name in names {
            let mut params = vec![];
            if name.starts_with("hnsw") {
                params.push(r#""advanced": {"graph_threshold": 0}, "m": 8"#);
            }
            let field = field(24, similarity, &format!("{{{}}}", params.join(", ")));
            let (merged, _, report) = merge(format(name), &field, &sources.iter().collect::<Vec<_>>());
            if name.ends_with("sq8") {
                assert_eq!(outcomes(&report), ["requantized", "requantized", "kept", "kept"]);
            } else {
                assert_eq!(outcomes(&report), ["kept"; 4]);
            }
            assert!(recall(&merged, &rows(20, 9), 100, 15) > 0.95);
        }
    }
}

#[test]
fn vectors_of_another_datatype_are_refused() {
    let single = field(24, Similarity::Cosine, "{}");
    let half = field(24, Similarity::Cosine, r#"{"datatype": "float16"}"#);
    let segment = Segment::flush(format("flat_sq8"), &single, &random_rows(20, 24, 1));
    let docs = DocMap::new((0..20).map(Some));
    let reader = segment.open();
    let source = MergeInput { segment: "_0", reader: Some(&*reader), docs: &docs };
    let error = segment.format.plan_merge(&half, &[source]).unwrap_err().to_string();
    assert!(error.contains("\"v\"") && error.contains("datatype"), "{error}");
}
