//! The built-in vector formats: each is one index over one encoding of the raw vectors.
//!
//! | name | index | encoding | component |
//! |---|---|---|---|
//! | `hnsw_sq8` (default) | HNSW graph over the codes | int8 codes | float |
//! | `hnsw_f32` | HNSW graph | raw | float |
//! | `flat_sq8` | none | int8 codes | float |
//! | `flat_f32` | none | raw | float |
//! | `hnsw_hash` | HNSW graph over the raw vectors | sign hashes | float |
//! | `flat_hash` | none | sign hashes | float |
//! | `bin_hnsw` | HNSW graph | raw | bit |
//! | `bin_flat` | none | raw | bit |
//! | `bin_ivf` | inverted lists | raw | bit |
//!
//! Raw float vectors are of f32, or with `datatype` `float16` of f16; the same formats serve both, and what is compared is
//! f32 in either case. The raw vectors are always there: everything else is derived from them. A search reads the encoding and never
//! touches the raw vectors below int8 codes unless asked to. Sign hashes only find candidates, which are rescored with raw
//! vectors.
//!
//! | file | idea |
//! |---|---|
//! | `format`, `codec` | [`VectorFieldFormat`]: an index over an encoding, as the registry knows it |
//! | `params`, `meta` | parameters of the index; what a segment info keeps |
//! | `ordinals` | the `.ord` file: vectors ↔ documents |
//! | `documents`, `accepted` | look-ups in it; the vectors that a filter accepts |
//! | `spare` | the `.spare` file: what makes up for damage |
//! | `segment` | `VectorSegment`: the open files |
//! | `reader` | [`VectorFieldReader`]: what the engine calls |
//! | `search` | searching one segment |
//! | `recall` | which recall a search reaches by how much it does |
//! | `write`, `merge`, `salvage` | flushes, merges, and what a repair is made from |
//! | `report`, `figures`, `verify`, `self_search` | `inspect`, its pictures, and `check` |

mod accepted;
mod codec;
mod documents;
mod figures;
mod format;
mod merge;
mod meta;
pub mod ordinals;
mod params;
mod reader;
mod recall;
mod report;
mod salvage;
mod search;
mod segment;
mod self_search;
pub(crate) mod spare;
mod verify;
mod write;

pub use format::{IndexKind, VectorFieldFormat};
pub use reader::VectorFieldReader;

use crate::encoding::Encoding;
use crate::encoding::raw::Raw;
use crate::encoding::sign_hash::SignHash;
use crate::encoding::sq8::Sq8;
use lucerne_codec::Component;
use lucerne_codec::vector::VectorFormat;
use std::sync::Arc;

/// The built-in vector formats; the first is the default.
pub fn vector_formats() -> Vec<Arc<dyn VectorFormat>> {
    use Component::{Bit, F32};
    use IndexKind::{Flat, Hnsw, Ivf};
    let formats: [(&'static str, Component, IndexKind, Arc<dyn Encoding>); 9] = [
        ("hnsw_sq8", F32, Hnsw, Arc::new(Sq8::default())),
        ("hnsw_f32", F32, Hnsw, Arc::new(Raw)),
        ("flat_sq8", F32, Flat, Arc::new(Sq8::default())),
        ("flat_f32", F32, Flat, Arc::new(Raw)),
        ("hnsw_hash", F32, Hnsw, Arc::new(SignHash)),
        ("flat_hash", F32, Flat, Arc::new(SignHash)),
        ("bin_hnsw", Bit, Hnsw, Arc::new(Raw)),
        ("bin_flat", Bit, Flat, Arc::new(Raw)),
        ("bin_ivf", Bit, Ivf, Arc::new(Raw)),
    ];
    let format = |(name, component, index, encoding)| {
        Arc::new(VectorFieldFormat::new(name, component, index, encoding)) as Arc<dyn VectorFormat>
    };
    formats.into_iter().map(format).collect()
}
