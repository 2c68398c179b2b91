//! Searches of an index of binary vectors, one by one and all in one call; asserts that the hits are the same.
//!
//! `cargo bench --bench binary -- INDEX FIELD QUERIES.npy [NPROBE…]`: packed bits, k = 10, one thread. The number printed
//! last is made of the keys and distances of all hits: two versions that find the same print the same.
#![allow(clippy::print_stdout, missing_docs, reason = "a bench prints")]

use lucerne::search::SearchOptions;
use lucerne::{Hits, Index, Knn, Searcher};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::time::Instant;
use std::{env, error, fs};

type Result<T, E = Box<dyn error::Error>> = std::result::Result<T, E>;

const ROUNDS: usize = 5;

fn main() -> Result<()> {
    let given: Vec<String> = env::args().skip(1).filter(|argument| argument != "--bench").collect();
    let [index, field, queries, probes @ ..] = &given[..] else { return Ok(()) };
    let searcher = Index::open(index)?.searcher()?;
    let bytes = searcher.schema().vector_field_named(field)?.options().dimension() / 8;
    let file = fs::read(queries)?;
    let header = 10 + usize::from(u16::from_le_bytes([file[8], file[9]]));
    let queries: Vec<Knn> =
        file[header..].chunks_exact(bytes).map(|row| Knn::new(field, row.to_vec()).k(10)).collect();
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
