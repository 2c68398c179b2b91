//! Recall, latency and throughput of nearest-neighbor searches, and where a query's time goes.
//!
//! `cargo bench --bench knn [-- [--docs N] [--dim N] [FILE.npy]]`
#![allow(clippy::print_stdout, missing_docs, reason = "a bench prints")]

mod common;

use common::{Data, Result, Table, document, micros, thousands};
use lucerne::merge::MergePolicy;
use lucerne::{Index, Knn, Searcher, Vector, WriterOptions};
use std::time::{Duration, Instant};

const QUERIES: usize = 500;
const ROUNDS: usize = 5;

fn main() -> Result<()> {
    let Some(arguments) = common::arguments(20_000)? else { return Ok(()) };
    let data = Data::new(&arguments, QUERIES)?;
    println!("knn: {}, {} queries, k = 10", data.source, data.queries.len());
    for segments in [1, 8] {
        let folder = common::fresh_folder("knn")?;
        let index = Index::create(&folder, common::schema(Vector::f32(data.dimension()))?)?;
        let options = WriterOptions::new().ram_budget(8 << 30).merge_policy(MergePolicy::None);
        let writer = index.writer_with(options.flush_docs(data.vectors.len().div_ceil(segments) as u32))?;
        for (row, vector) in data.vectors.iter().enumerate() {
            writer.add(&document(row, vector))?;
        }
        writer.commit()?;
        let searcher = index.searcher()?;
        println!("\n{} segment(s)\n{}", searcher.segment_count(), measure(&searcher, &data)?.text());
        drop((writer, searcher, index));
        std::fs::remove_dir_all(&folder)?;
    }
    Ok(())
}

type Effort = (&'static str, fn(Knn) -> Knn);

fn measure(searcher: &Searcher, data: &Data) -> Result<Table> {
    let efforts: [Effort; 10] = [
        ("exact", Knn::exact),
        ("candidates 10", |knn| knn.candidates(10)),
        ("candidates 20", |knn| knn.candidates(20)),
        ("candidates 50", |knn| knn.candidates(50)),
        ("candidates 100 (default)", |knn| knn),
        ("candidates 200", |knn| knn.candidates(200)),
        ("candidates 50, rescore 2", |knn| knn.candidates(50).rescore(2.0)),
        ("candidates 100, rescore 2", |knn| knn.rescore(2.0)),
        ("candidates 100, k 1", |knn| knn.k(1)),
        ("candidates 100, with fields", |knn| knn.fields(["title", "row"])),
    ];
    let mut table = Table::new([
        "effort",
        "recall@10",
        "distances",
        "mean µs",
        "p50 µs",
        "p99 µs",
        "q/s 1 thread",
        "q/s all cores",
    ]);
    let query = |vector: &[f32], effort: fn(Knn) -> Knn| searcher.search(effort(Knn::new("v", vector)));
    let mut truth = Vec::new();
    for vector in &data.queries {
        truth.push(query(vector, Knn::exact)?);
    }
    for (name, effort) in efforts {
        let (mut right, mut wanted, mut visited) = (0, 0, 0);
        for (vector, truth) in data.queries.iter().zip(&truth) {
            let (found, truth) = (query(vector, effort)?, truth.keys());
            visited += found.segments.iter().map(|segment| segment.visited).sum::<u64>();
            right += found.keys().iter().filter(|key| truth[..found.hits.len()].contains(key)).count();
            wanted += found.hits.len();
        }
        let rounds = if name == "exact" { 1 } else { ROUNDS };
        let mut times = Vec::new();
        for vector in std::iter::repeat_n(&data.queries, rounds).flatten() {
            let started = Instant::now();
            query(vector, effort)?;
            times.push(started.elapsed());
        }
        times.sort_unstable();
        let mean = times.iter().sum::<Duration>() / times.len() as u32;
        let at = |share: f64| micros(times[((times.len() - 1) as f64 * share) as usize]);
        table.row([
            name.to_owned(),
            format!("{:.4}", right as f64 / wanted as f64),
            thousands(visited / data.queries.len() as u64),
            micros(mean),
            at(0.5),
            at(0.99),
            thousands((1.0 / mean.as_secs_f64()) as u64),
            thousands(throughput(searcher, data, effort, rounds)? as u64),
        ]);
    }
    Ok(table)
}

/// Queries a second when every core asks.
fn throughput(searcher: &Searcher, data: &Data, effort: fn(Knn) -> Knn, rounds: usize) -> Result<f64> {
    let cores = std::thread::available_parallelism()?.get();
    let started = Instant::now();
    std::thread::scope(|scope| {
        let ask = || {
            for vector in std::iter::repeat_n(&data.queries, rounds).flatten() {
                searcher.search(effort(Knn::new("v", &**vector)))?;
            }
            Ok(())
        };
        let asking: Vec<_> = (0..cores).map(|_| scope.spawn(ask)).collect();
        asking.into_iter().try_for_each(|asking| asking.join().unwrap_or(Err(lucerne::Error::Cancelled)))
    })?;
    Ok((cores * rounds * data.queries.len()) as f64 / started.elapsed().as_secs_f64())
}
