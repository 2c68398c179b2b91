//! Rankings of all shards: merged, or fused from others.

use super::needs::RankOrder;
use super::protocol::HitsOfShard;
use crate::error::{Error, Result};
use crate::query::{Fuse, Query};
use crate::search::fuse::{share, with_share};
use crate::search::given::{GivenRanking, RankedKey, RankedVector, RankingOf};
use crate::search::resolve::finite;
use crate::search::total::Total;
use std::cmp::Ordering;
use std::collections::HashMap;

/// A ranking of the documents of all shards.
pub(super) struct Known {
    pub(super) of: RankingOf,
    /// Best first, with the number of the shard that has each.
    pub(super) docs: Vec<(usize, RankedKey)>,
    exact: bool,
    /// How many documents there are to rank.
    pub(super) total: Total,
    /// True when there may be documents below the last one.
    pub(super) goes_on: bool,
}

impl Known {
    /// From the best of each shard that has answered.
    pub(super) fn merged(
        (of, query): (RankingOf, &Query),
        order: RankOrder,
        depth: usize,
        of_shards: Vec<(usize, HitsOfShard)>,
    ) -> Self {
        let (mut docs, mut exact, mut total, mut all_counted) = (Vec::new(), true, 0u64, true);
        for (shard, found) in of_shards {
            exact &= found.exact;
            let counted = Total::from(found.total);
            total = total.saturating_add(counted.value());
            all_counted &= counted.is_exact();
            docs.extend(found.hits.into_iter().map(|hit| {
                let vector = match (query, hit.distance) {
                    (Query::Knn(knn), Some(distance)) => {
                        let (field, index) = (knn.field.clone(), hit.vector.unwrap_or(0));
                        Some(RankedVector { field, distance, index })
                    }
                    _ => None,
                };
                (shard, RankedKey { key: hit.key, score: hit.score, vector })
            }));
        }
        docs.sort_unstable_by(|(_, left), (_, right)| by(order, left, right));
        let is_open = !matches!(query, Query::Knn(knn) if knn.k.is_some());
        let found = docs.len();
        docs.truncate(depth);
        let goes_on = is_open && found >= depth;
        let total = match query {
            Query::Knn(_) if goes_on => Total::AtLeast(docs.len() as u64),
            Query::Knn(_) => Total::Exactly(docs.len() as u64),
            _ if all_counted => Total::Exactly(total),
            _ => Total::AtLeast(total),
        };
        Self { of, docs, exact, total, goes_on }
    }

    /// From the rankings that it consists of, which are among `known`.
    pub(super) fn fused(of: RankingOf, fuse: &Fuse, inputs: &[RankingOf], known: &[Self]) -> Result<Self> {
        let (mut sums, mut exact): (HashMap<&str, (usize, RankedKey)>, bool) = (HashMap::new(), true);
        for (input, ranking) in fuse.queries.iter().zip(inputs) {
            let weight = finite("weight", input.weight, 0.0)?;
            let missing = || Error::Invalid(format!("no ranking of {}", ranking.query));
            let ranking = known.iter().find(|known| known.of == *ranking).ok_or_else(missing)?;
            exact &= ranking.exact;
            let best = ranking.docs.first().map_or(0.0, |(_, first)| first.score);
            for (rank, (shard, doc)) in (1u32..).zip(ranking.docs.iter().take(fuse.window)) {
                let share = share(fuse.method, rank, doc.score, best)?;
                let new = || (*shard, RankedKey { score: 0.0, ..doc.clone() });
                let (_, sum) = sums.entry(&doc.key).or_insert_with(new);
                sum.score = with_share(sum.score, weight, share);
                if sum.vector.is_none() {
                    sum.vector.clone_from(&doc.vector);
                }
            }
        }
        let mut docs: Vec<(usize, RankedKey)> = sums.into_values().collect();
        docs.sort_unstable_by(|(_, left), (_, right)| by(RankOrder::Score, left, right));
        let total = Total::Exactly(docs.len() as u64);
        Ok(Self { of, docs, exact, total, goes_on: false })
    }

    /// What a shard is told of it.
    pub(super) fn of_shard(&self, shard: usize) -> GivenRanking {
        let own = self.docs.iter().filter(|(of, _)| *of == shard).map(|(_, doc)| doc.clone());
        GivenRanking { of: self.of.clone(), docs: own.collect(), exact: self.exact }
    }
}

fn by(order: RankOrder, left: &RankedKey, right: &RankedKey) -> Ordering {
    let distance = |doc: &RankedKey| doc.vector.as_ref().map_or(f32::INFINITY, |vector| vector.distance);
    let first = match order {
        RankOrder::Distance => distance(left).total_cmp(&distance(right)),
        RankOrder::Score => right.score.total_cmp(&left.score),
    };
    first.then_with(|| left.key.cmp(&right.key))
}
