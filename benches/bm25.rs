//! BM25 held against a plain reference on a whole file of documents: the ten best of 200 queries of one to four
//! words, any of them and all of them, in order and score.
//!
//! `cargo bench --bench bm25 [-- [DOCS.jsonl[.zst]] [FIELD]]`
#![allow(clippy::print_stdout, missing_docs, reason = "a bench prints")]

use lucerne::analysis::{Analyzer, Analyzers, TextAnalysis};
use lucerne::merge::MergePolicy;
use lucerne::{Document, Index, Match, Schema, Search, Searcher, WriterOptions};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::io::{BufRead, BufReader, Read};
use std::path::PathBuf;

type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

const QUERIES: usize = 200;
const BEST: usize = 10;
const SEGMENTS: usize = 7;

fn main() -> Result<()> {
    let arguments: Vec<String> =
        std::env::args().skip(1).filter(|argument| !argument.starts_with("--")).collect();
    let sample = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("examples/data/packages.jsonl");
    let path = arguments.first().map_or(sample, PathBuf::from);
    let field = arguments.get(1).map_or("short", String::as_str);
    let texts = read(&path, field)?;
    let folder = tempfile::tempdir()?;
    let searcher = index(folder.path().join("bm25.idx"), &texts)?;
    let analyzer = Analyzers::new().resolve(&TextAnalysis::new())?;
    let reference = Reference::new(&*analyzer, &texts);
    let (mut compared, mut worst) = (0, 0f64);
    for query in queries(&*analyzer, &texts) {
        for all in [false, true] {
            let asked = if all { Match::all("text", &*query) } else { Match::new("text", &*query) };
            let hits = searcher.search(Search::new(asked).limit(BEST))?;
            let expected = reference.best(&query, all);
            assert_eq!(hits.hits.len(), expected.len().min(BEST), "{query:?}");
            for (place, hit) in hits.hits.iter().enumerate() {
                let (score, key) = &expected[place];
                let off = (f64::from(hit.score) / score - 1.0).abs();
                // Scores that differ less than single precision tells may trade places.
                let same = hit.key == *key
                    || expected
                        .iter()
                        .any(|(other, name)| *name == hit.key && (other / score - 1.0).abs() < 1e-6);
                assert!(
                    same && off < 1e-5,
                    "{query:?}, place {}: {hit:?}, expected {score} {key}",
                    place + 1
                );
                (compared, worst) = (compared + 1, worst.max(off));
            }
        }
    }
    println!(
        "bm25: {} documents in {} segments, {QUERIES} queries, OR and AND: {compared} hits in the reference's order; \
         scores off by {worst:.1e} at most",
        texts.len(),
        searcher.segment_count()
    );
    Ok(())
}

fn read(path: &std::path::Path, field: &str) -> Result<Vec<String>> {
    let file = std::fs::File::open(path)?;
    let reader: Box<dyn Read> = match path.extension().is_some_and(|extension| extension == "zst") {
        true => Box::new(zstd::Decoder::new(file)?),
        false => Box::new(file),
    };
    let text = |line: std::io::Result<String>| -> Result<String> {
        let line: serde_json::Value = serde_json::from_str(&line?)?;
        Ok(line[field].as_str().unwrap_or_default().to_owned())
    };
    BufReader::new(reader).lines().map(text).collect()
}

fn key(doc: usize) -> String {
    format!("{doc:07}")
}

fn index(path: PathBuf, texts: &[String]) -> Result<Searcher> {
    let index = Index::create(path, Schema::builder().key("id").text("text").build()?)?;
    let options = WriterOptions::new().threads(1).merge_policy(MergePolicy::None);
    let writer = index.writer_with(options.flush_docs(texts.len().div_ceil(SEGMENTS) as u32))?;
    for (doc, text) in texts.iter().enumerate() {
        writer.add(&Document::new().with("id", key(doc)).with("text", &**text))?;
    }
    writer.commit()?;
    Ok(index.searcher()?)
}

/// Every word's documents with its frequency in each; scores in double precision, nothing skipped.
struct Reference {
    postings: HashMap<String, BTreeMap<usize, f64>>,
    lengths: Vec<f64>,
}

fn words(analyzer: &dyn Analyzer, text: &str) -> Vec<String> {
    let mut words = Vec::new();
    analyzer.analyze(text, &mut |word, _| words.push(word.to_owned()));
    words
}

impl Reference {
    fn new(analyzer: &dyn Analyzer, texts: &[String]) -> Self {
        let (mut postings, mut lengths) = (HashMap::<String, BTreeMap<usize, f64>>::new(), Vec::new());
        for (doc, text) in texts.iter().enumerate() {
            let words = words(analyzer, text);
            lengths.push(words.len() as f64);
            for word in words {
                *postings.entry(word).or_default().entry(doc).or_default() += 1.0;
            }
        }
        Self { postings, lengths }
    }

    /// All documents that match, best first.
    fn best(&self, query: &str, all: bool) -> Vec<(f64, String)> {
        let with = self.lengths.iter().filter(|length| **length > 0.0).count() as f64;
        let average = self.lengths.iter().sum::<f64>() / with;
        let words: BTreeSet<&str> = query.split(' ').collect();
        let mut scores: BTreeMap<usize, (usize, f64)> = BTreeMap::new();
        for documents in words.iter().filter_map(|word| self.postings.get(*word)) {
            let having = documents.len() as f64;
            let idf = (1.0 + (with - having + 0.5) / (having + 0.5)).ln();
            for (doc, freq) in documents {
                let norm = 1.2 * (1.0 - 0.75 + 0.75 * self.lengths[*doc] / average);
                let (matched, score) = scores.entry(*doc).or_default();
                *matched += 1;
                *score += idf * freq / (freq + norm);
            }
        }
        let matching = scores.into_iter().filter(|(_, (matched, _))| !all || *matched == words.len());
        let mut best: Vec<(f64, String)> = matching.map(|(doc, (_, score))| (score, key(doc))).collect();
        best.sort_by(|left, right| right.0.total_cmp(&left.0).then_with(|| left.1.cmp(&right.1)));
        best
    }
}

/// One to four different words of a random document each.
fn queries(analyzer: &dyn Analyzer, texts: &[String]) -> Vec<String> {
    let mut state = 42u64;
    let mut random = |below: usize| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as usize % below
    };
    let mut queries = Vec::with_capacity(QUERIES);
    while queries.len() < QUERIES {
        let words = words(analyzer, &texts[random(texts.len())]);
        let wanted = 1 + queries.len() % 4;
        if words.len() >= wanted {
            let chosen: BTreeSet<&str> = (0..wanted).map(|_| &*words[random(words.len())]).collect();
            queries.push(chosen.into_iter().collect::<Vec<_>>().join(" "));
        }
    }
    queries
}
