//! A second opinion on the best of a first pass.

use super::rank::{Nearest, Ranked, best_first};
use super::resolve::{Resolver, finite};
use super::{knn, score};
use crate::error::{Error, Result};
use crate::limits::MAX_K;
use crate::query::{Knn, Rerank, RerankBy};
use lucerne_codec::{DocId, Neighbor};
use std::collections::HashMap;

/// Checks the window.
pub(super) fn check(rerank: &Rerank) -> Result<()> {
    finite("weight", rerank.weight, f32::MIN)?;
    if rerank.window == 0 || rerank.window > MAX_K {
        let problem = format!("window is {}, expected 1 to {MAX_K}", rerank.window);
        return Err(Error::WrongQuery { field: None, problem });
    }
    Ok(())
}

/// Reorders the first `window` of `ranked`; the others keep their places after them.
pub(super) fn rerank(resolver: &Resolver<'_>, rerank: &Rerank, ranked: &mut Vec<Ranked>) -> Result<()> {
    let below = ranked.split_off(rerank.window.min(ranked.len()));
    let second = second_scores(resolver, rerank, ranked)?;
    for (one, second) in ranked.iter_mut().zip(second) {
        one.score += rerank.weight * second.0;
        one.nearest = second.1.or(one.nearest);
    }
    best_first(resolver.snapshot, ranked, usize::MAX);
    ranked.extend(below);
    Ok(())
}

/// The second score of one document.
pub(super) fn second_score(resolver: &Resolver<'_>, rerank: &Rerank, one: Ranked) -> Result<f32> {
    Ok(second_scores(resolver, rerank, &[one])?.first().map_or(0.0, |second| second.0))
}

type Second = (f32, Option<Nearest>);

fn second_scores(resolver: &Resolver<'_>, rerank: &Rerank, ranked: &[Ranked]) -> Result<Vec<Second>> {
    match &rerank.by {
        RerankBy::Query(query) => {
            let node = resolver.resolve(query)?;
            score::of_documents(resolver.snapshot, &node, ranked)
                .map(|scores| scores.into_iter().map(|score| (score, None)).collect())
        }
        RerankBy::Vector { field, vector, compat_topk: Some(k) } => {
            let unfiltered = Resolver { filter: None, ..*resolver };
            let result = knn::search(&unfiltered, &Knn::new(field, vector.clone()).k(*k).exact())?;
            let nearest =
                result.ranked().into_iter().map(|one| ((one.segment, one.doc), (one.score, one.nearest)));
            let nearest: HashMap<(usize, DocId), Second> = nearest.collect();
            let of = |one: &Ranked| nearest.get(&(one.segment, one.doc)).copied().unwrap_or_default();
            Ok(ranked.iter().map(of).collect())
        }
        RerankBy::Vector { field, vector, compat_topk: None } => {
            let declared = resolver.snapshot.schema.vector_field_named(field)?;
            let row = crate::document::check_query(declared, vector)?;
            let similarity = declared.info().similarity;
            let of = |one: &Ranked| {
                let field = declared.number();
                let neighbor = knn::nearest_of(resolver.snapshot, field, &row, one.segment, one.doc)?;
                let second = |neighbor: Neighbor| {
                    (similarity.score(neighbor.distance), Some(Nearest { field, neighbor }))
                };
                Ok(neighbor.map_or((0.0, None), second))
            };
            ranked.iter().map(of).collect()
        }
    }
}
