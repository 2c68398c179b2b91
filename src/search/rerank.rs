//! Reranking: a second score for the best documents of a ranking.

use super::ranking::{DocAddress, MatchedVector, ScoredDoc, keep_best};
use super::resolve::{Resolver, finite};
use super::scorers::finite_score;
use super::{knn, score};
use crate::error::{Error, Result};
use crate::limits::MAX_K;
use crate::query::{Knn, Rerank, RerankBy};
use crate::schema::Schema;
use lucerne_codec::Neighbor;
use std::collections::HashMap;

/// The second score of a document.
#[derive(Clone, Copy, Default)]
struct SecondScore {
    score: f32,
    vector: Option<MatchedVector>,
}

/// Checks the window and the weight.
pub(super) fn check(rerank: &Rerank) -> Result<()> {
    finite("weight", rerank.weight, f32::MIN)?;
    if rerank.window == 0 || rerank.window > MAX_K {
        let problem = format!("window is {}, expected 1 to {MAX_K}", rerank.window);
        return Err(Error::WrongQuery { field: None, problem });
    }
    Ok(())
}

/// Whether the second scores are: not by codes in place of raw vectors.
pub(super) fn is_exact(schema: &Schema, rerank: &Rerank) -> bool {
    match &rerank.by {
        RerankBy::Query(_) => true,
        RerankBy::Vector { field, .. } => {
            schema.vector_field_named(field).is_ok_and(|field| field.options().keeps_raw())
        }
    }
}

/// Adds the second scores to the first `window` of `docs` and sorts these again; the others follow as they were.
pub(super) fn rerank(resolver: &Resolver<'_>, rerank: &Rerank, docs: &mut Vec<ScoredDoc>) -> Result<()> {
    let below = docs.split_off(rerank.window.min(docs.len()));
    let addresses: Vec<DocAddress> = docs.iter().map(|doc| doc.address).collect();
    for (doc, second) in docs.iter_mut().zip(second_scores(resolver, rerank, &addresses)?) {
        doc.score = finite_score(f64::from(doc.score) + f64::from(rerank.weight) * f64::from(second.score));
        doc.vector = second.vector.or(doc.vector);
    }
    keep_best(resolver.snapshot, docs, usize::MAX);
    docs.extend(below);
    Ok(())
}

/// The second score of one document.
pub(super) fn second_score(resolver: &Resolver<'_>, rerank: &Rerank, address: DocAddress) -> Result<f32> {
    Ok(second_scores(resolver, rerank, &[address])?.first().map_or(0.0, |second| second.score))
}

fn second_scores(resolver: &Resolver<'_>, rerank: &Rerank, docs: &[DocAddress]) -> Result<Vec<SecondScore>> {
    match &rerank.by {
        RerankBy::Query(query) => {
            let node = resolver.resolve(query)?;
            let scores = score::of_documents(resolver.snapshot, &node, docs)?;
            Ok(scores.into_iter().map(|score| SecondScore { score, vector: None }).collect())
        }
        RerankBy::Vector { field, vector, compat_topk: Some(k) } => {
            let query = Knn::new(field, vector.clone()).k(*k).exact();
            let nearest = knn::search(&resolver.unfiltered(), &query)?.docs.into_iter();
            let nearest = nearest
                .map(|doc| (doc.address, SecondScore { score: doc.score, vector: doc.vector }))
                .collect::<HashMap<_, _>>();
            Ok(docs.iter().map(|doc| nearest.get(doc).copied().unwrap_or_default()).collect())
        }
        RerankBy::Vector { field, vector, compat_topk: None } => {
            let declared = resolver.snapshot.schema.vector_field_named(field)?;
            let row = crate::document::check_query(declared, vector)?;
            let (field, similarity) = (declared.number(), declared.info().similarity);
            let of = |address: &DocAddress| {
                let neighbor = knn::nearest_vector(resolver.snapshot, field, &row, *address)?;
                Ok(neighbor.map_or_else(SecondScore::default, |neighbor| SecondScore {
                    score: similarity.score(neighbor.distance),
                    vector: Some(MatchedVector {
                        field,
                        neighbor: Neighbor { distance: similarity.in_range(neighbor.distance), ..neighbor },
                    }),
                }))
            };
            docs.iter().map(of).collect()
        }
    }
}
