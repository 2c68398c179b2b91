//! A merge of codes: the frame, the merged quantiles, and each source's outcome; then the codes, copied or made anew.

use super::codes::Codes;
use super::encode::NewSq8;
use super::frame::Projected;
use super::frame_choice::FrameChoice;
use super::merge_plan::{Outcome, Plan, SourceCodes, Thresholds, plan};
use super::meta::Quality;
use super::params::Params;
use super::quantiles::Quantiles;
use super::quantizer::Quantizer;
use super::vectors::Sq8Vectors;
use crate::encoding::merge_sources::{MergeSource, MergeSources};
use crate::encoding::report::MergeReport;
use crate::encoding::rows::{Rows, for_each_index};
use crate::encoding::temp_file::TempFile;
use crate::encoding::traits::{EncodeContext, MergePlan, MergedVectors};
use lucerne_codec::{Cancel, Error, FieldInfo, Result};
use serde_json::json;
use std::cell::Cell;

/// Extension of the file that codes are in during a merge; never part of a segment.
const TEMPORARY: &str = "tmp";

/// A planned merge of codes.
pub(super) struct CodesMerge {
    params: Params,
    /// Quantiles that new codes are encoded with.
    quantiles: Quantiles,
    frame: FrameChoice,
    /// What the sources are known by, in their order.
    sources: Vec<SourceCodes>,
    plan: Plan,
    /// Drift thresholds in force; `None` where codes are all there is, and are kept as long as they are comparable.
    thresholds: Option<Thresholds>,
    /// The quality of vectors that are decoded.
    known: Option<Quality>,
    /// Set when the merged codes turned out not to do, and all were encoded again around a center of their own.
    resampled_late: Cell<bool>,
}

impl CodesMerge {
    pub(super) fn new(
        field: &FieldInfo,
        params: Params,
        sources: &MergeSources<'_>,
        cancel: &Cancel,
    ) -> Result<Self> {
        let keeps_raw = sources.keeps_raw();
        let thresholds = keeps_raw.then_some(params.thresholds);
        let (plan, known, frame) = match FrameChoice::for_merge(field, sources, cancel)? {
            Some(frame) => {
                let known = source_codes(&params, sources, &frame, cancel)?;
                (plan(&known, thresholds.unwrap_or(Thresholds::KEEP)), known, Some(frame))
            }
            None => {
                let known = source_codes_of_their_own(sources);
                (Plan::resample(&known), known, None)
            }
        };
        let (quantiles, frame) = match (plan.quantiles, frame) {
            (Some(quantiles), Some(frame)) => (quantiles, frame),
            _ => {
                let frame = FrameChoice::new(field, sources, cancel)?;
                (frame.quantiles(&params, sources, cancel)?, frame)
            }
        };
        let qualities = sources.sources.iter().filter_map(|source| {
            let meta = source.encoded_as::<Sq8Vectors>()?.codes().meta();
            Some((meta.quality?, source.live()))
        });
        Ok(Self {
            params,
            quantiles,
            frame,
            sources: known,
            plan,
            thresholds,
            known: if keeps_raw { None } else { Quality::mean(qualities) },
            resampled_late: Cell::new(false),
        })
    }

    /// Whether a source keeps the codes of a quantizer version.
    fn keeps(&self, source: usize, version: usize) -> bool {
        let plan = self.plan.sources.get(source);
        plan.and_then(|plan| plan.keeps.get(version)).copied().unwrap_or(false)
    }
}

impl MergePlan for CodesMerge {
    fn report(&self, report: &mut MergeReport) {
        report.set("quantiles", self.quantiles.report());
        self.frame.meta.report(&mut |name, value| report.set(name, value));
        match self.thresholds {
            None => report.set("raw_vectors", "not kept"),
            Some(thresholds) => report.set(
                "thresholds",
                json!({
                    "requantize_above": thresholds.requantize_above,
                    "resample_above": thresholds.resample_above,
                }),
            ),
        }
        let quantiles = |source: &SourceCodes| source.quantiles.map(Quantiles::report);
        report.set_each("quantiles", self.sources.iter().map(quantiles));
        report.set_each("drift", self.plan.sources.iter().map(|source| json!(source.drift)));
        let outcome = |outcome: Outcome| {
            if self.resampled_late.get() { Outcome::Resampled } else { outcome }
        };
        report.set_each("outcome", self.plan.sources.iter().map(|source| outcome(source.outcome).name()));
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
        let mut reencoded = vec![0u64; sources.sources.len()];
        let keeps = |source: usize, version: usize| self.keeps(source, version);
        let merged =
            self.encode_with(context, sources, &self.frame, self.quantiles, &keeps, &mut reencoded)?;
        let all = reencoded.iter().sum::<u64>() == sources.len() as u64;
        let merged = if merged.is_raw() && !all {
            // Kept codes are around a center that serves them no more.
            drop(merged);
            let frame = FrameChoice::new(field, sources, cancel)?;
            let quantiles = frame.quantiles(&self.params, sources, cancel)?;
            self.resampled_late.set(true);
            reencoded.fill(0);
            self.encode_with(context, sources, &frame, quantiles, &|_, _| false, &mut reencoded)?
        } else {
            merged
        };
        Ok(MergedVectors { vectors: Box::new(merged), reencoded })
    }
}

impl CodesMerge {
    /// Copies what is kept, encodes the rest, and counts it per source.
    fn encode_with<'a>(
        &self,
        context: &EncodeContext<'a>,
        sources: &'a MergeSources<'a>,
        frame: &FrameChoice,
        quantiles: Quantiles,
        keeps: &dyn Fn(usize, usize) -> bool,
        reencoded: &mut [u64],
    ) -> Result<NewSq8<'a>> {
        let (field, cancel) = (context.field, context.write.cancel);
        let dimension = field.dimension as usize;
        let bytes = sources.len().saturating_mul(dimension);
        let file = TempFile::for_bytes(context.write, field, TEMPORARY, bytes)?;
        let mut codes = Codes::new(dimension, sources.len(), self.params.scale4(), file);
        let quantizer = Quantizer::new(quantiles, frame.frame.stretches());
        let mut projected = Projected::default();
        for_each_index(0..sources.len(), cancel, |index| {
            codes.spill()?;
            let Some(merged) = sources.vectors.get(index) else { return Ok(()) };
            let number = merged.source as usize;
            if let Some(source) = sources.sources.get(number)
                && copy(source, number, merged.ordinal, keeps, &mut codes)?
            {
                return Ok(());
            }
            frame.frame.project(&sources.vector(index)?, &mut projected);
            let version = codes.version_number(quantiles);
            codes.encode(&quantizer, version, &projected);
            if let Some(count) = reencoded.get_mut(number) {
                *count += 1;
            }
            Ok(())
        })?;
        codes.finish()?;
        NewSq8::new(context, &self.params, sources, codes, quantiles, frame.clone(), self.known)
    }
}

/// Copies a vector's codes if they are kept; false if they must be encoded again.
fn copy(
    source: &MergeSource<'_>,
    number: usize,
    ordinal: u32,
    keeps: &dyn Fn(usize, usize) -> bool,
    codes: &mut Codes<'_>,
) -> Result<bool> {
    let Some(file) = source.encoded_as::<Sq8Vectors>().map(Sq8Vectors::codes) else {
        return Ok(false);
    };
    let rows = file.rows();
    if !keeps(number, rows.version(ordinal as usize)) {
        return Ok(false);
    }
    let version = codes.version_number(file.version(ordinal)?.quantiles);
    codes.copy(version, file.codes(ordinal)?, rows.correction_bytes(ordinal as usize));
    Ok(true)
}

/// What is known of the sources, whose codes are kept in `frame` or not at all.
fn source_codes(
    params: &Params,
    sources: &MergeSources<'_>,
    frame: &FrameChoice,
    cancel: &Cancel,
) -> Result<Vec<SourceCodes>> {
    let mut known = Vec::new();
    for (number, source) in sources.sources.iter().enumerate() {
        let meta = source.encoded_as::<Sq8Vectors>().map(|vectors| vectors.codes().meta());
        let comparable = meta.filter(|meta| {
            // Codes without raw vectors are worth more than another confidence interval.
            let decoded = source.reader.is_some_and(|reader| !reader.keeps_raw());
            meta.frame == frame.meta
                && (decoded || meta.confidence_interval == params.confidence)
                && meta.scale4 == params.scale4()
        });
        let live = source.live() as u64;
        known.push(match comparable {
            Some(meta) => SourceCodes {
                live,
                quantiles: Some(meta.quantiles),
                versions: meta.versions.iter().map(|version| version.quantiles).collect(),
            },
            None => {
                let rows = sources.source_rows(number);
                let quantiles = (live > 0).then(|| frame.quantiles(params, &rows, cancel)).transpose()?;
                SourceCodes { live, quantiles, versions: Vec::new() }
            }
        });
    }
    Ok(known)
}

/// What is known of sources that have no frame in common.
fn source_codes_of_their_own(sources: &MergeSources<'_>) -> Vec<SourceCodes> {
    let known = |source: &MergeSource<'_>| SourceCodes {
        live: source.live() as u64,
        quantiles: source.encoded_as::<Sq8Vectors>().map(|vectors| vectors.codes().meta().quantiles),
        versions: Vec::new(),
    };
    sources.sources.iter().map(known).collect()
}

/// A merge of vectors of so few components that there are no codes.
pub(super) struct RawMerge;

impl MergePlan for RawMerge {
    fn report(&self, report: &mut MergeReport) {
        let kept = vec![Outcome::Kept.name(); report.sources.len()];
        report.set_each("outcome", kept);
    }

    fn encode<'a>(
        &self,
        context: &EncodeContext<'a>,
        sources: &'a MergeSources<'a>,
    ) -> Result<MergedVectors<'a>> {
        let raw = NewSq8::raw_if_short(context.field, sources);
        let raw = raw.ok_or_else(|| Error::Invalid(format!("field {:?} has codes", context.field.name)))?;
        Ok(MergedVectors { vectors: Box::new(raw), reencoded: Vec::new() })
    }
}
