//! Reads the documents of a term.

use super::impacts::{self, PAIRS_LEN};
use super::packing::{skip_docs, take_docs, take_values, value_at};
use super::positions::Positions;
use super::varint::{take, take_u32};
use super::{has_members, members_len, ranks_len};
use lucerne_codec::io::bytes::{u32_at, u64_at};
use lucerne_codec::postings::{
    BLOCK_LEN, Block, Blocks, Impact, Members, NO_MORE_DOCS, TermEntry, add_blocks,
};
use lucerne_codec::{BitSet, Cancel, DocId, Error, Input, Result};

/// Lists of one field: files without their footers, so that positions in them count from their start.
#[derive(Debug)]
pub(super) struct Lists {
    pub(super) post: Input,
    /// `None` in a field without positions.
    pub(super) pos: Option<Input>,
    pub(super) max_doc: u32,
}

/// The blocks of one list.
pub(super) struct List<'a> {
    lists: &'a Lists,
    /// Where the head is, for messages.
    head: u64,
    doc_freq: u32,
    data: &'a [u8],
    /// By block, where there is a full one: last document, end of its data, pairs, start of its positions.
    last_docs: &'a [u8],
    data_ends: &'a [u8],
    impacts: &'a [u8],
    pos_starts: &'a [u8],
    /// All documents as bits, of a list that has many.
    pub(super) members: Option<Members<'a>>,
    pos_start: u64,
    whole: Impact,
    /// The loaded block, or the first.
    current: usize,
    /// The block that was bounded last.
    bounded: usize,
    /// The last document of the block loaded last.
    read_to: Option<DocId>,
    /// The last document of a list without a table, once it has been read.
    only_last: Option<DocId>,
    positions: Option<Box<Positions<'a>>>,
}

impl Lists {
    /// Reads the head of the list at `at`.
    pub(super) fn list(&self, at: u64, entry: &TermEntry) -> Result<List<'_>> {
        if entry.doc_freq == 0 || entry.doc_freq > self.max_doc {
            let problem = format!("a list of {} of {} documents", entry.doc_freq, self.max_doc);
            return Err(self.post.corrupt(at, problem));
        }
        let damaged = || self.post.corrupt(at, "no head of a list");
        let from = usize::try_from(at).ok().and_then(|at| self.post.bytes().get(at..));
        let mut bytes = from.ok_or_else(damaged)?;
        let data_len = take(&mut bytes).filter(|&len| len <= at).ok_or_else(damaged)?;
        let data = self.post.slice(at - data_len, data_len)?;
        let mut whole = Impact { last_doc: self.max_doc - 1, pairs: [(1, 0); Impact::PAIRS], len: 1 };
        let mut pos_start = 0;
        if self.pos.is_some() {
            pos_start = take(&mut bytes).ok_or_else(damaged)?;
            whole.len = take_pairs(&mut bytes, &mut whole.pairs).ok_or_else(damaged)?;
        }
        let mut list = List {
            lists: self,
            head: at,
            doc_freq: entry.doc_freq,
            data,
            last_docs: &[],
            data_ends: &[],
            impacts: &[],
            pos_starts: &[],
            members: None,
            pos_start,
            whole,
            current: 0,
            bounded: 0,
            read_to: None,
            only_last: None,
            positions: None,
        };
        if entry.doc_freq as usize >= BLOCK_LEN {
            let blocks = list.blocks();
            let (impacts_len, starts_len) = match self.pos {
                Some(_) => (PAIRS_LEN, 8),
                None => (0, 0),
            };
            let mut table = |width: usize| {
                let (part, rest) = bytes.split_at_checked(blocks * width).ok_or_else(damaged)?;
                bytes = rest;
                Ok::<_, Error>(part)
            };
            list.last_docs = table(4)?;
            list.data_ends = table(4)?;
            list.impacts = table(impacts_len)?;
            list.pos_starts = table(starts_len)?;
        }
        if has_members(entry.doc_freq, self.max_doc) {
            let (bits, rest) = bytes.split_at_checked(members_len(self.max_doc)).ok_or_else(damaged)?;
            let ranks = rest.get(..ranks_len(self.max_doc)).ok_or_else(damaged)?;
            list.members = Some(Members::new(bits, ranks));
        }
        Ok(list)
    }
}

fn take_pairs(bytes: &mut &[u8], pairs: &mut [(u32, u32); Impact::PAIRS]) -> Option<u8> {
    let (&count, rest) = bytes.split_first()?;
    *bytes = rest;
    if count == 0 || usize::from(count) > Impact::PAIRS {
        return None;
    }
    for pair in pairs.iter_mut().take(count.into()) {
        *pair = (take_u32(bytes)?, take_u32(bytes)?);
    }
    Some(count)
}

impl<'a> List<'a> {
    /// Adds all documents to a set.
    pub(super) fn add_docs(&mut self, cancel: &Cancel, into: &mut BitSet) -> Result<()> {
        let Some(members) = self.members else {
            return add_blocks(self, &mut Block::default(), cancel, into);
        };
        members.add_to(into);
        if members.count() != self.doc_freq {
            return Err(self.lists.post.corrupt(self.head, "another number of members than documents"));
        }
        Ok(())
    }

    pub(super) fn blocks(&self) -> usize {
        (self.doc_freq as usize).div_ceil(BLOCK_LEN)
    }

    fn damaged(&self, block: usize) -> Error {
        self.lists.post.corrupt(self.head, format!("block {block} of the list before this byte is not sound"))
    }

    fn last_doc(&self, block: usize) -> Option<DocId> {
        if self.last_docs.is_empty() {
            self.only_last
        } else {
            u32_at(self.last_docs, block).filter(|&last| last < self.lists.max_doc)
        }
    }

    /// The first block from `from` on whose last document is `target` or later.
    #[inline]
    fn find(&self, from: usize, target: DocId) -> usize {
        let before = |block: usize| u32_at(self.last_docs, block).is_some_and(|last| last < target);
        if !before(from) {
            return from;
        }
        // `low` is before the target; the step doubles until `high` is not.
        let (mut low, mut step) = (from, 1);
        while before(low + step) {
            low += step;
            step *= 2;
        }
        let mut high = (low + step).min(self.blocks());
        while high - low > 1 {
            let middle = low + (high - low) / 2;
            if before(middle) { low = middle } else { high = middle }
        }
        high
    }

    /// The bytes of a block.
    #[inline]
    fn data_of(&self, index: usize) -> Option<&'a [u8]> {
        let start = match index.checked_sub(1) {
            Some(previous) => u32_at(self.data_ends, previous)? as usize,
            None => 0,
        };
        let end =
            if self.data_ends.is_empty() { self.data.len() } else { u32_at(self.data_ends, index)? as usize };
        self.data.get(start..end)
    }

    /// Decodes a block's documents; its frequencies too where they are between these.
    fn decode(&mut self, index: usize, block: &mut Block) -> Option<()> {
        let before = match index.checked_sub(1) {
            Some(previous) => Some(self.last_doc(previous)?),
            None => None,
        };
        let mut bytes = self.data_of(index)?;
        block.len = (self.doc_freq as usize).checked_sub(index * BLOCK_LEN)?.min(BLOCK_LEN);
        block.has_freqs = block.len < BLOCK_LEN;
        if block.len == BLOCK_LEN {
            let last = self.last_doc(index)?;
            let (&[doc_bits, _], mut packed) = bytes.split_first_chunk()?;
            return take_docs(before, last, doc_bits, &mut packed, &mut block.docs);
        }
        let mut next = before.map_or(0, |before| before + 1);
        for (doc, freq) in block.docs.iter_mut().zip(&mut block.freqs).take(block.len) {
            let mut gap = take(&mut bytes)?;
            *freq = 1;
            if self.lists.pos.is_some() {
                if gap & 1 == 1 {
                    *freq = take_u32(&mut bytes)?.checked_add(2)?;
                }
                gap >>= 1;
            }
            *doc = u64::from(next).checked_add(gap).filter(|&doc| doc < self.lists.max_doc.into())? as u32;
            next = *doc + 1;
        }
        let last = next - 1;
        if self.last_docs.is_empty() {
            self.only_last = Some(last);
        } else if self.last_doc(index) != Some(last) {
            return None;
        }
        Some(())
    }

    /// Decodes the frequencies of a full block.
    fn decode_freqs(&self, index: usize, freqs: &mut [u32; BLOCK_LEN]) -> Option<()> {
        let (&[doc_bits, freq_bits], packed) = self.data_of(index)?.split_first_chunk()?;
        take_freqs(freq_bits, &mut skip_docs(doc_bits, packed)?, freqs)
    }

    /// How often a member occurs: of a full block, from its place among the members, without decoding the block.
    #[inline]
    fn freq_of_member(&self, members: Members<'_>, doc: DocId) -> Option<Option<u32>> {
        let rank = members.rank(doc) as usize;
        let (index, place) = (rank / BLOCK_LEN, rank % BLOCK_LEN);
        if (index + 1) * BLOCK_LEN > self.doc_freq as usize {
            return Some(None);
        }
        let (&[doc_bits, freq_bits], packed) = self.data_of(index)?.split_first_chunk()?;
        let less_one = match freq_bits {
            0 => 0,
            bits => value_at(bits, skip_docs(doc_bits, packed)?, place)?,
        };
        Some(Some(less_one.saturating_add(1)))
    }

    /// The last document of a list that has no table.
    fn only_last(&mut self) -> Result<DocId> {
        if self.only_last.is_none() {
            self.decode(0, &mut Block::default()).ok_or_else(|| self.damaged(0))?;
        }
        Ok(self.only_last.unwrap_or(0))
    }
}

#[inline]
fn take_freqs(bits: u8, bytes: &mut &[u8], freqs: &mut [u32; BLOCK_LEN]) -> Option<()> {
    if bits == 0 {
        freqs.fill(1);
        return Some(());
    }
    take_values(bits, bytes, freqs)?;
    // Only numbers of the greatest width can be too great; others are added to in vectors.
    match bits {
        32.. => freqs.iter_mut().for_each(|freq| *freq = freq.saturating_add(1)),
        _ => freqs.iter_mut().for_each(|freq| *freq = freq.wrapping_add(1)),
    }
    Some(())
}

impl Blocks for List<'_> {
    fn load(&mut self, target: DocId, block: &mut Block) -> Result<bool> {
        let index = if self.last_docs.is_empty() {
            usize::from(self.only_last.is_some_and(|last| last < target))
        } else {
            self.find(self.current, target)
        };
        if index >= self.blocks() {
            self.current = index;
            return Ok(false);
        }
        let again = self.current == index;
        self.current = index;
        self.decode(index, block).ok_or_else(|| self.damaged(index))?;
        // A table that is not in order must not lead back.
        if !again && block.docs.first() <= self.read_to.as_ref() {
            return Err(self.damaged(index));
        }
        self.read_to = block.len.checked_sub(1).and_then(|last| block.docs.get(last)).copied();
        Ok(self.only_last.is_none_or(|last| last >= target))
    }

    fn load_freqs(&mut self, block: &mut Block) -> Result<()> {
        self.decode_freqs(self.current, &mut block.freqs).ok_or_else(|| self.damaged(self.current))?;
        block.has_freqs = true;
        Ok(())
    }

    fn impact(&mut self, target: DocId) -> Result<Impact> {
        let none = Impact { last_doc: NO_MORE_DOCS, pairs: [(0, 0); Impact::PAIRS], len: 0 };
        if self.last_docs.is_empty() {
            let last_doc = self.only_last()?;
            return Ok(if target > last_doc { none } else { Impact { last_doc, ..self.whole } });
        }
        // Mostly one asks for the block behind the one asked for before.
        let known = self.bounded.checked_sub(1).is_none_or(|before| self.last_doc(before) < Some(target));
        let index = self.find(if known { self.bounded } else { self.current }, target);
        if index >= self.blocks() {
            return Ok(none);
        }
        self.bounded = index;
        let last_doc = self.last_doc(index).ok_or_else(|| self.damaged(index))?;
        if self.lists.pos.is_none() {
            return Ok(Impact { last_doc, ..self.whole });
        }
        let pairs = self.impacts.get(index * PAIRS_LEN..(index + 1) * PAIRS_LEN);
        Ok(impacts::get(pairs.unwrap_or_default(), last_doc))
    }

    fn whole(&self) -> Impact {
        self.whole
    }

    fn member_freq(&self, doc: DocId) -> Result<Option<u32>> {
        let Some(members) = self.members else { return Ok(None) };
        self.freq_of_member(members, doc).ok_or_else(|| self.damaged(self.current))
    }

    fn positions(&mut self, block: &mut Block, index: usize, into: &mut Vec<u32>) -> Result<()> {
        into.clear();
        let Some(pos) = &self.lists.pos else { return Ok(()) };
        let loaded = self.positions.as_ref().is_some_and(|positions| positions.block == self.current);
        if !loaded {
            if !block.has_freqs {
                self.load_freqs(block)?;
            }
            let current = self.current;
            let start = if self.pos_starts.is_empty() {
                Some(self.pos_start)
            } else {
                u64_at(self.pos_starts, current)
            };
            let start = start.ok_or_else(|| self.damaged(current))?;
            let bytes = usize::try_from(start).ok().and_then(|start| pos.bytes().get(start..));
            let bytes = bytes.ok_or_else(|| self.damaged(current))?;
            let freqs = block.freqs.get(..block.len).unwrap_or_default();
            match &mut self.positions {
                Some(positions) => positions.open(current, freqs, bytes),
                none => *none = Some(Box::new(Positions::new(current, freqs, bytes))),
            }
        }
        let read = self.positions.as_mut().and_then(|positions| positions.read(index, into));
        read.ok_or_else(|| {
            pos.corrupt(0, format!("the positions of the list at {} are not sound", self.head))
        })
    }
}

/// The only block of a list of one document that is kept in the dictionary.
pub(super) struct OnlyDoc {
    pub(super) doc: DocId,
    /// `None` in a field without positions.
    pub(super) position: Option<u32>,
    pub(super) length: u32,
}

impl Blocks for OnlyDoc {
    fn load(&mut self, target: DocId, block: &mut Block) -> Result<bool> {
        (block.len, block.has_freqs) = (1, true);
        block.docs.iter_mut().take(1).for_each(|doc| *doc = self.doc);
        block.freqs.iter_mut().take(1).for_each(|freq| *freq = 1);
        Ok(target <= self.doc)
    }

    fn load_freqs(&mut self, block: &mut Block) -> Result<()> {
        block.has_freqs = true;
        Ok(())
    }

    fn impact(&mut self, target: DocId) -> Result<Impact> {
        let none = Impact { last_doc: NO_MORE_DOCS, pairs: [(0, 0); Impact::PAIRS], len: 0 };
        Ok(if target > self.doc { none } else { self.whole() })
    }

    fn whole(&self) -> Impact {
        let mut pairs = [(0, 0); Impact::PAIRS];
        pairs.iter_mut().take(1).for_each(|pair| *pair = (1, self.length));
        Impact { last_doc: self.doc, pairs, len: 1 }
    }

    fn positions(&mut self, _block: &mut Block, _index: usize, into: &mut Vec<u32>) -> Result<()> {
        into.clear();
        into.extend(self.position);
        Ok(())
    }
}
