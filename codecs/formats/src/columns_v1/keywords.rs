//! A column of keywords: positions in a dictionary.

use super::dictionary::Dictionary;
use super::meta::{ColumnMeta, DictionaryMeta};
use super::numbers::Numbers;
use super::take::Taken;
use lucerne_codec::columns::{KeywordColumn, NumberColumn, TakeValues};
use lucerne_codec::{BitSet, Cancel, DocId, Error, Input, Result};
use std::sync::OnceLock;

/// So many different values are few.
const FEW: usize = 256;
/// So many documents are many: it pays to put their values side by side.
const MANY: u32 = 1_024;
/// Counters of each of few values.
const LANES: usize = 8;
/// Counters in a lane: values are a least one of a block and a byte.
const LANE_LEN: usize = 2 * FEW;

/// Keywords.
pub(super) struct Keywords {
    ordinals: Numbers,
    pub(super) dictionary: Dictionary,
    column: Input,
    /// How many documents have each of few values, once it was counted.
    totals: OnceLock<Box<[u64]>>,
}

impl Keywords {
    pub(super) fn open(
        column: &Input,
        max_doc: u32,
        meta: &ColumnMeta,
        dictionary: DictionaryMeta,
    ) -> Result<Self> {
        let (dictionary, end) = Dictionary::open(column, dictionary)?;
        let ordinals = Numbers::open(column, end, max_doc, meta)?;
        Ok(Self { ordinals, dictionary, column: column.clone(), totals: OnceLock::new() })
    }

    /// A value of the ordinals' column as a position that exists.
    fn ordinal(&self, value: i64) -> Result<u32> {
        let ordinal = u32::try_from(value).ok().filter(|&ordinal| ordinal < self.dictionary.terms());
        ordinal.ok_or_else(|| self.beyond(value))
    }

    #[cold]
    fn beyond(&self, value: i64) -> Error {
        self.column.corrupt(0, format!("term {value} of {}", self.dictionary.terms()))
    }

    /// Counts few different values. Often one follows itself: each document has another counter of it than the one before, so
    /// that no count waits for another. Where values are bytes, those of the documents are first put side by side.
    fn count_few(&self, docs: &BitSet, cancel: &Cancel, counts: &mut [u64]) -> Result<()> {
        let (mut taken, mut bytes, mut beyond) = (Taken::default(), Vec::new(), None);
        let (mut lanes, mut lane) = ([[0u32; LANE_LEN]; LANES], 0);
        self.ordinals.blocks_of(docs, cancel, |block| {
            let least = u8::try_from(block.entry.least).ok();
            if let (Some(least), Some(bytes)) = (least, block.bytes_of(docs, &mut bytes)?) {
                count_bytes(bytes, least, &mut lanes);
                return Ok(());
            }
            taken.each(block, docs, |value| {
                lane = (lane + 1) % LANES;
                match lanes.get_mut(lane).and_then(|own| own.get_mut(value as usize)) {
                    Some(count) => *count += 1,
                    None => beyond = Some(value),
                }
            })
        })?;
        let [mut sums, others @ ..] = lanes;
        others.iter().for_each(|lane| sums.iter_mut().zip(lane).for_each(|(sum, count)| *sum += count));
        let (known, others) = sums.split_at((self.dictionary.terms() as usize).min(LANE_LEN));
        counts.iter_mut().zip(known).for_each(|(count, &sum)| *count += u64::from(sum));
        if others.iter().any(|&sum| sum > 0) {
            beyond = Some(known.len() as i64);
        }
        match beyond {
            Some(value) => self.ordinal(value).map(drop),
            None => Ok(()),
        }
    }

    /// Counts few different values of most documents: all less those of the others, which are fewer.
    fn count_most(&self, docs: &BitSet, cancel: &Cancel, counts: &mut [u64]) -> Result<()> {
        let terms = self.dictionary.terms() as usize;
        let all = BitSet::full(self.ordinals.max_doc());
        let totals = match self.totals.get() {
            Some(totals) => totals,
            None => {
                let mut totals = vec![0; terms];
                self.count_few(&all, cancel, &mut totals)?;
                self.totals.get_or_init(|| totals.into())
            }
        };
        let (mut others, mut left) = (all, vec![0; terms]);
        others.difference(docs);
        self.count_few(&others, cancel, &mut left)?;
        for (count, (total, left)) in counts.iter_mut().zip(totals.iter().zip(left)) {
            *count += total.saturating_sub(left);
        }
        Ok(())
    }

    /// Reads everything: every term is some document's.
    pub(super) fn verify(&self, cancel: &Cancel) -> Result<()> {
        let mut used = BitSet::empty(self.dictionary.terms());
        self.ordinals.verify(cancel, &mut |value| {
            used.insert(self.ordinal(value)?);
            Ok(())
        })?;
        if used.count() != used.len() {
            let problem = format!("{} of {} terms are no document's", used.len() - used.count(), used.len());
            return Err(self.column.corrupt(0, problem));
        }
        self.dictionary.verify()
    }
}

/// Counts `least` plus each of the bytes. Those that follow each other have counters of their own.
fn count_bytes(bytes: &[u8], least: u8, lanes: &mut [[u32; LANE_LEN]; LANES]) {
    // There is a counter for every sum of two bytes.
    let count = |lane: &mut [u32; LANE_LEN], byte: u8| {
        lane.get_mut(usize::from(least) + usize::from(byte)).into_iter().for_each(|count| *count += 1);
    };
    let (chunks, rest) = bytes.as_chunks::<LANES>();
    for chunk in chunks {
        chunk.iter().zip(&mut *lanes).for_each(|(byte, lane)| count(lane, *byte));
    }
    rest.iter().zip(lanes).for_each(|(byte, lane)| count(lane, *byte));
}

impl KeywordColumn for Keywords {
    fn docs(&self) -> u32 {
        self.ordinals.docs()
    }

    fn terms(&self) -> u32 {
        self.dictionary.terms()
    }

    fn term(&self, ordinal: u32) -> Result<&str> {
        self.dictionary.term(ordinal)
    }

    fn ordinals(&self, doc: DocId, into: &mut Vec<u32>) -> Result<()> {
        into.clear();
        self.ordinals.each_value(doc, |value| {
            into.push(self.ordinal(value)?);
            Ok(())
        })
    }

    fn least(&self, doc: DocId) -> Result<Option<u32>> {
        self.ordinals.least(doc)?.map(|value| self.ordinal(value)).transpose()
    }

    fn greatest(&self, doc: DocId) -> Result<Option<u32>> {
        self.ordinals.greatest(doc)?.map(|value| self.ordinal(value)).transpose()
    }

    fn existing(&self, cancel: &Cancel, into: &mut BitSet) -> Result<()> {
        self.ordinals.existing(cancel, into)
    }

    fn count(&self, docs: &BitSet, members: u32, cancel: &Cancel, counts: &mut [u64]) -> Result<()> {
        if self.dictionary.terms() as usize <= FEW && members >= MANY {
            return match members > self.ordinals.max_doc() / 2 {
                true => self.count_most(docs, cancel, counts),
                false => self.count_few(docs, cancel, counts),
            };
        }
        let (mut taken, mut beyond) = (Taken::default(), None);
        self.ordinals.blocks_of(docs, cancel, |block| {
            taken.each(block, docs, |value| match counts.get_mut(value as usize) {
                Some(count) => *count += 1,
                None => beyond = Some(value),
            })
        })?;
        match beyond {
            Some(value) => self.ordinal(value).map(drop),
            None => Ok(()),
        }
    }

    fn take_ordinals(&self, docs: &BitSet, cancel: &Cancel, take: &mut TakeValues<'_, u32>) -> Result<()> {
        let mut ordinals = Vec::new();
        self.ordinals.take_values(docs, cancel, &mut |docs, values| {
            ordinals.clear();
            for &value in values {
                ordinals.push(self.ordinal(value)?);
            }
            take(docs, &ordinals)
        })
    }
}
