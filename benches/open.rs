//! Time and memory of opening an index: metadata only, whatever the number of documents.
//!
//! `cargo bench --bench open [-- [--dim N]]`. Indexes are built once and kept in `target/bench-indexes`.
#![allow(clippy::print_stdout, missing_docs, reason = "a bench prints")]

mod common;

use common::{Arguments, Clusters, Result, Table, document, folder, memory, thousands};
use lucerne::{Index, Knn, Vector, WriterOptions};
use std::time::Instant;

const SIZES: [usize; 2] = [1_000, 78_000];

fn main() -> Result<()> {
    let Some(arguments) = common::arguments(0)? else { return Ok(()) };
    if let [task, docs] = &arguments.child[..] {
        let docs: usize = docs.parse()?;
        let row = if task == "build" { build(&arguments, docs)? } else { open(&arguments, docs)? };
        println!("{}", row.join("\t"));
        return Ok(());
    }
    println!(
        "open: vectors of {} components, each row in a fresh process, page cache warm",
        arguments.dimension
    );
    println!("memory: resident MiB that are added (heap and stacks / mapped pages of files)\n");
    let columns = [
        "documents",
        "segments",
        "files MiB",
        "open ms",
        "open anon",
        "open file",
        "query 1 ms",
        "anon",
        "file",
    ];
    let mut table = Table::new(columns);
    for docs in SIZES {
        let docs = docs.to_string();
        if common::child(&arguments, &["open", &docs]).is_err() {
            common::child(&arguments, &["build", &docs])?;
        }
        for _ in 0..3 {
            table.row(common::child(&arguments, &["open", &docs])?);
        }
    }
    println!("{}", table.text());
    Ok(())
}

fn name(arguments: &Arguments, docs: usize) -> String {
    format!("open-{docs}-{}", arguments.dimension)
}

fn build(arguments: &Arguments, docs: usize) -> Result<Vec<String>> {
    let folder = common::fresh_folder(&name(arguments, docs))?;
    let index = Index::create(&folder, common::schema(Vector::f32(arguments.dimension))?)?;
    let writer = index.writer_with(WriterOptions::new())?;
    let mut clusters = Clusters::new(arguments.dimension);
    for row in 0..docs {
        writer.add(&document(row, &clusters.next()))?;
    }
    writer.close()?;
    Ok(vec!["built".to_owned()])
}

fn open(arguments: &Arguments, docs: usize) -> Result<Vec<String>> {
    let (folder, query) = (folder(&name(arguments, docs)), Clusters::new(arguments.dimension).next());
    let resident = || (memory("RssAnon"), memory("RssFile"));
    let (before, started) = (resident(), Instant::now());
    let index = Index::open(&folder)?;
    let searcher = index.searcher()?;
    let (opened, after) = (started.elapsed(), resident());
    let started = Instant::now();
    let found = searcher.search(Knn::new("v", query))?;
    let (asked, last) = (started.elapsed(), resident());
    if searcher.len() != docs as u64 || found.hits.len() != 10 {
        return Err(format!("{} documents, expected {docs}", searcher.len()).into());
    }
    let added = |now: f64, before: f64| format!("{:.1}", now - before);
    Ok(vec![
        thousands(docs as u64),
        searcher.segment_count().to_string(),
        format!("{:.1}", common::folder_bytes(&folder)? as f64 / f64::from(1 << 20)),
        format!("{:.2}", opened.as_secs_f64() * 1e3),
        added(after.0, before.0),
        added(after.1, before.1),
        format!("{:.2}", asked.as_secs_f64() * 1e3),
        added(last.0, before.0),
        added(last.1, before.1),
    ])
}
