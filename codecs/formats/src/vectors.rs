//! The built-in vector formats: every one a choice of layers over the raw vectors.
//!
//! | name | raw vectors | int8 codes | graph |
//! |---|---|---|---|
//! | `hnsw_sq8` (default) | yes | yes | over the codes |
//! | `hnsw_f32` | yes | | over the raw vectors |
//! | `flat_sq8` | yes | yes | |
//! | `flat_f32` | yes | | |
//! | `hnsw_hash` | yes | sign hashes | over the raw vectors |
//! | `flat_hash` | yes | sign hashes | |
//!
//! The raw vectors, being the truth, are always there. A search uses the topmost layer and never touches
//! the raw vectors below codes unless asked to. Sign hashes only find candidates, which raw vectors reorder.

mod collect;
mod cost;
mod encode;
mod format;
mod hashes;
mod merge;
mod meta;
mod plan;
mod reader;
mod reorder;
mod report;
mod scan;
mod search;
mod settings;
mod spill;
mod verify;
mod walk;
mod write;

pub use format::LayeredFormat;
pub use reader::LayeredReader;

use lucerne_codec::vector::VectorFormat;
use std::sync::Arc;

/// Which layers a format has besides the raw vectors.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Layers {
    /// The name segments remember.
    pub name: &'static str,
    /// Int8 codes.
    pub codes: bool,
    /// Sign hashes, in place of codes.
    pub hashes: bool,
    /// A graph, over the codes if there are any, else over the raw vectors.
    pub graph: bool,
}

const fn layers(name: &'static str, codes: bool, graph: bool) -> Layers {
    Layers { name, codes, hashes: false, graph }
}

const fn hashes(name: &'static str, graph: bool) -> Layers {
    Layers { hashes: true, ..layers(name, false, graph) }
}

/// All combinations; the first is the default.
const FORMATS: [Layers; 6] = [
    layers("hnsw_sq8", true, true),
    layers("hnsw_f32", false, true),
    layers("flat_sq8", true, false),
    layers("flat_f32", false, false),
    hashes("hnsw_hash", true),
    hashes("flat_hash", false),
];

/// The built-in vector formats; the first is the default.
pub fn vector_formats() -> Vec<Arc<dyn VectorFormat>> {
    let format = |layers| Arc::new(LayeredFormat::new(layers)) as Arc<dyn VectorFormat>;
    FORMATS.into_iter().map(format).collect()
}
