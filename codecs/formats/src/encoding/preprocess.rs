//! From a row of f32 to the vector that is encoded.

use lucerne_codec::Similarity;
use lucerne_codec::io::bytes::f32s;
use lucerne_simd as simd;

/// Squared lengths inside this range are precise in f32.
pub(super) const PRECISE: std::ops::Range<f32> = 1e-30..1e37;

/// The length of a row, precise at any magnitude.
pub fn norm(row: &[u8]) -> f64 {
    let norm2 = simd::norm2_f32(row);
    if PRECISE.contains(&norm2) {
        return f64::from(norm2).sqrt();
    }
    let sum: f64 = f32s(row).map(|x| f64::from(x) * f64::from(x)).sum();
    sum.sqrt()
}

/// Replaces the content of `out` by the row's vector, normalized for cosine, less the center.
pub fn preprocess(similarity: Similarity, center: Option<&[f32]>, row: &[u8], out: &mut Vec<f32>) {
    out.clear();
    out.extend(f32s(row));
    if similarity == Similarity::Cosine {
        let norm = norm(row);
        if norm > 0.0 {
            out.iter_mut().for_each(|value| *value = (f64::from(*value) / norm) as f32);
        }
    }
    if let Some(center) = center {
        out.iter_mut().zip(center).for_each(|(value, center)| *value -= center);
    }
}

/// The inner product in double precision, of the components that both have.
pub fn dot(x: &[f32], y: &[f32]) -> f64 {
    let both = x.len().min(y.len());
    simd::dot_f64(x.get(..both).unwrap_or_default(), y.get(..both).unwrap_or_default())
}

/// A distance that sorts: infinities become the largest numbers, NaN the farthest.
#[inline]
#[expect(clippy::manual_clamp, reason = "min and max return the other operand for NaN, clamp returns NaN")]
pub fn finite(distance: f32) -> f32 {
    distance.min(f32::MAX).max(f32::MIN)
}

#[cfg(test)]
mod tests {
    use super::*;
    use lucerne_codec::io::bytes::from_f32s;

    #[test]
    fn cosine_is_normalized_and_a_center_subtracted() {
        let row = from_f32s(&[3.0, 4.0]);
        let mut out = Vec::new();
        preprocess(Similarity::Cosine, None, &row, &mut out);
        assert_eq!(out, [0.6, 0.8]);
        preprocess(Similarity::Euclidean, Some(&[1.0, 1.0]), &row, &mut out);
        assert_eq!(out, [2.0, 3.0]);
    }
}
