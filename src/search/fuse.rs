//! Fusion of several rankings into one.

use super::ranking::{DocAddress, Ranking, ScoredDoc, best_first};
use super::resolve::{Resolver, finite};
use super::scorers::finite_score;
use super::sorted_runs::first;
use super::total::Total;
use crate::error::{Error, Result};
use crate::limits::MAX_K;
use crate::query::{Fuse, Fusion};
use std::collections::HashMap;

/// What a document gets from a ranking in which it has a rank, from 1, and a score.
pub(super) fn share(method: Fusion, rank: u32, score: f32, best: f32) -> Result<f32> {
    Ok(match method {
        Fusion::Rrf { constant } => 1.0 / (finite("constant", constant, 0.0)? + rank as f32),
        Fusion::Linear {} if best > 0.0 => score / best,
        Fusion::Linear {} => 0.0,
    })
}

/// A score with one more share.
pub(super) fn with_share(score: f32, weight: f32, share: f32) -> f32 {
    finite_score(f64::from(score) + f64::from(weight) * f64::from(share))
}

/// The documents of all rankings, ranked by their fused scores.
pub(super) fn fuse(resolver: &Resolver<'_>, query: &Fuse) -> Result<Ranking> {
    if query.window == 0 || query.window > MAX_K {
        let problem = format!("window is {}, expected 1 to {MAX_K}", query.window);
        return Err(Error::WrongQuery { field: None, problem });
    }
    let mut sums: HashMap<DocAddress, ScoredDoc> = HashMap::new();
    let (mut exact, mut segments) = (true, Vec::new());
    for input in &query.queries {
        let weight = finite("weight", input.weight, 0.0)?;
        let ranking = resolver.rank(&input.query, query.window)?;
        exact &= ranking.exact;
        segments.extend(ranking.segments);
        let best = ranking.docs.first().map_or(0.0, |first| first.score);
        for (rank, doc) in (1u32..).zip(ranking.docs.iter().take(query.window)) {
            let share = share(query.method, rank, doc.score, best)?;
            let sum = sums.entry(doc.address).or_insert(ScoredDoc { score: 0.0, ..*doc });
            sum.score = with_share(sum.score, weight, share);
            sum.vector = sum.vector.or(doc.vector);
        }
    }
    let order = best_first(resolver.snapshot);
    let docs = first(sums.into_values(), usize::MAX, order, resolver.stop.cancel)?;
    let total = Total::Exactly(docs.len() as u64);
    Ok(Ranking { docs, exact, segments, total })
}
