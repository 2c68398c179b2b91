//! Ranks the documents of any query: where text queries, kNN and fusion meet.

use super::hits::SegmentSearch;
use super::node::Node;
use super::ranking::{DocAddress, Ranking, ScoredDoc, keep_best, key_order};
use super::resolve::Resolver;
use super::scorers::TopDocsCollector;
use super::{fuse, knn, matching, score};
use crate::error::Result;
use crate::query::Query;
use crate::reader::Snapshot;
use lucerne_codec::{Accept, Cancel};

/// The best documents of a query that match the resolver's filter: the `k` neighbors of a kNN query, all documents
/// of a fusion, `limit` documents of any other query.
pub(super) fn rank(resolver: &Resolver<'_>, query: &Query, limit: usize) -> Result<Ranking> {
    match query {
        Query::Knn(query) => knn::search(resolver, query),
        Query::Fuse(query) => fuse::fuse(resolver, query),
        query => top_docs(resolver.snapshot, &resolver.resolve(query)?, resolver.filter, limit),
    }
}

/// The `limit` documents with the highest scores.
fn top_docs(snapshot: &Snapshot, node: &Node, filter: Option<&Node>, limit: usize) -> Result<Ranking> {
    let (mut docs, mut segments): (Vec<ScoredDoc>, Vec<SegmentSearch>) = (Vec::new(), Vec::new());
    for (index, segment) in snapshot.segments.iter().enumerate() {
        let filtered = matching::accepted(filter.as_slice(), index, segment)?;
        let accept = filtered.as_ref().map_or_else(|| segment.accept(), Accept::only);
        let ties = key_order(segment);
        // Once `limit` documents are known, only scores that are not worse than theirs count. An equal score may
        // still win by its key.
        let min_score = match docs.get(limit.wrapping_sub(1)) {
            Some(last) => last.score,
            None => f32::NEG_INFINITY,
        };
        let cancel = Cancel::new();
        let mut collector = TopDocsCollector::new(limit, accept, &ties, &cancel).with_min_score(min_score);
        score::collect(node, index, segment, &mut collector)?;
        segments.push(SegmentSearch {
            segment: segment.reader.name().to_owned(),
            strategy: "terms",
            visited: collector.visited(),
            accepted: accept.count(),
        });
        docs.extend(collector.into_sorted().into_iter().map(|(doc, score)| ScoredDoc {
            address: DocAddress { segment: index, doc },
            score,
            vector: None,
        }));
        keep_best(snapshot, &mut docs, limit);
    }
    Ok(Ranking { docs, exact: true, segments })
}
