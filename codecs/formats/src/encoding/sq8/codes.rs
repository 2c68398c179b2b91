//! Codes and corrections in memory: growing while a segment is written, borrowed while it is read.

use super::corrections::Corrections;
use super::frame::Projected;
use super::quantiles::Quantiles;
use super::quantizer::Quantizer;
use crate::encoding::temp_file::TempFile;
use byteorder::{ByteOrder, LittleEndian};
use lucerne_codec::io::bytes::PutLe;
use lucerne_codec::{Input, Ordinal, Result};
use lucerne_simd as simd;

/// Quantizer versions a segment may have.
pub const MAX_VERSIONS: usize = 64;

/// Borrowed codes of a segment.
#[derive(Clone, Copy, Debug)]
pub struct CodeRows<'a> {
    /// One byte per component, row after row.
    pub codes: &'a [u8],
    /// Term and scales of each vector, `correction_len` bytes: two or three little-endian f32.
    pub corrections: &'a [u8],
    /// Bytes of a vector's corrections.
    pub correction_len: usize,
    /// Each vector's quantizer version; empty when there is only one.
    pub versions: &'a [u8],
}

impl CodeRows<'_> {
    /// The entry that a vector needs of a table with one for each quantizer version; the default for a version that is
    /// not there.
    #[inline]
    pub fn of_version<T: Copy + Default>(&self, table: &[T], index: usize) -> T {
        let version = self.version(index);
        table.get(version).copied().unwrap_or_default()
    }

    /// The number of a vector's quantizer version.
    #[inline]
    pub fn version(&self, index: usize) -> usize {
        self.versions.get(index).map_or(0, |&version| usize::from(version))
    }

    /// Hints that the corrections and quantizer versions of these vectors will be read.
    #[inline]
    pub fn prefetch_corrections(&self, ordinals: &[Ordinal]) {
        for &ordinal in ordinals {
            simd::prefetch(self.corrections, ordinal as usize * self.correction_len, 1);
        }
        self.prefetch_versions(ordinals);
    }

    /// Hints that the quantizer versions of these vectors will be read.
    #[inline]
    pub fn prefetch_versions(&self, ordinals: &[Ordinal]) {
        if !self.versions.is_empty() {
            ordinals.iter().for_each(|&ordinal| simd::prefetch(self.versions, ordinal as usize, 1));
        }
    }

    /// Term and scale of a vector's 8-bit codes.
    #[inline]
    pub fn correction(&self, index: usize) -> (f32, f32) {
        let at = index * self.correction_len;
        let bytes = self.corrections.get(at..at + 8).unwrap_or(&[0; 8]);
        let (term, scale) = bytes.split_at(4);
        (LittleEndian::read_f32(term), LittleEndian::read_f32(scale))
    }

    /// Term and scale of a vector's 4-bit codes, in segments that keep those.
    #[inline]
    pub fn correction4(&self, index: usize) -> (f32, f32) {
        let corrections = self.corrections.as_chunks::<12>().0;
        let [a, b, c, d, _, _, _, _, e, f, g, h] = corrections.get(index).copied().unwrap_or_default();
        (f32::from_le_bytes([a, b, c, d]), f32::from_le_bytes([e, f, g, h]))
    }

    /// All corrections of a vector, as a file has them.
    pub fn correction_bytes(&self, index: usize) -> &[u8] {
        let at = index * self.correction_len;
        self.corrections.get(at..at + self.correction_len).unwrap_or_default()
    }
}

/// Codes kept in memory before they are written to a temporary file.
const SPILL_AT: usize = 1 << 20;

/// Codes being collected. Memory: dimension + 9 or 13 bytes per vector, 9 or 13 when the codes go to a temporary file.
pub struct Codes<'a> {
    /// Components of a vector.
    pub dimension: usize,
    /// Quantizer versions in use; `numbers` index this.
    pub versions: Vec<Quantiles>,
    codes: Vec<u8>,
    corrections: Vec<u8>,
    correction_len: usize,
    numbers: Vec<u8>,
    /// Memory of encoding.
    other: Vec<u8>,
    /// All codes, once they are in the file. Before the file that it maps.
    mapped: Option<Input>,
    file: Option<TempFile<'a>>,
}

impl<'a> Codes<'a> {
    /// No codes yet; room for `count`. They go to `file` if there is one. `sq4` keeps what 4-bit codes need.
    pub fn new(dimension: usize, count: usize, sq4: bool, file: Option<TempFile<'a>>) -> Self {
        let bytes = if file.is_some() { SPILL_AT } else { count.saturating_mul(dimension) };
        let correction_len = Corrections::len(sq4);
        Self {
            dimension,
            versions: Vec::new(),
            codes: Vec::with_capacity(bytes),
            corrections: Vec::with_capacity(count.saturating_mul(correction_len)),
            correction_len,
            numbers: Vec::with_capacity(count),
            other: Vec::new(),
            mapped: None,
            file,
        }
    }

    /// Writes the codes collected so far to the temporary file, if there is one and they are many.
    pub fn spill(&mut self) -> Result<()> {
        match &mut self.file {
            Some(file) if self.codes.len() >= SPILL_AT => {
                file.write(&self.codes)?;
                self.codes.clear();
                Ok(())
            }
            _ => Ok(()),
        }
    }

    /// Ends the collecting: from here on the codes can be read.
    pub fn finish(&mut self) -> Result<()> {
        if let Some(file) = &mut self.file {
            file.write(&self.codes)?;
            self.codes = Vec::new();
            self.mapped = Some(file.finish()?);
        }
        Ok(())
    }

    /// The number of a quantizer version, added if it is not known yet. At most [`MAX_VERSIONS`] are offered.
    pub fn version_number(&mut self, quantiles: Quantiles) -> u8 {
        let known = self.versions.iter().position(|known| *known == quantiles);
        let number = known.unwrap_or_else(|| {
            self.versions.push(quantiles);
            self.versions.len() - 1
        });
        number as u8
    }

    /// Encodes a vector in its frame.
    pub(super) fn encode(&mut self, quantizer: &Quantizer, number: u8, projected: &Projected) {
        let start = self.codes.len();
        self.codes.resize(start + self.dimension, 0);
        let codes = self.codes.get_mut(start..).unwrap_or_default();
        let scales = quantizer.encode(&projected.vector, projected.length, codes, &mut self.other);
        let Corrections { term, scale, scale4 } = scales.with_term(projected.term);
        self.corrections.put_f32(term);
        self.corrections.put_f32(scale);
        if self.correction_len == Corrections::len(true) {
            self.corrections.put_f32(scale4);
        }
        self.numbers.push(number);
    }

    /// Copies a vector's codes and corrections as they are; the corrections are of as many bytes as those of this.
    pub fn copy(&mut self, number: u8, codes: &[u8], corrections: &[u8]) {
        self.codes.extend_from_slice(codes);
        self.corrections.extend_from_slice(corrections);
        self.numbers.push(number);
    }

    /// Number of vectors.
    pub fn len(&self) -> usize {
        self.numbers.len()
    }

    /// True when there are none.
    pub fn is_empty(&self) -> bool {
        self.numbers.is_empty()
    }

    /// The codes as a reader has them.
    pub fn rows(&self) -> CodeRows<'_> {
        CodeRows {
            codes: self.mapped.as_ref().map_or(&self.codes, Input::bytes),
            corrections: &self.corrections,
            correction_len: self.correction_len,
            versions: if self.versions.len() > 1 { &self.numbers } else { &[] },
        }
    }

    /// Vectors of each quantizer version.
    pub fn counts(&self) -> Vec<u64> {
        let mut counts = vec![0u64; self.versions.len()];
        for &number in &self.numbers {
            if let Some(count) = counts.get_mut(usize::from(number)) {
                *count += 1;
            }
        }
        counts
    }
}
