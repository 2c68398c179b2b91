//! What a search finds: vectors, text, filters and hybrids of them.

#[path = "../common/mod.rs"]
mod common;

mod binary_vectors;
mod highlighting;
mod knn;
mod pages;
mod queries;
mod query_model;
mod recall;
mod recall_floor;
mod several_vectors;
mod sign_hashes;
mod similar_words;
mod stopping;
mod texts;
mod values;
