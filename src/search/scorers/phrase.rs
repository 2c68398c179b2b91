//! Documents with terms at consecutive positions.

use super::bm25::Weight;
use super::pace::Pace;
use super::scorer::{ScoreBound, Scorer};
use lucerne_codec::postings::{FieldPostings, Lengths, NO_MORE_DOCS, PostingsCursor, TermEntry};
use lucerne_codec::{Cancel, DocId, Result};

/// Beginnings of a sloppy match between two looks at the cancel flag, in one document.
const CANCEL_STEP: usize = 1_024;

/// Scores documents that have a phrase.
///
/// Each term's offset in the phrase is subtracted from its positions in the document, so that an exact match has the
/// same number for every term. With a slop, the numbers of a match may differ by up to `slop`; such a match counts
/// `1 / (1 + width)` occurrences, unless a narrower match lies within it.
pub(crate) struct PhraseScorer<'a> {
    /// Ascending by document frequency.
    terms: Vec<PhraseTerm<'a>>,
    lengths: Lengths<'a>,
    weight: Weight,
    slop: u32,
    doc: DocId,
    freq: f32,
    starts: Vec<i64>,
    moves: Pace<'a>,
    reads: Pace<'a>,
}

struct PhraseTerm<'a> {
    cursor: PostingsCursor<'a>,
    offset: u32,
    doc_freq: u32,
    /// The same for equal terms: one occurrence must not match two of them.
    handle: u64,
    raw: Vec<u32>,
    positions: Vec<i64>,
}

impl<'a> PhraseScorer<'a> {
    /// Starts on the first match. `terms` are of `field`, each with its offset in the phrase.
    pub(crate) fn new(
        field: &'a dyn FieldPostings,
        terms: &[(TermEntry, u32)],
        slop: u32,
        weight: Weight,
        cancel: &'a Cancel,
    ) -> Result<Self> {
        let term = |&(entry, offset): &(TermEntry, u32)| {
            let (raw, positions) = (Vec::new(), Vec::new());
            let (doc_freq, handle) = (entry.doc_freq, entry.handle);
            Ok(PhraseTerm { cursor: field.cursor(&entry)?, offset, doc_freq, handle, raw, positions })
        };
        let mut terms = terms.iter().map(term).collect::<Result<Vec<_>>>()?;
        terms.sort_by_key(|term| (term.doc_freq, term.handle, term.offset));
        let lengths = field.lengths();
        let (doc, starts) = (NO_MORE_DOCS, Vec::new());
        let (moves, reads) = (Pace::of_moves(cancel), Pace::of_positions(cancel));
        let mut phrase = Self { terms, lengths, weight, slop, doc, freq: 0.0, starts, moves, reads };
        let first = phrase.terms.first().map_or(NO_MORE_DOCS, |term| term.cursor.doc());
        phrase.find_match(first)?;
        Ok(phrase)
    }

    /// Moves from a document of the rarest term to the next one that has the phrase.
    fn find_match(&mut self, mut doc: DocId) -> Result<DocId> {
        'docs: while doc != NO_MORE_DOCS {
            let Some((lead, others)) = self.terms.split_first_mut() else { break };
            for other in others.iter_mut() {
                self.moves.step()?;
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
            doc = match self.terms.first_mut() {
                Some(lead) => lead.cursor.advance()?,
                None => NO_MORE_DOCS,
            };
        }
        self.doc = doc;
        Ok(doc)
    }

    fn occurrences(&mut self) -> Result<f32> {
        for term in &mut self.terms {
            self.reads.step()?;
            term.cursor.positions(&mut term.raw)?;
            term.positions.clear();
            let offset = i64::from(term.offset);
            term.positions.extend(term.raw.iter().map(|&position| i64::from(position) - offset));
        }
        if self.slop == 0 { Ok(self.exact()) } else { self.sloppy() }
    }

    fn exact(&mut self) -> f32 {
        let Some((lead, others)) = self.terms.split_first_mut() else { return 0.0 };
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

    /// Sums up the narrowest matches: for each start the earliest end, unless a match with a later start ends there
    /// too.
    fn sloppy(&mut self) -> Result<f32> {
        self.starts.clear();
        self.starts.extend(self.terms.iter().flat_map(|term| &term.positions));
        self.starts.sort_unstable();
        self.starts.dedup();
        let (mut freq, mut last_end) = (0.0, None);
        for (done, &start) in self.starts.iter().rev().enumerate() {
            if done % CANCEL_STEP == CANCEL_STEP - 1 {
                self.reads.check()?;
            }
            if let Some(end) = self.match_end(start).filter(|&end| last_end.is_none_or(|last| end < last)) {
                freq += 1.0 / (1.0 + (end - start) as f32);
                last_end = Some(end);
            }
        }
        Ok(freq)
    }

    /// The earliest end of a match that begins at `start`; `None` when it is wider than the slop. Equal terms match
    /// their occurrences in the order of their offsets.
    fn match_end(&self, start: i64) -> Option<i64> {
        let (mut end, mut taken) = (start, None);
        for term in &self.terms {
            let offset = i64::from(term.offset);
            let after = match taken {
                Some((handle, position)) if handle == term.handle => (start + offset).max(position + 1),
                _ => start + offset,
            };
            let at = term.positions.partition_point(|position| position + offset < after);
            let position = *term.positions.get(at)?;
            if position - start > i64::from(self.slop) {
                return None;
            }
            taken = Some((term.handle, position + offset));
            end = end.max(position);
        }
        Some(end)
    }
}

impl Scorer for PhraseScorer<'_> {
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
        let Some(lead) = self.terms.first_mut() else { return Ok(NO_MORE_DOCS) };
        let doc = lead.cursor.seek(target)?;
        self.find_match(doc)
    }

    fn score(&mut self) -> Result<f32> {
        Ok(self.weight.score(self.freq, self.lengths.get(self.doc)))
    }

    fn bound(&mut self, target: DocId) -> Result<ScoreBound> {
        let mut bound = ScoreBound { last_doc: NO_MORE_DOCS, score: self.weight.max_score() };
        if self.slop > 0 {
            // An occurrence of a term may be part of several matches.
            return Ok(bound);
        }
        // A phrase does not occur more often than any of its terms.
        for term in &mut self.terms {
            let impact = term.cursor.impact(target)?;
            bound.last_doc = bound.last_doc.min(impact.last_doc);
            bound.score = bound.score.min(self.weight.bound(impact.pairs()));
        }
        Ok(bound)
    }

    fn cost(&self) -> u64 {
        self.terms.first().map_or(0, |term| term.doc_freq.into())
    }
}
