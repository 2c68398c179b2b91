//! The encoded vectors of an open segment: how a query is compared with them.

use super::report::FieldReport;
use crate::distance::{DistanceComputer, PanelDistances};
use lucerne_codec::format::Problem;
use lucerne_codec::{Cancel, Error, Ordinal, Result};
use std::any::Any;

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
    /// A vector picked by its ordinal and compared by [`QueryComputers::traversal`], if there is one.
    pub shorter: Option<f64>,
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

/// Queries prepared for one segment's vectors.
pub struct PanelComputers<'a> {
    /// Each query by itself.
    pub each: Vec<QueryComputers<'a>>,
    /// The distances of [`QueryComputers::traversal`] for all queries at once, where they come cheaper that way.
    pub traversal: Option<Box<dyn PanelDistances + 'a>>,
}

/// The encoded vectors of an open segment.
pub trait EncodedVectors: Send + Sync {
    /// Prepares a query row of the field's length.
    fn query<'a>(&'a self, row: &[u8]) -> QueryComputers<'a>;

    /// Prepares up to [`PANEL`](lucerne_simd::PANEL) query rows that are compared with the same vectors.
    fn panel<'a>(&'a self, rows: &[&[u8]]) -> PanelComputers<'a> {
        PanelComputers { each: rows.iter().map(|row| self.query(row)).collect(), traversal: None }
    }

    /// What the distances are worth.
    fn precision(&self) -> Precision;

    /// What a scan costs.
    fn scan_cost(&self) -> ScanCost;

    /// The search strategy that a scan is reported as, such as `scan codes`.
    fn scan_name(&self) -> &'static str;

    /// How many of the nearest ten by these distances must at least be ordered by their raw vectors, so that the nearest are
    /// found; 0 when they need not be.
    fn rescore_at_least(&self) -> usize {
        0
    }

    /// Whether distances have so few values that many vectors are equally near. Then a graph search does not end early
    /// for want of progress.
    fn ties_often(&self) -> bool {
        false
    }

    /// Candidates kept in a search for `k` that does not say how many; `None` leaves it to the engine.
    fn default_candidates(&self, _k: usize) -> Option<usize> {
        None
    }

    /// The row that a vector's code stands for.
    ///
    /// # Errors
    /// When the encoding says too little of a vector, or the file is damaged.
    fn decode(&self, _ordinal: Ordinal) -> Result<Vec<u8>> {
        Err(Error::Invalid("this encoding cannot be decoded".to_owned()))
    }

    /// How often each of the 256 code values occurs among the components of some vectors; `None` for an encoding without
    /// such codes.
    ///
    /// # Errors
    /// When the file is damaged, or on cancellation.
    fn code_counts(&self, _sample: &[Ordinal], _cancel: &Cancel) -> Result<Option<Vec<u64>>> {
        Ok(None)
    }

    /// The share of the nearest ten that are the nearest ten by these distances, as far as it was measured.
    fn recall_of_all(&self) -> f64 {
        1.0
    }

    /// Adds what there is to say about the vectors: sizes by part, quantiles, parameters in force.
    fn report(&self, report: &mut FieldReport);

    /// Compares everything with the raw vectors it was made of, as far as they are kept.
    fn verify(&self, cancel: &Cancel) -> Result<Vec<Problem>>;

    /// For an encoding that recognizes its own vectors in a merge.
    fn as_any(&self) -> &dyn Any;
}
