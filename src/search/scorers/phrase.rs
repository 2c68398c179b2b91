//! Documents with terms at consecutive positions.

use super::bm25::Weight;
use super::pace::Pace;
use super::scorer::{ScoreBound, Scorer};
use lucerne_codec::postings::{FieldPostings, Lengths, Members, NO_MORE_DOCS, PostingsCursor, TermEntry};
use lucerne_codec::{Cancel, DocId, Result};

/// Beginnings of a sloppy match between two looks at the cancel flag, in one document.
const CANCEL_STEP: usize = 1_024;

/// Scores documents that have a phrase.
///
/// Each term's offset in the phrase is subtracted from its positions in the document, so that an exact match has the
/// same number for every term. With a slop, the numbers of a match may differ by up to `slop`; such a match counts
/// `1 / (1 + width)` occurrences, unless a narrower match lies within it.
pub(crate) struct PhraseScorer<'a> {
    /// The different terms, ascending by document frequency.
    terms: Vec<PhraseTerm<'a>>,
    /// The phrase, in the order of `terms`; the places of one term ascend by their offsets.
    places: Vec<Place>,
    lengths: Lengths<'a>,
    weight: Weight,
    slop: u32,
    doc: DocId,
    freq: f32,
    /// Documents that cannot score so high are passed over.
    min_score: f32,
    starts: Vec<i64>,
    moves: Pace<'a>,
    reads: Pace<'a>,
}

struct PhraseTerm<'a> {
    cursor: PostingsCursor<'a>,
    /// Of a frequent term: documents that have it.
    members: Option<Members<'a>>,
    doc_freq: u32,
    handle: u64,
    /// Where the document has the term, ascending.
    positions: Vec<u32>,
}

/// A place of the phrase.
struct Place {
    /// Which of the terms is there.
    term: usize,
    offset: i64,
    /// The first of the term's positions that has been looked at; those before it are left.
    at: usize,
}

impl<'a> PhraseScorer<'a> {
    /// Starts on the first match. `entries` are of `field`, each with its offset in the phrase.
    pub(crate) fn new(
        field: &'a dyn FieldPostings,
        entries: &[(TermEntry, u32)],
        slop: u32,
        weight: Weight,
        cancel: &'a Cancel,
    ) -> Result<Self> {
        let mut entries: Vec<&(TermEntry, u32)> = entries.iter().collect();
        entries.sort_by_key(|(entry, offset)| (entry.doc_freq, entry.handle, *offset));
        let (mut terms, mut places) = (Vec::<PhraseTerm<'_>>::new(), Vec::with_capacity(entries.len()));
        for (entry, offset) in entries {
            let (doc_freq, handle) = (entry.doc_freq, entry.handle);
            if terms.last().is_none_or(|last| last.handle != handle) {
                let (cursor, members) = (field.cursor(entry)?, field.members(entry)?);
                terms.push(PhraseTerm { cursor, members, doc_freq, handle, positions: Vec::new() });
            }
            places.push(Place { term: terms.len() - 1, offset: i64::from(*offset), at: 0 });
        }
        let lengths = field.lengths();
        let (doc, starts) = (NO_MORE_DOCS, Vec::new());
        let (moves, reads) = (Pace::of_moves(cancel), Pace::of_positions(cancel));
        let (freq, min_score) = (0.0, f32::NEG_INFINITY);
        let mut phrase =
            Self { terms, places, lengths, weight, slop, doc, freq, min_score, starts, moves, reads };
        let first = phrase.terms.first().map_or(NO_MORE_DOCS, |term| term.cursor.doc());
        phrase.find_match(first)?;
        Ok(phrase)
    }

    /// Moves from a document of the rarest term to the next one that has the phrase.
    fn find_match(&mut self, mut doc: DocId) -> Result<DocId> {
        'docs: while doc != NO_MORE_DOCS {
            let Some((lead, others)) = self.terms.split_first_mut() else { break };
            if others.iter().any(|other| other.members.is_some_and(|members| !members.contains(doc))) {
                self.moves.step()?;
                doc = lead.cursor.advance()?;
                continue;
            }
            for other in others.iter_mut() {
                self.moves.step()?;
                let found = other.cursor.seek(doc)?;
                if found != doc {
                    doc = lead.cursor.seek(found)?;
                    continue 'docs;
                }
            }
            if self.may_compete(doc)? {
                self.freq = self.occurrences()?;
                if self.freq > 0.0 {
                    break;
                }
            }
            doc = match self.terms.first_mut() {
                Some(lead) => lead.cursor.advance()?,
                None => NO_MORE_DOCS,
            };
        }
        self.doc = doc;
        Ok(doc)
    }

    /// Whether a document with all terms may score high enough: an exact phrase does not occur more often than any of them.
    fn may_compete(&mut self, doc: DocId) -> Result<bool> {
        if self.slop > 0 || self.min_score == f32::NEG_INFINITY {
            return Ok(true);
        }
        let mut most = u32::MAX;
        for term in &mut self.terms {
            most = most.min(term.cursor.freq()?);
        }
        Ok(self.weight.bound(&[(most, self.lengths.get(doc))]) >= self.min_score)
    }

    fn occurrences(&mut self) -> Result<f32> {
        if self.slop == 0 {
            return self.exact();
        }
        for term in &mut self.terms {
            self.reads.step()?;
            term.cursor.positions(&mut term.positions)?;
        }
        self.sloppy()
    }

    /// Where the rarest terms stand as they should, before positions of the others are read.
    fn exact(&mut self) -> Result<f32> {
        let Self { terms, places, starts, reads, .. } = self;
        starts.clear();
        let mut read = None;
        for (number, place) in places.iter().enumerate() {
            let Some(term) = terms.get_mut(place.term) else { return Ok(0.0) };
            if read != Some(place.term) {
                reads.step()?;
                term.cursor.positions(&mut term.positions)?;
                read = Some(place.term);
            }
            let mut rest = &*term.positions;
            if number == 0 {
                starts.extend(rest.iter().map(|&position| i64::from(position) - place.offset));
                starts.dedup();
                continue;
            }
            starts.retain(|start| {
                rest = skip_before(rest, start + place.offset);
                rest.first().is_some_and(|&position| i64::from(position) == start + place.offset)
            });
            if starts.is_empty() {
                break;
            }
        }
        Ok(starts.len() as f32)
    }

    /// Sums up the narrowest matches: for each start the earliest end, unless a match with a later start ends there
    /// too.
    fn sloppy(&mut self) -> Result<f32> {
        let Self { terms, places, starts, slop, reads, .. } = self;
        collect_starts(terms, places, starts);
        for place in &mut *places {
            place.at = positions(terms, place).len();
        }
        let (mut freq, mut last_end) = (0.0, None);
        for (done, &start) in starts.iter().rev().enumerate() {
            if done % CANCEL_STEP == CANCEL_STEP - 1 {
                reads.check()?;
            }
            let end = match_end(terms, places, start, i64::from(*slop));
            if let Some(end) = end.filter(|&end| last_end.is_none_or(|last| end < last)) {
                freq += 1.0 / (1.0 + (end - start) as f32);
                last_end = Some(end);
            }
        }
        Ok(freq)
    }
}

/// The positions of the term at a place.
fn positions<'t>(terms: &'t [PhraseTerm<'_>], place: &Place) -> &'t [u32] {
    terms.get(place.term).map_or(&[], |term| &term.positions)
}

/// The positions from `wanted` on; it is looked for in ever larger steps, because mostly it is near.
fn skip_before(positions: &[u32], wanted: i64) -> &[u32] {
    let is_before = |position: &u32| i64::from(*position) < wanted;
    let mut step = 1;
    while positions.get(step - 1).is_some_and(is_before) {
        step *= 2;
    }
    let near = positions.get(step / 2..).unwrap_or_default();
    let near = near.get(..step - step / 2).unwrap_or(near);
    positions.get(step / 2 + near.partition_point(is_before)..).unwrap_or_default()
}

/// Where a match may begin: every position less the offset of its place, ascending. A term that is in the phrase many
/// times gives the same ones again and again, so they are deduplicated on the way.
fn collect_starts(terms: &[PhraseTerm<'_>], places: &[Place], starts: &mut Vec<i64>) {
    starts.clear();
    let mut different = 0;
    for place in places {
        starts.extend(positions(terms, place).iter().map(|&position| i64::from(position) - place.offset));
        if starts.len() > 2 * different {
            // Stable, because it merges what is sorted already.
            starts.sort();
            starts.dedup();
            different = starts.len();
        }
    }
    starts.sort();
    starts.dedup();
}

/// The earliest end of a match that begins at `start`; `None` when it is wider than the slop. Equal terms match their
/// occurrences in the order of their offsets. Starts descend from call to call, so that no position is passed twice.
fn match_end(terms: &[PhraseTerm<'_>], places: &mut [Place], start: i64, slop: i64) -> Option<i64> {
    let (mut end, mut taken) = (start, None);
    for place in places {
        let positions = positions(terms, place);
        let after = match taken {
            Some((term, position)) if term == place.term => (start + place.offset).max(position + 1),
            _ => start + place.offset,
        };
        while let Some(before) = place.at.checked_sub(1)
            && positions.get(before).is_some_and(|&position| i64::from(position) >= after)
        {
            place.at = before;
        }
        let position = i64::from(*positions.get(place.at)?);
        if position - place.offset - start > slop {
            return None;
        }
        taken = Some((place.term, position));
        end = end.max(position - place.offset);
    }
    Some(end)
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

    fn set_min_score(&mut self, least: f32) -> bool {
        self.min_score = least;
        self.slop == 0
    }

    fn cost(&self) -> u64 {
        self.terms.first().map_or(0, |term| term.doc_freq.into())
    }
}
