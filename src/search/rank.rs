//! Ranks the documents of any query: where text queries, kNN and fusion meet.

use super::hits::SegmentSearch;
use super::node::Node;
use super::ranking::{DocAddress, Ranking, ScoredDoc, best_first, key_order};
use super::resolve::Resolver;
use super::scorers::TopDocsCollector;
use super::sorted_runs::{first, merged};
use super::total::Total;
use super::{fuse, knn, matching, score};
use crate::error::Result;
use crate::query::Query;
use lucerne_codec::Accept;
use parking_lot::Mutex;

/// The best documents of a query that match the resolver's filter: the `k` neighbors of a kNN query, all documents
/// of a fusion, `limit` documents of any other query.
pub(super) fn rank(resolver: &Resolver<'_>, query: &Query, limit: usize) -> Result<Ranking> {
    match query {
        Query::Knn(query) => knn::search(resolver, query),
        Query::Fuse(query) => fuse::fuse(resolver, query),
        query => top_docs(resolver, &resolver.resolve(query)?, limit),
    }
}

/// The `limit` documents with the highest scores.
pub(super) fn top_docs(resolver: &Resolver<'_>, node: &Node, limit: usize) -> Result<Ranking> {
    let Resolver { snapshot, filter, stop, .. } = *resolver;
    // Once `limit` documents are known, only scores that are not worse than theirs count in further segments. An equal
    // score may still win by its key.
    let best: Mutex<Vec<ScoredDoc>> = Mutex::default();
    let segments = resolver.each_segment(|part| {
        let Some(filtered) = stop.part(matching::accepted(filter.as_slice(), part))? else {
            return Ok(None);
        };
        let accept = filtered.as_ref().map_or_else(|| part.segment.accept(), Accept::only);
        let ties = key_order(part.segment);
        let last = best.lock().get(limit.wrapping_sub(1)).map(|last| last.score);
        let least = last.unwrap_or(f32::NEG_INFINITY);
        let mut collector = TopDocsCollector::new(limit, accept, &ties, part.cancel).with_min_score(least);
        stop.part(score::collect(node, part, &mut collector))?;
        let (visited, skipped) = (collector.visited(), collector.has_skipped());
        let found = collector.into_unsorted().map(|(doc, score)| ScoredDoc {
            address: DocAddress { segment: part.index, doc },
            score,
            vector: None,
        });
        let (rest, order) = (stop.rest(), best_first(snapshot));
        let found = stop.part(first(found, limit, order, &rest))?.unwrap_or_default();
        let mut best = best.lock();
        if best.is_empty() {
            *best = found;
        } else if let Some(both) = stop.part(merged([best.clone(), found], limit, order, &rest))? {
            *best = both;
        }
        let (segment, accepted) = (part.segment.reader.name().to_owned(), accept.count());
        Ok(Some((SegmentSearch { segment, strategy: "terms", visited, accepted }, skipped)))
    })?;
    let skipped = segments.iter().any(|(_, skipped)| *skipped);
    let segments: Vec<SegmentSearch> = segments.into_iter().map(|(searched, _)| searched).collect();
    let visited = segments.iter().map(|searched| searched.visited).sum();
    let total = if skipped { Total::AtLeast(visited) } else { Total::Exactly(visited) };
    Ok(Ranking {
        docs: best.into_inner(),
        exact: true,
        segments,
        total: known(resolver, node).unwrap_or(total),
    })
}

/// How many documents match, where that is known without a search.
fn known(resolver: &Resolver<'_>, node: &Node) -> Option<Total> {
    let segments = &resolver.snapshot.segments;
    match node {
        _ if resolver.filter.is_some() => None,
        Node::All => Some(Total::Exactly(resolver.snapshot.live_docs())),
        Node::Words { words, .. } if words.len() == 1 && segments.iter().all(|one| one.live.is_none()) => {
            words.first().map(|word| {
                // Not its document frequency, which may be that of all shards.
                let entries = word.entries.iter().flatten();
                Total::Exactly(entries.map(|entry| u64::from(entry.doc_freq)).sum())
            })
        }
        _ => None,
    }
}
