//! What a search reads, what it reports, and which parameters are refused.

use crate::common::{Segment, bytes, field, format, recall, search};
use lucerne_codec::testing::random_rows;
use lucerne_codec::vector::{Effort, VectorSearch};
use lucerne_codec::{Accept, BitSet, Cancel, OnStop, Similarity};

#[test]
fn a_search_without_rescoring_never_reads_raw_vectors() {
    for name in ["hnsw_sq8", "flat_sq8"] {
        let params = if name == "hnsw_sq8" { r#"{"advanced": {"graph_threshold": 0}}"# } else { "{}" };
        let field = field(40, Similarity::Cosine, params);
        let segment = Segment::flush(format(name), &field, &random_rows(3_000, 40, 1));
        let query = &random_rows(1, 40, 2)[0];
        let healthy = search(&*segment.open(), query, 10, Effort::Candidates(20), 3_000);
        // Rows of NaN between the right header and the right footer.
        let raw = segment.file(".vec");
        let mut poisoned = segment.directory.get(&raw).unwrap().to_vec();
        let end = poisoned.len() - 16;
        poisoned[64..end].fill(0xFF);
        segment.directory.put(&raw, poisoned);
        let reader = segment.open();
        assert_eq!(search(&*reader, query, 10, Effort::Candidates(20), 3_000), healthy);
        assert!(!reader.verify(&Cancel::new()).unwrap().is_empty());
    }
}

#[test]
fn parts_have_the_sizes_that_inspect_says() {
    let field = field(40, Similarity::Cosine, r#"{"advanced": {"graph_threshold": 0}}"#);
    let segment = Segment::flush(format("hnsw_sq8"), &field, &random_rows(500, 40, 1));
    let report = segment.open().inspect();
    assert_eq!(report["bytes"]["raw"], 4 * 40 * 500);
    assert_eq!(report["bytes"]["codes"], 40 * 500);
    assert_eq!(report["bytes"]["corrections"], 8 * 500);
    // With header, footer and center.
    let file = |extension: &str| segment.directory.get(&segment.file(extension)).unwrap().len();
    assert_eq!((file(".sq8"), file(".vec")), (80 + 48 * 500 + 4 * 40, 80 + 160 * 500));
    // The documents and the center once more, and a checksum of every 512 bytes.
    let sums = (48 * 500 + 4 * 40_usize).div_ceil(512) * 4 + (160 * 500_usize).div_ceil(512) * 4;
    assert_eq!(file(".spare"), 80 + 4 * 500 + 4 * 40 + sums);
    assert!(report["quantiles"][0].as_f64() < report["quantiles"][1].as_f64());
    assert_eq!((&report["m"], &report["beam_width"]), (&16.into(), &100.into()));
}

#[test]
fn recall_of_codes_with_fifteen_gathered_is_that_of_raw_vectors() {
    let rows = random_rows(4_200, 32, 1);
    let queries = random_rows(40, 32, 2);
    for similarity in Similarity::FLOAT {
        let recall = |name: &str, candidates| {
            let segment = Segment::flush(format(name), &field(32, similarity, "{}"), &rows);
            recall(&segment, &queries, candidates, 15)
        };
        assert!(recall("flat_sq8", 15) >= 0.99);
        if matches!(similarity, Similarity::Euclidean | Similarity::MaxInnerProduct) {
            assert!(recall("hnsw_sq8", 50) >= recall("hnsw_f32", 50) - 0.03, "{similarity}");
        }
    }
}

#[test]
fn the_way_taken_follows_the_filter() {
    let field = field(16, Similarity::Euclidean, "{}");
    let segment = Segment::flush(format("hnsw_sq8"), &field, &random_rows(8_000, 16, 1));
    let reader = segment.open();
    let run = |accept, effort| {
        let search = VectorSearch {
            query: &bytes(&[0.1; 16]),
            k: 10,
            effort,
            accept,
            ties: &|left: u32, right: u32| left.cmp(&right),
            cancel: &Cancel::new(),
            on_stop: OnStop::Fail,
        };
        let hits = reader.search(&search).unwrap();
        (hits.strategy, hits.visited)
    };
    let all = Accept::all(8_000);
    assert_eq!(run(all, Effort::Candidates(30)).0, "graph");
    assert_eq!(run(all, Effort::Candidates(8_000)), ("scan codes", 8_000));
    assert_eq!(run(all, Effort::Exact), ("scan raw", 8_000));
    let mut few = BitSet::empty(8_000);
    (0..8_000).step_by(100).for_each(|doc| {
        few.insert(doc);
    });
    assert_eq!(run(Accept::only(&few), Effort::Candidates(30)), ("scan codes", 80));
    assert_eq!(run(Accept::only(&few), Effort::Exact), ("scan raw", 80));
}

#[test]
fn parameters_are_refused_by_name() {
    let refused = |name: &str, params: &str| {
        let field = field(4, Similarity::Cosine, params);
        format(name).check(&field).unwrap_err().to_string()
    };
    for (name, params, word) in [
        ("flat_f32", r#"{"m": 16}"#, "\"m\""),
        ("flat_f32", r#"{"advanced": {"search_bits": 4}}"#, "search_bits"),
        ("flat_sq8", r#"{"beam_width": 16}"#, "beam_width"),
        ("hnsw_f32", r#"{"confidence_interval": 0.95}"#, "confidence_interval"),
        ("hnsw_sq8", r#"{"m": 1}"#, "2 to 512"),
        ("hnsw_sq8", r#"{"beam_width": 4000}"#, "8 to 3200"),
        ("hnsw_sq8", r#"{"confidence_interval": 0.5}"#, "0.9 to 1"),
        ("hnsw_sq8", r#"{"search_bits": 4}"#, "\"search_bits\""),
        ("hnsw_sq8", r#"{"advanced": true}"#, "an object of parameters"),
        ("hnsw_sq8", r#"{"advanced": {"search_bits": 5}}"#, "4 or 8"),
    ] {
        let error = refused(name, params);
        assert!(error.contains(word), "{error}");
    }
    let all = r#"{"m": 2, "beam_width": 8, "confidence_interval": 1.0, "requantize_above": 0,
        "resample_above": 1, "advanced": {"graph_threshold": 0, "search_bits": 8}}"#;
    format("hnsw_sq8").check(&field(4, Similarity::Cosine, all)).unwrap();
}
