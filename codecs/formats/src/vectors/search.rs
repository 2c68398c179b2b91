//! A search in one segment: over the graph, or past all accepted vectors.
//!
//! # Which way
//! A walk through the graph scores about `VISITS · (beam + 20)` vectors, found by measuring; with a filter
//! that accepts a share p of the vectors it must go through `beam / p` of them to keep `beam`. A scan
//! scores the accepted vectors only, but all of them: one after the other, which costs a fraction of a
//! random access, or picked, when few are accepted. The cheaper estimate is taken. Both ways see the same
//! distances, so the choice changes speed and recall, never the order of what is found.

use super::reader::LayeredReader;
use crate::flat_f32::ExactQuery;
use crate::hnsw::graph::{self, Scorer, SearchScratch};
use crate::sq8::query::{BLOCK, QueryScratch};
use crate::sq8::{CodeFile, CodeQuery};
use lucerne_codec::vector::{Effort, VectorHits, VectorSearch};
use lucerne_codec::{Neighbor, Ordinal, Result, TopK};

/// Vectors scored by a walk, per unit of beam; a walk with no beam would score as many as one of 20 more.
const VISITS: f64 = 10.0;
/// Cost of a vector in a scan from front to back, in graph visits.
const SCANNED: f64 = 0.2;
/// Cost of a vector picked by its ordinal, in graph visits.
const PICKED: f64 = 0.5;

/// Memory kept from one search to the next.
#[derive(Debug, Default)]
pub(super) struct Scratch {
    walk: SearchScratch,
    found: Vec<(f32, Ordinal)>,
    query: QueryScratch,
    ordinals: Vec<Ordinal>,
    distances: Vec<f32>,
}

/// A query prepared for the layer that is searched.
enum Query<'a> {
    Codes(&'a CodeFile, CodeQuery),
    Raw(&'a [u8], ExactQuery),
}

impl Query<'_> {
    fn picked(&self, ordinals: &[Ordinal], scratch: &mut QueryScratch, out: &mut [f32]) {
        match self {
            Self::Codes(codes, query) => query.distances(&codes.rows(), ordinals, scratch, out),
            Self::Raw(rows, query) => query.picked(rows, ordinals, out),
        }
    }

    fn scan(&self, first: usize, row_len: usize, scratch: &mut QueryScratch, out: &mut [f32]) {
        match self {
            Self::Codes(codes, query) => query.scan(&codes.rows(), first, scratch, out),
            Self::Raw(rows, query) => {
                let range = first * row_len..(first + out.len()) * row_len;
                query.scan(rows.get(range).unwrap_or_default(), out);
            }
        }
    }
}

/// A query walking through a graph.
struct Walker<'a> {
    query: &'a Query<'a>,
    scratch: &'a mut QueryScratch,
}

impl Scorer for Walker<'_> {
    fn distances(&mut self, ordinals: &[Ordinal], out: &mut [f32]) {
        self.query.picked(ordinals, self.scratch, out);
    }
}

/// Finds the accepted vectors nearest to the query.
pub(super) fn search(reader: &LayeredReader, search: &VectorSearch<'_>) -> Result<VectorHits> {
    reader.check_query(search.query)?;
    search.cancel.check()?;
    let mut scratch = reader.scratch.lock().pop().unwrap_or_default();
    let hits = run(reader, search, &mut scratch);
    reader.scratch.lock().push(scratch);
    hits
}

fn run(reader: &LayeredReader, search: &VectorSearch<'_>, scratch: &mut Scratch) -> Result<VectorHits> {
    let similarity = reader.field.similarity;
    let exact = || Query::Raw(reader.raw.bytes(), ExactQuery::new(similarity, search.query));
    let (query, candidates) = match (search.effort, reader.codes()) {
        (Effort::Exact, _) => return scan(reader, search, &exact(), scratch),
        (Effort::Candidates(candidates), None) => (exact(), candidates),
        (Effort::Candidates(candidates), Some(codes)) => {
            let encodings = codes.meta().encodings.iter();
            let encodings = encodings.map(|encoding| encoding.quantiles);
            let query = CodeQuery::new(similarity, codes.center(), encodings, search.query);
            (Query::Codes(codes, query), candidates)
        }
    };
    let beam = candidates.max(search.k).min(reader.len);
    let accepted = (search.accept.count() as usize).min(reader.len);
    if let Some(graph) = reader.graph.as_ref().filter(|_| walk_is_cheaper(beam, accepted, reader.len)) {
        let mut walker = Walker { query: &query, scratch: &mut scratch.query };
        let visited = graph::search(
            graph,
            &mut walker,
            beam,
            |ordinal| reader.map.accepts(&search.accept, ordinal),
            &mut scratch.walk,
            search.cancel,
            &mut scratch.found,
        )?;
        if scratch.found.len() >= search.k.min(accepted) {
            let mut top = TopK::new(search.k, search.ties);
            for &(distance, ordinal) in &scratch.found {
                offer(reader, &mut top, distance, ordinal)?;
            }
            return Ok(VectorHits {
                neighbors: top.into_sorted(),
                exact: matches!(query, Query::Raw(..)),
                visited,
                strategy: "graph",
            });
        }
    }
    scan(reader, search, &query, scratch)
}

/// Whether walking through the graph is expected to cost less than looking at every accepted vector.
fn walk_is_cheaper(beam: usize, accepted: usize, len: usize) -> bool {
    if beam == 0 || accepted == 0 {
        return false;
    }
    let (beam, accepted, len) = (beam as f64, accepted as f64, len as f64);
    let walked = (beam * len / accepted).min(len);
    let walk = VISITS * (walked + 20.0);
    walk < scan_cost(accepted, len)
}

fn scan_cost(accepted: f64, len: f64) -> f64 {
    (SCANNED * len).min(PICKED * accepted)
}

fn offer(reader: &LayeredReader, top: &mut TopK<'_>, distance: f32, ordinal: Ordinal) -> Result<()> {
    if distance <= top.threshold() {
        let doc = reader.map.doc(ordinal)?;
        top.offer(Neighbor { distance, ordinal, doc });
    }
    Ok(())
}

/// Looks at every accepted vector.
fn scan(
    reader: &LayeredReader,
    search: &VectorSearch<'_>,
    query: &Query<'_>,
    scratch: &mut Scratch,
) -> Result<VectorHits> {
    let mut top = TopK::new(search.k, search.ties);
    let accepted = f64::from(search.accept.count());
    let visited = match PICKED * accepted < SCANNED * reader.len as f64 {
        true => scan_picked(reader, search, query, scratch, &mut top)?,
        false => scan_all(reader, search, query, scratch, &mut top)?,
    };
    let exact = matches!(query, Query::Raw(..));
    Ok(VectorHits {
        neighbors: top.into_sorted(),
        exact,
        visited,
        strategy: if exact { "scan raw" } else { "scan codes" },
    })
}

/// From front to back, in blocks; what the filter refuses is scored and dropped.
fn scan_all(
    reader: &LayeredReader,
    search: &VectorSearch<'_>,
    query: &Query<'_>,
    scratch: &mut Scratch,
    top: &mut TopK<'_>,
) -> Result<u64> {
    for first in (0..reader.len).step_by(BLOCK) {
        search.cancel.check()?;
        scratch.distances.resize(BLOCK.min(reader.len - first), 0.0);
        query.scan(first, reader.field.row_len(), &mut scratch.query, &mut scratch.distances);
        for (ordinal, &distance) in (first as u32..).zip(&scratch.distances) {
            if distance <= top.threshold() && reader.map.accepts(&search.accept, ordinal) {
                offer(reader, top, distance, ordinal)?;
            }
        }
    }
    Ok(reader.len as u64)
}

/// Only the accepted, picked by their ordinals.
fn scan_picked(
    reader: &LayeredReader,
    search: &VectorSearch<'_>,
    query: &Query<'_>,
    scratch: &mut Scratch,
    top: &mut TopK<'_>,
) -> Result<u64> {
    let mut visited = 0;
    let Scratch { query: memory, ordinals, distances, .. } = scratch;
    let mut flush = |ordinals: &mut Vec<Ordinal>| -> Result<()> {
        search.cancel.check()?;
        distances.resize(ordinals.len(), 0.0);
        query.picked(ordinals, memory, distances);
        visited += ordinals.len() as u64;
        for (&ordinal, &distance) in ordinals.iter().zip(distances.iter()) {
            offer(reader, top, distance, ordinal)?;
        }
        ordinals.clear();
        Ok(())
    };
    ordinals.clear();
    reader.map.for_each_accepted(&search.accept, |ordinal| {
        // A damaged map may name vectors that are not there.
        if (ordinal as usize) < reader.len {
            ordinals.push(ordinal);
        }
        match ordinals.len() {
            BLOCK.. => flush(ordinals),
            _ => Ok(()),
        }
    })?;
    flush(ordinals)?;
    Ok(visited)
}
