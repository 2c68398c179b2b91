//! Sparse vectors: few of very many dimensions, each with a weight above zero, searched by inner product.
//!
//! One structure per segment holds the sparse vectors of all its fields, twice: as *rows*, the vectors as they were given,
//! by document; and as *lists*, by dimension, the documents that have it, with weights in 8 bits. A search finds
//! candidates by the lists, whose weights are never too low, and scores them by the rows.

mod merged;

pub use merged::MergedSparse;

use crate::format::{OpenContext, Problem, Working, WriteContext, Written};
use crate::io::bytes::{PutLe as _, f32s, u32_at, u32s};
use crate::{Cancel, DocId, MergeInput, Report, Result};
use serde::{Deserialize, Serialize};

/// Documents of a block: those of one have the same `doc / BLOCK_DOCS`.
pub const BLOCK_DOCS: u32 = 256;

/// Entries of a row that are counted through rather than searched.
const COUNTED: usize = 128;

/// The code of the largest weight of a list.
pub const MAX_CODE: u8 = u8::MAX;

/// A field of sparse vectors.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SparseField {
    /// The field's number: stable within an index.
    pub number: u32,
    /// The field's name.
    pub name: String,
}

/// A sparse vector: dimensions, ascending, as little-endian u32, then as many weights as little-endian f32, finite and
/// above zero.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SparseRow<'a> {
    dimensions: &'a [u8],
    weights: &'a [u8],
}

impl<'a> SparseRow<'a> {
    /// Bytes of a dimension and its weight.
    pub const ENTRY_LEN: usize = 8;

    /// The row in these bytes; one entry that is cut off is left out.
    pub fn new(bytes: &'a [u8]) -> Self {
        let half = bytes.len() / Self::ENTRY_LEN * 4;
        let (dimensions, rest) = bytes.split_at_checked(half).unwrap_or_default();
        Self { dimensions, weights: rest.get(..half).unwrap_or_default() }
    }

    /// The bytes of a row.
    pub fn bytes_of(entries: &[(u32, f32)]) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(entries.len() * Self::ENTRY_LEN);
        entries.iter().for_each(|(dimension, _)| bytes.put_u32(*dimension));
        entries.iter().for_each(|(_, weight)| bytes.put_f32(*weight));
        bytes
    }

    /// Number of dimensions with a weight.
    pub fn len(&self) -> usize {
        self.dimensions.len() / 4
    }

    /// True when no dimension has a weight.
    pub fn is_empty(&self) -> bool {
        self.dimensions.is_empty()
    }

    /// Each dimension with its weight.
    #[inline]
    pub fn iter(&self) -> impl Iterator<Item = (u32, f32)> + 'a {
        u32s(self.dimensions).zip(f32s(self.weights))
    }

    /// The bytes of the dimensions, and of the weights.
    pub fn parts(&self) -> [&'a [u8]; 2] {
        [self.dimensions, self.weights]
    }

    /// True when dimensions ascend, and weights are finite and above zero.
    pub fn is_sound(&self) -> bool {
        u32s(self.dimensions).is_sorted_by(|left, right| left < right)
            && f32s(self.weights).all(|weight| weight.is_finite() && weight > 0.0)
    }

    /// The inner product with `query`, whose dimensions ascend. Products are added in the order of the dimensions, in f64.
    #[inline]
    pub fn dot(&self, query: &[(u32, f32)]) -> f64 {
        let (dimensions, weights) = (self.dimensions.as_chunks::<4>().0, self.weights.as_chunks::<4>().0);
        let (mut sum, mut from) = (0.0, 0);
        for (wanted, weight) in query {
            let rest = dimensions.get(from..).unwrap_or_default();
            let is_before = |own: &[u8; 4]| u32::from_le_bytes(*own) < *wanted;
            // Short rows are counted through, which takes no branch that depends on them.
            from += match rest.len() {
                ..=COUNTED => rest.iter().map(|own| usize::from(is_before(own))).sum::<usize>(),
                _ => rest.partition_point(is_before),
            };
            match (dimensions.get(from), weights.get(from)) {
                (Some(own), Some(factor)) if u32::from_le_bytes(*own) == *wanted => {
                    sum += f64::from(f32::from_le_bytes(*factor)) * f64::from(*weight);
                    from += 1;
                }
                (None, _) => break,
                _ => {}
            }
        }
        sum
    }
}

/// The documents that have a dimension, in blocks of [`BLOCK_DOCS`] documents.
///
/// A weight is at most `max × code / 255`, and no further below than one step of the code.
#[derive(Clone, Copy, Debug)]
pub struct WeightList<'a> {
    /// The largest weight.
    pub max: f32,
    /// The blocks with any of the documents, ascending: the block's number × 256 + the greatest code in it, as
    /// little-endian u32.
    pub blocks: &'a [u8],
    /// Documents of each block, less one.
    pub counts: &'a [u8],
    /// Of each document: its place in its block, ascending.
    pub places: &'a [u8],
    /// Of each document: the code of its weight, from 1 to 255.
    pub codes: &'a [u8],
}

impl<'a> WeightList<'a> {
    /// The blocks, in order.
    #[inline]
    pub fn blocks(&self) -> ListBlocks<'a> {
        ListBlocks { blocks: self.blocks, counts: self.counts, at: 0, start: 0 }
    }

    /// Documents with the dimension.
    pub fn docs(&self) -> u32 {
        self.places.len() as u32
    }

    /// Places and codes of a block's documents.
    #[inline]
    pub fn of_block(&self, block: ListBlock) -> (&'a [u8], &'a [u8]) {
        let range = block.start as usize..block.end as usize;
        (self.places.get(range.clone()).unwrap_or_default(), self.codes.get(range).unwrap_or_default())
    }

    /// Adds the places of a block's documents to a set of them, a bit each.
    pub fn add_places(&self, block: ListBlock, set: &mut [u64; BLOCK_DOCS as usize / 64]) {
        for place in self.of_block(block).0 {
            if let Some(word) = set.get_mut(usize::from(place / 64)) {
                *word |= 1 << (place % 64);
            }
        }
    }
}

/// A block of a list.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ListBlock {
    /// Its documents are those from `number × BLOCK_DOCS` on.
    pub number: u32,
    /// The greatest code in it.
    pub max_code: u8,
    /// Where its documents begin in the list.
    pub start: u32,
    /// Where they end.
    pub end: u32,
}

/// The blocks of a list that are left.
#[derive(Clone, Copy, Debug, Default)]
pub struct ListBlocks<'a> {
    blocks: &'a [u8],
    counts: &'a [u8],
    at: usize,
    start: u32,
}

impl ListBlocks<'_> {
    /// The next block.
    #[inline]
    pub fn peek(&self) -> Option<ListBlock> {
        let (block, count) = (u32_at(self.blocks, self.at)?, *self.counts.get(self.at)?);
        let end = self.start.saturating_add(u32::from(count) + 1);
        Some(ListBlock { number: block >> 8, max_code: block as u8, start: self.start, end })
    }

    /// Passes over the blocks before `number`; returns the next one, which stays.
    #[inline]
    pub fn seek(&mut self, number: u32) -> Option<ListBlock> {
        loop {
            let block = self.peek()?;
            if block.number >= number {
                return Some(block);
            }
            self.next();
        }
    }
}

impl Iterator for ListBlocks<'_> {
    type Item = ListBlock;

    #[inline]
    fn next(&mut self) -> Option<ListBlock> {
        let block = self.peek()?;
        (self.at, self.start) = (self.at + 1, block.end);
        Some(block)
    }
}

/// Takes a document's row.
pub type TakeRow<'a> = dyn FnMut(DocId, SparseRow<'_>) -> Result<()> + 'a;

/// Sparse vectors on their way into a segment. They are read more than once.
pub trait SparseSource {
    /// The fields that a document has a vector in, by ascending number.
    fn fields(&self) -> Vec<SparseField>;

    /// Calls `take` with every row of a field that is not empty; documents ascend.
    fn each_row(&self, number: u32, take: &mut TakeRow<'_>) -> Result<()>;
}

/// Writes and opens sparse vectors.
pub trait SparseFormat: Send + Sync {
    /// The name segments remember; never reused for another layout.
    fn name(&self) -> &'static str;

    /// Writes everything `source` yields.
    fn write(&self, context: &WriteContext<'_>, source: &dyn SparseSource) -> Result<Written>;

    /// Opens what was written. Reads metadata only; every byte is untrusted.
    fn open(&self, context: &OpenContext<'_>) -> Result<Box<dyn SparseReader>>;

    /// Opens the rows of what is damaged elsewhere, so that lists are made again by a merge: for repairs.
    ///
    /// # Errors
    /// When rows are damaged, and by default always.
    fn salvage(&self, context: &OpenContext<'_>, _cancel: &Cancel) -> Result<Box<dyn SparseReader>> {
        Err(context.beyond_repair(self.name()))
    }

    /// Merges the live documents of all inputs, by their rows.
    fn merge(
        &self,
        context: &WriteContext<'_>,
        inputs: &[MergeInput<'_, dyn SparseReader>],
    ) -> Result<Written> {
        self.write(context, &MergedSparse::new(inputs, context.cancel))
    }

    /// Bytes of heap that writing or merging takes at most, beside what the source takes.
    fn merge_bytes(&self, working: Working) -> u64;
}

/// The sparse vectors of one segment, open for reading.
pub trait SparseReader: Send + Sync {
    /// The fields that a document has a vector in, by ascending number.
    fn fields(&self) -> &[SparseField];

    /// The vectors of a field; `None` when no document of the segment has one.
    fn field(&self, number: u32) -> Option<&dyn SparseVectors>;

    /// False when the files have an older version than the format writes now: `lucerne upgrade` rewrites them.
    fn is_current(&self) -> bool {
        true
    }

    /// A report for people and tools: documents, dimensions, weights, bytes by field.
    fn inspect(&self) -> Report;

    /// Reads every row and list, and holds them against each other. Checksums are checked by the caller.
    fn verify(&self, cancel: &Cancel) -> Result<Vec<Problem>>;
}

/// The sparse vectors of one field of one segment.
pub trait SparseVectors: Send + Sync {
    /// Documents with a vector that is not empty.
    fn docs(&self) -> u32;

    /// A document's row; empty when it has none.
    fn row(&self, doc: DocId) -> Result<SparseRow<'_>>;

    /// The documents that have a dimension; `None` when there are none.
    fn list(&self, dimension: u32) -> Result<Option<WeightList<'_>>>;
}
