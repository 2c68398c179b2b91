//! Several rankings made one.

use super::rank::{Pass, Ranked, best_first, first_pass};
use super::resolve::{Resolver, finite};
use crate::error::{Error, Result};
use crate::limits::MAX_K;
use crate::query::{Fuse, Fusion};
use lucerne_codec::DocId;
use std::collections::HashMap;

/// The documents of all rankings, best first, and what was done for it.
pub(super) fn fuse(resolver: &Resolver<'_>, query: &Fuse) -> Result<Pass> {
    if query.window == 0 || query.window > MAX_K {
        let problem = format!("window is {}, expected 1 to {MAX_K}", query.window);
        return Err(Error::WrongQuery { field: None, problem });
    }
    let mut sums: HashMap<(usize, DocId), Ranked> = HashMap::new();
    let (mut exact, mut segments) = (true, Vec::new());
    for ranking in &query.queries {
        let weight = finite("weight", ranking.weight, 0.0)?;
        let pass = first_pass(resolver, &ranking.query, query.window)?;
        exact &= pass.exact;
        segments.extend(pass.segments);
        let mut ranked = pass.ranked;
        ranked.truncate(query.window);
        let best = ranked.first().map_or(0.0, |first| first.score);
        for (rank, one) in (1u32..).zip(&ranked) {
            let score = match query.method {
                Fusion::Rrf { constant } => 1.0 / (finite("constant", constant, 0.0)? + rank as f32),
                Fusion::Linear {} if best > 0.0 => one.score / best,
                Fusion::Linear {} => 0.0,
            };
            let sum = sums.entry((one.segment, one.doc)).or_insert(Ranked { score: 0.0, ..*one });
            sum.score += weight * score;
            sum.nearest = sum.nearest.or(one.nearest);
        }
    }
    let mut fused: Vec<Ranked> = sums.into_values().collect();
    best_first(resolver.snapshot, &mut fused, usize::MAX);
    Ok(Pass { ranked: fused, exact, segments })
}
