//! The values of many documents, block by block.

use super::block::Block;
use lucerne_codec::{BitSet, DocId, Result};

/// Room for the values of the documents of a block.
#[derive(Default)]
pub(super) struct Taken {
    pub(super) docs: Vec<DocId>,
    pub(super) values: Vec<i64>,
    /// Where the values are in the block.
    indexes: Vec<u32>,
}

impl Taken {
    /// Replaces the content by the values of those of the block's documents that are members of `wanted`.
    pub(super) fn read(&mut self, block: &Block<'_>, wanted: &BitSet) -> Result<()> {
        let Self { docs, values, indexes } = self;
        docs.clear();
        values.clear();
        indexes.clear();
        if block.entry.has_several() {
            block.each_of(wanted, &mut |rank, doc| {
                for index in block.values_of(rank as usize)? {
                    docs.push(doc);
                    indexes.push(index as u32);
                }
                Ok(())
            })?;
        } else {
            block.each_of(wanted, &mut |rank, doc| {
                docs.push(doc);
                indexes.push(rank);
                Ok(())
            })?;
        }
        block.take(indexes, values)
    }

    /// Calls `each` with the values of those of the block's documents that are members of `wanted`.
    #[inline]
    pub(super) fn each(&mut self, block: &Block<'_>, wanted: &BitSet, each: impl FnMut(i64)) -> Result<()> {
        let indexes = &mut self.indexes;
        indexes.clear();
        if let Some(words) = block.one_each(wanted) {
            return block.each_in(words, each);
        }
        if block.entry.has_several() {
            block.each_of(wanted, &mut |rank, _| {
                indexes.extend(block.values_of(rank as usize)?.map(|index| index as u32));
                Ok(())
            })?;
        } else {
            block.each_of(wanted, &mut |rank, _| {
                indexes.push(rank);
                Ok(())
            })?;
        }
        block.each_at(indexes, each)
    }
}
