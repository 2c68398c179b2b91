//! Rounds of changes, pushes and pulls while everything fails: no reader ever sees half a commit.
//!
//! `LUCERNE_ROUNDS=1000` makes more rounds than on every push, `LUCERNE_SEED=n` others.

use crate::command::program;
use crate::index::{Content, Random, change, content, create, writer};
use crate::server::{Server, age};
use crate::transfers::push_now;
use lucerne::{Cancel, Index};
use lucerne_object_store::{Error, PullOptions, Remote, SHORTEST_AGE, list_commits, pull, sweep};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::atomic::Ordering;
use std::time::Duration;

fn number_from_environment(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|text| text.parse().unwrap())
}

#[derive(Default, Debug)]
struct Counts {
    pushes: u64,
    failed_pushes: u64,
    killed_pushes: u64,
    conflicts: u64,
    pulls: u64,
    failed_pulls: u64,
    killed_pulls: u64,
    looks: u64,
    uploaded: u64,
    pushed_whole: u64,
}

struct Rounds {
    server: Server,
    remote: Remote,
    impatient: Remote,
    index: Index,
    live: PathBuf,
    /// The documents of every commit, by its generation.
    contents: BTreeMap<u64, Content>,
    random: Random,
    counts: Counts,
}

impl Rounds {
    /// Runs the program and kills it, unless it is done before.
    fn killed(&mut self, arguments: &[&str]) -> bool {
        let mut child = program(&self.server)
            .args(arguments)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        std::thread::sleep(Duration::from_micros(self.random.below(90_000)));
        let done = child.try_wait().unwrap().is_some();
        if !done {
            child.kill().unwrap(); // SIGKILL
        }
        child.wait().unwrap();
        !done
    }

    fn push(&mut self) {
        let how = self.random.below(10);
        if how < 2 {
            let (live, url) = (self.live.to_str().unwrap().to_owned(), self.server.url("notes"));
            self.counts.killed_pushes += u64::from(self.killed(&["push", &live, &url]));
            return;
        }
        let pushers = if how < 4 { 2 } else { 1 };
        let faults = [0, 100, 450][self.random.below(3) as usize];
        let (index, remote) = (&self.index, &self.impatient);
        let results = self.server.with_faults(faults, || {
            std::thread::scope(|scope| {
                let pushes: Vec<_> = (0..pushers).map(|_| scope.spawn(|| push_now(index, remote))).collect();
                pushes.into_iter().map(|push| push.join().unwrap()).collect::<Vec<_>>()
            })
        });
        let mut pushed = None;
        for result in results {
            match result {
                Ok(report) => {
                    pushed = Some(report.generation);
                    self.counts.pushes += 1;
                    self.counts.uploaded += report.uploaded_bytes;
                    self.counts.pushed_whole += report.bytes;
                }
                Err(Error::Conflict { .. }) => self.counts.conflicts += 1,
                Err(Error::Store { .. } | Error::Damaged { .. }) => self.counts.failed_pushes += 1,
                Err(error) => panic!("{error}"),
            }
        }
        if let Some(generation) = pushed {
            assert_eq!(list_commits(&self.remote, &Cancel::new()).unwrap()[0].generation, generation);
        }
    }

    fn pull(&mut self, folder: &Path) {
        let newest =
            list_commits(&self.remote, &Cancel::new()).unwrap().first().map(|commit| commit.generation);
        let before = self.generation_in(folder);
        if self.random.below(10) < 2 {
            let (url, to) = (self.server.url("notes"), folder.to_str().unwrap().to_owned());
            self.counts.killed_pulls += u64::from(self.killed(&["pull", &url, &to]));
        } else {
            let faults = [0, 100, 450][self.random.below(3) as usize];
            let pulled = self.server.with_faults(faults, || {
                pull(&self.impatient, folder, &PullOptions::new(), &Cancel::new(), &())
            });
            match pulled {
                Ok(report) => {
                    assert_eq!(Some(report.generation), newest);
                    self.counts.pulls += 1;
                }
                Err(Error::NoCommit { .. }) => assert_eq!(newest, None),
                Err(Error::Store { .. } | Error::Damaged { .. }) => self.counts.failed_pulls += 1,
                Err(error) => panic!("{error}"),
            }
        }
        let after = self.generation_in(folder);
        assert!(after == before || after == newest, "{before:?}, then {after:?} of {newest:?}");
    }

    /// The commit that a folder holds, which must be one whole commit of the index.
    fn generation_in(&mut self, folder: &Path) -> Option<u64> {
        let searcher = match Index::open(folder) {
            Ok(index) => index.searcher().unwrap(),
            Err(lucerne::Error::NotAnIndex { .. }) => return None,
            Err(error) if !folder.exists() => {
                assert_eq!(error.kind(), lucerne::ErrorKind::NotFound);
                return None;
            }
            Err(error) => panic!("half a commit in {}: {error}", folder.display()),
        };
        assert_eq!(content(&searcher), self.contents[&searcher.generation()]);
        self.counts.looks += 1;
        Some(searcher.generation())
    }

    /// Every commit in the store can be pulled whole into an empty folder.
    fn look_at_store(&mut self, folder: &Path) {
        for commit in list_commits(&self.remote, &Cancel::new()).unwrap() {
            let _ = std::fs::remove_dir_all(folder);
            let options = PullOptions::new().generation(commit.generation);
            pull(&self.remote, folder, &options, &Cancel::new(), &()).expect("half a commit in the store");
            assert_eq!(self.generation_in(folder), Some(commit.generation));
        }
    }
}

#[test]
fn no_half_commit_is_ever_seen_whatever_fails() {
    let rounds = number_from_environment("LUCERNE_ROUNDS").unwrap_or(24);
    let seed = number_from_environment("LUCERNE_SEED").unwrap_or(1);
    let (server, folder) = (Server::start(seed), tempfile::tempdir().unwrap());
    let live = folder.path().join("live");
    let (remote, impatient, index) =
        (server.remote("notes"), server.impatient_remote("notes"), create(&live));
    let writer = writer(&index);
    let mut state = Rounds {
        server,
        remote,
        impatient,
        index,
        live,
        contents: [(1, Content::new())].into(),
        random: Random(seed),
        counts: Counts::default(),
    };
    let (mut documents, mut swept) = (Content::new(), 0);
    for round in 0..rounds {
        for _ in 0..1 + state.random.below(2) {
            change(&writer, &mut state.random, &mut documents);
            state.contents.insert(state.index.searcher().unwrap().generation(), documents.clone());
        }
        state.push();
        let reader = folder.path().join(format!("reader{}", state.random.below(3)));
        state.pull(&reader);
        if round % 20 == 19 {
            state.look_at_store(&folder.path().join("looked at"));
            // A day and a night later.
            age(&state.server.folder("notes"), SHORTEST_AGE * 2);
            let report = sweep(&state.remote, SHORTEST_AGE, &Cancel::new()).unwrap();
            swept += report.deleted_files;
            state.look_at_store(&folder.path().join("looked at"));
        }
    }
    // In the end, when nothing fails, everybody comes to the newest commit.
    push_now(&state.index, &state.remote).unwrap();
    for reader in (0..3).map(|reader| folder.path().join(format!("reader{reader}"))) {
        pull(&state.remote, &reader, &PullOptions::new(), &Cancel::new(), &()).unwrap();
        assert_eq!(state.generation_in(&reader), Some(state.index.searcher().unwrap().generation()));
    }
    let (counts, door) = (&state.counts, &state.server.door);
    println!(
        "{rounds} rounds, 0 half commits seen in {} looks; {counts:?}; {swept} files swept",
        counts.looks
    );
    println!("{} requests; faults: {}", door.requests.load(Ordering::Relaxed), door.report());
    let (sent, answered) = (door.bytes_in.load(Ordering::Relaxed), door.bytes_out.load(Ordering::Relaxed));
    println!("{sent} bytes sent to the server, {answered} bytes from it");
    assert!(counts.killed_pushes + counts.killed_pulls > 0 && swept > 0, "{counts:?}");
}
