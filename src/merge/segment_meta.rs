//! What policies are told of a segment: among it whether a merge should rewrite it for its formats alone.

use super::policy::SegmentMeta;
use crate::reader::SegmentReader;
use crate::schema::{Schema, VectorField};
use lucerne_codec::Registry;

/// What policies are told of a segment with so many deleted documents.
pub(crate) fn segment_meta(
    registry: &Registry,
    schema: &Schema,
    segment: &SegmentReader,
    deleted: u32,
) -> SegmentMeta {
    SegmentMeta {
        name: segment.name().to_owned(),
        docs: segment.max_doc(),
        deleted,
        bytes: segment.files().map(|file| file.len).sum(),
        outdated: is_outdated(registry, schema, segment),
    }
}

/// True when a segment was written with another format, an older version of it, or other parameters than it would be
/// written with now.
fn is_outdated(registry: &Registry, schema: &Schema, segment: &SegmentReader) -> bool {
    let info = segment.info();
    let vectors = segment.vectors().iter().any(|vectors| {
        let differs = |field: VectorField<'_>| {
            field.format(registry).is_ok_and(|format| format.name() != vectors.format)
                || field.info() != vectors.field
                || !vectors.reader.is_current()
        };
        schema.vector_field(vectors.field.number).is_ok_and(differs)
    });
    let stored = registry.default_stored().is_ok_and(|format| format.name() != info.stored.format);
    let keys = registry.default_keys().is_ok_and(|format| format.name() != info.keys.format);
    let postings = registry.default_postings().map(|format| format.name());
    let postings = info.postings.as_ref().is_some_and(|own| postings.is_ok_and(|name| name != own.format));
    let columns = registry.default_columns().map(|format| format.name());
    let columns = info.columns.as_ref().is_some_and(|own| columns.is_ok_and(|name| name != own.format));
    let sparse = registry.default_sparse().map(|format| format.name());
    let sparse = info.sparse.as_ref().is_some_and(|own| sparse.is_ok_and(|name| name != own.format));
    let older = !segment.stored().is_current()
        || !segment.keys().is_current()
        || segment.postings().is_some_and(|postings| !postings.is_current())
        || segment.columns().is_some_and(|columns| !columns.is_current())
        || segment.sparse().is_some_and(|sparse| !sparse.is_current());
    vectors || stored || keys || postings || columns || sparse || older
}
