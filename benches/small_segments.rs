//! What many small segments cost: files, time to open, time of the first and of the next query.
//!
//! `cargo bench --bench small_segments [-- --docs N --dim N]`: N documents (50,000) in 500 segments, in 50 and in one. Each
//! row in a fresh process, page cache warm, and with the files' pages dropped before (Linux).
#![allow(clippy::print_stdout, missing_docs, reason = "a bench prints")]

mod common;

use common::{Arguments, Clusters, Result, Table, document, folder};
use lucerne::merge::MergePolicy;
use lucerne::{Cancel, Index, Knn, Vector, WriterOptions};
use std::time::Instant;

const SEGMENTS: [usize; 3] = [500, 50, 1];
const DOCS: usize = 50_000;

fn main() -> Result<()> {
    let Some(arguments) = common::arguments(DOCS)? else { return Ok(()) };
    if let [task, segments] = &arguments.child[..] {
        let segments: usize = segments.parse()?;
        let row =
            if task == "build" { build(&arguments, segments)? } else { ask(&arguments, segments, task)? };
        println!("{}", row.join("\t"));
        return Ok(());
    }
    let columns = ["segments", "files", "page cache", "open ms", "query 1 ms", "query 2 ms"];
    let mut table = Table::new(columns);
    for segments in SEGMENTS {
        let segments = segments.to_string();
        common::child(&arguments, &["build", &segments])?;
        for cache in ["warm", "warm", "cold", "cold"] {
            table.row(common::child(&arguments, &[cache, &segments])?);
        }
    }
    println!("{}", table.text());
    Ok(())
}

fn name(segments: usize) -> String {
    format!("small-segments-{segments}")
}

fn build(arguments: &Arguments, segments: usize) -> Result<Vec<String>> {
    let folder = common::fresh_folder(&name(segments))?;
    let index = Index::create(&folder, common::schema(Vector::f32(arguments.dimension))?)?;
    let docs = (arguments.docs / segments).max(1);
    let options = WriterOptions::new().merge_policy(MergePolicy::None).flush_docs(docs as u32).threads(1);
    let writer = index.writer_with(options)?;
    let mut clusters = Clusters::new(arguments.dimension);
    for row in 0..arguments.docs {
        writer.add(&document(row, &clusters.next()))?;
    }
    writer.commit()?;
    if segments == 1 {
        writer.force_merge(1, &Cancel::new())?;
    }
    writer.close()?;
    Ok(vec!["built".to_owned()])
}

fn ask(arguments: &Arguments, segments: usize, cache: &str) -> Result<Vec<String>> {
    let folder = folder(&name(segments));
    let mut files = 0;
    for entry in std::fs::read_dir(&folder)? {
        files += 1;
        if cache == "cold" {
            // What `dd` asks of the kernel with this flag and nothing to copy: to drop the file's pages.
            let path = format!("if={}", entry?.path().display());
            let mut dd = std::process::Command::new("dd");
            dd.args([path.as_str(), "iflag=nocache", "count=0", "status=none"]).status()?;
        }
    }
    let query = Clusters::new(arguments.dimension).next();
    let mut times = Vec::new();
    let mut started = Instant::now();
    let mut lap = |started: &mut Instant| {
        times.push(format!("{:.2}", started.elapsed().as_secs_f64() * 1e3));
        *started = Instant::now();
    };
    let searcher = Index::open(&folder)?.searcher()?;
    lap(&mut started);
    for _ in 0..2 {
        if searcher.search(Knn::new("v", query.clone()))?.hits.len() != 10 {
            return Err("fewer than 10 hits".into());
        }
        lap(&mut started);
    }
    let found = searcher.segment_count().to_string();
    Ok([vec![found, files.to_string(), cache.to_owned()], times].concat())
}
