//! Searches of an index, one by one and all in one call; asserts that the hits are the same.
//!
//! `cargo bench --bench together -- INDEX FIELD QUERIES.npy [FILTER] [NPROBE…]`: float32 or packed bits, k = 10, one thread; a
//! filter is a query as JSON. The number printed last is made of the keys and distances of all hits: two versions that find
//! the same print the same.
#![allow(clippy::print_stdout, missing_docs, reason = "a bench prints")]

use lucerne::search::SearchOptions;
use lucerne::{Hits, Index, Knn, Query, Searcher};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::time::Instant;
use std::{env, error, fs};

type Result<T, E = Box<dyn error::Error>> = std::result::Result<T, E>;

const ROUNDS: usize = 5;

fn main() -> Result<()> {
    let given: Vec<String> = env::args().skip(1).filter(|argument| argument != "--bench").collect();
    let [index, field, queries, rest @ ..] = &given[..] else { return Ok(()) };
    let (filter, probes) = match rest {
        [filter, probes @ ..] if filter.starts_with('{') => (Some(Query::from_json(filter)?), probes),
        probes => (None, probes),
    };
    let searcher = Index::open(index)?.searcher()?;
    let options = searcher.schema().vector_field_named(field)?.options().clone();
    let file = fs::read(queries)?;
    let rows = &file[10 + usize::from(u16::from_le_bytes([file[8], file[9]]))..];
    let dimension = options.dimension();
    let queries: Vec<Knn> = if options.is_binary() {
        rows.chunks_exact(dimension / 8).map(|row| Knn::new(field, row.to_vec())).collect()
    } else {
        let number = |bytes: &[u8; 4]| f32::from_le_bytes(*bytes);
        let rows = rows.as_chunks().0.chunks_exact(dimension);
        rows.map(|row| Knn::new(field, row.iter().map(number).collect::<Vec<f32>>())).collect()
    };
    let filtered = |query: Knn| match &filter {
        Some(filter) => query.k(10).filter(filter.clone()),
        None => query.k(10),
    };
    let queries: Vec<Knn> = queries.into_iter().map(filtered).collect();
    let kinds: Vec<Option<usize>> = match probes {
        [] => vec![None],
        probes => probes.iter().map(|probes| probes.parse().map(Some)).collect::<Result<_, _>>()?,
    };
    for probes in kinds {
        let of = |query: &Knn| probes.map_or_else(|| query.clone(), |probes| query.clone().nprobe(probes));
        let queries: Vec<Knn> = queries.iter().map(of).collect();
        let (one, found) = best(&queries, |queries| {
            queries.iter().map(|query| searcher.search(query).map_err(Into::into)).collect()
        })?;
        let (many, together) = best(&queries, |queries| many(&searcher, queries))?;
        for (left, right) in found.iter().zip(&together) {
            assert_eq!(left.hits, right.hits);
        }
        println!(
            "nprobe {probes:?}: one by one {one:.0} a second, in one call {many:.0}, {:016x}",
            sum(&found)
        );
    }
    Ok(())
}

fn many(searcher: &Searcher, queries: &[Knn]) -> Result<Vec<Hits>> {
    let found = searcher.search_many(queries, &SearchOptions::new());
    found.into_iter().map(|hits| hits.map_err(Into::into)).collect()
}

/// Queries a second in the best round, and what is found.
fn best(queries: &[Knn], search: impl Fn(&[Knn]) -> Result<Vec<Hits>>) -> Result<(f64, Vec<Hits>)> {
    let (mut best, mut found) = (0.0_f64, Vec::new());
    for _ in 0..ROUNDS {
        drop(found);
        let begun = Instant::now();
        found = search(queries)?;
        best = best.max(queries.len() as f64 / begun.elapsed().as_secs_f64());
    }
    Ok((best, found))
}

fn sum(found: &[Hits]) -> u64 {
    let mut hasher = DefaultHasher::new();
    for hit in found.iter().flat_map(|hits| &hits.hits) {
        (&hit.key, hit.distance.map(f32::to_bits)).hash(&mut hasher);
    }
    hasher.finish()
}
