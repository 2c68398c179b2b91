//! The terms of a field: blocks of ascending terms, each without the prefix it shares with the one before.

use super::lists_writer::WrittenList;
use super::sink::Sink;
use super::varint::{Short, put, take};
use super::{Handle, MAX_TERM, TERMS_PER_BLOCK};
use lucerne_codec::io::bytes::{PutLe, u64_at};
use lucerne_codec::postings::{TermEntry, Terms};
use lucerne_codec::{Error, Input, Result};
use std::cmp::Ordering;

/// Writes a field's terms.
pub(super) struct DictionaryWriter {
    start: u64,
    /// Where each block starts.
    blocks: Vec<u8>,
    terms: u64,
    last: Vec<u8>,
    /// The handle of the last list in the block.
    handle: u64,
    bytes: Vec<u8>,
}

/// Where a field's terms are.
#[derive(Clone, Copy, Debug)]
pub(super) struct DictionaryAt {
    pub(super) start: u64,
    pub(super) index: u64,
    pub(super) terms: u64,
}

impl DictionaryWriter {
    pub(super) fn new(file: &Sink) -> Self {
        let start = file.position();
        Self { start, blocks: Vec::new(), terms: 0, last: Vec::new(), handle: 0, bytes: Vec::new() }
    }

    pub(super) fn terms(&self) -> u64 {
        self.terms
    }

    /// Adds a term after those before.
    pub(super) fn add(&mut self, file: &mut Sink, term: &[u8], list: WrittenList) -> Result<()> {
        if term.len() > MAX_TERM {
            let problem = format!("a term of {} bytes, at most {MAX_TERM} are accepted", term.len());
            return Err(Error::Invalid(problem));
        }
        if self.terms > 0 && self.last.as_slice() >= term {
            return Err(Error::Invalid(format!("postings_v1: term {term:?} after {:?}", self.last)));
        }
        if self.terms.is_multiple_of(TERMS_PER_BLOCK) {
            self.blocks.put_u64(file.position());
            self.last.clear();
            self.handle = 0;
        }
        let shared = common(&self.last, term);
        let rest = term.get(shared..).unwrap_or_default();
        self.bytes.clear();
        put(&mut self.bytes, shared as u64);
        put(&mut self.bytes, rest.len() as u64);
        self.bytes.extend_from_slice(rest);
        match list.handle {
            Handle::Inline { doc, position } => {
                put(&mut self.bytes, u64::from(list.doc_freq) << 1 | 1);
                put(&mut self.bytes, doc.into());
                put(&mut self.bytes, position.into());
            }
            Handle::List(at) => {
                put(&mut self.bytes, u64::from(list.doc_freq) << 1);
                put(&mut self.bytes, at - self.handle);
                self.handle = at;
            }
        }
        file.write(&self.bytes)?;
        self.last.truncate(shared);
        self.last.extend_from_slice(rest);
        self.terms += 1;
        Ok(())
    }

    pub(super) fn finish(self, file: &mut Sink) -> Result<DictionaryAt> {
        let index = file.position();
        file.write(&self.blocks)?;
        Ok(DictionaryAt { start: self.start, index, terms: self.terms })
    }
}

fn common(left: &[u8], right: &[u8]) -> usize {
    left.iter().zip(right).take_while(|(left, right)| left == right).count()
}

/// Takes the numbers of an entry: the second is 0 in that of a list.
#[inline]
fn numbers(bytes: &mut &[u8]) -> Option<(u64, u64, u64)> {
    if let Some(mut short) = Short::new(bytes) {
        let (count, first) = (short.take(), short.take());
        let of_list = short;
        let second = short.take();
        let (second, taken) = if count & 1 == 1 { (second, short) } else { (0, of_list) };
        if let Some(len) = taken.len() {
            *bytes = bytes.get(len..)?;
            return Some((count, first, second));
        }
    }
    let (count, first) = (take(bytes)?, take(bytes)?);
    Some((count, first, if count & 1 == 1 { take(bytes)? } else { 0 }))
}

/// A field's terms, open for reading.
#[derive(Debug)]
pub(super) struct Dictionary {
    /// The file up to the footer; positions count from its start.
    file: Input,
    at: DictionaryAt,
    max_doc: u32,
}

/// A term's entry as it is read.
struct Entry<'a> {
    shared: usize,
    rest: &'a [u8],
    found: TermEntry,
}

impl Dictionary {
    /// Checks that the blocks' index lies in the file; `file` is the file without its footer.
    pub(super) fn open(file: &Input, at: DictionaryAt, max_doc: u32) -> Result<Self> {
        let index_len = at.terms.div_ceil(TERMS_PER_BLOCK).checked_mul(8);
        let end = index_len.and_then(|len| at.index.checked_add(len));
        // An entry takes four bytes at least.
        let room = at.index.checked_sub(at.start).map(|len| len / 4);
        if end.is_none_or(|end| end > file.len() as u64) || room.is_none_or(|room| room < at.terms) {
            let problem = format!("{} terms from {} to {} are not in the file", at.terms, at.start, at.index);
            return Err(file.corrupt(at.start.min(file.len() as u64), problem));
        }
        Ok(Self { file: file.clone(), at, max_doc })
    }

    fn blocks(&self) -> u64 {
        self.at.terms.div_ceil(TERMS_PER_BLOCK)
    }

    /// The bytes of a block and how many terms it holds.
    fn block(&self, block: u64) -> Result<(&[u8], u64)> {
        let start_at = |block: u64| {
            if block < self.blocks() {
                self.file.cursor(self.at.index + 8 * block).u64()
            } else {
                Ok(self.at.index)
            }
        };
        let (start, end) = (start_at(block)?, start_at(block + 1)?);
        let len = end.checked_sub(start).filter(|_| start >= self.at.start && end <= self.at.index);
        let len = len.ok_or_else(|| self.damaged(block, "is not where its index says"))?;
        let terms = self.at.terms.saturating_sub(block * TERMS_PER_BLOCK).min(TERMS_PER_BLOCK);
        Ok((self.file.slice(start, len)?, terms))
    }

    pub(super) fn corrupt(&self, problem: &str) -> Error {
        self.file.corrupt(self.at.start, problem)
    }

    fn damaged(&self, block: u64, problem: &str) -> Error {
        self.file.corrupt(self.at.index + 8 * block, format!("block {block} of the terms {problem}"))
    }

    /// Takes an entry off the front of a block's bytes.
    #[inline]
    fn entry<'a>(&self, bytes: &mut &'a [u8], handle: &mut u64) -> Option<Entry<'a>> {
        let shared = take(bytes)? as usize;
        let rest_len = take(bytes)?;
        let (rest, after) = bytes.split_at_checked(usize::try_from(rest_len).ok()?)?;
        *bytes = after;
        let (count, first, second) = numbers(bytes)?;
        let doc_freq = u32::try_from(count >> 1).ok().filter(|count| (1..=self.max_doc).contains(count))?;
        let handle = match count & 1 {
            1 => {
                let (doc, position) = (u32::try_from(first).ok()?, u32::try_from(second).ok()?);
                let sound = doc_freq == 1 && doc < self.max_doc && position <= Handle::MAX_POSITION;
                sound.then_some(Handle::Inline { doc, position })?
            }
            _ => {
                *handle = handle.checked_add(first).filter(|&handle| handle >> 63 == 0)?;
                Handle::List(*handle)
            }
        };
        let fits = shared.checked_add(rest.len())? <= MAX_TERM;
        fits.then_some(Entry { shared, rest, found: TermEntry { doc_freq, handle: handle.encode() } })
    }

    /// The first term of a block; `None` when the block is damaged.
    #[inline]
    fn first_term<'a>(&self, file: &'a [u8], index: &[u8], block: u64) -> Option<&'a [u8]> {
        let start = u64_at(index, usize::try_from(block).ok()?)?;
        let mut bytes = file.get(usize::try_from(start).ok()?..)?;
        let (shared, len) = (take(&mut bytes)?, take(&mut bytes)?);
        let first = bytes.get(..usize::try_from(len).ok()?)?;
        (shared == 0 && start >= self.at.start).then_some(first)
    }

    /// The last block whose first term is not after `term`; the first block when there is none.
    fn block_of(&self, term: &[u8]) -> Result<u64> {
        self.block_between(0, self.blocks(), term)
    }

    /// The last block from `low` on whose first term is not after `term`; `low` when there is none. It is looked for in ever
    /// larger steps, because mostly it is near.
    fn block_from(&self, mut low: u64, term: &[u8]) -> Result<u64> {
        let mut step = 1;
        while low + step < self.blocks() {
            if self.block_between(low + step - 1, low + step + 1, term)? < low + step {
                return self.block_between(low, low + step, term);
            }
            (low, step) = (low + step, 2 * step);
        }
        self.block_between(low, self.blocks(), term)
    }

    /// The last block from `low` to below `high` whose first term is not after `term`; `low` when there is none.
    fn block_between(&self, mut low: u64, mut high: u64, term: &[u8]) -> Result<u64> {
        let file = self.file.bytes().get(..self.at.index as usize).unwrap_or_default();
        let index = self.file.slice(self.at.index, 8 * self.blocks())?;
        while high - low > 1 {
            let middle = low + (high - low) / 2;
            let first = self.first_term(file, index, middle);
            if first.ok_or_else(|| self.damaged(middle, "has no first term"))? <= term {
                low = middle
            } else {
                high = middle
            }
        }
        Ok(low)
    }

    pub(super) fn get(&self, term: &[u8]) -> Result<Option<TermEntry>> {
        let block = self.block_of(term)?;
        let (mut bytes, terms) = self.block(block)?;
        let (mut handle, mut matched) = (0, 0);
        for _ in 0..terms {
            let entry = self.entry(&mut bytes, &mut handle);
            let entry = entry.ok_or_else(|| self.damaged(block, "holds no sound entry"))?;
            // The term before is less than the one looked for, with which it shares `matched` bytes.
            match entry.shared.cmp(&matched) {
                Ordering::Greater => continue,
                Ordering::Less => return Ok(None),
                Ordering::Equal => {}
            }
            let wanted = term.get(matched..).unwrap_or_default();
            match entry.rest.cmp(wanted) {
                Ordering::Less => matched += common(entry.rest, wanted),
                Ordering::Equal => return Ok(Some(entry.found)),
                Ordering::Greater => return Ok(None),
            }
        }
        Ok(None)
    }

    /// All terms from `from` on.
    pub(super) fn terms(&self, from: &[u8]) -> Result<TermsFrom<'_>> {
        let block = self.block_of(from)?;
        let mut terms = TermsFrom {
            dictionary: self,
            block,
            bytes: &[],
            left: 0,
            handle: 0,
            term: Vec::new(),
            ahead: None,
            started: false,
        };
        terms.ahead = terms.step_to(from)?;
        Ok(terms)
    }
}

/// Walks through terms.
pub(super) struct TermsFrom<'a> {
    dictionary: &'a Dictionary,
    /// The block to be read next.
    block: u64,
    bytes: &'a [u8],
    /// Terms of the open block that are left.
    left: u64,
    handle: u64,
    term: Vec<u8>,
    /// The first entry, found while looking for it.
    ahead: Option<TermEntry>,
    started: bool,
}

impl<'a> TermsFrom<'a> {
    /// Steps at least once, and on to the first term that is not before `target`.
    fn step_to(&mut self, target: &[u8]) -> Result<Option<TermEntry>> {
        let mut found = self.step()?;
        while found.is_some() && self.term.as_slice() < target {
            found = self.step_on(target)?;
        }
        Ok(found)
    }

    /// Steps on from a term before `target` to the first one of its block that is not, else to the next block. Terms on the way
    /// are not put together: of each it is enough to know how much it has in common with the target.
    fn step_on(&mut self, target: &[u8]) -> Result<Option<TermEntry>> {
        let mut matched = common(&self.term, target);
        while self.left > 0 {
            let entry = self.entry()?;
            // The term before is less than the target, with which it shares `matched` bytes.
            let is_before = match entry.shared.cmp(&matched) {
                Ordering::Greater => true,
                Ordering::Less => false,
                Ordering::Equal => {
                    let wanted = target.get(matched..).unwrap_or_default();
                    let is_before = entry.rest < wanted;
                    matched += if is_before { common(entry.rest, wanted) } else { 0 };
                    is_before
                }
            };
            if !is_before {
                self.term.clear();
                self.term.extend_from_slice(target.get(..entry.shared).unwrap_or_default());
                self.term.extend_from_slice(entry.rest);
                // Of sound terms the comparison has told.
                if self.term.as_slice() < target {
                    return Err(self.dictionary.damaged(self.block - 1, "is not in order"));
                }
                return Ok(Some(entry.found));
            }
        }
        self.step()
    }

    /// Whether the block to be read next begins at or before `target`.
    fn is_in_later_block(&self, target: &[u8]) -> Result<bool> {
        let Dictionary { file, at, .. } = self.dictionary;
        if self.block >= self.dictionary.blocks() {
            return Ok(false);
        }
        let index = file.slice(at.index, 8 * self.dictionary.blocks())?;
        let terms = file.bytes().get(..at.index as usize).unwrap_or_default();
        let first = self.dictionary.first_term(terms, index, self.block);
        Ok(first.ok_or_else(|| self.dictionary.damaged(self.block, "has no first term"))? <= target)
    }

    fn step(&mut self) -> Result<Option<TermEntry>> {
        let first = self.left == 0;
        if first {
            if self.block >= self.dictionary.blocks() {
                return Ok(None);
            }
            (self.bytes, self.left) = self.dictionary.block(self.block)?;
            (self.handle, self.block) = (0, self.block + 1);
        }
        let entry = self.entry()?;
        self.put(&entry, first).map(Some)
    }

    /// Takes the next entry of the open block.
    #[inline]
    fn entry(&mut self) -> Result<Entry<'a>> {
        let entry = self.dictionary.entry(&mut self.bytes, &mut self.handle);
        self.left -= 1;
        entry.ok_or_else(|| self.dictionary.damaged(self.block - 1, "holds no sound entry"))
    }

    /// Makes the term that of an entry.
    #[inline]
    fn put(&mut self, entry: &Entry<'_>, first: bool) -> Result<TermEntry> {
        let damaged = |problem| self.dictionary.damaged(self.block - 1, problem);
        // Ascending means: longer than the shared prefix, and higher where it goes on.
        let replaced = self.term.get(entry.shared..).ok_or_else(|| damaged("shares more than there is"))?;
        let shared = if first {
            entry.shared == 0 && (self.term.as_slice() < entry.rest || !self.started)
        } else {
            replaced < entry.rest
        };
        if !shared {
            return Err(damaged("is not in order"));
        }
        self.term.truncate(entry.shared);
        self.term.extend_from_slice(entry.rest);
        self.started = true;
        Ok(entry.found)
    }
}

impl Terms for TermsFrom<'_> {
    fn next(&mut self) -> Result<Option<(&[u8], TermEntry)>> {
        let found = match self.ahead.take() {
            Some(found) => Some(found),
            None => self.step()?,
        };
        Ok(found.map(|found| (self.term.as_slice(), found)))
    }

    fn skip_to(&mut self, target: &[u8]) -> Result<()> {
        if self.term.as_slice() >= target {
            return Ok(());
        }
        if self.is_in_later_block(target)? {
            self.block = self.dictionary.block_from(self.block, target)?;
            self.left = 0;
        }
        self.ahead = self.step_to(target)?;
        Ok(())
    }
}
