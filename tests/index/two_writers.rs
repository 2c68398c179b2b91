//! One writer per index, in any process; any number of readers, who never notice it.

use crate::common::documents::{document, small_segments, vectors_of};
use crate::common::rng::Rng;
use lucerne::{Error, ErrorKind, Index, Knn, Similarity};
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

fn create(folder: &Path) -> Index {
    Index::create(folder, vectors_of(4, Similarity::Euclidean)).unwrap()
}

/// What a second writer is told.
fn locked(index: &Index) -> String {
    let error = index.writer().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Locked);
    assert!(matches!(&error, Error::Locked { .. }), "{error:?}");
    error.to_string()
}

#[test]
fn a_second_writer_in_the_same_process_is_told_who_holds_the_index() {
    let folder = tempfile::tempdir().unwrap();
    let index = create(folder.path());
    let writer = index.writer().unwrap();
    let holder = format!(
        "{}: another writer is open (process {}, this process); close it, or share that Writer between threads",
        folder.path().display(),
        std::process::id()
    );
    assert_eq!(locked(&index), holder);
    assert_eq!(locked(&index.clone()), holder);
    // Through another handle, and along another path to the same folder.
    assert_eq!(locked(&Index::open(folder.path()).unwrap()), holder);
    let along_another_path = locked(&Index::open(folder.path().join(".")).unwrap());
    assert!(along_another_path.contains("this process"), "{along_another_path}");
    // The folder holds an index, whoever writes to it.
    let error = Index::create(folder.path(), vectors_of(4, Similarity::Euclidean)).unwrap_err();
    assert!(matches!(&error, Error::AlreadyExists { .. }), "{error:?}");

    // The first one is none the worse for it, and readers work.
    writer.add(&document("a", [1.0; 4])).unwrap();
    writer.commit().unwrap();
    assert_eq!(Index::open(folder.path()).unwrap().searcher().unwrap().len(), 1);

    drop(writer);
    let writer = Index::open(folder.path()).unwrap().writer().unwrap();
    assert_eq!(locked(&index), holder);
    writer.close().unwrap();
    drop(index.writer().unwrap());
    // A panicking thread lets go, too.
    let panicked = std::thread::spawn({
        let index = index.clone();
        move || {
            let _writer = index.writer().unwrap();
            std::panic::resume_unwind(Box::new("the thread dies with the writer in its hands"));
        }
    });
    assert!(panicked.join().is_err());
    drop(index.writer().unwrap());
}

#[test]
fn a_race_for_the_writer_has_one_winner() {
    let folder = tempfile::tempdir().unwrap();
    let index = create(folder.path());
    for _ in 0..10 {
        let barrier = std::sync::Barrier::new(8);
        let writers: Vec<_> = std::thread::scope(|scope| {
            let open = || {
                barrier.wait();
                index.writer()
            };
            let threads: Vec<_> = (0..8).map(|_| scope.spawn(open)).collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        assert_eq!(writers.iter().filter(|writer| writer.is_ok()).count(), 1);
        let losers = writers.iter().filter_map(|writer| writer.as_ref().err());
        assert!(losers.clone().all(|error| error.kind() == ErrorKind::Locked));
    }
}

const CHILD_FOLDER: &str = "LUCERNE_TEST_WRITER_FOLDER";

/// The other process: holds the writer and commits without end, until it is killed. After each commit it
/// says how many it has acknowledged. Commit n has the documents n and n + 1 to n + 9, and nothing else.
#[test]
#[ignore = "a helper of the tests below"]
fn writer_child() {
    let Some(folder) = std::env::var_os(CHILD_FOLDER) else { return };
    let writer = Index::open(&folder).unwrap().writer_with(small_segments(3)).unwrap();
    writeln!(std::io::stdout(), "\nlocked").unwrap();
    let mut rng = Rng::new(9);
    for n in 0u64.. {
        for i in n..n + 10 {
            writer.upsert(&document(i.to_string(), rng.vector(4))).unwrap();
        }
        if n > 0 {
            assert!(writer.delete(&(n - 1).to_string()).unwrap());
        }
        writer.commit().unwrap();
        writeln!(std::io::stdout(), "committed {n}").unwrap();
    }
}

/// A process that dies with the test at the latest.
struct Other(Child);

impl Other {
    fn die(&mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }
}

impl Drop for Other {
    fn drop(&mut self) {
        // It may be dead already.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A process with the writer of the index in `folder`.
fn other_process(folder: &Path) -> (Other, std::io::Lines<BufReader<ChildStdout>>) {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "two_writers::writer_child", "--ignored", "--nocapture"])
        .env(CHILD_FOLDER, folder)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    assert!(lines.any(|line| line.unwrap() == "locked"));
    (Other(child), lines)
}

#[test]
fn a_writer_in_another_process_keeps_this_one_out_until_it_dies() {
    let folder = tempfile::tempdir().unwrap();
    let index = create(folder.path());
    let (mut child, mut lines) = other_process(folder.path());
    let holder = format!(
        "{}: another writer is open (process {}); wait until it is closed",
        folder.path().display(),
        child.0.id()
    );
    assert_eq!(locked(&index), holder);
    while !lines.next().unwrap().unwrap().ends_with(" 5") {}
    assert_eq!(locked(&index), holder);
    child.die();
    // What it still said counts: it was acknowledged.
    let said: Vec<String> =
        lines.map_while(Result::ok).filter(|line| line.starts_with("committed ")).collect();
    let acknowledged =
        said.last().map_or(5, |line| line.split_once(' ').unwrap().1.parse::<u64>().unwrap_or(5));

    let writer = index.writer().unwrap();
    let searcher = index.searcher().unwrap();
    assert_eq!(searcher.len(), 10);
    let first = (0..).find(|n: &u64| searcher.get(&n.to_string()).unwrap().is_some()).unwrap();
    assert!(first >= acknowledged, "commit {acknowledged} was acknowledged, {first} is there");
    writer.add(&document("mine", [0.0; 4])).unwrap();
    writer.commit().unwrap();
    assert_eq!(index.searcher().unwrap().len(), 11);
}

#[test]
fn readers_of_other_processes_never_fail_while_a_writer_commits() {
    let folder = tempfile::tempdir().unwrap();
    drop(create(folder.path()));
    let (mut child, mut lines) = other_process(folder.path());
    while !lines.next().unwrap().unwrap().ends_with(" 0") {}
    // Somebody has to empty the pipe.
    let drain = std::thread::spawn(move || lines.map_while(Result::ok).count());
    let deadline = Instant::now() + Duration::from_secs(3);
    let path = folder.path();
    let generations: Vec<u64> = std::thread::scope(|scope| {
        let read = move || {
            let mut generation = 0;
            let handle = Index::open(path).unwrap();
            for round in 0.. {
                if Instant::now() > deadline {
                    break;
                }
                let index = if round % 2 == 0 { Index::open(path).unwrap() } else { handle.clone() };
                let searcher = index.searcher().unwrap();
                assert!(searcher.generation() >= generation, "time runs forward");
                generation = searcher.generation();
                let hits = searcher.search(Knn::new("v", [0.0; 4]).k(20).exact()).unwrap();
                let mut found: Vec<u64> = hits.keys().iter().map(|key| key.parse().unwrap()).collect();
                found.sort_unstable();
                let first = found[0];
                assert_eq!(found, Vec::from_iter(first..first + 10), "not the documents of one commit");
            }
            generation
        };
        let threads: Vec<_> = (0..3).map(|_| scope.spawn(read)).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    child.die();
    assert!(drain.join().unwrap() > 5);
    assert!(generations.iter().all(|&generation| generation > 5), "{generations:?}");
}
