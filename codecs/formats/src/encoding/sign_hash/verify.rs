//! Hashes against the raw vectors they were made of.

use super::encode::{Hashes, hash_len};
use super::file::HashFile;
use crate::encoding::raw::RawVectors;
use crate::verify::each_vector;
use lucerne_codec::format::Problem;
use lucerne_codec::{Cancel, FieldInfo, Result, Similarity};

/// Hashes every vector again and compares.
pub(super) fn verify_hashes(
    field: &FieldInfo,
    file: &HashFile,
    raw: &RawVectors,
    cancel: &Cancel,
) -> Result<Vec<Problem>> {
    let (estimator, center) = (file.meta().estimator, file.center().map(<[f32]>::to_vec));
    let hash_len = hash_len(field.dimension as usize);
    // Lengths are summed in another order on another CPU: normalized components may be on either side of the center.
    let normalized = field.similarity == Similarity::Cosine && center.is_some();
    let allowed = if normalized { field.dimension / 16 + 1 } else { 0 };
    let mut again = Hashes::new(field, estimator, center, 1);
    let stored = file.rows();
    each_vector(raw.len(), cancel, file.name(), |ordinal| {
        again.clear();
        again.encode(&raw.vector(ordinal)?);
        let start = ordinal as usize * hash_len;
        let bits = stored.bits.get(start..start + hash_len).unwrap_or_default();
        let differing: u32 = bits.iter().zip(again.rows().bits).map(|(a, b)| (a ^ b).count_ones()).sum();
        if differing > allowed {
            return Ok(Some(format!("{differing} bits are not those of the raw vector")));
        }
        let (found, computed) = (stored.correction(ordinal as usize), again.rows().correction(0));
        let close = |found: f32, computed: f32| (found - computed).abs() <= 1e-3 * computed.abs().max(1e-3);
        let close = close(found.0, computed.0) && close(found.1, computed.1);
        Ok((!close).then(|| format!("corrections {found:?}, the raw vector gives {computed:?}")))
    })
}
