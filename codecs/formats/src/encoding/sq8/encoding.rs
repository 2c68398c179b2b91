//! The encoding, as the table of formats has it.

use super::corrections::ShortCorrections;
use super::encode::NewSq8;
use super::frame_choice::FrameChoice;
use super::merge::{CodesMerge, RawMerge};
use super::meta::{CodesMeta, Meta};
use super::params::{NAMES, Params};
use super::quantiles::Quantiles;
use super::sq4::{LEAST_DIMENSION, row_len};
use super::vectors::{self, Sq8Vectors};
use crate::encoding::encoded::EncodedVectors;
use crate::encoding::merge_sources::MergeSources;
use crate::encoding::rows::Rows;
use crate::encoding::temp_file::in_memory;
use crate::encoding::traits::{EncodeContext, Encoding, MergePlan, NewVectors, OpenContext, ParamNames};
use lucerne_codec::format::{Metadata, Working};
use lucerne_codec::{Cancel, Error, FieldInfo, Ordinal, Result, Similarity};
use serde::Deserialize as _;

/// Int8 codes.
#[derive(Clone, Copy, Debug, Default)]
pub struct Sq8 {
    forced: Option<Quantiles>,
}

impl Sq8 {
    /// Encodes flushes with given quantiles instead of those of a sample: for tests of what merges decide.
    pub fn with_quantiles(lower: f32, upper: f32) -> Self {
        Self { forced: Some(Quantiles::new(lower, upper)) }
    }
}

impl Encoding for Sq8 {
    fn name(&self) -> &'static str {
        "int8"
    }

    fn params(&self) -> ParamNames {
        NAMES
    }

    fn check(&self, field: &FieldInfo) -> Result<()> {
        Params::of(field).map(|_| ())
    }

    fn keeps_raw(&self, field: &FieldInfo) -> bool {
        field.keeps_raw()
    }

    fn without_raw(&self, field: &FieldInfo, meta: &Metadata) -> Result<Metadata> {
        let invalid = |problem: String| Error::Invalid(format!("field {:?}: {problem}", field.name));
        match Meta::deserialize(meta).map_err(|error| invalid(error.to_string()))? {
            Meta::Codes(codes) => serde_json::to_value(Meta::Codes(CodesMeta { rescored: 0, ..codes }))
                .map_err(|error| invalid(error.to_string())),
            Meta::Raw(_) => Err(invalid(
                "it has no codes, because they do not tell its nearest neighbors apart; keep the raw vectors"
                    .to_owned(),
            )),
        }
    }

    fn compares_panels(&self, field: &FieldInfo) -> bool {
        field.dimension >= LEAST_DIMENSION && field.similarity != Similarity::MaxInnerProduct
    }

    /// Codes, sum, corrections and version number.
    fn buffered_bytes(&self, field: &FieldInfo) -> usize {
        let [_, corrections] = bytes_of_sq4(field);
        field.dimension as usize + 24 + corrections
    }

    fn merge_bytes(&self, field: &FieldInfo, vectors: u64, working: Working) -> u64 {
        let [row, corrections] = bytes_of_sq4(field);
        let all = |bytes: usize| vectors.saturating_mul(bytes as u64);
        let codes = [field.dimension as usize, row].map(|bytes| in_memory(all(bytes), working));
        codes.iter().sum::<u64>().saturating_add(all(corrections))
    }

    fn encode<'a>(
        &self,
        context: &EncodeContext<'a>,
        rows: &'a dyn Rows,
        previous: Option<&dyn EncodedVectors>,
    ) -> Result<Box<dyn NewVectors + 'a>> {
        let (field, cancel) = (context.field, context.write.cancel);
        let params = Params::of(field)?;
        if let Some(raw) = NewSq8::raw_if_short(field, rows) {
            return Ok(Box::new(raw));
        }
        let previous = previous.and_then(|previous| previous.as_any().downcast_ref::<Sq8Vectors>());
        let frame = FrameChoice::for_flush(field, rows, previous, cancel)?;
        // Codes that are never made again from raw vectors stay comparable to the last: no merge has to touch them.
        let inherited = previous.map(|previous| previous.codes().meta());
        let inherited = inherited.filter(|meta| !params.keep_raw && meta.frame == frame.meta);
        let quantiles = match self.forced.or(inherited.map(|meta| meta.quantiles)) {
            Some(quantiles) => quantiles,
            None => frame.quantiles(&params, rows, cancel)?,
        };
        Ok(Box::new(NewSq8::encode_all(context, &params, rows, frame, quantiles)?))
    }

    fn plan_merge(
        &self,
        field: &FieldInfo,
        sources: &MergeSources<'_>,
        cancel: &Cancel,
    ) -> Result<Box<dyn MergePlan>> {
        let params = Params::of(field)?;
        if NewSq8::raw_if_short(field, sources).is_some() {
            return Ok(Box::new(RawMerge));
        }
        Ok(Box::new(CodesMerge::new(field, params, sources, cancel)?))
    }

    fn salvage(
        &self,
        context: &OpenContext<'_>,
        cancel: &Cancel,
    ) -> Result<(Box<dyn EncodedVectors>, Vec<Ordinal>)> {
        vectors::salvage(context, cancel)
    }

    fn open(&self, context: &OpenContext<'_>) -> Result<Box<dyn EncodedVectors>> {
        vectors::open(context)
    }
}

/// Bytes of a vector's 4-bit codes and of their corrections, where there may be some.
fn bytes_of_sq4(field: &FieldInfo) -> [usize; 2] {
    if field.dimension < LEAST_DIMENSION {
        return [0; 2];
    }
    [row_len(field.dimension as usize), size_of::<ShortCorrections>()]
}
