//! Searches shards that are open in this process.

use super::protocol::{ShardAnswer, ShardRequest};
use super::sharded::ShardedSearch;
use crate::error::{Error, Result};
use crate::query::Search;
use crate::schema::Schema;
use crate::search::hits::Hits;
use crate::search::options::SearchOptions;
use crate::search::searcher::Searcher;
use crate::search::stop::{Stopped, stopped};
use lucerne_codec::OnStop;

/// The hits of a search over shards, which are searched side by side on the threads that the options give.
///
/// # Errors
/// As [`ShardedSearch::new`] and [`Searcher::search_with`]. With [`SearchOptions::partial`] a shard that is stopped in
/// the middle of a ranking is left out instead.
pub(crate) fn search_shards(
    shards: &[Searcher],
    schema: &Schema,
    search: Search,
    options: &SearchOptions,
) -> Result<Hits> {
    let cancel = options.begin();
    let is_partial = options.on_stop == OnStop::Partial;
    let whole = options.whole(&cancel);
    let each = if shards.len() > 1 { whole.on_caller() } else { whole };
    let last = if is_partial { each.clone().partial() } else { each.clone() };
    let mut sharded = ShardedSearch::new(search, schema, shards.len())?;
    let mut left_out: Option<Stopped> = None;
    while let Some(requests) = sharded.requests() {
        // A ranking inside the search is of use only as a whole.
        let each = if sharded.is_last() { &last } else { &each };
        let answer = |number: usize| {
            let both = shards.get(number).zip(requests.get(number).and_then(Option::as_ref));
            both.map_or(Ok(Ok(None)), |(shard, request)| one(shard, request, each, is_partial))
        };
        let found = options.threads.each(shards.len(), || (0..shards.len()).collect(), answer)?;
        let answers = found.into_iter().map(|answer| match answer {
            Ok(answer) => answer,
            Err(stopped) => {
                left_out = Some(stopped);
                None
            }
        });
        let answers = answers.collect();
        sharded.answered(answers)?;
    }
    let mut hits = sharded.hits().ok_or_else(|| Error::Invalid("a search without an end".to_owned()))?;
    hits.stopped = hits.stopped.or(left_out);
    Ok(hits)
}

/// The answer of a shard, or what stopped it.
fn one(
    shard: &Searcher,
    request: &ShardRequest,
    options: &SearchOptions,
    is_partial: bool,
) -> Result<std::result::Result<Option<ShardAnswer>, Stopped>> {
    match shard.answer(request, options) {
        Ok(answer) => Ok(Ok(Some(answer))),
        Err(error) => match stopped(&error).filter(|_| is_partial) {
            Some(stopped) => Ok(Err(stopped)),
            None => Err(error),
        },
    }
}
