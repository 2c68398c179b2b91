//! Streams over Arrow's C interface: what Python's `__arrow_c_stream__` hands over.

use crate::error::Result;
use arrow_array::RecordBatchReader;
use arrow_array::ffi_stream::{FFI_ArrowArrayStream, RecordBatchStreamReader};

pub use arrow_array::ffi_stream::FFI_ArrowArrayStream as Stream;

/// Rows of a stream.
pub type Rows = Box<dyn RecordBatchReader + Send>;

/// Takes over a stream that a producer has filled in; the producer's structure is left released.
///
/// # Safety
/// `stream` points to a valid, unreleased `ArrowArrayStream` that nobody else uses meanwhile.
pub unsafe fn import(stream: *mut FFI_ArrowArrayStream) -> Result<Rows> {
    // SAFETY: the caller's promise is that of `from_raw`.
    Ok(Box::new(unsafe { RecordBatchStreamReader::from_raw(stream) }?))
}

/// A stream for a consumer, which releases it.
pub fn export(reader: Rows) -> FFI_ArrowArrayStream {
    FFI_ArrowArrayStream::new(reader)
}
