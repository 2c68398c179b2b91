//! Nearest neighbours over all segments of a snapshot.

use super::hits::SegmentSearch;
use super::node::Node;
use super::rank::{Nearest, Ranked, accepted};
use super::resolve::Resolver;
use crate::error::{Error, Result};
use crate::limits::{DEFAULT_CANDIDATES, MAX_CANDIDATES, MAX_K};
use crate::query::Knn;
use crate::reader::{Snapshot, SnapshotSegment, VectorSegment};
use crate::schema::VectorField;
use lucerne_codec::vector::{Effort, VectorReader, VectorSearch};
use lucerne_codec::{Accept, Cancel, DocId, Neighbor, Similarity};
use std::cmp::Ordering;

/// A neighbour and its segment's position in the snapshot.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Found {
    pub(crate) segment: usize,
    pub(crate) neighbor: Neighbor,
}

#[derive(Default)]
pub(crate) struct KnnResult {
    pub(crate) field: u32,
    pub(crate) found: Vec<Found>,
    pub(crate) similarity: Similarity,
    pub(crate) exact: bool,
    pub(crate) segments: Vec<SegmentSearch>,
}

impl KnnResult {
    /// The documents with their scores.
    pub(super) fn ranked(&self) -> Vec<Ranked> {
        let ranked = self.found.iter().map(|found| Ranked {
            segment: found.segment,
            doc: found.neighbor.doc,
            score: self.similarity.score(found.neighbor.distance),
            nearest: Some(Nearest { field: self.field, neighbor: found.neighbor }),
        });
        ranked.collect()
    }
}

/// The nearest of the documents that match the query's filter and the resolver's, or of all when the query
/// filters afterwards.
pub(super) fn search(resolver: &Resolver<'_>, query: &Knn) -> Result<KnnResult> {
    let snapshot = resolver.snapshot;
    let field = snapshot.schema.vector_field_named(&query.field)?;
    let similarity = field.info().similarity;
    check(query, field)?;
    let row = crate::document::check_query(field, &query.vector)?;
    let own = query.filter.as_deref();
    let own = own.map(|filter| Resolver { filter: None, ..*resolver }.resolve(filter)).transpose()?;
    let filters: Vec<&Node> = own.iter().chain(resolver.filter).collect();
    let before: &[&Node] = if query.post_filter { &[] } else { &filters };
    let mut result = nearest(snapshot, query, field.number(), &row, before)?;
    (result.field, result.similarity) = (field.number(), similarity);
    if let Some(least) = query.min_score {
        result.found.retain(|found| similarity.score(found.neighbor.distance) >= least);
    }
    if query.post_filter && !filters.is_empty() {
        let passing = snapshot.segments.iter().enumerate();
        let passing = passing.map(|(index, segment)| accepted(&filters, index, segment));
        let passing = passing.collect::<Result<Vec<_>>>()?;
        result.found.retain(|found| {
            let passing = passing.get(found.segment).and_then(Option::as_ref);
            passing.is_some_and(|passing| passing.contains(found.neighbor.doc))
        });
    }
    Ok(result)
}

fn nearest(
    snapshot: &Snapshot,
    query: &Knn,
    number: u32,
    row: &[u8],
    filters: &[&Node],
) -> Result<KnnResult> {
    let wanted = match query.rescore {
        Some(factor) if !query.exact => (query.k as f64 * f64::from(factor)).ceil() as usize,
        _ => query.k,
    };
    let effort = |reader: &dyn VectorReader| match query.exact {
        true => Effort::Exact,
        false => {
            let candidates = query.candidates.or_else(|| reader.default_candidates(wanted));
            let candidates = candidates.unwrap_or(DEFAULT_CANDIDATES).min(MAX_CANDIDATES).max(wanted);
            query.nprobe.map_or(Effort::Candidates(candidates), |probes| Effort::Lists { probes, candidates })
        }
    };
    let mut result = KnnResult { exact: true, ..KnnResult::default() };
    let searched = snapshot.segments.iter().enumerate().filter_map(|(index, segment)| {
        segment.reader.vector_field(number).map(|vectors| (index, segment, vectors))
    });
    for (index, segment, vectors) in searched.clone() {
        let filtered = accepted(filters, index, segment)?;
        let accept = filtered.as_ref().map_or_else(|| segment.accept(), Accept::only);
        let ties = key_order(segment);
        let hits = vectors.reader.search(&VectorSearch {
            query: row,
            k: wanted,
            effort: effort(&*vectors.reader),
            accept,
            ties: &ties,
            cancel: &Cancel::new(),
        })?;
        result.exact &= hits.exact;
        result.found.extend(hits.neighbors.iter().map(|&neighbor| Found { segment: index, neighbor }));
        result.segments.push(SegmentSearch {
            segment: segment.reader.name().to_owned(),
            strategy: hits.strategy,
            visited: hits.visited,
            accepted: accept.count(),
        });
    }
    keep_best(snapshot, &mut result.found, wanted)?;
    if query.rescore.is_some() && !result.exact {
        for (index, _, vectors) in searched {
            rescore(row, vectors, index, &mut result.found)?;
        }
        result.exact = true;
        keep_best(snapshot, &mut result.found, query.k)?;
    }
    result.found.truncate(query.k);
    Ok(result)
}

/// The nearest of a document's vectors, compared exactly; `None` when it has none.
pub(super) fn nearest_of(
    snapshot: &Snapshot,
    field: u32,
    row: &[u8],
    segment: usize,
    doc: DocId,
) -> Result<Option<Neighbor>> {
    let segment = snapshot.segments.get(segment);
    let Some(vectors) = segment.and_then(|segment| segment.reader.vector_field(field)) else {
        return Ok(None);
    };
    let mut ordinals = Vec::new();
    vectors.reader.ordinals(doc, &mut ordinals)?;
    let neighbors = ordinals.into_iter().map(|ordinal| Neighbor { distance: f32::INFINITY, ordinal, doc });
    let mut neighbors: Vec<Neighbor> = neighbors.collect();
    vectors.reader.rescore(row, &mut neighbors)?;
    Ok(neighbors.into_iter().min_by(|left, right| left.distance.total_cmp(&right.distance)))
}

fn check(query: &Knn, field: VectorField<'_>) -> Result<()> {
    let wrong = |problem: String| Err(Error::WrongQuery { field: Some(query.field.clone()), problem });
    if !field.is_indexed() {
        return Err(Error::NotIndexed { field: query.field.clone() });
    }
    if query.k == 0 || query.k > MAX_K {
        return wrong(format!("k is {}, expected 1 to {MAX_K}", query.k));
    }
    if let Some(candidates) = query.candidates
        && (candidates == 0 || candidates > MAX_CANDIDATES)
    {
        return wrong(format!("candidates is {candidates}, expected 1 to {MAX_CANDIDATES}"));
    }
    if query.nprobe == Some(0) {
        return wrong("nprobe is 0, expected 1 or more".to_owned());
    }
    if query.min_score.is_some_and(f32::is_nan) {
        return wrong("min_score is not a number".to_owned());
    }
    match query.rescore {
        Some(factor) if !(1.0..=1000.0).contains(&factor) => {
            wrong(format!("rescore is {factor}, expected a factor from 1 to 1000"))
        }
        _ => Ok(()),
    }
}

/// Documents of one segment in the order of their keys' bytes. A key that cannot be read sorts last; reading
/// it for the hit reports the damage.
pub(super) fn key_order(segment: &SnapshotSegment) -> impl Fn(DocId, DocId) -> Ordering + Sync + '_ {
    |left, right| {
        let keys = segment.reader.keys();
        match (keys.key(left), keys.key(right)) {
            (Ok(left), Ok(right)) => left.cmp(right),
            (left, right) => left.is_err().cmp(&right.is_err()),
        }
    }
}

/// Sorts by distance, then key, and keeps the first `k`.
fn keep_best(snapshot: &Snapshot, found: &mut Vec<Found>, k: usize) -> Result<()> {
    let key = |found: &Found| {
        let segment = snapshot.segments.get(found.segment)?;
        segment.reader.keys().key(found.neighbor.doc).ok()
    };
    found.sort_by(|left, right| {
        let by_distance = left.neighbor.distance.total_cmp(&right.neighbor.distance);
        by_distance.then_with(|| key(left).cmp(&key(right)))
    });
    found.truncate(k);
    Ok(())
}

/// Gives the neighbours of one segment their exact distances.
fn rescore(row: &[u8], vectors: &VectorSegment, segment: usize, found: &mut [Found]) -> Result<()> {
    let mut own: Vec<&mut Neighbor> =
        found.iter_mut().filter(|found| found.segment == segment).map(|found| &mut found.neighbor).collect();
    let mut neighbors: Vec<Neighbor> = own.iter().map(|neighbor| **neighbor).collect();
    vectors.reader.rescore(row, &mut neighbors)?;
    own.iter_mut().zip(neighbors).for_each(|(old, new)| **old = new);
    Ok(())
}
