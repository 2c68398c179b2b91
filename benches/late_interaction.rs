//! Late interaction (MaxSim) over token vectors: held against a plain computation in double precision, and timed by window.
//!
//! `cargo bench --bench late_interaction [-- --docs N --dim N]`: 32 vectors in a document and in a query.
#![allow(clippy::print_stdout, missing_docs, reason = "a bench prints")]

mod common;

use common::{Clusters, Result, Table, arguments, folder_bytes, fresh_folder, micros, thousands};
use lucerne::merge::MergePolicy;
use lucerne::schema::Quantization;
use lucerne::{Document, Index, Query, Rerank, Schema, Search, Vector, WriterOptions};
use std::time::Instant;

const TOKENS: usize = 32;
const QUERIES: usize = 5;

fn main() -> Result<()> {
    let Some(arguments) = arguments(10_000)? else { return Ok(()) };
    let dimension = if arguments.dimension == 384 { 128 } else { arguments.dimension };
    let mut clusters = Clusters::new(dimension);
    let mut tokens = || -> Vec<Vec<f32>> { (0..TOKENS).map(|_| clusters.next()).collect() };
    let docs: Vec<Vec<Vec<f32>>> = (0..arguments.docs).map(|_| tokens()).collect();
    let queries: Vec<Vec<Vec<f32>>> = (0..QUERIES).map(|_| tokens()).collect();
    let folder = fresh_folder("late_interaction")?;
    let vector = Vector::f32(dimension).flat().quantization(Quantization::None).multiple();
    let index = Index::create(&folder, Schema::builder().key("id").vector("tokens", vector).build()?)?;
    let writer = index.writer_with(WriterOptions::new().threads(1).merge_policy(MergePolicy::None))?;
    for (number, tokens) in docs.iter().enumerate() {
        writer.add(&Document::new().with("id", format!("{number:06}")).with("tokens", tokens.clone()))?;
    }
    writer.commit()?;
    let searcher = index.searcher()?;
    println!(
        "late interaction: {} documents of {TOKENS} vectors of {dimension} components, {:.0} MB",
        thousands(docs.len() as u64),
        folder_bytes(&folder)? as f64 / 1e6
    );
    let mut worst = 0.0_f64;
    let mut table = Table::new(["window", "median µs", "µs a document"]);
    for window in [100, 1_000, 10_000] {
        let mut times = Vec::new();
        for query in &queries {
            let rerank = Rerank::max_sim("tokens", query.clone()).window(window).replace();
            let search = Search::new(Query::all()).limit(window).rerank(rerank);
            let begun = Instant::now();
            let hits = searcher.search(&search)?;
            times.push(begun.elapsed());
            for hit in hits.hits.iter().step_by(97) {
                let expected = max_sim(query, &docs[hit.key.parse::<usize>()?]);
                worst = worst.max((f64::from(hit.score) - expected).abs());
            }
        }
        times.sort_unstable();
        let median = times[times.len() / 2];
        table.row([window.to_string(), micros(median), micros(median / window.min(docs.len()) as u32)]);
    }
    print!("{}", table.text());
    println!("  scores are off by {worst:.1e} at most");
    Ok(())
}

/// The sum of the greatest cosines.
fn max_sim(query: &[Vec<f32>], tokens: &[Vec<f32>]) -> f64 {
    let dot = |left: &[f32], right: &[f32]| -> f64 {
        left.iter().zip(right).map(|(left, right)| f64::from(*left) * f64::from(*right)).sum()
    };
    let cosine =
        |left: &[f32], right: &[f32]| dot(left, right) / (dot(left, left) * dot(right, right)).sqrt();
    query.iter().map(|left| tokens.iter().map(|right| cosine(left, right)).fold(f64::MIN, f64::max)).sum()
}
