//! Runs a search: resolve, rank, rerank or sort, read the page.

use super::explanation::Explanation;
use super::hits::Hits;
use super::node::Node;
use super::options::SearchOptions;
use super::phases::{Laps, Timings};
use super::ranking::Ranking;
use super::resolve::Resolver;
use super::stop::{Stop, Stopped, stopped};
use super::unknown_fields::unknown_fields;
use super::{explain, knn, matching, page, rank, rerank, sort, stored};
use crate::analysis::Analyzers;
use crate::error::{Error, Result};
use crate::limits::MAX_K;
use crate::query::{Query, Search};
use crate::reader::Snapshot;
use crate::stats::{Counters, SearchEnd};
use lucerne_codec::OnStop;
use std::sync::OnceLock;

/// What searches are run on, and how.
#[derive(Clone, Copy)]
pub(super) struct Run<'a> {
    pub(super) snapshot: &'a Snapshot,
    pub(super) analyzers: &'a Analyzers,
    pub(super) counters: &'a Counters,
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
        let stop = Stop::new(&cancel, self.options.on_stop, &noted);
        let unfiltered = self.resolver(stop);
        let filter = stop.part(filter(&unfiltered, &search))?;
        let resolver = Resolver { filter: filter.as_ref().and_then(Option::as_ref), ..unfiltered };
        let node = match filter {
            Some(_) => stop.part(node(&resolver, &search))?,
            None => None,
        };
        took.resolve = laps.lap();
        let ranking = node.map(|node| stop.part(ranked(&resolver, &search, node.as_ref())));
        let mut ranking = ranking.transpose()?.flatten().unwrap_or_else(Ranking::none);
        took.search = laps.lap();
        if let Some(rerank) = &search.rerank {
            rerank::rerank(&resolver, rerank, &mut ranking.docs)?;
            ranking.exact &= rerank::is_exact(&self.snapshot.schema, rerank);
        }
        if let Some(least) = search.min_score {
            ranking.docs.retain(|doc| doc.score >= least);
        }
        took.rerank = laps.lap();
        search.set_k_of_page();
        let docs = ranking.docs.iter().skip(search.offset).take(search.limit);
        let hits = page::read(&resolver, &search, docs)?;
        let unknown_fields = unknown_fields(self.snapshot, &search)?;
        (took.stored, took.total) = (laps.lap(), laps.total());
        let (exact, segments, stopped) = (ranking.exact, ranking.segments, noted.get().copied());
        Ok(Hits { hits, exact, segments, unknown_fields, stopped, took })
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

    pub(super) fn count(&self, mut search: Search) -> Result<u64> {
        search.set_unset_k();
        unknown_fields(self.snapshot, &search)?;
        let (cancel, noted) = (self.options.begin(), OnceLock::new());
        let unfiltered = self.resolver(Stop::new(&cancel, OnStop::Fail, &noted));
        let filter = filter(&unfiltered, &search)?;
        let resolver = Resolver { filter: filter.as_ref(), ..unfiltered };
        let node = resolver.resolve(&search.query)?;
        let both: Vec<&Node> = [&node].into_iter().chain(&filter).collect();
        let counts = resolver.each_segment(|part| {
            let docs = matching::accepted(&both, part)?;
            Ok(docs.map(|docs| u64::from(docs.count())))
        })?;
        Ok(counts.into_iter().sum())
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
            highlight: Vec::new(),
            score_as: None,
            explain: false,
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
                let outcome = if on_page { "a hit" } else { "found, but not on this page" };
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
    if let Some(fields) = &search.fields {
        fields.iter().try_for_each(|field| stored::check_returnable(&snapshot.schema, field))?;
    }
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

/// The documents of a search before reranking, as many as its page and its reranking need.
fn ranked(resolver: &Resolver<'_>, search: &Search, node: Option<&Node>) -> Result<Ranking> {
    let limit = search.offset.saturating_add(search.limit);
    let window = search.rerank.as_ref().map_or(0, |rerank| rerank.window);
    match (node, &search.query) {
        (Some(node), _) if !search.sort.is_empty() => {
            sort::sorted(resolver, node, &search.sort, search.min_score, limit)
        }
        (Some(node), _) => rank::top_docs(resolver, node, limit.max(window)),
        (None, Query::Knn(query)) if query.k.is_none() => {
            knn::pages(resolver, query, search.limit.max(window), limit.max(window))
        }
        (None, query) => rank::rank(resolver, query, limit.max(window)),
    }
}
