//! Whether to subtract a center from all vectors before they are encoded, and which.
//!
//! The center is the mean of the sample. It is used when the codes' mean squared error with it, on some of
//! the sample, is at most [`WORTH`] of the error without: it must pay for the restriction that codes are
//! comparable only with codes around the same center. With fewer than [`LEAST_VECTORS`] vectors the question is
//! left open.

use super::meta::Center;
use super::params::Params;
use super::quantiles;
use super::quantizer::Quantizer;
use super::vectors::Sq8Vectors;
use crate::encoding::center::{LEAST_VECTORS, crc32};
use crate::encoding::merge_sources::MergeSources;
use crate::encoding::rows::Rows;
use crate::encoding::sample::Sample;
use lucerne_codec::{Cancel, FieldInfo, Result};

/// Share of the error that may remain.
const WORTH: f64 = 0.5;
/// Vectors the two errors are measured on.
const MEASURED: usize = 4_000;

/// A decision about the center, and the center.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct CenterChoice {
    pub(super) kind: Center,
    pub(super) center: Option<Vec<f32>>,
}

impl CenterChoice {
    /// No center; `kind` says whether for good.
    fn without(kind: Center) -> Self {
        Self { kind, center: None }
    }

    /// The center of an open segment.
    fn of(vectors: &Sq8Vectors) -> Self {
        let codes = vectors.codes();
        Self { kind: codes.meta().center, center: codes.center().map(<[f32]>::to_vec) }
    }

    /// The center of an earlier segment if it has decided, else one chosen from the vectors themselves.
    pub(super) fn inherited_or_new(
        field: &FieldInfo,
        params: &Params,
        rows: &dyn Rows,
        previous: Option<&Sq8Vectors>,
        cancel: &Cancel,
    ) -> Result<Self> {
        let inherited = previous.map(Self::of);
        match inherited.filter(|choice| params.center && choice.kind != Center::Undecided) {
            Some(choice) => Ok(choice),
            None => Self::new(field, params, rows, cancel),
        }
    }

    /// Decides from the vectors themselves.
    pub(super) fn new(field: &FieldInfo, params: &Params, rows: &dyn Rows, cancel: &Cancel) -> Result<Self> {
        if !params.center {
            return Ok(Self::without(Center::None));
        }
        if rows.len() < LEAST_VECTORS {
            return Ok(Self::without(Center::Undecided));
        }
        let sample = Sample::new(rows, field.similarity, None, cancel);
        Ok(match worthwhile(sample, field.dimension as usize, params.confidence)? {
            Some(center) => Self { kind: Center::Crc32(crc32(&center)), center: Some(center) },
            None => Self::without(Center::None),
        })
    }

    /// The center that most live vectors of a merge have, or that most know to be needless; `None` when it must be
    /// decided now. A field that may not have one has none.
    pub(super) fn of_sources(params: &Params, sources: &MergeSources<'_>) -> Option<Self> {
        if !params.center {
            return Some(Self::without(Center::None));
        }
        let mut weights: Vec<(Self, usize)> = Vec::new();
        for source in sources.sources.iter().filter(|source| source.live() > 0) {
            let Some(choice) = source.encoded_as().map(Self::of) else { continue };
            if choice.kind == Center::Undecided {
                continue;
            }
            match weights.iter_mut().find(|(known, _)| *known == choice) {
                Some((_, weight)) => *weight += source.live(),
                None => weights.push((choice, source.live())),
            }
        }
        // The first of the heaviest.
        let heaviest = weights.iter().map(|(_, weight)| *weight).max()?;
        let few = sources.len() < 4 * LEAST_VECTORS;
        weights
            .into_iter()
            .find(|(_, weight)| *weight == heaviest && (*weight >= LEAST_VECTORS || few))
            .map(|(choice, _)| choice)
    }

    pub(super) fn slice(&self) -> Option<&[f32]> {
        self.center.as_deref()
    }

    /// Whether codes around `other` stand for the same values.
    pub(super) fn comparable(&self, other: Center) -> bool {
        let bare = |center| matches!(center, Center::None | Center::Undecided);
        self.kind == other || (bare(self.kind) && bare(other))
    }
}

/// The mean of the sample, when subtracting it pays.
fn worthwhile(sample: Sample<'_>, dimension: usize, confidence: f64) -> Result<Option<Vec<f32>>> {
    let bare = sample.around(None);
    let center = bare.mean(dimension)?;
    let with = squared_error(sample.around(Some(&center)), confidence)?;
    let without = squared_error(bare, confidence)?;
    Ok((with <= WORTH * without && without > 0.0).then_some(center))
}

/// The squared error of the codes of some of the sample.
fn squared_error(sample: Sample<'_>, confidence: f64) -> Result<f64> {
    let quantizer = Quantizer::new(sample.similarity(), quantiles::find(&sample, confidence)?);
    let mut error = 0.0;
    sample.limited(MEASURED).for_each(|vector| error += quantizer.squared_error(vector))?;
    Ok(error)
}

#[cfg(test)]
mod tests {
    use super::*;
    use lucerne_codec::Similarity;

    struct Matrix(Vec<Vec<u8>>);

    impl Rows for Matrix {
        fn len(&self) -> usize {
            self.0.len()
        }
        fn row(&self, index: usize) -> Result<&[u8]> {
            Ok(&self.0[index])
        }
    }

    /// Spread ±0.5 in each of 32 dimensions, the first around `offset`.
    fn matrix(offset: f32) -> Matrix {
        let mut state = 3u64;
        let mut next = || {
            state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
            (state >> 40) as f32 / 16_777_216.0 - 0.5
        };
        let vector = |_| {
            let mut values: Vec<f32> = (0..32).map(|_| next()).collect();
            values[0] += offset;
            lucerne_codec::io::bytes::from_f32s(&values)
        };
        Matrix((0..500).map(vector).collect())
    }

    #[test]
    fn a_center_is_used_where_it_pays() {
        for (offset, pays) in [(0.0, false), (0.2, false), (5.0, true), (-40.0, true)] {
            let rows = matrix(offset);
            let cancel = Cancel::new();
            let sample = Sample::new(&rows, Similarity::MaxInnerProduct, None, &cancel);
            let center = worthwhile(sample, 32, 1.0).unwrap();
            assert_eq!(center.is_some(), pays, "{offset}");
            if let Some(center) = center {
                assert!((center[0] - offset).abs() < 0.1 && center[1].abs() < 0.1);
            }
        }
    }
}
