//! How vectors are compared: raw, as int8 codes, as sign hashes. A vector field is one *index* (flat, HNSW, inverted
//! lists) over one *encoding* (`crate::vectors`); an encoding knows nothing of indexes, segments or documents.
//!
//! A new encoding is one folder here, an implementation of [`Encoding`], and one line in the table of formats
//! (`vectors/mod.rs`). `tests/formats/int4` is one, written outside of this crate.
//!
//! | file | idea |
//! |---|---|
//! | `traits` | what an encoding does: [`Encoding`], [`NewVectors`], [`MergePlan`] |
//! | `encoded` | [`EncodedVectors`]: the vectors of an open segment |
//! | `rows` | raw vectors by index, wherever they are |
//! | `preprocess` | from a raw row to the vector that is encoded: components, length, center |
//! | `sample`, `center` | even samples of vectors, their mean, a center as files have it |
//! | `merge_sources` | the live vectors of all sources of a merge |
//! | `report` | the reports that an encoding adds to |
//! | `temp_file` | bytes on disk while a segment is written |
//! | `raw` | f32 vectors and bits, compared exactly |
//! | `sq8` | int8 codes with quantiles per segment, and 4-bit codes for graph search |
//! | `sign_hash` | one bit per component, for candidates |

pub mod center;
mod encoded;
pub mod merge_sources;
pub mod preprocess;
pub mod raw;
pub mod report;
pub mod rows;
pub mod sample;
pub mod sign_hash;
pub mod sq8;
pub mod temp_file;
mod traits;

pub use encoded::{EncodedVectors, PanelComputers, Precision, QueryComputers, ScanCost};
pub use merge_sources::{MergeSource, MergeSources, MergedVector};
pub use report::{FieldReport, MergeReport};
pub use rows::Rows;
pub use traits::{
    EncodeContext, Encoding, MergePlan, MergedVectors, NewVectors, OpenContext, ParamNames, WrittenVectors,
};
