//! Nearest neighbours over all segments of a snapshot.

use super::hits::SegmentSearch;
use crate::error::{Error, Result};
use crate::options::{MAX_CANDIDATES, MAX_K};
use crate::query::Knn;
use crate::reader::{Snapshot, SnapshotSegment, VectorSegment};
use crate::schema::VectorField;
use lucerne_codec::vector::{Effort, VectorSearch};
use lucerne_codec::{Cancel, DocId, Neighbor, Similarity};
use std::cmp::Ordering;

/// A neighbour and its segment's position in the snapshot.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Found {
    pub(crate) segment: usize,
    pub(crate) neighbor: Neighbor,
}

pub(crate) struct KnnResult {
    pub(crate) found: Vec<Found>,
    pub(crate) similarity: Similarity,
    pub(crate) exact: bool,
    pub(crate) segments: Vec<SegmentSearch>,
}

pub(crate) fn search(snapshot: &Snapshot, query: &Knn) -> Result<KnnResult> {
    let field = snapshot.schema.vector_field_named(&query.field)?;
    let (number, similarity) = (field.number(), field.info().similarity);
    check(query, field)?;
    let row = crate::document::check_query(field, &query.vector)?;
    let wanted = match query.rescore {
        Some(factor) if !query.exact => (query.k as f64 * f64::from(factor)).ceil() as usize,
        _ => query.k,
    };
    let effort = match query.exact {
        true => Effort::Exact,
        false => Effort::Candidates(query.effective_candidates().max(wanted)),
    };
    let mut result = KnnResult { found: Vec::new(), similarity, exact: true, segments: Vec::new() };
    let searched = snapshot.segments.iter().enumerate().filter_map(|(index, segment)| {
        segment.reader.vector_field(number).map(|vectors| (index, segment, vectors))
    });
    for (index, segment, vectors) in searched.clone() {
        let ties = key_order(segment);
        let hits = vectors.reader.search(&VectorSearch {
            query: &row,
            k: wanted,
            effort,
            accept: segment.accept(),
            ties: &ties,
            cancel: &Cancel::new(),
        })?;
        result.exact &= hits.exact;
        result.found.extend(hits.neighbors.iter().map(|&neighbor| Found { segment: index, neighbor }));
        result.segments.push(SegmentSearch {
            segment: segment.reader.name().to_owned(),
            strategy: hits.strategy,
            visited: hits.visited,
        });
    }
    keep_best(snapshot, &mut result.found, wanted)?;
    if query.rescore.is_some() && !result.exact {
        for (index, _, vectors) in searched {
            rescore(&row, vectors, index, &mut result.found)?;
        }
        result.exact = true;
        keep_best(snapshot, &mut result.found, query.k)?;
    }
    result.found.truncate(query.k);
    Ok(result)
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
    match query.rescore {
        Some(factor) if !(1.0..=1000.0).contains(&factor) => {
            wrong(format!("rescore is {factor}, expected a factor from 1 to 1000"))
        }
        _ => Ok(()),
    }
}

/// Documents of one segment in the order of their keys' bytes. A key that cannot be read sorts last; reading
/// it for the hit reports the damage.
fn key_order(segment: &SnapshotSegment) -> impl Fn(DocId, DocId) -> Ordering + Sync + '_ {
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
