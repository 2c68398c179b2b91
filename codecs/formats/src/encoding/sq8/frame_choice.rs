//! Which frame the codes of a new segment have: that of an earlier segment while it serves, else one of its own.

use super::center::CenterSample;
use super::frame::Frame;
use super::lattice;
use super::meta::FrameMeta;
use super::params::Params;
use super::quantiles::{self, Quantiles};
use super::vectors::Sq8Vectors;
use crate::encoding::center::{LEAST_VECTORS, crc32};
use crate::encoding::merge_sources::MergeSources;
use crate::encoding::rows::{Rows, for_each_index};
use crate::encoding::sample::evenly;
use lucerne_codec::{Cancel, FieldInfo, Result, Similarity};

/// Vectors of a sample that quantiles are taken from.
const SAMPLE: usize = 25_000;
/// Components of it. Rotated components are alike: more tell nothing new.
const SAMPLED_VALUES: usize = 2_000_000;

/// A frame, and what files say about it.
#[derive(Clone, Debug)]
pub(super) struct FrameChoice {
    pub(super) meta: FrameMeta,
    pub(super) frame: Frame,
}

impl FrameChoice {
    /// The frame of an open segment.
    fn of(vectors: &Sq8Vectors) -> Self {
        Self { meta: vectors.codes().meta().frame, frame: vectors.frame().clone() }
    }

    fn lattice(similarity: Similarity, quantiles: Quantiles) -> Self {
        Self { meta: FrameMeta::Lattice(quantiles), frame: Frame::lattice(similarity) }
    }

    fn rotated(similarity: Similarity, center: Vec<f32>) -> Self {
        let meta = FrameMeta::Rotated { center_crc32: crc32(&center) };
        Self { meta, frame: Frame::rotated(similarity, center) }
    }

    /// The frame that suits the vectors best.
    pub(super) fn new(field: &FieldInfo, rows: &dyn Rows, cancel: &Cancel) -> Result<Self> {
        if let Some(quantiles) = lattice::find(rows, cancel)? {
            return Ok(Self::lattice(field.similarity, quantiles));
        }
        let center = sample_of(field, rows, cancel)?.median();
        Ok(Self::rotated(field.similarity, center))
    }

    /// The frame of a flush: that of an earlier segment if it serves.
    pub(super) fn for_flush(
        field: &FieldInfo,
        rows: &dyn Rows,
        previous: Option<&Sq8Vectors>,
        cancel: &Cancel,
    ) -> Result<Self> {
        let Some(previous) = previous.map(Self::of).filter(Self::is_rotated) else {
            return Self::new(field, rows, cancel);
        };
        // Few vectors do not show where the others are.
        if rows.len() < LEAST_VECTORS {
            return Ok(previous);
        }
        if let Some(quantiles) = lattice::find(rows, cancel)? {
            return Ok(Self::lattice(field.similarity, quantiles));
        }
        let sample = sample_of(field, rows, cancel)?;
        let own = sample.median();
        let serves = previous.serves(&sample, &own);
        Ok(if serves { previous } else { Self::rotated(field.similarity, own) })
    }

    /// The frame of a merge: the one that most live vectors have, if it serves them all. `None` if none does.
    pub(super) fn for_merge(
        field: &FieldInfo,
        sources: &MergeSources<'_>,
        cancel: &Cancel,
    ) -> Result<Option<Self>> {
        let mut weights: Vec<(Self, usize)> = Vec::new();
        for source in sources.sources.iter().filter(|source| source.live() > 0) {
            let Some(choice) = source.encoded_as().map(Self::of) else { continue };
            match weights.iter_mut().find(|(known, _)| known.meta == choice.meta) {
                Some((_, weight)) => *weight += source.live(),
                None => weights.push((choice, source.live())),
            }
        }
        // Codes of a lattice are exact because nothing is changed: only the same lattice can be added.
        if let [(choice, weight)] = weights.as_slice()
            && !choice.is_rotated()
        {
            return Ok((*weight == sources.len()).then(|| choice.clone()));
        }
        let rotated = weights.into_iter().filter(|(choice, _)| choice.is_rotated());
        // The first of the heaviest.
        let heaviest = rotated.rev().max_by_key(|(_, weight)| *weight);
        let Some((choice, _)) = heaviest else { return Ok(None) };
        if sources.len() < LEAST_VECTORS {
            return Ok(Some(choice));
        }
        let sample = sample_of(field, sources, cancel)?;
        Ok(choice.serves(&sample, &sample.median()).then_some(choice))
    }

    fn is_rotated(&self) -> bool {
        matches!(self.meta, FrameMeta::Rotated { .. })
    }

    /// Whether this center serves the vectors about as well as their own.
    fn serves(&self, sample: &CenterSample, own: &[f32]) -> bool {
        self.frame.center().is_some_and(|center| sample.accepts(center, own))
    }

    /// Quantiles for the vectors in this frame: of a sample of them, or those of the lattice.
    pub(super) fn quantiles(&self, params: &Params, rows: &dyn Rows, cancel: &Cancel) -> Result<Quantiles> {
        if let FrameMeta::Lattice(quantiles) = self.meta {
            return Ok(quantiles);
        }
        let dimension = self.frame.center().map_or(1, <[f32]>::len).max(1);
        let sampled = rows.len().min(SAMPLE).min((SAMPLED_VALUES / dimension).max(1));
        let mut values = Vec::with_capacity(sampled * dimension);
        let mut projected = Default::default();
        for_each_index(evenly(rows.len(), sampled), cancel, |index| {
            self.frame.project(&rows.vector(index)?, &mut projected);
            values.extend_from_slice(&projected.vector);
            Ok(())
        })?;
        quantiles::find(&values.as_slice(), params.confidence)
    }
}

fn sample_of(field: &FieldInfo, rows: &dyn Rows, cancel: &Cancel) -> Result<CenterSample> {
    CenterSample::new(field.similarity, field.dimension as usize, rows, cancel)
}
