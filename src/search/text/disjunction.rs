//! Documents with any of some words: MaxScore by windows of documents.
//!
//! Words whose bounds together do not reach the lowest score that counts are not *essential*: a document with
//! none of the others cannot be among the best. Only essential words are walked through; the rest are looked
//! up in documents that may still get there. Which ones are essential is decided anew for each window, a range
//! of documents where the bounds of blocks hold.

use super::Scorer;
use super::best::Best;
use super::term::{Scored, TermScorer};
use lucerne_codec::postings::NO_MORE_DOCS;
use lucerne_codec::{DocId, Result};

/// Documents of a window at most.
const WINDOW: usize = 2_048;
/// Documents of a window while too few are kept for any bound to matter.
const FIRST_WINDOW: u32 = 256;
/// Windows between two looks at the cancel flag.
const CANCEL_STEP: u32 = 64;

/// Offers the documents that hold at least one of the words.
pub(crate) fn any_term(mut terms: Vec<TermScorer<'_>>, best: &mut Best<'_>) -> Result<()> {
    terms.retain(|term| term.doc() != NO_MORE_DOCS);
    MaxScore::new(terms).run(best)
}

struct MaxScore<'a> {
    /// Ascending by the bounds of their whole lists.
    terms: Vec<TermScorer<'a>>,
    /// Bounds of the terms up to each one together.
    sums: Vec<f64>,
    /// Terms from here on are essential, as far as whole lists tell.
    essential: usize,
    /// Terms by their bounds in the window, ascending.
    order: Vec<(f32, usize)>,
    scores: Box<[f64; WINDOW]>,
    touched: [u64; WINDOW / 64],
}

/// A range of documents.
#[derive(Clone, Copy)]
struct Window {
    first: DocId,
    last: DocId,
}

/// Terms before `essential` in a window's order do not reach the lowest score that counts: not with the sum
/// of their bounds, `rest`.
#[derive(Clone, Copy)]
struct Split {
    essential: usize,
    rest: f64,
}

impl<'a> MaxScore<'a> {
    fn new(mut terms: Vec<TermScorer<'a>>) -> Self {
        terms.sort_by(|left, right| left.whole().total_cmp(&right.whole()));
        let mut sum = 0.0;
        let sums = terms.iter().map(|term| {
            sum += f64::from(term.whole());
            sum
        });
        Self {
            sums: sums.collect(),
            order: Vec::with_capacity(terms.len()),
            terms,
            essential: 0,
            scores: Box::new([0.0; WINDOW]),
            touched: [0; WINDOW / 64],
        }
    }

    fn run(mut self, best: &mut Best<'_>) -> Result<()> {
        let (mut next, mut windows) = (0, 0u32);
        let mut scored = Scored::default();
        loop {
            windows = windows.wrapping_add(1);
            if windows.is_multiple_of(CANCEL_STEP) {
                best.check_cancelled()?;
            }
            let least = f64::from(best.competitive());
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
                self.score(window, &mut scored, best)?;
            }
            next = match window.last.checked_add(1) {
                Some(next) => next,
                None => return Ok(()),
            };
        }
    }

    /// The longest range from `first` on in which the bounds of blocks of essential terms hold; puts all terms
    /// in order by theirs. `None` when no essential term has documents left.
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
            last = last.min(bound.last_doc);
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

    fn score(&mut self, window: Window, scored: &mut Scored, best: &mut Best<'_>) -> Result<()> {
        let least = best.competitive();
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
            1 => self.score_one(window, split, scored, best),
            _ => self.score_many(window, split, scored, best),
        }
    }

    /// One term is essential: its documents are the candidates.
    fn score_one(
        &mut self,
        window: Window,
        split: Split,
        scored: &mut Scored,
        best: &mut Best<'_>,
    ) -> Result<()> {
        let Some(&(_, lead)) = self.order.get(split.essential) else { return Ok(()) };
        let mut from = Some(window.first);
        while let (Some(first), Some(term)) = (from, self.terms.get_mut(lead)) {
            let (count, next) = term.score_block(first, window.last, scored)?;
            for (&doc, &score) in scored.docs.iter().zip(&scored.scores).take(count) {
                self.finish(doc, score, split, best)?;
            }
            from = next;
        }
        Ok(())
    }

    /// Adds up the scores of the essential terms, then looks at each document that has one.
    fn score_many(
        &mut self,
        window: Window,
        split: Split,
        scored: &mut Scored,
        best: &mut Best<'_>,
    ) -> Result<()> {
        for &(_, at) in self.order.iter().skip(split.essential) {
            let mut from = Some(window.first);
            while let (Some(first), Some(term)) = (from, self.terms.get_mut(at)) {
                let (count, next) = term.score_block(first, window.last, scored)?;
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
        let words = (window.last - window.first) as usize / 64 + 1;
        for word in 0..words {
            let mut bits = self.touched.get_mut(word).map(std::mem::take).unwrap_or(0);
            while bits != 0 {
                let slot = word * 64 + bits.trailing_zeros() as usize;
                bits &= bits - 1;
                let sum = self.scores.get_mut(slot).map(std::mem::take).unwrap_or(0.0);
                self.finish(window.first + slot as u32, sum, split, best)?;
            }
        }
        Ok(())
    }

    /// Adds the scores of the terms that are not essential, highest bounds first, and offers the document.
    #[inline]
    fn finish(&mut self, doc: DocId, mut sum: f64, split: Split, best: &mut Best<'_>) -> Result<()> {
        let (least, mut rest) = (best.competitive(), split.rest);
        if ((sum + rest) as f32) < least || !best.accepts(doc) {
            return Ok(());
        }
        for &(bound, at) in self.order.iter().take(split.essential).rev() {
            if ((sum + rest) as f32) < least {
                return Ok(());
            }
            let Some(term) = self.terms.get_mut(at) else { continue };
            if term.seek(doc)? == doc {
                sum += f64::from(term.score()?);
            }
            rest -= f64::from(bound);
        }
        best.offer(doc, sum as f32);
        Ok(())
    }
}
