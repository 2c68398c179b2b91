//! The codes of a segment being written.

use super::center::CenterChoice;
use super::codes::Codes;
use super::file;
use super::graph_vectors::GraphCodes;
use super::meta::{CodesMeta, QuantizerVersion};
use super::params::Params;
use super::quantiles::{self, Quantiles};
use super::quantizer::Quantizer;
use super::sq4::Sq4Codes;
use crate::distance::GraphVectors;
use crate::encoding::preprocess::preprocess;
use crate::encoding::rows::{Rows, for_each_index};
use crate::encoding::sample::Sample;
use crate::encoding::traits::{EncodeContext, NewVectors};
use lucerne_codec::format::Written;
use lucerne_codec::{Cancel, Error, FieldInfo, Ordinal, Result};

/// Codes, their metadata and center, and for graph search their 4-bit codes.
pub(super) struct NewCodes<'a> {
    field: &'a FieldInfo,
    codes: Codes<'a>,
    meta: CodesMeta,
    center: CenterChoice,
    sq4: Option<Sq4Codes<'a>>,
}

impl<'a> NewCodes<'a> {
    /// Puts metadata together, and makes 4-bit codes if they will be searched.
    pub(super) fn new(
        context: &EncodeContext<'a>,
        params: &Params,
        codes: Codes<'a>,
        quantiles: Quantiles,
        center: CenterChoice,
    ) -> Result<Self> {
        let versions = codes.versions.iter().zip(codes.counts());
        let versions = versions.map(|(&quantiles, vectors)| QuantizerVersion { quantiles, vectors });
        let sq4 = (context.graph && params.search_bits == 4)
            .then(|| Sq4Codes::new(context.write, context.field, &codes))
            .transpose()?;
        let meta = CodesMeta {
            quantiles,
            confidence_interval: params.confidence,
            versions: versions.collect(),
            center: center.kind,
            sq4: sq4.is_some(),
        };
        Ok(Self { field: context.field, codes, meta, center, sq4 })
    }

    /// Encodes every vector with one pair of quantiles.
    pub(super) fn encode_all(
        context: &EncodeContext<'a>,
        params: &Params,
        rows: &dyn Rows,
        center: CenterChoice,
        quantiles: Quantiles,
    ) -> Result<Self> {
        let similarity = context.field.similarity;
        let mut codes = Codes::new(context.field.dimension as usize, rows.len());
        let number = codes.version_number(quantiles);
        let quantizer = Quantizer::new(similarity, quantiles);
        let mut vector = Vec::new();
        for_each_index(0..rows.len(), context.write.cancel, |index| {
            preprocess(similarity, center.slice(), rows.row(index)?, &mut vector);
            codes.encode(&quantizer, number, &vector);
            Ok(())
        })?;
        Self::new(context, params, codes, quantiles, center)
    }
}

impl NewVectors for NewCodes<'_> {
    fn graph_vectors(&self) -> Result<Box<dyn GraphVectors + '_>> {
        Ok(Box::new(GraphCodes::new(
            self.field.similarity,
            self.center.slice(),
            self.codes.rows(),
            self.sq4.as_ref().map(Sq4Codes::rows),
            &self.codes.versions,
            self.field.dimension as usize,
        )))
    }

    fn write(&self, context: &EncodeContext<'_>, order: &[Ordinal]) -> Result<Written> {
        let mut files = vec![file::write(context, &self.codes, order, self.center.slice())?];
        if let Some(sq4) = &self.sq4 {
            files.push(sq4.write(context.write, context.field, order)?);
        }
        let meta = serde_json::to_value(&self.meta).map_err(|error| Error::Invalid(error.to_string()))?;
        Ok(Written { files, meta })
    }
}

/// Quantiles of a sample of the vectors.
pub(super) fn sample_quantiles(
    field: &FieldInfo,
    params: &Params,
    rows: &dyn Rows,
    center: Option<&[f32]>,
    cancel: &Cancel,
) -> Result<Quantiles> {
    quantiles::find(&Sample::new(rows, field.similarity, center, cancel), params.confidence)
}
