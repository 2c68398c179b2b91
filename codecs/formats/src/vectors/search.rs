//! A search in one segment: over the graph, or past all accepted vectors.
//!
//! # Which way
//! - **The graph**: a walk scores about `10 · (beam + 20)` vectors, found by measuring; with a filter that accepts a
//!   share p of the vectors it must go through `beam / p` of them to keep `beam`.
//! - **The graph, filtered** (`hnsw/graph/filtered`): accepted vectors only, through the links of others.
//! - **A scan** of the accepted vectors: one after the other, which costs a fraction of a random access, or picked,
//!   when few are accepted.
//!
//! The cheapest estimate is taken (`cost`). Estimates cannot know whether the accepted vectors are near the query; so
//! walks have budgets, and what is given up is followed by the next cheapest way. All ways end with the same distances: the
//! choice changes speed and recall, never the order of what is found.
//!
//! # Several vectors a document
//! A document counts once, by its nearest vector. Where its vectors crowd out other documents, a walk is
//! repeated with twice the beam until it finds enough documents or a scan is cheaper.

use super::cost::{self, Compared};
use super::exact::ExactQuery;
use super::lists;
use super::reader::LayeredReader;
use super::scan::scan;
use super::walk::walk;
use crate::hnsw::graph::SearchScratch;
use crate::sign_hash::query::HashScratch;
use crate::sign_hash::{HashFile, HashQuery};
use crate::sq8::query::QueryScratch;
use crate::sq8::{CoarseFile, CoarseQuery, CodeFile, CodeQuery};
use lucerne_codec::vector::{Effort, VectorHits, VectorSearch};
use lucerne_codec::{Ordinal, Result};

/// Memory kept from one search to the next.
#[derive(Debug, Default)]
pub(super) struct Scratch {
    pub(super) walk: SearchScratch,
    pub(super) found: Vec<(f32, Ordinal)>,
    pub(super) query: Room,
    pub(super) ordinals: Vec<Ordinal>,
    pub(super) distances: Vec<f32>,
}

/// Memory of the distances of one block.
#[derive(Debug, Default)]
pub(super) struct Room {
    codes: QueryScratch,
    hashes: HashScratch,
}

/// A query prepared for the layer that is searched.
pub(super) enum Query<'a> {
    Codes(&'a CodeFile, CodeQuery, Option<(&'a CoarseFile, CoarseQuery)>),
    Hashes(&'a HashFile, HashQuery),
    Raw(&'a [u8], ExactQuery),
}

impl Query<'_> {
    pub(super) fn is_exact(&self) -> bool {
        matches!(self, Self::Raw(..))
    }

    pub(super) fn compared(&self) -> Compared {
        match self {
            Self::Codes(..) => Compared::Codes,
            Self::Hashes(hashes, _) => Compared::Hashes(hashes.meta().estimator),
            Self::Raw(_, ExactQuery::Floats(_)) => Compared::Raw,
            Self::Raw(_, ExactQuery::Bits(_)) => Compared::Bits,
        }
    }

    /// Whether a document is to be found once; candidates to be reordered are vectors.
    pub(super) fn keeps_documents(&self, reader: &LayeredReader) -> bool {
        reader.settings.multiple && !matches!(self, Self::Hashes(..))
    }

    pub(super) fn scan_name(&self) -> &'static str {
        match self {
            Self::Codes(..) => "scan codes",
            Self::Hashes(..) => "scan hashes",
            Self::Raw(..) => "scan raw",
        }
    }

    pub(super) fn picked(&self, ordinals: &[Ordinal], scratch: &mut Room, out: &mut [f32]) {
        match self {
            Self::Codes(codes, query, _) => query.distances(&codes.rows(), ordinals, &mut scratch.codes, out),
            Self::Hashes(hashes, query) => {
                query.distances(&hashes.rows(), ordinals, &mut scratch.hashes, out);
            }
            Self::Raw(rows, query) => query.picked(rows, ordinals, out),
        }
    }

    /// What a walk sees: less of each vector than [`Query::picked`], if there is less.
    pub(super) fn walked(&self, ordinals: &[Ordinal], scratch: &mut Room, out: &mut [f32]) {
        match self {
            Self::Codes(codes, _, Some((coarse, query))) => {
                query.distances(coarse.rows(), &codes.rows(), ordinals, &mut scratch.codes.coarse, out);
            }
            _ => self.picked(ordinals, scratch, out),
        }
    }

    /// Whether what a walk has found is to be settled by [`Query::picked`].
    pub(super) fn is_coarse(&self) -> bool {
        matches!(self, Self::Codes(_, _, Some(_)))
    }

    pub(super) fn scan(&self, first: usize, row_len: usize, scratch: &mut Room, out: &mut [f32]) {
        match self {
            Self::Codes(codes, query, _) => query.scan(&codes.rows(), first, &mut scratch.codes, out),
            Self::Hashes(hashes, query) => query.scan(&hashes.rows(), first, &mut scratch.hashes, out),
            Self::Raw(rows, query) => {
                let range = first * row_len..(first + out.len()) * row_len;
                query.scan(rows.get(range).unwrap_or_default(), out);
            }
        }
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
    if search.k == 0 || search.accept.count() == 0 {
        return Ok(VectorHits { exact: true, strategy: "none", ..VectorHits::default() });
    }
    let accepted = cost::accepted_vectors(reader, &search.accept);
    let similarity = reader.field.similarity;
    let exact = || Query::Raw(reader.raw.bytes(), ExactQuery::new(similarity, search.query));
    let candidates = match search.effort {
        Effort::Exact => return scan(reader, search, &exact(), accepted, scratch),
        Effort::Candidates(candidates) | Effort::Lists { candidates, .. } => candidates,
    };
    if let Some(hashes) = reader.hashes() {
        return super::reorder::search(reader, hashes, search, (candidates, accepted), scratch);
    }
    if let Some(found) = &reader.lists {
        return lists::search(reader, found, search, &exact(), accepted, scratch);
    }
    let query = match reader.codes() {
        None => exact(),
        Some(codes) => {
            let encodings = codes.meta().encodings.iter();
            let encodings = encodings.map(|encoding| encoding.quantiles);
            let coarse = reader.coarse.as_ref();
            let (query, coarse_query) =
                CodeQuery::new(similarity, codes.center(), encodings, search.query, coarse.is_some());
            Query::Codes(codes, query, coarse.zip(coarse_query))
        }
    };
    find(reader, search, &query, (candidates, accepted), scratch)
}

/// Walks through the graph, or scans where there is none or that is better.
pub(super) fn find(
    reader: &LayeredReader,
    search: &VectorSearch<'_>,
    query: &Query<'_>,
    (candidates, accepted): (usize, f64),
    scratch: &mut Scratch,
) -> Result<VectorHits> {
    let walked = match &reader.graph {
        Some(graph) => walk(reader, graph, search, query, (candidates, accepted), scratch)?,
        None => Err(0),
    };
    match walked {
        Ok(hits) => Ok(hits),
        Err(wasted) => {
            let hits = scan(reader, search, query, accepted, scratch)?;
            Ok(VectorHits { visited: hits.visited + wasted, ..hits })
        }
    }
}
