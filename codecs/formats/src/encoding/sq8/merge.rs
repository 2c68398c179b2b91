//! A merge of codes: the center, the merged quantiles, and each source's outcome; then the codes, copied or made anew.

use super::center::CenterChoice;
use super::codes::Codes;
use super::encode::{NewCodes, sample_quantiles};
use super::merge_plan::{Plan, SourceCodes, plan};
use super::params::Params;
use super::quantiles::Quantiles;
use super::quantizer::Quantizer;
use super::report;
use super::vectors::Sq8Vectors;
use crate::encoding::merge_sources::{MergeSource, MergeSources};
use crate::encoding::preprocess::preprocess;
use crate::encoding::report::MergeReport;
use crate::encoding::rows::{Rows, for_each_index};
use crate::encoding::temp_file::TempFile;
use crate::encoding::traits::{EncodeContext, MergePlan, MergedVectors};
use lucerne_codec::{Cancel, FieldInfo, Result};
use serde_json::json;

/// Extension of the file that codes are in during a merge; never part of a segment.
const TEMPORARY: &str = "tmp";

/// A planned merge of codes.
pub(super) struct CodesMerge {
    params: Params,
    /// Quantiles that new codes are encoded with.
    quantiles: Quantiles,
    center: CenterChoice,
    /// What the sources are known by, in their order.
    sources: Vec<SourceCodes>,
    plan: Plan,
}

impl CodesMerge {
    pub(super) fn new(
        field: &FieldInfo,
        params: Params,
        sources: &MergeSources<'_>,
        cancel: &Cancel,
    ) -> Result<Self> {
        let center = match CenterChoice::of_sources(&params, sources) {
            Some(center) => center,
            None => CenterChoice::new(field, &params, sources, cancel)?,
        };
        let mut known = Vec::new();
        for (number, source) in sources.sources.iter().enumerate() {
            let meta = source.encoded_as::<Sq8Vectors>().map(|vectors| vectors.codes().meta());
            let comparable = meta.filter(|meta| {
                center.comparable(meta.center) && meta.confidence_interval == params.confidence
            });
            let live = source.live() as u64;
            known.push(match comparable {
                Some(meta) => SourceCodes {
                    live,
                    quantiles: meta.quantiles,
                    versions: meta.versions.iter().map(|version| version.quantiles).collect(),
                },
                None => {
                    let rows = sources.source_rows(number);
                    let quantiles = sample_quantiles(field, &params, &rows, center.slice(), cancel)?;
                    SourceCodes { live, quantiles, versions: Vec::new() }
                }
            });
        }
        let plan = plan(&known, params.thresholds);
        let (quantiles, center) = match plan.quantiles {
            Some(quantiles) => (quantiles, center),
            None => {
                let center = CenterChoice::new(field, &params, sources, cancel)?;
                (sample_quantiles(field, &params, sources, center.slice(), cancel)?, center)
            }
        };
        Ok(Self { params, quantiles, center, sources: known, plan })
    }

    /// Whether a source keeps the codes of a quantizer version.
    fn keeps(&self, source: usize, version: usize) -> bool {
        let plan = self.plan.sources.get(source);
        plan.and_then(|plan| plan.keeps.get(version)).copied().unwrap_or(false)
    }

    /// Copies a vector's codes if they are kept; false if they must be encoded again.
    fn copy(
        &self,
        source: &MergeSource<'_>,
        number: usize,
        ordinal: u32,
        codes: &mut Codes<'_>,
    ) -> Result<bool> {
        let Some(file) = source.encoded_as::<Sq8Vectors>().map(Sq8Vectors::codes) else {
            return Ok(false);
        };
        let rows = file.rows();
        if !self.keeps(number, rows.version(ordinal as usize)) {
            return Ok(false);
        }
        let version = codes.version_number(file.version(ordinal)?.quantiles);
        codes.copy(version, file.codes(ordinal)?, rows.correction(ordinal as usize));
        Ok(true)
    }
}

impl MergePlan for CodesMerge {
    fn report(&self, report: &mut MergeReport) {
        let thresholds = self.params.thresholds;
        report.set("quantiles", report::pair(self.quantiles));
        report.set("center", report::center(self.center.kind));
        report.set(
            "thresholds",
            json!({
                "requantize_above": thresholds.requantize_above,
                "resample_above": thresholds.resample_above,
            }),
        );
        report.set_each("quantiles", self.sources.iter().map(|source| report::pair(source.quantiles)));
        report.set_each("drift", self.plan.sources.iter().map(|source| json!(source.drift)));
        report.set_each("outcome", self.plan.sources.iter().map(|source| source.outcome.name()));
    }

    fn reencoded_name(&self) -> &'static str {
        "vectors_requantized"
    }

    fn encode<'a>(
        &self,
        context: &EncodeContext<'a>,
        sources: &'a MergeSources<'a>,
    ) -> Result<MergedVectors<'a>> {
        let (field, cancel) = (context.field, context.write.cancel);
        let dimension = field.dimension as usize;
        let bytes = sources.len().saturating_mul(dimension);
        let file = TempFile::for_bytes(context.write, field, TEMPORARY, bytes)?;
        let mut codes = Codes::spilling(dimension, sources.len(), file);
        let quantizer = Quantizer::new(field.similarity, self.quantiles);
        let mut vector = Vec::new();
        let mut reencoded = vec![0u64; sources.sources.len()];
        for_each_index(0..sources.len(), cancel, |index| {
            codes.spill()?;
            let Some(merged) = sources.vectors.get(index) else { return Ok(()) };
            let number = merged.source as usize;
            let source = sources.sources.get(number);
            if let Some(source) = source
                && self.copy(source, number, merged.ordinal, &mut codes)?
            {
                return Ok(());
            }
            preprocess(field.similarity, self.center.slice(), sources.row(index)?, &mut vector);
            let version = codes.version_number(self.quantiles);
            codes.encode(&quantizer, version, &vector);
            if let Some(count) = reencoded.get_mut(number) {
                *count += 1;
            }
            Ok(())
        })?;
        codes.finish()?;
        let vectors = NewCodes::new(context, &self.params, codes, self.quantiles, self.center.clone())?;
        Ok(MergedVectors { vectors: Box::new(vectors), reencoded })
    }
}
