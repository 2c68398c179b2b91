//! Reranking: a second score for the best documents of a ranking.

use super::function::Function;
use super::max_sim::MaxSim;
use super::node::Node;
use super::ranking::{DocAddress, MatchedVector, ScoredDoc, best_first};
use super::resolve::{Resolver, finite};
use super::score::Scores;
use super::scorers::finite_score;
use super::sorted_runs::first;
use super::{knn, mmr};
use crate::error::{Error, Result};
use crate::limits::MAX_K;
use crate::query::{Combine, Knn, Rerank, RerankBy};
use crate::schema::Schema;
use lucerne_codec::{DocId, Neighbor};
use std::collections::HashMap;

/// Documents whose vectors are compared between two looks at the cancel flag: each may be a page to read from a disk.
const VECTORS_TOGETHER: usize = 16;

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
        RerankBy::Query(_) | RerankBy::Decay(_) | RerankBy::FieldValue(_) => true,
        RerankBy::Vector { field, .. } | RerankBy::MaxSim { field, .. } | RerankBy::Mmr { field, .. } => {
            schema.vector_field_named(field).is_ok_and(|field| field.options().keeps_raw())
        }
    }
}

/// Gives the first `window` of `docs` their second scores and sorts these again; the others follow as they were. Of a search
/// that is stopped, only the documents are left that have their second score. At least the first `needed` are in order.
pub(super) fn rerank(
    resolver: &Resolver<'_>,
    rerank: &Rerank,
    needed: usize,
    docs: &mut Vec<ScoredDoc>,
) -> Result<()> {
    let stop = resolver.stop;
    let rest = stop.rest();
    let resolver = &Resolver { stop: stop.with(&rest), ..*resolver };
    let below = docs.split_off(rerank.window.min(docs.len()));
    if let RerankBy::Mmr { field, lambda } = &rerank.by {
        let window = std::mem::take(docs);
        let len = window.len();
        *docs = mmr::reorder(resolver, field, *lambda, needed, window)?;
        if docs.len() == len {
            docs.extend(below);
        }
        return Ok(());
    }
    let addresses: Vec<DocAddress> = docs.iter().map(|doc| doc.address).collect();
    let scores = stop.part(second_scores(resolver, rerank, &addresses))?.unwrap_or_default();
    let reranked = docs.iter().zip(scores).filter_map(|(doc, second)| {
        let second = second?;
        let second_score = f64::from(rerank.weight) * f64::from(second.score);
        let score = match rerank.combine {
            Combine::Add => f64::from(doc.score) + second_score,
            Combine::Multiply => f64::from(doc.score) * second_score,
            Combine::Replace => second_score,
        };
        Some(ScoredDoc { score: finite_score(score), vector: second.vector.or(doc.vector), ..*doc })
    });
    let rest = stop.rest();
    let sorted = first(reranked, usize::MAX, best_first(resolver.snapshot), &rest);
    *docs = stop.part(sorted)?.unwrap_or_default();
    if docs.len() == addresses.len() {
        docs.extend(below);
    }
    Ok(())
}

/// The second score of one document.
pub(super) fn second_score(resolver: &Resolver<'_>, rerank: &Rerank, address: DocAddress) -> Result<f32> {
    Ok(second_scores(resolver, rerank, &[address])?
        .first()
        .copied()
        .flatten()
        .map_or(0.0, |second| second.score))
}

/// The second scores of documents; `None` for those that a search did not come to that was stopped.
fn second_scores(
    resolver: &Resolver<'_>,
    rerank: &Rerank,
    docs: &[DocAddress],
) -> Result<Vec<Option<SecondScore>>> {
    match &rerank.by {
        RerankBy::Query(query) => by_query(resolver, &resolver.resolve(query)?, docs),
        RerankBy::Vector { field, vector, compat_topk: Some(k) } => {
            let query = Knn::new(field, vector.clone()).k(*k).exact();
            let nearest = knn::search(&resolver.unfiltered().whole(), &query)?.docs.into_iter();
            let nearest = nearest
                .map(|doc| (doc.address, SecondScore { score: doc.score, vector: doc.vector }))
                .collect::<HashMap<_, _>>();
            Ok(docs.iter().map(|doc| Some(nearest.get(doc).copied().unwrap_or_default())).collect())
        }
        RerankBy::Vector { field, vector, compat_topk: None } => {
            let declared = resolver.snapshot.schema.vector_field_named(field)?;
            let row = crate::document::check_query(declared, vector)?;
            let (field, similarity) = (declared.number(), declared.info().similarity);
            let of = |address: &DocAddress| -> Result<SecondScore> {
                let neighbor = knn::nearest_vector(resolver.snapshot, field, &row, *address)?;
                Ok(neighbor.map_or_else(SecondScore::default, |neighbor| SecondScore {
                    score: similarity.score(neighbor.distance),
                    vector: Some(MatchedVector {
                        field,
                        neighbor: Neighbor { distance: similarity.in_range(neighbor.distance), ..neighbor },
                    }),
                }))
            };
            each(resolver, docs, of)
        }
        RerankBy::MaxSim { field, vectors } => {
            let sums = MaxSim::new(resolver, field, vectors)?;
            each(resolver, docs, |address| Ok(SecondScore { score: sums.score(*address)?, vector: None }))
        }
        RerankBy::Decay(decay) => by_function(resolver, &Function::decay(resolver.snapshot, decay)?, docs),
        RerankBy::FieldValue(value) => {
            by_function(resolver, &Function::value(resolver.snapshot, value)?, docs)
        }
        // It has none.
        RerankBy::Mmr { .. } => Ok(vec![None; docs.len()]),
    }
}

fn by_function(
    resolver: &Resolver<'_>,
    function: &Function<'_>,
    docs: &[DocAddress],
) -> Result<Vec<Option<SecondScore>>> {
    each(resolver, docs, |address| Ok(SecondScore { score: function.score(*address)?, vector: None }))
}

/// The second scores of documents one by one.
fn each(
    resolver: &Resolver<'_>,
    docs: &[DocAddress],
    of: impl Fn(&DocAddress) -> Result<SecondScore>,
) -> Result<Vec<Option<SecondScore>>> {
    let (stop, mut scores) = (resolver.stop, Vec::with_capacity(docs.len()));
    for together in docs.chunks(VECTORS_TOGETHER) {
        if stop.part(stop.check())?.is_none() {
            break;
        }
        for address in together {
            scores.push(Some(of(address)?));
        }
    }
    scores.resize(docs.len(), None);
    Ok(scores)
}

/// The scores of a node.
fn by_query(resolver: &Resolver<'_>, node: &Node, docs: &[DocAddress]) -> Result<Vec<Option<SecondScore>>> {
    let of_segments = resolver.each_segment(|part| {
        let mut own: Vec<(DocId, usize)> = (docs.iter().enumerate())
            .filter(|(_, address)| address.segment == part.index)
            .map(|(position, address)| (address.doc, position))
            .collect();
        if own.is_empty() {
            return Ok(None);
        }
        own.sort_unstable();
        let mut found = Vec::with_capacity(own.len());
        let add_all = || -> Result<()> {
            let mut scores = Scores::new(node, part)?;
            for (doc, position) in own {
                found.push((position, scores.of(doc)?));
            }
            Ok(())
        };
        resolver.stop.part(add_all())?;
        Ok(Some(found))
    })?;
    let mut scores = vec![None; docs.len()];
    for (position, score) in of_segments.into_iter().flatten() {
        if let Some(slot) = scores.get_mut(position) {
            *slot = Some(SecondScore { score, vector: None });
        }
    }
    Ok(scores)
}
