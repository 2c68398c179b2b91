//! The built-in vector formats: every one a choice of layers over the raw vectors.
//!
//! | name | raw vectors | int8 codes | sign hashes | graph | inverted lists |
//! |---|---|---|---|---|---|
//! | `hnsw_sq8` (default) | f32 | yes | | over the codes | |
//! | `hnsw_f32` | f32 | | | over the raw vectors | |
//! | `flat_sq8` | f32 | yes | | | |
//! | `flat_f32` | f32 | | | | |
//! | `hnsw_hash` | f32 | | yes | over the raw vectors | |
//! | `flat_hash` | f32 | | yes | | |
//! | `bin_hnsw` | bits | | | over the raw vectors | |
//! | `bin_flat` | bits | | | | |
//! | `bin_ivf` | bits | | | | of the raw vectors |
//!
//! The raw vectors, being the truth, are always there. A search uses the topmost layer and never touches
//! the raw vectors below codes unless asked to. Sign hashes only find candidates, which raw vectors reorder.

mod collect;
mod cost;
mod encode;
mod exact;
mod format;
mod halves;
mod hashes;
mod lists;
mod merge;
mod meta;
mod nearest;
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

use lucerne_codec::Component;
use lucerne_codec::vector::VectorFormat;
use std::sync::Arc;

/// Which layers a format has besides the raw vectors.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Layers {
    /// The name segments remember.
    pub name: &'static str,
    /// What the raw vectors consist of.
    pub component: Component,
    /// Int8 codes, of floats.
    pub codes: bool,
    /// Sign hashes, in place of codes.
    pub hashes: bool,
    /// A graph, over the codes if there are any, else over the raw vectors.
    pub graph: bool,
    /// Inverted lists, of bits, with neither codes nor a graph.
    pub lists: bool,
}

impl Layers {
    /// Raw floats, with these layers.
    pub const fn floats(name: &'static str, codes: bool, graph: bool) -> Self {
        Self { name, component: Component::F32, codes, hashes: false, graph, lists: false }
    }

    /// Raw floats and their sign hashes, with or without a graph.
    pub const fn hashes(name: &'static str, graph: bool) -> Self {
        Self { hashes: true, ..Self::floats(name, false, graph) }
    }

    /// Raw bits, with these layers.
    pub const fn bits(name: &'static str, graph: bool, lists: bool) -> Self {
        Self { component: Component::Bit, lists, ..Self::floats(name, false, graph) }
    }
}

/// All combinations; the first is the default.
const FORMATS: [Layers; 9] = [
    Layers::floats("hnsw_sq8", true, true),
    Layers::floats("hnsw_f32", false, true),
    Layers::floats("flat_sq8", true, false),
    Layers::floats("flat_f32", false, false),
    Layers::hashes("hnsw_hash", true),
    Layers::hashes("flat_hash", false),
    Layers::bits("bin_hnsw", true, false),
    Layers::bits("bin_flat", false, false),
    Layers::bits("bin_ivf", false, true),
];

/// The built-in vector formats; the first is the default.
pub fn vector_formats() -> Vec<Arc<dyn VectorFormat>> {
    let format = |layers| Arc::new(LayeredFormat::new(layers)) as Arc<dyn VectorFormat>;
    FORMATS.into_iter().map(format).collect()
}
