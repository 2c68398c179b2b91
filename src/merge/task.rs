//! One merge: live documents of several segments into a new one, each structure merged by its format.

use super::memory::memory;
use crate::error::Result;
use crate::memory::MergeNeeds;
use crate::reader::SegmentReader;
use crate::schema::{Schema, VectorField};
use crate::segment_write::{SegmentParts, SegmentWrite};
use lucerne_codec::envelope;
use lucerne_codec::format::{Working, WriteContext};
use lucerne_codec::segment_info::{StructureInfo, VectorInfo};
use lucerne_codec::vector::VectorReader;
use lucerne_codec::{BitSet, Directory, DocMap, MergeInput, Registry, Report};
use serde_json::{Map, Value, json};
use std::sync::Arc;
use std::time::Instant;

/// A source segment with the documents that were live when the merge began.
pub(crate) struct Source {
    pub(crate) reader: Arc<SegmentReader>,
    pub(crate) live: Option<BitSet>,
}

impl Source {
    pub(crate) fn live_docs(&self) -> u32 {
        self.live.as_ref().map_or(self.reader.max_doc(), BitSet::count)
    }

    fn bytes(&self) -> u64 {
        self.reader.files().map(|file| file.len).sum()
    }
}

/// What the merge record in the segment says of time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum MergeRecord {
    /// The seconds of each step.
    Timed,
    /// Nothing, so that the same merge gives the same bytes.
    Reproducible,
}

/// A finished merge.
pub(crate) struct Merged {
    pub(crate) reader: SegmentReader,
    /// Where each source's documents went.
    pub(crate) docs: Vec<DocMap>,
    /// The merge record, with seconds.
    pub(crate) record: Report,
}

/// Merges at least one live document of `sources`, whose files are in `from`, into a new segment. Nothing is synced. After
/// an error the caller discards the files.
pub(crate) fn merge(
    write: &SegmentWrite<'_>,
    from: &dyn Directory,
    sources: &[Source],
    kept: MergeRecord,
) -> Result<Merged> {
    let started = Instant::now();
    verify_sources(write, from, sources)?;
    let verified = started.elapsed();
    let docs = doc_maps(sources);
    let max_doc = docs.iter().map(DocMap::live).sum::<usize>() as u32;
    let context = write.context(max_doc);
    let (mut vectors, mut reports) = (Vec::new(), Map::new());
    for field in write.schema.vector_fields() {
        let inputs = vector_inputs(&field, sources, &docs);
        if !any_live_vector(&inputs)? {
            continue;
        }
        let format = field.format(write.registry)?;
        let (written, report) = format.merge(&context, &field.info(), &inputs)?;
        vectors
            .push(VectorInfo { field: field.info(), structure: StructureInfo::new(format.name(), written) });
        reports.insert(field.name().to_owned(), report);
    }
    let at_stored = Instant::now();
    let format = write.registry.default_stored()?;
    let inputs_of_stored = inputs(sources, &docs, |segment| Some(segment.stored()));
    let stored = StructureInfo::new(format.name(), format.merge(&context, &inputs_of_stored)?);
    let keys = merge_keys(write, &context, sources, &docs)?;
    let at_terms = Instant::now();
    let postings = merge_any(&inputs(sources, &docs, SegmentReader::postings), |inputs| {
        let format = write.registry.default_postings()?;
        Ok(StructureInfo::new(format.name(), format.merge(&context, inputs)?))
    })?;
    let columns = merge_any(&inputs(sources, &docs, SegmentReader::columns), |inputs| {
        let format = write.registry.default_columns()?;
        Ok(StructureInfo::new(format.name(), format.merge(&context, inputs)?))
    })?;
    let sparse = merge_any(&inputs(sources, &docs, SegmentReader::sparse), |inputs| {
        let format = write.registry.default_sparse()?;
        Ok(StructureInfo::new(format.name(), format.merge(&context, inputs)?))
    })?;
    let seconds = json!({
        "verify": verified.as_secs_f64(),
        "vectors": (at_stored - started - verified).as_secs_f64(),
        "documents": (at_terms - at_stored).as_secs_f64(),
        "terms": at_terms.elapsed().as_secs_f64(),
        "all": started.elapsed().as_secs_f64(),
    });
    let parts = SegmentParts { max_doc, stored, keys, postings, columns, sparse, vectors };
    let record = json!({
        "sources": sources.iter().map(source_report).collect::<Vec<_>>(),
        "docs": max_doc,
        "bytes_read": sources.iter().map(Source::bytes).sum::<u64>(),
        "bytes_written": parts.bytes(),
        "fields": reports,
        "seconds": seconds,
    });
    let kept = match kept {
        MergeRecord::Timed => record.clone(),
        MergeRecord::Reproducible => without_seconds(record.clone()),
    };
    let reader = write.finish(parts, Some(kept))?;
    Ok(Merged { reader, docs, record })
}

/// What a merge would decide, without doing it.
pub(crate) fn plan(registry: &Registry, schema: &Schema, sources: &[Source]) -> Result<Report> {
    let docs = doc_maps(sources);
    let mut fields = Map::new();
    for field in schema.vector_fields() {
        let inputs = vector_inputs(&field, sources, &docs);
        if any_live_vector(&inputs)? {
            let format = field.format(registry)?;
            fields.insert(field.name().to_owned(), format.plan_merge(&field.info(), &inputs)?);
        }
    }
    let bytes: u64 = sources.iter().map(Source::bytes).sum();
    let live: u64 = sources.iter().map(|source| u64::from(source.live_docs())).sum();
    let all: u64 = sources.iter().map(|source| u64::from(source.reader.max_doc())).sum();
    let needs = needs(registry, schema, live, sources.iter().map(|source| &*source.reader));
    Ok(json!({
        "sources": sources.iter().map(source_report).collect::<Vec<_>>(),
        "docs": live,
        "bytes_to_read": bytes,
        "memory": needs.heap,
        "memory_least": needs.files,
        "bytes_to_write": (u128::from(bytes) * u128::from(live) / u128::from(all.max(1))) as u64,
        "fields": fields,
    }))
}

/// What merging these segments into one of so many documents takes.
pub(crate) fn needs<'a>(
    registry: &Registry,
    schema: &Schema,
    live: u64,
    sources: impl Iterator<Item = &'a SegmentReader> + Clone,
) -> MergeNeeds {
    let vectors = |field: u32| {
        let of = |source: &SegmentReader| source.vector_field(field).map_or(0, |it| it.reader.len() as u64);
        // No more are live than there are.
        sources.clone().map(of).sum::<u64>()
    };
    let of = |working| memory(schema, registry, live, vectors, working);
    MergeNeeds { heap: of(Working::Heap), files: of(Working::Files) }
}

fn source_report(source: &Source) -> Report {
    json!({
        "segment": source.reader.name(),
        "docs": source.live_docs(),
        "deleted": source.reader.max_doc() - source.live_docs(),
        "bytes": source.bytes(),
    })
}

/// Damage must not be copied into a new segment under a fresh checksum.
fn verify_sources(write: &SegmentWrite<'_>, from: &dyn Directory, sources: &[Source]) -> Result<()> {
    let total = sources.iter().map(Source::bytes).sum();
    let mut done = 0;
    for file in sources.iter().flat_map(|source| source.reader.files()) {
        write.cancel.check()?;
        envelope::verify_checksum(&from.open(&file.name)?)?;
        done += file.len;
        write.progress.report("verify", done, total);
    }
    Ok(())
}

/// Documents keep their order: source by source, live ones only.
fn doc_maps(sources: &[Source]) -> Vec<DocMap> {
    let mut next = 0u32;
    let map = |source: &Source| {
        DocMap::new((0..source.reader.max_doc()).map(|doc| {
            let live = source.live.as_ref().is_none_or(|live| live.contains(doc));
            live.then(|| {
                next += 1;
                next - 1
            })
        }))
    };
    sources.iter().map(map).collect()
}

/// One structure of every source, as the format that merges it is given them.
fn inputs<'a, R: ?Sized>(
    sources: &'a [Source],
    docs: &'a [DocMap],
    structure: impl Fn(&'a SegmentReader) -> Option<&'a R>,
) -> Vec<MergeInput<'a, R>> {
    let inputs = sources.iter().zip(docs).map(|(source, docs)| MergeInput {
        segment: source.reader.name(),
        reader: structure(&source.reader),
        docs,
    });
    inputs.collect()
}

fn vector_inputs<'a>(
    field: &VectorField<'_>,
    sources: &'a [Source],
    docs: &'a [DocMap],
) -> Vec<MergeInput<'a, dyn VectorReader>> {
    inputs(sources, docs, |segment| segment.vector_field(field.number()).map(|vectors| &*vectors.reader))
}

fn any_live_vector(inputs: &[MergeInput<'_, dyn VectorReader>]) -> Result<bool> {
    for input in inputs {
        let Some(reader) = input.reader else { continue };
        for ordinal in 0..reader.len() as u32 {
            if input.docs.get(reader.doc(ordinal)?).is_some() {
                return Ok(true);
            }
        }
    }
    Ok(false)
}

/// Merges a structure that a segment may lack; `None` when all sources do.
fn merge_any<R: ?Sized>(
    inputs: &[MergeInput<'_, R>],
    merge: impl FnOnce(&[MergeInput<'_, R>]) -> Result<StructureInfo>,
) -> Result<Option<StructureInfo>> {
    if inputs.iter().all(|input| input.reader.is_none()) { Ok(None) } else { merge(inputs).map(Some) }
}

fn merge_keys(
    write: &SegmentWrite<'_>,
    context: &WriteContext<'_>,
    sources: &[Source],
    docs: &[DocMap],
) -> Result<StructureInfo> {
    let mut keys = Vec::with_capacity(context.max_doc as usize);
    for (source, docs) in sources.iter().zip(docs) {
        write.cancel.check()?;
        for doc in (0..source.reader.max_doc()).filter(|&doc| docs.get(doc).is_some()) {
            keys.push(source.reader.keys().key(doc)?);
        }
    }
    let format = write.registry.default_keys()?;
    Ok(StructureInfo::new(format.name(), format.write(context, &keys)?))
}

/// A report without anything that a clock has measured.
fn without_seconds(report: Report) -> Report {
    match report {
        Value::Object(map) => {
            let kept = map.into_iter().filter(|(name, _)| name != "seconds");
            kept.map(|(name, value)| (name, without_seconds(value))).collect()
        }
        Value::Array(values) => values.into_iter().map(without_seconds).collect(),
        other => other,
    }
}
