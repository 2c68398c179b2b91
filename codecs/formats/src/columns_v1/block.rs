//! The values of up to 1,024 documents, where they lie in the file.

use super::packed::{Packed, width};
use super::{BLOCK_DOCS, BLOCK_WORDS, ENTRY_LEN, LISTED};
use byteorder::{ByteOrder, LittleEndian};
use lucerne_codec::io::bytes;
use lucerne_codec::{BitSet, DocId, Input, Result};
use std::ops::{Range, RangeInclusive};

/// Documents of a block, with a value or without.
pub(super) fn span(max_doc: u32, number: u32) -> u32 {
    max_doc.saturating_sub(number.saturating_mul(BLOCK_DOCS)).min(BLOCK_DOCS)
}

/// A block's entry in the table; what it counts is possible.
#[derive(Clone, Copy, Debug)]
pub(super) struct Entry {
    pub(super) number: u32,
    pub(super) docs: u32,
    pub(super) values: u32,
    /// Where the block starts in the column.
    pub(super) at: u64,
    pub(super) least: i64,
    pub(super) greatest: i64,
    span: u32,
}

impl Entry {
    /// Entry `index` of a table.
    #[inline]
    pub(super) fn read(table: &Input, index: u32, max_doc: u32) -> Result<Self> {
        let Some(bytes) = table.bytes().as_chunks::<{ ENTRY_LEN as usize }>().0.get(index as usize) else {
            return Err(table.corrupt(u64::from(index) * ENTRY_LEN, format!("there is no block {index}")));
        };
        let half = |at: usize| bytes::u32_at(bytes, at).unwrap_or(0);
        let whole = |at: usize| bytes::u64_at(bytes, at).unwrap_or(0);
        let (number, docs, values, zero) = (half(0), half(1), half(2), half(3));
        let (at, least, greatest) = (whole(2), whole(3) as i64, whole(4) as i64);
        let span = span(max_doc, number);
        if docs == 0 || docs > span || values < docs || zero != 0 || least > greatest {
            let problem =
                format!("block {index} (number {number}) cannot have {docs} documents, {values} values");
            return Err(table.corrupt(u64::from(index) * ENTRY_LEN, problem));
        }
        Ok(Self { number, docs, values, at, least, greatest, span })
    }

    /// Whether a document has more than one value.
    pub(super) fn has_several(&self) -> bool {
        self.values > self.docs
    }

    fn width(&self) -> usize {
        width(self.greatest.wrapping_sub(self.least) as u64).max(self.has_several().into())
    }

    /// Lengths of the block's parts: documents, ends, values.
    fn parts(&self) -> [u64; 3] {
        let docs = match self.docs {
            all if all == self.span => 0,
            listed if listed < LISTED => u64::from(listed) * 2,
            _ => BLOCK_WORDS as u64 * 8,
        };
        let ends = u64::from(self.docs) * 4 * u64::from(self.has_several());
        [docs, ends, u64::from(self.values) * self.width() as u64]
    }

    /// Length of the block.
    pub(super) fn len(&self) -> u64 {
        self.parts().iter().sum()
    }
}

/// Which of its documents have a value, as numbers within the block.
#[derive(Clone, Copy, Debug)]
enum Members<'a> {
    All,
    Listed(&'a [[u8; 2]]),
    Words(&'a [[u8; 8]]),
}

/// A block.
#[derive(Clone, Copy, Debug)]
pub(super) struct Block<'a> {
    pub(super) entry: Entry,
    file: &'a Input,
    members: Members<'a>,
    ends: &'a [[u8; 4]],
    values: Packed<'a>,
}

impl<'a> Block<'a> {
    /// The block of an entry among the column's blocks.
    #[inline]
    pub(super) fn read(blocks: &'a Input, entry: Entry) -> Result<Self> {
        let [docs_len, ends_len, _] = entry.parts();
        let bytes = blocks.slice(entry.at, entry.len())?;
        let (docs, rest) = bytes.split_at_checked(docs_len as usize).unwrap_or_default();
        let (ends, values) = rest.split_at_checked(ends_len as usize).unwrap_or_default();
        let members = match entry.docs {
            all if all == entry.span => Members::All,
            listed if listed < LISTED => Members::Listed(docs.as_chunks().0),
            _ => Members::Words(docs.as_chunks().0),
        };
        let values = Packed::new(values, entry.width(), entry.values as usize);
        Ok(Self { entry, file: blocks, members, ends: ends.as_chunks().0, values })
    }

    /// Which of the documents with a value `doc` is, if it has one.
    #[inline]
    pub(super) fn rank(&self, doc: DocId) -> Option<usize> {
        let offset = doc.checked_sub(self.first_doc()).filter(|&offset| offset < self.entry.span)?;
        match self.members {
            Members::All => Some(offset as usize),
            Members::Listed(list) => {
                list.binary_search_by_key(&offset, |bytes| LittleEndian::read_u16(bytes).into()).ok()
            }
            Members::Words(words) => {
                let at = offset as usize / 64;
                let word = LittleEndian::read_u64(words.get(at)?);
                let before = words.get(..at)?.iter().map(|bytes| LittleEndian::read_u64(bytes).count_ones());
                let below = (word & ((1 << (offset % 64)) - 1)).count_ones();
                (word >> (offset % 64) & 1 == 1).then(|| (before.sum::<u32>() + below) as usize)
            }
        }
    }

    /// Where the values of the `rank`-th document with a value are.
    #[inline]
    pub(super) fn values_of(&self, rank: usize) -> Result<Range<usize>> {
        if !self.entry.has_several() {
            return Ok(rank..rank + 1);
        }
        let end = |rank: usize| self.ends.get(rank).map(|bytes| LittleEndian::read_u32(bytes));
        let start = rank.checked_sub(1).map_or(Some(0), end);
        let range = start.zip(end(rank)).filter(|(start, end)| start < end && *end <= self.entry.values);
        match range {
            Some((start, end)) => Ok(start as usize..end as usize),
            None => Err(self.corrupt(format!("the values of its document {rank} are nowhere"))),
        }
    }

    /// The `index`-th value.
    #[inline]
    pub(super) fn value(&self, index: usize) -> Result<i64> {
        let value = self.values.get(index).ok_or_else(|| self.corrupt(format!("no value {index}")))?;
        Ok(self.entry.least.wrapping_add(value as i64))
    }

    /// Adds the documents with a value.
    pub(super) fn add_all(&self, into: &mut BitSet) -> Result<()> {
        match self.members {
            Members::All => {
                let whole = (0..self.entry.span).step_by(64).map(|from| self.entry.span - from);
                for (index, left) in self.words().zip(whole) {
                    into.insert_word(index, u64::MAX >> (64 - left.min(64)));
                }
            }
            Members::Words(words) => {
                for (index, word) in self.words().zip(words) {
                    into.insert_word(index, LittleEndian::read_u64(word));
                }
            }
            Members::Listed(list) => {
                for doc in list {
                    into.insert(self.doc(LittleEndian::read_u16(doc).into())?);
                }
            }
        }
        Ok(())
    }

    /// Adds the documents with a value in `range`, which holds some of the numbers between the bounds.
    pub(super) fn add_within(&self, range: &RangeInclusive<i64>, into: &mut BitSet) -> Result<()> {
        let (low, high) = (*range.start().max(&self.entry.least), *range.end().min(&self.entry.greatest));
        let offset = |bound: i64| bound.wrapping_sub(self.entry.least) as u64;
        let mut found = [0u64; BLOCK_WORDS];
        match (self.members, self.entry.has_several()) {
            (Members::All, false) => {
                self.values.words_within(offset(low), offset(high), &mut found);
                self.words().zip(found).for_each(|(index, word)| into.insert_word(index, word));
                Ok(())
            }
            (_, false) => {
                self.values.words_within(offset(low), offset(high), &mut found);
                self.for_each(&mut |rank, doc| {
                    if found.get(rank / 64).is_some_and(|word| word >> (rank % 64) & 1 == 1) {
                        into.insert(doc);
                    }
                    Ok(())
                })
            }
            (_, true) => self.for_each(&mut |rank, doc| {
                for index in self.values_of(rank)? {
                    if range.contains(&self.value(index)?) {
                        into.insert(doc);
                        break;
                    }
                }
                Ok(())
            }),
        }
    }

    /// Calls `each` with the members of `wanted` that have a value, in order.
    #[inline]
    pub(super) fn each_of(
        &self,
        wanted: &BitSet,
        each: &mut impl FnMut(u32, DocId) -> Result<()>,
    ) -> Result<()> {
        let (first, words) = (self.first_doc(), wanted.words().get(self.words().start..).unwrap_or_default());
        match self.members {
            Members::All => {
                for (from, &word) in (0..self.entry.span).step_by(64).zip(words) {
                    let mut bits = word & (u64::MAX >> (64 - (self.entry.span - from).min(64)));
                    while bits != 0 {
                        let offset = from + bits.trailing_zeros();
                        bits &= bits - 1;
                        each(offset, first + offset)?;
                    }
                }
                Ok(())
            }
            Members::Words(present) => {
                let mut rank = 0;
                for (from, (present, &word)) in (0..).step_by(64).zip(present.iter().zip(words)) {
                    let present = LittleEndian::read_u64(present);
                    let mut bits = present & word;
                    while bits != 0 {
                        let bit = bits.trailing_zeros();
                        bits &= bits - 1;
                        let before = (present & ((1 << bit) - 1)).count_ones();
                        each(rank + before, self.doc(from + bit)?)?;
                    }
                    rank += present.count_ones();
                }
                Ok(())
            }
            Members::Listed(list) => {
                for (rank, offset) in (0..).zip(list) {
                    let doc = self.doc(LittleEndian::read_u16(offset).into())?;
                    if wanted.contains(doc) {
                        each(rank, doc)?;
                    }
                }
                Ok(())
            }
        }
    }

    /// Adds the values at `indexes` to `into`.
    pub(super) fn take(&self, indexes: &[u32], into: &mut Vec<i64>) -> Result<()> {
        self.each_at(indexes, |value| into.push(value))
    }

    /// The members of `wanted` among the block's documents, if each of these has one value.
    pub(super) fn one_each<'w>(&self, wanted: &'w BitSet) -> Option<&'w [u64]> {
        let all = matches!(self.members, Members::All) && !self.entry.has_several();
        let words = self.words();
        all.then(|| wanted.words().get(words.start..wanted.words().len().min(words.end)))?
    }

    /// The values of the members of `wanted` less [`Entry::least`], in `room`, if each document has one value of a byte.
    pub(super) fn bytes_of<'r>(&self, wanted: &BitSet, room: &'r mut Vec<u8>) -> Result<Option<&'r [u8]>> {
        let (Some(words), Packed::One(bytes)) = (self.one_each(wanted), self.values) else { return Ok(None) };
        let bytes = bytes.get(..bytes.len().min(words.len() * 64)).unwrap_or_default();
        // Of the last word, the bits that there are bytes for.
        let rest = bytes.len().checked_sub(64 * words.len().saturating_sub(1));
        let beyond = |last: &u64, rest: usize| last.checked_shr(rest as u32).unwrap_or(0);
        if rest.is_none_or(|rest| words.last().is_some_and(|last| beyond(last, rest) != 0)) {
            return Err(self.corrupt("a document's value is beyond the last"));
        }
        room.resize(BLOCK_DOCS as usize, 0);
        let len = lucerne_simd::select_bytes(words, bytes, room);
        Ok(room.get(..len))
    }

    /// Calls `each` with the values of the documents of `words`, of a block that has one for each.
    #[inline]
    pub(super) fn each_in(&self, words: &[u64], each: impl FnMut(i64)) -> Result<()> {
        if self.values.each_in(words, self.entry.least, each) {
            Ok(())
        } else {
            Err(self.corrupt("a document's value is beyond the last"))
        }
    }

    /// Calls `each` with the values at `indexes`.
    #[inline]
    pub(super) fn each_at(&self, indexes: &[u32], each: impl FnMut(i64)) -> Result<()> {
        if self.values.each_at(indexes, self.entry.least, each) {
            Ok(())
        } else {
            Err(self.corrupt("a document's value is beyond the last"))
        }
    }

    /// Calls `each` with the documents that have a value, in order.
    pub(super) fn for_each(&self, each: &mut dyn FnMut(usize, DocId) -> Result<()>) -> Result<()> {
        match self.members {
            Members::All => (0..self.entry.span).try_for_each(|at| each(at as usize, self.first_doc() + at)),
            Members::Listed(list) => {
                let mut listed = list.iter().map(|doc| LittleEndian::read_u16(doc).into()).enumerate();
                listed.try_for_each(|(rank, offset)| each(rank, self.doc(offset)?))
            }
            Members::Words(words) => {
                let mut rank = 0;
                for (at, word) in (0..).zip(words) {
                    let mut word = LittleEndian::read_u64(word);
                    while word != 0 {
                        each(rank, self.doc(at * 64 + word.trailing_zeros())?)?;
                        word &= word - 1;
                        rank += 1;
                    }
                }
                Ok(())
            }
        }
    }

    fn first_doc(&self) -> DocId {
        self.entry.number.saturating_mul(BLOCK_DOCS)
    }

    /// Numbers of the words of a set of all documents that are the block's.
    fn words(&self) -> Range<usize> {
        let first = self.first_doc() as usize / 64;
        first..first + BLOCK_WORDS
    }

    #[inline]
    fn doc(&self, offset: u32) -> Result<DocId> {
        if offset < self.entry.span {
            Ok(self.first_doc() + offset)
        } else {
            Err(self.corrupt(format!("document {offset} is beyond its last")))
        }
    }

    /// An error about this block.
    pub(super) fn corrupt(&self, problem: impl std::fmt::Display) -> lucerne_codec::Error {
        self.file.corrupt(self.entry.at, format!("block {}: {problem}", self.entry.number))
    }
}
