//! The search of fields with sign hashes: candidates by their hashes, then reordered by their raw vectors.
//!
//! Every distance that is returned comes from a raw vector. Candidates are vectors, not documents: where a
//! document has several and they crowd out other documents, twice as many candidates are looked for.

use super::collect::Best;
use super::exact::ExactQuery;
use super::reader::LayeredReader;
use super::scan::scan;
use super::search::{Query, Scratch, find};
use crate::sign_hash::{HashFile, HashQuery};
use lucerne_codec::vector::{VectorHits, VectorSearch};
use lucerne_codec::{DocId, Neighbor, Result};

/// Raw vectors fetched ahead of the one being compared.
const AHEAD: usize = 8;

/// Finds `candidates` vectors by hashes and the nearest of them by raw vectors.
pub(super) fn search(
    reader: &LayeredReader,
    hashes: &HashFile,
    search: &VectorSearch<'_>,
    (candidates, accepted): (usize, f64),
    scratch: &mut Scratch,
) -> Result<VectorHits> {
    let similarity = reader.field.similarity;
    let exact = ExactQuery::new(similarity, search.query);
    let mut candidates = candidates.max(search.k);
    if candidates as f64 >= accepted {
        // All that are accepted would be candidates.
        return scan(reader, search, &Query::Raw(reader.raw.bytes(), exact), accepted, scratch);
    }
    let query = HashQuery::new(similarity, hashes.meta().estimator, hashes.center(), search.query);
    let query = Query::Hashes(hashes, query);
    let mut visited = 0;
    loop {
        let first = VectorSearch {
            k: candidates,
            accept: search.accept,
            ties: &|left: DocId, right: DocId| left.cmp(&right),
            ..*search
        };
        let found = find(reader, &first, &query, (candidates, accepted), scratch)?;
        let neighbors = nearest(reader, search, &exact, &found.neighbors)?;
        visited += found.visited + found.neighbors.len() as u64;
        let wanted = search.k.min(search.accept.count() as usize);
        if neighbors.len() >= wanted || found.neighbors.len() < candidates {
            return Ok(VectorHits { neighbors, exact: true, visited, strategy: found.strategy });
        }
        candidates = candidates.saturating_mul(2);
    }
}

/// The `k` nearest of the candidates.
fn nearest(
    reader: &LayeredReader,
    search: &VectorSearch<'_>,
    query: &ExactQuery,
    candidates: &[Neighbor],
) -> Result<Vec<Neighbor>> {
    search.cancel.check()?;
    let mut best = Best::new(reader.settings.multiple, search.k, search.ties);
    for (at, candidate) in candidates.iter().enumerate() {
        if let Some(next) = candidates.get(at + AHEAD) {
            reader.raw.prefetch(next.ordinal);
        }
        best.offer(reader, query.distance(reader.raw.row(candidate.ordinal)?), candidate.ordinal)?;
    }
    best.into_sorted(reader)
}
