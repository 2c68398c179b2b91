//! One buffer becoming one segment, in memory, by format: what codes and graph cost beside the raw vectors.
//!
//! `cargo bench --bench flush [-- [--docs N] [--dim N] [FILE.npy]]`
#![allow(clippy::print_stdout, missing_docs, reason = "a bench prints")]

mod common;

use common::{Data, Result, Table, document, thousands};
use lucerne::directory::RamDirectory;
use lucerne::index::IndexBuilder;
use lucerne::merge::MergePolicy;
use lucerne::schema::{Quantization, VectorIndex};
use lucerne::{Vector, WriterOptions};
use std::sync::Arc;
use std::time::Instant;

const RUNS: usize = 3;

fn main() -> Result<()> {
    let Some(arguments) = common::arguments(10_000)? else { return Ok(()) };
    let data = Data::new(&arguments, 1)?;
    println!("flush: {} as one segment, in memory, best of {RUNS}\n", data.source);
    let mut table = Table::new(["format", "threads", "add ms", "flush ms", "µs a document"]);
    let cores = std::thread::available_parallelism()?.get();
    use {Quantization as Q, VectorIndex as I};
    for (index, quantization, threads) in [
        (I::Flat, Q::None, 1),
        (I::Flat, Q::Int8, 1),
        (I::Hnsw, Q::Int8, 1),
        (I::Hnsw, Q::None, 1),
        (I::Hnsw, Q::Int8, cores),
    ] {
        let mut best = (f64::INFINITY, f64::INFINITY);
        for _ in 0..RUNS {
            let vector = Vector::f32(data.dimension()).index(index).quantization(quantization);
            let directory = Arc::new(RamDirectory::new());
            let handle = IndexBuilder::new().create(directory, common::schema(vector)?)?;
            let options = WriterOptions::new().ram_budget(8 << 30).threads(threads);
            let writer = handle.writer_with(options.merge_policy(MergePolicy::None))?;
            let started = Instant::now();
            for (row, vector) in data.vectors.iter().enumerate() {
                writer.add(&document(row, vector))?;
            }
            let added = started.elapsed().as_secs_f64() * 1e3;
            writer.refresh()?;
            let all = started.elapsed().as_secs_f64() * 1e3;
            best = (best.0.min(added), best.1.min(all - added));
        }
        let each = best.1 * 1e3 / data.vectors.len() as f64;
        table.row([
            format!("{} {}", index.name(), quantization.name()),
            threads.to_string(),
            thousands(best.0 as u64),
            thousands(best.1 as u64),
            format!("{each:.1}"),
        ]);
    }
    println!("{}", table.text());
    Ok(())
}
