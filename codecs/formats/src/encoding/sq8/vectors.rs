//! The int8 codes of an open segment.

use super::decode::decode;
use super::file::CodeFile;
use super::frame::Frame;
use super::meta::{CodesMeta, Meta};
use super::params::Params;
use super::query::CodeDistances;
use super::raw_rows::RawRows;
use super::sq4::Sq4File;
use super::sq4_panel::Sq4Panel;
use super::sq4_query::Sq4Distances;
use super::verify::{verify_codes, verify_sq4};
use crate::distance::DistanceComputer;
use crate::encoding::encoded::{EncodedVectors, PanelComputers, Precision, QueryComputers, ScanCost};
use crate::encoding::raw::RawVectors;
use crate::encoding::report::FieldReport;
use crate::encoding::traits::OpenContext;
use lucerne_codec::format::Problem;
use lucerne_codec::{Cancel, Error, Ordinal, Result};
use serde::Deserialize;
use serde_json::json;
use std::any::Any;

const COST: ScanCost = ScanCost { sequential: 0.3, gathered: 0.8, shorter: None, graph_budget: 1.0 };
/// [`ScanCost::shorter`] of 4-bit codes.
const SHORTER: f64 = 0.3;

/// Opens what a flush or a merge has written: codes, or nothing besides the raw vectors.
pub(super) fn open(context: &OpenContext<'_>) -> Result<Box<dyn EncodedVectors>> {
    let meta = Meta::deserialize(context.meta).map_err(|error| refuse(context, error.to_string()))?;
    match meta {
        Meta::Codes(meta) => Ok(Box::new(Sq8Vectors::open(context, meta)?)),
        Meta::Raw(reason) if context.files.is_empty() => {
            Ok(Box::new(RawRows { raw: context.require_raw()?.clone(), reason }))
        }
        Meta::Raw(_) => Err(refuse(context, format!("{} files of no codes", context.files.len()))),
    }
}

/// Opens what is left of damaged codes that are all there is, and says which vectors are damaged.
pub(super) fn salvage(
    context: &OpenContext<'_>,
    cancel: &Cancel,
) -> Result<(Box<dyn EncodedVectors>, Vec<Ordinal>)> {
    match Meta::deserialize(context.meta).map_err(|error| refuse(context, error.to_string()))? {
        Meta::Codes(meta) => {
            let (vectors, damaged) = Sq8Vectors::salvage(context, meta, cancel)?;
            Ok((Box::new(vectors), damaged))
        }
        Meta::Raw(_) => Err(refuse(context, "neither codes nor raw vectors".to_owned())),
    }
}

fn refuse(context: &OpenContext<'_>, problem: String) -> Error {
    let name = context.files.first().map_or("", |file| file.name.as_str());
    Error::corrupt(name, 0, format!("segment info: {problem}"))
}

fn boxed<'a>(distances: CodeDistances<'a>, traversal: Option<Sq4Distances<'a>>) -> QueryComputers<'a> {
    let traversal = traversal.map(|traversal| Box::new(traversal) as Box<dyn DistanceComputer + 'a>);
    QueryComputers { distances: Box::new(distances), traversal }
}

/// Codes, and for graph search their 4-bit codes.
#[derive(Debug)]
pub struct Sq8Vectors {
    codes: CodeFile,
    frame: Frame,
    sq4: Option<Sq4File>,
    /// `None` when only codes are kept.
    raw: Option<RawVectors>,
    params: Params,
}

impl Sq8Vectors {
    /// Opens the files; the codes are loaded into memory ahead of their use.
    fn open(context: &OpenContext<'_>, meta: CodesMeta) -> Result<Self> {
        let (codes, sq4) = match context.files {
            [codes] if !meta.sq4 => (codes, None),
            [codes, sq4] if meta.sq4 => (codes, Some(sq4)),
            files => return Err(refuse(context, format!("{} files of int8 codes", files.len()))),
        };
        let codes = CodeFile::open(context, codes, meta)?;
        let len = context.len;
        let sq4 = sq4.map(|entry| Sq4File::open(context.segment, entry, context.field, len)).transpose()?;
        codes.make_resident();
        if let Some(sq4) = &sq4 {
            sq4.make_resident();
        }
        Self::of(context, codes, sq4)
    }

    fn of(context: &OpenContext<'_>, codes: CodeFile, sq4: Option<Sq4File>) -> Result<Self> {
        let similarity = context.field.similarity;
        let frame = match codes.center() {
            Some(center) => Frame::rotated(similarity, center.to_vec()),
            None => Frame::lattice(similarity),
        };
        Ok(Self { codes, frame, sq4, raw: context.raw.cloned(), params: Params::of(context.field)? })
    }

    /// Opens what is left of damaged codes without their 4-bit codes, and says which vectors are damaged.
    fn salvage(context: &OpenContext<'_>, meta: CodesMeta, cancel: &Cancel) -> Result<(Self, Vec<Ordinal>)> {
        let Some(entry) = context.files.first() else {
            return Err(refuse(context, "no file of int8 codes".to_owned()));
        };
        let (codes, damaged) = CodeFile::salvage(context, entry, meta, cancel)?;
        Ok((Self::of(context, codes, None)?, damaged))
    }

    /// A query by its 8-bit codes, and by its 4-bit codes if there are any.
    fn computers(&self, row: &[u8]) -> (CodeDistances<'_>, Option<Sq4Distances<'_>>) {
        let Self { codes, frame, sq4, .. } = self;
        let query = frame.query(row);
        let versions = || codes.meta().versions.iter().map(|version| version.quantiles);
        let rows = codes.rows();
        let traversal = sq4.as_ref().map(|sq4| {
            let mut computer = Sq4Distances::new(sq4.rows(), rows);
            computer.set_query(&query, versions());
            computer
        });
        (CodeDistances::new(&query, rows, versions()), traversal)
    }

    /// The frame of the codes.
    pub(super) fn frame(&self) -> &Frame {
        &self.frame
    }

    /// The 8-bit codes.
    pub fn codes(&self) -> &CodeFile {
        &self.codes
    }
}

impl EncodedVectors for Sq8Vectors {
    fn query<'a>(&'a self, row: &[u8]) -> QueryComputers<'a> {
        let (distances, traversal) = self.computers(row);
        boxed(distances, traversal)
    }

    fn panel<'a>(&'a self, rows: &[&[u8]]) -> PanelComputers<'a> {
        let (full, shorter): (Vec<_>, Vec<_>) = rows.iter().map(|row| self.computers(row)).unzip();
        let shorter: Option<Vec<Sq4Distances<'_>>> = shorter.into_iter().collect();
        let together = shorter.as_ref().zip(self.sq4.as_ref());
        let together =
            together.and_then(|(shorter, sq4)| Sq4Panel::new(sq4.rows(), self.codes.rows(), shorter));
        let mut shorter = shorter.into_iter().flatten();
        let each = full.into_iter().map(|full| boxed(full, shorter.next()));
        PanelComputers { each: each.collect(), traversal: together.map(|panel| Box::new(panel) as Box<_>) }
    }

    fn rescore_at_least(&self) -> usize {
        self.codes.meta().rescored as usize
    }

    fn decode(&self, ordinal: Ordinal) -> Result<Vec<u8>> {
        decode(&self.codes, &self.frame, ordinal)
    }

    fn code_counts(&self, sample: &[Ordinal], cancel: &Cancel) -> Result<Option<Vec<u64>>> {
        let mut counts = vec![0; 256];
        for (done, &ordinal) in sample.iter().enumerate() {
            cancel.check_every(1_024, done)?;
            for &code in self.codes.codes(ordinal)? {
                if let Some(count) = counts.get_mut(usize::from(code)) {
                    *count += 1;
                }
            }
        }
        Ok(Some(counts))
    }

    fn recall_of_all(&self) -> f64 {
        self.codes.meta().quality.map_or(1.0, |quality| f64::from(quality.recall))
    }

    fn precision(&self) -> Precision {
        Precision::Estimate
    }

    fn scan_cost(&self) -> ScanCost {
        ScanCost { shorter: self.sq4.as_ref().map(|_| SHORTER), ..COST }
    }

    fn scan_name(&self) -> &'static str {
        "scan codes"
    }

    fn report(&self, report: &mut FieldReport) {
        let meta = self.codes.meta();
        report.set("quantiles", meta.quantiles.report());
        report.set("confidence_interval", meta.confidence_interval);
        if meta.confidence_interval != self.params.confidence {
            report.set("confidence_interval_wanted", self.params.confidence);
        }
        meta.frame.report(&mut |name, value| report.set(name, value));
        if self.raw.is_some() {
            report.set("rescored", meta.rescored);
        }
        if let Some(quality) = &meta.quality {
            report.set("code_quality", quality.report());
        }
        let version = |version: &super::meta::QuantizerVersion| json!({ "quantiles": version.quantiles.report(), "vectors": version.vectors });
        report.set("quantizer_versions", meta.versions.iter().map(version).collect::<Vec<_>>());
        let sizes = self.codes.sizes();
        report.set_bytes("codes", sizes.codes);
        report.set_bytes("corrections", sizes.corrections);
        if sizes.other > 0 {
            report.set_bytes("quantizer_versions", sizes.other);
        }
        if let Some(sq4) = &self.sq4 {
            report.set("search_bits", 4);
            report.set_bytes("sq4", sq4.size());
        }
    }

    fn verify(&self, cancel: &Cancel) -> Result<Vec<Problem>> {
        let mut problems = verify_codes(&self.codes, &self.frame, self.raw.as_ref(), cancel)?;
        if let Some(sq4) = &self.sq4 {
            problems.extend(verify_sq4(sq4, &self.codes, cancel)?);
        }
        Ok(problems)
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}
