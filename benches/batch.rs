//! Exact searches one by one and many in a call; asserts that the hits are the same.
//!
//! `cargo bench --bench batch [-- --docs N --dim N] [FILE.npy]`: one thread.
#![allow(clippy::print_stdout, missing_docs, reason = "a bench prints")]

mod common;

use common::{Data, Result, Table, arguments, document, fresh_folder, schema};
use lucerne::merge::MergePolicy;
use lucerne::search::SearchOptions;
use lucerne::{Index, Knn, Searcher, Vector, WriterOptions};
use std::time::Instant;

const QUERIES: usize = 1_000;
const ROUNDS: usize = 3;

fn main() -> Result<()> {
    let Some(arguments) = arguments(20_000)? else { return Ok(()) };
    let data = Data::new(&arguments, QUERIES)?;
    println!("batch: {}, {} queries, exact, k = 10", data.source, data.queries.len());
    let folder = fresh_folder("batch")?;
    let index = Index::create(&folder, schema(Vector::f32(data.dimension()).flat())?)?;
    let writer =
        index.writer_with(WriterOptions::new().ram_budget(8 << 30).merge_policy(MergePolicy::None))?;
    for (row, vector) in data.vectors.iter().enumerate() {
        writer.add(&document(row, vector))?;
    }
    writer.commit()?;
    let searcher = index.searcher()?;
    let mut table = Table::new(["queries in a call", "queries a second", "× one by one"]);
    let queries: Vec<Knn> =
        data.queries.iter().map(|query| Knn::new("v", query.clone()).k(10).exact()).collect();
    let mut alone = 0.0;
    for size in [1, 4, 8, 32, 100, queries.len()] {
        let rate = rate(&searcher, &queries, size)?;
        alone = if size == 1 { rate } else { alone };
        table.row([size.to_string(), format!("{rate:.0}"), format!("{:.2}", rate / alone)]);
    }
    print!("{}", table.text());
    let options = SearchOptions::new();
    for (query, found) in queries.iter().zip(searcher.search_many(&queries, &options)) {
        assert_eq!(found?.hits, searcher.search(query)?.hits);
    }
    drop((writer, searcher, index));
    std::fs::remove_dir_all(&folder)?;
    Ok(())
}

/// Queries a second, the best round.
fn rate(searcher: &Searcher, queries: &[Knn], size: usize) -> Result<f64> {
    let options = SearchOptions::new();
    let mut best = 0.0_f64;
    for _ in 0..ROUNDS {
        let begun = Instant::now();
        for queries in queries.chunks(size) {
            for found in searcher.search_many(queries, &options) {
                found?;
            }
        }
        best = best.max(queries.len() as f64 / begun.elapsed().as_secs_f64());
    }
    Ok(best)
}
