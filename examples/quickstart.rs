//! Indexes 2,400 real documents with their embeddings, reopens the index and searches it.
//!
//! `cargo run --release --example quickstart`, from any folder, without arguments.
#![allow(clippy::print_stdout, missing_docs, reason = "an example talks to a person")]

mod common;

use common::{npy, table};
use lucerne::codec::Report;
use lucerne::{Document, Index, Knn, Schema, Searcher, Similarity, Vector, WriterOptions, admin};
use serde_json::Value;
use std::error::Error;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use std::{fs, io};

type Result<T, E = Box<dyn Error>> = std::result::Result<T, E>;

/// Queries whose hits are printed, by their row in `queries.jsonl`.
const SHOWN: [usize; 4] = [9, 15, 65, 95];

fn main() -> Result<()> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let data = root.join("examples").join("data");
    let folder = root.join("target").join("quickstart.idx");
    match fs::remove_dir_all(&folder) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error.into()),
        _ => {}
    }

    let started = Instant::now();
    let index = Index::create(&folder, schema()?)?;
    let writer = index.writer_with(WriterOptions::new().flush_docs(800))?;
    for document in documents(&data)? {
        writer.add(&document)?;
    }
    let generation = writer.commit()?;
    drop((writer, index));
    println!("Indexed into {} in {:.1?}, commit {generation}.", folder.display(), started.elapsed());

    let started = Instant::now();
    let searcher = Index::open(&folder)?.searcher()?;
    let (docs, segments) = (searcher.len(), searcher.segment_count());
    println!("Reopened in {:.1?}: {docs} documents in {segments} segments.\n", started.elapsed());

    let queries = queries(&data)?;
    for row in SHOWN {
        let (text, vector) = queries.get(row).ok_or("queries.jsonl is too short")?;
        println!("“{text}”");
        println!("{}", hits(&searcher, vector)?.text());
    }
    println!(
        "Recall over {} queries, k = 10 and k = 100, against exact search over all raw vectors:",
        queries.len()
    );
    println!("{}", recall(&searcher, &queries)?.text());
    println!(
        "This sample was chosen around the queries, so the ten nearest are easy to find. Other data are harder.\n"
    );
    println!("Segments (bytes):");
    println!("{}", segment_table(&admin::inspect(&searcher)?).text());
    println!(
        "Raw vectors take 4 bytes per component. Codes take 1 byte per component, scaled to the segment's own"
    );
    println!(
        "quantiles, and a correction of 4 bytes per vector. For each segment a search chooses the cheaper plan:"
    );
    println!("graph search, or, with as few vectors as here, a scan of all codes.");
    Ok(())
}

/// The fields of a document. By default a vector field has int8 codes and an HNSW graph.
fn schema() -> Result<Schema> {
    // Segments of fewer than 4,000 vectors get no graph by default; here they do, to show its size.
    let embedding = Vector::f32(384).similarity(Similarity::Cosine).advanced("graph_threshold", 0);
    let schema = Schema::builder()
        .key("name")
        .text("short")
        .text("description")
        .keyword("section")
        .i64("size")
        .vector("embedding", embedding)
        .dynamic(true); // Other fields of the documents are stored as they are.
    Ok(schema.build()?)
}

/// The documents: one JSON object per line, with a row of the matrix each.
fn documents(data: &Path) -> Result<impl Iterator<Item = Document>> {
    let vectors = npy::read_rows(&data.join("packages.f16.npy"))?;
    let lines = json_lines(data.join("packages.jsonl"))?;
    let documents = lines.into_iter().map(Document::from_value).collect::<lucerne::Result<Vec<_>>>()?;
    let pairs = documents.into_iter().zip(vectors);
    Ok(pairs.map(|(document, vector)| document.with("embedding", vector)))
}

/// The queries, each with its text and vector.
fn queries(data: &Path) -> Result<Vec<(String, Vec<f32>)>> {
    let vectors = npy::read_rows(&data.join("queries.f16.npy"))?;
    let lines = json_lines(data.join("queries.jsonl"))?;
    let text = |line: &Value| line.get("text").and_then(Value::as_str).unwrap_or_default().to_owned();
    Ok(lines.iter().map(text).zip(vectors).collect())
}

fn json_lines(path: PathBuf) -> Result<Vec<Value>> {
    let text = fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))?;
    Ok(text.lines().map(serde_json::from_str).collect::<Result<_, _>>()?)
}

/// The nearest documents, by name.
fn hits(searcher: &Searcher, query: &[f32]) -> Result<table::Table> {
    let found = searcher.search(Knn::new("embedding", query).k(4).fields(["short"]))?;
    let mut table = table::Table::new(["rank", "score", "name", "short"]);
    for (rank, hit) in (1..).zip(&found.hits) {
        let fields = hit.fields.as_ref();
        let short = fields.and_then(|fields| fields.get("short")?.as_str()).unwrap_or_default();
        table.row([format!("{rank}"), format!("{:.3}", hit.score), hit.key.clone(), short.to_owned()]);
    }
    Ok(table)
}

/// Recall of three combinations of search parameters.
fn recall(searcher: &Searcher, queries: &[(String, Vec<f32>)]) -> Result<table::Table> {
    type Effort = (&'static str, fn(Knn) -> Knn);
    let efforts: [Effort; 3] = [
        ("the defaults (candidates 100)", |knn| knn),
        ("rescore 2", |knn| knn.rescore(2.0)),
        ("candidates 10", |knn| knn.candidates(10)),
    ];
    let mut table = table::Table::new(["parameters", "recall@10", "recall@100", "distances", "µs per query"]);
    for (name, effort) in efforts {
        let mut right = [0; 2];
        let mut visited = 0;
        let mut time = Duration::ZERO;
        for (_, query) in queries {
            for (right, k) in right.iter_mut().zip([10, 100]) {
                let knn = Knn::new("embedding", &**query).k(k);
                let truth = searcher.search(knn.clone().exact())?;
                let started = Instant::now();
                let found = searcher.search(effort(knn))?;
                if k == 10 {
                    time += started.elapsed();
                    visited += found.segments.iter().map(|segment| segment.visited).sum::<u64>();
                }
                let truth = truth.keys();
                *right += found.keys().iter().filter(|key| truth.contains(key)).count();
            }
        }
        let count = queries.len().max(1) as u64;
        let [ten, hundred] = [(right[0], 10), (right[1], 100)]
            .map(|(right, k)| format!("{:.4}", right as f64 / (k * count) as f64));
        let (visited, micros) = (visited / count, time.as_micros() as u64 / count);
        table.row([name.to_owned(), ten, hundred, visited.to_string(), micros.to_string()]);
    }
    Ok(table)
}

/// The size of each segment's vectors, codes and graph, from `inspect`.
fn segment_table(report: &Report) -> table::Table {
    let heading = ["segment", "docs", "format", "lower", "upper", "raw", "codes", "graph", "all files"];
    let mut table = table::Table::new(heading);
    for segment in report["segments"].as_array().into_iter().flatten() {
        let (field, number) =
            (&segment["fields"]["embedding"], |report: &Report| report.as_u64().unwrap_or(0));
        let (bytes, text) = (&field["bytes"], |report: &Report| report.as_str().unwrap_or("?").to_owned());
        let quantile = |at: usize| format!("{:.4}", field["quantiles"][at].as_f64().unwrap_or(f64::NAN));
        table.row([
            text(&segment["name"]),
            table::thousands(number(&segment["docs"])),
            text(&field["format"]),
            quantile(0),
            quantile(1),
            table::thousands(number(&bytes["raw"])),
            table::thousands(number(&bytes["codes"]) + number(&bytes["corrections"])),
            table::thousands(number(&bytes["graph"])),
            table::thousands(number(&segment["bytes"])),
        ]);
    }
    table
}
