//! Coming from Weaviate: binary quantization (binary passage retrieval). Hamming distances between sign bits find 1,000
//! candidates, the raw vectors rescore them, 50 are returned.
//!
//! `cargo run --release --example coming_from_weaviate`, from any folder, without arguments. The passages are
//! descriptions of packages with real embeddings, the queries are questions about them.
#![allow(clippy::print_stdout, missing_docs, reason = "an example talks to a person")]

#[allow(dead_code, reason = "tables are for other examples")]
mod common;

use self::common::npy;
use lucerne::codec::Report;
use lucerne::schema::{SignHash, VectorIndex};
use lucerne::{Document, Hits, Index, Knn, Schema, Searcher, Similarity, Vector, WriterOptions, admin};
use std::collections::HashSet;
use std::error::Error;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

type Result<T, E = Box<dyn Error>> = std::result::Result<T, E>;

const TOP: usize = 50;
const CANDIDATES: usize = 1_000;

fn main() -> Result<()> {
    print!("{}", report(tempfile::tempdir()?.path())?);
    Ok(())
}

/// Recall of sign hashes and of int8 codes, in indexes that are created in this folder.
pub(crate) fn report(folder: &Path) -> Result<String> {
    let mut report = String::new();
    let queries = npy::read_rows(&data().join("queries.f16.npy"))?;
    let base = || Vector::f32(384).similarity(Similarity::Cosine);
    // The fields differ in one option; the rest is the same for each of them.
    let fields = [
        ("int8", base()),
        ("hash_flat", base().flat().sign_hash_by(SignHash::Plain)),
        ("hash_hnsw", base().index(VectorIndex::Hnsw).sign_hash_by(SignHash::Plain)),
    ];
    writeln!(report, "Top {TOP} of {CANDIDATES} candidates, against exact search:")?;
    for (name, vector) in fields {
        let searcher = index(&folder.join(name), vector)?;
        let (mut found, mut exact_distances) = (0, true);
        for query in &queries {
            let knn = Knn::new("embedding", query.clone()).k(TOP).candidates(CANDIDATES);
            let truth = keys(&searcher.search(knn.clone().exact())?);
            let hits = searcher.search(knn)?;
            exact_distances &= hits.exact;
            found += keys(&hits).intersection(&truth).count();
        }
        let recall = found as f64 / (TOP * queries.len()) as f64;
        let kind = if exact_distances { "exact" } else { "estimated" };
        writeln!(report, "  {name:<10} recall@{TOP} {recall:.2}, distances {kind}")?;
        let inspected = admin::inspect(&searcher)?;
        let field = inspected.pointer("/segments/0/fields/embedding").unwrap_or(&Report::Null);
        for part in ["raw", "codes", "hashes"] {
            if let Some(bytes) = field.pointer(&format!("/bytes/{part}")) {
                writeln!(report, "    {part:<7} {bytes:>9} bytes")?;
            }
        }
    }
    report.push('\n');
    report.push_str(&equal_hashes(&folder.join("pair"))?);
    Ok(report)
}

/// Two vectors with equal signs.
fn equal_hashes(folder: &Path) -> Result<String> {
    let (x, y) = ([0.13, 0.97], [0.87, 0.02]);
    let vector = Vector::f32(2).sign_hash_by(SignHash::Plain);
    let index = Index::create(folder, Schema::builder().key("id").vector("v", vector).build()?)?;
    let writer = index.writer()?;
    writer.add(&Document::new().with("id", "x").with("v", x))?;
    writer.add(&Document::new().with("id", "y").with("v", y))?;
    writer.commit()?;
    let mut report = format!("{x:?} and {y:?} have the same signs; rescoring tells them apart:\n");
    for hit in index.searcher()?.search(Knn::new("v", x))?.hits {
        let distance = 2.0 * (1.0 - hit.score);
        writeln!(report, "  {}  cosine distance {distance:.5}", hit.key)?;
    }
    Ok(report)
}

fn keys(hits: &Hits) -> HashSet<String> {
    hits.hits.iter().map(|hit| hit.key.clone()).collect()
}

fn data() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("examples").join("data")
}

/// The packages with their embeddings.
fn index(folder: &Path, vector: Vector) -> Result<Searcher> {
    let schema = Schema::builder().key("name").vector("embedding", vector).dynamic(true).build()?;
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
