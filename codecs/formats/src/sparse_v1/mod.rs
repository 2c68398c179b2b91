//! Sparse vectors, version 1: rows by document in `{segment}.sparse`, lists by dimension in `{segment}.slists`.
//!
//! Fields follow each other by ascending number, without gaps. A field's part of the rows:
//!
//! ```text
//!   …  rows         of each document in order: its dimensions, ascending, u32 each; then as many weights, f32
//!   …  [u64; n + 1] where the row of each document begins, counted from the first row; after the last where it ends
//! ```
//!
//! A field's part of the lists:
//!
//! ```text
//!   …  lists        of each dimension, ascending:
//!                     u32 a block: number of the block (document / 256) × 256 + greatest code in it
//!                     u8 a block: documents of it that have the dimension, less one
//!                     u8 a document: its place in the block (document mod 256)
//!                     u8 a document: code of its weight
//!   …  [20 bytes]   of each dimension:
//!        0  u64       where its list starts, counted from the first list
//!        8  u32       blocks
//!       12  u32       documents
//!       16  f32       greatest weight
//!   …  u32          each dimension
//! ```
//!
//! A code is the weight in 255ths of the list's greatest, rounded up and at least 1, so that a score from codes is never
//! too low. Merges make lists anew from rows: weights are never rounded twice.

mod field;
mod lists;
mod meta;
mod reader;
mod rows;
#[cfg(test)]
mod tests;
mod verify;
mod writer;

use lucerne_codec::format::{OpenContext, Working, WriteContext, Written};
use lucerne_codec::sparse::{MAX_CODE, SparseFormat, SparseReader, SparseSource};
use lucerne_codec::{Cancel, Result};

const VERSION: u32 = 1;
/// Extensions and format names.
const ROWS: (&str, &str) = ("sparse", "sparse_rows");
const LISTS: (&str, &str) = ("slists", "sparse_lists");
/// Bytes that the table of lists has of each.
const HEAD_LEN: u64 = 20;
/// Entries whose lists are made at once, which bounds the memory that it takes: each time, all vectors are read.
const TOGETHER: u64 = 1 << 23;
/// The same where memory is short.
const FEW_TOGETHER: u64 = 1 << 18;

/// The format of sparse vectors.
#[derive(Clone, Copy, Debug, Default)]
pub struct SparseV1;

impl SparseFormat for SparseV1 {
    fn name(&self) -> &'static str {
        "sparse_v1"
    }

    fn write(&self, context: &WriteContext<'_>, source: &dyn SparseSource) -> Result<Written> {
        writer::write(context, source, together(context.working))
    }

    fn open(&self, context: &OpenContext<'_>) -> Result<Box<dyn SparseReader>> {
        Ok(Box::new(reader::Reader::open(context)?))
    }

    fn salvage(&self, context: &OpenContext<'_>, cancel: &Cancel) -> Result<Box<dyn SparseReader>> {
        reader::Reader::salvage(context, cancel)
    }

    fn merge_bytes(&self, working: Working) -> u64 {
        // Document and code of an entry, and as much again for what is known of dimensions.
        together(working) * 5 * 2
    }
}

fn together(working: Working) -> u64 {
    match working {
        Working::Heap => TOGETHER,
        Working::Files => FEW_TOGETHER,
    }
}

/// The code of a weight in a list whose greatest is `max`.
fn code(weight: f32, max: f32) -> u8 {
    let steps = f64::from(weight) / (f64::from(max) / f64::from(MAX_CODE));
    steps.ceil().clamp(1.0, f64::from(MAX_CODE)) as u8
}
