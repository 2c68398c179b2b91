//! Merges that are told to stop at any moment: the content is what it was, no file is left over, and the next
//! merge does what this one did not.
//!
//! `LUCERNE_CANCELS=1000` cancels more often than on every push, `LUCERNE_SEED=n` at other moments.
#![expect(clippy::print_stdout, reason = "the figures of a run")]

use crate::common::brute_force;
use crate::common::documents::{document, in_memory, one_field, reopen};
use crate::common::faults::number_from_environment;
use crate::common::life::{leaked, whole};
use crate::common::rng::Rng;
use lucerne::codec::Directory;
use lucerne::merge::{MergePolicy, TieredOptions};
use lucerne::{Cancel, ErrorKind, Index, Knn, Searcher, Similarity, Vector, Writer, WriterOptions};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

const CANCELS: u64 = 50;
const DIMENSION: usize = 8;
const KEYS: usize = 900;

type Model = BTreeMap<String, Vec<f32>>;

fn schema() -> lucerne::Schema {
    one_field(Vector::f32(DIMENSION).similarity(Similarity::Euclidean).advanced("graph_threshold", 0))
}

fn write(writer: &Writer, model: &mut Model, rng: &mut Rng, documents: usize) {
    for _ in 0..documents {
        let key = format!("k{:03}", rng.below(KEYS));
        if rng.chance(15) {
            let deleted = writer.delete(&key).unwrap();
            assert_eq!(deleted, model.remove(&key).is_some());
        } else {
            let vector = rng.vector(DIMENSION);
            writer.upsert(&document(key.as_str(), vector.clone())).unwrap();
            model.insert(key, vector);
        }
    }
}

fn assert_same(searcher: &Searcher, model: &Model, what: &str) {
    assert_eq!(searcher.len(), model.len() as u64, "{what}");
    for (key, vector) in model {
        assert_eq!(searcher.vector(key, "v").unwrap().as_ref(), Some(vector), "{key}: {what}");
    }
    let query = [0.2; DIMENSION];
    let hits = searcher.search(Knn::new("v", query).k(10).exact()).unwrap();
    let documents = model.iter().map(|(key, vector)| (&**key, &**vector));
    brute_force::assert_exact(&hits, Similarity::Euclidean, &query, documents, 10);
}

/// What a commit leaves in the folder is what it needs, while the writer goes on.
fn assert_clean(writer: &Writer, directory: &Arc<dyn Directory>, model: &Model, what: &str) {
    writer.commit().unwrap();
    assert_eq!(leaked(directory).unwrap(), [""; 0], "{what}");
    let reader = lucerne::index::IndexBuilder::new().open(Arc::clone(directory)).unwrap();
    assert_same(&reader.searcher().unwrap(), model, what);
}

fn segments(index: &Index) -> usize {
    index.searcher().unwrap().segment_count()
}

fn cancels_and_seed() -> (u64, u64) {
    let cancels = number_from_environment("LUCERNE_CANCELS").unwrap_or(CANCELS);
    (cancels, number_from_environment("LUCERNE_SEED").unwrap_or(1))
}

#[test]
fn a_forced_merge_cancelled_at_any_moment_changes_nothing() {
    let (cancels, seed) = cancels_and_seed();
    let mut rng = Rng::new(seed);
    let (ram, index) = in_memory(schema());
    let directory: Arc<dyn Directory> = Arc::new(ram.clone());
    let options = WriterOptions::new().threads(2).seed(7).flush_docs(150).merge_policy(MergePolicy::None);
    let writer = index.writer_with(options).unwrap();
    let mut model = Model::new();
    write(&writer, &mut model, &mut rng, 900);
    // How long a merge takes here.
    let started = Instant::now();
    writer.force_merge(1, &Cancel::new()).unwrap();
    let mut usual = started.elapsed();
    let (mut stopped, mut longest) = (0, Duration::ZERO);
    for number in 0..cancels {
        write(&writer, &mut model, &mut rng, 300);
        assert_clean(&writer, &directory, &model, "before the merge");
        let before = segments(&index);
        let delay = usual.mul_f64(rng.below(1_200) as f64 / 1_000.0);
        let what = format!("cancel {number}, {delay:?} after the merge began; LUCERNE_SEED={seed}");
        let cancel = Cancel::new();
        let started = Instant::now();
        let (result, took) = std::thread::scope(|scope| {
            let merge = scope.spawn(|| {
                let result = writer.force_merge(1, &cancel);
                (result, Instant::now())
            });
            std::thread::sleep(delay);
            let asked = Instant::now();
            cancel.cancel();
            let (result, ended) = merge.join().unwrap();
            (result, ended.saturating_duration_since(asked))
        });
        match result {
            Ok(records) => {
                assert_eq!(records.len(), 1, "{what}");
                usual = started.elapsed();
            }
            Err(error) => {
                assert_eq!(error.kind(), ErrorKind::Cancelled, "{what}: {error}");
                // Nothing was written in between: a searcher of now has the segments of before.
                assert_eq!(segments(&index), before, "{what}");
                stopped += 1;
                usual = usual.mul_f64(1.05); // So that some moments are close to the end.
                longest = longest.max(took);
            }
        }
        assert_same(&index.searcher().unwrap(), &model, &what);
        assert_clean(&writer, &directory, &model, &what);
    }
    println!(
        "{cancels} cancels, {stopped} merges stopped, the slowest within {longest:?}; delays up to {usual:?}; seed {seed}"
    );
    assert!(stopped >= cancels / 4, "only {stopped} of {cancels} merges were stopped");
    assert!(longest < Duration::from_secs(2), "{longest:?}");
    writer.force_merge(1, &Cancel::new()).unwrap();
    assert_clean(&writer, &directory, &model, "at the end");
    drop(writer);
    assert_eq!(segments(&reopen(&ram)), 1);
    whole(&directory).unwrap();
}

#[test]
fn background_merges_stopped_at_any_moment_change_nothing() {
    let (cancels, seed) = cancels_and_seed();
    let mut rng = Rng::new(!seed);
    let (ram, index) = in_memory(schema());
    let directory: Arc<dyn Directory> = Arc::new(ram.clone());
    let mut model = Model::new();
    let policy = MergePolicy::Tiered(TieredOptions::new().segments_per_tier(2));
    let options = WriterOptions::new().threads(1).flush_docs(60).merge_threads(2).merge_policy(policy);
    for number in 0..cancels {
        let what = format!("writer {number}; LUCERNE_SEED={seed}");
        let writer = index.writer_with(options.clone()).unwrap();
        write(&writer, &mut model, &mut rng, 200);
        std::thread::sleep(Duration::from_micros(rng.next() % 30_000));
        writer.cancel_merges();
        assert_same_after_refresh(&writer, &index, &model, &what);
        write(&writer, &mut model, &mut rng, 100);
        writer.commit().unwrap();
        if number % 2 == 0 {
            drop(writer); // With merges under way.
        } else {
            writer.close().unwrap();
            assert_eq!(leaked(&directory).unwrap(), [""; 0], "{what}");
        }
        assert_same(&reopen(&ram).searcher().unwrap(), &model, &what);
    }
    drop(index.writer_with(options).unwrap());
    assert_eq!(leaked(&directory).unwrap(), [""; 0]);
    whole(&directory).unwrap();
}

fn assert_same_after_refresh(writer: &Writer, index: &Index, model: &Model, what: &str) {
    writer.refresh().unwrap();
    assert_same(&index.searcher().unwrap(), model, what);
}
