//! What every vector format must do when it merges.

use super::data::{DIMENSION, bytes, doc_of, kept, query_bytes, random_rows, search, write};
use crate::format::{OpenContext, Working, WriteContext, Written};
use crate::testing::MemoryDirectory;
use crate::vector::{Effort, VectorFormat, VectorReader};
use crate::{Accept, Cancel, DocMap, FieldInfo, MergeInput, Neighbor, SegmentId};

/// A segment of a merge, opened.
struct Segment {
    directory: MemoryDirectory,
    written: Written,
    max_doc: u32,
    id: SegmentId,
}

impl Segment {
    fn write(format: &dyn VectorFormat, field: &FieldInfo, vectors: &[Vec<f32>], number: u8) -> Self {
        let segment = Self {
            directory: MemoryDirectory::new(),
            written: Written::default(),
            max_doc: doc_of(vectors.len()),
            id: SegmentId([number; 16]),
        };
        let written = write(format, field, vectors, &segment.context(&Cancel::new()));
        Self { written, ..segment }
    }

    fn context<'a>(&'a self, cancel: &'a Cancel) -> WriteContext<'a> {
        WriteContext {
            directory: &self.directory,
            segment: "_s",
            segment_id: self.id,
            max_doc: self.max_doc,
            seed: 1,
            threads: 1,
            working: Working::Heap,
            cancel,
            progress: &(),
        }
    }

    fn open(&self, format: &dyn VectorFormat, field: &FieldInfo) -> Box<dyn VectorReader> {
        let context = OpenContext {
            directory: &self.directory,
            segment_id: self.id,
            max_doc: self.max_doc,
            files: &self.written.files,
            meta: &self.written.meta,
        };
        format.open(&context, field).expect("opening")
    }
}

/// Merges segments, leaving out documents; what is left must be what lived, bit for bit.
fn merge(format: &dyn VectorFormat, field: &FieldInfo, sources: &[Vec<Vec<f32>>], drop: usize) {
    let sources: Vec<Vec<Vec<f32>>> = sources.iter().map(|vectors| kept(field, vectors.clone())).collect();
    let sources = &sources;
    let segments: Vec<Segment> = (1u8..)
        .zip(sources)
        .map(|(number, vectors)| Segment::write(format, field, vectors, number))
        .collect();
    let readers: Vec<_> = segments.iter().map(|segment| segment.open(format, field)).collect();
    let mut next = 0;
    let mut live = Vec::new();
    let maps: Vec<DocMap> = sources
        .iter()
        .map(|vectors| {
            let max_doc = doc_of(vectors.len());
            DocMap::new((0..max_doc).map(|doc| {
                if doc as usize % drop == drop - 1 {
                    return None;
                }
                if let Some(vector) = vectors.get((doc as usize).wrapping_sub(1) / 2).filter(|_| doc % 2 == 1)
                {
                    live.push((next, vector.clone()));
                }
                next += 1;
                Some(next - 1)
            }))
        })
        .collect();
    let names: Vec<String> = (0..sources.len()).map(|number| format!("_{number}")).collect();
    let mut merged: Vec<MergeInput<'_, dyn VectorReader>> = Vec::new();
    for ((name, reader), docs) in names.iter().zip(&readers).zip(&maps) {
        merged.push(MergeInput { segment: name, reader: Some(&**reader), docs });
    }
    let empty = DocMap::new((0..4).map(|_| None));
    merged.push(MergeInput { segment: "_none", reader: None, docs: &empty });
    let planned = format.plan_merge(field, &merged).expect("planning");
    let mut target = Segment {
        directory: MemoryDirectory::new(),
        written: Written::default(),
        max_doc: next,
        id: SegmentId([77; 16]),
    };
    let cancel = Cancel::new();
    let (written, report) = format.merge(&target.context(&cancel), field, &merged).expect("merging");
    target.written = written;
    for report in [&planned, &report] {
        let listed = report["sources"].as_array().expect("sources");
        assert_eq!(listed.len(), merged.len());
        for (source, merged) in listed.iter().zip(&merged) {
            assert_eq!(source["segment"], merged.segment);
            assert!(source["outcome"].is_string());
        }
    }
    let reader = target.open(format, field);
    assert_eq!(reader.len(), live.len());
    for (doc, vector) in &live {
        let ordinal = reader.ordinal(*doc).expect("the map").expect("a vector");
        assert_eq!(reader.row(ordinal).expect("the row"), bytes(field, vector));
    }
    assert_eq!(reader.verify(&cancel).expect("checking"), []);
    for query in random_rows(2, DIMENSION, 5) {
        let row = query_bytes(field, &query);
        let all = Accept::all(next);
        let exact = search(&*reader, &row, 10, Effort::Exact, all);
        let hits = search(&*reader, &row, 10, Effort::Candidates(200), all);
        assert_eq!(hits.neighbors.len(), 10.min(live.len()));
        let found = |exact: &&Neighbor| {
            hits.neighbors.iter().any(|hit| hit.distance <= exact.distance + 0.02 || hit.doc == exact.doc)
        };
        assert!(exact.neighbors.iter().filter(found).count() * 10 >= exact.neighbors.len() * 6);
    }
}

pub(super) fn check_merge(format: &dyn VectorFormat, field: &FieldInfo) {
    let sources =
        [random_rows(120, DIMENSION, 21), random_rows(60, DIMENSION, 22), random_rows(7, DIMENSION, 23)];
    for drop in [usize::MAX, 5, 3] {
        merge(format, field, &sources, drop);
    }
    // Far apart, and one alone.
    let wide = |factor: f32| -> Vec<Vec<f32>> {
        let mut rows = random_rows(50, DIMENSION, 31);
        rows.iter_mut().flatten().for_each(|value| *value *= factor);
        rows
    };
    merge(format, field, &[wide(0.01), wide(30.0)], usize::MAX);
    merge(format, field, &[wide(1.0)], 7);
}

pub(super) fn check_merge_of_small_segments(format: &dyn VectorFormat, field: &FieldInfo) {
    let single: Vec<_> = (0..12).map(|seed| random_rows(1, DIMENSION, 50 + seed)).collect();
    merge(format, field, &single, usize::MAX);
    let zeros = vec![vec![0.0; DIMENSION]; 3];
    merge(format, field, &[zeros.clone(), zeros.clone()], usize::MAX);
    merge(format, field, &[zeros, random_rows(20, DIMENSION, 60)], usize::MAX);
}
