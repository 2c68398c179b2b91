//! The thorough check: every part against the raw vectors, as far as they are kept.

use super::segment::{Index, VectorSegment};
use crate::encoding::EncodedVectors as _;
use crate::encoding::raw::RawVectors;
use lucerne_codec::format::Problem;
use lucerne_codec::{Cancel, Result};

/// Compares maps, raw vectors, encoded vectors, and graph or lists.
pub(super) fn verify(segment: &VectorSegment, cancel: &Cancel) -> Result<Vec<Problem>> {
    let mut problems = segment.map.verify(segment.params.multiple)?;
    if let Some(raw) = &segment.raw {
        problems.extend(raw.verify(cancel)?);
    }
    if !segment.encoded.as_any().is::<RawVectors>() {
        problems.extend(segment.encoded.verify(cancel)?);
    }
    match &segment.index {
        Index::Hnsw(Some(graph)) => problems.extend(graph.verify(cancel)?),
        Index::Ivf(lists) => problems.extend(lists.verify(segment.raw()?, cancel)?),
        Index::Hnsw(None) | Index::Flat => {}
    }
    Ok(problems)
}
