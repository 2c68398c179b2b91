//! One merge: live documents of several segments into a new one, each structure merged by its format.

use crate::error::Result;
use crate::reader::{Pins, SegmentReader};
use crate::schema::{Schema, VectorField};
use lucerne_codec::envelope;
use lucerne_codec::format::{WriteContext, Written};
use lucerne_codec::segment_info::{SegmentInfo, StructureInfo, VectorInfo};
use lucerne_codec::vector::VectorReader;
use lucerne_codec::{BitSet, Cancel, Directory, DocMap, MergeInput, Progress, Registry, Report, SegmentId};
use serde_json::{Map, Value, json};
use std::sync::Arc;
use std::time::Instant;

/// A source segment with the documents that were live when the merge began.
pub(crate) struct Source {
    pub(crate) reader: Arc<SegmentReader>,
    pub(crate) live: Option<BitSet>,
}

impl Source {
    fn live_docs(&self) -> u32 {
        self.live.as_ref().map_or(self.reader.max_doc(), BitSet::count)
    }

    fn bytes(&self) -> u64 {
        self.reader.files().map(|file| file.len).sum()
    }
}

/// What a merge needs to know.
pub(crate) struct Task<'a> {
    pub(crate) directory: &'a dyn Directory,
    pub(crate) registry: &'a Registry,
    pub(crate) pins: &'a Arc<Pins>,
    pub(crate) schema: &'a Schema,
    pub(crate) name: &'a str,
    pub(crate) id: SegmentId,
    pub(crate) seed: u64,
    pub(crate) threads: usize,
    pub(crate) cancel: &'a Cancel,
    pub(crate) progress: &'a dyn Progress,
    /// Leave seconds out of the record kept in the segment, so that the same merge gives the same bytes.
    pub(crate) reproducible: bool,
}

/// A finished merge.
pub(crate) struct Merged {
    pub(crate) reader: SegmentReader,
    /// Where each source's documents went.
    pub(crate) docs: Vec<DocMap>,
    /// The merge record, with seconds.
    pub(crate) record: Report,
}

/// Merges at least one live document of `sources` into a new segment. Nothing is synced. After an error the
/// caller discards the files.
pub(crate) fn merge(task: &Task<'_>, sources: &[Source]) -> Result<Merged> {
    let started = Instant::now();
    verify_sources(task, sources)?;
    let verified = started.elapsed();
    let docs = doc_maps(sources);
    let max_doc = docs.iter().map(DocMap::live).sum::<usize>() as u32;
    let context = WriteContext {
        directory: task.directory,
        segment: task.name,
        segment_id: task.id,
        max_doc,
        seed: task.seed,
        threads: task.threads,
        cancel: task.cancel,
        progress: task.progress,
    };
    let (mut vectors, mut reports) = (Vec::new(), Map::new());
    for field in task.schema.vector_fields() {
        let inputs = vector_inputs(&field, sources, &docs);
        if !any_live_vector(&inputs)? {
            continue;
        }
        let format = field.format(task.registry)?;
        let (written, report) = format.merge(&context, &field.info(), &inputs)?;
        vectors.push(VectorInfo { field: field.info(), structure: structure(format.name(), written) });
        reports.insert(field.name().to_owned(), report);
    }
    let at_stored = Instant::now();
    let format = task.registry.default_stored()?;
    let inputs_of_stored = inputs(sources, &docs, |segment| Some(segment.stored()));
    let stored = structure(format.name(), format.merge(&context, &inputs_of_stored)?);
    let keys = merge_keys(task, &context, sources, &docs)?;
    let at_terms = Instant::now();
    let postings = merge_any(&inputs(sources, &docs, SegmentReader::postings), |inputs| {
        let format = task.registry.default_postings()?;
        Ok(structure(format.name(), format.merge(&context, inputs)?))
    })?;
    let columns = merge_any(&inputs(sources, &docs, SegmentReader::columns), |inputs| {
        let format = task.registry.default_columns()?;
        Ok(structure(format.name(), format.merge(&context, inputs)?))
    })?;
    let seconds = json!({
        "verify": verified.as_secs_f64(),
        "vectors": (at_stored - started - verified).as_secs_f64(),
        "documents": (at_terms - at_stored).as_secs_f64(),
        "terms": at_terms.elapsed().as_secs_f64(),
        "all": started.elapsed().as_secs_f64(),
    });
    let vector_files = vectors.iter().flat_map(|vector: &VectorInfo| &vector.structure.files);
    let others = [Some(&stored), Some(&keys), postings.as_ref(), columns.as_ref()];
    let files = others.into_iter().flatten().flat_map(|structure| &structure.files).chain(vector_files);
    let written: u64 = files.map(|file| file.len).sum();
    let record = json!({
        "sources": sources.iter().map(source_report).collect::<Vec<_>>(),
        "docs": max_doc,
        "bytes_read": sources.iter().map(Source::bytes).sum::<u64>(),
        "bytes_written": written,
        "fields": reports,
        "seconds": seconds,
    });
    let info = SegmentInfo {
        name: task.name.to_owned(),
        id: task.id,
        max_doc,
        written_by: crate::limits::WRITTEN_BY.to_owned(),
        stored,
        keys,
        postings,
        columns,
        vectors,
        merge: Some(if task.reproducible { without_seconds(record.clone()) } else { record.clone() }),
    };
    let entry = task.registry.segment_info.write(task.directory, &info)?;
    let reader = SegmentReader::open(task.directory, task.registry, task.pins, &entry, task.id)?;
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
    Ok(json!({
        "sources": sources.iter().map(source_report).collect::<Vec<_>>(),
        "docs": live,
        "bytes_to_read": bytes,
        "bytes_to_write": (u128::from(bytes) * u128::from(live) / u128::from(all.max(1))) as u64,
        "fields": fields,
    }))
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
fn verify_sources(task: &Task<'_>, sources: &[Source]) -> Result<()> {
    let total = sources.iter().map(Source::bytes).sum();
    let mut done = 0;
    for file in sources.iter().flat_map(|source| source.reader.files()) {
        task.cancel.check()?;
        envelope::verify_checksum(&task.directory.open(&file.name)?)?;
        done += file.len;
        task.progress.report("verify", done, total);
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
    task: &Task<'_>,
    context: &WriteContext<'_>,
    sources: &[Source],
    docs: &[DocMap],
) -> Result<StructureInfo> {
    let mut keys = Vec::with_capacity(context.max_doc as usize);
    for (source, docs) in sources.iter().zip(docs) {
        task.cancel.check()?;
        for doc in (0..source.reader.max_doc()).filter(|&doc| docs.get(doc).is_some()) {
            keys.push(source.reader.keys().key(doc)?);
        }
    }
    let format = task.registry.default_keys()?;
    Ok(structure(format.name(), format.write(context, &keys)?))
}

/// A structure as its segment info remembers it.
pub(crate) fn structure(format: &str, written: Written) -> StructureInfo {
    StructureInfo { format: format.to_owned(), files: written.files, meta: written.meta }
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
