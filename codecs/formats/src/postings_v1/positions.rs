//! Positions of the documents of a block: gaps in packed runs, the rest one by one.

use super::packing::{Run, take_values};
use super::varint::take_u32;
use lucerne_codec::postings::BLOCK_LEN;

/// Reads the positions of one block's documents, run by run.
pub(super) struct Positions<'a> {
    /// The block they belong to.
    pub(super) block: usize,
    /// Where each document's gaps start among the block's; the last one is their number.
    starts: [u64; BLOCK_LEN + 1],
    docs: usize,
    /// From the block's first run on.
    bytes: &'a [u8],
    /// From the run after the decoded one on.
    rest: &'a [u8],
    /// Runs decoded or passed; the one before the last of these is in `values`.
    passed: u64,
    values: Run,
}

impl<'a> Positions<'a> {
    pub(super) fn new(block: usize, freqs: &[u32], bytes: &'a [u8]) -> Self {
        let (starts, values) = ([0; BLOCK_LEN + 1], [0; BLOCK_LEN]);
        let mut positions = Self { block, starts, docs: 0, bytes, rest: bytes, passed: 0, values };
        positions.open(block, freqs, bytes);
        positions
    }

    /// Turns to another block.
    pub(super) fn open(&mut self, block: usize, freqs: &[u32], bytes: &'a [u8]) {
        (self.block, self.docs, self.bytes, self.rest, self.passed) = (block, freqs.len(), bytes, bytes, 0);
        let mut sum = 0;
        for (start, freq) in self.starts.iter_mut().skip(1).zip(freqs) {
            sum += u64::from(*freq);
            *start = sum;
        }
    }

    /// Appends the positions of a document of the block; `None` when the bytes are damaged or there is no
    /// such document.
    pub(super) fn read(&mut self, index: usize, into: &mut Vec<u32>) -> Option<()> {
        if index >= self.docs {
            return None;
        }
        let (mut at, end) = (*self.starts.get(index)?, *self.starts.get(index + 1)?);
        let mut position = 0u32;
        while at < end {
            self.decode(at / BLOCK_LEN as u64)?;
            let first = (at % BLOCK_LEN as u64) as usize;
            let count = (end - at).min((BLOCK_LEN - first) as u64) as usize;
            for gap in self.values.get(first..first + count)? {
                position = position.checked_add(*gap)?;
                into.push(position);
            }
            at += count as u64;
        }
        Some(())
    }

    /// Makes `values` the gaps of a run.
    fn decode(&mut self, run: u64) -> Option<()> {
        if run < self.passed.saturating_sub(1) {
            (self.rest, self.passed) = (self.bytes, 0);
        }
        while self.passed <= run {
            let left = self.starts.get(self.docs)?.checked_sub(self.passed * BLOCK_LEN as u64)?;
            if left >= BLOCK_LEN as u64 {
                let (&bits, mut packed) = self.rest.split_first()?;
                if bits == 0 {
                    return None;
                }
                if self.passed < run {
                    packed = packed.get(usize::from(bits) * BLOCK_LEN / 8..)?;
                } else {
                    take_values(bits, &mut packed, &mut self.values)?;
                }
                self.rest = packed;
            } else {
                for value in self.values.iter_mut().take(left as usize) {
                    *value = take_u32(&mut self.rest)?;
                }
            }
            self.passed += 1;
        }
        Some(())
    }
}
