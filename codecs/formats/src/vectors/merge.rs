//! Merging: live vectors of all sources, in the order of the sources, then like a flush.
//!
//! Raw rows are read where they are and written through, codes beyond a few MiB are in temporary files
//! (`encoding/temp_file`); what is held in memory is the graph, 16 m bytes per vector with the distances of its links, and
//! about 50 bytes more per vector, whatever the dimension.

use super::format::VectorFieldFormat;
use super::reader::VectorFieldReader;
use super::report::{self, Seconds};
use super::write::{NewIndex, builds_graph, measured, raw_rows, write};
use crate::encoding::{EncodeContext, MergeSource, MergeSources, MergedVector, NewVectors, Rows};
use crate::hnsw::graph::{self, Graph, GraphView, SourceGraph};
use lucerne_codec::format::{WriteContext, Written};
use lucerne_codec::vector::VectorReader;
use lucerne_codec::{Cancel, DocId, Error, FieldInfo, MergeInput, Report, Result};
use std::time::Instant;

/// What a merge would decide, without doing it.
pub(super) fn plan(
    format: &VectorFieldFormat,
    field: &FieldInfo,
    sources: &[MergeInput<'_, dyn VectorReader>],
    cancel: &Cancel,
) -> Result<Report> {
    format.params(field)?;
    let merged = live_vectors(field, sources, cancel)?;
    let plan = format.encoding.plan_merge(field, &merged, cancel)?;
    Ok(report::merge(format.name, &merged, &formats(sources), &*plan).finish())
}

/// Merges all sources into one segment.
pub(super) fn merge(
    format: &VectorFieldFormat,
    context: &WriteContext<'_>,
    field: &FieldInfo,
    sources: &[MergeInput<'_, dyn VectorReader>],
) -> Result<(Written, Report)> {
    let params = format.params(field)?;
    let merged = live_vectors(field, sources, context.cancel)?;
    let mut seconds = Seconds::default();
    let mut clock = Instant::now();
    let mut lap = |phase: &mut f64| {
        *phase = clock.elapsed().as_secs_f64();
        clock = Instant::now();
    };
    let plan = format.encoding.plan_merge(field, &merged, context.cancel)?;
    lap(&mut seconds.quantiles);
    let graph = builds_graph(format, &params, merged.len());
    let encode = EncodeContext { write: context, field, graph };
    let encoded = plan.encode(&encode, &merged)?;
    lap(&mut seconds.codes);
    let index = if graph {
        NewIndex::Graph(merge_graphs(format, &encode, sources, &merged, &*encoded.vectors)?)
    } else {
        NewIndex::without_graph(format, &params, &encode, &merged)?
    };
    lap(&mut seconds.graph);
    let docs: Vec<DocId> = merged.vectors.iter().map(|vector| vector.doc).collect();
    let written = write(&encode, &merged, &docs, (&*encoded.vectors, raw_rows(format, field)), index)?;
    lap(&mut seconds.files);
    let written = measured(format, &encode, written)?;
    lap(&mut seconds.recall);
    let mut report = report::merge(format.name, &merged, &formats(sources), &*plan);
    if !encoded.reencoded.is_empty() {
        report.set_reencoded(plan.reencoded_name(), &encoded.reencoded);
    }
    seconds.report(&mut report);
    Ok((written, report.finish()))
}

/// The source's reader, if it is of one of the built-in formats.
fn built_in<'a>(source: &MergeInput<'a, dyn VectorReader>) -> Option<&'a VectorFieldReader> {
    source.reader.and_then(VectorFieldReader::of)
}

fn formats(sources: &[MergeInput<'_, dyn VectorReader>]) -> Vec<&'static str> {
    let name = |source| built_in(source).map_or("other", |reader| reader.segment.format);
    sources.iter().map(name).collect()
}

/// The live vectors of all sources, which must be vectors of this field.
fn live_vectors<'a>(
    field: &FieldInfo,
    sources: &[MergeInput<'a, dyn VectorReader>],
    cancel: &Cancel,
) -> Result<MergeSources<'a>> {
    let mut merged = MergeSources::default();
    for (number, source) in (0u32..).zip(sources) {
        cancel.check()?;
        let start = merged.vectors.len();
        for ordinal in 0..source.reader.map_or(0, |reader| reader.len()) as u32 {
            let doc = source.reader.map(|reader| reader.doc(ordinal)).transpose()?;
            if let Some(doc) = doc.and_then(|doc| source.docs.get(doc)) {
                merged.vectors.push(MergedVector { source: number, ordinal, doc });
            }
        }
        let own = built_in(source);
        if own.is_some_and(|own| own.segment.field.component() != field.component()) {
            return Err(Error::Invalid(format!(
                "field {:?}: segment {} has vectors of another {:?}",
                field.name,
                source.segment,
                FieldInfo::DATATYPE
            )));
        }
        if own.is_some_and(|own| own.segment.field.similarity != field.similarity) {
            return Err(Error::Invalid(format!(
                "field {:?}: segment {} has another similarity",
                field.name, source.segment
            )));
        }
        merged.sources.push(MergeSource {
            segment: source.segment,
            reader: source.reader,
            encoded: own.map(|own| &*own.segment.encoded),
            range: start..merged.vectors.len(),
        });
    }
    if let Some(source) = lacks_raw(&merged).filter(|_| field.keeps_raw()) {
        return Err(Error::Invalid(format!(
            "field {:?}: segment {} has no raw vectors, and the field keeps them; set {:?} to false",
            field.name,
            source.segment,
            FieldInfo::KEEP_RAW
        )));
    }
    if merged.len() >= u32::MAX as usize {
        let problem = format!("field {:?}: more vectors than a segment can have", field.name);
        return Err(Error::Invalid(problem));
    }
    for (number, source) in merged.sources.iter().enumerate() {
        let rows = merged.source_rows(number);
        if !rows.is_empty() && rows.vector(0).is_ok_and(|row| row.len() != field.vector_len()) {
            return Err(Error::Invalid(format!(
                "field {:?}: segment {} has vectors of another dimension than {}",
                field.name, source.segment, field.dimension
            )));
        }
    }
    Ok(merged)
}

/// The first source of live vectors whose raw vectors are not kept.
fn lacks_raw<'m, 's>(merged: &'m MergeSources<'s>) -> Option<&'m MergeSource<'s>> {
    let mut live = merged.sources.iter().filter(|source| source.live() > 0);
    live.find(|source| source.reader.is_some_and(|reader| !reader.keeps_raw()))
}

/// A graph from the sources' graphs, and from the vectors of those that have none.
fn merge_graphs(
    format: &VectorFieldFormat,
    encode: &EncodeContext<'_>,
    sources: &[MergeInput<'_, dyn VectorReader>],
    merged: &MergeSources<'_>,
    encoded: &dyn NewVectors,
) -> Result<Graph> {
    let mut maps: Vec<(&dyn GraphView, Vec<u32>)> = Vec::new();
    let mut without_graph = Vec::new();
    let live = sources.iter().zip(&merged.sources).filter(|(_, source)| source.live() > 0);
    for (source, own) in live {
        let new = own.range.start as u32..own.range.end as u32;
        match built_in(source).and_then(VectorFieldReader::graph) {
            Some(graph) => {
                let mut ordinals = vec![u32::MAX; graph.len()];
                let vectors = merged.vectors.get(own.range.clone()).unwrap_or_default();
                for (new, vector) in new.zip(vectors) {
                    if let Some(slot) = ordinals.get_mut(vector.ordinal as usize) {
                        *slot = new;
                    }
                }
                maps.push((graph, ordinals));
            }
            None => without_graph.extend(new),
        }
    }
    let context = encode.write;
    let params = format.params(encode.field)?.merge_params(context);
    let vectors = encoded.graph_vectors()?;
    if maps.is_empty() {
        return graph::build(&params, &*vectors, context.cancel, context.progress);
    }
    let graphs: Vec<SourceGraph<'_>> =
        maps.iter().map(|(graph, ordinals)| SourceGraph { graph: *graph, ordinals }).collect();
    graph::merge_graphs(&params, &*vectors, &graphs, &without_graph, context.cancel, context.progress)
}
