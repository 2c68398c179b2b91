//! Documents a second from `add` to a durable commit, and where the time goes.
//!
//! `cargo bench --bench ingest [-- [--docs N] [--dim N] [FILE.npy]]`
#![allow(clippy::print_stdout, missing_docs, reason = "a bench prints")]

mod common;

use common::{Arguments, Data, Result, Table, document, memory, seconds, thousands};
use lucerne::merge::MergePolicy;
use lucerne::schema::{Quantization, VectorIndex};
use lucerne::{Index, Vector, WriterOptions};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

fn main() -> Result<()> {
    let Some(arguments) = common::arguments(20_000)? else { return Ok(()) };
    if let [index, quantization, threads] = &arguments.child[..] {
        let row = run(&arguments, index, quantization, threads.parse()?)?;
        println!("{}", row.join("\t"));
        return Ok(());
    }
    println!("ingest: {}, each row in a fresh process\n", Data::new(&arguments, 1)?.source);
    let columns = ["format", "threads", "add s", "commit s", "docs/s", "MiB", "peak MiB added"];
    let mut table = Table::new(columns);
    for (index, quantization) in [("flat", "none"), ("flat", "int8"), ("hnsw", "int8"), ("hnsw", "none")] {
        table.row(common::child(&arguments, &[index, quantization, "1"])?);
    }
    let cores = std::thread::available_parallelism()?.get();
    table.row(common::child(&arguments, &["hnsw", "int8", &cores.to_string()])?);
    println!("{}", table.text());
    println!("flat none: documents and raw vectors; flat int8 adds the codes; hnsw adds the graph.");
    println!("Threads add documents at once, and as many build the graph.");
    Ok(())
}

fn run(arguments: &Arguments, index: &str, quantization: &str, threads: usize) -> Result<Vec<String>> {
    let data = Data::new(arguments, 1)?;
    let before = memory("VmRSS");
    let mut vector = Vector::f32(data.dimension());
    vector = vector.index(if index == "flat" { VectorIndex::Flat } else { VectorIndex::Hnsw });
    vector =
        vector.quantization(if quantization == "none" { Quantization::None } else { Quantization::Int8 });
    let folder = common::fresh_folder(&format!("ingest-{index}-{quantization}-{threads}"))?;
    let index_handle = Index::create(&folder, common::schema(vector)?)?;
    let options = WriterOptions::new().threads(threads).merge_policy(MergePolicy::None);
    let writer = index_handle.writer_with(options)?;
    let (started, next) = (Instant::now(), AtomicUsize::new(0));
    std::thread::scope(|scope| {
        let add = || {
            loop {
                let row = next.fetch_add(1, Ordering::Relaxed);
                let Some(vector) = data.vectors.get(row) else { return Ok(()) };
                writer.add(&document(row, vector))?;
            }
        };
        let adders: Vec<_> = (0..threads).map(|_| scope.spawn(add)).collect();
        adders.into_iter().try_for_each(|adder| adder.join().unwrap_or(Err(lucerne::Error::Cancelled)))
    })?;
    let added = started.elapsed();
    writer.commit()?;
    let all = started.elapsed();
    let row = vec![
        format!("{index} {quantization}"),
        threads.to_string(),
        seconds(added),
        seconds(all - added),
        thousands((data.vectors.len() as f64 / all.as_secs_f64()) as u64),
        format!("{:.1}", common::folder_bytes(&folder)? as f64 / f64::from(1 << 20)),
        format!("{:.0}", memory("VmHWM") - before),
    ];
    drop(writer);
    std::fs::remove_dir_all(&folder)?;
    Ok(row)
}
