//! Latency of searches while nothing else happens, while segments are merged, and while documents are written
//! and merged in the background; the answers of the searcher must never change.
//!
//! `cargo bench --bench merging_latency [-- [--docs N] [--dim N] [FILE.npy]]`
#![allow(clippy::print_stdout, missing_docs, reason = "a bench prints")]

mod common;

use common::{Data, Result, Table, document, micros};
use lucerne::merge::{MergeEvent, MergePolicy};
use lucerne::{Cancel, Hits, Index, Knn, Searcher, Vector, WriterOptions};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

const QUERIES: usize = 200;
const SEGMENTS: usize = 20;
/// Each state is looked at for at least so many rounds of all queries.
const ROUNDS: usize = 10;

fn main() -> Result<()> {
    let Some(arguments) = common::arguments(20_000)? else { return Ok(()) };
    let data = Data::new(&arguments, QUERIES)?;
    println!("merging_latency: {}, {} queries on one thread, k = 10", data.source, data.queries.len());
    let folder = common::fresh_folder("merging_latency")?;
    let index = Index::create(&folder, common::schema(Vector::f32(data.dimension()))?)?;
    let merges = Arc::new(AtomicU64::new(0));
    let options = || {
        let counted = Arc::clone(&merges);
        WriterOptions::new().ram_budget(8 << 30).on_merge(move |event: &MergeEvent| {
            if matches!(event, MergeEvent::Finished { .. }) {
                counted.fetch_add(1, Ordering::Relaxed);
            }
        })
    };
    let small = data.vectors.len().div_ceil(SEGMENTS) as u32;
    let writer = index.writer_with(options().flush_docs(small).merge_policy(MergePolicy::None))?;
    for (row, vector) in data.vectors.iter().enumerate() {
        writer.add(&document(row, vector))?;
    }
    writer.commit()?;
    let searcher = index.searcher()?;
    let expected = ask(&searcher, &data)?;
    let mut table = Table::new(["meanwhile", "merges", "queries", "p50 µs", "p99 µs", "max µs"]);
    let mut row = |what: &str, work: &mut (dyn FnMut() -> Result<()> + Send)| -> Result<()> {
        let before = merges.load(Ordering::Relaxed);
        let mut times = while_working(&searcher, &data, &expected, work)?;
        times.sort_unstable();
        let at = |share: f64| times.get((times.len() as f64 * share) as usize).copied().unwrap_or_default();
        table.row([
            what.to_owned(),
            (merges.load(Ordering::Relaxed) - before).to_string(),
            times.len().to_string(),
            micros(at(0.5)),
            micros(at(0.99)),
            micros(times.last().copied().unwrap_or_default()),
        ]);
        Ok(())
    };
    row("nothing", &mut || Ok(()))?;
    row("force-merge to one", &mut || {
        writer.force_merge(1, &Cancel::new())?;
        writer.commit()?;
        Ok(())
    })?;
    drop(writer);
    let writer = index.writer_with(options().flush_docs(small / 4 + 1))?;
    row("upserts, background merges", &mut || {
        for (number, vector) in data.vectors.iter().enumerate().take(data.vectors.len() / 2) {
            writer.upsert(&document(number, vector))?;
        }
        writer.wait_for_merges();
        Ok(())
    })?;
    println!("\n{} segments searched\n{}", searcher.segment_count(), table.text());
    drop((writer, searcher, index));
    Ok(std::fs::remove_dir_all(&folder)?)
}

fn query(searcher: &Searcher, vector: &[f32]) -> Result<Hits> {
    Ok(searcher.search(Knn::new("v", vector))?)
}

fn ask(searcher: &Searcher, data: &Data) -> Result<Vec<Hits>> {
    data.queries.iter().map(|vector| query(searcher, vector)).collect()
}

/// Searches until `work` is done, and for [`ROUNDS`] at least; panics when an answer is another one.
fn while_working(
    searcher: &Searcher,
    data: &Data,
    expected: &[Hits],
    work: &mut (dyn FnMut() -> Result<()> + Send),
) -> Result<Vec<Duration>> {
    let done = AtomicBool::new(false);
    let mut times = Vec::new();
    std::thread::scope(|scope| {
        let working = scope.spawn(|| {
            let result = work().map_err(|error| error.to_string());
            done.store(true, Ordering::Relaxed);
            result
        });
        let mut rounds = 0;
        while !done.load(Ordering::Relaxed) || rounds < ROUNDS {
            for (vector, expected) in data.queries.iter().zip(expected) {
                let started = Instant::now();
                let hits = query(searcher, vector)?;
                times.push(started.elapsed());
                assert_eq!(&hits, expected, "a snapshot's answer has changed");
            }
            rounds += 1;
        }
        Ok(working.join().map_err(|_| "the work panicked")??)
    })
    .map(|()| times)
}
