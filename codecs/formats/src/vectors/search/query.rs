//! A query prepared for the encoding that is searched.

use crate::distance::{DistanceComputer, PanelDistances};
use crate::encoding::{EncodedVectors, PanelComputers, Precision, QueryComputers, ScanCost};
use lucerne_codec::Ordinal;

/// A query against the encoded vectors of one segment.
pub(super) struct Query<'a> {
    computers: QueryComputers<'a>,
    pub(super) precision: Precision,
    pub(super) cost: ScanCost,
    pub(super) scan_name: &'static str,
    pub(super) ties_often: bool,
    pub(super) rescore_at_least: usize,
}

impl<'a> Query<'a> {
    pub(super) fn new(encoded: &'a dyn EncodedVectors, row: &[u8]) -> Self {
        Self::of(encoded, encoded.query(row))
    }

    /// Queries that are compared with the same vectors, at most [`PANEL`](lucerne_simd::PANEL), and what compares them with all
    /// by their shorter codes.
    pub(super) fn panel(
        encoded: &'a dyn EncodedVectors,
        rows: &[&[u8]],
    ) -> (Vec<Self>, Option<Box<dyn PanelDistances + 'a>>) {
        let PanelComputers { each, traversal } = encoded.panel(rows);
        (each.into_iter().map(|computers| Self::of(encoded, computers)).collect(), traversal)
    }

    fn of(encoded: &'a dyn EncodedVectors, computers: QueryComputers<'a>) -> Self {
        Self {
            computers,
            precision: encoded.precision(),
            cost: encoded.scan_cost(),
            scan_name: encoded.scan_name(),
            ties_often: encoded.ties_often(),
            rescore_at_least: encoded.rescore_at_least(),
        }
    }

    pub(super) fn is_exact(&self) -> bool {
        self.precision == Precision::Exact
    }

    /// The computer of distances by the full code.
    pub(super) fn full(&mut self) -> &mut (dyn DistanceComputer + 'a) {
        &mut *self.computers.distances
    }

    /// Distances of the vectors from `first` on.
    pub(super) fn scan(&mut self, first: usize, out: &mut [f32]) {
        self.computers.distances.scan(first as Ordinal, out);
    }

    /// The computer that graph search uses, and the one that its results are rescored with, if that is another.
    pub(super) fn computers(
        &mut self,
    ) -> (&mut (dyn DistanceComputer + 'a), Option<&mut (dyn DistanceComputer + 'a)>) {
        let QueryComputers { distances, traversal } = &mut self.computers;
        match traversal {
            Some(traversal) => (&mut **traversal, Some(&mut **distances)),
            None => (&mut **distances, None),
        }
    }
}
