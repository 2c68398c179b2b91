//! A query as one or four bit planes, and estimated distances from Hamming distances.

use super::encode::{HashRows, hash_len, signs};
use super::meta::Estimator;
use crate::encoding::preprocess::{dot, finite, preprocess};
use lucerne_codec::io::bytes::f32s;
use lucerne_codec::{Ordinal, Similarity};
use lucerne_simd as simd;

/// Bits of a query's component, with the corrected estimator.
const PLANES: u32 = 4;
/// The largest component: 2⁴ − 1.
const LARGEST: f32 = 15.0;
/// The component that stands for 0.
const MIDDLE: f32 = LARGEST / 2.0;

/// A query against the hashes of one segment.
#[derive(Debug)]
pub struct HashQuery {
    hash_len: usize,
    /// Hashes of the query, and what their Hamming distances are multiplied with.
    planes: Vec<(Vec<u8>, f32)>,
    /// The query's part when all Hamming distances are 0.
    offset: f32,
    /// What is added to every distance.
    constant: f32,
    estimator: Estimator,
}

/// Room for one block of Hamming distances.
#[derive(Debug, Default)]
pub struct HashScratch(Vec<u32>);

impl HashQuery {
    /// Prepares a query row for hashes around `center`.
    pub fn new(similarity: Similarity, estimator: Estimator, center: Option<&[f32]>, row: &[u8]) -> Self {
        match estimator {
            Estimator::Plain => {
                let vector: Vec<f32> = f32s(row).collect();
                let planes = vec![(signs(&vector).collect(), 1.0)];
                let hash_len = hash_len(vector.len());
                Self { hash_len, planes, offset: 0.0, constant: 0.0, estimator }
            }
            Estimator::Corrected => Self::corrected(similarity, center.unwrap_or_default(), row),
        }
    }

    fn corrected(similarity: Similarity, center: &[f32], row: &[u8]) -> Self {
        let mut vector = Vec::new();
        preprocess(similarity, None, row, &mut vector);
        let base = if similarity == Similarity::Cosine { 1.0 } else { 0.0 };
        let constant = base - dot(&vector, center);
        vector.iter_mut().zip(center).for_each(|(value, center)| *value -= center);
        let constant = match similarity {
            Similarity::Euclidean => dot(&vector, &vector),
            _ => constant,
        };
        let greatest = vector.iter().fold(0f32, |most, value| most.max(value.abs()));
        let step = (greatest / MIDDLE).max(f32::MIN_POSITIVE);
        // The cast clamps.
        let level = |value: f32| (value / step + MIDDLE).round().min(LARGEST) as u8;
        let levels: Vec<u8> = vector.iter().map(|&value| level(value)).collect();
        let plane = |bit: u32| -> Vec<u8> {
            let byte =
                |eight: &[u8]| (0..).zip(eight).map(|(at, &level)| (level >> bit & 1) << at).sum::<u8>();
            levels.chunks(8).map(byte).collect()
        };
        let planes = (0..PLANES).map(|bit| (plane(bit), -step * f32::from(1u8 << bit))).collect();
        let offset = step * MIDDLE * vector.len() as f32;
        let hash_len = hash_len(vector.len());
        let (offset, constant) = (finite(offset), finite(constant as f32));
        Self { hash_len, planes, offset, constant, estimator: Estimator::Corrected }
    }

    /// Estimated distances of vectors picked by their ordinals.
    pub fn gather(
        &self,
        hashes: &HashRows<'_>,
        ordinals: &[Ordinal],
        scratch: &mut HashScratch,
        out: &mut [f32],
    ) {
        self.sum(ordinals.len(), scratch, out, |plane, distances| {
            simd::hamming_many(hashes.bits, self.hash_len, ordinals, plane, distances);
        });
        for (out, &ordinal) in out.iter_mut().zip(ordinals) {
            *out = self.finish(hashes, ordinal as usize, *out);
        }
    }

    /// Estimated distances of the vectors from `first` on, as many as `out` has places and there are.
    pub fn scan(&self, hashes: &HashRows<'_>, first: usize, scratch: &mut HashScratch, out: &mut [f32]) {
        let range = first * self.hash_len..(first + out.len()) * self.hash_len;
        let Some(rows) = hashes.bits.get(range) else {
            return out.fill(f32::MAX);
        };
        self.sum(out.len(), scratch, out, |plane, distances| simd::hamming_scan(rows, plane, distances));
        for (index, out) in (first..).zip(out) {
            *out = self.finish(hashes, index, *out);
        }
    }

    /// The query's part for each vector, from the Hamming distances to each plane.
    fn sum(
        &self,
        len: usize,
        HashScratch(distances): &mut HashScratch,
        out: &mut [f32],
        hamming: impl Fn(&[u8], &mut [u32]),
    ) {
        distances.resize(len, 0);
        out.fill(self.offset);
        for (plane, weight) in &self.planes {
            hamming(plane, distances);
            for (out, &distance) in out.iter_mut().zip(distances.iter()) {
                *out += weight * distance as f32;
            }
        }
    }

    #[inline]
    fn finish(&self, hashes: &HashRows<'_>, index: usize, sum: f32) -> f32 {
        match self.estimator {
            Estimator::Plain => sum,
            Estimator::Corrected => {
                let (add, multiply) = hashes.correction(index);
                finite(self.constant + add + multiply * sum)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::Hashes;
    use super::*;
    use lucerne_codec::testing::random_rows;
    use lucerne_codec::{FieldInfo, Params};

    /// 1 − correlation with true distances, over 400 vectors of 256 components.
    fn error(similarity: Similarity, estimator: Estimator, shift: f32) -> f64 {
        let dimension = 256;
        let mut rows = random_rows(401, dimension, 3);
        rows.iter_mut().flatten().for_each(|value| *value += shift);
        let bytes = lucerne_codec::io::bytes::from_f32s;
        let query = bytes(&rows.pop().unwrap());
        let field = FieldInfo {
            number: 0,
            name: "v".to_owned(),
            dimension: dimension as u32,
            similarity,
            params: Params::new(),
        };
        let center = (estimator == Estimator::Corrected).then(|| {
            let mut sum = vec![0f32; dimension];
            let mut vector = Vec::new();
            for row in &rows {
                preprocess(similarity, None, &bytes(row), &mut vector);
                sum.iter_mut().zip(&vector).for_each(|(sum, value)| *sum += value / rows.len() as f32);
            }
            sum
        });
        let mut hashes = Hashes::new(&field, estimator, center.clone(), rows.len());
        rows.iter().for_each(|row| hashes.encode(&bytes(row)));
        let prepared = HashQuery::new(similarity, estimator, center.as_deref(), &query);
        let (mut found, mut scratch) = (vec![0.0; rows.len()], HashScratch::default());
        prepared.scan(&hashes.rows(), 0, &mut scratch, &mut found);
        let mut picked = [0.0];
        prepared.gather(&hashes.rows(), &[7], &mut scratch, &mut picked);
        assert_eq!(picked[0], found[7]);
        let exact = crate::encoding::raw::FloatQuery::new(similarity, &query);
        let exact: Vec<f64> = rows.iter().map(|row| f64::from(exact.distance(&bytes(row)))).collect();
        let found: Vec<f64> = found.into_iter().map(f64::from).collect();
        let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len() as f64;
        let (a, b) = (mean(&exact), mean(&found));
        let product = |x: &[f64], a: f64, y: &[f64], b: f64| -> f64 {
            x.iter().zip(y).map(|(x, y)| (x - a) * (y - b)).sum()
        };
        let both = product(&exact, a, &exact, a).sqrt() * product(&found, b, &found, b).sqrt();
        1.0 - product(&exact, a, &found, b) / both
    }

    #[test]
    fn estimates_follow_distances_and_corrected_ones_do_so_around_any_mean() {
        for similarity in Similarity::FLOAT {
            assert!(error(similarity, Estimator::Corrected, 0.0) < 0.4, "{similarity}");
            assert!(error(similarity, Estimator::Corrected, 3.0) < 0.4, "{similarity}");
        }
        assert!(error(Similarity::Cosine, Estimator::Plain, 0.0) < 0.5);
        // All signs are the same there, and so are all estimates.
        assert!(error(Similarity::Cosine, Estimator::Plain, 3.0).is_nan());
    }
}
