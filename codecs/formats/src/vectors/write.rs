//! Writing a segment's vectors: a flush, and the common end of flush and merge.

use super::Layers;
use super::encode::{ChosenCenter, Encoded, sample_quantiles};
use super::halves::Halves;
use super::hashes;
use super::lists::Lists;
use super::meta::Meta;
use super::reader::LayeredReader;
use super::settings::Settings;
use crate::bits::GraphBits;
use crate::distance::GraphVectors;
use crate::flat_f32::pairs::GraphFloats;
use crate::flat_f32::{self, Rows};
use crate::hnsw;
use crate::hnsw::graph::{self, BuildParams, Graph};
use crate::sign_hash::{self, Hashes};
use crate::sq8;
use crate::sq8::Quantiles;
use crate::sq8::meta::Center;
use crate::sq8::pairs::GraphCodes;
use lucerne_codec::vector::{VectorReader, VectorRows, WriteContext, Written};
use lucerne_codec::{Component, DocId, Error, FieldInfo, Ordinal, Result};

/// A flush's rows.
struct Buffered<'a> {
    rows: &'a [u8],
    row_len: usize,
}

impl Rows for Buffered<'_> {
    fn len(&self) -> usize {
        self.rows.len() / self.row_len.max(1)
    }

    fn row(&self, index: usize) -> Result<&[u8]> {
        let start = index.saturating_mul(self.row_len);
        let row = self.rows.get(start..start.saturating_add(self.row_len));
        row.ok_or_else(|| Error::Invalid(format!("there is no row {index}")))
    }
}

/// How a graph is to be built here.
pub(super) fn build_params(context: &WriteContext<'_>, settings: &Settings) -> BuildParams {
    BuildParams {
        m: settings.m,
        beam_width: settings.beam_width,
        seed: context.seed,
        threads: context.threads.max(1),
    }
}

/// Writes a buffer. `forced` replaces the quantiles of the buffer's own sample.
pub(super) fn flush(
    layers: Layers,
    context: &WriteContext<'_>,
    field: &FieldInfo,
    vectors: VectorRows<'_>,
    sibling: Option<&dyn VectorReader>,
    forced: Option<Quantiles>,
) -> Result<Written> {
    let settings = Settings::of(layers, field)?;
    let rows = Buffered { rows: vectors.rows, row_len: field.row_len() };
    if rows.len() != vectors.docs.len() || rows.len() * rows.row_len != vectors.rows.len() {
        return Err(Error::Invalid(format!(
            "field {:?}: {} bytes are not {} vectors of dimension {}",
            field.name,
            vectors.rows.len(),
            vectors.docs.len(),
            field.dimension
        )));
    }
    let sibling = sibling.and_then(|reader| reader.as_any().downcast_ref::<LayeredReader>());
    let encoded = match layers.codes {
        true => Some(encode(context, field, &settings, &rows, sibling, forced)?),
        false => None,
    };
    let hashes = match layers.hashes {
        true => Some(hashes::flush(field, &settings, &rows, sibling, context.cancel)?),
        false => None,
    };
    let graph = match layers.graph && rows.len() as u64 >= settings.graph_threshold {
        true => Some(build(context, field, &settings, &rows, encoded.as_ref())?),
        false => None,
    };
    let lists = match layers.lists {
        true => Some(Lists::of(context, field, settings.nlist, &rows)?),
        false => None,
    };
    let built = Built { codes: encoded, hashes, graph, lists };
    finish(context, field, &settings, &rows, vectors.docs, built)
}

fn encode(
    context: &WriteContext<'_>,
    field: &FieldInfo,
    settings: &Settings,
    rows: &Buffered<'_>,
    sibling: Option<&LayeredReader>,
    forced: Option<Quantiles>,
) -> Result<Encoded> {
    let inherited = sibling
        .and_then(ChosenCenter::of)
        .filter(|chosen| settings.center && chosen.kind != Center::Undecided);
    let center = match inherited {
        Some(center) => center,
        None => ChosenCenter::decide(field, settings, rows, context.cancel)?,
    };
    let quantiles = match forced {
        Some(quantiles) => quantiles,
        None => sample_quantiles(field, settings, rows, center.slice(), context.cancel)?,
    };
    Encoded::all(field, settings, rows, center, quantiles, context.cancel)
}

/// The vectors of the segment being written, as a graph compares them: by their codes if there are any, and with these
/// 4-bit codes if given.
pub(super) fn graph_vectors<'a>(
    field: &FieldInfo,
    rows: &'a impl Rows,
    encoded: Option<&'a Encoded>,
    sq4: Option<&'a [u8]>,
) -> Result<Box<dyn GraphVectors + 'a>> {
    let similarity = field.similarity;
    Ok(match encoded {
        Some(Encoded { center, codes, .. }) => Box::new(GraphCodes::new(
            similarity,
            center.slice(),
            codes.rows(),
            sq4,
            &codes.encodings,
            field.dimension as usize,
        )),
        None if field.component() == Component::Bit => {
            Box::new(GraphBits::new(similarity, rows, field.row_len()))
        }
        None => Box::new(GraphFloats::new(similarity, rows)?),
    })
}

/// A graph from nothing.
pub(super) fn build(
    context: &WriteContext<'_>,
    field: &FieldInfo,
    settings: &Settings,
    rows: &impl Rows,
    encoded: Option<&Encoded>,
) -> Result<Graph> {
    let params = build_params(context, settings);
    let halves = Halves::of(context, field, settings, encoded)?;
    let halves = halves.as_ref().map(Halves::rows);
    let vectors = graph_vectors(field, rows, encoded, halves)?;
    graph::build(&params, &*vectors, context.cancel, context.progress)
}

/// What was made of the vectors.
pub(super) struct Built {
    pub(super) codes: Option<Encoded>,
    pub(super) hashes: Option<Hashes>,
    pub(super) graph: Option<Graph>,
    pub(super) lists: Option<Lists>,
}

/// Writes all files; vectors come in the order that suits the graph or the lists.
pub(super) fn finish(
    context: &WriteContext<'_>,
    field: &FieldInfo,
    settings: &Settings,
    rows: &impl Rows,
    docs: &[DocId],
    Built { codes, hashes, graph, lists }: Built,
) -> Result<Written> {
    let mut order: Vec<Ordinal> = match (&graph, &lists) {
        (Some(graph), _) => graph::bfs_order(graph)?,
        (None, Some(lists)) => lists.order(),
        (None, None) => (0..docs.len() as u32).collect(),
    };
    if field.is_multiple() {
        keep_order_of_documents(&mut order, docs);
    }
    let ordered = order.iter().map(|&index| rows.row(index as usize));
    let mut files = vec![flat_f32::rows::write(context, field, docs.len(), ordered)?];
    let ordered: Vec<DocId> = order.iter().filter_map(|&index| docs.get(index as usize).copied()).collect();
    files.push(flat_f32::ordinals::write(context, field, &ordered)?);
    let mut meta = Meta {
        vectors: docs.len() as u32,
        codes: None,
        hashes: None,
        graph: None,
        coarse: false,
        lists: None,
    };
    if let Some(encoded) = &codes {
        let center = encoded.center.slice();
        files.push(sq8::file::write(context, field, &encoded.codes, &order, center)?);
        meta.codes = Some(encoded.meta.clone());
    }
    if let Some(hashes) = hashes {
        let (file, facts) = sign_hash::file::write(context, field, &hashes, &order)?;
        files.push(file);
        meta.hashes = Some(facts);
    }
    let walked = graph.is_some();
    if let Some(graph) = graph {
        let graph = graph.renumber(&order)?;
        let (file, facts) = hnsw::file::write(context, field, &graph)?;
        files.push(file);
        meta.graph = Some(facts);
    }
    if let Some(encoded) = codes.filter(|_| walked && settings.walk_bits == 4) {
        files.push(sq8::coarse::write(context, field, &encoded.codes, &order)?);
        meta.coarse = true;
    }
    if let Some(lists) = lists {
        let (file, facts) = lists.write(context, field)?;
        files.push(file);
        meta.lists = Some(facts);
    }
    Ok(Written { files, meta: meta.facts()? })
}

/// Lets each document's vectors trade places until they are in the order they were given in: a document's vectors
/// are numbered in that order. `order` lists old places by new.
fn keep_order_of_documents(order: &mut [Ordinal], docs: &[DocId]) {
    let doc = |old: Ordinal| docs.get(old as usize).copied().unwrap_or(DocId::MAX);
    let mut new: Vec<(DocId, Ordinal)> = order.iter().map(|&old| doc(old)).zip(0..).collect();
    let mut old: Vec<(DocId, Ordinal)> = order.iter().map(|&old| (doc(old), old)).collect();
    new.sort_unstable();
    old.sort_unstable();
    for ((_, new), (_, old)) in new.into_iter().zip(old) {
        if let Some(slot) = order.get_mut(new as usize) {
            *slot = old;
        }
    }
}
