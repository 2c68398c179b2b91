//! Segments in memory for tests of vector formats.
#![allow(dead_code, unreachable_pub, missing_docs, reason = "every test uses some of it")]

use lucerne_codec::format::{OpenContext, Working, WriteContext, Written};
use lucerne_codec::testing::MemoryDirectory;
use lucerne_codec::vector::{Effort, VectorFormat, VectorHits, VectorReader, VectorRows, VectorSearch};
use lucerne_codec::{
    Accept, Cancel, DocId, DocMap, FieldInfo, MergeInput, Neighbor, OnStop, Report, SegmentId, Similarity,
};
use lucerne_formats::vectors::{VectorFieldReader, vector_formats};
use std::sync::Arc;

pub fn format(name: &str) -> Arc<dyn VectorFormat> {
    vector_formats().into_iter().find(|format| format.name() == name).unwrap()
}

pub fn field(dimension: usize, similarity: Similarity, params: &str) -> FieldInfo {
    FieldInfo {
        number: 0,
        name: "v".to_owned(),
        dimension: dimension as u32,
        similarity,
        params: serde_json::from_str(params).unwrap(),
    }
}

pub fn bytes(vector: &[f32]) -> Vec<u8> {
    vector.iter().flat_map(|value| value.to_le_bytes()).collect()
}

/// A segment in a folder of its own; vector i belongs to document i.
pub struct Segment {
    pub directory: MemoryDirectory,
    pub written: Written,
    pub docs: u32,
    pub format: Arc<dyn VectorFormat>,
    pub field: FieldInfo,
}

const ID: SegmentId = SegmentId([5; 16]);

fn context<'a>(directory: &'a MemoryDirectory, docs: u32, cancel: &'a Cancel) -> WriteContext<'a> {
    WriteContext {
        directory,
        segment: "_0",
        segment_id: ID,
        max_doc: docs,
        seed: 42,
        threads: 1,
        working: Working::Heap,
        cancel,
        progress: &(),
    }
}

impl Segment {
    pub fn flush(format: Arc<dyn VectorFormat>, field: &FieldInfo, vectors: &[Vec<f32>]) -> Self {
        Self::flush_after(format, field, vectors, None)
    }

    pub fn flush_after(
        format: Arc<dyn VectorFormat>,
        field: &FieldInfo,
        vectors: &[Vec<f32>],
        previous: Option<&dyn VectorReader>,
    ) -> Self {
        let rows: Vec<Vec<u8>> = vectors.iter().map(|vector| bytes(vector)).collect();
        Self::flush_bytes(format, field, &rows, previous)
    }

    pub fn flush_bytes(
        format: Arc<dyn VectorFormat>,
        field: &FieldInfo,
        rows: &[Vec<u8>],
        previous: Option<&dyn VectorReader>,
    ) -> Self {
        let directory = MemoryDirectory::new();
        let docs: Vec<DocId> = (0..rows.len() as u32).collect();
        let rows = VectorRows { rows: &rows.concat(), docs: &docs };
        let cancel = Cancel::new();
        let context = context(&directory, docs.len() as u32, &cancel);
        let written = format.write(&context, field, rows, previous).unwrap();
        Self { written, directory, docs: docs.len() as u32, format, field: field.clone() }
    }

    pub fn open(&self) -> Box<dyn VectorReader> {
        let context = OpenContext {
            directory: &self.directory,
            segment_id: ID,
            max_doc: self.docs,
            files: &self.written.files,
            meta: &self.written.meta,
        };
        self.format.open(&context, &self.field).unwrap()
    }

    /// Whether there is a file with that extension.
    pub fn has_file(&self, extension: &str) -> bool {
        self.directory.files().into_keys().any(|name| name.ends_with(extension))
    }

    /// The name of the file with that extension.
    pub fn file(&self, extension: &str) -> String {
        let mut names = self.directory.files().into_keys();
        names.find(|name| name.ends_with(extension)).unwrap()
    }
}

/// Merges all documents of the sources, in order; also returns the plan and the report.
pub fn merge(
    format: Arc<dyn VectorFormat>,
    field: &FieldInfo,
    sources: &[&Segment],
) -> (Segment, Report, Report) {
    let readers: Vec<_> = sources.iter().map(|source| source.open()).collect();
    let mut docs = 0;
    let maps: Vec<DocMap> = sources
        .iter()
        .map(|source| {
            let start = docs;
            docs += source.docs;
            DocMap::new((start..docs).map(Some))
        })
        .collect();
    let names: Vec<String> = (0..sources.len()).map(|number| format!("_{number}")).collect();
    let sources: Vec<MergeInput<'_, dyn VectorReader>> = names
        .iter()
        .zip(&readers)
        .zip(&maps)
        .map(|((name, reader), docs)| MergeInput { segment: name, reader: Some(&**reader), docs })
        .collect();
    let plan = format.plan_merge(field, &sources).unwrap();
    let directory = MemoryDirectory::new();
    let cancel = Cancel::new();
    let (written, report) = format.merge(&context(&directory, docs, &cancel), field, &sources).unwrap();
    let merged = Segment { directory, written, docs, format, field: field.clone() };
    assert_eq!(merged.open().verify(&cancel).unwrap(), []);
    (merged, plan, report)
}

pub fn outcomes(report: &Report) -> Vec<&str> {
    let sources = report["sources"].as_array().unwrap();
    sources.iter().map(|source| source["outcome"].as_str().unwrap()).collect()
}

pub fn built_in(reader: &dyn VectorReader) -> &VectorFieldReader {
    reader.as_any().downcast_ref().unwrap()
}

pub fn search(
    reader: &dyn VectorReader,
    query: &[f32],
    k: usize,
    effort: Effort,
    docs: u32,
) -> Vec<Neighbor> {
    search_accepted(reader, query, k, effort, Accept::all(docs)).unwrap().neighbors
}

pub fn search_accepted(
    reader: &dyn VectorReader,
    query: &[f32],
    k: usize,
    effort: Effort,
    accept: Accept<'_>,
) -> lucerne_codec::Result<VectorHits> {
    reader.search(&VectorSearch {
        query: &bytes(query),
        k,
        effort,
        accept,
        ties: &|left: DocId, right: DocId| left.cmp(&right),
        cancel: &Cancel::new(),
        on_stop: OnStop::Fail,
    })
}

/// Recall@10 with `gathered` rescored.
pub fn recall(segment: &Segment, queries: &[Vec<f32>], candidates: usize, gathered: usize) -> f64 {
    let reader = segment.open();
    let mut found = 0;
    for query in queries {
        let exact = search(&*reader, query, 10, Effort::Exact, segment.docs);
        let effort = Effort::Candidates(candidates);
        let mut hits = search(&*reader, query, gathered, effort, segment.docs);
        reader.rescore(&bytes(query), &mut hits).unwrap();
        hits.sort_by(|left, right| left.distance.total_cmp(&right.distance).then(left.doc.cmp(&right.doc)));
        let hits = &hits[..10];
        found += exact.iter().filter(|exact| hits.iter().any(|hit| hit.doc == exact.doc)).count();
    }
    found as f64 / (queries.len() * 10) as f64
}
