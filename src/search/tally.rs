//! Counts and aggregates all documents that a search finds.

use super::aggregate::{Aggregate, Found, Input, Plan, add, collect, finish};
use super::matching::accepted;
use super::node::Node;
use super::part::Part;
use super::ranking::ScoredDoc;
use super::resolve::Resolver;
use super::score::Scores;
use crate::error::Result;
use crate::limits::MAX_BUCKETS;
use crate::query::Search;
use lucerne_codec::{BitSet, Cancel};
use std::collections::BTreeMap;

/// What was counted.
pub(super) struct Tally<'a> {
    /// Number of documents.
    pub(super) docs: u64,
    /// By aggregation; nothing when it was stopped.
    pub(super) found: Vec<Found<'a>>,
}

/// Which documents a search finds.
#[derive(Clone, Copy)]
pub(super) struct Matches<'a> {
    /// The resolved query; `None` when the query is a ranking of its own, whose documents are all that are found.
    pub(super) node: Option<&'a Node>,
    /// The ranking, after reranking.
    pub(super) ranked: &'a [ScoredDoc],
    /// What [`Search::min_score`] left out of it.
    pub(super) left_out: &'a [ScoredDoc],
}

/// Counts and aggregates all documents found. Of a search that is stopped, those of the segments that it came to. `rest`
/// stops it.
pub(super) fn tally<'a>(
    resolver: &Resolver<'a>,
    search: &Search,
    matches: Matches<'_>,
    plans: &[Plan],
    rest: &'a Cancel,
) -> Result<Tally<'a>> {
    let stop = resolver.stop;
    let resolver = &Resolver { stop: stop.with(rest), ..*resolver };
    // A shard does not know which buckets are the best of all.
    let alone = resolver.snapshot.segments.len() == 1 && resolver.given.is_none();
    let of_segments = resolver.each_segment(|part| {
        let count = || {
            let set = documents(resolver, search, matches, part)?;
            let input = Input::all(&set).alone(alone);
            let found = plans.iter().map(|plan| Ok(collect(plan, part, &input)?.pop()));
            Ok((u64::from(input.docs()), found.collect::<Result<Vec<_>>>()?))
        };
        stop.part(count())
    })?;
    let rest = stop.rest();
    let docs = of_segments.iter().map(|(docs, _)| docs).sum();
    let found = of_segments.into_iter().map(|(_, found)| found);
    let found = stop.part(sum(plans, found, &rest))?.unwrap_or_default();
    Ok(Tally { docs, found })
}

/// The results of what was counted. Of a search that is stopped while it makes them there are none.
pub(super) fn results(
    resolver: &Resolver<'_>,
    plans: &[Plan],
    found: Vec<Found<'_>>,
) -> Result<BTreeMap<String, Aggregate>> {
    let rest = resolver.stop.rest();
    Ok(resolver.stop.part(finish_all(plans, found, &rest))?.unwrap_or_default())
}

/// The results of aggregations, by name.
pub(super) fn finish_all(
    plans: &[Plan],
    found: Vec<Found<'_>>,
    cancel: &Cancel,
) -> Result<BTreeMap<String, Aggregate>> {
    let mut room = MAX_BUCKETS;
    plans.iter().zip(found).map(|(plan, found)| finish(plan, found, &mut room, cancel)).collect()
}

/// What was found in several places together, in their order.
pub(super) fn sum<'a>(
    plans: &[Plan],
    of_segments: impl Iterator<Item = Vec<Option<Found<'a>>>>,
    cancel: &Cancel,
) -> Result<Vec<Found<'a>>> {
    let mut sums: Vec<Found<'_>> = plans.iter().map(Found::none).collect();
    for found in of_segments {
        let both = sums.into_iter().zip(found);
        let both = both.map(|(sum, found)| match found {
            Some(found) => add(sum, found, cancel),
            None => Ok(sum),
        });
        sums = both.collect::<Result<_>>()?;
    }
    Ok(sums)
}

/// The documents of a segment that a search finds.
fn documents(
    resolver: &Resolver<'_>,
    search: &Search,
    Matches { node, ranked, left_out }: Matches<'_>,
    part: Part<'_>,
) -> Result<BitSet> {
    let none = || BitSet::empty(part.segment.reader.max_doc());
    let own = |docs: &'_ [ScoredDoc]| {
        let own = docs.iter().filter(|doc| doc.address.segment == part.index);
        own.map(|doc| doc.address.doc).collect::<Vec<_>>()
    };
    let Some(node) = node else {
        let mut docs = none();
        own(ranked).into_iter().for_each(|doc| _ = docs.insert(doc));
        return Ok(docs);
    };
    let filters: Vec<&Node> = [node].into_iter().chain(resolver.filter).collect();
    let mut docs = accepted(&filters, part)?.unwrap_or_else(none);
    if let Some(least) = search.min_score {
        let mut scores = Scores::new(node, part)?;
        for doc in docs.clone().iter() {
            if scores.of(doc)? < least {
                docs.remove(doc);
            }
        }
        if search.rerank.is_some() {
            own(ranked).into_iter().for_each(|doc| _ = docs.insert(doc));
            own(left_out).into_iter().for_each(|doc| _ = docs.remove(doc));
        }
    }
    Ok(docs)
}
