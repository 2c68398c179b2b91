//! Documents with words one after the other.

use super::bm25::Weight;
use super::{Bound, Scorer};
use lucerne_codec::postings::{FieldPostings, Lengths, NO_MORE_DOCS, PostingsCursor, TermEntry};
use lucerne_codec::{DocId, Result};

/// Scores documents that hold a phrase.
///
/// Positions are moved back by the words' places in the phrase, so that an exact phrase is the same number
/// for every word. With a slop the numbers may lie up to so far apart; a stretch then counts
/// `1 / (1 + distance)`, unless there is a shorter one within.
pub(crate) struct Phrase<'a> {
    /// Ascending by how many documents hold them.
    words: Vec<WordInPhrase<'a>>,
    lengths: Lengths<'a>,
    weight: Weight,
    slop: u32,
    doc: DocId,
    freq: f32,
    starts: Vec<i64>,
}

struct WordInPhrase<'a> {
    cursor: PostingsCursor<'a>,
    place: u32,
    doc_freq: u32,
    /// The same for equal words: one occurrence must not stand for two of them.
    handle: u64,
    raw: Vec<u32>,
    positions: Vec<i64>,
}

impl<'a> Phrase<'a> {
    /// Stands on the first document. `words` are found in `field`, each with its place in the phrase.
    pub(crate) fn new(
        field: &'a dyn FieldPostings,
        words: &[(TermEntry, u32)],
        slop: u32,
        weight: Weight,
    ) -> Result<Self> {
        let word = |&(term, place): &(TermEntry, u32)| {
            let (raw, positions) = (Vec::new(), Vec::new());
            let (doc_freq, handle) = (term.doc_freq, term.handle);
            Ok(WordInPhrase { cursor: field.cursor(&term)?, place, doc_freq, handle, raw, positions })
        };
        let mut words = words.iter().map(word).collect::<Result<Vec<_>>>()?;
        words.sort_by_key(|word| (word.doc_freq, word.handle, word.place));
        let lengths = field.lengths();
        let (doc, starts) = (NO_MORE_DOCS, Vec::new());
        let mut phrase = Self { words, lengths, weight, slop, doc, freq: 0.0, starts };
        let first = phrase.words.first().map_or(NO_MORE_DOCS, |word| word.cursor.doc());
        phrase.agree(first)?;
        Ok(phrase)
    }

    /// From a document of the rarest word to the next one with the phrase.
    fn agree(&mut self, mut doc: DocId) -> Result<DocId> {
        'docs: while doc != NO_MORE_DOCS {
            let Some((lead, others)) = self.words.split_first_mut() else { break };
            for other in others.iter_mut() {
                let found = other.cursor.seek(doc)?;
                if found != doc {
                    doc = lead.cursor.seek(found)?;
                    continue 'docs;
                }
            }
            self.freq = self.occurrences()?;
            if self.freq > 0.0 {
                break;
            }
            doc = match self.words.first_mut() {
                Some(lead) => lead.cursor.advance()?,
                None => NO_MORE_DOCS,
            };
        }
        self.doc = doc;
        Ok(doc)
    }

    fn occurrences(&mut self) -> Result<f32> {
        for word in &mut self.words {
            word.cursor.positions(&mut word.raw)?;
            word.positions.clear();
            let place = i64::from(word.place);
            word.positions.extend(word.raw.iter().map(|&position| i64::from(position) - place));
        }
        Ok(if self.slop == 0 { self.exact() } else { self.sloppy() })
    }

    fn exact(&mut self) -> f32 {
        let Some((lead, others)) = self.words.split_first_mut() else { return 0.0 };
        self.starts.clear();
        self.starts.extend_from_slice(&lead.positions);
        self.starts.dedup();
        for other in others {
            let mut rest = &other.positions[..];
            self.starts.retain(|start| {
                let skipped = rest.partition_point(|position| position < start);
                rest = rest.get(skipped..).unwrap_or_default();
                rest.first() == Some(start)
            });
        }
        self.starts.len() as f32
    }

    /// Adds up the shortest stretches: from each position, as far as every word needs to come after it, unless
    /// one from a later position ends there too.
    fn sloppy(&mut self) -> f32 {
        self.starts.clear();
        self.starts.extend(self.words.iter().flat_map(|word| &word.positions));
        self.starts.sort_unstable();
        self.starts.dedup();
        let (mut freq, mut last_end) = (0.0, None);
        for &start in self.starts.iter().rev() {
            if let Some(end) = self.stretch(start).filter(|&end| last_end.is_none_or(|last| end < last)) {
                freq += 1.0 / (1.0 + (end - start) as f32);
                last_end = Some(end);
            }
        }
        freq
    }

    /// Where the stretch from `start` ends; `None` when it is too long. Equal words take their occurrences in
    /// the order of their places.
    fn stretch(&self, start: i64) -> Option<i64> {
        let (mut end, mut taken) = (start, None);
        for word in &self.words {
            let place = i64::from(word.place);
            let after = match taken {
                Some((handle, position)) if handle == word.handle => (start + place).max(position + 1),
                _ => start + place,
            };
            let at = word.positions.partition_point(|position| position + place < after);
            let position = *word.positions.get(at)?;
            if position - start > i64::from(self.slop) {
                return None;
            }
            taken = Some((word.handle, position + place));
            end = end.max(position);
        }
        Some(end)
    }
}

impl Scorer for Phrase<'_> {
    fn doc(&self) -> DocId {
        self.doc
    }

    fn advance(&mut self) -> Result<DocId> {
        self.seek(self.doc.saturating_add(1))
    }

    fn seek(&mut self, target: DocId) -> Result<DocId> {
        if target <= self.doc {
            return Ok(self.doc);
        }
        let Some(lead) = self.words.first_mut() else { return Ok(NO_MORE_DOCS) };
        let doc = lead.cursor.seek(target)?;
        self.agree(doc)
    }

    fn score(&mut self) -> Result<f32> {
        Ok(self.weight.score(self.freq, self.lengths.get(self.doc)))
    }

    fn bound(&mut self, target: DocId) -> Result<Bound> {
        let mut bound = Bound { last_doc: NO_MORE_DOCS, score: self.weight.most() };
        if self.slop > 0 {
            // One word may be in several stretches.
            return Ok(bound);
        }
        // A phrase does not occur more often than any of its words.
        for word in &mut self.words {
            let impact = word.cursor.impact(target)?;
            bound.last_doc = bound.last_doc.min(impact.last_doc);
            bound.score = bound.score.min(self.weight.bound(impact.pairs()));
        }
        Ok(bound)
    }

    fn cost(&self) -> u64 {
        self.words.first().map_or(0, |word| word.doc_freq.into())
    }
}
