//! `kill -9` of a process that writes: no acknowledged commit is lost.
//!
//! `LUCERNE_KILLS=200` kills more often than on every push, `LUCERNE_SEED=n` writes and kills differently.
#![cfg(unix)]
#![expect(clippy::print_stdout, reason = "the figures of a run")]

use crate::common::by_query;
use crate::common::faults::number_from_environment;
use crate::common::files::leaked;
use crate::common::life::{
    Content, Life, State, Step, document, find_state, key, lives_on, number_of, reopens, schema,
};
use crate::common::rng::Rng;
use lucerne::codec::Directory;
use lucerne::directory::FsDirectory;
use lucerne::merge::{MergePolicy, TieredOptions};
use lucerne::{Index, Range, Update, Writer, WriterOptions, admin};
use std::collections::BTreeSet;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

const KILLS: u64 = 25;
const CHILD_FOLDER: &str = "LUCERNE_TEST_KILL_FOLDER";
const CHILD_SEED: &str = "LUCERNE_TEST_KILL_SEED";
const KEYS: usize = 60;

/// What the child writes before its commit of that number: the same in every child, and in the model.
fn round(seed: u64, number: u64) -> Vec<Step> {
    let mut rng = Rng::new(seed ^ number.wrapping_mul(0x9E37_79B9));
    (0..10 + rng.below(30))
        .map(|_| match rng.below(10) {
            0 if rng.chance(25) => Step::DeleteBelow(number.saturating_sub(20)),
            1 if rng.chance(25) => Step::RaiseFrom(number - rng.next() % number.min(4)),
            0..6 => Step::Upsert((rng.below(KEYS), number)),
            6..8 => Step::Delete(rng.below(KEYS)),
            8 => Step::Batch((0..rng.below(6)).map(|made| (made * 7, number)).collect()),
            _ => Step::Refresh,
        })
        .collect()
}

/// The same in the model.
fn follow(content: &mut Content, steps: &[Step]) {
    for step in steps {
        match step {
            Step::Upsert(made) => drop(content.insert(key(made.0), document(*made))),
            Step::Batch(made) => content.extend(made.iter().map(|&made| (key(made.0), document(made)))),
            Step::Delete(number) => drop(content.remove(&key(*number))),
            Step::DeleteBelow(version) => by_query::without_below(content, *version),
            Step::RaiseFrom(version) => by_query::with_raised(content, *version),
            _ => {}
        }
    }
}

/// The child: goes on from the commit it finds and says when a commit was acknowledged.
#[test]
#[ignore = "a helper of a_killed_process_loses_no_acknowledged_commit"]
fn writing_child() {
    let Some(folder) = std::env::var_os(CHILD_FOLDER) else { return };
    let seed = number_from_environment(CHILD_SEED).unwrap();
    let index = Index::open(folder).unwrap();
    // Two threads and merges in the background, as in real life; more of them than there.
    let policy = MergePolicy::Tiered(TieredOptions::new().segments_per_tier(2));
    let options = WriterOptions::new().threads(2).flush_docs(8).merge_policy(policy);
    let writer = index.writer_with(options).unwrap();
    let mut number = number_of(&index.searcher().unwrap());
    // Half of the children throw something away first.
    if number.is_multiple_of(2) {
        write(&writer, &round(seed, number + 1_000_000));
        drop(writer.prepare_commit().unwrap());
        writer.rollback().unwrap();
    }
    loop {
        number += 1;
        write(&writer, &round(seed, number));
        let data = [("number".to_owned(), number.to_string())].into();
        writer.prepare_commit_with(data).unwrap().commit().unwrap();
        let mut out = std::io::stdout().lock();
        writeln!(out, "\nacknowledged {number}").and_then(|()| out.flush()).unwrap();
    }
}

fn write(writer: &Writer, steps: &[Step]) {
    for step in steps {
        match step {
            Step::Upsert(made) => drop(writer.upsert(&document(*made)).unwrap()),
            Step::Batch(made) => {
                let documents: Vec<_> = made.iter().map(|&made| document(made)).collect();
                writer.upsert_batch(&documents).unwrap();
            }
            Step::Delete(number) => drop(writer.delete(&key(*number)).unwrap()),
            Step::DeleteBelow(below) => {
                drop(writer.delete_by_query(Range::new("version").lt(*below)).unwrap());
            }
            Step::RaiseFrom(from) => {
                let update = Update::new().increment("version", 1);
                drop(writer.update_by_query(Range::new("version").gte(*from), update).unwrap());
            }
            Step::Refresh => writer.refresh().unwrap(),
            other => panic!("{other:?}"),
        }
    }
}

/// Runs a child until it has acknowledged so many commits, kills it a moment later, and returns the last
/// commit that it acknowledged.
fn run_and_kill(folder: &Path, seed: u64, commits: u64, moment: Duration) -> Option<u64> {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "kill9::writing_child", "--ignored", "--nocapture"])
        .env(CHILD_FOLDER, folder)
        .env(CHILD_SEED, seed.to_string())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let pipe = BufReader::new(child.stdout.take().unwrap());
    let lines = pipe.lines().map_while(|line| line.ok());
    let mut numbers = lines.filter_map(|line| line.strip_prefix("acknowledged ")?.parse::<u64>().ok());
    let mut last = None;
    for _ in 0..commits {
        last = Some(numbers.next().expect("the child goes on"));
    }
    std::thread::sleep(moment);
    child.kill().unwrap(); // SIGKILL
    let status = child.wait().unwrap();
    assert_eq!(status.code(), None, "the child has ended by itself");
    // What it said before it died, but nobody had read yet.
    numbers.last().or(last)
}

#[test]
fn a_killed_process_loses_no_acknowledged_commit() {
    let started = Instant::now();
    let kills = number_from_environment("LUCERNE_KILLS").unwrap_or(KILLS);
    let seed = number_from_environment("LUCERNE_SEED").unwrap_or(1);
    let mut rng = Rng::new(seed);
    let folder = tempfile::tempdir().unwrap();
    Index::create(folder.path(), schema()).unwrap();
    let directory: Arc<dyn Directory> = Arc::new(FsDirectory::open(folder.path()).unwrap());
    let mut last = State::default();
    let (mut acknowledged, mut published, mut with_orphans, mut merged) = (0, 0, 0, BTreeSet::new());
    for kill in 0..kills {
        // Every fifth child while it opens the index, the others within a later commit.
        let commits = if kill.is_multiple_of(5) { 0 } else { 1 + rng.next() % 4 };
        let moment = Duration::from_micros(rng.next() % 40_000);
        let said = run_and_kill(folder.path(), seed, commits, moment);
        let replay = |what: String| {
            panic!("kill {kill}, {moment:?} after {commits} commits: {what}; LUCERNE_SEED={seed}")
        };
        if let Some(said) = said {
            acknowledged += said - last.number;
            while last.number < said {
                last.number += 1;
                follow(&mut last.content, &round(seed, last.number));
            }
        }
        let mut next = State { content: last.content.clone(), number: last.number + 1 };
        follow(&mut next.content, &round(seed, next.number));
        let allowed = [Some(last.clone()), Some(next)];
        let found = match find_state(&directory, &allowed) {
            Ok(found) => found.unwrap(),
            Err(trouble) => replay(trouble.to_string()),
        };
        published += found.number - last.number;
        with_orphans += u64::from(!leaked(&directory).unwrap().is_empty());
        let report = admin::inspect(&Index::open(folder.path()).unwrap().searcher().unwrap()).unwrap();
        let segments = report["segments"].as_array().unwrap().iter();
        let names = segments.filter(|segment| !segment["merge"].is_null());
        merged.extend(names.map(|segment| segment["name"].to_string()));
        last = found;
        // Every other time the next child recovers, and may be killed while it does.
        if rng.chance(50)
            && let Err(trouble) = reopens(&directory, &last)
        {
            replay(trouble.to_string());
        }
    }
    println!(
        "{kills} kills, {acknowledged} commits acknowledged, 0 lost; {published} published but not yet \
         acknowledged; files left over for the next writer {with_orphans} times, 0 after it; {} merged segments \
         seen; {:.1} s",
        merged.len(),
        started.elapsed().as_secs_f64()
    );
    assert!(acknowledged > kills, "the children hardly came to write");
    assert!(merged.len() as u64 > kills / 4, "the children hardly merged");
    let mut life =
        Life::resume(Arc::clone(&directory), crate::common::life::options(8), vec![Some(last)], 1 << 30);
    life.apply_all(&[Step::Read, Step::Open, Step::Commit, Step::Close]).unwrap();
    lives_on(&directory, life.acknowledged()).unwrap();
}
