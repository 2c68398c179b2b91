//! Writing a segment's vectors: a flush, and the common end of flush and merge.

use super::format::{IndexKind, VectorFieldFormat};
use super::meta::{Meta, RawRows};
use super::ordinals;
use super::params::IndexParams;
use super::reader::VectorFieldReader;
use super::recall::curve::Curves;
use super::recall::measure::{LEAST_VECTORS, measure};
use super::segment::VectorSegment;
use super::spare;
use crate::encoding::raw::file as raw_file;
use crate::encoding::rows::BufferedRows;
use crate::encoding::{EncodeContext, NewVectors, Rows};
use crate::hnsw;
use crate::hnsw::graph::{self, Graph};
use crate::ivf::Lists;
use lucerne_codec::envelope::FileEntry;
use lucerne_codec::format::{Metadata, OpenContext, WriteContext, Written};
use lucerne_codec::vector::VectorRows;
use lucerne_codec::{DocId, Error, FieldInfo, Ordinal, Result};
use serde::Deserialize as _;

/// Writes a buffer.
pub(super) fn flush(
    format: &VectorFieldFormat,
    context: &WriteContext<'_>,
    field: &FieldInfo,
    vectors: VectorRows<'_>,
    previous: Option<&VectorFieldReader>,
) -> Result<Written> {
    let params = format.params(field)?;
    let rows = BufferedRows::new(vectors.rows, field.component(), field.row_len());
    if rows.len() != vectors.docs.len() || rows.len() * field.row_len() != vectors.rows.len() {
        return Err(Error::Invalid(format!(
            "field {:?}: {} bytes are not {} vectors of dimension {}",
            field.name,
            vectors.rows.len(),
            vectors.docs.len(),
            field.dimension
        )));
    }
    let graph = builds_graph(format, &params, rows.len());
    let encode = EncodeContext { write: context, field, graph };
    let previous = previous.map(|reader| &*reader.segment.encoded);
    let encoded = format.encoding.encode(&encode, &rows, previous)?;
    let index = if graph {
        let params = params.build_params(context);
        let vectors = encoded.graph_vectors()?;
        NewIndex::Graph(graph::build(&params, &*vectors, context.cancel, context.progress)?)
    } else {
        NewIndex::without_graph(format, &params, &encode, &rows)?
    };
    let written = write(&encode, &rows, vectors.docs, (&*encoded, raw_rows(format, field)), index)?;
    measured(format, &encode, written)
}

/// Whether a segment of so many vectors gets a graph.
pub(super) fn builds_graph(format: &VectorFieldFormat, params: &IndexParams, vectors: usize) -> bool {
    format.index == IndexKind::Hnsw && vectors as u64 >= params.graph_threshold
}

/// Whether a segment keeps its raw vectors.
pub(super) fn raw_rows(format: &VectorFieldFormat, field: &FieldInfo) -> RawRows {
    if format.encoding.keeps_raw(field) { RawRows::Kept } else { RawRows::NotKept }
}

/// What finds the vectors of a segment being written.
pub(super) enum NewIndex {
    Flat,
    Graph(Graph),
    Lists(Lists),
}

impl NewIndex {
    /// Inverted lists, or nothing.
    pub(super) fn without_graph(
        format: &VectorFieldFormat,
        params: &IndexParams,
        encode: &EncodeContext<'_>,
        rows: &dyn Rows,
    ) -> Result<Self> {
        match format.index {
            IndexKind::Flat | IndexKind::Hnsw => Ok(Self::Flat),
            IndexKind::Ivf => Lists::of(encode.write, encode.field, params.nlist, rows).map(Self::Lists),
        }
    }

    /// The order that suits it: old places by new.
    fn order(&self, vectors: usize) -> Result<Vec<Ordinal>> {
        match self {
            Self::Flat => Ok((0..vectors as u32).collect()),
            Self::Graph(graph) => graph::bfs_order(graph),
            Self::Lists(lists) => Ok(lists.order()),
        }
    }
}

/// Writes all files; vectors come in the order that suits the index.
pub(super) fn write(
    encode: &EncodeContext<'_>,
    rows: &dyn Rows,
    docs: &[DocId],
    (encoded, raw): (&dyn NewVectors, RawRows),
    index: NewIndex,
) -> Result<(Vec<FileEntry>, Meta)> {
    let EncodeContext { write: context, field, .. } = *encode;
    let mut order = index.order(docs.len())?;
    if field.is_multiple() {
        keep_order_of_documents(&mut order, docs);
    }
    let (mut files, mut raw_sums) = (Vec::new(), Vec::new());
    if raw == RawRows::Kept {
        let ordered = order.iter().map(|&index| rows.row(index as usize));
        let (file, sums) = raw_file::write(context, field, docs.len(), ordered)?;
        files.push(file);
        raw_sums = sums;
    }
    let ordered: Vec<DocId> = order.iter().filter_map(|&index| docs.get(index as usize).copied()).collect();
    files.push(ordinals::write(context, field, &ordered)?);
    let encoding = encoded.write(encode, &order)?;
    files.push(spare::write(context, field, &ordered, &encoding.spare, &raw_sums)?);
    let mut meta = Meta {
        vectors: docs.len() as u32,
        raw,
        graph: None,
        lists: None,
        recall: Curves::default(),
        encoding: encoding.meta,
    };
    match index {
        NewIndex::Flat => {}
        NewIndex::Graph(graph) => {
            let (file, graph) = hnsw::file::write(context, field, &graph, &order)?;
            files.push(file);
            meta.graph = Some(graph);
        }
        NewIndex::Lists(lists) => {
            let (file, lists) = lists.write(context, field)?;
            files.push(file);
            meta.lists = Some(lists);
        }
    }
    files.extend(encoding.files);
    Ok((files, meta))
}

/// What was written, without its raw vectors: nothing else changes but what was measured with them.
pub(super) fn without_raw(
    format: &VectorFieldFormat,
    field: &FieldInfo,
    files: &[FileEntry],
    meta: &Metadata,
) -> Result<Option<Written>> {
    format.params(field)?;
    let invalid = |error: serde_json::Error| Error::Invalid(format!("field {:?}: {error}", field.name));
    let meta = Meta::deserialize(meta).map_err(invalid)?;
    let files = match (meta.raw, files) {
        (RawRows::NotKept, _) => return Ok(None),
        (RawRows::Kept, [_, others @ ..]) => others.to_vec(),
        (RawRows::Kept, []) => return Err(Error::Invalid(format!("field {:?}: no files", field.name))),
    };
    let encoding = format.encoding.without_raw(field, &meta.encoding)?;
    let meta = Meta { raw: RawRows::NotKept, recall: meta.recall.not_rescored(), encoding, ..meta };
    Ok(Some(Written { files, meta: meta.to_json()? }))
}

/// The end of writing: measures what searches find.
pub(super) fn measured(
    format: &VectorFieldFormat,
    encode: &EncodeContext<'_>,
    (files, mut meta): (Vec<FileEntry>, Meta),
) -> Result<Written> {
    if meta.vectors as usize >= LEAST_VECTORS {
        meta.recall = measure(&open(format, encode, &files, &meta)?, encode.write)?;
    }
    Ok(Written { files, meta: meta.to_json()? })
}

/// Opens what has been written, to measure what searches of it find.
fn open(
    format: &VectorFieldFormat,
    encode: &EncodeContext<'_>,
    files: &[FileEntry],
    meta: &Meta,
) -> Result<VectorSegment> {
    let EncodeContext { write: context, field, .. } = *encode;
    let meta = meta.to_json()?;
    let open = OpenContext {
        directory: context.directory,
        segment_id: context.segment_id,
        max_doc: context.max_doc,
        files,
        meta: &meta,
    };
    VectorSegment::open(format.name, format.index, &*format.encoding, &open, field)
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
