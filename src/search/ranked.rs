//! The ranking of a search: ranked, reranked, cut at a least score and, if it is to be in groups, searched deeper until
//! there are enough of them.

use super::given::{self, RankingOf};
use super::group::{Group, Grouping};
use super::node::Node;
use super::phases::{Laps, Timings};
use super::ranking::{Ranking, ScoredDoc};
use super::resolve::Resolver;
use super::total::Total;
use super::{knn, rank, rerank, sort};
use crate::error::Result;
use crate::limits::MAX_K;
use crate::query::{Query, Search};

/// Documents ranked for each group wanted, and how many times as many when these are not enough.
const OVERFETCH: usize = 4;

/// A ranking after reranking.
pub(super) struct Ranked {
    pub(super) ranking: Ranking,
    /// What [`Search::min_score`] left out.
    pub(super) left_out: Vec<ScoredDoc>,
    /// True when there is nothing below it.
    ended: bool,
}

/// How deep to rank.
#[derive(Clone, Copy)]
struct Depth {
    /// Documents of a page.
    page: usize,
    /// Documents in all.
    end: usize,
}

impl Ranked {
    /// Of a search that was stopped before it began.
    pub(super) fn none() -> Self {
        Self { ranking: Ranking::none(), left_out: Vec::new(), ended: true }
    }
}

/// The best documents of a search, as many as its page and its reranking need.
pub(super) fn ranked(
    resolver: &Resolver<'_>,
    search: &Search,
    node: Option<&Node>,
    timing: (&mut Timings, &mut Laps),
) -> Result<Ranked> {
    let end = search.offset.saturating_add(search.limit);
    to_depth(resolver, search, node, Depth { page: search.limit, end }, timing)
}

/// The groups of a search, enough for its page, with the ranking that they are made of.
pub(super) fn grouped(
    resolver: &Resolver<'_>,
    search: &Search,
    node: Option<&Node>,
    grouping: &Grouping,
    (took, laps): (&mut Timings, &mut Laps),
) -> Result<(Ranked, Vec<Group>)> {
    let stop = resolver.stop;
    let wanted = search.offset.saturating_add(search.limit);
    let is_neighbors = node.is_none();
    // Neighbors end at MAX_K; an offset beyond is refused there.
    let most = if is_neighbors { MAX_K.max(wanted) } else { usize::MAX };
    // The page has no part in the offset, which must not change what is found.
    let page = search.limit.saturating_mul(OVERFETCH).min(most);
    let mut end = wanted.saturating_mul(OVERFETCH).min(most);
    loop {
        let ranked = to_depth(resolver, search, node, Depth { page, end }, (&mut *took, &mut *laps))?;
        let rest = stop.rest();
        let resolver = Resolver { stop: stop.with(&rest), ..*resolver };
        let groups = stop.part(grouping.groups(&resolver, &ranked.ranking.docs))?.unwrap_or_default();
        took.search += laps.lap();
        let complete = grouping.is_complete(&groups, search.offset, wanted);
        if complete || ranked.ended || stop.is_part() || end >= most {
            return Ok((ranked, groups));
        }
        end = end.saturating_mul(OVERFETCH).min(most);
    }
}

fn to_depth(
    resolver: &Resolver<'_>,
    search: &Search,
    node: Option<&Node>,
    depth: Depth,
    (took, laps): (&mut Timings, &mut Laps),
) -> Result<Ranked> {
    let window = search.rerank.as_ref().map_or(0, |rerank| rerank.window);
    let wanted = depth.end.max(window);
    let found =
        resolver.stop.part(before_reranking(resolver, search, node, depth.page.max(window), wanted))?;
    let mut ranking = found.unwrap_or_else(Ranking::none);
    took.search += laps.lap();
    let goes_on = match (node, &search.query) {
        (None, Query::Knn(query)) => query.k.is_none() && ranking.docs.len() >= wanted,
        (None, _) => false,
        (Some(_), _) => ranking.docs.len() >= wanted,
    };
    let mut ended = !goes_on;
    if let Some(rerank) = &search.rerank {
        // A least score or groups may leave some out.
        let all_count = search.min_score.is_none() && search.collapse.is_none();
        let needed = if all_count { depth.end } else { usize::MAX };
        rerank::rerank(resolver, rerank, needed, &mut ranking.docs)?;
        ranking.exact &= rerank::is_exact(&resolver.snapshot.schema, rerank);
    }
    let mut left_out = Vec::new();
    if let Some(least) = search.min_score {
        let (kept, below): (Vec<_>, Vec<_>) = ranking.docs.into_iter().partition(|doc| doc.score >= least);
        // Below a document that is left out all are, unless they have yet to be reranked.
        ended |= !below.is_empty() && search.rerank.is_none();
        ranking.total = match ended {
            true if search.sort.is_empty() => Total::Exactly(kept.len() as u64),
            true => ranking.total,
            false => Total::AtLeast(kept.len() as u64),
        };
        (ranking.docs, left_out) = (kept, below);
    }
    took.rerank += laps.lap();
    Ok(Ranked { ranking, left_out, ended })
}

/// The documents of a search before reranking: `end` of them, for pages of `page` each.
fn before_reranking(
    resolver: &Resolver<'_>,
    search: &Search,
    node: Option<&Node>,
    page: usize,
    end: usize,
) -> Result<Ranking> {
    if let Some(given) = resolver.given.filter(|given| !given.is_empty())
        && search.sort.is_empty()
        && let Some(ranking) =
            given::find(given, &RankingOf::new(&search.query, resolver.filter.is_some(), None))
    {
        return ranking.ranking(resolver.snapshot);
    }
    match (node, &search.query) {
        (Some(node), _) if !search.sort.is_empty() => {
            sort::sorted(resolver, node, &search.sort, search.min_score, end)
        }
        (Some(node), _) => rank::top_docs(resolver, node, end),
        (None, Query::Knn(query)) if query.k.is_none() => knn::pages(resolver, query, page, end),
        (None, query) => rank::rank(resolver, query, end),
    }
}
