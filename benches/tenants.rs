//! What a writer of each of many tenants costs: time to open, memory, threads.
//!
//! `cargo bench --bench tenants [-- --docs N]`: N indexes of 100 documents each, 1,000 unless given. Each index holds a
//! file open for its lock: `ulimit -n` must allow as many.
#![allow(clippy::print_stdout, missing_docs, reason = "a bench prints")]

mod common;

use common::{Clusters, Result, Table, document, memory};
use lucerne::{Index, Searcher, Vector, Writer, WriterOptions};
use std::time::Instant;

const TENANTS: usize = 1_000;
const DOCS: usize = 100;
const DIMENSION: usize = 64;

fn main() -> Result<()> {
    let Some(arguments) = common::arguments(TENANTS)? else { return Ok(()) };
    let tenants = arguments.docs;
    let root = common::fresh_folder("tenants")?;
    let started = Instant::now();
    let mut clusters = Clusters::new(DIMENSION);
    for tenant in 0..tenants {
        let schema = common::schema(Vector::f32(DIMENSION))?;
        let index = Index::create(root.join(tenant.to_string()), schema)?;
        let writer = index.writer_with(WriterOptions::new().ram_budget(16 << 20))?;
        for row in 0..DOCS {
            writer.add(&document(row, &clusters.next()))?;
        }
        writer.close()?;
    }
    println!("{tenants} indexes of {DOCS} documents made in {:.1} s\n", started.elapsed().as_secs_f64());
    let mut table = Table::new(["step", "ms each", "heap MiB", "heap KiB each", "threads"]);
    let mut step = |name: &str, started: Instant| {
        let heap = memory("RssAnon");
        table.row(vec![
            name.to_owned(),
            format!("{:.3}", started.elapsed().as_secs_f64() * 1e3 / tenants as f64),
            format!("{heap:.1}"),
            format!("{:.1}", heap * 1_024.0 / tenants as f64),
            threads(),
        ]);
    };
    step("nothing open", Instant::now());
    let mut started = Instant::now();
    let opened = (0..tenants).map(|tenant| Index::open(root.join(tenant.to_string())));
    let indexes = opened.collect::<lucerne::Result<Vec<Index>>>()?;
    step("open", started);
    started = Instant::now();
    let searchers = indexes.iter().map(Index::searcher).collect::<lucerne::Result<Vec<Searcher>>>()?;
    step("and a searcher", started);
    started = Instant::now();
    let writers = indexes.iter().map(Index::writer).collect::<lucerne::Result<Vec<Writer>>>()?;
    step("and a writer (default options)", started);
    started = Instant::now();
    for writer in &writers {
        writer.add(&document(DOCS, &clusters.next()))?;
    }
    step("and a document in its buffer", started);
    started = Instant::now();
    writers.iter().try_for_each(|writer| writer.commit().map(drop))?;
    step("committed", started);
    started = Instant::now();
    writers.iter().try_for_each(Writer::close)?;
    drop(writers);
    step("writers closed", started);
    drop((searchers, indexes));
    println!("{}", table.text());
    Ok(())
}

fn threads() -> String {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("Threads:"));
    line.map_or_else(|| "?".to_owned(), |number| number.trim().to_owned())
}
