//! The hits, totals and aggregations of all shards.

use super::hit::{GroupOf, HitOfShard};
use super::known::Known;
use super::protocol::HitsOfShard;
use crate::error::Result;
use crate::query::{Knn, Query, Search};
use crate::search::aggregate::Plan;
use crate::search::hits::{Hits, Shards};
use crate::search::phases::Timings;
use crate::search::sort::compare_keys;
use crate::search::tally;
use crate::search::total::Total;
use lucerne_codec::Cancel;
use std::cmp::Ordering;
use std::collections::{HashMap, HashSet};

/// What was asked, and what is known of all shards.
pub(super) struct Merge<'a> {
    pub(super) search: &'a Search,
    pub(super) plans: &'a [Plan],
    /// The ranking of the search's own query, if it was needed.
    pub(super) top: Option<&'a Known>,
    pub(super) shards: Shards,
}

/// A hit with its place in the ranking of all.
struct Placed {
    hit: HitOfShard,
    place: usize,
}

impl Merge<'_> {
    /// The hits of all shards that have answered, by the number of each.
    pub(super) fn hits(&self, of_shards: Vec<(usize, HitsOfShard)>) -> Result<Hits> {
        let search = self.search;
        let places = self.top.iter().flat_map(|top| &top.docs).enumerate();
        let places: HashMap<&str, usize> = places.map(|(place, (_, doc))| (&*doc.key, place)).collect();
        let mut unknown: Option<Vec<String>> = None;
        let (mut hits, mut segments, mut exact, mut stopped) = (Vec::new(), Vec::new(), true, None);
        let (mut total, mut all_counted, mut counted) = (0u64, true, Vec::new());
        for (shard, found) in of_shards {
            hits.extend(found.hits.into_iter().map(|hit| {
                let place = places.get(&*hit.key).copied().unwrap_or(usize::MAX);
                Placed { hit, place }
            }));
            segments.extend(found.segments.into_iter().map(|searched| searched.of_shard(shard)));
            exact &= found.exact;
            stopped = stopped.or(found.stopped.map(Into::into));
            let own = Total::from(found.total);
            total = total.saturating_add(own.value());
            all_counted &= own.is_exact();
            if !found.counted.is_empty() {
                counted.push(found.counted.into_iter().map(Some).collect());
            }
            // A field is unknown when no shard has it.
            match &mut unknown {
                None => unknown = Some(found.unknown_fields),
                Some(unknown) => unknown.retain(|name| found.unknown_fields.contains(name)),
            }
        }
        hits.sort_by(|left, right| self.order(left, right));
        if let (Query::Knn(Knn { k: Some(k), .. }), None, true) =
            (&search.query, self.top, search.sort.is_empty())
        {
            hits.truncate(*k);
        }
        if search.collapse.is_some() {
            let mut seen = HashSet::new();
            hits.retain(|placed| match &placed.hit.group {
                None | Some(GroupOf::Alone) => true,
                Some(value) => seen.insert(serde_json::to_string(value).unwrap_or_default()),
            });
        }
        let mut total = self.total(total, all_counted);
        if stopped.is_some() || self.shards.answered < self.shards.total {
            total = total.at_least();
        }
        let never = Cancel::new();
        let counted = tally::sum(self.plans, counted.into_iter(), &never)?;
        let aggregations = tally::finish_all(self.plans, counted, &never)?;
        let page = hits.into_iter().skip(search.offset).take(search.limit);
        Ok(Hits {
            hits: page.map(|placed| placed.hit.hit()).collect(),
            exact,
            segments,
            unknown_fields: unknown.unwrap_or_default(),
            stopped,
            total,
            aggregations,
            shards: Some(self.shards),
            took: Timings::default(),
        })
    }

    /// The order of one index of all documents.
    fn order(&self, left: &Placed, right: &Placed) -> Ordering {
        let (first, second) = (&left.hit, &right.hit);
        let by_score = || second.score.total_cmp(&first.score);
        let order = match (&self.search.query, self.top) {
            _ if !self.search.sort.is_empty() => {
                compare_keys(&self.search.sort, &first.sorted_by, &second.sorted_by)
            }
            (_, Some(_)) => {
                let window = self.search.rerank.as_ref().map_or(0, |rerank| rerank.window);
                match (left.place < window, right.place < window) {
                    (true, true) => by_score(),
                    _ => left.place.cmp(&right.place),
                }
            }
            (Query::Knn(_), None) => {
                let distance = |hit: &HitOfShard| hit.distance.unwrap_or(f32::INFINITY);
                distance(first).total_cmp(&distance(second))
            }
            _ => by_score(),
        };
        order.then_with(|| first.key.cmp(&second.key))
    }

    /// How many documents are found, from the sum of what shards have found.
    fn total(&self, sum: u64, all_counted: bool) -> Total {
        let Search { query, sort, aggs, min_score, .. } = self.search;
        let is_ranking = matches!(query, Query::Knn(_) | Query::Fuse(_)) && sort.is_empty();
        let summed = if all_counted { Total::Exactly(sum) } else { Total::AtLeast(sum) };
        let end = self.search.offset.saturating_add(self.search.limit) as u64;
        match (query, self.top) {
            _ if !is_ranking && (self.search.total || !aggs.is_empty()) => summed,
            (_, Some(top)) if min_score.is_none() => top.total,
            (_, Some(top)) if top.goes_on => Total::AtLeast(sum),
            (_, Some(_)) => Total::Exactly(sum),
            (Query::Knn(knn), None) if is_ranking => match knn.k {
                Some(k) if all_counted => Total::Exactly(sum.min(k as u64)),
                None if all_counted && sum < end => Total::Exactly(sum),
                Some(_) | None => Total::AtLeast(sum.min(end)),
            },
            _ => summed,
        }
    }
}
