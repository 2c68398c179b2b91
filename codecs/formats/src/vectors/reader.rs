//! An open vector field.

use super::Layers;
use super::exact::ExactQuery;
use super::lists::ListFile;
use super::meta::Meta;
use super::search::Scratch;
use super::settings::Settings;
use crate::flat_f32::{OrdinalMap, RawRows};
use crate::hnsw::file::{self, GraphFile};
use crate::sign_hash::HashFile;
use crate::sq8::{CoarseFile, CodeFile};
use lucerne_codec::envelope::FileEntry;
use lucerne_codec::format::{OpenContext, Problem};
use lucerne_codec::vector::{VectorHits, VectorReader, VectorSearch};
use lucerne_codec::{Cancel, Component, DocId, Error, FieldInfo, Neighbor, Ordinal, Report, Result};
use parking_lot::Mutex;
use std::any::Any;

/// Rows fetched ahead of the one being rescored.
const AHEAD: usize = 4;

/// Candidates that hashes find for each hit, unless a search says otherwise.
pub(super) const CANDIDATES_PER_HIT: usize = 20;

/// The reader of every built-in vector format.
pub struct LayeredReader {
    pub(super) layers: Layers,
    pub(super) field: FieldInfo,
    pub(super) settings: Settings,
    pub(super) len: usize,
    pub(super) raw: RawRows,
    pub(super) map: OrdinalMap,
    pub(super) codes: Option<CodeFile>,
    pub(super) hashes: Option<HashFile>,
    pub(super) graph: Option<GraphFile>,
    pub(super) coarse: Option<CoarseFile>,
    pub(super) lists: Option<ListFile>,
    /// Memory of searches that have ended, for those to come.
    pub(super) scratch: Mutex<Vec<Scratch>>,
}

impl LayeredReader {
    pub(super) fn open(layers: Layers, context: &OpenContext<'_>, field: &FieldInfo) -> Result<Self> {
        let settings = Settings::of(layers, field)?;
        let (meta, files) = Meta::read(context, layers)?;
        let len = meta.vectors as usize;
        let raw = RawRows::open(context, files.raw, field, len)?;
        let map = OrdinalMap::open(context, files.ordinals, field, len)?;
        let codes = match (files.codes, meta.codes) {
            (Some(entry), Some(meta)) => Some(CodeFile::open(context, entry, field, len, meta)?),
            _ => None,
        };
        let hashes = match (files.hashes, meta.hashes) {
            (Some(entry), Some(meta)) => Some(HashFile::open(context, entry, field, len, meta)?),
            _ => None,
        };
        let graph = match (files.graph, &meta.graph) {
            (Some(entry), Some(meta)) => Some(open_graph(context, entry, field, meta, len)?),
            _ => None,
        };
        let coarse = files.coarse.map(|entry| CoarseFile::open(context, entry, field, len)).transpose()?;
        let lists = match (files.lists, &meta.lists) {
            (Some(entry), Some(meta)) => Some(ListFile::open(context, entry, field, len, meta)?),
            _ => None,
        };
        if let Some(codes) = &codes {
            codes.make_resident();
        }
        if let Some(coarse) = &coarse {
            coarse.make_resident();
        }
        Ok(Self {
            layers,
            field: field.clone(),
            settings,
            len,
            raw,
            map,
            codes,
            hashes,
            graph,
            coarse,
            lists,
            scratch: Mutex::default(),
        })
    }

    /// The codes, for a format that has them.
    pub fn codes(&self) -> Option<&CodeFile> {
        self.codes.as_ref()
    }

    /// The sign hashes, for a format that has them.
    pub fn hashes(&self) -> Option<&HashFile> {
        self.hashes.as_ref()
    }

    /// The graph, when there are enough vectors for one.
    pub fn graph(&self) -> Option<&GraphFile> {
        self.graph.as_ref()
    }

    /// Replaces each neighbour by its document's nearest vector: the nearest estimate need not be that.
    fn rescore_documents(&self, query: &ExactQuery, neighbors: &mut [Neighbor]) -> Result<()> {
        let mut last: Option<Neighbor> = None;
        for neighbor in neighbors {
            if let Some(known) = last.filter(|last| last.doc == neighbor.doc) {
                *neighbor = known;
                continue;
            }
            neighbor.distance = query.distance(self.raw.row(neighbor.ordinal)?);
            for ordinal in self.map.ordinals(neighbor.doc) {
                let distance = query.distance(self.raw.row(ordinal)?);
                if (distance, ordinal) < (neighbor.distance, neighbor.ordinal) {
                    (neighbor.distance, neighbor.ordinal) = (distance, ordinal);
                }
            }
            last = Some(*neighbor);
        }
        Ok(())
    }

    /// Refuses a query that is not one row.
    pub(super) fn check_query(&self, query: &[u8]) -> Result<()> {
        if query.len() == self.field.row_len() {
            return Ok(());
        }
        let components = match self.field.component() {
            Component::Bit => query.len() * 8,
            _ => query.len() / 4,
        };
        Err(Error::Invalid(format!(
            "field {:?}: a query of {} components, the field has dimension {}",
            self.field.name, components, self.field.dimension
        )))
    }
}

impl VectorReader for LayeredReader {
    fn len(&self) -> usize {
        self.len
    }

    fn doc(&self, ordinal: Ordinal) -> Result<DocId> {
        self.map.doc(ordinal)
    }

    fn ordinal(&self, doc: DocId) -> Result<Option<Ordinal>> {
        Ok(self.map.ordinal(doc))
    }

    fn ordinals(&self, doc: DocId, into: &mut Vec<Ordinal>) -> Result<()> {
        into.clear();
        into.extend(self.map.ordinals(doc));
        Ok(())
    }

    fn row(&self, ordinal: Ordinal) -> Result<&[u8]> {
        self.raw.row(ordinal)
    }

    fn search(&self, search: &VectorSearch<'_>) -> Result<VectorHits> {
        super::search::search(self, search)
    }

    fn default_candidates(&self, k: usize) -> Option<usize> {
        self.hashes.as_ref().map(|_| k.saturating_mul(CANDIDATES_PER_HIT))
    }

    fn rescore(&self, query: &[u8], neighbors: &mut [Neighbor]) -> Result<()> {
        self.check_query(query)?;
        let query = ExactQuery::new(self.field.similarity, query);
        if self.settings.multiple {
            return self.rescore_documents(&query, neighbors);
        }
        let ordinals: Vec<Ordinal> = neighbors.iter().map(|neighbor| neighbor.ordinal).collect();
        for (at, neighbor) in neighbors.iter_mut().enumerate() {
            if let Some(&next) = ordinals.get(at + AHEAD) {
                self.raw.prefetch(next);
            }
            neighbor.distance = query.distance(self.raw.row(neighbor.ordinal)?);
        }
        Ok(())
    }

    fn inspect(&self) -> Report {
        super::report::inspect(self)
    }

    fn verify(&self, cancel: &Cancel) -> Result<Vec<Problem>> {
        super::verify::verify(self, cancel)
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}

fn open_graph(
    context: &OpenContext<'_>,
    entry: &FileEntry,
    field: &FieldInfo,
    meta: &file::GraphMeta,
    len: usize,
) -> Result<GraphFile> {
    let input = context.open(entry, file::FORMAT, file::VERSION, field.number)?;
    GraphFile::open(input, meta, len)
}
