//! The raw vectors of an open segment.

use super::file::RawFile;
use super::query::ExactQuery;
use crate::distance::DistanceComputer;
use crate::encoding::encoded::{EncodedVectors, Precision, QueryComputers, ScanCost};
use crate::encoding::report::FieldReport;
use crate::verify::each_vector;
use lucerne_codec::format::Problem;
use lucerne_codec::io::bytes::f32s;
use lucerne_codec::{Cancel, Component, Ordinal, Result, Similarity};
use std::any::Any;
use std::borrow::Cow;

/// Numbers: memory is what takes time, four times as much of it as of int8 codes. A scan is the exact search itself: a
/// search that gives up a graph and then scans must not cost much more.
const FLOAT_COST: ScanCost = ScanCost { sequential: 0.8, gathered: 1.0, shorter: None, graph_budget: 0.25 };
/// Bits are short and quick to compare (`docs/measurements/binary-vectors.md`).
const BIT_COST: ScanCost = ScanCost { sequential: 0.07, gathered: 0.15, shorter: None, graph_budget: 1.0 };

/// The rows of a segment, and how they are compared.
#[derive(Clone, Debug)]
pub struct RawVectors {
    file: RawFile,
    similarity: Similarity,
}

impl RawVectors {
    /// Rows compared by a metric.
    pub fn new(file: RawFile, similarity: Similarity) -> Self {
        Self { file, similarity }
    }

    /// Number of vectors.
    pub fn len(&self) -> usize {
        self.file.len()
    }

    /// True when there are none.
    pub fn is_empty(&self) -> bool {
        self.file.is_empty()
    }

    /// The metric.
    pub fn similarity(&self) -> Similarity {
        self.similarity
    }

    /// Bytes of the rows.
    pub fn bytes(&self) -> &[u8] {
        self.file.bytes()
    }

    /// The stored row of a vector.
    pub fn row(&self, ordinal: Ordinal) -> Result<&[u8]> {
        self.file.row(ordinal)
    }

    /// A vector: f32 components, or bits.
    pub fn vector(&self, ordinal: Ordinal) -> Result<Cow<'_, [u8]>> {
        Ok(self.file.component().vector(self.file.row(ordinal)?))
    }

    /// Loads a row's bytes ahead of their use.
    pub fn prefetch(&self, ordinal: Ordinal) {
        self.file.prefetch(ordinal);
    }

    /// A query for stored rows, one at a time.
    pub fn exact_query(&self, query: &[u8]) -> ExactQuery {
        ExactQuery::for_rows(self.file.component(), self.similarity, query)
    }
}

impl EncodedVectors for RawVectors {
    fn query<'a>(&'a self, row: &[u8]) -> QueryComputers<'a> {
        let computer = RawDistances { file: &self.file, query: self.exact_query(row) };
        QueryComputers { distances: Box::new(computer), traversal: None }
    }

    fn precision(&self) -> Precision {
        Precision::Exact
    }

    fn scan_cost(&self) -> ScanCost {
        match self.similarity.component() {
            Component::Bit => BIT_COST,
            _ => FLOAT_COST,
        }
    }

    fn scan_name(&self) -> &'static str {
        "scan raw"
    }

    fn ties_often(&self) -> bool {
        self.similarity.component() == Component::Bit
    }

    /// Nothing: the size of the rows is reported for every encoding.
    fn report(&self, _report: &mut FieldReport) {}

    fn verify(&self, cancel: &Cancel) -> Result<Vec<Problem>> {
        let mut problems: Vec<Problem> = self.file.verify(cancel)?.into_iter().collect();
        if self.similarity.component() == Component::Bit {
            // Any bits are a vector.
            return Ok(problems);
        }
        problems.extend(each_vector(self.len(), cancel, self.file.name(), |ordinal| {
            let finite = f32s(&self.vector(ordinal)?).all(f32::is_finite);
            Ok((!finite).then(|| "a component is not finite".to_owned()))
        })?);
        Ok(problems)
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}

struct RawDistances<'a> {
    file: &'a RawFile,
    query: ExactQuery,
}

impl DistanceComputer for RawDistances<'_> {
    fn gather(&mut self, ordinals: &[Ordinal], out: &mut [f32]) {
        self.query.gather(self.file.bytes(), ordinals, out);
    }

    fn scan(&mut self, first: Ordinal, out: &mut [f32]) {
        let row_len = self.file.row_len();
        let start = first as usize * row_len;
        let rows = self.file.bytes().get(start..start + out.len() * row_len);
        self.query.scan(rows.unwrap_or_default(), out);
    }
}
