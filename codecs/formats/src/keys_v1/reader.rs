//! Keys by document, documents by key.

use super::hash::hash64;
use super::{CANCEL_STEP, ENTRY_LEN, FORMAT, MAX_KEY, VERSION, key_checksum};
use crate::names::only_file;
use lucerne_codec::envelope::{self, NO_FIELD};
use lucerne_codec::format::{OpenContext, Problem};
use lucerne_codec::io::bytes;
use lucerne_codec::keys::KeysReader;
use lucerne_codec::{BitSet, Cancel, DocId, Error, Input, Report, Result};
use serde_json::json;
use std::cmp::Ordering;
use std::collections::BinaryHeap;

const HEAD_LEN: u64 = 16;
/// Looks guided by interpolation, before bisection: a few more than even hashes ever need.
const GUESSES: u32 = 16;
/// Documents looked at between two looks at the cancel flag.
const FIRST: usize = 4_096;
/// Bytes of a key that are prefetched.
const PREFETCHED: usize = 32;
/// A thorough check stops listing damaged keys here.
const MAX_PROBLEMS: usize = 100;

pub(super) struct Reader {
    max_doc: u32,
    starts: Input,
    entries: Input,
    checksums: Input,
    ranks: Input,
    keys: Input,
    file_len: usize,
}

impl Reader {
    pub(super) fn open(context: &OpenContext<'_>) -> Result<Self> {
        let entry = only_file(context, "keys_v1")?;
        let input = context.open(entry, FORMAT, VERSION, NO_FIELD)?;
        let body = envelope::body(&input)?;
        let mut head = body.cursor(0);
        let (max_doc, zero, keys_len) = (head.u32()?, head.u32()?, head.u64()?);
        if max_doc != context.max_doc {
            let problem = format!("{max_doc} documents, the segment has {}", context.max_doc);
            return Err(body.corrupt(0, problem));
        }
        let n = u64::from(max_doc);
        let keys_at = HEAD_LEN + 8 * (n + 1) + ENTRY_LEN * n + 8 * n;
        if zero != 0 || keys_at.checked_add(keys_len) != Some(body.len() as u64) {
            let problem = format!("{max_doc} keys of {keys_len} bytes do not fill the file");
            return Err(body.corrupt(0, problem));
        }
        let reader = Self::of(&body, max_doc, input.len())?;
        if reader.start(0)? != 0 || reader.start(n)? != keys_len {
            return Err(reader.starts.corrupt(0, "the keys do not start at 0 or end at their end"));
        }
        Ok(reader)
    }

    /// Opens what is left of a damaged file: where its parts are follows from the number of documents.
    pub(super) fn salvage(context: &OpenContext<'_>) -> Result<Self> {
        let input = context.open_damaged(only_file(context, "keys_v1")?, FORMAT, VERSION, NO_FIELD)?;
        Self::of(&envelope::body(&input)?, context.max_doc, input.len())
    }

    fn of(body: &Input, max_doc: u32, file_len: usize) -> Result<Self> {
        let n = u64::from(max_doc);
        let (starts_len, entries_len, checksums_len) = (8 * (n + 1), ENTRY_LEN * n, 4 * n);
        let entries_at = HEAD_LEN + starts_len;
        let checksums_at = entries_at + entries_len;
        let (ranks_at, ranks_len) = (checksums_at + checksums_len, 4 * n);
        let keys_at = ranks_at + ranks_len;
        Ok(Self {
            max_doc,
            starts: body.sub(HEAD_LEN, starts_len)?,
            entries: body.sub(entries_at, entries_len)?,
            checksums: body.sub(checksums_at, checksums_len)?,
            ranks: body.sub(ranks_at, ranks_len)?,
            keys: body.sub(keys_at, (body.len() as u64).saturating_sub(keys_at))?,
            file_len,
        })
    }

    fn start(&self, doc: u64) -> Result<u64> {
        self.starts.cursor(doc * 8).u64()
    }

    fn key_bytes(&self, doc: DocId) -> Result<&[u8]> {
        if doc >= self.max_doc {
            let (name, max_doc) = (self.keys.name(), self.max_doc);
            return Err(Error::Invalid(format!("{name}: no document {doc}, there are {max_doc}")));
        }
        let at = u64::from(doc);
        let mut starts = self.starts.cursor(at * 8);
        let (start, end) = (starts.u64()?, starts.u64()?);
        let len = end.checked_sub(start).filter(|&len| len <= MAX_KEY as u64);
        let len = len.ok_or_else(|| {
            let problem = format!("the key of document {doc} lies at {start} to {end}");
            self.starts.corrupt(at * 8, problem)
        })?;
        let key = self.keys.slice(start, len)?;
        if self.checksums.cursor(at * 4).u32()? != key_checksum(doc, key) {
            let problem = format!("the checksum of document {doc}'s key does not match");
            return Err(self.keys.corrupt(start, problem));
        }
        Ok(key)
    }

    /// The hash and the document of entry `index`.
    fn entry(&self, index: u32) -> Result<(u64, DocId)> {
        let at = u64::from(index) * ENTRY_LEN;
        let mut cursor = self.entries.cursor(at);
        let (hash, doc, crc) = (cursor.u64()?, cursor.u32()?, cursor.u32()?);
        if crc != crc32fast::hash(self.entries.slice(at, ENTRY_LEN - 4)?) || doc >= self.max_doc {
            let problem = format!("entry {index} of the hash table is damaged");
            return Err(self.entries.corrupt(at, problem));
        }
        Ok((hash, doc))
    }

    /// The first entry whose hash is at least `hash`. Hashes are even, so the first looks go where
    /// the value should be; after these the range is halved, whatever the values are.
    fn first_at_least(&self, hash: u64) -> Result<u32> {
        let (mut low, mut high) = (0, self.max_doc);
        let (mut low_hash, mut high_hash) = (0, u64::MAX);
        let mut guesses = GUESSES;
        while low < high {
            let span = u64::from(high - low);
            let (above, width) = (hash.saturating_sub(low_hash), high_hash.saturating_sub(low_hash));
            let step = if guesses > 0 {
                (u128::from(above) * u128::from(span) / (u128::from(width) + 1)) as u64
            } else {
                span / 2
            };
            guesses = guesses.saturating_sub(1);
            let middle = low + step.min(span - 1) as u32;
            let (found, _) = self.entry(middle)?;
            if found < hash {
                (low, low_hash) = (middle + 1, found)
            } else {
                (high, high_hash) = (middle, found)
            }
        }
        Ok(low)
    }
}

impl Reader {
    /// Checks that the ranks are in the order of the keys.
    fn verify_ranks(&self, cancel: &Cancel, problems: &mut Vec<Problem>) -> Result<()> {
        let mut docs: Vec<DocId> = (0..self.max_doc).collect();
        docs.sort_by(|&left, &right| self.order(left, right));
        for (step, pair) in docs.windows(2).enumerate() {
            cancel.check_every(CANCEL_STEP, step)?;
            if let &[left, right] = pair
                && self.key_bytes(left)?.cmp(self.key_bytes(right)?) != self.order(left, right)
            {
                let problem = format!("the rank of document {right}'s key is not where the key is");
                let error = self.ranks.corrupt(u64::from(right) * 4, problem);
                problems.push(Problem { file: self.keys.name().to_owned(), problem: error.to_string() });
                break;
            }
        }
        Ok(())
    }
}

impl KeysReader for Reader {
    fn key(&self, doc: DocId) -> Result<&str> {
        let key = self.key_bytes(doc)?;
        std::str::from_utf8(key)
            .map_err(|_| self.keys.corrupt(0, format!("the key of document {doc} is not UTF-8")))
    }

    fn prefetch(&self, docs: &[DocId]) {
        let (starts, checksums, keys) = (self.starts.bytes(), self.checksums.bytes(), self.keys.bytes());
        for &doc in docs {
            lucerne_simd::prefetch(starts, 8 * doc as usize, 16);
            lucerne_simd::prefetch(checksums, 4 * doc as usize, 4);
        }
        for &doc in docs {
            let start = self.start(u64::from(doc)).unwrap_or(u64::MAX);
            lucerne_simd::prefetch(keys, usize::try_from(start).unwrap_or(usize::MAX), PREFETCHED);
        }
    }

    fn order(&self, left: DocId, right: DocId) -> Ordering {
        let ranks = self.ranks.bytes();
        let rank = |doc: DocId| bytes::u32_at(ranks, doc as usize).unwrap_or(u32::MAX);
        rank(left).cmp(&rank(right))
    }

    fn first(&self, docs: &BitSet, count: usize, cancel: &Cancel) -> Result<Vec<DocId>> {
        let ranks = self.ranks.bytes();
        let mut first: BinaryHeap<(u32, DocId)> = BinaryHeap::with_capacity(count.min(FIRST));
        // Every rank is before this one.
        let mut end = if count == 0 { 0 } else { u64::MAX };
        for (done, doc) in docs.iter().enumerate() {
            cancel.check_every(FIRST, done)?;
            let rank = bytes::u32_at(ranks, doc as usize).unwrap_or(u32::MAX);
            if u64::from(rank) < end {
                if first.len() == count {
                    first.pop();
                }
                first.push((rank, doc));
                if let Some((last, _)) = first.peek().filter(|_| first.len() == count) {
                    end = (*last).into();
                }
            }
        }
        Ok(first.into_iter().map(|(_, doc)| doc).collect())
    }

    fn find(&self, key: &str, found: &mut dyn FnMut(DocId)) -> Result<()> {
        let hash = hash64(key.as_bytes());
        for index in self.first_at_least(hash)?..self.max_doc {
            let (at, doc) = self.entry(index)?;
            if at != hash {
                break;
            }
            if self.key_bytes(doc)? == key.as_bytes() {
                found(doc);
            }
        }
        Ok(())
    }

    fn inspect(&self) -> Report {
        json!({
            "documents": self.max_doc,
            "key_bytes": self.keys.len(),
            "bytes": self.file_len,
        })
    }

    fn verify(&self, cancel: &Cancel) -> Result<Vec<Problem>> {
        let mut problems = Vec::new();
        let mut previous = None;
        for index in 0..self.max_doc {
            cancel.check_every(CANCEL_STEP, index as usize)?;
            // Ascending entries whose hashes fit their documents' keys name each document once.
            let checked = self.key(index).and_then(|_| {
                let entry = self.entry(index)?;
                let sound = previous < Some(entry) && hash64(self.key_bytes(entry.1)?) == entry.0;
                previous = Some(entry);
                if sound {
                    return Ok(());
                }
                let problem = format!("entry {index} of the hash table is not the next key's");
                Err(self.entries.corrupt(u64::from(index) * ENTRY_LEN, problem))
            });
            if let Err(error) = checked {
                problems.push(Problem { file: self.keys.name().to_owned(), problem: error.to_string() });
            }
            if problems.len() == MAX_PROBLEMS {
                return Ok(problems);
            }
        }
        if problems.is_empty() {
            self.verify_ranks(cancel, &mut problems)?;
        }
        Ok(problems)
    }
}
