//! Many queries against raw rows, each row read once for all of them.
//!
//! Products with a panel of queries are sums in another order than [`FloatQuery`](super::floats::FloatQuery) makes them, so
//! they say between which bounds a distance lies, not what it is: which rows may be among the nearest follows for sure,
//! and the distances of those are computed as ever. With u = 2⁻²⁴ and n components both sums are within (n + 3)·u·|q|·|x| of
//! the true one; what is taken for it is more than what both lose, and what the other steps round.
//!
//! Euclidean distances are |q|² + |x|² − 2·q·x of vectors from the queries' mean: without it there would be little left of
//! vectors that lie far from zero and near each other.

use super::float_rows::FloatRows;
use crate::encoding::preprocess::{PRECISE, finite};
use lucerne_codec::io::bytes::f32s;
use lucerne_codec::{Component, Similarity};
use lucerne_simd::{self as simd, PANEL};

/// Components of queries that are compared together, about: 512 KiB, half of a core's cache.
const COMPONENTS: usize = 1 << 17;
/// Panels at most.
const MOST_PANELS: usize = 8;

/// Queries for the rows of a segment, and memory of comparing them.
pub struct QueryPanel {
    similarity: Similarity,
    rows: FloatRows,
    dimension: usize,
    center: Option<Vec<f32>>,
    /// Panel after panel.
    components: Vec<f32>,
    /// By query, for padding too: its [`term`].
    terms: Vec<f32>,
    /// The rows compared last.
    block: Vec<f32>,
    /// Of each of them the [`term`]; NaN where its length is out of range.
    row_terms: Vec<f32>,
    products: Vec<f32>,
}

/// Queries that are compared together.
pub fn queries_together(dimension: usize) -> usize {
    (COMPONENTS / (dimension.max(1) * PANEL)).clamp(1, MOST_PANELS) * PANEL
}

/// What sums of numbers near the least there are lose at most.
const LEAST_ERROR: f32 = 1e-38;

/// Whether vectors of this squared length can be compared by products.
fn is_in_range(similarity: Similarity, square: f64) -> bool {
    let least = if similarity == Similarity::Cosine { f64::from(PRECISE.start) } else { 0.0 };
    (least..f64::from(PRECISE.end)).contains(&square)
}

/// What a distance takes of each of the two vectors: |v|² for Euclidean distances, 1/|v| for cosine, |v| for inner products.
fn term(similarity: Similarity, square: f64) -> f32 {
    let term = match similarity {
        Similarity::Euclidean => square,
        Similarity::Cosine => 1.0 / square.sqrt(),
        _ => square.sqrt(),
    };
    term as f32
}

impl QueryPanel {
    /// Prepares queries, little-endian f32. `None` when one of them is too long or too short for it.
    pub fn new(component: Component, similarity: Similarity, queries: &[&[u8]]) -> Option<Self> {
        let mut vectors: Vec<Vec<f32>> = queries.iter().map(|query| f32s(query).collect()).collect();
        let dimension = vectors.first()?.len();
        let center = (similarity == Similarity::Euclidean).then(|| mean(&vectors, dimension));
        if let Some(center) = &center {
            vectors.iter_mut().for_each(|vector| subtract(vector, center));
        }
        let squares: Vec<f64> = vectors.iter().map(|vector| simd::dot_f64(vector, vector)).collect();
        if !squares.iter().all(|&square| is_in_range(similarity, square)) {
            return None;
        }
        let lanes = queries.len().next_multiple_of(PANEL);
        let mut terms: Vec<f32> = squares.iter().map(|&square| term(similarity, square)).collect();
        terms.resize(lanes, 0.0);
        let mut components = vec![0.0; lanes * dimension];
        for (number, vector) in vectors.iter().enumerate() {
            let start = number / PANEL * PANEL * dimension + number % PANEL;
            let places = components.get_mut(start..).unwrap_or_default().iter_mut().step_by(PANEL);
            places.zip(vector).for_each(|(place, &value)| *place = value);
        }
        Some(Self {
            similarity,
            rows: FloatRows::of(component),
            dimension,
            center,
            components,
            terms,
            block: Vec::new(),
            row_terms: Vec::new(),
            products: Vec::new(),
        })
    }

    /// Queries, with those that fill up the last panel.
    pub fn lanes(&self) -> usize {
        self.terms.len()
    }

    /// Calls `bounds` with each row, by its place among those given, and with what the distances from the queries are at
    /// least, a panel at a time, of which it gets the first query's number. `odd` is called with the places of rows that are
    /// too long or too short for it.
    pub fn scan(
        &mut self,
        rows: &[u8],
        mut odd: impl FnMut(usize),
        mut bounds: impl FnMut(&Self, usize, usize, &[f32; PANEL]),
    ) {
        self.load(rows);
        let count = self.row_terms.len();
        for (row, _) in self.row_terms.iter().enumerate().filter(|(_, term)| term.is_nan()) {
            odd(row);
        }
        let mut products = std::mem::take(&mut self.products);
        products.resize(count * PANEL, 0.0);
        let panels = self.components.chunks(PANEL * self.dimension.max(1));
        for (number, (panel, terms)) in panels.zip(self.terms.as_chunks::<PANEL>().0).enumerate() {
            simd::dot_f32_panel(&self.block, panel, &mut products);
            let rows = products.as_chunks_mut::<PANEL>().0.iter_mut().zip(&self.row_terms);
            for (row, (products, &row_term)) in rows.enumerate().filter(|(_, (_, term))| !term.is_nan()) {
                self.least(products, row_term, terms);
                bounds(self, row, number * PANEL, products);
            }
        }
        self.products = products;
    }

    /// Decodes rows, from the center if there is one.
    fn load(&mut self, rows: &[u8]) {
        let Self { block, row_terms, center, dimension, similarity, .. } = self;
        block.clear();
        self.rows.append(rows, block);
        row_terms.clear();
        let term_of = |square| match is_in_range(*similarity, square) {
            true => term(*similarity, square),
            false => f32::NAN,
        };
        let Some(center) = center else {
            let row_len = (*dimension * self.rows.width()).max(1);
            let squares = rows.chunks_exact(row_len).map(|row| f64::from(self.rows.norm2(row)));
            return row_terms.extend(squares.map(term_of));
        };
        for row in block.chunks_exact_mut((*dimension).max(1)) {
            subtract(row, center);
            row_terms.push(term_of(simd::dot_f64(row, row)));
        }
    }

    /// The share by which an estimate may be wrong.
    fn error(&self) -> f32 {
        (self.dimension + 8) as f32 * 4.0 * 2f32.powi(-24)
    }

    /// Replaces products with a row by the least that distances from it can be.
    fn least(&self, products: &mut [f32; PANEL], row_term: f32, terms: &[f32; PANEL]) {
        let (error, pairs) = (self.error(), products.iter_mut().zip(terms));
        match self.similarity {
            Similarity::Euclidean => pairs.for_each(|(product, term)| {
                *product = (1.0 - 2.0 * error) * (term + row_term) - 2.0 * *product - LEAST_ERROR;
            }),
            Similarity::Cosine => pairs.for_each(|(product, term)| {
                *product = 1.0 - error - *product * (term * row_term);
            }),
            _ => pairs.for_each(|(product, term)| {
                *product = -*product - error * (term * row_term) - LEAST_ERROR;
            }),
        }
    }

    /// How much more than the least a distance can be.
    pub fn width(&self, query: usize, row: usize) -> f32 {
        let term = self.terms.get(query).copied().unwrap_or(0.0);
        let row_term = self.row_terms.get(row).copied().unwrap_or(0.0);
        let scale = match self.similarity {
            Similarity::Euclidean => 2.0 * (term + row_term),
            Similarity::Cosine => 1.0,
            _ => term * row_term,
        };
        2.0 * self.error() * scale + 2.0 * LEAST_ERROR
    }
}

fn subtract(vector: &mut [f32], center: &[f32]) {
    vector.iter_mut().zip(center).for_each(|(value, &center)| *value -= center);
}

fn mean(vectors: &[Vec<f32>], dimension: usize) -> Vec<f32> {
    let mut sums = vec![0f64; dimension];
    for vector in vectors {
        sums.iter_mut().zip(vector).for_each(|(sum, &value)| *sum += f64::from(value));
    }
    sums.into_iter().map(|sum| finite((sum / vectors.len() as f64) as f32)).collect()
}
