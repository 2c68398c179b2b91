//! Searches by sparse vectors, held against an exact reference: queries a second, and what the index takes.
//!
//! `cargo bench --bench sparse [-- DOCS.jsonl QUERIES.jsonl]`: a line is a sparse vector in JSON. Without files the short
//! descriptions of the sample are weighted by BM25, and the first words of some are the queries.
#![allow(clippy::print_stdout, missing_docs, reason = "a bench prints")]

mod common;

use common::{Result, Table, folder_bytes, thousands};
use lucerne::document::SparseVector;
use lucerne::merge::MergePolicy;
use lucerne::schema::Field;
use lucerne::{Document, Index, Schema, Search, Sparse, WriterOptions};
use std::collections::HashMap;
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

const BEST: usize = 10;
const ROUNDS: usize = 3;

fn main() -> Result<()> {
    let mut arguments: Vec<String> = std::env::args().skip(1).collect();
    if !arguments.iter().any(|argument| argument == "--bench") {
        return Ok(());
    }
    arguments.retain(|argument| argument != "--bench");
    let (docs, queries) = match &arguments[..] {
        [] => weighted_sample()?,
        [docs, queries] => (read(docs.as_ref())?, read(queries.as_ref())?),
        _ => return Err("expected [DOCS.jsonl QUERIES.jsonl]".into()),
    };
    let weights: usize = docs.iter().map(SparseVector::len).sum();
    println!(
        "sparse: {} vectors of {:.1} weights, {} queries of {:.1}",
        thousands(docs.len() as u64),
        weights as f64 / docs.len() as f64,
        queries.len(),
        queries.iter().map(SparseVector::len).sum::<usize>() as f64 / queries.len() as f64
    );
    let expected = reference(&docs, &queries);
    let mut table =
        Table::new(["segments", "seconds to build", "MB", "queries a second", "median µs", "exact"]);
    for segments in [1, 8] {
        let folder = tempfile::tempdir()?;
        let path = folder.path().join("sparse.idx");
        let schema = Schema::builder().key("id").field(Field::sparse_vector("s").stored(false)).build()?;
        let index = Index::create(&path, schema)?;
        let options = WriterOptions::new().threads(1).ram_budget(4 << 30).merge_policy(MergePolicy::None);
        let writer = index.writer_with(options.flush_docs(docs.len().div_ceil(segments) as u32))?;
        let begun = Instant::now();
        for (number, vector) in docs.iter().enumerate() {
            writer.add(&Document::new().with("id", format!("{number:08}")).with("s", vector))?;
        }
        writer.commit()?;
        let built = begun.elapsed();
        let searcher = index.searcher()?;
        let searches: Vec<Search> =
            queries.iter().map(|query| Search::new(Sparse::new("s", query)).limit(BEST)).collect();
        let mut exact = 0;
        for (search, expected) in searches.iter().zip(&expected) {
            let scores: Vec<f32> = searcher.search(search)?.hits.iter().map(|hit| hit.score).collect();
            let near = |(own, wanted): (&f32, &f64)| (f64::from(*own) - wanted).abs() <= 1e-6 * wanted;
            exact += usize::from(scores.len() == expected.len() && scores.iter().zip(expected).all(near));
        }
        let mut best = Duration::MAX;
        let mut times = Vec::new();
        for _ in 0..ROUNDS {
            let round = Instant::now();
            for search in &searches {
                let begun = Instant::now();
                searcher.search(search)?;
                times.push(begun.elapsed());
            }
            best = best.min(round.elapsed());
        }
        times.sort_unstable();
        table.row([
            searcher.segment_count().to_string(),
            format!("{:.1}", built.as_secs_f64()),
            format!("{:.1}", folder_bytes(&path)? as f64 / 1e6),
            format!("{:.0}", queries.len() as f64 / best.as_secs_f64()),
            format!("{:.0}", times[times.len() / 2].as_secs_f64() * 1e6),
            format!("{exact} of {}", queries.len()),
        ]);
    }
    print!("{}", table.text());
    Ok(())
}

fn read(path: &Path) -> Result<Vec<SparseVector>> {
    BufReader::new(File::open(path)?).lines().map(|line| Ok(serde_json::from_str(&line?)?)).collect()
}

/// The best scores of each query, from all documents.
fn reference(docs: &[SparseVector], queries: &[SparseVector]) -> Vec<Vec<f64>> {
    let mut lists: HashMap<u32, Vec<(usize, f32)>> = HashMap::new();
    for (doc, vector) in docs.iter().enumerate() {
        vector.iter().for_each(|(dimension, weight)| lists.entry(dimension).or_default().push((doc, weight)));
    }
    let of = |query: &SparseVector| {
        let mut scores = vec![0.0; docs.len()];
        for (dimension, weight) in query.iter() {
            for (doc, own) in lists.get(&dimension).map_or(&[][..], Vec::as_slice) {
                scores[*doc] += f64::from(weight) * f64::from(*own);
            }
        }
        scores.retain(|score| *score > 0.0);
        scores.sort_unstable_by(|left, right| right.total_cmp(left));
        scores.truncate(BEST);
        scores
    };
    queries.iter().map(of).collect()
}

/// The sample's descriptions by BM25, and queries of their first words.
fn weighted_sample() -> Result<(Vec<SparseVector>, Vec<SparseVector>)> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("examples/data/packages.jsonl");
    let (mut numbers, mut docs) = (HashMap::<String, u32>::new(), Vec::new());
    for line in BufReader::new(File::open(path)?).lines() {
        let line: serde_json::Value = serde_json::from_str(&line?)?;
        let words = line["short"].as_str().unwrap_or_default().split_whitespace();
        let mut own = Vec::new();
        for word in words.map(str::to_lowercase) {
            let next = numbers.len() as u32;
            own.push(*numbers.entry(word).or_insert(next));
        }
        docs.push(own);
    }
    let count = |own: &[u32]| {
        let mut counts = HashMap::<u32, f64>::new();
        own.iter().for_each(|word| *counts.entry(*word).or_default() += 1.0);
        counts
    };
    let mut having = vec![0.0; numbers.len()];
    docs.iter().for_each(|own| count(own).keys().for_each(|word| having[*word as usize] += 1.0));
    let (all, average) =
        (docs.len() as f64, docs.iter().map(Vec::len).sum::<usize>() as f64 / docs.len() as f64);
    let vectors = docs.iter().map(|own| {
        let weight = |(word, freq): (u32, f64)| {
            let idf = (1.0 + (all - having[word as usize] + 0.5) / (having[word as usize] + 0.5)).ln();
            let norm = 1.2 * (1.0 - 0.75 + 0.75 * own.len() as f64 / average);
            (word, (idf * freq * 2.2 / (freq + norm)) as f32)
        };
        SparseVector::new(count(own).into_iter().map(weight))
    });
    let queries = docs.iter().step_by(docs.len().div_ceil(200)).filter(|own| !own.is_empty()).map(|own| {
        SparseVector::new(count(&own[..own.len().min(4)]).into_iter().map(|(word, freq)| (word, freq as f32)))
    });
    let queries = queries.collect();
    Ok((vectors.collect(), queries))
}
