//! The built-in vector formats keep every promise of the contract's conformance suite.

use lucerne_codec::Params;
use lucerne_codec::testing::check_vector_format;
use lucerne_formats::vectors::vector_formats;

fn params(json: &str) -> Params {
    serde_json::from_str(json).unwrap()
}

fn check(name: &str, json: &str) {
    let formats = vector_formats();
    let format = formats.iter().find(|format| format.name() == name).unwrap();
    check_vector_format(&**format, &params(json));
}

#[test]
fn flat_f32() {
    check("flat_f32", "{}");
}

#[test]
fn flat_sq8() {
    check("flat_sq8", "{}");
}

#[test]
fn hnsw_f32() {
    check("hnsw_f32", r#"{"advanced": {"graph_threshold": 0}}"#);
}

#[test]
fn hnsw_sq8() {
    check("hnsw_sq8", r#"{"advanced": {"graph_threshold": 0}, "m": 4, "beam_width": 20}"#);
}

#[test]
fn hnsw_sq8_searched_by_four_bit_codes() {
    check("hnsw_sq8", r#"{"advanced": {"graph_threshold": 0, "search_bits": 4}, "m": 4, "beam_width": 20}"#);
}

#[test]
fn hnsw_sq8_without_a_graph() {
    check("hnsw_sq8", "{}");
}

#[test]
fn flat_hash() {
    check("flat_hash", "{}");
    check("flat_hash", r#"{"sign_hash": "plain"}"#);
}

#[test]
fn hnsw_hash() {
    check("hnsw_hash", r#"{"advanced": {"graph_threshold": 0}, "m": 4, "beam_width": 20}"#);
    check("hnsw_hash", r#"{"advanced": {"graph_threshold": 0}, "sign_hash": "plain"}"#);
}

#[test]
fn bin_flat() {
    check("bin_flat", "{}");
}

#[test]
fn bin_hnsw() {
    check("bin_hnsw", r#"{"advanced": {"graph_threshold": 0}, "m": 4, "beam_width": 20}"#);
}

#[test]
fn bin_ivf() {
    check("bin_ivf", "{}");
    check("bin_ivf", r#"{"nlist": 128}"#);
}

#[test]
fn half_precision() {
    check("flat_f32", r#"{"datatype": "float16"}"#);
    check("hnsw_f32", r#"{"datatype": "float16", "advanced": {"graph_threshold": 0}}"#);
    check("flat_sq8", r#"{"datatype": "float16"}"#);
    let graph = r#""advanced": {"graph_threshold": 0, "search_bits": 4}, "m": 4, "beam_width": 20"#;
    check("hnsw_sq8", &format!(r#"{{"datatype": "float16", {graph}}}"#));
    check("flat_hash", r#"{"datatype": "float16"}"#);
    check(
        "hnsw_hash",
        r#"{"datatype": "float16", "advanced": {"graph_threshold": 0}, "sign_hash": "plain"}"#,
    );
}
