//! The int8 codes of an open segment.

use super::file::CodeFile;
use super::meta::CodesMeta;
use super::params::Params;
use super::query::{CodeDistances, QueryVector};
use super::report;
use super::sq4::Sq4File;
use super::sq4_query::Sq4Distances;
use super::verify::{verify_codes, verify_sq4};
use crate::encoding::encoded::{EncodedVectors, Precision, QueryComputers, ScanCost};
use crate::encoding::raw::RawVectors;
use crate::encoding::report::FieldReport;
use crate::encoding::traits::OpenContext;
use lucerne_codec::format::Problem;
use lucerne_codec::{Cancel, Error, Result};
use serde::Deserialize;
use serde_json::json;
use std::any::Any;

const COST: ScanCost = ScanCost { sequential: 0.3, gathered: 0.8, graph_budget: 1.0 };

/// Codes, and for graph search their 4-bit codes.
#[derive(Debug)]
pub struct Sq8Vectors {
    codes: CodeFile,
    sq4: Option<Sq4File>,
    raw: RawVectors,
    params: Params,
}

impl Sq8Vectors {
    /// Opens the files; the codes are loaded into memory ahead of their use.
    pub(super) fn open(context: &OpenContext<'_>) -> Result<Self> {
        let name = context.files.first().map_or("", |file| file.name.as_str());
        let refuse = |problem: String| Error::corrupt(name, 0, format!("segment info: {problem}"));
        let meta = CodesMeta::deserialize(context.meta).map_err(|error| refuse(error.to_string()))?;
        let (codes, sq4) = match context.files {
            [codes] if !meta.sq4 => (codes, None),
            [codes, sq4] if meta.sq4 => (codes, Some(sq4)),
            files => return Err(refuse(format!("{} files of int8 codes", files.len()))),
        };
        let codes = CodeFile::open(context, codes, meta)?;
        let len = context.raw.len();
        let sq4 = sq4.map(|entry| Sq4File::open(context.segment, entry, context.field, len)).transpose()?;
        codes.make_resident();
        if let Some(sq4) = &sq4 {
            sq4.make_resident();
        }
        Ok(Self { codes, sq4, raw: context.raw.clone(), params: Params::of(context.field)? })
    }

    /// The 8-bit codes.
    pub fn codes(&self) -> &CodeFile {
        &self.codes
    }
}

impl EncodedVectors for Sq8Vectors {
    fn query<'a>(&'a self, row: &[u8]) -> QueryComputers<'a> {
        let Self { codes, sq4, raw, .. } = self;
        let query = QueryVector::new(raw.similarity(), codes.center(), row);
        let versions = || codes.meta().versions.iter().map(|version| version.quantiles);
        let rows = codes.rows();
        let sq4 = sq4.as_ref().map(|sq4| Sq4Distances::new(&query, sq4.rows(), rows, versions()));
        QueryComputers {
            distances: Box::new(CodeDistances::new(&query, rows, versions())),
            traversal: sq4.map(|computer| Box::new(computer) as Box<_>),
        }
    }

    fn precision(&self) -> Precision {
        Precision::Estimate
    }

    fn scan_cost(&self) -> ScanCost {
        COST
    }

    fn scan_name(&self) -> &'static str {
        "scan codes"
    }

    fn report(&self, report: &mut FieldReport) {
        let meta = self.codes.meta();
        report.set("quantiles", report::pair(meta.quantiles));
        report.set("confidence_interval", meta.confidence_interval);
        if meta.confidence_interval != self.params.confidence {
            report.set("confidence_interval_wanted", self.params.confidence);
        }
        report.set("center", report::center(meta.center));
        let version = |version: &super::meta::QuantizerVersion| json!({ "quantiles": report::pair(version.quantiles), "vectors": version.vectors });
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
        let mut problems = verify_codes(&self.codes, &self.raw, cancel)?;
        if let Some(sq4) = &self.sq4 {
            problems.extend(verify_sq4(sq4, &self.codes, &self.raw, cancel)?);
        }
        Ok(problems)
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}
