//! A new encoding is one folder (`int4`) and one line: it flushes, merges, searches with and without a graph, verifies
//! and inspects like the built-in ones.

use crate::common::{Segment, built_in, field, merge, outcomes, search};
use crate::int4::Int4;
use lucerne_codec::testing::{check_vector_format, random_rows};
use lucerne_codec::vector::{Effort, VectorFormat};
use lucerne_codec::{Component, Params, Similarity};
use lucerne_formats::vectors::{IndexKind, VectorFieldFormat};
use std::sync::Arc;

fn format(name: &'static str, index: IndexKind) -> Arc<dyn VectorFormat> {
    Arc::new(VectorFieldFormat::new(name, Component::F32, index, Arc::new(Int4)))
}

fn params(json: &str) -> Params {
    serde_json::from_str(json).unwrap()
}

#[test]
fn a_new_encoding_keeps_every_promise_of_the_contract_without_a_graph() {
    check_vector_format(&*format("flat_int4", IndexKind::Flat), &params("{}"));
}

#[test]
fn a_new_encoding_keeps_every_promise_of_the_contract_with_a_graph() {
    let params = params(r#"{"advanced": {"graph_threshold": 0}, "m": 4, "beam_width": 20}"#);
    check_vector_format(&*format("hnsw_int4", IndexKind::Hnsw), &params);
}

#[test]
fn a_merge_keeps_the_codes_of_sources_with_the_merged_bounds_and_requantizes_others() {
    let field = field(16, Similarity::Euclidean, r#"{"advanced": {"graph_threshold": 0}}"#);
    let hnsw = format("hnsw_int4", IndexKind::Hnsw);
    let rows = random_rows(300, 16, 1);
    let far: Vec<Vec<f32>> = random_rows(50, 16, 2)
        .into_iter()
        .map(|row| row.into_iter().map(|value| value * 3.0).collect())
        .collect();
    let segments = [&rows, &rows, &far].map(|rows| Segment::flush(hnsw.clone(), &field, rows));
    let (merged, plan, report) = merge(hnsw, &field, &[&segments[0], &segments[1], &segments[2]]);
    assert_eq!(outcomes(&plan), ["kept", "kept", "requantized"]);
    assert_eq!(report["vectors_reencoded"], 50);
    let reader = merged.open();
    assert!(built_in(&*reader).graph().is_some());
    let found = search(&*reader, &rows[7], 2, Effort::Candidates(50), merged.docs);
    assert_eq!(found.iter().map(|hit| hit.doc).collect::<Vec<_>>(), [7, 307]);
    assert!(reader.inspect()["bytes"]["codes"].as_u64() == Some(650 * 8));
}
