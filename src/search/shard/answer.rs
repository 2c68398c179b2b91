//! What a shard answers.

use super::hit::HitOfShard;
use super::protocol::{Answer, HitsOfShard, ShardAnswer, ShardRequest, Wanted};
use crate::error::Result;
use crate::search::options::SearchOptions;
use crate::search::searcher::Searcher;

impl Searcher {
    /// Answers as one of several shards: what a [`ShardedSearch`](crate::search::ShardedSearch) asks.
    ///
    /// # Errors
    /// As [`Searcher::search_with`].
    pub fn answer(&self, request: &ShardRequest, options: &SearchOptions) -> Result<ShardAnswer> {
        let ShardRequest { wanted, statistics, given, shards } = request;
        let searches = match wanted {
            Wanted::Statistics(search) => {
                let own = self.run(options).text_statistics((**search).clone())?;
                return Ok(ShardAnswer(Answer::Statistics(own)));
            }
            Wanted::Hits(searches) => searches,
        };
        let each = searches.iter().map(|search| {
            let (hits, of_shard) =
                self.search_shard(search.clone(), statistics.as_ref(), given, *shards, options)?;
            let mut sorted_by = of_shard.sorted_by.into_iter();
            let own = hits.hits.into_iter();
            Ok(HitsOfShard {
                hits: own.map(|hit| HitOfShard::new(hit, sorted_by.next().unwrap_or_default())).collect(),
                exact: hits.exact,
                total: hits.total.into(),
                segments: hits.segments.into_iter().map(Into::into).collect(),
                unknown_fields: hits.unknown_fields,
                stopped: hits.stopped.map(Into::into),
                counted: of_shard.counted,
            })
        });
        Ok(ShardAnswer(Answer::Hits(each.collect::<Result<_>>()?)))
    }
}
