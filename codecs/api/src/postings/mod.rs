//! Postings: which documents hold a term, how often, and where.
//!
//! One structure per segment holds the terms of all its text and keyword fields. A *term* is bytes; what a
//! field's values become as terms is the engine's business. A field is either *positional* (text: every
//! occurrence has a position, every document a length in tokens) or not (keywords: a document holds a term
//! or does not).

mod cursor;
mod merged;

pub use cursor::PostingsCursor;
pub use merged::MergedPostings;

use crate::format::{OpenContext, Problem, WriteContext, Written};
use crate::io::bytes;
use crate::{BitSet, Cancel, DocId, MergeInput, Report, Result};
use serde::{Deserialize, Serialize};

/// Documents in a block at most.
pub const BLOCK_LEN: usize = 128;
/// Beyond the last document.
pub const NO_MORE_DOCS: DocId = DocId::MAX;

/// A field with terms.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PostingsField {
    /// The field's number: stable within an index.
    pub number: u32,
    /// The field's name.
    pub name: String,
    /// Whether occurrences are counted and their positions kept.
    pub positions: bool,
}

/// Terms on their way into a segment: of a buffer that is flushed, or of segments that are merged.
pub trait PostingsSource {
    /// The next field, in ascending order of numbers. What is left of the field before is skipped.
    fn next_field(&mut self) -> Result<Option<PostingsField>>;

    /// Tokens of each document in the field, 0 for a document without any: one count a document for a
    /// positional field, empty for another.
    fn lengths(&self) -> &[u32];

    /// The field's next term, in ascending order of bytes. What is left of the term before is skipped.
    fn next_term(&mut self) -> Result<Option<&[u8]>>;

    /// The term's next document, ascending. Its ascending positions (at least one) replace the content of
    /// `positions`; it is left empty in a field that is not positional.
    fn next_doc(&mut self, positions: &mut Vec<u32>) -> Result<Option<DocId>>;
}

/// Writes and opens postings.
pub trait PostingsFormat: Send + Sync {
    /// The name segments remember; never reused for another layout.
    fn name(&self) -> &'static str;

    /// Writes everything `source` yields; a term without documents and a field without terms are left out.
    fn write(&self, context: &WriteContext<'_>, source: &mut dyn PostingsSource) -> Result<Written>;

    /// Opens what was written. Reads metadata only; every byte is untrusted.
    fn open(&self, context: &OpenContext<'_>) -> Result<Box<dyn PostingsReader>>;

    /// Merges the live documents of all inputs.
    fn merge(
        &self,
        context: &WriteContext<'_>,
        inputs: &[MergeInput<'_, dyn PostingsReader>],
    ) -> Result<Written> {
        self.write(context, &mut MergedPostings::new(inputs, context.max_doc, context.cancel))
    }
}

/// The postings of one segment, open for reading.
pub trait PostingsReader: Send + Sync {
    /// The fields that have terms, by ascending number.
    fn fields(&self) -> &[PostingsField];

    /// The terms of a field; `None` when no document of the segment has any.
    fn field(&self, number: u32) -> Option<&dyn FieldPostings>;

    /// False when the file has an older version than the format writes now: `lucerne upgrade` rewrites it.
    fn is_current(&self) -> bool {
        true
    }

    /// A report for people and tools: terms, documents and bytes by field.
    fn inspect(&self) -> Report;

    /// Reads every term and every document. Checksums are checked by the caller.
    fn verify(&self, cancel: &Cancel) -> Result<Vec<Problem>>;
}

/// Counts of a field in a segment, deleted documents included.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FieldStats {
    /// Documents with at least one term.
    pub docs: u32,
    /// Different terms.
    pub terms: u64,
    /// Tokens of all documents together: the sum of all lengths. 0 in a field without positions.
    pub tokens: u64,
}

/// A term that was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TermEntry {
    /// Documents that hold it.
    pub doc_freq: u32,
    /// Where the format keeps them; means nothing to others.
    pub handle: u64,
}

/// What may be done to a word once: a character inserted, deleted or replaced, or two neighbors swapped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OneEdit {
    /// So many characters at the beginning of the word stay as they are, and where they are.
    pub fixed: usize,
    /// Whether two neighbors may be swapped.
    pub swaps: bool,
}

/// Different terms, ascending, with their entries.
pub type FoundTerms = Vec<(Vec<u8>, TermEntry)>;

/// The terms of one field of one segment.
pub trait FieldPostings: Send + Sync {
    /// Counts.
    fn stats(&self) -> FieldStats;

    /// Looks a term up.
    fn term(&self, term: &[u8]) -> Result<Option<TermEntry>>;

    /// All terms from `from` on, ascending.
    fn terms(&self, from: &[u8]) -> Result<Box<dyn Terms + '_>>;

    /// The documents of a term.
    fn blocks(&self, term: &TermEntry) -> Result<Box<dyn Blocks + '_>>;

    /// Tokens of each document; all 0 in a field without positions.
    fn lengths(&self) -> Lengths<'_>;

    /// Adds the documents of a term to a set. Fails when stopped.
    fn add_docs(&self, term: &TermEntry, cancel: &Cancel, into: &mut BitSet) -> Result<()> {
        add_blocks(&mut *self.blocks(term)?, &mut Block::default(), cancel, into)
    }

    /// The documents of a term as a set, where the format keeps one: of terms that many documents have. Then
    /// [`FieldPostings::add_docs`] is fast, and a document that has not the term need not be looked for in its blocks.
    fn members(&self, term: &TermEntry) -> Result<Option<Members<'_>>> {
        let _ = term;
        Ok(None)
    }

    /// The terms at most one edit from a word, the word itself if it is one, ascending; `None` where the format knows no faster
    /// way than to look at [`FieldPostings::terms`].
    fn one_edit_from(&self, word: &str, edit: OneEdit) -> Result<Option<FoundTerms>> {
        let _ = (word, edit);
        Ok(None)
    }

    /// The documents of a term, one after the other.
    fn cursor(&self, term: &TermEntry) -> Result<PostingsCursor<'_>> {
        PostingsCursor::new(self.blocks(term)?)
    }
}

/// Terms in ascending order.
pub trait Terms {
    /// The next term.
    fn next(&mut self) -> Result<Option<(&[u8], TermEntry)>>;

    /// The caller passes over all terms before `target`, which need not be a term. A format may jump there, or go on as
    /// before; it never goes back.
    fn skip_to(&mut self, target: &[u8]) -> Result<()> {
        let _ = target;
        Ok(())
    }
}

/// Up to [`BLOCK_LEN`] documents of a term.
#[derive(Clone, Debug)]
pub struct Block {
    /// Ascending documents; the first `len` count.
    pub docs: [DocId; BLOCK_LEN],
    /// Occurrences in each, at least 1, once `has_freqs`.
    pub freqs: [u32; BLOCK_LEN],
    /// Whether `freqs` are those of `docs`: many who read documents do not ask how often.
    pub has_freqs: bool,
    /// How many there are.
    pub len: usize,
}

impl Default for Block {
    fn default() -> Self {
        Self { docs: [NO_MORE_DOCS; BLOCK_LEN], freqs: [1; BLOCK_LEN], has_freqs: true, len: 0 }
    }
}

/// Bounds on a run of documents: none of them scores higher than the best of `pairs`, for any score that
/// grows with the frequency and falls with the length.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Impact {
    /// The last document the bounds hold for; [`NO_MORE_DOCS`] when there is none left.
    pub last_doc: DocId,
    /// Pairs of frequency and length, the first `len` of them.
    pub pairs: [(u32, u32); Impact::PAIRS],
    /// How many pairs there are.
    pub len: u8,
}

impl Impact {
    /// Pairs at most.
    pub const PAIRS: usize = 4;

    /// The pairs.
    pub fn pairs(&self) -> &[(u32, u32)] {
        self.pairs.get(..usize::from(self.len)).unwrap_or(&self.pairs)
    }
}

/// Blocks between two looks at the cancel flag.
const CANCEL_STEP: usize = 16;

/// Adds the documents of all blocks to a set; `block` is overwritten. Fails when stopped.
pub fn add_blocks(
    blocks: &mut dyn Blocks,
    block: &mut Block,
    cancel: &Cancel,
    into: &mut BitSet,
) -> Result<()> {
    let (mut target, mut done) = (0, 0usize);
    while blocks.load(target, block)? {
        done += 1;
        cancel.check_every(CANCEL_STEP, done)?;
        let docs = block.docs.get(..block.len).unwrap_or_default();
        into.extend_from_slice(docs);
        match docs.last().and_then(|last| last.checked_add(1)) {
            Some(next) => target = next,
            None => break,
        }
    }
    Ok(())
}

/// The documents of a term, block by block, forward only.
pub trait Blocks {
    /// Loads the first block that is not before the current one and whose last document is `target` or
    /// later, with its frequencies or without. False when there is none.
    fn load(&mut self, target: DocId, block: &mut Block) -> Result<bool>;

    /// Adds the frequencies of the loaded block, when it was loaded without.
    fn load_freqs(&mut self, block: &mut Block) -> Result<()>;

    /// Bounds on the documents from `target` to the end of the block that [`Blocks::load`] would load for
    /// it. Loads nothing, and may be asked for targets beyond the loaded block.
    fn impact(&mut self, target: DocId) -> Result<Impact>;

    /// Bounds on all documents of the term.
    fn whole(&self) -> Impact;

    /// Occurrences in a document that is among [`FieldPostings::members`], where the format can tell without loading its block.
    /// It does not change which block is loaded.
    fn member_freq(&self, doc: DocId) -> Result<Option<u32>> {
        let _ = doc;
        Ok(None)
    }

    /// Replaces the content of `into` by the positions of the `index`-th document of `block`, which is the loaded one.
    fn positions(&mut self, block: &mut Block, index: usize, into: &mut Vec<u32>) -> Result<()>;
}

/// Documents as bits, least significant first, and how many are before every 256th document.
#[derive(Clone, Copy, Debug)]
pub struct Members<'a> {
    words: &'a [[u8; 8]],
    ranks: &'a [u8],
}

impl<'a> Members<'a> {
    /// Documents from one number of members to the next.
    pub const RANK_STEP: u32 = 256;

    /// `bits`: eight bytes for every 64 documents; `ranks`: a little-endian u32 for every [`Members::RANK_STEP`].
    pub fn new(bits: &'a [u8], ranks: &'a [u8]) -> Self {
        Self { words: bits.as_chunks().0, ranks }
    }

    /// Whether a document is a member; false beyond the last.
    #[inline]
    pub fn contains(&self, doc: DocId) -> bool {
        let word = self.words.get((doc / 64) as usize);
        word.is_some_and(|word| u64::from_le_bytes(*word) >> (doc % 64) & 1 == 1)
    }

    /// Number of members.
    pub fn count(&self) -> u32 {
        self.words().map(u64::count_ones).sum()
    }

    /// Number of members before a document of the segment.
    #[inline]
    pub fn rank(&self, doc: DocId) -> u32 {
        const WORDS: usize = Members::RANK_STEP as usize / 64;
        let (step, at) = ((doc / Self::RANK_STEP) as usize, (doc / 64) as usize);
        let ones = |word: &[u8; 8]| u64::from_le_bytes(*word).count_ones();
        let whole: u32 = self.words.get(step * WORDS..at).unwrap_or_default().iter().map(ones).sum();
        let last = self.words.get(at).map_or(0, |word| u64::from_le_bytes(*word));
        let last = (last & !(u64::MAX << (doc % 64))).count_ones();
        bytes::u32_at(self.ranks, step).unwrap_or(0).saturating_add(whole + last)
    }

    /// Whether the numbers of members are those of the bits.
    pub fn has_sound_ranks(&self) -> bool {
        let (mut before, mut words) = (0, self.words());
        let steps = self.words.len().div_ceil(Self::RANK_STEP as usize / 64);
        (0..steps).all(|step| {
            let is_sound = bytes::u32_at(self.ranks, step) == Some(before);
            let own: u32 = words.by_ref().take(Self::RANK_STEP as usize / 64).map(u64::count_ones).sum();
            before = before.saturating_add(own);
            is_sound
        })
    }

    /// Adds the members to a set.
    pub fn add_to(&self, into: &mut BitSet) {
        into.insert_words(self.words());
    }

    /// Removes from a set what is no member.
    pub fn keep_in(&self, set: &mut BitSet) {
        set.keep_words(self.words());
    }

    fn words(&self) -> impl ExactSizeIterator<Item = u64> + '_ {
        self.words.iter().map(|word| u64::from_le_bytes(*word))
    }
}

/// The length of every document, 1, 2 or 4 little-endian bytes each.
#[derive(Clone, Copy, Debug)]
pub struct Lengths<'a> {
    bytes: &'a [u8],
    width: usize,
}

impl<'a> Lengths<'a> {
    /// Lengths of `width` (1, 2 or 4) bytes each; other widths are read as no lengths at all.
    pub fn new(bytes: &'a [u8], width: usize) -> Self {
        Self { bytes, width }
    }

    /// The length of a document; 0 beyond the last.
    #[inline]
    pub fn get(&self, doc: DocId) -> u32 {
        let at = doc as usize;
        let length = match self.width {
            1 => self.bytes.get(at).map(|&byte| byte.into()),
            2 => bytes::u16_at(self.bytes, at).map(u32::from),
            4 => bytes::u32_at(self.bytes, at),
            _ => None,
        };
        length.unwrap_or(0)
    }

    /// Writes the lengths of documents, as many as there is room for.
    #[inline]
    pub fn take(&self, docs: &[DocId], into: &mut [u32]) {
        self.each(docs.get(..into.len()).unwrap_or(docs), |at, length| {
            into.get_mut(at).into_iter().for_each(|to| *to = length);
        });
    }

    /// Calls `each` with the place of each document in `docs` and its length.
    #[inline]
    pub fn each(&self, docs: &[DocId], mut each: impl FnMut(usize, u32)) {
        // The width is looked at once, not for each document.
        let docs = docs.iter().enumerate();
        match self.width {
            1 => docs
                .for_each(|(at, &doc)| each(at, self.bytes.get(doc as usize).map_or(0, |&one| one.into()))),
            2 => {
                let lengths = self.bytes.as_chunks().0;
                let length = |doc: DocId| lengths.get(doc as usize).map_or(0, |two| u16::from_le_bytes(*two));
                docs.for_each(|(at, &doc)| each(at, length(doc).into()))
            }
            _ => docs.for_each(|(at, &doc)| each(at, self.get(doc))),
        }
    }
}
