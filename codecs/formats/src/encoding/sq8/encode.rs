//! The codes of a segment being written.

use super::codes::Codes;
use super::file;
use super::frame::Projected;
use super::frame_choice::FrameChoice;
use super::graph_codes::GraphCodes;
use super::meta::{CodesMeta, Meta, Quality, QuantizerVersion, RawReason};
use super::params::{Params, RAW_DIMENSION};
use super::quality::Measured;
use super::quantiles::Quantiles;
use super::quantizer::Quantizer;
use super::sq4::Sq4Codes;
use crate::distance::GraphVectors;
use crate::encoding::raw::raw_graph_vectors;
use crate::encoding::rows::{Rows, for_each_index};
use crate::encoding::traits::{EncodeContext, NewVectors, WrittenVectors};
use lucerne_codec::{Error, FieldInfo, Ordinal, Result};

/// What a segment is searched by.
pub(super) enum NewSq8<'a> {
    Codes(Box<NewCodes<'a>>),
    Raw(NewRaw<'a>),
}

/// Codes, their metadata and frame, and for graph search their 4-bit codes.
pub(super) struct NewCodes<'a> {
    field: &'a FieldInfo,
    codes: Codes<'a>,
    meta: CodesMeta,
    frame: FrameChoice,
    sq4: Option<Sq4Codes<'a>>,
}

/// Raw vectors instead.
pub(super) struct NewRaw<'a> {
    field: &'a FieldInfo,
    rows: &'a dyn Rows,
    reason: RawReason,
}

impl<'a> NewSq8<'a> {
    /// Raw vectors, where no codes would pay.
    pub(super) fn raw_if_short(field: &'a FieldInfo, rows: &'a dyn Rows) -> Option<Self> {
        let reason = RawReason::FewComponents;
        (field.dimension <= RAW_DIMENSION).then_some(Self::Raw(NewRaw { field, rows, reason }))
    }

    /// Measures the codes of `rows`, and keeps them as far as they will do, or in any case where raw vectors are not kept.
    /// Puts metadata together, and makes 4-bit codes if they will be searched. `known` is the quality of vectors that are
    /// themselves decoded, which do not show what they have lost.
    pub(super) fn new(
        context: &EncodeContext<'a>,
        params: &Params,
        rows: &'a dyn Rows,
        codes: Codes<'a>,
        quantiles: Quantiles,
        frame: FrameChoice,
        known: Option<Quality>,
    ) -> Result<Self> {
        let (field, cancel) = (context.field, context.write.cancel);
        let sq4 = (context.graph && params.search_bits == 4)
            .then(|| Sq4Codes::new(context.write, field, &codes))
            .transpose()?;
        let measured = Measured {
            similarity: field.similarity,
            frame: &frame.frame,
            rows: codes.rows(),
            versions: &codes.versions,
            sq4: sq4.as_ref().map(Sq4Codes::rows),
        };
        let verdict = measured.judge(rows, cancel)?;
        let quality = match known {
            Some(known) => Quality { sq4: verdict.quality.sq4, ..known },
            None => verdict.quality,
        };
        let rescored = match verdict.rescored {
            _ if !params.keep_raw => 0,
            Some(rescored) => rescored,
            None => {
                let reason = RawReason::Quality(quality);
                return Ok(Self::Raw(NewRaw { field, rows, reason }));
            }
        };
        let sq4 = sq4.filter(|_| verdict.sq4);
        let versions = codes.versions.iter().zip(codes.counts());
        let versions = versions.map(|(&quantiles, vectors)| QuantizerVersion { quantiles, vectors });
        let meta = CodesMeta {
            quantiles,
            confidence_interval: params.confidence,
            versions: versions.collect(),
            frame: frame.meta,
            scale4: params.scale4(),
            sq4: sq4.is_some(),
            rescored: rescored as u32,
            quality: Some(quality),
        };
        Ok(Self::Codes(Box::new(NewCodes { field, codes, meta, frame, sq4 })))
    }

    /// Encodes every vector with one pair of quantiles.
    pub(super) fn encode_all(
        context: &EncodeContext<'a>,
        params: &Params,
        rows: &'a dyn Rows,
        frame: FrameChoice,
        quantiles: Quantiles,
    ) -> Result<Self> {
        let dimension = context.field.dimension as usize;
        let mut codes = Codes::new(dimension, rows.len(), params.scale4(), None);
        let number = codes.version_number(quantiles);
        let quantizer = Quantizer::new(quantiles, frame.frame.stretches());
        let mut projected = Projected::default();
        for_each_index(0..rows.len(), context.write.cancel, |index| {
            frame.frame.project(&rows.vector(index)?, &mut projected);
            codes.encode(&quantizer, number, &projected);
            Ok(())
        })?;
        Self::new(context, params, rows, codes, quantiles, frame, None)
    }

    /// Whether codes did not do.
    pub(super) fn is_raw(&self) -> bool {
        matches!(self, Self::Raw(_))
    }
}

impl NewVectors for NewSq8<'_> {
    fn graph_vectors(&self) -> Result<Box<dyn GraphVectors + '_>> {
        match self {
            Self::Raw(raw) => raw_graph_vectors(raw.field, raw.rows),
            Self::Codes(new) => Ok(Box::new(GraphCodes::new(
                &new.frame.frame,
                new.codes.rows(),
                new.sq4.as_ref().map(Sq4Codes::rows),
                &new.codes.versions,
                new.field.dimension as usize,
            ))),
        }
    }

    fn write(&self, context: &EncodeContext<'_>, order: &[Ordinal]) -> Result<WrittenVectors> {
        let (files, spare, meta) = match self {
            Self::Raw(raw) => (Vec::new(), Vec::new(), Meta::Raw(raw.reason)),
            Self::Codes(new) => {
                let center = new.frame.frame.center();
                let (codes, spare) = file::write(context, &new.codes, order, center)?;
                let mut files = vec![codes];
                if let Some(sq4) = &new.sq4 {
                    files.push(sq4.write(context.write, context.field, order)?);
                }
                (files, spare, Meta::Codes(new.meta.clone()))
            }
        };
        let meta = serde_json::to_value(meta).map_err(|error| Error::Invalid(error.to_string()))?;
        Ok(WrittenVectors { files, meta, spare })
    }
}
