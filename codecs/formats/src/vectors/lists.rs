//! The layer of inverted lists: searching, checking, telling about it.
//!
//! A search goes through the lists whose centroids are nearest to the query, nearest first: so many as it was told, or
//! until they held a number of vectors in proportion to the candidates wanted. What a filter refuses does not count, and
//! there is no end before `k` were found. Where that would be all vectors, a scan does it without the detour.

use super::collect::Best;
use super::exact::ExactQuery;
use super::reader::LayeredReader;
use super::scan::{offer_accepted, scan};
use super::search::{Query, Scratch};
use super::verify::each;
use crate::ivf::train;
use crate::sq8::query::BLOCK;
use lucerne_codec::format::Problem;
use lucerne_codec::vector::{Effort, VectorHits, VectorSearch};
use lucerne_codec::{Cancel, Ordinal, Report, Result};
use serde_json::json;
use std::cmp::Reverse;
use std::collections::BinaryHeap;

pub(super) use crate::ivf::{ListFile, Lists, ListsMeta};

/// Vectors gone through for each candidate wanted. With 32 and 100 candidates nine in ten of the nearest and more were
/// found (docs/binary.md).
const PER_CANDIDATE: usize = 32;

/// Finds the accepted vectors nearest to the query in the lists nearest to it.
pub(super) fn search(
    reader: &LayeredReader,
    lists: &ListFile,
    search: &VectorSearch<'_>,
    query: &Query<'_>,
    accepted: f64,
    scratch: &mut Scratch,
) -> Result<VectorHits> {
    let (probes, vectors) = match search.effort {
        Effort::Lists { probes, .. } => (probes, 0),
        Effort::Candidates(candidates) => (0, candidates.max(search.k).saturating_mul(PER_CANDIDATE)),
        Effort::Exact => (lists.count(), reader.len),
    };
    if vectors as f64 >= accepted {
        return scan(reader, search, query, accepted, scratch);
    }
    let wanted = vectors.max(search.k.min(search.accept.count() as usize));
    let mut nearest = by_distance(reader, lists, search.query, scratch);
    let mut top = Best::new(query.keeps_documents(reader), search.k, search.ties);
    let (mut passed, mut visited, mut seen) = (0, lists.count(), 0);
    while passed < probes || seen < wanted {
        let Some(Reverse(next)) = nearest.pop() else { break };
        let range = lists.range((next & u64::from(u32::MAX)) as usize)?;
        passed += 1;
        visited += range.len();
        for first in range.clone().step_by(BLOCK) {
            search.cancel.check()?;
            scratch.distances.resize(BLOCK.min(range.end - first), 0.0);
            query.scan(first, reader.field.row_len(), &mut scratch.query, &mut scratch.distances);
            seen += offer(reader, search, first as Ordinal, &scratch.distances, &mut top)?;
        }
    }
    Ok(VectorHits {
        neighbors: top.into_sorted(reader)?,
        exact: query.is_exact(),
        visited: visited as u64,
        strategy: "lists",
    })
}

/// Offers the vectors from ordinal `first`; returns how many of them are accepted.
fn offer(
    reader: &LayeredReader,
    search: &VectorSearch<'_>,
    first: Ordinal,
    distances: &[f32],
    top: &mut Best<'_>,
) -> Result<usize> {
    offer_accepted(reader, search, first, distances, top)?;
    let ordinals = first..first.saturating_add(distances.len() as Ordinal);
    Ok(match search.accept.docs() {
        None => distances.len(),
        Some(_) => ordinals.filter(|&ordinal| reader.map.accepts(&search.accept, ordinal)).count(),
    })
}

/// The lists with their centroids' distances, nearest first: a distance, which is not negative, has the order of its
/// bits; the list is below them.
fn by_distance(
    reader: &LayeredReader,
    lists: &ListFile,
    query: &[u8],
    scratch: &mut Scratch,
) -> BinaryHeap<Reverse<u64>> {
    scratch.distances.resize(lists.count(), 0.0);
    ExactQuery::new(reader.field.similarity, query).scan(lists.centroids(), &mut scratch.distances);
    let distances = (0u64..).zip(&scratch.distances);
    distances.map(|(list, distance)| Reverse(u64::from(distance.to_bits()) << 32 | list)).collect()
}

/// Facts for people: how many lists there are, and how many were wanted if that is another number.
pub(super) fn facts(reader: &LayeredReader, lists: &ListFile) -> Report {
    let sizes = (0..lists.count()).map(|list| lists.range(list).map_or(0, |range| range.len()));
    let mut facts = json!({ "nlist": lists.count(), "largest": sizes.max().unwrap_or(0) });
    let wanted = reader.settings.nlist.filter(|wanted| *wanted != lists.count());
    if let (Some(facts), Some(wanted)) = (facts.as_object_mut(), wanted) {
        facts.insert("wanted".to_owned(), json!(wanted));
        let note = match wanted > lists.count() {
            true => "no more lists than different vectors in the sample",
            false => "written with another nlist; a merge makes them anew",
        };
        facts.insert("note".to_owned(), json!(note));
    }
    facts
}

/// Checks that the lists are all vectors, each in the list of its nearest centroid.
pub(super) fn verify(reader: &LayeredReader, lists: &ListFile, cancel: &Cancel) -> Result<Vec<Problem>> {
    let problem = |problem: String| Problem { file: lists.name().to_owned(), problem };
    let mut list_of: Vec<u32> = Vec::with_capacity(reader.len);
    for list in 0..lists.count() {
        match lists.range(list) {
            Ok(range) => list_of.extend(range.map(|_| list as u32)),
            Err(error) => return Ok(vec![problem(error.to_string())]),
        }
    }
    if list_of.len() != reader.len {
        let text = format!("the lists hold {} of {} vectors", list_of.len(), reader.len);
        return Ok(vec![problem(text)]);
    }
    let (row_len, mut distances) = (reader.field.row_len(), Vec::new());
    each(reader, cancel, lists.name(), |ordinal| {
        let row = reader.raw.row(ordinal)?;
        let nearest =
            train::nearest(reader.field.similarity, lists.centroids(), row_len, row, &mut distances);
        let own = list_of.get(ordinal as usize).copied();
        Ok((own != Some(nearest)).then(|| format!("it is in list {own:?}, nearest is {nearest}")))
    })
}
