//! The sample in `examples/data`, indexed: 2,400 packages with their embeddings, and 100 queries.

use super::npy;
use lucerne::{Document, Index, Schema, Searcher, WriterOptions};
use serde_json::Value;
use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};

type Result<T, E = Box<dyn Error>> = std::result::Result<T, E>;

fn data() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("examples").join("data")
}

/// A searcher of an index of the sample that is created in this folder.
pub(crate) fn index(folder: &Path) -> Result<Searcher> {
    let schema = Schema::from_json(&fs::read_to_string(data().join("schema.json"))?)?;
    let index = Index::create(folder, schema)?;
    let writer = index.writer_with(WriterOptions::new().threads(1))?;
    let vectors = npy::read_rows(&data().join("packages.f16.npy"))?;
    let text = fs::read_to_string(data().join("packages.jsonl"))?;
    for (line, vector) in text.lines().zip(vectors) {
        writer.add(&Document::from_json(line)?.with("embedding", vector))?;
    }
    writer.commit()?;
    Ok(index.searcher()?)
}

/// The text and the vector of a query, by its row.
pub(crate) fn query(row: usize) -> Result<(String, Vec<f32>)> {
    let text = fs::read_to_string(data().join("queries.jsonl"))?;
    let line: Value = serde_json::from_str(text.lines().nth(row).ok_or("queries.jsonl is too short")?)?;
    let words = line.get("text").and_then(Value::as_str).ok_or("a query has a text")?.to_owned();
    let vector = npy::read_rows(&data().join("queries.f16.npy"))?.into_iter().nth(row);
    Ok((words, vector.ok_or("queries.f16.npy is too short")?))
}
