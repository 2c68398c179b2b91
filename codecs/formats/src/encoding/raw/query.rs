//! A query prepared for exact distances to raw vectors, whatever they consist of.

use super::bits::BitQuery;
use super::floats::FloatQuery;
use lucerne_codec::{Component, Similarity};

/// A query for raw rows.
#[derive(Debug)]
pub enum ExactQuery {
    /// For f32.
    Floats(FloatQuery),
    /// For bits.
    Bits(BitQuery),
}

impl ExactQuery {
    /// Prepares a query row.
    pub fn new(similarity: Similarity, row: &[u8]) -> Self {
        match similarity.component() {
            Component::Bit => Self::Bits(BitQuery::new(similarity, row)),
            _ => Self::Floats(FloatQuery::new(similarity, row)),
        }
    }

    /// Distance to one row of the query's length.
    pub fn distance(&self, row: &[u8]) -> f32 {
        match self {
            Self::Floats(query) => query.distance(row),
            Self::Bits(query) => query.distance(row),
        }
    }

    /// Distances to rows that lie one after the other; `out` has a place for each.
    pub fn scan(&self, rows: &[u8], out: &mut [f32]) {
        match self {
            Self::Floats(query) => query.scan(rows, out),
            Self::Bits(query) => query.scan(rows, out),
        }
    }

    /// Distances to the rows `ids` of a matrix of rows.
    pub fn gather(&self, rows: &[u8], ids: &[u32], out: &mut [f32]) {
        match self {
            Self::Floats(query) => query.gather(rows, ids, out),
            Self::Bits(query) => query.gather(rows, ids, out),
        }
    }
}
