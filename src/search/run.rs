//! Runs a search: resolve, rank, rerank or sort, read the page.

use super::explanation::Explanation;
use super::heap::heap;
use super::hits::Hits;
use super::node::Node;
use super::options::SearchOptions;
use super::phases::{Laps, Timings};
use super::ranked::{Ranked, grouped, ranked};
use super::resolve::Resolver;
use super::stop::{Stop, Stopped, stopped};
use super::tally::{Matches, tally};
use super::total::Total;
use super::unknown_fields::unknown_fields;
use super::{aggregate, explain, field_values, group, matching, page, rank, rerank, stored};
use crate::analysis::Analyzers;
use crate::document::Value;
use crate::error::{Error, Result};
use crate::limits::MAX_K;
use crate::memory::Memory;
use crate::query::{Query, Search};
use crate::reader::Snapshot;
use crate::stats::{Counters, SearchEnd};
use lucerne_codec::{BitSet, OnStop};
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
}

impl<'a> Run<'a> {
    /// Searches, and counts it.
    pub(super) fn search(&self, search: Search) -> Result<Hits> {
        let _span = tracing::debug_span!("search", limit = search.limit, offset = search.offset).entered();
        let laps = Laps::begin();
        let found = self.found(search, laps);
        let (took, end, hits) = match &found {
            Ok(hits) => (hits.took.total, hits.stopped.map_or(SearchEnd::Whole, end_of), hits.hits.len()),
            Err(error) => (laps.elapsed(), stopped(error).map_or(SearchEnd::Failed, end_of), 0),
        };
        self.counters.searched(took, end, hits);
        match &found {
            Ok(_) => tracing::debug!(?took, ?end, hits, "searched"),
            Err(error) => tracing::debug!(?took, ?end, %error, "a search without a result"),
        }
        found
    }

    fn found(&self, mut search: Search, mut laps: Laps) -> Result<Hits> {
        let mut took = Timings::default();
        search.set_unset_k();
        check(self.snapshot, &search)?;
        let (cancel, noted) = (self.options.begin(), OnceLock::new());
        let _heap = self.memory.admit_search(|| heap(self.snapshot, &search), &cancel)?;
        let stop = Stop::new(&cancel, self.options.on_stop, &noted);
        let unfiltered = self.resolver(stop);
        let filter = stop.part(filter(&unfiltered, &search))?;
        let resolver = Resolver { filter: filter.as_ref().and_then(Option::as_ref), ..unfiltered };
        let plans = aggregate::resolve(&self.snapshot.schema, &search.aggs)?;
        let grouping = search.collapse.as_ref().map(|by| group::resolve(&self.snapshot.schema, by));
        let grouping = grouping.transpose()?;
        let node = match filter {
            Some(_) => stop.part(node(&resolver, &search))?,
            None => None,
        };
        took.resolve = laps.lap();
        let (ranked, groups) = match (&node, &grouping) {
            (None, _) => (Ranked::none(), Vec::new()),
            (Some(node), None) => {
                (ranked(&resolver, &search, node.as_ref(), (&mut took, &mut laps))?, Vec::new())
            }
            (Some(node), Some(grouping)) => {
                grouped(&resolver, &search, node.as_ref(), grouping, (&mut took, &mut laps))?
            }
        };
        let Ranked { ranking, left_out, .. } = ranked;
        let (mut total, mut aggregations) = (ranking.total, BTreeMap::new());
        if let Some(node) = &node
            && (search.total || !plans.is_empty())
        {
            let matches = Matches { node: node.as_ref(), ranked: &ranking.docs, left_out: &left_out };
            let tally = tally(&resolver, &search, matches, &plans)?;
            aggregations = tally.aggregations;
            if node.is_some() {
                total = Total::Exactly(tally.docs);
            }
        }
        took.aggregate = laps.lap();
        search.set_k_of_page();
        let hits = match grouping {
            None => {
                let docs = ranking.docs.iter().skip(search.offset).take(search.limit);
                page::read(&resolver, &search, docs)?
            }
            Some(_) => {
                let groups = groups.iter().skip(search.offset).take(search.limit);
                page::read_groups(&resolver, &search, groups)?
            }
        };
        let unknown_fields = unknown_fields(self.snapshot, &search)?;
        (took.stored, took.total) = (laps.lap(), laps.total());
        let (exact, segments, stopped) = (ranking.exact, ranking.segments, noted.get().copied());
        if stopped.is_some() {
            total = total.at_least();
        }
        Ok(Hits { hits, exact, segments, unknown_fields, stopped, total, aggregations, took })
    }

    /// The results of searches in their order. A single one is run side by side in its segments, several side by side.
    pub(super) fn search_many(&self, searches: Vec<Search>) -> Vec<Result<Hits>> {
        if let [_] = &searches[..] {
            return searches.into_iter().map(|search| self.search(search)).collect();
        }
        let options = self.options.on_caller();
        let each = Run { options: &options, ..*self };
        let one = |number: usize| Ok(searches.get(number).map(|search| each.search(search.clone())));
        let found = self.options.threads.each(searches.len(), || (0..searches.len()).collect(), one);
        match found {
            Ok(found) => found.into_iter().flatten().collect(),
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
        let hits = run.found(all, Laps::begin())?.hits;
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
        let Run { snapshot, analyzers, options, .. } = *self;
        Resolver {
            snapshot,
            analyzers,
            filter: None,
            stop,
            threads: &options.threads,
            rank_query: rank::rank,
        }
    }
}

fn end_of(stopped: Stopped) -> SearchEnd {
    match stopped {
        Stopped::TimedOut => SearchEnd::TimedOut,
        Stopped::Cancelled => SearchEnd::Cancelled,
    }
}

fn check(snapshot: &Snapshot, search: &Search) -> Result<()> {
    let wrong = |problem: String| Err(Error::WrongQuery { field: None, problem });
    let fields = search.fields.as_deref().unwrap_or_default();
    stored::check_wanted(&snapshot.schema, fields, &search.vectors)?;
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
    search.filter.as_ref().map(|filter| unfiltered.resolve(filter)).transpose()
}

/// The resolved query; `None` for a query that is a ranking of its own and is not sorted.
fn node(resolver: &Resolver<'_>, search: &Search) -> Result<Option<Node>> {
    match &search.query {
        Query::Knn(_) | Query::Fuse(_) if search.sort.is_empty() => Ok(None),
        query => resolver.resolve(query).map(Some),
    }
}
