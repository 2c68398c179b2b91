//! What a search finds: vectors, text, filters and hybrids of them.

#[path = "../common/mod.rs"]
mod common;

mod aggregate_model;
mod aggregations;
mod binary_vectors;
mod highlighting;
mod knn;
mod late_interaction;
mod pages;
mod queries;
mod query_model;
mod query_rerank;
mod recall;
mod recall_floor;
mod recommend;
mod scan;
mod several_vectors;
mod sign_hashes;
mod similar_words;
mod sparse_vectors;
mod stopping;
mod texts;
mod together;
mod values;
