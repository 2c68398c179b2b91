//! The best documents that have every one of several terms: a block-max conjunction.
//!
//! The rarest term leads, block by block. The other terms are looked up only in those of its documents whose score
//! may still be competitive. Blocks whose bounds together are too low are skipped.

use super::collector::TopDocsCollector;
use super::scorer::Scorer;
use super::term::{ScoredBlock, TermScorer};
use lucerne_codec::postings::NO_MORE_DOCS;
use lucerne_codec::{DocId, Result};

/// The cancel flag is checked once in so many ranges of documents.
const CANCEL_STEP: u32 = 4;
/// The lead is sparse when another term has at least so many times its documents.
const SPARSE: u64 = 8;

/// Collects the documents that have all of the terms.
pub(crate) fn collect_all_terms(
    mut terms: Vec<TermScorer<'_>>,
    collector: &mut TopDocsCollector<'_>,
) -> Result<()> {
    terms.sort_by_key(Scorer::cost);
    let Some((lead, others)) = terms.split_first_mut() else { return Ok(()) };
    let others_max_score = others.iter().map(|other| f64::from(other.max_score())).sum();
    let (mut scored, mut ranges) = (ScoredBlock::default(), 0u32);
    let mut first = lead.doc();
    while first < NO_MORE_DOCS {
        ranges = ranges.wrapping_add(1);
        collector.check_cancelled_every(CANCEL_STEP, ranges)?;
        let range = match Range::starting_at(
            first,
            collector.min_competitive_score(),
            lead,
            others,
            others_max_score,
        )? {
            Next::Range(range) => range,
            Next::From(next) => {
                first = next;
                continue;
            }
        };
        let (count, next) = lead.score_block(range.first, range.last, &mut scored)?;
        intersect_others(others, &mut scored, count, range.others, collector)?;
        first = next.unwrap_or(range.last.saturating_add(1));
    }
    Ok(())
}

/// A range of documents that may hold competitive ones.
struct Range {
    first: DocId,
    last: DocId,
    /// The sum of the bounds of all terms but the lead.
    others: f64,
}

/// What to do next.
enum Next {
    Range(Range),
    /// No document before this one is competitive.
    From(DocId),
}

impl Range {
    fn starting_at(
        first: DocId,
        least: f32,
        lead: &mut TermScorer<'_>,
        others: &mut [TermScorer<'_>],
        others_max_score: f64,
    ) -> Result<Next> {
        if least == f32::NEG_INFINITY {
            return Ok(Next::Range(Self { first, last: NO_MORE_DOCS - 1, others: f64::INFINITY }));
        }
        let own = lead.bound(first)?;
        if own.last_doc == NO_MORE_DOCS || ((f64::from(own.score) + others_max_score) as f32) < least {
            return Ok(Next::From(own.last_doc.saturating_add(1)));
        }
        // Reading a block of the lead first is cheaper than looking at all blocks of the others that it spans.
        let sparse = others.iter().any(|other| lead.cost() < other.cost() / SPARSE);
        let first = if sparse || lead.has_loaded(first) { lead.seek(first)? } else { first };
        let (mut last, mut sum) = (own.last_doc, 0.0);
        for other in others {
            let bound = other.bound(first)?;
            if bound.last_doc == NO_MORE_DOCS {
                return Ok(Next::From(NO_MORE_DOCS));
            }
            last = last.min(bound.last_doc);
            sum += f64::from(bound.score);
        }
        if ((f64::from(own.score) + sum) as f32) < least {
            return Ok(Next::From(last + 1));
        }
        let first = lead.seek(first)?;
        if first > last {
            return Ok(Next::From(first));
        }
        Ok(Next::Range(Self { first, last, others: sum }))
    }
}

/// Looks the lead's documents up in the other terms, and collects those that have all of them.
fn intersect_others(
    others: &mut [TermScorer<'_>],
    scored: &mut ScoredBlock,
    mut count: usize,
    rest: f64,
    collector: &mut TopDocsCollector<'_>,
) -> Result<()> {
    let least = collector.min_competitive_score();
    count = scored.retain(count, |doc, score| ((score + rest) as f32) >= least && collector.accepts(doc));
    for other in others {
        if count == 0 {
            return Ok(());
        }
        count = other.intersect(scored, count)?;
    }
    for (doc, score) in scored.first(count) {
        collector.collect(doc, score as f32);
    }
    Ok(())
}
