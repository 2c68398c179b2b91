//! The best documents that have every one of several terms: a block-max conjunction.
//!
//! The rarest term leads, block by block; blocks whose bounds together with those of the others are too low are not read.
//! The other terms are looked up only in those documents of a block whose scores may still be competitive, the blocks of
//! these by their own bounds; those that keep their documents as a set have told before which do not have them.

use super::collector::TopDocsCollector;
use super::scorer::Scorer;
use super::term::{ScoredBlock, TermScorer, own_least};
use lucerne_codec::postings::NO_MORE_DOCS;
use lucerne_codec::{DocId, Result};

/// The cancel flag is checked once in so many blocks.
const CANCEL_STEP: u32 = 4;
/// Of a term with at least so many times the lead's documents, blocks are not bounded over a block of the lead's: they are
/// too many.
const SPARSE: u64 = 8;

/// Collects the documents that have all of the terms.
pub(crate) fn collect_all_terms(
    mut terms: Vec<TermScorer<'_>>,
    collector: &mut TopDocsCollector<'_>,
) -> Result<()> {
    terms.sort_by_key(Scorer::cost);
    let Some((lead, others)) = terms.split_first_mut() else { return Ok(()) };
    let maxima: Vec<f64> = others.iter().map(|other| other.max_score().into()).collect();
    let mut bounds = maxima.clone();
    let among: Vec<_> = others.iter().filter_map(|other| other.members()).collect();
    let (mut scored, mut blocks) = (ScoredBlock::default(), 0u32);
    let mut first = lead.doc();
    while first < NO_MORE_DOCS {
        blocks = blocks.wrapping_add(1);
        collector.check_cancelled_every(CANCEL_STEP, blocks)?;
        let least = collector.min_competitive_score();
        if least > f32::NEG_INFINITY {
            let own = lead.bound(first)?;
            if own.last_doc == NO_MORE_DOCS {
                break;
            }
            let mut reaches = is_competitive(own.score.into(), &maxima, least);
            if reaches {
                bound_others(lead.cost(), others, (first, own.last_doc), &mut bounds)?;
                reaches = is_competitive(own.score.into(), &bounds, least);
            }
            if !reaches {
                first = own.last_doc.saturating_add(1);
                continue;
            }
        }
        let own = own_least(least, bounds.iter().sum());
        let (count, next) = lead.score_block(first, NO_MORE_DOCS - 1, (own, &among), &mut scored)?;
        intersect_others(others, &mut scored, count, &bounds, collector)?;
        let Some(next) = next else { break };
        first = next;
    }
    Ok(())
}

fn is_competitive(own: f64, others: &[f64], least: f32) -> bool {
    (own + others.iter().sum::<f64>()) as f32 >= least
}

/// Bounds the others over a range of documents, where that takes looks at few blocks.
fn bound_others(
    lead: u64,
    others: &mut [TermScorer<'_>],
    (first, last): (DocId, DocId),
    bounds: &mut [f64],
) -> Result<()> {
    for (other, bound) in others.iter_mut().zip(bounds) {
        if lead >= other.cost() / SPARSE {
            *bound = other.bound_over(first, last)?.into();
        }
    }
    Ok(())
}

/// Looks the lead's documents up in the other terms, and collects those that have all of them.
fn intersect_others(
    others: &mut [TermScorer<'_>],
    scored: &mut ScoredBlock,
    mut count: usize,
    bounds: &[f64],
    collector: &mut TopDocsCollector<'_>,
) -> Result<()> {
    let (least, mut rest) = (collector.min_competitive_score(), bounds.iter().sum::<f64>());
    count = scored.retain(count, |doc, score| ((score + rest) as f32) >= least && collector.accepts(doc));
    for (other, bound) in others.iter_mut().zip(bounds) {
        if count == 0 {
            return Ok(());
        }
        rest -= bound;
        count = other.intersect(scored, count, least, rest)?;
    }
    for (doc, score) in scored.first(count) {
        collector.collect(doc, score as f32);
    }
    Ok(())
}
