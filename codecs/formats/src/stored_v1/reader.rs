//! Finds a document's block, decompresses it, keeps a few decompressed ones.

use super::{END_LEN, ENTRY_LEN, FORMAT, HEAD_LEN, MAX_BLOCK, TAIL_LEN, VERSION};
use crate::names::only_file;
use lucerne_codec::envelope::{FOOTER_LEN, HEADER_LEN, NO_FIELD};
use lucerne_codec::format::{OpenContext, Problem};
use lucerne_codec::io::bytes::u32_at;
use lucerne_codec::stored::StoredReader;
use lucerne_codec::{Cancel, DocId, Error, Input, Report, Result};
use parking_lot::Mutex;
use serde_json::json;
use zstd::bulk::Decompressor;

/// Decompressed blocks kept per open segment, so that neighbors are decompressed once.
const KEPT_BLOCKS: usize = 4;
/// Longer blocks are not kept.
const KEPT_LEN: usize = 64 << 10;
/// A thorough check stops listing damaged blocks here.
const MAX_PROBLEMS: usize = 100;

/// An entry of the block table, with its neighbors' bounds already compared.
#[derive(Clone, Copy, Debug)]
struct Block {
    offset: u64,
    packed_len: u32,
    len: u32,
    first_doc: u32,
    crc32: u32,
}

impl Block {
    fn end(&self) -> u64 {
        self.offset.saturating_add(u64::from(self.packed_len))
    }
}

/// A decompressed block and the means to decompress the next one.
struct Slot {
    /// Index of the block in `bytes`, if there is one.
    block: Option<u32>,
    bytes: Vec<u8>,
    decompressor: Decompressor<'static>,
}

pub(super) struct Reader {
    input: Input,
    table: Input,
    blocks: u32,
    max_doc: u32,
    document_bytes: u64,
    slots: Mutex<Vec<Slot>>,
}

impl Reader {
    pub(super) fn open(context: &OpenContext<'_>) -> Result<Self> {
        let entry = only_file(context, "stored_v1")?;
        Self::by_table(context.open(entry, FORMAT, VERSION, NO_FIELD)?, context.max_doc)
    }

    /// Reads the table of a file of which nothing was checked.
    pub(super) fn by_table(input: Input, docs: u32) -> Result<Self> {
        let tail_at = (input.len() as u64)
            .checked_sub(FOOTER_LEN + TAIL_LEN)
            .filter(|&at| at >= HEADER_LEN)
            .ok_or_else(|| input.corrupt(HEADER_LEN, "too short for a block table"))?;
        let mut tail = input.cursor(tail_at);
        let (blocks, max_doc, crc32) = (tail.u32()?, tail.u32()?, tail.u32()?);
        let table_len = u64::from(blocks) * ENTRY_LEN;
        let table_at = tail_at
            .checked_sub(table_len)
            .filter(|&at| at >= HEADER_LEN)
            .ok_or_else(|| input.corrupt(tail_at, format!("{blocks} blocks do not fit into the file")))?;
        if crc32 != crc32fast::hash(input.slice(table_at, table_len + TAIL_LEN - 4)?) {
            return Err(input.corrupt(table_at, "the block table's checksum does not match"));
        }
        if max_doc != docs {
            let problem = format!("{max_doc} documents, the segment has {docs}");
            return Err(input.corrupt(tail_at + 4, problem));
        }
        let mut reader = Self::new(input.clone(), input.sub(table_at, table_len)?, blocks, max_doc);
        reader.check_table(table_at)?;
        Ok(reader)
    }

    /// A reader of blocks that a table lists.
    pub(super) fn new(input: Input, table: Input, blocks: u32, max_doc: u32) -> Self {
        Self { table, input, blocks, max_doc, document_bytes: 0, slots: Mutex::default() }
    }

    /// Blocks follow each other without gaps from the header to the table, documents from 0 to the last,
    /// and no block is longer than a block can be.
    fn check_table(&mut self, table_at: u64) -> Result<()> {
        let (mut offset, mut doc) = (HEADER_LEN, 0);
        for index in 0..self.blocks {
            let (block, next_doc) = (self.block(index)?, self.next_first_doc(index)?);
            let count = next_doc.saturating_sub(block.first_doc);
            let ends_len = u64::from(count) * u64::from(END_LEN) + u64::from(HEAD_LEN);
            let sound = block.offset == offset
                && block.end() <= table_at
                && block.first_doc == doc
                && count > 0
                && block.len <= MAX_BLOCK
                && ends_len <= u64::from(block.len);
            if !sound {
                let problem = format!("block {index} is impossible: {block:?}, next document {next_doc}");
                return Err(self.table.corrupt(u64::from(index) * ENTRY_LEN, problem));
            }
            self.document_bytes += u64::from(block.len) - ends_len;
            (offset, doc) = (block.end(), next_doc);
        }
        if offset != table_at || doc != self.max_doc {
            let problem = format!("the blocks end at byte {offset} and document {doc}");
            return Err(self.table.corrupt(0, problem));
        }
        Ok(())
    }

    fn block(&self, index: u32) -> Result<Block> {
        let mut entry = self.table.cursor(u64::from(index) * ENTRY_LEN);
        Ok(Block {
            offset: entry.u64()?,
            packed_len: entry.u32()?,
            len: entry.u32()?,
            first_doc: entry.u32()?,
            crc32: entry.u32()?,
        })
    }

    /// The document after the last one of block `index`.
    fn next_first_doc(&self, index: u32) -> Result<DocId> {
        if index + 1 < self.blocks { Ok(self.block(index + 1)?.first_doc) } else { Ok(self.max_doc) }
    }

    /// The block that holds `doc`: the last one that starts at or before it.
    fn find(&self, doc: DocId) -> Result<u32> {
        let (mut low, mut high) = (0, self.blocks);
        while high - low > 1 {
            let middle = low + (high - low) / 2;
            if self.block(middle)?.first_doc <= doc { low = middle } else { high = middle }
        }
        Ok(low)
    }

    /// Calls `with` with a slot that holds block `index`.
    fn with_block<T>(&self, index: u32, block: &Block, with: impl FnOnce(&[u8]) -> Result<T>) -> Result<T> {
        let mut slot = self.take_slot(index)?;
        let result = self.load(&mut slot, index, block).and_then(|()| with(&slot.bytes));
        if slot.bytes.capacity() > KEPT_LEN {
            (slot.block, slot.bytes) = (None, Vec::new());
        }
        let mut slots = self.slots.lock();
        if slots.len() == KEPT_BLOCKS {
            slots.remove(0);
        }
        slots.push(slot);
        result
    }

    /// The slot that holds block `index`, else the one that was used longest ago, else a new one.
    fn take_slot(&self, index: u32) -> Result<Slot> {
        let mut slots = self.slots.lock();
        if let Some(at) = slots.iter().position(|slot| slot.block == Some(index)) {
            return Ok(slots.remove(at));
        }
        if slots.len() == KEPT_BLOCKS {
            return Ok(slots.remove(0));
        }
        drop(slots);
        let decompressor = Decompressor::new()
            .map_err(|error| Error::io(self.input.name(), "make a decompressor for", error))?;
        Ok(Slot { block: None, bytes: Vec::new(), decompressor })
    }

    fn load(&self, slot: &mut Slot, index: u32, block: &Block) -> Result<()> {
        if slot.block == Some(index) {
            return Ok(());
        }
        slot.block = None;
        let corrupt = |problem: String| self.input.corrupt(block.offset, problem);
        let packed = self.input.slice(block.offset, u64::from(block.packed_len))?;
        if crc32fast::hash(packed) != block.crc32 {
            return Err(corrupt(format!("block {index}: the checksum does not match")));
        }
        // `check_table` has bounded the length, and decompression stops at the capacity.
        slot.bytes.clear();
        slot.bytes.reserve_exact(block.len as usize);
        let len = slot.decompressor.decompress_to_buffer(packed, &mut slot.bytes);
        let len = len.map_err(|error| corrupt(format!("block {index}: {error}")))?;
        if len != block.len as usize || slot.bytes.len() != len {
            return Err(corrupt(format!("block {index}: {len} bytes, expected {}", block.len)));
        }
        let docs = [Some(block.first_doc), Some(self.next_first_doc(index)?.saturating_sub(block.first_doc))];
        if docs != [u32_at(&slot.bytes, 0), u32_at(&slot.bytes, 1)] {
            return Err(corrupt(format!("block {index} is of other documents than the table says")));
        }
        slot.block = Some(index);
        Ok(())
    }

    /// Document `doc` of a decompressed block.
    fn document<'b>(&self, block: &Block, next_doc: DocId, bytes: &'b [u8], doc: DocId) -> Result<&'b [u8]> {
        let at = doc.saturating_sub(block.first_doc) as usize;
        let ends_len = next_doc.saturating_sub(block.first_doc) as usize * END_LEN as usize;
        let bytes = bytes.get(HEAD_LEN as usize..).unwrap_or_default();
        let end = |at: usize| u32_at(bytes, at).map(|end| end as usize);
        let start = at.checked_sub(1).map_or(Some(0), end);
        let documents = bytes.get(ends_len..).unwrap_or_default();
        let range = start.zip(end(at)).and_then(|(start, end)| documents.get(start..end));
        range
            .ok_or_else(|| self.input.corrupt(block.offset, format!("document {doc} lies outside its block")))
    }

    fn verify_block(&self, index: u32) -> Result<()> {
        let (block, next_doc) = (self.block(index)?, self.next_first_doc(index)?);
        self.with_block(index, &block, |bytes| {
            let docs = next_doc.saturating_sub(block.first_doc);
            let mut total = docs as usize * END_LEN as usize + HEAD_LEN as usize;
            for doc in block.first_doc..next_doc {
                total += self.document(&block, next_doc, bytes, doc)?.len();
            }
            if total == bytes.len() {
                return Ok(());
            }
            let problem = format!("block {index}: its documents do not fill it");
            Err(self.input.corrupt(block.offset, problem))
        })
    }
}

impl StoredReader for Reader {
    fn get(&self, doc: DocId, into: &mut Vec<u8>) -> Result<()> {
        into.clear();
        if doc >= self.max_doc {
            let (name, max_doc) = (self.input.name(), self.max_doc);
            return Err(Error::Invalid(format!("{name}: no document {doc}, there are {max_doc}")));
        }
        let index = self.find(doc)?;
        let (block, next_doc) = (self.block(index)?, self.next_first_doc(index)?);
        self.with_block(index, &block, |bytes| {
            into.extend_from_slice(self.document(&block, next_doc, bytes, doc)?);
            Ok(())
        })
    }

    fn inspect(&self) -> Report {
        json!({
            "documents": self.max_doc,
            "blocks": self.blocks,
            "document_bytes": self.document_bytes,
            "bytes": self.input.len(),
        })
    }

    fn verify(&self, cancel: &Cancel) -> Result<Vec<Problem>> {
        let mut problems = Vec::new();
        for index in 0..self.blocks {
            cancel.check()?;
            if let Err(error) = self.verify_block(index) {
                problems.push(Problem { file: self.input.name().to_owned(), problem: error.to_string() });
            }
            if problems.len() == MAX_PROBLEMS {
                break;
            }
        }
        Ok(problems)
    }
}
