//! Documents with all of some words: the rarest leads, block by block; the others are looked up in those of its
//! documents that may still be among the best. Blocks that cannot matter are left out.

use super::Scorer;
use super::best::Best;
use super::term::{Scored, TermScorer};
use lucerne_codec::postings::NO_MORE_DOCS;
use lucerne_codec::{DocId, Result};

/// Ranges of documents between two looks at the cancel flag.
const CANCEL_STEP: u32 = 64;
/// The lead is sparse when another word has so many times its documents.
const SPARSE: u64 = 8;

/// Offers the documents that hold all of the words.
pub(crate) fn all_terms(mut terms: Vec<TermScorer<'_>>, best: &mut Best<'_>) -> Result<()> {
    terms.sort_by_key(Scorer::cost);
    let Some((lead, others)) = terms.split_first_mut() else { return Ok(()) };
    let others_whole = others.iter().map(|other| f64::from(other.whole())).sum();
    let (mut scored, mut ranges) = (Scored::default(), 0u32);
    let mut first = lead.doc();
    while first < NO_MORE_DOCS {
        ranges = ranges.wrapping_add(1);
        if ranges.is_multiple_of(CANCEL_STEP) {
            best.check_cancelled()?;
        }
        let range = match Range::at(first, best.competitive(), lead, others, others_whole)? {
            Next::Range(range) => range,
            Next::From(next) => {
                first = next;
                continue;
            }
        };
        let (count, next) = lead.score_block(range.first, range.last, &mut scored)?;
        follow(others, &mut scored, count, range.others, best)?;
        first = next.unwrap_or(range.last.saturating_add(1));
    }
    Ok(())
}

/// Documents of the lead that may be among the best.
struct Range {
    first: DocId,
    last: DocId,
    /// Bounds of all words but the lead together.
    others: f64,
}

/// Where to go on.
enum Next {
    Range(Range),
    /// No document before this one can be among the best.
    From(DocId),
}

impl Range {
    fn at(
        first: DocId,
        least: f32,
        lead: &mut TermScorer<'_>,
        others: &mut [TermScorer<'_>],
        others_whole: f64,
    ) -> Result<Next> {
        if least == f32::NEG_INFINITY {
            return Ok(Next::Range(Self { first, last: NO_MORE_DOCS - 1, others: f64::INFINITY }));
        }
        let own = lead.bound(first)?;
        if own.last_doc == NO_MORE_DOCS || ((f64::from(own.score) + others_whole) as f32) < least {
            return Ok(Next::From(own.last_doc.saturating_add(1)));
        }
        // A block of the lead is read first where it is cheaper than looking at all blocks of others beside it.
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
        match first > last {
            true => Ok(Next::From(first)),
            false => Ok(Next::Range(Self { first, last, others: sum })),
        }
    }
}

/// Looks the lead's documents up in the other words, and offers those that hold all.
fn follow(
    others: &mut [TermScorer<'_>],
    scored: &mut Scored,
    mut count: usize,
    rest: f64,
    best: &mut Best<'_>,
) -> Result<()> {
    let least = best.competitive();
    count = scored.retain(count, |doc, score| ((score + rest) as f32) >= least && best.accepts(doc));
    for other in others {
        if count == 0 {
            return Ok(());
        }
        count = other.intersect(scored, count)?;
    }
    for (doc, score) in scored.first(count) {
        best.offer(doc, score as f32);
    }
    Ok(())
}
