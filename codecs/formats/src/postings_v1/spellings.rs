//! Which spellings are terms: a filter that tells of most words that a field has none such.
//!
//! A word with one typing error may stand for some thousand spellings. Each is looked for in the filter, and only what that
//! does not refuse in the dictionary. Characters are of *classes*, so that there are few of them whatever the script: those of
//! ASCII one each, all others together 32. The filter holds the classes of terms; which characters there are, the metadata
//! says.

use super::dictionary::Dictionary;
use super::sink::Sink;
use lucerne_codec::io::bytes::{PutLe, u64_at};
use lucerne_codec::postings::{FoundTerms, OneEdit};
use lucerne_codec::{Input, Result};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// Terms at most: the filter is put together in memory.
const MOST_TERMS: usize = 1 << 20;
/// Different characters at most.
const MOST_CHARACTERS: usize = 1_024;
/// Terms of a word of the filter.
const TERMS_PER_WORD: u64 = 4;
/// Classes of characters, those of ASCII and all others.
const ASCII: usize = 128;
const OTHERS: usize = 32;
/// Longer words are not spelled.
const LONGEST: usize = 32;
/// About so many spellings are looked up in the time that a term is looked at in.
const SPELLINGS_PER_TERM: u64 = 16;

/// What the segment info keeps of a filter.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SpellingsAt {
    /// Where it is in `.terms`.
    pub(super) start: u64,
    /// All characters of the field's terms, ascending.
    pub(super) characters: String,
}

fn class(character: char) -> u8 {
    let number = u32::from(character);
    if number < ASCII as u32 { number as u8 } else { (ASCII as u32 + number % OTHERS as u32) as u8 }
}

/// FNV-1a.
const EMPTY: u64 = 0xCBF2_9CE4_8422_2325;

#[inline]
fn step(hash: u64, class: u8) -> u64 {
    (hash ^ u64::from(class)).wrapping_mul(0x0000_0100_0000_01B3)
}

/// MurmurHash3's mixer.
#[inline]
fn finished(hash: u64) -> u32 {
    let mixed = (hash ^ (hash >> 33)).wrapping_mul(0xFF51_AFD7_ED55_8CCD);
    (mixed >> 32) as u32
}

/// The word of a filter of so many words that a hash is in, and its bits there.
#[inline]
fn place(hash: u32, words: u64) -> (usize, u64) {
    let index = (u64::from(hash) * words) >> 32;
    let bits = hash.wrapping_mul(0x9E37_79B1);
    let bit = |at: u32| 1u64 << (bits >> (2 + 6 * at) & 63);
    (index as usize, bit(0) | bit(1) | bit(2) | bit(3) | bit(4))
}

fn words_of(terms: u64) -> u64 {
    terms.div_ceil(TERMS_PER_WORD)
}

/// Takes the terms of a field as they are written.
pub(super) struct SpellingsWriter {
    hashes: Vec<u32>,
    characters: BTreeSet<char>,
    /// The characters of ASCII that were noted.
    noted: u128,
    is_possible: bool,
}

impl SpellingsWriter {
    /// Of a field without positions, there is no filter.
    pub(super) fn new(positions: bool) -> Self {
        Self { hashes: Vec::new(), characters: BTreeSet::new(), noted: 0, is_possible: positions }
    }

    pub(super) fn add(&mut self, term: &[u8]) {
        if !self.is_possible {
            return;
        }
        let term = std::str::from_utf8(term).ok().filter(|_| self.hashes.len() < MOST_TERMS);
        let Some(term) = term else { return self.give_up() };
        let mut hash = EMPTY;
        for character in term.chars() {
            hash = step(hash, class(character));
            let is_new = !character.is_ascii() || self.noted >> u32::from(character) & 1 == 0;
            if is_new && self.characters.insert(character) && character.is_ascii() {
                self.noted |= 1 << u32::from(character);
            }
        }
        self.hashes.push(finished(hash));
        if self.characters.len() > MOST_CHARACTERS {
            self.give_up();
        }
    }

    fn give_up(&mut self) {
        *self = Self::new(false);
    }

    pub(super) fn finish(self, file: &mut Sink) -> Result<Option<SpellingsAt>> {
        if self.hashes.is_empty() {
            return Ok(None);
        }
        let start = file.position();
        let mut filter = vec![0u64; words_of(self.hashes.len() as u64) as usize];
        let words = filter.len() as u64;
        for hash in self.hashes {
            let (at, bits) = place(hash, words);
            filter.get_mut(at).into_iter().for_each(|word| *word |= bits);
        }
        let mut bytes = Vec::with_capacity(8 * filter.len());
        filter.into_iter().for_each(|word| bytes.put_u64(word));
        file.write(&bytes)?;
        Ok(Some(SpellingsAt { start, characters: self.characters.into_iter().collect() }))
    }
}

/// A filter, open for reading.
pub(super) struct Spellings {
    filter: Input,
    words: u64,
    terms: u64,
    /// By class, the classes that there are.
    characters: BTreeMap<u8, Vec<char>>,
}

/// A spelling: the beginning of a word, something else, its end.
struct Spelling<'a> {
    begin: &'a [char],
    instead: &'a [char],
    end: &'a [char],
}

impl Spelling<'_> {
    fn term(&self) -> String {
        [self.begin, self.instead, self.end].into_iter().flatten().collect()
    }
}

impl Spellings {
    /// `file` is that of the terms, without its footer.
    pub(super) fn open(file: &Input, at: &SpellingsAt, terms: u64) -> Result<Self> {
        let words = words_of(terms);
        let sorted = at.characters.chars().is_sorted_by(|left, right| left < right);
        let len = words.checked_mul(8).filter(|_| sorted && terms <= MOST_TERMS as u64);
        let Some(len) = len.filter(|_| at.characters.chars().count() <= MOST_CHARACTERS) else {
            return Err(file.corrupt(0, "metadata of postings: characters that cannot be so"));
        };
        let mut characters: BTreeMap<u8, Vec<char>> = BTreeMap::new();
        for character in at.characters.chars() {
            characters.entry(class(character)).or_default().push(character);
        }
        Ok(Self { filter: file.sub(at.start, len)?, words, terms, characters })
    }

    #[inline]
    fn may_have(&self, hash: u64) -> bool {
        let (at, bits) = place(finished(hash), self.words);
        u64_at(self.filter.bytes(), at).is_some_and(|word| word & bits == bits)
    }

    /// False for what is not a term; true for all terms.
    pub(super) fn admits(&self, term: &[u8]) -> bool {
        let is_known = |character: &char| {
            let of_class = self.characters.get(&class(*character));
            of_class.is_some_and(|characters| characters.binary_search(character).is_ok())
        };
        std::str::from_utf8(term).is_ok_and(|term| {
            let hash = term.chars().fold(EMPTY, |hash, character| step(hash, class(character)));
            self.may_have(hash) && term.chars().all(|character| is_known(&character))
        })
    }

    /// The terms at most an edit from a word, ascending; `None` when it is faster to look at the terms.
    pub(super) fn near(
        &self,
        dictionary: &Dictionary,
        word: &str,
        edit: OneEdit,
    ) -> Result<Option<FoundTerms>> {
        let word: Vec<char> = word.chars().take(LONGEST + 1).collect();
        let spellings = (2 * word.len() as u64 + 1) * self.characters.len() as u64;
        if word.len() > LONGEST || spellings / SPELLINGS_PER_TERM > self.terms {
            return Ok(None);
        }
        let mut found = BTreeMap::new();
        let mut look_up = |spelling: Spelling<'_>| -> Result<()> {
            let term = spelling.term().into_bytes();
            if let Some(entry) = dictionary.get(&term)? {
                found.insert(term, entry);
            }
            Ok(())
        };
        let classes: Vec<u8> = word.iter().map(|character| class(*character)).collect();
        let mut before = EMPTY;
        for at in 0..=word.len() {
            let (begin, end) = word.split_at_checked(at).unwrap_or((&word, &[]));
            let ends = classes.get(at..).unwrap_or_default();
            let ends_behind = |hash: u64, skipped: usize| {
                let rest = ends.get(skipped..).unwrap_or_default();
                rest.iter().fold(hash, |hash, class| step(hash, *class))
            };
            if at >= edit.fixed {
                for (class, characters) in &self.characters {
                    let other = step(before, *class);
                    // One more, and another one in place of the next.
                    for skipped in 0..=usize::from(!end.is_empty()) {
                        if self.may_have(ends_behind(other, skipped)) {
                            let end = end.get(skipped..).unwrap_or_default();
                            for character in characters {
                                look_up(Spelling { begin, instead: std::slice::from_ref(character), end })?;
                            }
                        }
                    }
                }
                if let [_, end @ ..] = end
                    && self.may_have(ends_behind(before, 1))
                {
                    look_up(Spelling { begin, instead: &[], end })?;
                }
                if let ([first, second, end @ ..], true) = (end, edit.swaps) {
                    let swapped = step(step(before, class(*second)), class(*first));
                    if self.may_have(ends_behind(swapped, 2)) {
                        look_up(Spelling { begin, instead: &[*second, *first], end })?;
                    }
                }
            }
            if let Some(class) = classes.get(at) {
                before = step(before, *class);
            }
        }
        if self.may_have(before) {
            look_up(Spelling { begin: &word, instead: &[], end: &[] })?;
        }
        Ok(Some(found.into_iter().collect()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::postings_v1::PostingsV1;
    use lucerne_codec::Cancel;
    use lucerne_codec::format::Written;
    use lucerne_codec::postings::PostingsFormat;
    use lucerne_codec::random::SplitMix64;
    use lucerne_codec::testing::postings_model::{ModelField, ModelPostings};
    use lucerne_codec::testing::{Bench, reseal};

    /// Characters of one to four bytes, some of the same class.
    const CHARACTERS: [char; 8] = ['a', 'b', 'c', 'é', 'ĉ', 'ж', '漢', '𝄞'];

    fn random_word(random: &mut SplitMix64) -> String {
        let len = 1 + random.below(6);
        (0..len).map(|_| CHARACTERS[random.below(CHARACTERS.len() as u64) as usize]).collect()
    }

    fn written(terms: &BTreeSet<String>) -> (Bench, Written) {
        let bench = Bench::new();
        let mut field = ModelField::of("term", 2, &[(0, vec![0]), (1, vec![3])]);
        let docs = field.terms.remove(&b"term"[..]).unwrap();
        field.terms = terms.iter().map(|term| (term.clone().into_bytes(), docs.clone())).collect();
        field.lengths.iter_mut().for_each(|length| *length = terms.len() as u32);
        let model = ModelPostings { max_doc: 2, fields: [(0, field)].into() };
        let written = PostingsV1.write(&bench.write(2), &mut model.source()).unwrap();
        (bench, written)
    }

    /// What one edit makes of a word, with characters of this test.
    fn edited(word: &[char], OneEdit { fixed, swaps }: OneEdit) -> BTreeSet<String> {
        let mut all = BTreeSet::from([word.iter().collect()]);
        for at in fixed..=word.len() {
            let (begin, end) = word.split_at(at);
            let mut add = |instead: &[char], end: &[char]| {
                all.insert([begin, instead, end].concat().into_iter().collect());
            };
            CHARACTERS.iter().for_each(|character| add(&[*character], end));
            if let [first, rest @ ..] = end {
                CHARACTERS.iter().for_each(|character| add(&[*character], rest));
                add(&[], rest);
                if let ([second, rest @ ..], true) = (rest, swaps) {
                    add(&[*second, *first], rest);
                }
            }
        }
        all
    }

    #[test]
    fn all_terms_within_an_edit_are_found_and_no_others() {
        let mut random = SplitMix64::new(3);
        let terms: BTreeSet<String> = (0..2_000).map(|_| random_word(&mut random)).collect();
        let (bench, written) = written(&terms);
        let reader = PostingsV1.open(&bench.open(2, &written)).unwrap();
        assert_eq!(reader.verify(&Cancel::new()).unwrap(), []);
        let field = reader.field(0).unwrap();
        for turn in 0..500 {
            let word = random_word(&mut random);
            let fixed = random.below(word.chars().count() as u64 + 1) as usize;
            let edit = OneEdit { fixed, swaps: turn % 2 == 0 };
            let found = field.one_edit_from(&word, edit).unwrap().unwrap();
            let expected = edited(&word.chars().collect::<Vec<_>>(), edit);
            let expected: Vec<&String> = expected.intersection(&terms).collect();
            let names: Vec<&[u8]> = found.iter().map(|(term, _)| term.as_slice()).collect();
            assert!(
                names.iter().copied().eq(expected.iter().map(|term| term.as_bytes())),
                "{word}: {names:?}"
            );
            assert!(found.iter().all(|(term, entry)| field.term(term).unwrap() == Some(*entry)));
        }
        assert_eq!(field.one_edit_from(&"a".repeat(33), OneEdit { fixed: 0, swaps: true }).unwrap(), None);
    }

    #[test]
    fn a_filter_that_lost_a_term_is_reported() {
        let terms: BTreeSet<String> = (0..100).map(|number| format!("term{number}")).collect();
        let (bench, mut written) = written(&terms);
        let name = written.files[0].name.clone();
        let mut bytes = bench.directory.get(&name).unwrap().to_vec();
        let start = written.meta["fields"][0]["spellings"]["start"].as_u64().unwrap() as usize;
        bytes[start..start + 8 * 25].fill(0);
        written.files[0] = reseal(&name, &mut bytes);
        bench.directory.put(&name, bytes);
        let reader = PostingsV1.open(&bench.open(2, &written)).unwrap();
        assert!(!reader.verify(&Cancel::new()).unwrap().is_empty());
    }
}
