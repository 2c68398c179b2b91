//! Documents with any of several terms that are scored as one: Lucene's `SynonymQuery`.

use super::bm25::Weight;
use super::pace::Pace;
use super::scorer::{ScoreBound, Scorer};
use lucerne_codec::postings::{FieldPostings, Lengths, NO_MORE_DOCS, PostingsCursor, TermEntry};
use lucerne_codec::{Cancel, DocId, Result};

/// Documents of any term. A document has the one word as often as all terms together. Terms are few: all are looked at
/// for each document.
pub(crate) struct SynonymScorer<'a> {
    terms: Vec<PostingsCursor<'a>>,
    lengths: Lengths<'a>,
    weight: Weight,
    doc: DocId,
    cost: u64,
    pace: Pace<'a>,
}

impl<'a> SynonymScorer<'a> {
    /// Starts on the first document. `entries` are different terms of `field`.
    pub(crate) fn new(
        field: &'a dyn FieldPostings,
        entries: &[TermEntry],
        weight: Weight,
        cancel: &'a Cancel,
    ) -> Result<Self> {
        let terms = entries.iter().map(|entry| field.cursor(entry)).collect::<Result<Vec<_>>>()?;
        let cost = entries.iter().map(|entry| u64::from(entry.doc_freq)).sum();
        let (lengths, pace) = (field.lengths(), Pace::of_moves(cancel));
        let mut any = Self { terms, lengths, weight, doc: NO_MORE_DOCS, cost, pace };
        any.doc = any.first();
        Ok(any)
    }

    fn first(&self) -> DocId {
        self.terms.iter().map(PostingsCursor::doc).min().unwrap_or(NO_MORE_DOCS)
    }
}

impl Scorer for SynonymScorer<'_> {
    fn doc(&self) -> DocId {
        self.doc
    }

    fn advance(&mut self) -> Result<DocId> {
        self.seek(self.doc.saturating_add(1))
    }

    fn seek(&mut self, target: DocId) -> Result<DocId> {
        for term in &mut self.terms {
            if term.doc() < target {
                self.pace.step()?;
                term.seek(target)?;
            }
        }
        self.doc = self.first();
        Ok(self.doc)
    }

    fn score(&mut self) -> Result<f32> {
        let (mut freq, doc) = (0u32, self.doc);
        for term in self.terms.iter_mut().filter(|term| term.doc() == doc) {
            freq = freq.saturating_add(term.freq()?);
        }
        Ok(self.weight.score(freq as f32, self.lengths.get(doc)))
    }

    /// As if one document had every term as often as any of the block has it, and were as short as the shortest.
    fn bound(&mut self, target: DocId) -> Result<ScoreBound> {
        let (mut last_doc, mut freq, mut length) = (NO_MORE_DOCS, 0u32, u32::MAX);
        for term in &mut self.terms {
            let impact = term.impact(target)?;
            last_doc = last_doc.min(impact.last_doc);
            let most = impact.pairs().iter().map(|pair| pair.0).max().unwrap_or(0);
            freq = freq.saturating_add(most);
            length = impact.pairs().iter().map(|pair| pair.1).fold(length, u32::min);
        }
        let score = if freq == 0 { 0.0 } else { self.weight.bound(&[(freq, length)]) };
        Ok(ScoreBound { last_doc, score })
    }

    fn cost(&self) -> u64 {
        self.cost
    }
}
