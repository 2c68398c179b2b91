//! What merges of int8 segments decide and keep: the worked example, drift, centers, other formats.

use crate::common::{Segment, built_in, field, format, merge, outcomes, recall};
use lucerne_codec::testing::random_rows;
use lucerne_codec::vector::VectorFormat;
use lucerne_codec::{Component, Similarity};
use lucerne_formats::encoding::sq8::{Sq8, Sq8Vectors};
use lucerne_formats::vectors::{IndexKind, VectorFieldFormat};
use std::sync::Arc;

fn forced(lower: f32, upper: f32) -> Arc<dyn VectorFormat> {
    let encoding = Arc::new(Sq8::with_quantiles(lower, upper));
    Arc::new(VectorFieldFormat::new("hnsw_sq8", Component::F32, IndexKind::Hnsw, encoding))
}

fn example(params: &str) -> (Vec<Segment>, lucerne_codec::FieldInfo) {
    let field = field(12, Similarity::DotProduct, params);
    let segments = [(-0.75, 0.86, 1000), (-0.76, 0.84, 1000), (-0.70, 0.81, 100)]
        .iter()
        .zip(1..)
        .map(|(&(lower, upper, count), seed)| {
            Segment::flush(forced(lower, upper), &field, &random_rows(count, 12, seed))
        })
        .collect();
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
    let segment = |lower, seed| Segment::flush(forced(lower, 1.0), &field, &random_rows(2_100, 4_096, seed));
    let (old, other) = (segment(-1.0, 1), segment(-1.1, 2));
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
    let field = field(12, Similarity::DotProduct, "{}");
    let mut merged = Segment::flush(forced(-1.0, 1.0), &field, &random_rows(200, 12, 1));
    let mut renewed = 0;
    for step in 1..12 {
        let lower = -1.0 - 0.02 * step as f32;
        let next = Segment::flush(forced(lower, 1.0), &field, &random_rows(200, 12, 1 + step));
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

/// Three dimensions far from the rest, small spread: one pair of quantiles over all of them is too imprecise.
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
fn a_center_saves_inner_products_of_data_that_is_not_centered() {
    let rows = off_center(3_000, 1);
    let queries = off_center(30, 2);
    let flush = |params| {
        let field = field(64, Similarity::MaxInnerProduct, params);
        Segment::flush(format("flat_sq8"), &field, &rows)
    };
    let (with, without) = (flush("{}"), flush(r#"{"advanced": {"center": "none"}}"#));
    assert!(recall(&with, &queries, 15, 15) >= 0.99);
    let range = |segment: &Segment| {
        let (lower, upper) = merged_quantiles(&segment.open().inspect());
        upper - lower
    };
    assert!(range(&with) < 0.02 * range(&without));
}

#[test]
fn a_center_is_passed_on_and_another_one_gives_way() {
    let field = field(64, Similarity::MaxInnerProduct, "{}");
    let first = Segment::flush(format("hnsw_sq8"), &field, &off_center(900, 1));
    let reader = first.open();
    let second = Segment::flush_after(format("hnsw_sq8"), &field, &off_center(900, 2), Some(&*reader));
    assert_eq!(first.open().inspect()["center"], second.open().inspect()["center"]);
    let stranger = Segment::flush(format("hnsw_sq8"), &field, &off_center(300, 3));
    assert_ne!(first.open().inspect()["center"], stranger.open().inspect()["center"]);
    let tiny = Segment::flush(format("hnsw_sq8"), &field, &off_center(3, 4));
    assert_eq!(tiny.open().inspect()["center"], "undecided");
    let (merged, plan, _) = merge(format("hnsw_sq8"), &field, &[&stranger, &first, &second, &tiny]);
    assert_eq!(outcomes(&plan), ["requantized", "kept", "kept", "requantized"]);
    assert_eq!(merged.open().inspect()["center"], first.open().inspect()["center"]);
    // Too small to tell, until they are merged.
    let tiny: Vec<Segment> =
        (0..100).map(|seed| Segment::flush(format("hnsw_sq8"), &field, &off_center(3, 10 + seed))).collect();
    let (merged, _, _) = merge(format("hnsw_sq8"), &field, &tiny.iter().collect::<Vec<_>>());
    assert_eq!(merged.open().inspect()["center"].as_str().unwrap().len(), 8);
}

#[test]
fn sources_that_have_nothing_in_common_are_resampled() {
    let scaled = |factor: f32, seed| {
        let mut rows = random_rows(800, 24, seed);
        rows.iter_mut().flatten().for_each(|value| *value *= factor);
        rows
    };
    let field = field(24, Similarity::Euclidean, r#"{"advanced": {"graph_threshold": 0}}"#);
    let (narrow, wide) = (scaled(0.05, 1), scaled(10.0, 2));
    let sources = [&narrow, &wide].map(|rows| Segment::flush(format("hnsw_sq8"), &field, rows));
    let (merged, plan, _) = merge(format("hnsw_sq8"), &field, &[&sources[0], &sources[1]]);
    assert_eq!(outcomes(&plan), ["resampled"; 2]);
    let fresh = Segment::flush(format("hnsw_sq8"), &field, &[narrow, wide].concat());
    let queries = scaled(10.0, 3).split_off(760);
    let (merged, fresh) = (recall(&merged, &queries, 100, 15), recall(&fresh, &queries, 100, 15));
    assert!(merged >= fresh - 0.01, "{merged} {fresh}");
}

#[test]
fn any_format_migrates_to_any_other() {
    let names = ["flat_f32", "hnsw_f32", "flat_sq8", "hnsw_sq8"];
    for similarity in Similarity::FLOAT {
        // Not the default, which for inner products follows single vectors: those of random rows drift.
        let params =
            |name: &str| if name.ends_with("sq8") { r#"{"confidence_interval": 0.96}"# } else { "{}" };
        let sources: Vec<Segment> = (1..)
            .zip(names)
            .map(|(seed, name)| {
                let field = field(24, similarity, params(name));
                Segment::flush(format(name), &field, &random_rows(400, 24, seed))
            })
            .collect();
        for name in names {
            let mut params = vec![];
            if name.starts_with("hnsw") {
                params.push(r#""advanced": {"graph_threshold": 0}, "m": 8"#);
            }
            if name.ends_with("sq8") {
                params.push(r#""confidence_interval": 0.96"#);
            }
            let field = field(24, similarity, &format!("{{{}}}", params.join(", ")));
            let (merged, _, report) = merge(format(name), &field, &sources.iter().collect::<Vec<_>>());
            if name.ends_with("sq8") {
                assert_eq!(outcomes(&report), ["requantized", "requantized", "kept", "kept"]);
            } else {
                assert_eq!(outcomes(&report), ["kept"; 4]);
            }
            assert!(recall(&merged, &random_rows(20, 24, 9), 100, 15) > 0.95);
        }
    }
}
