//! Random operations against a plain map.
//!
//! Whatever is done to an index, and by however many threads: after a refresh, a commit, a rollback or a
//! reopening it holds exactly the documents that a map would, each with its own values, and exact search is
//! what a sort of all of them gives.
//!
//! A failure prints the seed it happened with; `LUCERNE_SEED=n cargo test --test index model` runs that seed
//! alone. `LUCERNE_SEEDS` (100) and `LUCERNE_OPERATIONS` (100 for each seed, and on four threads for each
//! thread) make it longer.

mod four_threads;
mod one_thread;
mod setup;
mod vector_field;

use std::collections::BTreeMap;

/// What a document holds; the tag is different in every write.
#[derive(Clone, Debug, PartialEq)]
struct Record {
    tag: i64,
    vectors: [Option<Vec<f32>>; 2],
}

type Model = BTreeMap<String, Record>;

const FIELDS: [&str; 2] = ["a", "b"];

fn variable(name: &str, default: u64) -> u64 {
    std::env::var(name).map_or(default, |text| text.parse().unwrap())
}

fn for_each_seed(run: impl Fn(u64, usize)) {
    let operations = variable("LUCERNE_OPERATIONS", 100) as usize;
    let seeds = match std::env::var("LUCERNE_SEED") {
        Ok(seed) => seed.parse().unwrap()..=seed.parse().unwrap(),
        Err(_) => 1..=variable("LUCERNE_SEEDS", 100),
    };
    for seed in seeds {
        let _announce = Announce(seed);
        run(seed, operations);
    }
}

/// Says which seed failed.
struct Announce(u64);

impl Drop for Announce {
    #[expect(clippy::print_stderr, reason = "a test says how to run it again")]
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("to run this again: LUCERNE_SEED={}", self.0);
        }
    }
}
