//! Many threads, one writer, the same keys.

use crate::common::documents::{document, in_memory, reopen, small_segments, vectors_of};
use crate::common::rng::Rng;
use lucerne::{Document, ErrorKind, Index, Knn, Schema, Similarity, Vector, Writer, WriterOptions};
use std::collections::BTreeSet;
use std::sync::Barrier;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

const THREADS: usize = 8;

fn key(number: usize) -> String {
    format!("k{number:03}")
}

/// Runs `work(thread)` on all threads at once.
fn at_once<T: Send>(work: impl Fn(usize) -> T + Sync) -> Vec<T> {
    let barrier = Barrier::new(THREADS);
    std::thread::scope(|scope| {
        let threads: Vec<_> = (0..THREADS)
            .map(|thread| {
                let (work, barrier) = (&work, &barrier);
                scope.spawn(move || {
                    barrier.wait();
                    work(thread)
                })
            })
            .collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    })
}

/// Each key once, and the same by search, by key and by count.
fn assert_keys(index: &Index, expected: &BTreeSet<String>) {
    let searcher = index.searcher().unwrap();
    assert_eq!(searcher.len(), expected.len() as u64);
    let hits = searcher.search(Knn::new("v", [0.0; 4]).k(10_000).exact()).unwrap();
    let mut found = hits.keys();
    found.sort_unstable();
    assert_eq!(found, expected.iter().map(String::as_str).collect::<Vec<_>>());
    for key in expected {
        assert!(searcher.get(key).unwrap().is_some(), "{key}");
    }
}

#[test]
fn a_new_key_is_added_by_exactly_one_of_many_threads() {
    for flush_docs in [1, 5, 1_000] {
        let (directory, index) = in_memory(vectors_of(4, Similarity::Euclidean));
        let writer = index.writer_with(small_segments(flush_docs)).unwrap();
        const KEYS: usize = 60;
        let winners: Vec<AtomicUsize> = (0..KEYS).map(|_| AtomicUsize::new(0)).collect();
        at_once(|thread| {
            let vector = [thread as f32; 4];
            for (number, winners) in winners.iter().enumerate() {
                let added = match number % 2 {
                    0 => writer.add(&document(key(number), vector)).map(drop),
                    _ => writer.add_batch(&[document(key(number), vector)]).map(drop),
                };
                match added {
                    Ok(()) => drop(winners.fetch_add(thread + 1, Ordering::SeqCst)),
                    Err(error) => assert_eq!(error.kind(), ErrorKind::AlreadyExists, "{error}"),
                }
            }
        });
        writer.close().unwrap();
        let index = reopen(&directory);
        assert_keys(&index, &(0..KEYS).map(key).collect());
        let searcher = index.searcher().unwrap();
        for (number, winner) in winners.iter().enumerate() {
            // Had two threads won, the sum would be of two.
            let winner = winner.load(Ordering::SeqCst) - 1;
            let vector = searcher.vector(&key(number), "v").unwrap().unwrap();
            assert_eq!(vector, [winner as f32; 4], "{} is the winner's", key(number));
        }
    }
}

#[test]
fn upserts_of_the_same_keys_leave_one_live_document_each() {
    for flush_docs in [1, 7, 1_000] {
        let (directory, index) = in_memory(vectors_of(4, Similarity::Euclidean));
        let writer = index.writer_with(small_segments(flush_docs)).unwrap();
        const KEYS: usize = 12;
        at_once(|thread| {
            let mut rng = Rng::new(thread as u64);
            for _ in 0..100 {
                let key = key(rng.below(KEYS));
                match rng.below(20) {
                    0 => writer.refresh().unwrap(),
                    1 if thread == 0 => drop(writer.commit().unwrap()),
                    2 => {
                        let batch = [document(key, rng.vector(4)), document("extra", rng.vector(4))];
                        writer.upsert_batch(&batch).unwrap();
                    }
                    _ => drop(writer.upsert(&document(key, rng.vector(4))).unwrap()),
                }
            }
            (0..KEYS)
                .for_each(|number| drop(writer.upsert(&document(key(number), [thread as f32; 4])).unwrap()));
        });
        writer.close().unwrap();
        let mut expected: BTreeSet<String> = (0..KEYS).map(key).collect();
        expected.insert("extra".to_owned());
        let index = reopen(&directory);
        assert_keys(&index, &expected);
        // Everybody's last write of a key was one of these, so the last of all was.
        let searcher = index.searcher().unwrap();
        for number in 0..KEYS {
            let vector = searcher.vector(&key(number), "v").unwrap().unwrap();
            let thread = vector[0] as usize;
            assert!(thread < THREADS && vector == [thread as f32; 4], "{vector:?}");
        }
    }
}

#[test]
fn searchers_opened_while_threads_write_see_each_key_at_most_once_and_batches_whole() {
    let schema = Schema::builder().key("id").i64("version").vector("v", Vector::f32(4)).build().unwrap();
    let (_, index) = in_memory(schema);
    let writer = index.writer_with(WriterOptions::new().flush_docs(9).threads(1)).unwrap();
    const GROUP: usize = 5;
    let group = |thread: usize, version: i64| -> Vec<Document> {
        let of = |i: usize| document(format!("g{thread}-{i}"), [version as f32; 4]).with("version", version);
        (0..GROUP).map(of).collect()
    };
    let finished = AtomicBool::new(false);
    let check = |writer: &Writer| {
        writer.refresh().unwrap();
        let searcher = index.searcher().unwrap();
        let hits = searcher.search(Knn::new("v", [1.0; 4]).k(1_000).exact().fields(["version"])).unwrap();
        assert_eq!(hits.hits.len() as u64, searcher.len());
        assert_eq!(hits.keys().into_iter().collect::<BTreeSet<_>>().len(), hits.hits.len());
        for thread in 0..THREADS {
            let prefix = format!("g{thread}-");
            let own = hits.hits.iter().filter(|hit| hit.key.starts_with(&prefix));
            let versions: Vec<i64> =
                own.map(|hit| hit.fields.as_ref().unwrap()["version"].as_i64().unwrap()).collect();
            let whole = versions.is_empty() || versions.len() == GROUP;
            assert!(whole && versions.windows(2).all(|pair| pair[0] == pair[1]), "{prefix}: {versions:?}");
        }
    };
    std::thread::scope(|scope| {
        let checker = scope.spawn(|| {
            while !finished.load(Ordering::SeqCst) {
                check(&writer);
            }
        });
        at_once(|thread| {
            for version in 0..40 {
                writer.upsert_batch(&group(thread, version)).unwrap();
                if version % 10 == 9 {
                    writer.commit().unwrap();
                }
            }
        });
        finished.store(true, Ordering::SeqCst);
        checker.join().unwrap();
    });
    check(&writer);
    assert_eq!(index.searcher().unwrap().len(), (THREADS * GROUP) as u64);
}

#[test]
fn deletes_race_with_upserts_without_leaving_ghosts() {
    let (directory, index) = in_memory(vectors_of(4, Similarity::Euclidean));
    let writer = index.writer_with(small_segments(4)).unwrap();
    let deleted = AtomicUsize::new(0);
    let added = AtomicUsize::new(0);
    const KEYS: usize = 5;
    at_once(|thread| {
        let mut rng = Rng::new(100 + thread as u64);
        for _ in 0..150 {
            let key = key(rng.below(KEYS));
            if rng.chance(50) {
                if writer.delete(&key).unwrap() {
                    deleted.fetch_add(1, Ordering::SeqCst);
                }
            } else if writer.add(&document(key, [1.0; 4])).is_ok() {
                added.fetch_add(1, Ordering::SeqCst);
            }
        }
    });
    let live = added.load(Ordering::SeqCst) - deleted.load(Ordering::SeqCst);
    writer.refresh().unwrap();
    assert_eq!(index.searcher().unwrap().len(), live as u64, "adds less deletes");
    for number in 0..KEYS {
        writer.delete(&key(number)).unwrap();
    }
    writer.close().unwrap();
    assert_keys(&reopen(&directory), &BTreeSet::new());
}
