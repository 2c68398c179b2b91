//! The sign hashes of an open segment.

use super::encode::HashRows;
use super::file::HashFile;
use super::meta::{Estimator, HashMeta};
use super::query::{HashQuery, HashScratch};
use super::verify::verify_hashes;
use crate::distance::DistanceComputer;
use crate::encoding::encoded::{EncodedVectors, Precision, QueryComputers, ScanCost};
use crate::encoding::raw::RawVectors;
use crate::encoding::report::FieldReport;
use crate::encoding::traits::OpenContext;
use lucerne_codec::format::Problem;
use lucerne_codec::{Cancel, Error, FieldInfo, Ordinal, Result};
use serde::Deserialize;
use std::any::Any;

/// Candidates that hashes find for each hit, unless a search says otherwise.
const CANDIDATES_PER_HIT: usize = 20;

/// Measured in `docs/measurements/sign-hashes.md`.
const PLAIN_COST: ScanCost = ScanCost { sequential: 0.1, gathered: 0.4, shorter: None, graph_budget: 1.0 };
/// Compared with four bit planes of the query.
const CORRECTED_COST: ScanCost =
    ScanCost { sequential: 0.2, gathered: 0.6, shorter: None, graph_budget: 1.0 };

/// Hashes of a field's vectors.
#[derive(Debug)]
pub struct HashVectors {
    hashes: HashFile,
    field: FieldInfo,
    raw: RawVectors,
}

impl HashVectors {
    pub(super) fn open(context: &OpenContext<'_>) -> Result<Self> {
        let name = context.files.first().map_or("", |file| file.name.as_str());
        let refuse = |problem: String| Error::corrupt(name, 0, format!("segment info: {problem}"));
        let meta = HashMeta::deserialize(context.meta).map_err(|error| refuse(error.to_string()))?;
        let [file] = context.files else {
            return Err(refuse(format!("{} files of sign hashes", context.files.len())));
        };
        let hashes = HashFile::open(context, file, meta)?;
        Ok(Self { hashes, field: context.field.clone(), raw: context.require_raw()?.clone() })
    }

    /// The file of hashes.
    pub fn hashes(&self) -> &HashFile {
        &self.hashes
    }
}

impl EncodedVectors for HashVectors {
    fn query<'a>(&'a self, row: &[u8]) -> QueryComputers<'a> {
        let file = &self.hashes;
        let query = HashQuery::new(self.field.similarity, file.meta().estimator, file.center(), row);
        let computer = HashDistances { rows: file.rows(), query, scratch: HashScratch::default() };
        QueryComputers { distances: Box::new(computer), traversal: None }
    }

    fn precision(&self) -> Precision {
        Precision::CandidatesOnly
    }

    fn scan_cost(&self) -> ScanCost {
        match self.hashes.meta().estimator {
            Estimator::Plain => PLAIN_COST,
            Estimator::Corrected => CORRECTED_COST,
        }
    }

    fn scan_name(&self) -> &'static str {
        "scan hashes"
    }

    fn default_candidates(&self, k: usize) -> Option<usize> {
        Some(k.saturating_mul(CANDIDATES_PER_HIT))
    }

    fn report(&self, report: &mut FieldReport) {
        report.set("sign_hash", self.hashes.meta().estimator.name());
        report.set_bytes("hashes", self.hashes.hash_bytes());
        report.set_bytes("corrections", self.hashes.correction_bytes());
    }

    fn verify(&self, cancel: &Cancel) -> Result<Vec<Problem>> {
        verify_hashes(&self.field, &self.hashes, &self.raw, cancel)
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}

struct HashDistances<'a> {
    rows: HashRows<'a>,
    query: HashQuery,
    scratch: HashScratch,
}

impl DistanceComputer for HashDistances<'_> {
    fn gather(&mut self, ordinals: &[Ordinal], out: &mut [f32]) {
        self.query.gather(&self.rows, ordinals, &mut self.scratch, out);
    }

    fn scan(&mut self, first: Ordinal, out: &mut [f32]) {
        self.query.scan(&self.rows, first as usize, &mut self.scratch, out);
    }
}
