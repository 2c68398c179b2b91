//! Which documents may be returned: live docs ∧ filter.

use crate::{DocId, Error, Result};
use std::borrow::Cow;

/// A fixed-length set of document ids.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BitSet {
    words: Vec<u64>,
    len: u32,
}

impl BitSet {
    /// A set over `0..len` with nothing in it.
    pub fn empty(len: u32) -> Self {
        Self { words: vec![0; len.div_ceil(64) as usize], len }
    }

    /// A set over `0..len` with everything in it.
    pub fn full(len: u32) -> Self {
        let mut set = Self { words: vec![u64::MAX; len.div_ceil(64) as usize], len };
        set.clear_beyond();
        set
    }

    /// A set from words read from a file; refused when the number of words or the bits past `len` are wrong.
    pub fn from_words(words: Vec<u64>, len: u32) -> Result<Self> {
        let spare = match words.last() {
            Some(last) if !len.is_multiple_of(64) => last >> (len % 64),
            _ => 0,
        };
        if words.len() != len.div_ceil(64) as usize || spare != 0 {
            return Err(Error::Invalid(format!("{} words are not a set of {len} bits", words.len())));
        }
        Ok(Self { words, len })
    }

    /// The words, 64 members each, least significant bit first.
    pub fn words(&self) -> &[u64] {
        &self.words
    }

    /// Number of possible members.
    pub fn len(&self) -> u32 {
        self.len
    }

    /// True when there are no possible members.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Whether `doc` is a member; false beyond the length.
    #[inline]
    pub fn contains(&self, doc: DocId) -> bool {
        self.words.get((doc / 64) as usize).is_some_and(|word| word >> (doc % 64) & 1 == 1)
    }

    /// Adds `doc`; true when it was not a member. Nothing happens beyond the length.
    pub fn insert(&mut self, doc: DocId) -> bool {
        let added = doc < self.len && !self.contains(doc);
        if let (Some(word), true) = (self.words.get_mut((doc / 64) as usize), added) {
            *word |= 1 << (doc % 64);
        }
        added
    }

    /// Adds `docs`, those beyond the length left out: one after the other, without a look at the length for each.
    pub fn extend_from_slice(&mut self, docs: &[DocId]) {
        for doc in docs {
            if let Some(word) = self.words.get_mut((doc / 64) as usize) {
                *word |= 1 << (doc % 64);
            }
        }
        self.clear_beyond();
    }

    /// Removes `doc`; true when it was a member.
    pub fn remove(&mut self, doc: DocId) -> bool {
        let removed = self.contains(doc);
        if let (Some(word), true) = (self.words.get_mut((doc / 64) as usize), removed) {
            *word &= !(1 << (doc % 64));
        }
        removed
    }

    /// Number of members.
    pub fn count(&self) -> u32 {
        self.words.iter().map(|word| word.count_ones()).sum()
    }

    /// Members in ascending order.
    pub fn iter(&self) -> impl Iterator<Item = DocId> + '_ {
        self.words.iter().enumerate().flat_map(|(index, &word)| {
            let mut rest = word;
            std::iter::from_fn(move || {
                (rest != 0).then(|| {
                    let bit = rest.trailing_zeros();
                    rest &= rest - 1;
                    index as u32 * 64 + bit
                })
            })
        })
    }

    /// Adds up to 64 documents at once: those of the 1 bits of `word`, as the `index`-th of [`BitSet::words`].
    /// Bits beyond the length are left out.
    #[inline]
    pub fn insert_word(&mut self, index: usize, word: u64) {
        let is_partial = index + 1 == self.words.len() && !self.len.is_multiple_of(64);
        let valid = if is_partial { u64::MAX >> (64 - self.len % 64) } else { u64::MAX };
        if let Some(own) = self.words.get_mut(index) {
            *own |= word & valid;
        }
    }

    /// Adds the members of `other`, as far as they are possible here.
    pub fn union(&mut self, other: &BitSet) {
        self.insert_words(other.words.iter().copied());
    }

    /// Adds the documents of the 1 bits of `words`, the first of which is the first of [`BitSet::words`]. Bits beyond the
    /// length are left out.
    #[inline]
    pub fn insert_words(&mut self, words: impl Iterator<Item = u64>) {
        self.words.iter_mut().zip(words).for_each(|(own, word)| *own |= word);
        self.clear_beyond();
    }

    /// Removes bits beyond the length.
    fn clear_beyond(&mut self) {
        if let (Some(last), true) = (self.words.last_mut(), !self.len.is_multiple_of(64)) {
            *last &= u64::MAX >> (64 - self.len % 64);
        }
    }

    /// Removes the members of `other`.
    pub fn difference(&mut self, other: &BitSet) {
        self.words.iter_mut().zip(&other.words).for_each(|(word, other)| *word &= !other);
    }

    /// Keeps only the members that are in `other` too.
    pub fn intersect(&mut self, other: &BitSet) {
        self.keep_words(other.words.iter().copied());
    }

    /// Keeps only the members that are 1 bits of `words`, the first of which is the first of [`BitSet::words`].
    #[inline]
    pub fn keep_words(&mut self, words: impl ExactSizeIterator<Item = u64>) {
        let known = words.len().min(self.words.len());
        let (kept, beyond) = self.words.split_at_mut(known);
        kept.iter_mut().zip(words).for_each(|(own, word)| *own &= word);
        beyond.fill(0);
    }
}

impl From<BitSet> for Cow<'_, BitSet> {
    fn from(set: BitSet) -> Self {
        Cow::Owned(set)
    }
}

impl<'a> From<&'a BitSet> for Cow<'a, BitSet> {
    fn from(set: &'a BitSet) -> Self {
        Cow::Borrowed(set)
    }
}

/// The documents a search may return, with how many they are (its cost).
#[derive(Clone, Copy, Debug)]
pub struct Accept<'a> {
    docs: Option<&'a BitSet>,
    count: u32,
}

impl<'a> Accept<'a> {
    /// All of `max_doc` documents.
    pub fn all(max_doc: u32) -> Self {
        Self { docs: None, count: max_doc }
    }

    /// The members of `docs` (live docs, or live docs ∧ filter).
    pub fn only(docs: &'a BitSet) -> Self {
        Self { docs: Some(docs), count: docs.count() }
    }

    /// Whether `doc` may be returned.
    #[inline]
    pub fn accepts(&self, doc: DocId) -> bool {
        self.docs.is_none_or(|docs| docs.contains(doc))
    }

    /// How many documents may be returned.
    pub fn count(&self) -> u32 {
        self.count
    }

    /// The set, or `None` when every document may be returned.
    pub fn docs(&self) -> Option<&'a BitSet> {
        self.docs
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_are_added_at_once_as_one_by_one() {
        for len in [0u32, 1, 64, 65, 200] {
            let docs = [0, 1, 63, 64, 65, 199, 200, 3, 130, DocId::MAX];
            let (mut at_once, mut one_by_one) = (BitSet::empty(len), BitSet::empty(len));
            at_once.extend_from_slice(&docs);
            docs.iter().for_each(|doc| _ = one_by_one.insert(*doc));
            assert_eq!(at_once, one_by_one, "{len}");
        }
    }

    #[test]
    fn a_bit_set_holds_exactly_its_members() {
        for len in [0u32, 1, 63, 64, 65, 200] {
            let full = BitSet::full(len);
            assert_eq!(full.count(), len);
            assert!(full.iter().eq(0..len));
            assert_eq!(BitSet::from_words(full.words().to_vec(), len).unwrap(), full);
            let mut set = BitSet::empty(len);
            assert!(!set.insert(len));
            for doc in (0..len).step_by(3) {
                assert!(set.insert(doc) && !set.insert(doc));
            }
            assert!(set.iter().eq((0..len).step_by(3)));
            assert!(len == 0 || set.remove(0) && !set.remove(0));
        }
        assert!(BitSet::from_words(vec![0b1000], 3).is_err());
    }

    #[test]
    fn sets_are_combined_within_their_length() {
        let set = |len: u32, step: usize| {
            let mut set = BitSet::empty(len);
            assert!((0..len).step_by(step).all(|doc| set.insert(doc)));
            set
        };
        for (len, other_len) in [(0, 70), (70, 70), (70, 128), (130, 64), (200, 199)] {
            let (twos, threes) = (set(len, 2), set(other_len, 3));
            let three = |doc: &DocId| doc.is_multiple_of(3) && *doc < other_len;
            let expect = |set: BitSet, holds: &dyn Fn(&DocId) -> bool| {
                assert!(set.iter().eq((0..len).filter(holds)), "{set:?}");
            };
            let (mut union, mut difference) = (twos.clone(), twos.clone());
            union.union(&threes);
            expect(union, &|doc| doc.is_multiple_of(2) || three(doc));
            difference.difference(&threes);
            expect(difference, &|doc| doc.is_multiple_of(2) && !three(doc));
            let mut words = BitSet::empty(len);
            (0..5).for_each(|index| words.insert_word(index, u64::MAX));
            assert_eq!(words, BitSet::full(len));
        }
    }
}
