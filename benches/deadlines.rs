//! How far past their deadlines searches of every slow kind end, and what two threads make of one search over eight
//! segments.
//!
//! `cargo bench --bench deadlines [-- [--docs N] [--dim N] [FILE.npy]]`
#![allow(clippy::print_stdout, missing_docs, reason = "a bench prints")]

mod common;

use common::{Data, Result, Table, micros};
use lucerne::merge::MergePolicy;
use lucerne::search::SearchOptions;
use lucerne::{
    Bool, Document, ErrorKind, Index, Knn, Match, Phrase, Prefix, Query, Range, Rerank, Schema, Search,
    Searcher, Sort, Terms, Vector, WriterOptions,
};
use std::time::{Duration, Instant};

const SEGMENTS: usize = 8;
const QUERIES: usize = 200;
/// Runs of each kind with each deadline.
const RUNS: usize = 100;
/// Rounds over all queries on one thread and on two, in turns.
const ROUNDS: usize = 5;
const WORDS: usize = 40;
/// Words of a document.
const LENGTH: usize = 150;

fn main() -> Result<()> {
    let Some(arguments) = common::arguments(78_000)? else { return Ok(()) };
    let data = Data::new(&arguments, QUERIES)?;
    println!("deadlines: {}, {SEGMENTS} segments", data.source);
    let folder = common::fresh_folder("deadlines")?;
    let searcher = write(&folder, &data)?.searcher()?;
    for (name, mode) in [("an error", Mode::Error), ("the partial result", Mode::Partial)] {
        println!("\ndeadlines, {name} wanted\n{}", overshoot(&searcher, &data, mode)?.text());
    }
    println!("\none search on one thread and on two\n{}", on_two_threads(&searcher, &data)?.text());
    drop(searcher);
    std::fs::remove_dir_all(&folder)?;
    Ok(())
}

fn word(number: usize) -> String {
    format!("word{number:02}")
}

/// Documents of long texts of few words, so that every posting list is long.
fn write(folder: &std::path::Path, data: &Data) -> Result<Index> {
    let schema = Schema::builder().key("id").text("body").keyword("tag").i64("row");
    let schema = schema.vector("v", Vector::f32(data.dimension())).build()?;
    let index = Index::create(folder, schema)?;
    let options = WriterOptions::new().ram_budget(8 << 30).merge_policy(MergePolicy::None);
    let writer = index.writer_with(options.flush_docs(data.vectors.len().div_ceil(SEGMENTS) as u32))?;
    let mut state = 1u64;
    let mut below = move |bound: usize| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as usize % bound
    };
    for (row, vector) in data.vectors.iter().enumerate() {
        let body: Vec<String> = (0..LENGTH).map(|_| word(below(WORDS).min(below(WORDS)))).collect();
        let document = Document::new().with("id", format!("doc-{row:07}")).with("body", body.join(" "));
        let document = document.with("tag", format!("tag-{:05}", below(50_000))).with("row", row as i64);
        writer.add(&document.with("v", vector.to_vec()))?;
    }
    writer.close()?;
    Ok(index)
}

fn kinds(data: &Data, query: usize) -> Vec<(&'static str, Search)> {
    let vector = || data.queries[query % data.queries.len()].clone();
    let all_words = (0..WORDS).map(word).collect::<Vec<_>>().join(" ");
    let wide = || Range::new("row").gte(100);
    let deep = (0..30).fold(Query::from(Match::new("body", word(0))), |inner, depth| {
        let other = Match::new("body", format!("{} {}", word(depth % WORDS), word((depth + 7) % WORDS)));
        Bool::new().should(inner).should(other).must_not(Phrase::new("body", "word39 word38 word37")).into()
    });
    let phrase = |words: usize| (0..words).map(word).collect::<Vec<_>>().join(" ");
    let tags = Terms::new("tag", (0..50_000).map(|tag| format!("tag-{tag:05}")));
    vec![
        ("exact", Knn::new("v", vector()).exact().into()),
        ("exact, wide filters", Search::from(Knn::new("v", vector()).exact()).filter(wide())),
        ("graph, 50,000 candidates", Knn::new("v", vector()).candidates(50_000).into()),
        ("any of 40 words, 10,000 hits", Search::new(Match::new("body", &all_words)).limit(10_000)),
        ("phrase of 8 words", Phrase::new("body", phrase(8)).into()),
        ("sloppy phrase of 12 words", Phrase::new("body", phrase(12)).slop(60).into()),
        ("booleans 30 deep", deep.into()),
        ("50,000 terms", tags.into()),
        ("prefix of 50,000 terms", Prefix::new("tag", "tag").into()),
        ("sorted by a keyword", Search::new(Query::all()).sort(Sort::desc("tag"))),
        ("sorted, offset 60,000", Search::new(Query::all()).sort(Sort::desc("tag")).offset(60_000)),
        (
            "10,000 reranked by vector",
            Search::new(Match::new("body", word(0))).rerank(Rerank::vector("v", vector()).window(10_000)),
        ),
        (
            "10,000 reranked by a phrase",
            Search::new(Match::new("body", word(0)))
                .rerank(Rerank::query(Phrase::new("body", phrase(3)).slop(20)).window(10_000)),
        ),
        ("10,000 stored documents", Search::new(Query::all()).limit(10_000).fields(Vec::<String>::new())),
    ]
}

#[derive(Clone, Copy, PartialEq)]
enum Mode {
    Error,
    Partial,
}

fn overshoot(searcher: &Searcher, data: &Data, mode: Mode) -> Result<Table> {
    let mut table =
        Table::new(["kind", "whole ms", "deadline ms", "stopped", "hits", "p50 ms", "p99 ms", "max ms"]);
    let millis = |time: Duration| format!("{:.2}", time.as_secs_f64() * 1e3);
    for (kind, (name, search)) in kinds(data, 0).into_iter().enumerate() {
        let whole = searcher.search(search)?.took.total;
        for deadline in [1, 5, 20].map(Duration::from_millis) {
            let options = SearchOptions::new().timeout(deadline);
            let options = if mode == Mode::Partial { options.partial() } else { options };
            let (mut over, mut hits) = (Vec::new(), 0);
            for run in 0..RUNS {
                let search = kinds(data, run).swap_remove(kind).1;
                let begun = Instant::now();
                let found = searcher.search_with(search, &options);
                let elapsed = begun.elapsed();
                match found {
                    Ok(found) if found.stopped.is_none() => {}
                    Ok(found) => {
                        hits += found.hits.len();
                        over.push(elapsed.saturating_sub(deadline));
                    }
                    Err(error) if error.kind() == ErrorKind::TimedOut => {
                        over.push(elapsed.saturating_sub(deadline));
                    }
                    Err(error) => return Err(error.into()),
                }
            }
            over.sort_unstable();
            let at = |share: f64| {
                over.get((over.len().saturating_sub(1) as f64 * share) as usize)
                    .map_or_else(|| "–".to_owned(), |over| millis(*over))
            };
            table.row([
                name.to_owned(),
                millis(whole),
                deadline.as_millis().to_string(),
                over.len().to_string(),
                (hits / over.len().max(1)).to_string(),
                at(0.5),
                at(0.99),
                at(1.0),
            ]);
        }
    }
    Ok(table)
}

fn on_two_threads(searcher: &Searcher, data: &Data) -> Result<Table> {
    let mut table = Table::new(["search", "1 thread µs", "2 threads µs", "ratio"]);
    type Make = fn(&[f32]) -> Search;
    let searches: [(&str, Make); 5] = [
        ("nearest", |vector| Knn::new("v", vector).into()),
        ("nearest, recall 0.99", |vector| Knn::new("v", vector).recall(0.99).into()),
        ("nearest, exact", |vector| Knn::new("v", vector).exact().into()),
        ("nearest, a fifth accepted", |vector| {
            Search::from(Knn::new("v", vector)).filter(Prefix::new("tag", "tag-0"))
        }),
        ("four words", |vector| {
            let first = (vector[0].to_bits() as usize) % (WORDS - 4);
            let words: Vec<String> = (first..first + 4).map(word).collect();
            Match::new("body", words.join(" ")).into()
        }),
    ];
    for (name, search) in searches {
        let mut times = [Vec::new(), Vec::new()];
        for _ in 0..ROUNDS {
            for (threads, times) in (1..).zip(&mut times) {
                let options = SearchOptions::new().threads(threads);
                for vector in &data.queries {
                    let search = search(vector);
                    let begun = Instant::now();
                    searcher.search_with(search, &options)?;
                    times.push(begun.elapsed());
                }
            }
        }
        let [one, two] = times.map(|mut times| {
            times.sort_unstable();
            times[times.len() / 2]
        });
        let ratio = format!("{:.2}", two.as_secs_f64() / one.as_secs_f64());
        table.row([name.to_owned(), micros(one), micros(two), ratio]);
    }
    Ok(table)
}
