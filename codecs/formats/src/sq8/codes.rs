//! Codes and corrections in memory: growing while a segment is written, borrowed while it is read.

use super::Quantiles;
use super::quantizer::Quantizer;
use lucerne_codec::{Input, Ordinal};
use lucerne_simd as simd;

/// Encodings a segment may have.
pub const MAX_ENCODINGS: usize = 64;

/// Borrowed codes of a segment.
#[derive(Clone, Copy, Debug)]
pub struct CodeRows<'a> {
    /// One byte per component, row after row.
    pub codes: &'a [u8],
    /// Little-endian f32 corrections.
    pub corrections: &'a [[u8; 4]],
    /// Each vector's encoding; empty when there is only one.
    pub encodings: &'a [u8],
}

impl CodeRows<'_> {
    /// The entry of a per-encoding table that a vector needs; nothing for an encoding that is not there.
    #[inline]
    pub fn of_encoding<T: Copy + Default>(&self, table: &[T], index: usize) -> T {
        let encoding = self.encoding(index);
        table.get(encoding).copied().unwrap_or_default()
    }

    /// The number of a vector's encoding.
    #[inline]
    pub fn encoding(&self, index: usize) -> usize {
        self.encodings.get(index).map_or(0, |&encoding| usize::from(encoding))
    }

    /// Hints that the corrections and encodings of these vectors will be wanted.
    #[inline]
    pub fn prefetch_corrections(&self, ordinals: &[Ordinal]) {
        for &ordinal in ordinals {
            simd::prefetch(self.corrections, ordinal as usize, 1);
            simd::prefetch(self.encodings, ordinal as usize, 1);
        }
    }

    /// A vector's correction.
    #[inline]
    pub fn correction(&self, index: usize) -> f32 {
        self.corrections.get(index).map_or(0.0, |bytes| f32::from_le_bytes(*bytes))
    }
}

/// Codes being collected. Memory: dimension + 5 bytes per vector, 5 when the codes are moved elsewhere.
#[derive(Debug)]
pub struct Codes {
    /// Components of a vector.
    pub dimension: usize,
    /// Quantiles in use; `numbers` index this.
    pub encodings: Vec<Quantiles>,
    codes: Vec<u8>,
    /// All codes, once they are elsewhere.
    moved: Option<Input>,
    corrections: Vec<[u8; 4]>,
    numbers: Vec<u8>,
}

impl Codes {
    /// No codes yet; room for `count`.
    pub fn new(dimension: usize, count: usize) -> Self {
        Self {
            dimension,
            encodings: Vec::new(),
            codes: Vec::with_capacity(count.saturating_mul(dimension)),
            moved: None,
            corrections: Vec::with_capacity(count),
            numbers: Vec::with_capacity(count),
        }
    }

    /// Like [`Codes::new`] for codes that are taken out part by part.
    pub fn in_parts(dimension: usize, count: usize) -> Self {
        Self {
            corrections: Vec::with_capacity(count),
            numbers: Vec::with_capacity(count),
            ..Self::new(dimension, 0)
        }
    }

    /// Hands over the codes collected since the last part.
    pub fn take_part<T>(&mut self, take: impl FnOnce(&[u8]) -> T) -> T {
        let taken = take(&self.codes);
        self.codes.clear();
        taken
    }

    /// All parts, one after the other, where they were taken to.
    pub fn moved_to(&mut self, codes: Input) {
        self.codes = Vec::new();
        self.moved = Some(codes);
    }

    /// The number of an encoding, added if it is not known yet. At most [`MAX_ENCODINGS`] are offered.
    pub fn number(&mut self, quantiles: Quantiles) -> u8 {
        let known = self.encodings.iter().position(|known| *known == quantiles);
        let number = known.unwrap_or_else(|| {
            self.encodings.push(quantiles);
            self.encodings.len() - 1
        });
        number as u8
    }

    /// Encodes a transformed vector.
    pub fn encode(&mut self, quantizer: &Quantizer, number: u8, vector: &[f32]) {
        let start = self.codes.len();
        self.codes.resize(start + self.dimension, 0);
        let codes = self.codes.get_mut(start..).unwrap_or_default();
        let correction = quantizer.encode(vector, codes);
        self.corrections.push(correction.to_le_bytes());
        self.numbers.push(number);
    }

    /// Copies a vector's codes and correction as they are.
    pub fn copy(&mut self, number: u8, codes: &[u8], correction: f32) {
        self.codes.extend_from_slice(codes);
        self.corrections.push(correction.to_le_bytes());
        self.numbers.push(number);
    }

    /// Number of vectors.
    pub fn len(&self) -> usize {
        self.corrections.len()
    }

    /// True when there are none.
    pub fn is_empty(&self) -> bool {
        self.corrections.is_empty()
    }

    /// The codes as a reader has them.
    pub fn rows(&self) -> CodeRows<'_> {
        CodeRows {
            codes: self.moved.as_ref().map_or(&self.codes, Input::bytes),
            corrections: &self.corrections,
            encodings: if self.encodings.len() > 1 { &self.numbers } else { &[] },
        }
    }

    /// Vectors of each encoding.
    pub fn counts(&self) -> Vec<u64> {
        let mut counts = vec![0u64; self.encodings.len()];
        for &number in &self.numbers {
            if let Some(count) = counts.get_mut(usize::from(number)) {
                *count += 1;
            }
        }
        counts
    }
}
