//! Does an index that is written to for long decay? Fifty rounds of upserts, deletes, a refresh and background merges.
//!
//! `cargo bench --bench rounds [-- [--docs N] [--dim N] [FILE.npy]]`
//!
//! "Asked 0.95" is the recall that a search reaches by its default, which asks for 0.95; the last lines say
//! the least of it that was measured after any round, also among documents of a filter (a range of row numbers, another
//! for each query).
//!
//! "Merged / ingested" is the bytes written by merges for each byte of vectors, titles and keys given to the writer, in
//! the rounds alone.
//!
//! Each round deletes 2 % of the documents and upserts 5 %: 3 % in the place of living ones and 2 % under new keys, so
//! that the index keeps its size. New vectors are drawn as the first ones were; of a file, the rows after the first
//! `--docs`, and those again from the start when they are used up.
#![allow(clippy::print_stdout, missing_docs, reason = "a bench prints")]

mod common;

use common::{Data, Result, Table, document, thousands};
use lucerne::codec::Report;
use lucerne::codec::envelope::HEADER_LEN;
use lucerne::merge::MergeEvent;
use lucerne::{Cancel, Index, Knn, Range, Searcher, Vector, Writer, WriterOptions, admin};
use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

const QUERIES: usize = 200;
const ROUNDS: usize = 50;
const PRINTED: usize = 5;
const CANDIDATES: usize = 50;
/// Per cent of the documents that a filter keeps; the first keeps all.
const KEPT: [f64; 5] = [100.0, 50.0, 10.0, 1.0, 0.1];

fn main() -> Result<()> {
    let Some(mut arguments) = common::arguments(50_000)? else { return Ok(()) };
    let docs = arguments.docs;
    arguments.docs += docs / 20 * ROUNDS;
    let data = Data::new(&arguments, QUERIES)?;
    let docs = docs.min(data.vectors.len());
    let of = format!("{} of {}", thousands(docs as u64), data.source);
    println!("rounds: {of}, {QUERIES} queries, k = 10, {CANDIDATES} candidates per segment\n");

    let folder = common::fresh_folder("rounds")?;
    let merged = Arc::new(AtomicU64::new(0));
    let written = Arc::clone(&merged);
    let listener = move |event: &MergeEvent| {
        if let MergeEvent::Finished { record, .. } = event {
            let bytes = record.get("bytes_written").and_then(|bytes| bytes.as_u64());
            written.fetch_add(bytes.unwrap_or_default(), Ordering::Relaxed);
        }
    };
    let index = Index::create(&folder, common::schema(Vector::f32(data.dimension()))?)?;
    let options = WriterOptions::new().flush_docs(docs.div_ceil(8) as u32).on_merge(listener);
    let mut rounds = Rounds::new(&data, index.writer_with(options)?, docs)?;
    rounds.writer.commit()?;
    rounds.writer.wait_for_merges();
    merged.store(0, Ordering::Relaxed);
    rounds.ingested = 0;

    let mut table = Table::new([
        "round",
        "recall@10",
        "with rescore 2",
        "distances",
        "asked 0.95",
        "distances",
        "unreachable",
        "mean degree",
        "segments",
        "deleted",
        "merged / ingested",
        "seconds",
    ]);
    let started = Instant::now();
    let mut least = [(f64::INFINITY, 0); KEPT.len()];
    for round in 0..=ROUNDS {
        if round > 0 {
            rounds.round(docs)?;
        }
        rounds.least_recall(&index.searcher()?, round, &mut least)?;
        if round % PRINTED == 0 {
            let amplification = merged.load(Ordering::Relaxed) as f64 / rounds.ingested.max(1) as f64;
            rounds.print(&mut table, &round.to_string(), &index, &folder, amplification, started)?;
        }
    }
    rounds.writer.force_merge(1, &Cancel::new())?;
    let amplification = merged.load(Ordering::Relaxed) as f64 / rounds.ingested as f64;
    rounds.print(&mut table, "+ force-merge", &index, &folder, amplification, started)?;
    println!("{}", table.text());
    for (kept, (recall, round)) in KEPT.iter().zip(least) {
        println!("asked 0.95, {kept} % kept: least recall {recall:.4}, in round {round}");
    }
    drop((rounds, index));
    fs::remove_dir_all(&folder)?;
    Ok(())
}

struct Rounds<'a> {
    data: &'a Data,
    writer: Writer,
    /// Numbers of the living documents.
    living: Vec<usize>,
    /// Vectors taken so far, and the number of the next new document.
    taken: usize,
    next: usize,
    ingested: u64,
    state: u64,
}

impl<'a> Rounds<'a> {
    fn new(data: &'a Data, writer: Writer, docs: usize) -> Result<Self> {
        let living = Vec::with_capacity(docs);
        let mut this = Self { data, writer, living, taken: 0, next: 0, ingested: 0, state: 1 };
        (0..docs).try_for_each(|_| this.add())?;
        Ok(this)
    }

    fn round(&mut self, docs: usize) -> Result<()> {
        for _ in 0..docs / 50 {
            let place = self.any();
            let number = self.living.swap_remove(place);
            self.writer.delete(&format!("doc-{number:07}"))?;
        }
        for _ in 0..docs * 3 / 100 {
            let place = self.any();
            self.upsert(self.living[place])?;
        }
        (0..docs / 50).try_for_each(|_| self.add())?;
        self.wait_for_merges()
    }

    /// Everything visible, merges included.
    fn wait_for_merges(&self) -> Result<()> {
        self.writer.refresh()?;
        self.writer.wait_for_merges();
        Ok(self.writer.refresh()?)
    }

    fn add(&mut self) -> Result<()> {
        self.upsert(self.next)?;
        self.living.push(self.next);
        self.next += 1;
        Ok(())
    }

    fn upsert(&mut self, number: usize) -> Result<()> {
        let vector = &self.data.vectors[self.taken % self.data.vectors.len()];
        self.taken += 1;
        let document = document(number, vector);
        self.ingested += 4 * vector.len() as u64 + 100; // Title, key and row are about 100 bytes.
        self.writer.upsert(&document)?;
        Ok(())
    }

    /// Any place in `living`.
    fn any(&mut self) -> usize {
        self.state =
            self.state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.state >> 33) as usize % self.living.len()
    }

    fn print(
        &self,
        table: &mut Table,
        round: &str,
        index: &Index,
        folder: &Path,
        amplification: f64,
        started: Instant,
    ) -> Result<()> {
        self.writer.commit()?;
        self.writer.wait_for_merges();
        self.wait_for_merges()?;
        let searcher = index.searcher()?;
        let (plain, distances) = self.recall(&searcher, |knn| knn)?;
        let (rescored, _) = self.recall(&searcher, |knn| knn.rescore(2.0))?;
        let (asked, asked_distances) = self.asked(&searcher, 100.0)?;
        let report = admin::inspect(&searcher)?;
        let deleted = report["deleted"].as_u64().unwrap_or_default();
        table.row([
            round.to_owned(),
            format!("{plain:.4}"),
            format!("{rescored:.4}"),
            thousands(distances),
            format!("{asked:.4}"),
            thousands(asked_distances),
            unreachable(folder)?.to_string(),
            format!("{:.2}", mean_degree(folder, &report)?),
            searcher.segment_count().to_string(),
            format!("{:.1} %", 100.0 * deleted as f64 / (self.living.len() as u64 + deleted) as f64),
            format!("{amplification:.2}"),
            common::seconds(started.elapsed()),
        ]);
        Ok(())
    }

    fn least_recall(
        &self,
        searcher: &Searcher,
        round: usize,
        least: &mut [(f64, usize); KEPT.len()],
    ) -> Result<()> {
        for (&kept, least) in KEPT.iter().zip(least) {
            let (recall, _) = self.asked(searcher, kept)?;
            if recall < least.0 {
                *least = (recall, round);
            }
        }
        Ok(())
    }

    /// The recall of default searches, and distances per query. `kept` is the share, in per cent, of the documents that the filter of a search keeps.
    fn asked(&self, searcher: &Searcher, kept: f64) -> Result<(f64, u64)> {
        let width = (self.next as f64 * kept / 100.0) as i64;
        let (mut right, mut wanted, mut visited) = (0, 0, 0);
        for (number, query) in self.data.queries.iter().enumerate() {
            let first = (number as i64 * 7_919) % (self.next as i64 - width + 1);
            let filtered = |knn: Knn| match kept < 100.0 {
                true => knn.filter(Range::new("row").gte(first).lt(first + width)),
                false => knn,
            };
            let truth = searcher.search(filtered(Knn::new("v", &**query).exact()))?;
            let found = searcher.search(filtered(Knn::new("v", &**query)))?;
            visited += found.segments.iter().map(|segment| segment.visited).sum::<u64>();
            right += found.keys().iter().filter(|key| truth.keys().contains(key)).count();
            wanted += truth.hits.len();
        }
        Ok((right as f64 / wanted.max(1) as f64, visited / self.data.queries.len() as u64))
    }

    fn recall(&self, searcher: &Searcher, effort: fn(Knn) -> Knn) -> Result<(f64, u64)> {
        let (mut right, mut wanted, mut visited) = (0, 0, 0);
        for query in &self.data.queries {
            let truth = searcher.search(Knn::new("v", &**query).exact())?;
            let found = searcher.search(effort(Knn::new("v", &**query).candidates(CANDIDATES)))?;
            visited += found.segments.iter().map(|segment| segment.visited).sum::<u64>();
            right += found.keys().iter().filter(|key| truth.keys().contains(key)).count();
            wanted += truth.hits.len();
        }
        Ok((right as f64 / wanted as f64, visited / self.data.queries.len() as u64))
    }
}

/// Vectors that cannot be reached in the graphs of the newest commit; anything else amiss is an error.
fn unreachable(folder: &Path) -> Result<u64> {
    let report = admin::check(folder, &Cancel::new(), &())?;
    let mut lost = 0;
    for problem in &report.problems {
        let count =
            problem.problem.split_once(" nodes cannot be reached").map(|(count, _)| count.parse::<u64>());
        lost += count.ok_or_else(|| format!("{}: {}", problem.file, problem.problem))??;
    }
    Ok(lost)
}

/// Links per vector on the lowest level of all graphs, counted in their files: after the header, 2 m words a vector.
/// 0 without a graph.
fn mean_degree(folder: &Path, report: &Report) -> Result<f64> {
    let (mut links, mut vectors) = (0, 0);
    let segments = report["segments"].as_array().into_iter().flatten();
    for segment in segments {
        let field = &segment["fields"]["v"];
        let Some(m) = field["graph"]["m"].as_u64() else { continue };
        let count = field["vectors"].as_u64().unwrap_or_default();
        let names =
            segment["files"].as_array().into_iter().flatten().filter_map(|file| file["name"].as_str());
        for name in names.filter(|name| name.ends_with(".hnsw")) {
            let bytes = fs::read(folder.join(name))?;
            let words = bytes[HEADER_LEN as usize..].chunks_exact(4).take((2 * m * count) as usize);
            links += words.filter(|&word| word != [0xFF; 4]).count();
            vectors += count;
        }
    }
    Ok(links as f64 / vectors.max(1) as f64)
}
