//! Merging changes where documents are, never which there are.

use crate::common::brute_force;
use crate::common::documents::{document, in_memory, one_field, reopen, vectors_of};
use crate::common::rng::Rng;
use lucerne::admin::check_in;
use lucerne::index::IndexBuilder;
use lucerne::merge::{MergeEvent, MergePolicy, TieredOptions};
use lucerne::schema::{Quantization, VectorIndex};
use lucerne::{Cancel, ErrorKind, Index, Knn, Searcher, Similarity, Vector, Writer, WriterOptions};
use std::collections::BTreeMap;
use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant};

type Model = BTreeMap<String, Vec<f32>>;

const DIMENSION: usize = 8;

fn options() -> WriterOptions {
    WriterOptions::new().threads(1).seed(7).flush_docs(40).merge_policy(MergePolicy::None)
}

fn fill(writer: &Writer, model: &mut Model, rng: &mut Rng, documents: usize) {
    for _ in 0..documents {
        let key = format!("k{:03}", rng.below(300));
        let vector = rng.vector(DIMENSION);
        writer.upsert(&document(key.as_str(), vector.clone())).unwrap();
        model.insert(key, vector);
    }
}

fn assert_same(searcher: &Searcher, model: &Model, rng: &mut Rng) {
    assert_eq!(searcher.len(), model.len() as u64);
    for (key, vector) in model {
        assert_eq!(searcher.vector(key, "v").unwrap().as_ref(), Some(vector), "{key}");
    }
    for _ in 0..3 {
        let query = rng.vector(DIMENSION);
        let hits = searcher.search(Knn::new("v", query.clone()).k(10).exact()).unwrap();
        let documents = model.iter().map(|(key, vector)| (&**key, &**vector));
        brute_force::assert_exact(&hits, Similarity::Euclidean, &query, documents, 10);
    }
}

fn segments(index: &Index) -> usize {
    index.searcher().unwrap().segment_count()
}

#[test]
fn a_forced_merge_keeps_exactly_the_live_documents() {
    let mut rng = Rng::new(1);
    let (directory, index) = in_memory(vectors_of(DIMENSION, Similarity::Euclidean));
    let writer = index.writer_with(options()).unwrap();
    let mut model = Model::new();
    for round in 0..4 {
        fill(&writer, &mut model, &mut rng, 200);
        for key in model.keys().cloned().collect::<Vec<_>>() {
            if rng.chance(10) {
                assert!(writer.delete(&key).unwrap());
                model.remove(&key);
            }
        }
        writer.commit().unwrap();
        assert!(segments(&index) > 2);
        let most = [3, 2, 1, 1][round];
        let records = writer.force_merge(most, &Cancel::new()).unwrap();
        assert!(!records.is_empty());
        writer.commit().unwrap();
        assert!(segments(&index) <= most);
        assert_same(&index.searcher().unwrap(), &model, &mut rng);
    }
    drop(writer);
    let index = reopen(&directory);
    assert_same(&index.searcher().unwrap(), &model, &mut rng);
    let formats = IndexBuilder::new();
    let report = check_in(formats, Arc::new(directory), &Cancel::new(), &()).unwrap();
    assert!(report.ok(), "{:?}", report.problems);
    assert_eq!(report.docs, model.len() as u64);
}

/// Holds a merge at its first sign of progress until the test lets it go on.
#[derive(Default)]
struct Gate(Mutex<(bool, bool)>, Condvar);

impl Gate {
    fn arrive_and_wait(&self) {
        let mut state = self.0.lock().unwrap();
        state.0 = true;
        self.1.notify_all();
        while !state.1 {
            state = self.1.wait(state).unwrap();
        }
    }

    fn wait_for_arrival(&self) {
        let mut state = self.0.lock().unwrap();
        while !state.0 {
            state = self.1.wait(state).unwrap();
        }
    }

    fn open(&self) {
        self.0.lock().unwrap().1 = true;
        self.1.notify_all();
    }
}

fn held_merge(gate: &Arc<Gate>) -> WriterOptions {
    let gate = Arc::clone(gate);
    options().on_merge(move |event: &MergeEvent| {
        if matches!(event, MergeEvent::Progress { .. }) {
            gate.arrive_and_wait();
        }
    })
}

#[test]
fn deletes_and_upserts_that_arrive_during_a_merge_are_carried_over() {
    let mut rng = Rng::new(2);
    let (directory, index) = in_memory(vectors_of(DIMENSION, Similarity::Euclidean));
    let gate = Arc::new(Gate::default());
    let writer = index.writer_with(held_merge(&gate)).unwrap();
    let mut model = Model::new();
    fill(&writer, &mut model, &mut rng, 300);
    std::thread::scope(|scope| {
        let merge = scope.spawn(|| writer.force_merge(1, &Cancel::new()));
        gate.wait_for_arrival();
        for key in model.keys().cloned().collect::<Vec<_>>() {
            if rng.chance(30) {
                assert!(writer.delete(&key).unwrap());
                model.remove(&key);
            } else if rng.chance(30) {
                let vector = rng.vector(DIMENSION);
                writer.upsert(&document(key.as_str(), vector.clone())).unwrap();
                model.insert(key, vector);
            }
        }
        // A commit while the merge runs holds what was written, in the old segments.
        writer.commit().unwrap();
        assert_same(&reopen(&directory).searcher().unwrap(), &model, &mut rng);
        gate.open();
        merge.join().unwrap().unwrap();
    });
    writer.commit().unwrap();
    assert_same(&index.searcher().unwrap(), &model, &mut rng);
    drop(writer);
    assert_same(&reopen(&directory).searcher().unwrap(), &model, &mut rng);
}

#[test]
fn a_rollback_during_a_merge_wins() {
    let mut rng = Rng::new(3);
    let (_, index) = in_memory(vectors_of(DIMENSION, Similarity::Euclidean));
    let gate = Arc::new(Gate::default());
    let writer = index.writer_with(held_merge(&gate)).unwrap();
    let mut model = Model::new();
    fill(&writer, &mut model, &mut rng, 200);
    writer.commit().unwrap();
    let committed = model.clone();
    fill(&writer, &mut model, &mut rng, 100);
    std::thread::scope(|scope| {
        let merge = scope.spawn(|| writer.force_merge(1, &Cancel::new()));
        gate.wait_for_arrival();
        writer.rollback().unwrap();
        gate.open();
        assert!(merge.join().unwrap().is_err());
    });
    assert_same(&index.searcher().unwrap(), &committed, &mut rng);
    writer.force_merge(1, &Cancel::new()).unwrap();
    writer.commit().unwrap();
    assert_eq!(segments(&index), 1);
    assert_same(&index.searcher().unwrap(), &committed, &mut rng);
}

#[test]
fn a_cancelled_merge_stops_soon_and_changes_nothing() {
    let mut rng = Rng::new(4);
    let (directory, index) = in_memory(vectors_of(DIMENSION, Similarity::Euclidean));
    let cancel = Cancel::new();
    let stop = cancel.clone();
    let options = options().on_merge(move |event: &MergeEvent| {
        if matches!(event, MergeEvent::Progress { .. }) {
            stop.cancel();
        }
    });
    let writer = index.writer_with(options).unwrap();
    let mut model = Model::new();
    fill(&writer, &mut model, &mut rng, 400);
    writer.commit().unwrap();
    let before = segments(&index);
    let started = Instant::now();
    let error = writer.force_merge(1, &cancel).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Cancelled);
    assert!(started.elapsed() < Duration::from_secs(2));
    writer.commit().unwrap();
    assert_eq!(segments(&index), before);
    assert_same(&index.searcher().unwrap(), &model, &mut rng);
    drop(writer);
    drop(index);
    let names = lucerne::codec::Directory::list(&directory).unwrap();
    let index = reopen(&directory);
    index.writer().unwrap();
    let after = lucerne::codec::Directory::list(&directory).unwrap();
    assert_eq!(names, after, "a cancelled merge leaves no file behind");
}

#[test]
fn background_merges_keep_segments_few_and_snapshots_unchanged() {
    let mut rng = Rng::new(5);
    let (directory, index) = in_memory(vectors_of(DIMENSION, Similarity::Euclidean));
    let policy = MergePolicy::Tiered(TieredOptions::new().segments_per_tier(4));
    let options = WriterOptions::new().threads(1).flush_docs(10).merge_policy(policy);
    let writer = index.writer_with(options).unwrap();
    let mut model = Model::new();
    fill(&writer, &mut model, &mut rng, 100);
    writer.commit().unwrap();
    let (held, frozen) = (index.searcher().unwrap(), model.clone());
    for _ in 0..10 {
        fill(&writer, &mut model, &mut rng, 60);
        writer.refresh().unwrap();
        assert_same(&index.searcher().unwrap(), &model, &mut rng);
        assert_same(&held, &frozen, &mut rng);
    }
    writer.close().unwrap();
    assert_same(&held, &frozen, &mut rng);
    let index = reopen(&directory);
    assert!(segments(&index) <= 4, "{} segments", segments(&index));
    assert_same(&index.searcher().unwrap(), &model, &mut rng);
}

#[test]
fn the_same_merges_give_the_same_bytes() {
    let files = || {
        let mut rng = Rng::new(6);
        let (directory, index) = in_memory(vectors_of(DIMENSION, Similarity::Cosine));
        let policy = MergePolicy::Tiered(TieredOptions::new().segments_per_tier(3));
        let writer = index.writer_with(options().merge_policy(policy).merge_threads(0)).unwrap();
        fill(&writer, &mut Model::new(), &mut rng, 500);
        writer.force_merge(2, &Cancel::new()).unwrap();
        writer.close().unwrap();
        let names = lucerne::codec::Directory::list(&directory).unwrap();
        let names = names.into_iter().filter(|name| !name.ends_with(".lock"));
        let open = |name: &str| lucerne::codec::Directory::open(&directory, name).unwrap().bytes().to_vec();
        names.map(|name| (name.clone(), open(&name))).collect::<Vec<_>>()
    };
    assert_eq!(files(), files());
}

#[test]
fn a_forced_merge_moves_segments_to_the_schemas_format() {
    let mut rng = Rng::new(7);
    let hnsw = one_field(Vector::f32(DIMENSION).similarity(Similarity::Euclidean));
    let (_, index) = in_memory(hnsw);
    let writer = index.writer_with(options()).unwrap();
    let mut model = Model::new();
    fill(&writer, &mut model, &mut rng, 100);
    writer.commit().unwrap();
    for (kind, quantization, format) in [
        (VectorIndex::Flat, Quantization::None, "flat_f32"),
        (VectorIndex::Hnsw, Quantization::None, "hnsw_f32"),
        (VectorIndex::Flat, Quantization::Int8, "flat_sq8"),
        (VectorIndex::Hnsw, Quantization::Int8, "hnsw_sq8"),
    ] {
        let vector = Vector::f32(DIMENSION).similarity(Similarity::Euclidean);
        writer.set_schema(&one_field(vector.index(kind).quantization(quantization))).unwrap();
        fill(&writer, &mut model, &mut rng, 50);
        writer.force_merge(1, &Cancel::new()).unwrap();
        writer.commit().unwrap();
        let searcher = index.searcher().unwrap();
        let report = lucerne::admin::inspect(&searcher).unwrap();
        assert_eq!(report["segments"][0]["fields"]["v"]["format"], format, "{report:#}");
        assert_same(&searcher, &model, &mut rng);
    }
    let other = vectors_of(DIMENSION, Similarity::Cosine);
    assert_eq!(writer.set_schema(&other).unwrap_err().kind(), ErrorKind::Usage);
}
