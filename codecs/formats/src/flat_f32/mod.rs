//! `flat_f32`: raw vectors, the truth every other structure is derived from.
//!
//! Two files. `.vec` holds the rows and nothing else, bit for bit as they were added, so that a search
//! that does not rescore never touches a page of it. `.ord` holds the two maps between ordinals and
//! documents: ordinals are in the order that suits the graph, not in document order, and a document may
//! have several vectors. Layouts: `codecs/FORMATS.md`.

pub mod metric;
pub mod ordinals;
pub mod pairs;
pub mod rows;

pub use metric::FloatQuery;
pub use ordinals::OrdinalMap;
pub use rows::{RawRows, Rows};
