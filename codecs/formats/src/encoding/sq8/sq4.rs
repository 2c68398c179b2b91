//! The `.sq4` file: the upper four bits of every code, for graph search.
//!
//! A graph search compares hundreds of vectors that lie anywhere, and waits for memory more than it computes. So it
//! reads half of each code, and its results are rescored with the 8-bit codes (two-level codes, as in LVQ: Aguerrebere et
//! al., VLDB 2023). With h = ⌊b/16⌋ a code b lies at 16·h + 7.5 on average, and
//!
//! ```text
//! q·x̂ ≈ s·(lower + 7.5·α)·Σtᵢ + s·16·α·Σ tᵢhᵢ
//! ```
//!
//! with the query as integers of 8 bits: what those lose is less than what a 4-bit code does. Corrections are those of
//! the 8-bit codes, rounded to four bytes a vector. Recall with both: `docs/measurements/quantization.md`.
//!
//! ```text
//! body (64-byte boundary)
//!   len rows of ⌈dimension/64⌉ blocks of 32 bytes: the low 4 bits of byte j are component j of the block's 64,
//!   the high 4 bits component 32 + j; 0 where there is no component
//!   len corrections: term and scale as bfloat16
//! ```

use super::codes::{CodeRows, Codes};
use super::corrections::{ShortCorrections, shorten};
use crate::encoding::temp_file::TempFile;
use lucerne_codec::envelope::{self, FileEntry, HEADER_LEN};
use lucerne_codec::format::{OpenContext, WriteContext};
use lucerne_codec::io::Access;
use lucerne_codec::{FieldInfo, Input, Ordinal, Result};
use lucerne_simd as simd;

/// Extension of the file's name, and format name in its header.
pub const FORMAT: &str = "sq4";
/// Version written; no other is read. Version 1 had no corrections, and was never released.
pub const VERSION: u32 = 2;

/// Below this many components a row would fill less than a block.
pub const LEAST_DIMENSION: u32 = 64;

/// Bytes of a block.
const BLOCK: usize = simd::NIBBLES / 2;
/// Vectors between two checks of the cancel flag.
const STEP: usize = 4_096;

/// Bytes of a row.
pub fn row_len(dimension: usize) -> usize {
    dimension.div_ceil(simd::NIBBLES) * BLOCK
}

/// Appends the upper four bits of a vector's codes.
pub(super) fn pack(codes: &[u8], row: &mut Vec<u8>) {
    for block in codes.chunks(simd::NIBBLES) {
        let (low, high) = block.split_at(block.len().min(BLOCK));
        let high = high.iter().copied().chain(std::iter::repeat(0));
        let start = row.len();
        row.extend(low.iter().zip(high).map(|(low, high)| low >> 4 | high & 0xF0));
        row.resize(start + BLOCK, 0);
    }
}

/// Extension of the temporary file; never part of a segment.
const TEMPORARY: &str = "sq4tmp";

/// What a `.sq4` file has.
#[derive(Clone, Copy, Debug, Default)]
pub struct Sq4Rows<'a> {
    /// The rows.
    pub codes: &'a [u8],
    /// The corrections.
    pub(super) corrections: &'a [ShortCorrections],
}

/// The 4-bit codes of a segment being written, in memory or on disk; the corrections are in memory.
pub struct Sq4Codes<'a> {
    memory: Vec<u8>,
    corrections: Vec<ShortCorrections>,
    row_len: usize,
    // Before the file that it maps.
    mapped: Option<Input>,
    _file: Option<TempFile<'a>>,
}

impl<'a> Sq4Codes<'a> {
    /// The upper four bits of all codes.
    pub fn new(write: &'a WriteContext<'a>, field: &FieldInfo, codes: &Codes) -> Result<Self> {
        let row_len = row_len(codes.dimension);
        let bytes = codes.len().saturating_mul(row_len);
        let mut file = TempFile::for_bytes(write, field, TEMPORARY, bytes)?;
        let mut memory = Vec::with_capacity(if file.is_some() { 0 } else { bytes });
        for rows in codes.rows().codes.chunks(codes.dimension * STEP) {
            write.cancel.check()?;
            rows.chunks_exact(codes.dimension).for_each(|row| pack(row, &mut memory));
            if let Some(file) = &mut file {
                file.write(&memory)?;
                memory.clear();
            }
        }
        let mapped = file.as_mut().map(TempFile::finish).transpose()?;
        let rows = codes.rows();
        let corrections = (0..codes.len()).map(|index| short_corrections(&rows, index)).collect();
        Ok(Self { memory, corrections, row_len, mapped, _file: file })
    }

    /// All rows, laid out as in the file.
    pub fn rows(&self) -> Sq4Rows<'_> {
        let codes = self.mapped.as_ref().map_or(&self.memory[..], Input::bytes);
        Sq4Rows { codes, corrections: &self.corrections }
    }

    /// Writes the `.sq4` file in the order given: `order[new]` is the index of a vector.
    pub fn write(
        &self,
        context: &WriteContext<'_>,
        field: &FieldInfo,
        order: &[Ordinal],
    ) -> Result<FileEntry> {
        let mut file = context.create(FORMAT, FORMAT, VERSION, field.number)?;
        file.align(64)?;
        let rows = self.rows();
        for (done, &from) in order.iter().enumerate() {
            context.cancel.check_every(STEP, done)?;
            let start = from as usize * self.row_len;
            file.write(rows.codes.get(start..start + self.row_len).unwrap_or_default())?;
        }
        let mut buffer = Vec::with_capacity(STEP * size_of::<ShortCorrections>());
        for part in order.chunks(STEP) {
            buffer.clear();
            let corrections = part.iter().filter_map(|&from| rows.corrections.get(from as usize));
            corrections.for_each(|correction| buffer.extend_from_slice(correction));
            file.write(&buffer)?;
        }
        file.finish()
    }
}

/// The correction of a vector's 4-bit codes as the file has it.
pub(super) fn short_corrections(codes: &CodeRows<'_>, index: usize) -> ShortCorrections {
    let (term, scale) = codes.correction4(index);
    shorten(term, scale)
}

/// An open `.sq4` file.
#[derive(Debug)]
pub struct Sq4File {
    rows: Input,
    corrections: Input,
    row_len: usize,
}

impl Sq4File {
    /// Opens the file of `len` vectors. Reads header, footer and length.
    pub fn open(context: &OpenContext<'_>, entry: &FileEntry, field: &FieldInfo, len: usize) -> Result<Self> {
        let file = context.open(entry, FORMAT, VERSION, field.number)?;
        let body = envelope::body(&file)?;
        let row_len = row_len(field.dimension as usize);
        if len.checked_mul(row_len + size_of::<ShortCorrections>()) != Some(body.len()) {
            let problem = format!("{len} vectors of {row_len} bytes do not make {} bytes", file.len());
            return Err(file.corrupt(HEADER_LEN, problem));
        }
        let rows = (len * row_len) as u64;
        let corrections = body.sub(rows, body.len() as u64 - rows)?;
        Ok(Self { rows: body.sub(0, rows)?, corrections, row_len })
    }

    /// Hints that the file is about to be used often.
    pub fn make_resident(&self) {
        self.rows.advise(Access::Resident);
        self.corrections.advise(Access::Resident);
    }

    /// All of it.
    pub fn rows(&self) -> Sq4Rows<'_> {
        Sq4Rows { codes: self.rows.bytes(), corrections: self.corrections.bytes().as_chunks().0 }
    }

    /// Bytes of all rows and corrections.
    pub fn size(&self) -> usize {
        self.rows.len() + self.corrections.len()
    }

    /// File name.
    pub fn name(&self) -> &str {
        self.rows.name()
    }

    /// What is wrong with a vector's row or correction, given its codes and those of all.
    pub(super) fn problem(
        &self,
        ordinal: Ordinal,
        codes: &[u8],
        rows: &CodeRows<'_>,
    ) -> Result<Option<&'static str>> {
        let mut row = Vec::with_capacity(self.row_len);
        pack(codes, &mut row);
        let start = u64::from(ordinal) * self.row_len as u64;
        if self.rows.slice(start, self.row_len as u64)? != row {
            return Ok(Some("not the upper four bits of its codes"));
        }
        let expected = short_corrections(rows, ordinal as usize);
        let found = self.rows().corrections.get(ordinal as usize);
        Ok((found != Some(&expected)).then_some("not the corrections of its codes"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_has_the_upper_bits_where_the_kernels_want_them() {
        let codes: Vec<u8> = (0..100u32).map(|i| (i * 37 % 256) as u8).collect();
        let mut row = Vec::new();
        pack(&codes, &mut row);
        assert_eq!(row.len(), row_len(100));
        for i in 0..128 {
            let byte = row[i / 64 * 32 + i % 32];
            let bits = if i % 64 < 32 { byte & 15 } else { byte >> 4 };
            assert_eq!(bits, codes.get(i).map_or(0, |code| code >> 4), "component {i}");
        }
    }
}
