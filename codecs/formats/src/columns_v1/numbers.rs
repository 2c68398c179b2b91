//! A column of numbers.

use super::block::{Block, Entry};
use super::meta::ColumnMeta;
use super::take::Taken;
use super::{BLOCK_DOCS, BLOCK_WORDS, ENTRY_LEN};
use lucerne_codec::columns::{NumberColumn, TakeValues};
use lucerne_codec::{BitSet, Cancel, DocId, Input, Result};
use std::ops::{Range, RangeInclusive};

/// Blocks between two looks at the cancel flag.
const CANCEL_STEP: usize = 16;

/// The blocks of a column, of numbers or of positions in a dictionary.
pub(super) struct Numbers {
    max_doc: u32,
    blocks: Input,
    table: Input,
    meta: ColumnMeta,
}

impl Numbers {
    /// The numbers of a column whose blocks and table end at `end`.
    pub(super) fn open(column: &Input, end: u64, max_doc: u32, meta: &ColumnMeta) -> Result<Self> {
        let table_at = end.checked_sub(meta.table_len());
        let table_at = table_at.ok_or_else(|| column.corrupt(0, "the table of blocks does not fit"))?;
        Ok(Self {
            max_doc,
            blocks: column.sub(0, table_at)?,
            table: column.sub(table_at, meta.table_len())?,
            meta: meta.clone(),
        })
    }

    /// Number of documents of the segment.
    pub(super) fn max_doc(&self) -> u32 {
        self.max_doc
    }

    fn entry(&self, index: u32) -> Result<Entry> {
        Entry::read(&self.table, index, self.max_doc)
    }

    /// The number of the block of an entry, unchecked.
    fn number(&self, index: u32) -> Result<u32> {
        self.table.cursor(u64::from(index) * ENTRY_LEN).u32()
    }

    /// The block that has `doc`, if any has.
    #[inline]
    fn find(&self, doc: DocId) -> Result<Option<Block<'_>>> {
        let number = doc / BLOCK_DOCS;
        let (mut low, mut high) = (0, self.meta.blocks);
        if high == self.max_doc.div_ceil(BLOCK_DOCS) {
            // No block is missing.
            (low, high) = (number.min(high), high.min(number + 1));
        }
        while high - low > 1 {
            let middle = low + (high - low) / 2;
            if self.number(middle)? <= number { low = middle } else { high = middle }
        }
        if low >= high || self.number(low)? != number {
            return Ok(None);
        }
        Block::read(&self.blocks, self.entry(low)?).map(Some)
    }

    /// The block of `doc` and where its values are in it.
    #[inline]
    fn values_of(&self, doc: DocId) -> Result<Option<(Block<'_>, Range<usize>)>> {
        let Some(block) = self.find(doc)? else { return Ok(None) };
        let Some(rank) = block.rank(doc) else { return Ok(None) };
        Ok(Some((block, block.values_of(rank)?)))
    }

    /// Calls `each` with the values of `doc`.
    #[inline]
    pub(super) fn each_value(&self, doc: DocId, mut each: impl FnMut(i64) -> Result<()>) -> Result<()> {
        if let Some((block, values)) = self.values_of(doc)? {
            for index in values {
                each(block.value(index)?)?;
            }
        }
        Ok(())
    }

    /// Calls `each` with the blocks that have members of `docs`.
    pub(super) fn blocks_of(
        &self,
        docs: &BitSet,
        cancel: &Cancel,
        mut each: impl FnMut(&Block<'_>) -> Result<()>,
    ) -> Result<()> {
        for index in 0..self.meta.blocks {
            cancel.check_every(CANCEL_STEP, index as usize)?;
            let entry = self.entry(index)?;
            let words = docs.words().iter().skip((entry.number as usize).saturating_mul(BLOCK_WORDS));
            if words.take(BLOCK_WORDS).any(|&word| word != 0) {
                each(&Block::read(&self.blocks, entry)?)?;
            }
        }
        Ok(())
    }

    /// Reads everything; calls `each` with every value.
    pub(super) fn verify(&self, cancel: &Cancel, each: &mut dyn FnMut(i64) -> Result<()>) -> Result<()> {
        let (mut docs, mut values, mut at, mut next) = (0, 0, 0, 0);
        let (mut least, mut greatest) = (i64::MAX, i64::MIN);
        for index in 0..self.meta.blocks {
            cancel.check()?;
            let block = Block::read(&self.blocks, self.entry(index)?)?;
            if block.entry.number < next || block.entry.at != at {
                return Err(block.corrupt("it does not follow the one before"));
            }
            verify_block(&block, each)?;
            (next, at) = (block.entry.number + 1, at + block.entry.len());
            docs += block.entry.docs;
            values += u64::from(block.entry.values);
            (least, greatest) = (least.min(block.entry.least), greatest.max(block.entry.greatest));
        }
        let meta = &self.meta;
        let counted = (docs, values, least, greatest, at);
        if counted != (meta.docs, meta.values, meta.least, meta.greatest, self.blocks.len() as u64) {
            let problem = format!(
                "field {}: {docs} documents, {values} values from {least} to {greatest}, where its segment says {}, {} \
                 and {} to {}",
                meta.field.number, meta.docs, meta.values, meta.least, meta.greatest
            );
            return Err(self.table.corrupt(0, problem));
        }
        Ok(())
    }
}

/// Documents ascend, values of each too, and the bounds are those of the table.
fn verify_block(block: &Block<'_>, each: &mut dyn FnMut(i64) -> Result<()>) -> Result<()> {
    let (mut last, mut count, mut end) = (None, 0, 0);
    let (mut least, mut greatest) = (i64::MAX, i64::MIN);
    block.for_each(&mut |rank, doc| {
        let values = block.values_of(rank)?;
        let mut before = i64::MIN;
        for index in values.clone() {
            let value = block.value(index)?;
            if value < before {
                return Err(block.corrupt(format!("the values of document {doc} are out of order")));
            }
            before = value;
            (least, greatest) = (least.min(value), greatest.max(value));
            each(value)?;
        }
        if last >= Some(doc) || values.start != end {
            return Err(block.corrupt("its documents are out of order"));
        }
        (last, count, end) = (Some(doc), count + 1, values.end);
        Ok(())
    })?;
    let entry = &block.entry;
    let counted = (count, end, least, greatest);
    if counted == (entry.docs, entry.values as usize, entry.least, entry.greatest) {
        return Ok(());
    }
    Err(block.corrupt(format!(
        "{count} documents, {end} values from {least} to {greatest}; the table says {}, {} and {} to {}",
        entry.docs, entry.values, entry.least, entry.greatest
    )))
}

impl NumberColumn for Numbers {
    fn docs(&self) -> u32 {
        self.meta.docs
    }

    fn bounds(&self) -> (i64, i64) {
        (self.meta.least, self.meta.greatest)
    }

    fn values(&self, doc: DocId, into: &mut Vec<i64>) -> Result<()> {
        into.clear();
        self.each_value(doc, |value| {
            into.push(value);
            Ok(())
        })
    }

    fn least(&self, doc: DocId) -> Result<Option<i64>> {
        self.values_of(doc)?.map(|(block, values)| block.value(values.start)).transpose()
    }

    fn greatest(&self, doc: DocId) -> Result<Option<i64>> {
        self.values_of(doc)?.map(|(block, values)| block.value(values.end.saturating_sub(1))).transpose()
    }

    fn in_range(&self, range: RangeInclusive<i64>, cancel: &Cancel, into: &mut BitSet) -> Result<()> {
        if range.is_empty() || *range.start() > self.meta.greatest || *range.end() < self.meta.least {
            return Ok(());
        }
        for index in 0..self.meta.blocks {
            cancel.check_every(CANCEL_STEP, index as usize)?;
            let entry = self.entry(index)?;
            if *range.start() > entry.greatest || *range.end() < entry.least {
                continue;
            }
            let block = Block::read(&self.blocks, entry)?;
            if range.contains(&entry.least) && range.contains(&entry.greatest) {
                block.add_all(into)?
            } else {
                block.add_within(&range, into)?
            }
        }
        Ok(())
    }

    fn existing(&self, cancel: &Cancel, into: &mut BitSet) -> Result<()> {
        (0..self.meta.blocks).try_for_each(|index| {
            cancel.check_every(CANCEL_STEP, index as usize)?;
            Block::read(&self.blocks, self.entry(index)?)?.add_all(into)
        })
    }

    fn take_values(&self, docs: &BitSet, cancel: &Cancel, take: &mut TakeValues<'_, i64>) -> Result<()> {
        let mut taken = Taken::default();
        self.blocks_of(docs, cancel, |block| {
            taken.read(block, docs)?;
            if taken.docs.is_empty() { Ok(()) } else { take(&taken.docs, &taken.values) }
        })
    }
}
