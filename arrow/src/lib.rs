//! Arrow record batches into a [Lucerne](lucerne) index, and out of it.
//!
//! [`add`] writes the rows of any [`RecordBatchReader`](arrow_array::RecordBatchReader) as documents, and [`build`] gives
//! them to a builder of a segment; columns become the fields of their names. [`read`] streams the documents of a snapshot,
//! vectors included, as record batches; [`read_matching`] those of a query.
//!
//! | field | columns taken | column given |
//! |---|---|---|
//! | key, text, keyword | strings (also large, views, dictionaries), lists of them | `Utf8`, `List<Utf8>` |
//! | i64 | integers up to 64 bits, lists | `Int64` |
//! | f64 | floats, integers, lists | `Float64` |
//! | bool | booleans, lists | `Boolean` |
//! | date | timestamps, dates, RFC 3339 strings, lists | `Timestamp(ms, UTC)` |
//! | vector | lists of f16, f32, f64 (fixed size or not); lists of these where `multiple` | `FixedSizeList<Float32>`; a `List` of these |
//! | binary_vector | binary (also fixed size), uint8 lists | `FixedSizeBinary` |
//!
//! Nulls are absent values. A column without a field is an error, unless the schema is dynamic.
//!
//! With the feature `parquet` there is a program, `lucerne-parquet`, that imports and exports files; `lucerne import` runs it.
//!
//! The major version of this crate is Arrow's; no type of Arrow is in the engine's own interface.

mod error;
#[allow(unsafe_code, reason = "the C stream interface is made of raw pointers")]
pub mod ffi;
mod read;
mod values;
mod write;

pub use error::{Error, Result};
pub use read::{Documents, read, read_matching};
pub use write::{OnExisting, add, build};
