//! The built-in formats, and one that a test adds.

mod common;
mod conformance;
mod dropped_raw;
mod filters;
mod golden;
mod graph;
mod hash_merge;
mod int4;
mod new_encoding;
mod recall;
mod several_vectors;
mod short_codes;
mod together;
mod vector_merge;
mod vector_search;
mod vectors;
