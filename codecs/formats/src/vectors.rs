//! The built-in vector formats: every one a choice of layers over the raw vectors.
//!
//! | name | raw vectors | int8 codes | graph |
//! |---|---|---|---|
//! | `hnsw_sq8` (default) | yes | yes | over the codes |
//! | `hnsw_f32` | yes | | over the raw vectors |
//! | `flat_sq8` | yes | yes | |
//! | `flat_f32` | yes | | |
//!
//! The raw vectors, being the truth, are always there. A search uses the topmost layer and never touches
//! the raw vectors below codes unless asked to.

mod collect;
mod cost;
mod encode;
mod format;
mod merge;
mod meta;
mod plan;
mod reader;
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
    /// A graph, over the codes if there are any.
    pub graph: bool,
}

const fn layers(name: &'static str, codes: bool, graph: bool) -> Layers {
    Layers { name, codes, graph }
}

/// All combinations; the first is the default.
const FORMATS: [Layers; 4] = [
    layers("hnsw_sq8", true, true),
    layers("hnsw_f32", false, true),
    layers("flat_sq8", true, false),
    layers("flat_f32", false, false),
];

/// The built-in vector formats; the first is the default.
pub fn vector_formats() -> Vec<Arc<dyn VectorFormat>> {
    let format = |layers| Arc::new(LayeredFormat::new(layers)) as Arc<dyn VectorFormat>;
    FORMATS.into_iter().map(format).collect()
}
