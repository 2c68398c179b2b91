//! Maximal marginal relevance (Carbonell and Goldstein 1998): the best documents that are unlike each other.

use super::ranking::ScoredDoc;
use super::resolve::Resolver;
use super::{knn, stored};
use crate::error::{Error, Result};
use lucerne_codec::Similarity;

/// Vectors compared between two looks at the cancel flag.
const STEP: usize = 64;

/// A document that is not chosen yet.
struct Candidate {
    doc: ScoredDoc,
    /// Its score, divided by the best.
    relevance: f32,
    /// The largest similarity to a document that is chosen.
    similarity: f32,
}

impl Candidate {
    fn value(&self, lambda: f32) -> f32 {
        lambda * self.relevance - (1.0 - lambda) * self.similarity
    }
}

/// Chooses `needed` documents one after the other: the one with the largest λ · relevance − (1 − λ) · similarity to those
/// chosen before, which becomes its score. The others follow as they were; of a search that is stopped, they are left out.
pub(super) fn reorder(
    resolver: &Resolver<'_>,
    field: &str,
    lambda: f32,
    needed: usize,
    docs: Vec<ScoredDoc>,
) -> Result<Vec<ScoredDoc>> {
    let declared = resolver.snapshot.schema.vector_field_named(field)?;
    let wrong = |problem: String| Err(Error::WrongQuery { field: Some(field.to_owned()), problem });
    if !declared.is_indexed() {
        return Err(Error::NotIndexed { field: field.to_owned() });
    }
    if !(0.0..=1.0).contains(&lambda) {
        return wrong(format!("lambda is {lambda}, expected 0 (unlike each other) to 1 (the best)"));
    }
    let (number, similarity) = (declared.number(), declared.info().similarity);
    if similarity == Similarity::MaxInnerProduct {
        return wrong(
            "inner products have no upper bound, so that they cannot be weighed with relevance".to_owned(),
        );
    }
    let best = docs.iter().map(|doc| doc.score).fold(0.0, f32::max);
    let relevance = |doc: &ScoredDoc| if best > 0.0 { doc.score / best } else { 0.0 };
    let left = docs.into_iter().map(|doc| Candidate { relevance: relevance(&doc), similarity: 0.0, doc });
    let (mut left, mut chosen, stop): (Vec<Candidate>, _, _) = (left.collect(), Vec::new(), resolver.stop);
    while chosen.len() < needed {
        // Of equal ones the first: it was ranked higher.
        let best = left
            .iter()
            .enumerate()
            .rev()
            .max_by(|(_, one), (_, other)| one.value(lambda).total_cmp(&other.value(lambda)));
        let Some((at, _)) = best else { break };
        let next = left.remove(at);
        let address = next.doc.address;
        chosen.push(ScoredDoc { score: next.value(lambda), ..next.doc });
        let mut compare = || -> Result<()> {
            let segment = stored::segment(resolver.snapshot, address.segment)?;
            for row in stored::vectors(segment, address.doc, declared)? {
                for (done, other) in left.iter_mut().enumerate() {
                    stop.cancel.check_every(STEP, done)?;
                    let nearest = knn::nearest_vector(resolver.snapshot, number, &row, other.doc.address)?;
                    let score = nearest.map_or(0.0, |nearest| similarity.score(nearest.distance));
                    other.similarity = other.similarity.max(score);
                }
            }
            Ok(())
        };
        if stop.part(compare())?.is_none() {
            return Ok(chosen);
        }
    }
    chosen.extend(left.into_iter().map(|candidate| candidate.doc));
    Ok(chosen)
}
