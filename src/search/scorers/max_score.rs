//! The best documents that have any of several terms: MaxScore, by windows of documents.
//!
//! Terms whose bounds together do not reach the minimum competitive score are *non-essential*: a document that has
//! none of the other terms cannot be among the best. Only the postings of essential terms are iterated over;
//! non-essential terms are looked up in documents that may still be competitive. The split is made anew for each
//! window, a range of documents in which the bounds of the terms' blocks hold.

use super::collector::TopDocsCollector;
use super::scorer::Scorer;
use super::term::{ScoredBlock, TermScorer, own_least};
use lucerne_codec::postings::NO_MORE_DOCS;
use lucerne_codec::{DocId, Result};

/// The most documents of a window.
const WINDOW: usize = 2_048;
/// Documents of a window while the collector is not full, so that no bound matters yet.
const FIRST_WINDOW: u32 = 256;
/// Blocks of one term between two looks at the cancel flag.
const CANCEL_STEP: u32 = 16;
/// With so many terms, a document may take long.
const MANY_TERMS: usize = 256;

/// Collects the documents that have at least one of the terms.
pub(crate) fn collect_any_term(
    mut terms: Vec<TermScorer<'_>>,
    collector: &mut TopDocsCollector<'_>,
) -> Result<()> {
    terms.retain(|term| term.doc() != NO_MORE_DOCS);
    MaxScore::new(terms).collect(collector)
}

struct MaxScore<'a> {
    /// Ascending by their maximum scores in the segment.
    terms: Vec<TermScorer<'a>>,
    /// Of each term: the sum of the maximum scores up to and with it.
    sums: Vec<f64>,
    /// Terms from here on are essential by their maximum scores in the segment.
    essential: usize,
    /// Each term that has documents in the window, with its bound there; ascending by the bound.
    order: Vec<(f32, usize)>,
    /// Sums of scores by place in the window; empty until a window needs them.
    scores: Vec<f64>,
    touched: [u64; WINDOW / 64],
}

/// A range of documents.
#[derive(Clone, Copy)]
struct Window {
    first: DocId,
    last: DocId,
}

/// Terms before `essential` in a window's order are non-essential; `rest` is the sum of their bounds.
#[derive(Clone, Copy)]
struct Split {
    essential: usize,
    rest: f64,
}

impl<'a> MaxScore<'a> {
    fn new(mut terms: Vec<TermScorer<'a>>) -> Self {
        terms.sort_by(|left, right| left.max_score().total_cmp(&right.max_score()));
        let mut sum = 0.0;
        let sums = terms.iter().map(|term| {
            sum += f64::from(term.max_score());
            sum
        });
        Self {
            sums: sums.collect(),
            order: Vec::with_capacity(terms.len()),
            terms,
            essential: 0,
            scores: Vec::new(),
            touched: [0; WINDOW / 64],
        }
    }

    fn collect(mut self, collector: &mut TopDocsCollector<'_>) -> Result<()> {
        let mut next = 0;
        let mut scored = ScoredBlock::default();
        loop {
            collector.check_cancelled()?;
            let least = f64::from(collector.min_competitive_score());
            while self.sums.get(self.essential).is_some_and(|&sum| sum < least) {
                self.essential += 1;
            }
            let essential = self.terms.get(self.essential..).unwrap_or_default();
            let first = essential.iter().map(|term| term.doc()).min().unwrap_or(NO_MORE_DOCS).max(next);
            if first == NO_MORE_DOCS {
                return Ok(());
            }
            let Some(window) = self.window(first, least)? else { return Ok(()) };
            if self.order.iter().map(|&(bound, _)| f64::from(bound)).sum::<f64>() >= least {
                self.score(window, &mut scored, collector)?;
            }
            next = match window.last.checked_add(1) {
                Some(next) => next,
                None => return Ok(()),
            };
        }
    }

    /// The longest range from `first` on in which the block bounds of the essential terms hold; also sorts the
    /// terms by their bounds in it. `None` when no essential term has documents left.
    fn window(&mut self, first: DocId, least: f64) -> Result<Option<Window>> {
        let longest = match self.terms.len() - self.essential {
            1 => NO_MORE_DOCS,
            _ => WINDOW as u32,
        };
        let mut last = first.saturating_add(longest - 1).min(NO_MORE_DOCS - 1);
        self.order.clear();
        if least == f64::NEG_INFINITY {
            self.order.extend((0..self.terms.len()).map(|at| (f32::INFINITY, at)));
            return Ok(Some(Window { first, last: last.min(first.saturating_add(FIRST_WINDOW - 1)) }));
        }
        let mut ended = true;
        for term in self.terms.iter_mut().skip(self.essential) {
            let bound = term.bound(first.max(term.doc()))?;
            ended &= bound.last_doc == NO_MORE_DOCS;
            // The bound of a list of one block is that of all of it.
            if term.blocks() > 1 {
                last = last.min(bound.last_doc);
            }
        }
        if ended {
            return Ok(None);
        }
        for (at, term) in self.terms.iter_mut().enumerate() {
            let from = first.max(term.doc());
            if from <= last {
                self.order.push((term.bound_over(from, last)?, at));
            }
        }
        self.order.sort_unstable_by(|left, right| left.0.total_cmp(&right.0));
        Ok(Some(Window { first, last }))
    }

    fn score(
        &mut self,
        window: Window,
        scored: &mut ScoredBlock,
        collector: &mut TopDocsCollector<'_>,
    ) -> Result<()> {
        let least = collector.min_competitive_score();
        let (mut rest, mut essential) = (0.0, 0);
        for &(bound, _) in &self.order {
            if (rest + f64::from(bound)) as f32 >= least {
                break;
            }
            rest += f64::from(bound);
            essential += 1;
        }
        let split = Split { essential, rest };
        match self.order.len() - essential {
            0 => Ok(()),
            1 => self.score_one(window, split, scored, collector),
            _ => self.score_many(window, split, scored, collector),
        }
    }

    /// Scores a window with one essential term: its documents are the candidates.
    fn score_one(
        &mut self,
        window: Window,
        split: Split,
        scored: &mut ScoredBlock,
        collector: &mut TopDocsCollector<'_>,
    ) -> Result<()> {
        let Some(&(_, lead)) = self.order.get(split.essential) else { return Ok(()) };
        let (mut from, mut blocks) = (Some(window.first), 0u32);
        while let (Some(first), Some(term)) = (from, self.terms.get_mut(lead)) {
            blocks = blocks.wrapping_add(1);
            collector.check_cancelled_every(CANCEL_STEP, blocks)?;
            let least = own_least(collector.min_competitive_score(), split.rest);
            let (count, next) = term.score_block(first, window.last, (least, &[]), scored)?;
            for (&doc, &score) in scored.docs.iter().zip(&scored.scores).take(count) {
                self.complete(doc, score, split, collector)?;
            }
            from = next;
        }
        Ok(())
    }

    /// Scores a window with several essential terms: adds up their scores, then completes each document that has one.
    fn score_many(
        &mut self,
        window: Window,
        split: Split,
        scored: &mut ScoredBlock,
        collector: &mut TopDocsCollector<'_>,
    ) -> Result<()> {
        self.scores.resize(WINDOW, 0.0);
        for &(_, at) in self.order.iter().skip(split.essential) {
            collector.check_cancelled()?;
            let mut from = Some(window.first);
            while let (Some(first), Some(term)) = (from, self.terms.get_mut(at)) {
                let (count, next) = term.score_block(first, window.last, (f64::NEG_INFINITY, &[]), scored)?;
                for (doc, score) in scored.docs.iter().zip(&scored.scores).take(count) {
                    let slot = (doc - window.first) as usize;
                    let (sum, word) = (self.scores.get_mut(slot), self.touched.get_mut(slot / 64));
                    if let (Some(sum), Some(word)) = (sum, word) {
                        *sum += score;
                        *word |= 1 << (slot % 64);
                    }
                }
                from = next;
            }
        }
        let mut least = collector.min_competitive_score();
        let words = (window.last - window.first) as usize / 64 + 1;
        for word in 0..words {
            let mut bits = self.touched.get_mut(word).map(std::mem::take).unwrap_or(0);
            while bits != 0 {
                let slot = word * 64 + bits.trailing_zeros() as usize;
                bits &= bits - 1;
                let sum = self.scores.get_mut(slot).map(std::mem::take).unwrap_or(0.0);
                // Most documents end here.
                if ((sum + split.rest) as f32) >= least {
                    self.complete(window.first + slot as u32, sum, split, collector)?;
                    least = collector.min_competitive_score();
                }
            }
        }
        Ok(())
    }

    /// Adds the scores of the non-essential terms, highest bounds first, and collects the document.
    #[inline]
    fn complete(
        &mut self,
        doc: DocId,
        mut sum: f64,
        split: Split,
        collector: &mut TopDocsCollector<'_>,
    ) -> Result<()> {
        if split.essential > MANY_TERMS {
            collector.check_cancelled()?;
        }
        let (least, mut rest) = (collector.min_competitive_score(), split.rest);
        if ((sum + rest) as f32) < least || !collector.accepts(doc) {
            return Ok(());
        }
        for &(bound, at) in self.order.iter().take(split.essential).rev() {
            if ((sum + rest) as f32) < least {
                return Ok(());
            }
            let Some(term) = self.terms.get_mut(at) else { continue };
            if let Some(own) = term.score_of(doc)? {
                sum += f64::from(own);
            }
            rest -= f64::from(bound);
        }
        collector.collect(doc, sum as f32);
        Ok(())
    }
}
