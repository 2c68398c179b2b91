//! `raw`: f32 and f16 vectors and bits as they were added, compared exactly.
//!
//! The `.vec` file holds rows and nothing else, bit for bit as they were added, so that a search that does not rescore
//! never touches a page of it. Every vector field has it, whatever its encoding: it is what everything else is derived
//! from. Layout: `codecs/FORMATS.md`.
//!
//! | file | idea |
//! |---|---|
//! | `file` | the `.vec` file |
//! | `floats`, `bits` | exact distances between a query and rows |
//! | `float_rows` | f32 or f16: the kernels for either |
//! | `query` | a query of either kind |
//! | `panel` | many queries against rows, together |
//! | `vectors` | [`RawVectors`]: the rows of an open segment |
//! | `float_graph`, `bit_graph` | distances between rows, for building graphs |
//! | `encoding` | [`Raw`]: an encoding that keeps nothing besides |

pub mod bit_graph;
pub mod bits;
mod encoding;
pub mod file;
pub mod float_graph;
pub mod float_rows;
pub mod floats;
pub mod panel;
mod query;
mod vectors;

pub use bits::BitQuery;
pub use encoding::{Raw, raw_graph_vectors};
pub use file::RawFile;
pub use float_rows::FloatRows;
pub use floats::FloatQuery;
pub use query::ExactQuery;
pub use vectors::RawVectors;
