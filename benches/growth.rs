//! How the costs of an index grow with its size: a query at a recall@10 of 0.95, the distances it computes, the rate
//! of ingest, the bytes on disk. A table, and a plot in `target/growth.svg`.
//!
//! `cargo bench --bench growth [-- [--docs N] [--dim N] [FILE.npy [QUERIES.npy]]]`
#![allow(clippy::print_stdout, missing_docs, reason = "a bench prints")]

mod common;
#[path = "common/plot.rs"]
mod plot;

use common::{Data, Result, Table, document, folder_bytes, micros, thousands};
use lucerne::{Cancel, Hits, Index, Knn, Searcher, Similarity, Vector, WriterOptions};
use plot::Panel;
use std::time::{Duration, Instant};

const QUERIES: usize = 200;
const SMALLEST: usize = 10_000;
const RECALL: f64 = 0.95;
const CANDIDATES: [usize; 12] = [10, 14, 20, 28, 40, 56, 80, 112, 160, 240, 400, 600];

/// One size.
struct Point {
    docs: usize,
    ingest: Duration,
    merge: Duration,
    bytes: u64,
    query: f64,
    distances: f64,
}

fn main() -> Result<()> {
    let Some(arguments) = common::arguments(100_000)? else { return Ok(()) };
    let data = Data::new(&arguments, QUERIES)?;
    println!(
        "growth: {}, {} queries, one thread, euclidean, k = 10, rescore 2",
        data.source,
        data.queries.len()
    );
    let mut points = Vec::new();
    for half in 0.. {
        let docs = (SMALLEST as f64 * 10f64.powf(f64::from(half) / 2.0)).round() as usize;
        points.push(measure(&data, docs.min(data.vectors.len()))?);
        if docs >= data.vectors.len() {
            break;
        }
    }
    let mut table =
        Table::new(["vectors", "docs/s", "merge s", "bytes/vector", "query µs at 0.95", "distances at 0.95"]);
    for point in &points {
        table.row([
            thousands(point.docs as u64),
            thousands((point.docs as f64 / point.ingest.as_secs_f64()) as u64),
            common::seconds(point.merge),
            (point.bytes / point.docs as u64).to_string(),
            micros(Duration::from_secs_f64(point.query)),
            thousands(point.distances as u64),
        ]);
    }
    println!("{}", table.text());
    let curve = |title, value: fn(&Point) -> f64| Panel {
        title,
        points: points.iter().map(|point| (point.docs as f64, value(point))).collect(),
    };
    let panels = [
        curve("microseconds a query at recall 0.95", |point| point.query * 1e6),
        curve("distances a query at recall 0.95", |point| point.distances),
        curve("documents ingested a second", |point| point.docs as f64 / point.ingest.as_secs_f64()),
        curve("bytes on disk a vector", |point| point.bytes as f64 / point.docs as f64),
    ];
    std::fs::write("target/growth.svg", plot::log_log(&panels, "vectors"))?;
    println!("target/growth.svg");
    Ok(())
}

fn measure(data: &Data, docs: usize) -> Result<Point> {
    let folder = common::fresh_folder("growth")?;
    let vector = Vector::f32(data.dimension()).similarity(Similarity::Euclidean);
    let index = Index::create(&folder, common::schema(vector)?)?;
    let writer = index.writer_with(WriterOptions::new().threads(1))?;
    let started = Instant::now();
    for (row, vector) in data.vectors.iter().take(docs).enumerate() {
        writer.add(&document(row, vector))?;
    }
    writer.commit()?;
    let ingest = started.elapsed();
    let started = Instant::now();
    writer.force_merge(1, &Cancel::new())?;
    writer.commit()?;
    let merge = started.elapsed();
    drop(writer);
    let searcher = index.searcher()?;
    let (query, distances) = at_recall(&searcher, data)?;
    let bytes = folder_bytes(&folder)?;
    drop((searcher, index));
    std::fs::remove_dir_all(&folder)?;
    Ok(Point { docs, ingest, merge, bytes, query, distances })
}

/// Seconds and distances of a query at the wanted recall, read between two efforts.
fn at_recall(searcher: &Searcher, data: &Data) -> Result<(f64, f64)> {
    let ask = |effort: &dyn Fn(Knn) -> Knn| -> Result<Vec<Hits>> {
        let each =
            data.queries.iter().map(|query| Ok(searcher.search(effort(Knn::new("v", query.as_slice())))?));
        each.collect()
    };
    let truth = ask(&Knn::exact)?;
    let mut last: Option<(f64, f64, f64)> = None;
    for candidates in CANDIDATES {
        let effort = |knn: Knn| knn.candidates(candidates).rescore(2.0);
        let found = ask(&effort)?;
        let right = found.iter().zip(&truth).map(|(found, truth)| {
            let truth = truth.keys();
            found.keys().iter().filter(|key| truth.contains(key)).count()
        });
        let recall = right.sum::<usize>() as f64 / (10 * truth.len()) as f64;
        let visited =
            found.iter().flat_map(|hits| &hits.segments).map(|segment| segment.visited).sum::<u64>();
        let distances = visited as f64 / truth.len() as f64;
        let started = Instant::now();
        ask(&effort)?;
        let seconds = started.elapsed().as_secs_f64() / truth.len() as f64;
        if recall >= RECALL {
            let Some((below, before, fewer)) = last else { return Ok((seconds, distances)) };
            let share = (RECALL - below) / (recall - below);
            let between = |low: f64, high: f64| low * (high / low).powf(share);
            return Ok((between(before, seconds), between(fewer, distances)));
        }
        last = Some((recall, seconds, distances));
    }
    Err(format!("recall {RECALL} was not reached with {} candidates", CANDIDATES[CANDIDATES.len() - 1])
        .into())
}
