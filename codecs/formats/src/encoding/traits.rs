//! The traits of an encoding, from writing to searching.

use super::merge_sources::MergeSources;
use super::raw::RawVectors;
use super::report::{FieldReport, MergeReport};
use super::rows::Rows;
use crate::distance::{DistanceComputer, GraphVectors};
use lucerne_codec::envelope::FileEntry;
use lucerne_codec::format::{self, Metadata, Problem, WriteContext, Written};
use lucerne_codec::{Cancel, FieldInfo, Ordinal, Result};
use std::any::Any;
use std::fmt::Debug;

/// An encoding of the vectors of one field: raw, int8 codes, sign hashes, ….
pub trait Encoding: Debug + Send + Sync {
    /// The name in schemas and messages, such as `int8`.
    fn name(&self) -> &'static str;

    /// The parameters of a field that belong to the encoding.
    fn params(&self) -> ParamNames {
        ParamNames::default()
    }

    /// Refuses parameters out of range, naming field, value and expectation.
    fn check(&self, field: &FieldInfo) -> Result<()>;

    /// Bytes of memory per vector while a buffer is flushed, the raw row apart.
    fn buffered_bytes(&self, field: &FieldInfo) -> usize;

    /// Encodes the vectors of a flush. `previous` are those of an earlier segment of the field, in this encoding: the
    /// place to take shared state from, such as a center.
    fn encode<'a>(
        &self,
        context: &EncodeContext<'a>,
        rows: &'a dyn Rows,
        previous: Option<&dyn EncodedVectors>,
    ) -> Result<Box<dyn NewVectors + 'a>>;

    /// Decides what a merge does with the vectors of each source, without doing it.
    fn plan_merge(
        &self,
        field: &FieldInfo,
        sources: &MergeSources<'_>,
        cancel: &Cancel,
    ) -> Result<Box<dyn MergePlan>>;

    /// Opens what [`NewVectors::write`] wrote. Reads headers, footers and lengths only; every byte is untrusted.
    fn open(&self, context: &OpenContext<'_>) -> Result<Box<dyn EncodedVectors>>;
}

/// Names of the parameters that an encoding has.
#[derive(Clone, Copy, Debug, Default)]
pub struct ParamNames {
    /// Ordinary ones.
    pub ordinary: &'static [&'static str],
    /// Those in the group [`FieldInfo::ADVANCED`].
    pub advanced: &'static [&'static str],
    /// Further ones in that group, of fields with a graph.
    pub advanced_with_graph: &'static [&'static str],
}

/// Where vectors are encoded.
#[derive(Clone, Copy)]
pub struct EncodeContext<'a> {
    /// The segment being written.
    pub write: &'a WriteContext<'a>,
    /// The field.
    pub field: &'a FieldInfo,
    /// Whether a graph will be built over the vectors.
    pub graph: bool,
}

/// What a merge does with the vectors of its sources.
pub trait MergePlan {
    /// Says what was decided: for the merged field, and for each source its `outcome`.
    fn report(&self, report: &mut MergeReport);

    /// The name that the counts of [`MergedVectors::reencoded`] have in reports.
    fn reencoded_name(&self) -> &'static str {
        "vectors_reencoded"
    }

    /// Carries the plan out.
    fn encode<'a>(
        &self,
        context: &EncodeContext<'a>,
        sources: &'a MergeSources<'a>,
    ) -> Result<MergedVectors<'a>>;
}

/// The vectors of a merge.
pub struct MergedVectors<'a> {
    /// The vectors, in the order of [`MergeSources`].
    pub vectors: Box<dyn NewVectors + 'a>,
    /// Per source, how many were encoded from their raw vectors; empty for an encoding that never does.
    pub reencoded: Vec<u64>,
}

/// Encoded vectors of a segment being written, by their index among its raw rows.
pub trait NewVectors {
    /// The vectors as a graph under construction compares them.
    fn graph_vectors(&self) -> Result<Box<dyn GraphVectors + '_>>;

    /// Writes the vectors in the order given: `order[ordinal]` is the index of a vector.
    fn write(&self, context: &EncodeContext<'_>, order: &[Ordinal]) -> Result<Written>;
}

/// Where encoded vectors are opened.
pub struct OpenContext<'a> {
    /// The segment.
    pub segment: &'a format::OpenContext<'a>,
    /// The files that [`NewVectors::write`] returned.
    pub files: &'a [FileEntry],
    /// The metadata that it returned.
    pub meta: &'a Metadata,
    /// The field.
    pub field: &'a FieldInfo,
    /// The raw vectors: as many as there are encoded ones.
    pub raw: &'a RawVectors,
}

/// What the distances of an encoding are worth.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Precision {
    /// They are those of the raw vectors.
    Exact,
    /// They are estimates, good enough to be returned as such.
    Estimate,
    /// They only find candidates, which are rescored with raw vectors before anything is returned.
    CandidatesOnly,
}

/// What comparing a query with many vectors costs, per vector, in distances computed by a graph search
/// (`docs/measurements/filters.md`).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ScanCost {
    /// A vector of a sequential scan.
    pub sequential: f64,
    /// A vector picked by its ordinal.
    pub gathered: f64,
    /// The share of a scan's cost that a filtered graph search may spend before the scan is done instead.
    pub graph_budget: f64,
}

/// A query prepared for one segment's vectors.
pub struct QueryComputers<'a> {
    /// Distances by the whole code of a vector.
    pub distances: Box<dyn DistanceComputer + 'a>,
    /// Cheaper distances for graph search; its results are rescored with `distances`.
    pub traversal: Option<Box<dyn DistanceComputer + 'a>>,
}

/// The encoded vectors of an open segment.
pub trait EncodedVectors: Send + Sync {
    /// Prepares a query row of the field's length.
    fn query<'a>(&'a self, row: &[u8]) -> QueryComputers<'a>;

    /// What the distances are worth.
    fn precision(&self) -> Precision;

    /// What a scan costs.
    fn scan_cost(&self) -> ScanCost;

    /// The search strategy that a scan is reported as, such as `scan codes`.
    fn scan_name(&self) -> &'static str;

    /// Whether distances have so few values that many vectors are equally near. Then a graph search does not end early
    /// for want of progress.
    fn ties_often(&self) -> bool {
        false
    }

    /// Candidates kept in a search for `k` that does not say how many; `None` leaves it to the engine.
    fn default_candidates(&self, _k: usize) -> Option<usize> {
        None
    }

    /// Adds what there is to say about the vectors: sizes by part, quantiles, parameters in force.
    fn report(&self, report: &mut FieldReport);

    /// Compares everything with the raw vectors it was made of.
    fn verify(&self, cancel: &Cancel) -> Result<Vec<Problem>>;

    /// For an encoding that recognizes its own vectors in a merge.
    fn as_any(&self) -> &dyn Any;
}
