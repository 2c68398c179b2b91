//! A ceiling on memory: kept by any number of writers, merges and searches; what cannot fit is refused before it begins.

use crate::common::rng::Rng;
use lucerne::directory::FsDirectory;
use lucerne::index::IndexBuilder;
use lucerne::merge::MergePolicy;
use lucerne::{
    Cancel, Document, Error, Index, Knn, Match, Memory, Schema, Search, Sort, Vector, Writer, WriterOptions,
};
use std::path::Path;
use std::sync::Arc;

const MIB: u64 = 1 << 20;

fn create(folder: &Path, schema: Schema, memory: &Memory) -> Index {
    IndexBuilder::new().memory(memory).create(Arc::new(FsDirectory::create(folder).unwrap()), schema).unwrap()
}

fn vectors() -> Schema {
    Schema::builder().key("id").text("t").vector("v", Vector::f32(16)).build().unwrap()
}

fn fill(writer: &Writer, from: usize, docs: usize) {
    let mut rng = Rng::new(from as u64);
    for number in from..from + docs {
        let document = Document::new()
            .with("id", format!("{number:06}"))
            .with("t", format!("one of {} words", number % 97))
            .with("v", rng.vector(16));
        writer.add(&document).unwrap();
    }
}

#[test]
fn many_writers_merges_and_searches_stay_below_one_ceiling() {
    let folder = tempfile::tempdir().unwrap();
    let memory = Memory::ceiling(16 * MIB);
    let indexes: Vec<Index> =
        (0..6).map(|number| create(&folder.path().join(number.to_string()), vectors(), &memory)).collect();
    let writers: Vec<Writer> = indexes.iter().map(|index| index.writer().unwrap()).collect();
    std::thread::scope(|scope| {
        for (number, (index, writer)) in indexes.iter().zip(&writers).enumerate() {
            scope.spawn(move || {
                for round in 0..5 {
                    // Some write much, some little: whose buffer is flushed does not depend on who needs room.
                    fill(writer, round * 10_000, 300 + 500 * number);
                    writer.refresh().unwrap();
                    let searcher = index.searcher().unwrap();
                    assert_eq!(searcher.search(Knn::new("v", vec![0.5; 16])).unwrap().hits.len(), 10);
                }
            });
        }
    });
    for (number, (index, writer)) in indexes.iter().zip(&writers).enumerate() {
        writer.force_merge(1, &Cancel::new()).unwrap();
        writer.close().unwrap();
        let searcher = index.searcher().unwrap();
        assert_eq!((searcher.len(), searcher.segment_count()), (5 * (300 + 500 * number as u64), 1));
    }
    assert!(memory.peak() > 2 * MIB && memory.peak() <= 16 * MIB, "{}", memory.peak());
    assert_eq!(memory.in_use().total(), 0);
}

/// Merges everything in a copy of an index; returns its files with the vectors.
fn merged(index: &Path, copy: &Path, memory: &Memory) -> Vec<(String, Vec<u8>)> {
    std::fs::create_dir(copy).unwrap();
    for entry in std::fs::read_dir(index).unwrap() {
        let path = entry.unwrap().path();
        std::fs::copy(&path, copy.join(path.file_name().unwrap())).unwrap();
    }
    let index = IndexBuilder::new().memory(memory).open(Arc::new(FsDirectory::open(copy).unwrap())).unwrap();
    let writer = index.writer_with(WriterOptions::new().seed(7).threads(2)).unwrap();
    writer.force_merge(1, &Cancel::new()).unwrap();
    writer.close().unwrap();
    let files = std::fs::read_dir(copy).unwrap().map(|entry| entry.unwrap().path());
    let of_vectors = |path: &std::path::PathBuf| {
        path.extension().is_some_and(|it| ["hnsw", "sq8", "vec", "ord", "si"].iter().any(|kind| it == *kind))
    };
    let read = |path: std::path::PathBuf| {
        (path.file_name().unwrap().to_string_lossy().into_owned(), std::fs::read(&path).unwrap())
    };
    let mut files: Vec<(String, Vec<u8>)> = files.filter(of_vectors).map(read).collect();
    files.sort();
    files
}

#[test]
fn a_merge_that_works_in_files_writes_the_same_bytes() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    let index = create(&path("index"), vectors(), &Memory::unlimited());
    let options = WriterOptions::new().merge_policy(MergePolicy::None).flush_docs(10_000);
    let writer = index.writer_with(options).unwrap();
    fill(&writer, 0, 20_000);
    writer.close().unwrap();
    // Less than the graph takes on the heap.
    let memory = Memory::ceiling(8 * MIB);
    let plan = index.writer().unwrap().plan_force_merge(1).unwrap();
    assert!(plan[0]["memory"].as_u64() > Some(8 * MIB) && plan[0]["memory_least"].as_u64() < Some(6 * MIB));
    let on_heap = merged(&path("index"), &path("heap"), &Memory::unlimited());
    let in_files = merged(&path("index"), &path("files"), &memory);
    assert!(on_heap.len() >= 5 && on_heap == in_files);
    assert!(memory.peak() > 3 * MIB && memory.peak() <= 8 * MIB, "{}", memory.peak());
}

#[test]
fn a_forced_merge_that_cannot_fit_is_refused_with_what_it_needs_before_it_begins() {
    let folder = tempfile::tempdir().unwrap();
    let index = create(folder.path(), Schema::builder().key("id").build().unwrap(), &Memory::unlimited());
    let writer = index.writer_with(WriterOptions::new().merge_policy(MergePolicy::None)).unwrap();
    for part in 0..2u32 {
        let keys = (0..120_000u32).map(|number| Document::new().with("id", format!("{part}-{number}")));
        writer.add_batch(&keys.collect::<Vec<_>>()).unwrap();
        writer.commit().unwrap();
    }
    writer.close().unwrap();

    let small = IndexBuilder::new().memory(&Memory::ceiling(8 * MIB));
    let index = small.open(Arc::new(FsDirectory::open(folder.path()).unwrap())).unwrap();
    let writer = index.writer().unwrap();
    let plan = writer.plan_force_merge(1).unwrap();
    let error = writer.force_merge(1, &Cancel::new()).unwrap_err();
    match &error {
        Error::MemoryCeiling { needs, most, ceiling, .. } => {
            assert_eq!(plan[0]["memory_least"].as_u64(), Some(*needs));
            assert!(needs > most && *ceiling == 8 * MIB, "{error}");
        }
        other => panic!("{other}"),
    }
    assert!(error.to_string().contains("give more memory"), "{error}");
    // Nor does a background merge try it again and again.
    writer.add(&Document::new().with("id", "a")).unwrap();
    writer.commit().unwrap();
    writer.wait_for_merges();
    assert!(index.searcher().unwrap().segment_count() >= 2);
    assert_eq!(index.stats().failed_merges, 0);
}

#[test]
fn a_batch_or_a_search_that_never_fits_is_refused_and_changes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let schema = Schema::builder().key("id").i64("n").text("t").build().unwrap();
    let memory = Memory::ceiling(8 * MIB);
    let index = create(folder.path(), schema, &memory);
    let writer = index.writer().unwrap();
    let document = |key: u32| Document::new().with("id", key.to_string()).with("n", key).with("t", "same");
    let batch: Vec<Document> = (0..20_000).map(document).collect();
    assert!(matches!(writer.add_batch(&batch), Err(Error::MemoryCeiling { .. })));
    writer.refresh().unwrap();
    assert_eq!(index.searcher().unwrap().len(), 0);
    for part in batch.chunks(1_000) {
        writer.add_batch(part).unwrap();
    }
    writer.commit().unwrap();
    let searcher = index.searcher().unwrap();
    assert_eq!(searcher.search(Match::new("t", "same")).unwrap().hits.len(), 10);
    let deep = Search::new(Match::new("t", "same")).sort(Sort::desc("n")).limit(10_000);
    let refused = searcher.search(deep).unwrap_err();
    assert!(matches!(refused, Error::MemoryCeiling { what: "this search", .. }), "{refused}");
    assert!(memory.peak() <= 8 * MIB);
}
