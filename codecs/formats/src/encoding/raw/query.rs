//! A query prepared for exact distances to raw vectors, whatever they consist of.

use super::bits::BitQuery;
use super::float_rows::FloatRows;
use super::floats::FloatQuery;
use lucerne_codec::{Component, Similarity};

/// A query for raw rows.
#[derive(Debug)]
pub enum ExactQuery {
    /// For f32 and f16.
    Floats(FloatQuery),
    /// For bits.
    Bits(BitQuery),
}

impl ExactQuery {
    /// Prepares a query for rows of f32, or of bits.
    pub fn new(similarity: Similarity, query: &[u8]) -> Self {
        Self::for_rows(similarity.component(), similarity, query)
    }

    /// Prepares a query, of f32 or of bits, for rows of a component.
    pub fn for_rows(component: Component, similarity: Similarity, query: &[u8]) -> Self {
        match component {
            Component::Bit => Self::Bits(BitQuery::new(similarity, query)),
            _ => Self::Floats(FloatQuery::for_rows(FloatRows::of(component), similarity, query)),
        }
    }

    /// Distance to one row of the query's number of components.
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
