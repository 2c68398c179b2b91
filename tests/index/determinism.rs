//! The same input gives the same bytes, and the same question the same answer.

use crate::common::documents::{reopen, small_segments};
use crate::common::{files, sample};
use lucerne::directory::{FsDirectory, RamDirectory};
use lucerne::index::IndexBuilder;
use lucerne::{Hits, Knn, Schema, Searcher, Vector, WriterOptions, codec};
use std::collections::BTreeMap;
use std::sync::Arc;

type Files = BTreeMap<String, Vec<u8>>;

fn schema() -> Schema {
    let vector = Vector::f32(384).advanced("graph_threshold", 100);
    Schema::builder().key("name").text("short").i64("row").vector("embedding", vector).build().unwrap()
}

fn options(seed: u64) -> WriterOptions {
    small_segments(400).seed(seed)
}

/// Adds, upserts, deletes and commits, always the same.
fn write(directory: Arc<dyn codec::Directory>, seed: u64) {
    let index = IndexBuilder::new().create(directory, schema()).unwrap();
    let writer = index.writer_with(options(seed)).unwrap();
    let wanted = ["name", "short", "row", "embedding"];
    let documents: Vec<lucerne::Document> = sample::sample_documents()
        .into_iter()
        .take(1_000)
        .map(|document| wanted.iter().map(|name| (*name, document.get(name).unwrap().clone())).collect())
        .collect();
    let (first, rest) = documents.split_at(500);
    first.iter().for_each(|document| drop(writer.add(document).unwrap()));
    writer.commit().unwrap();
    rest.iter().for_each(|document| drop(writer.add(document).unwrap()));
    for document in documents.iter().step_by(7) {
        writer.upsert(document).unwrap();
    }
    for document in documents.iter().step_by(11) {
        let lucerne::Value::Text(key) = document.get("name").unwrap() else { panic!("a key is text") };
        writer.delete(key).unwrap();
    }
    writer.refresh().unwrap();
    writer.close().unwrap();
}

fn in_memory(seed: u64) -> (RamDirectory, Files) {
    let directory = RamDirectory::new();
    write(Arc::new(directory.clone()), seed);
    let files = files::contents(&directory);
    (directory, files)
}

/// Which files differ, and from where on.
fn differences(left: &Files, right: &Files) -> Vec<String> {
    assert!(left.keys().eq(right.keys()), "{:?} and {:?}", left.keys(), right.keys());
    let differ = left.iter().zip(right.values()).filter(|((_, left), right)| left != right);
    differ
        .map(|((name, left), right)| {
            let at = left.iter().zip(right).position(|(left, right)| left != right);
            format!("{name}: {} and {} bytes, differ at {at:?}", left.len(), right.len())
        })
        .collect()
}

#[test]
fn the_same_input_with_one_seed_gives_the_same_bytes() {
    let (_, first) = in_memory(7);
    let (_, second) = in_memory(7);
    assert_eq!(differences(&first, &second), [""; 0]);
    assert!(first.len() > 10 && first.values().map(Vec::len).sum::<usize>() > 1_000_000);
    // On a disk, too.
    let folder = tempfile::tempdir().unwrap();
    let directory = Arc::new(FsDirectory::create(folder.path().join("index")).unwrap());
    write(directory.clone(), 7);
    assert_eq!(differences(&first, &files::contents(&*directory)), [""; 0]);
}

/// Two flushes of all kinds of vectors, some deletes and a forced merge, by so many threads.
fn built_by(threads: usize) -> (Files, Files) {
    let vector = |vector: Vector| vector.advanced("graph_threshold", 100);
    let inner_product = Vector::f32(384).similarity(lucerne::Similarity::MaxInnerProduct);
    let schema = Schema::builder()
        .key("name")
        .vector("embedding", vector(Vector::f32(384)))
        .vector("raw", vector(Vector::f32(384).quantization(lucerne::schema::Quantization::None)))
        .vector("product", vector(inner_product))
        .build()
        .unwrap();
    let directory = RamDirectory::new();
    let index = IndexBuilder::new().create(Arc::new(directory.clone()), schema).unwrap();
    let options =
        WriterOptions::new().seed(7).threads(threads).merge_policy(lucerne::merge::MergePolicy::None);
    let writer = index.writer_with(options.merge_threads(0)).unwrap();
    let documents = sample::sample_documents();
    let copied = documents[3].get("embedding").unwrap();
    for (row, document) in documents.iter().enumerate() {
        let (name, vector) = (document.get("name").unwrap(), document.get("embedding").unwrap());
        // Every twentieth vector is a copy of one.
        let vector = if row % 20 == 0 { copied } else { vector };
        let document = lucerne::Document::new().with("name", name.clone()).with("embedding", vector.clone());
        writer.add(&document.with("raw", vector.clone()).with("product", vector.clone())).unwrap();
        if row == 1_500 {
            writer.commit().unwrap();
        }
    }
    for document in documents.iter().step_by(11) {
        let lucerne::Value::Text(key) = document.get("name").unwrap() else { panic!("a key is text") };
        writer.delete(key).unwrap();
    }
    writer.commit().unwrap();
    let flushed = files::contents(&directory);
    writer.force_merge(1, &lucerne::Cancel::new()).unwrap();
    writer.close().unwrap();
    (flushed, files::contents(&directory))
}

#[test]
fn any_number_of_threads_writes_and_merges_the_same_bytes() {
    let (flushed, merged) = built_by(1);
    assert!(
        flushed.keys().any(|name| name.ends_with(".hnsw"))
            && merged.keys().any(|name| name.ends_with(".hnsw"))
    );
    for threads in [2, 3, 7] {
        let (others_flushed, others_merged) = built_by(threads);
        assert_eq!(differences(&flushed, &others_flushed), [""; 0], "flushed by {threads} threads");
        assert_eq!(differences(&merged, &others_merged), [""; 0], "merged by {threads} threads");
    }
}

#[test]
fn another_seed_changes_identities_and_graphs_and_nothing_that_a_user_stored() {
    let (left, left_files) = in_memory(1);
    let (right, right_files) = in_memory(2);
    assert!(left_files.keys().eq(right_files.keys()), "file names do not depend on the seed");
    let id = |file: &[u8]| file[32..48].to_vec();
    let body = |file: &[u8]| file[64..file.len() - 16].to_vec();
    for (name, left) in &left_files {
        let right = &right_files[name];
        if !name.starts_with("segments_") {
            assert_ne!(id(left), id(right), "{name}: segments have identities of their own");
        }
        // Keys, documents and deletes are what they are. Vectors may lie in another order, as the graph has it.
        if !name.starts_with("segments_") && !name.ends_with(".si") && name.split('.').count() == 2 {
            assert!(body(left) == body(right), "{name} depends on the seed");
        }
    }
    let (left, right) = (reopen(&left).searcher().unwrap(), reopen(&right).searcher().unwrap());
    assert_eq!(left.len(), right.len());
    let quantiles = |searcher: &Searcher| -> Vec<serde_json::Value> {
        let report = lucerne::admin::inspect(searcher).unwrap();
        let segments = report["segments"].as_array().unwrap().iter();
        segments.map(|segment| segment["fields"]["embedding"]["quantiles"].clone()).collect()
    };
    assert_eq!(quantiles(&left), quantiles(&right));
    let none: [&str; 0] = [];
    for query in sample::read_f16_rows("queries.f16.npy") {
        let exact = Knn::new("embedding", query).exact().fields(none);
        let (left, right) = (left.search(&exact).unwrap(), right.search(&exact).unwrap());
        assert_eq!(left.hits, right.hits);
    }
}

#[test]
fn the_same_query_has_the_same_answer_from_one_thread_and_from_four() {
    let (directory, _) = in_memory(3);
    let searcher = reopen(&directory).searcher().unwrap();
    let queries = sample::read_f16_rows("queries.f16.npy");
    let ask = |searcher: &Searcher| -> Vec<Hits> {
        let ways = |query: &Vec<f32>| {
            let knn = Knn::new("embedding", query.clone());
            [knn.clone(), knn.clone().exact(), knn.clone().k(3).candidates(10), knn.rescore(3.0)]
        };
        queries.iter().step_by(3).flat_map(ways).map(|knn| searcher.search(&knn).unwrap()).collect()
    };
    let once = ask(&searcher);
    assert_eq!(ask(&searcher), once);
    assert_eq!(ask(&reopen(&directory).searcher().unwrap()), once);
    std::thread::scope(|scope| {
        let threads: Vec<_> = (0..4).map(|_| scope.spawn(|| ask(&searcher))).collect();
        for thread in threads {
            assert_eq!(thread.join().unwrap(), once);
        }
    });
}
