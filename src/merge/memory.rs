//! The memory that a merge takes at most.

use crate::schema::{Field, FieldType, Schema};
use lucerne_codec::Registry;
use lucerne_codec::format::Working;

/// Places of documents and their keys.
const BYTES_PER_DOC: u64 = 24;
/// Buffers of files, whatever is merged.
const LEAST: u64 = 2 << 20;

/// Bytes of heap that merging so many live documents takes at most; `vectors` says how many of them a field has. Fields are
/// merged one after the other.
pub(crate) fn memory(
    schema: &Schema,
    registry: &Registry,
    docs: u64,
    vectors: impl Fn(u32) -> u64,
    working: Working,
) -> u64 {
    let of_field = schema.vector_fields().map(|field| {
        let format = field.format(registry).ok();
        format.map_or(0, |format| format.merge_bytes(&field.info(), vectors(field.number()), working))
    });
    let sparse = |field: &Field| matches!(field.field_type(), FieldType::SparseVector) && field.is_indexed();
    let of_sparse = match schema.fields().iter().any(sparse) {
        true => registry.default_sparse().map_or(0, |format| format.merge_bytes(working)),
        false => 0,
    };
    LEAST + BYTES_PER_DOC * docs + of_field.max().unwrap_or(0).max(of_sparse)
}
