//! The lists of a sparse vector's dimensions in one segment, and bounds on scores from their codes.
//!
//! Bounds are whole numbers of a *unit*, so that adding them is exact: that of a document is the sum over its dimensions of
//! a factor of the query times its code, and no score is above its bound.

use super::bm25::finite_score;
use lucerne_codec::sparse::{ListBlocks, MAX_CODE, SparseVectors, WeightList};
use lucerne_codec::{Cancel, DocId, Result};

/// The greatest bound that the lists of a query can sum up to, but for rounding up.
const UNITS: f64 = (1u32 << 30) as f64;
/// Factors are multiplied by this, so that rounding never makes one too low.
const SLACK: f64 = 1.0 + 1e-9;
/// Scores that are this much below the least one count as equal to it: they are rounded to f32.
const ROUNDED: f64 = 1.0 - 1e-6;
/// Lists opened between two looks at the cancel flag.
const CANCEL_STEP: usize = 64;

/// The lists of those dimensions of a query that the segment has.
pub(crate) struct SparseLists<'a> {
    vectors: &'a dyn SparseVectors,
    query: &'a [(u32, f32)],
    lists: Vec<WeightList<'a>>,
    /// Of each list: the bound on the product that a code of 1 stands for, in units.
    factors: Vec<u32>,
    /// How far a document's bound may be above its score, in units.
    slack: u32,
    unit: f64,
    max_doc: u32,
}

impl<'a> SparseLists<'a> {
    /// Opens the lists of `query`, whose dimensions ascend.
    pub(crate) fn open(
        vectors: &'a dyn SparseVectors,
        query: &'a [(u32, f32)],
        max_doc: u32,
        cancel: &Cancel,
    ) -> Result<Self> {
        let (mut lists, mut products) = (Vec::new(), Vec::new());
        for (done, (dimension, weight)) in query.iter().enumerate() {
            cancel.check_every(CANCEL_STEP, done)?;
            if let Some(list) = vectors.list(*dimension)? {
                products.push(f64::from(*weight) * f64::from(list.max));
                lists.push(list);
            }
        }
        let unit = products.iter().sum::<f64>() / UNITS;
        let factor = |product: f64| (product / f64::from(MAX_CODE) / unit * SLACK).ceil().max(1.0) as u32;
        let factors: Vec<u32> = products.into_iter().map(factor).collect();
        // A code is less than 1 too high; a factor is, too, which counts once for each step of a code.
        let slack = factors.iter().fold(2, |sum: u32, factor| sum.saturating_add(factor.saturating_add(256)));
        Ok(Self { vectors, query, lists, factors, slack, unit, max_doc })
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.lists.is_empty()
    }

    pub(crate) fn lists(&self) -> &[WeightList<'a>] {
        &self.lists
    }

    /// Each list with its factor.
    pub(super) fn with_factors(&self) -> impl Iterator<Item = (&WeightList<'a>, u32)> {
        self.lists.iter().zip(self.factors.iter().copied())
    }

    /// A list and its factor, by its number.
    #[inline]
    pub(super) fn list(&self, number: usize) -> Option<(&WeightList<'a>, u32)> {
        Some((self.lists.get(number)?, *self.factors.get(number)?))
    }

    /// The blocks of each list.
    pub(super) fn blocks(&self) -> Vec<ListBlocks<'a>> {
        self.lists.iter().map(WeightList::blocks).collect()
    }

    pub(super) fn max_doc(&self) -> u32 {
        self.max_doc
    }

    /// The score of a document.
    #[inline]
    pub(super) fn score(&self, doc: DocId) -> Result<f32> {
        Ok(finite_score(self.vectors.row(doc)?.dot(self.query)))
    }

    /// The score that no document with this bound is above.
    pub(super) fn score_of(&self, bound: u32) -> f32 {
        finite_score(f64::from(bound) * self.unit / ROUNDED)
    }

    /// The least bound of a document whose score may be `least` or more; at least 1.
    pub(super) fn bound_of(&self, least: f32) -> u32 {
        // Scores near zero are rounded by more than their share.
        ((f64::from(least) * ROUNDED - f64::from(f32::from_bits(1))) / self.unit).max(1.0) as u32
    }

    /// The score that every document with this bound has at least.
    pub(super) fn least_score_of(&self, bound: u32) -> f32 {
        finite_score(f64::from(bound.saturating_sub(self.slack)) * self.unit)
    }
}
