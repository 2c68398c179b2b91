//! Runs a search: resolve, rank, rerank or sort, read the page.

use super::explanation::Explanation;
use super::given::GivenRanking;
use super::heap::heap;
use super::hits::Hits;
use super::known::{Known, Shared};
use super::node::Node;
use super::options::SearchOptions;
use super::phases::{Laps, Timings};
use super::ranked::{Ranked, grouped, ranked};
use super::ranking::Ranking;
use super::resolve::Resolver;
use super::statistics::{Statistics, TextStatistics};
use super::stop::{Stop, Stopped, stopped};
use super::tally::{self, Matches, tally};
use super::together;
use super::total::Total;
use super::unknown_fields::unknown_fields;
use super::{aggregate, explain, field_values, group, matching, page, rank, rerank, sort, stored};
use crate::analysis::Analyzers;
use crate::document::Value;
use crate::error::{Error, Result};
use crate::limits::MAX_K;
use crate::memory::Memory;
use crate::query::{Query, RerankBy, Search};
use crate::reader::Snapshot;
use crate::stats::{Counters, SearchEnd};
use lucerne_codec::{BitSet, OnStop};
use parking_lot::Mutex;
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::OnceLock;

/// What searches are run on, and how.
#[derive(Clone, Copy)]
pub(super) struct Run<'a> {
    pub(super) snapshot: &'a Snapshot,
    pub(super) analyzers: &'a Analyzers,
    pub(super) counters: &'a Counters,
    pub(super) memory: &'a Memory,
    pub(super) options: &'a SearchOptions,
    pub(super) scope: Scope<'a>,
    /// What the search knows, made together with others.
    pub(super) known: Option<Known<'a>>,
}

/// What the index is that is searched.
#[derive(Clone, Copy)]
pub(super) enum Scope<'a> {
    /// All there is.
    Whole,
    /// One of so many shards: with the statistics, if they matter, and the rankings of all.
    Shard { statistics: Option<&'a TextStatistics>, given: &'a [GivenRanking], shards: usize },
}

/// What a shard finds beside its hits, before it is known what others have found.
#[derive(Default)]
pub(super) struct OfShard {
    /// What each hit is sorted by, if they are sorted.
    pub(super) sorted_by: Vec<Vec<sort::SortKey>>,
    /// What was counted, by aggregation.
    pub(super) counted: Vec<aggregate::Found<'static>>,
}

impl<'a> Run<'a> {
    /// Searches, and counts it.
    pub(super) fn search(&self, mut search: Search) -> Result<Hits> {
        search.set_unset_k();
        self.hits(&search)
    }

    /// The same, where no `k` is unset but that of pages.
    fn hits(&self, search: &Search) -> Result<Hits> {
        self.search_shard(search).map(|(hits, _)| hits)
    }

    /// The same with what a shard says beside its hits. A shard returns the hits of all
    /// pages until the end of the one asked for.
    pub(super) fn search_shard(&self, search: &Search) -> Result<(Hits, OfShard)> {
        let _span = tracing::debug_span!("search", limit = search.limit, offset = search.offset).entered();
        let laps = Laps::begin();
        let found = self.found(search, laps);
        let (took, end, hits) = match &found {
            Ok((hits, _)) => {
                (hits.took.total, hits.stopped.map_or(SearchEnd::Whole, end_of), hits.hits.len())
            }
            Err(error) => (laps.elapsed(), stopped(error).map_or(SearchEnd::Failed, end_of), 0),
        };
        self.counters.searched(took, end, hits);
        match &found {
            Ok(_) => tracing::debug!(?took, ?end, hits, "searched"),
            Err(error) => tracing::debug!(?took, ?end, %error, "a search without a result"),
        }
        found
    }

    fn found(&self, search: &Search, mut laps: Laps) -> Result<(Hits, OfShard)> {
        let (mut took, mut of_shard) = (Timings::default(), OfShard::default());
        let is_shard = matches!(self.scope, Scope::Shard { .. });
        let fields = search.fields.as_deref().unwrap_or_default();
        stored::check_wanted(&self.snapshot.schema, fields, &search.vectors)?;
        if !is_shard {
            check(search)?;
        }
        let (cancel, noted) = (self.options.begin(), OnceLock::new());
        let _heap = self.memory.admit_search(|| heap(self.snapshot, search), &cancel)?;
        let stop = Stop::new(&cancel, self.options.on_stop, &noted);
        let unfiltered = self.resolver(stop);
        let filter = stop.part(filter(&unfiltered, search))?;
        let resolver = Resolver { filter: filter.as_ref().and_then(Option::as_ref), ..unfiltered };
        let plans = aggregate::resolve(&self.snapshot.schema, &search.aggs)?;
        let grouping = search.collapse.as_ref().map(|by| group::resolve(&self.snapshot.schema, by));
        let grouping = grouping.transpose()?;
        let node = match filter {
            Some(_) => stop.part(node(&resolver, search))?,
            None => None,
        };
        took.resolve = laps.lap();
        let (ranked, groups) = match (&node, &grouping) {
            (None, _) => (Ranked::none(), Vec::new()),
            (Some(node), None) => {
                (ranked(&resolver, search, node.as_ref(), (&mut took, &mut laps))?, Vec::new())
            }
            (Some(node), Some(grouping)) => {
                grouped(&resolver, search, node.as_ref(), grouping, (&mut took, &mut laps))?
            }
        };
        let Ranked { ranking, left_out, .. } = ranked;
        let (mut total, mut aggregations, rest) = (ranking.total, BTreeMap::new(), stop.rest());
        if let Some(node) = &node
            && (search.total || !plans.is_empty())
        {
            let matches = Matches { node: node.as_ref(), ranked: &ranking.docs, left_out: &left_out };
            let tally = tally(&resolver, search, matches, &plans, &rest)?;
            if is_shard {
                of_shard.counted = tally.found.into_iter().map(aggregate::Found::into_owned).collect();
            } else {
                aggregations = tally::results(&resolver, &plans, tally.found)?;
            }
            if node.is_some() {
                total = Total::Exactly(tally.docs);
            }
        }
        took.aggregate = laps.lap();
        // Explanations speak of the `k` of this page.
        let mut of_page = Cow::Borrowed(search);
        if search.explain {
            of_page.to_mut().set_k_of_page();
        }
        let end = search.offset.saturating_add(search.limit);
        let skipped = if is_shard { 0 } else { search.offset };
        let hits = match grouping {
            None => {
                let docs = ranking.docs.iter().take(end).skip(skipped);
                if is_shard && !search.sort.is_empty() {
                    of_shard.sorted_by = sort::keys(&resolver, &search.sort, docs.clone())?;
                }
                page::read(&resolver, &of_page, docs)?
            }
            Some(_) => {
                let groups = groups.iter().take(end).skip(skipped);
                if is_shard && !search.sort.is_empty() {
                    let best = groups.clone().filter_map(|group| group.docs.first());
                    of_shard.sorted_by = sort::keys(&resolver, &search.sort, best)?;
                }
                page::read_groups(&resolver, &of_page, groups)?
            }
        };
        let unknown_fields = unknown_fields(self.snapshot, search)?;
        (took.stored, took.total) = (laps.lap(), laps.total());
        let (exact, segments, stopped) = (ranking.exact, ranking.segments, noted.get().copied());
        if stopped.is_some() {
            total = total.at_least();
        }
        let hits =
            Hits { hits, exact, segments, unknown_fields, stopped, total, aggregations, shards: None, took };
        Ok((hits, of_shard))
    }

    /// The statistics of all words that a search looks for.
    pub(super) fn text_statistics(&self, mut search: Search) -> Result<TextStatistics> {
        search.set_unset_k();
        let (cancel, is_part, noted) = (self.options.begin(), OnceLock::new(), Mutex::default());
        let resolver = self.resolver(Stop::new(&cancel, OnStop::Fail, &is_part));
        let resolver =
            Resolver { statistics: Statistics::Noted(&noted), rank_query: note, given: None, ..resolver };
        note(&resolver, &search.query, 0)?;
        search.filter.iter().try_for_each(|filter| note(&resolver, filter, 0).map(drop))?;
        if let Some(RerankBy::Query(query)) = search.rerank.as_ref().map(|rerank| &rerank.by) {
            note(&resolver, query, 0)?;
        }
        Ok(noted.into_inner())
    }

    /// The results of searches in their order. A single one is run side by side in its segments, several side by side.
    pub(super) fn search_many(&self, mut searches: Vec<Search>) -> Vec<Result<Hits>> {
        // What is equal now is the same: an unset `k` inside a filter follows from the limit of its search.
        searches.iter_mut().for_each(Search::set_unset_k);
        if let [only] = &searches[..] {
            return vec![self.hits(only)];
        }
        let options = self.options.on_caller();
        let each = Run { options: &options, ..*self };
        let groups = match self.options.on_stop {
            // With a deadline of its own, each takes its own time.
            OnStop::Fail if !self.options.has_timeout() => {
                together::groups(self.snapshot, &searches, self.options.threads.count())
            }
            _ => (0..searches.len()).map(|number| vec![number]).collect(),
        };
        let of_group = |group: usize| {
            let numbers = groups.get(group).map_or(&[][..], Vec::as_slice);
            let searches: Vec<&Search> = numbers.iter().filter_map(|&number| searches.get(number)).collect();
            let (cancel, noted) = (options.begin(), OnceLock::new());
            let resolver = each.resolver(Stop::new(&cancel, OnStop::Fail, &noted));
            // What goes wrong here goes wrong for each of them, which says so.
            let shared: Option<Shared> = together::search(&resolver, &searches).ok().flatten();
            let found = searches.iter().enumerate().map(|(number, &search)| {
                let known = shared.as_ref().map(|shared| shared.known(number));
                Run { known, ..each }.hits(search)
            });
            Ok(numbers.iter().copied().zip(found).collect::<Vec<_>>())
        };
        let found = self.options.threads.each(groups.len(), || (0..groups.len()).collect(), of_group);
        match found {
            Ok(found) => {
                let mut found: Vec<(usize, Result<Hits>)> = found.into_iter().flatten().collect();
                found.sort_unstable_by_key(|(number, _)| *number);
                found.into_iter().map(|(_, hits)| hits).collect()
            }
            Err(error) => searches.iter().map(|_| Err(Error::Invalid(error.to_string()))).collect(),
        }
    }

    pub(super) fn count(&self, search: Search) -> Result<u64> {
        unknown_fields(self.snapshot, &search)?;
        Ok(self.each_match(search, |docs| u64::from(docs.count()))?.into_iter().sum())
    }

    /// What `of` makes of the documents that match, of each segment in their order.
    pub(super) fn each_match<T: Send>(
        &self,
        mut search: Search,
        of: impl Fn(BitSet) -> T + Sync,
    ) -> Result<Vec<T>> {
        search.set_unset_k();
        let (cancel, noted) = (self.options.begin(), OnceLock::new());
        let _heap = self.memory.admit_search(|| heap(self.snapshot, &search), &cancel)?;
        let unfiltered = self.resolver(Stop::new(&cancel, OnStop::Fail, &noted));
        let filter = filter(&unfiltered, &search)?;
        let resolver = Resolver { filter: filter.as_ref(), ..unfiltered };
        let node = resolver.resolve(&search.query)?;
        let both: Vec<&Node> = [&node].into_iter().chain(&filter).collect();
        resolver.each_segment(|part| Ok(matching::accepted(&both, part)?.map(&of)))
    }

    /// The values of a field, in their order, with the number of documents that have each.
    pub(super) fn values(&self, field: &str, prefix: &str, limit: usize) -> Result<Vec<(Value, u64)>> {
        let (cancel, noted) = (self.options.begin(), OnceLock::new());
        field_values::values(&self.resolver(Stop::new(&cancel, OnStop::Fail, &noted)), field, prefix, limit)
    }

    pub(super) fn explain(&self, mut search: Search, key: &str) -> Result<Explanation> {
        // One deadline for all that this takes.
        let cancel = self.options.begin();
        let options = self.options.whole(&cancel);
        let run = Run { options: &options, ..*self };
        search.set_unset_k();
        let Search { offset, limit, .. } = search;
        search.set_k_of_page();
        let all = Search {
            offset: 0,
            limit: MAX_K,
            fields: None,
            vectors: Vec::new(),
            highlight: Vec::new(),
            score_as: None,
            explain: false,
            aggs: BTreeMap::new(),
            collapse: None,
            total: false,
            ..search.clone()
        };
        let hits = run.found(&all, Laps::begin())?.0.hits;
        let Some(address) = stored::find(self.snapshot, key)? else {
            return Ok(Explanation::no_match(format!(
                "no live document has the key {key:?}: deleted, or never added"
            )));
        };
        let explained = match hits.iter().enumerate().find(|(_, hit)| hit.key == key) {
            None => Explanation::no_match(format!("document {key:?} is not found")),
            Some((rank, hit)) => {
                let on_page = rank >= offset && rank - offset < limit;
                let outcome = if search.collapse.is_some() {
                    "found, before hits are grouped"
                } else if on_page {
                    "a hit"
                } else {
                    "found, but not on this page"
                };
                let rank = rank + 1;
                let description =
                    format!("document {key:?} is {outcome}: rank {rank} (offset {offset}, limit {limit})");
                Explanation::new(true, hit.score, description)
            }
        };
        let noted = OnceLock::new();
        let unfiltered = run.resolver(Stop::new(&cancel, OnStop::Fail, &noted));
        let filter = filter(&unfiltered, &search)?;
        let resolver = Resolver { filter: filter.as_ref(), ..unfiltered };
        Ok(explained.with(explain::parts(&resolver, &search, address)?))
    }

    fn resolver(&self, stop: Stop<'a>) -> Resolver<'a> {
        let Run { snapshot, analyzers, options, scope, .. } = *self;
        let (statistics, given, shards) = match scope {
            Scope::Whole => (Statistics::Own, None, 1),
            Scope::Shard { statistics, given, shards } => {
                (statistics.map_or(Statistics::Own, Statistics::Given), Some(given), shards)
            }
        };
        Resolver {
            snapshot,
            analyzers,
            filter: None,
            stop,
            threads: &options.threads,
            rank_query: rank::rank,
            statistics,
            given,
            shards,
            known: self.known,
        }
    }
}

fn end_of(stopped: Stopped) -> SearchEnd {
    match stopped {
        Stopped::TimedOut => SearchEnd::TimedOut,
        Stopped::Cancelled => SearchEnd::Cancelled,
    }
}

/// Resolves a query for the statistics of its words, and makes no ranking.
fn note(resolver: &Resolver<'_>, query: &Query, _limit: usize) -> Result<Ranking> {
    match query {
        Query::Knn(knn) => {
            knn.filter.iter().try_for_each(|filter| note(resolver, filter, 0).map(drop))?;
        }
        Query::Fuse(fuse) => {
            fuse.queries.iter().try_for_each(|one| note(resolver, &one.query, 0).map(drop))?
        }
        query => drop(resolver.resolve(query)?),
    }
    Ok(Ranking::none())
}

/// Refuses numbers out of their ranges.
pub(super) fn check(search: &Search) -> Result<()> {
    let wrong = |problem: String| Err(Error::WrongQuery { field: None, problem });
    if search.limit == 0 || search.limit > MAX_K {
        return wrong(format!("limit (k) is {}, expected 1 to {MAX_K}", search.limit));
    }
    if search.min_score.is_some_and(f32::is_nan) {
        return wrong("min_score is not a number".to_owned());
    }
    match &search.rerank {
        Some(_) if !search.sort.is_empty() => {
            wrong("rerank and sort cannot be combined; remove one".to_owned())
        }
        Some(second) => rerank::check(second),
        None => Ok(()),
    }
}

/// The filter of a search. kNN queries in it search all documents.
fn filter(unfiltered: &Resolver<'_>, search: &Search) -> Result<Option<Node>> {
    search.filter.as_ref().map(|filter| unfiltered.unfiltered().resolve(filter)).transpose()
}

/// The resolved query; `None` for a query that is a ranking of its own and is not sorted.
fn node(resolver: &Resolver<'_>, search: &Search) -> Result<Option<Node>> {
    match &search.query {
        Query::Knn(_) | Query::Fuse(_) if search.sort.is_empty() => Ok(None),
        query => resolver.resolve(query).map(Some),
    }
}
