//! The codes of a segment being written: centre, quantiles, then every vector.

use super::reader::LayeredReader;
use super::settings::Settings;
use crate::flat_f32::Rows;
use crate::sq8::center;
use crate::sq8::center::{LEAST, Sample};
use crate::sq8::meta::{Center, Encoding};
use crate::sq8::quantizer::{Quantizer, transform};
use crate::sq8::{Codes, CodesMeta, Quantiles};
use lucerne_codec::{Cancel, FieldInfo, Result};

/// A decision about the centre, and the centre.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct ChosenCenter {
    pub(super) kind: Center,
    pub(super) center: Option<Vec<f32>>,
}

impl ChosenCenter {
    /// No centre; `kind` says whether for good.
    pub(super) fn without(kind: Center) -> Self {
        Self { kind, center: None }
    }

    /// The centre an open segment has.
    pub(super) fn of(reader: &LayeredReader) -> Option<Self> {
        let codes = reader.codes()?;
        Some(Self { kind: codes.meta().center, center: codes.center().map(<[f32]>::to_vec) })
    }

    /// Decides from the vectors themselves.
    pub(super) fn decide(
        field: &FieldInfo,
        settings: &Settings,
        rows: &impl Rows,
        cancel: &Cancel,
    ) -> Result<Self> {
        if !settings.center {
            return Ok(Self::without(Center::None));
        }
        if rows.len() < LEAST {
            return Ok(Self::without(Center::Undecided));
        }
        let sample = Sample::new(rows, field.similarity, None, cancel);
        let found = sample.worthwhile_center(field.dimension as usize, settings.confidence)?;
        Ok(match found {
            Some(center) => Self {
                kind: Center::Crc32(crc32fast::hash(&center::to_bytes(&center))),
                center: Some(center),
            },
            None => Self::without(Center::None),
        })
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

/// Codes, their facts and their centre.
pub(super) struct Encoded {
    pub(super) codes: Codes,
    pub(super) meta: CodesMeta,
    pub(super) center: ChosenCenter,
}

impl Encoded {
    /// Puts the facts together.
    pub(super) fn new(codes: Codes, quantiles: Quantiles, confidence: f64, center: ChosenCenter) -> Self {
        let counts = codes.counts();
        let encodings = codes.encodings.iter().zip(counts);
        let encodings = encodings.map(|(&quantiles, vectors)| Encoding { quantiles, vectors });
        let meta = CodesMeta {
            quantiles,
            confidence_interval: confidence,
            encodings: encodings.collect(),
            center: center.kind,
        };
        Self { codes, meta, center }
    }

    /// Encodes every vector with one pair of quantiles.
    pub(super) fn all(
        field: &FieldInfo,
        settings: &Settings,
        rows: &impl Rows,
        center: ChosenCenter,
        quantiles: Quantiles,
        cancel: &Cancel,
    ) -> Result<Self> {
        let mut codes = Codes::new(field.dimension as usize, rows.len());
        let number = codes.number(quantiles);
        let quantizer = Quantizer::new(field.similarity, quantiles);
        let mut vector = Vec::new();
        for index in 0..rows.len() {
            if index % 1_024 == 0 {
                cancel.check()?;
            }
            transform(field.similarity, center.slice(), rows.row(index)?, &mut vector);
            codes.encode(&quantizer, number, &vector);
        }
        Ok(Self::new(codes, quantiles, settings.confidence, center))
    }
}

/// Quantiles of a sample of the vectors.
pub(super) fn sample_quantiles(
    field: &FieldInfo,
    settings: &Settings,
    rows: &impl Rows,
    center: Option<&[f32]>,
    cancel: &Cancel,
) -> Result<Quantiles> {
    Sample::new(rows, field.similarity, center, cancel).quantiles(settings.confidence)
}
