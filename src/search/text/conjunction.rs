//! Documents with all of some words: the rarest leads, the others follow, blocks that cannot matter are left
//! out.

use super::Scorer;
use super::best::Best;
use super::term::TermScorer;
use lucerne_codec::postings::NO_MORE_DOCS;
use lucerne_codec::{DocId, Result};

/// Documents between two looks at the cancel flag.
const CANCEL_STEP: u32 = 1 << 12;

/// Offers the documents that hold all of the words.
pub(crate) fn all_terms(mut terms: Vec<TermScorer<'_>>, best: &mut Best<'_>) -> Result<()> {
    terms.sort_by_key(Scorer::cost);
    let Some((lead, others)) = terms.split_first_mut() else { return Ok(()) };
    let (mut doc, mut steps) = (lead.doc(), 0u32);
    let mut range = Range { last: None, others: 0.0, least: f32::NEG_INFINITY };
    'docs: while doc != NO_MORE_DOCS {
        steps = steps.wrapping_add(1);
        if steps.is_multiple_of(CANCEL_STEP) {
            best.check_cancelled()?;
        }
        let least = best.competitive();
        if least > f32::NEG_INFINITY && (range.last < Some(doc) || least > range.least) {
            match Range::at(doc, least, lead, others)? {
                Ok(found) => range = found,
                Err(NO_MORE_DOCS) => return Ok(()),
                Err(last) => {
                    doc = lead.seek(last + 1)?;
                    continue;
                }
            }
        }
        // The lead's own score often tells that the others need not be looked at.
        let score = f64::from(lead.score()?);
        if ((score + range.others) as f32) < least || !best.accepts(doc) {
            doc = lead.advance()?;
            continue;
        }
        let mut sum = score;
        for other in others.iter_mut() {
            let found = other.seek(doc)?;
            if found != doc {
                doc = lead.seek(found)?;
                continue 'docs;
            }
            sum += f64::from(other.score()?);
        }
        best.offer(doc, sum as f32);
        doc = lead.advance()?;
    }
    Ok(())
}

/// Documents for which the words' bounds hold.
struct Range {
    /// The last of them; `None` while there are no bounds.
    last: Option<DocId>,
    /// Bounds of all words but the lead together.
    others: f64,
    /// The lowest score that counted when they were found.
    least: f32,
}

impl Range {
    /// The bounds that hold from `doc` on, or how far no document reaches `least`.
    fn at(
        doc: DocId,
        least: f32,
        lead: &mut TermScorer<'_>,
        others: &mut [TermScorer<'_>],
    ) -> Result<std::result::Result<Self, DocId>> {
        let own = lead.bound(doc)?;
        let (mut last, mut sum) = (own.last_doc, 0.0);
        for other in others {
            let bound = other.bound(doc)?;
            if bound.last_doc == NO_MORE_DOCS {
                return Ok(Err(NO_MORE_DOCS));
            }
            last = last.min(bound.last_doc);
            sum += f64::from(bound.score);
        }
        match ((f64::from(own.score) + sum) as f32) < least {
            true => Ok(Err(last)),
            false => Ok(Ok(Self { last: Some(last), others: sum, least })),
        }
    }
}
