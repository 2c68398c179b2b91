//! What it costs to count all matches by section beside the ten best: against the plain search, and against tantivy.

use crate::documents::{self, Doc};
use crate::{Engine, Failure, Mode, argument, npy, ours, theirs};
use std::path::Path;
use std::time::{Duration, Instant};

/// Neighbors that are counted.
const NEIGHBORS: [usize; 2] = [10, 100];

pub fn run(docs: &[Doc], count: usize, rounds: usize) -> Result<(), Failure> {
    let read = |at: usize| argument("--vectors", at).map(|path| npy::read_rows(Path::new(&path))).transpose();
    let (vectors, queries) = (read(0)?.unwrap_or_default(), read(1)?.unwrap_or_default());
    let (own, other) = (tempfile::tempdir()?, tempfile::tempdir()?);
    let (ours, _) = ours::build(own.path(), docs, true, &vectors)?;
    let (theirs, _) = theirs::build(other.path(), docs)?;
    println!(
        "{:<10} {:>12} {:>12} {:>8} {:>12} {:>9} {:>7}",
        "", "plain/s", "facets/s", "cost", "tantivy/s", "×tantivy", "agree"
    );
    for mode in [Mode::Or, Mode::And] {
        let mut all = [Duration::ZERO; 3];
        for words in 1..=4 {
            let queries = documents::queries(docs, mode, words, count);
            let mut agree = 0;
            for words in &queries {
                let own = ours::counts(&ours.search_with_facets(words, mode)?);
                let other = theirs::counts(&theirs.search_with_facets(words, mode)?)?;
                // Ties may be in another order.
                let counts =
                    |found: &[(String, u64)]| found.iter().map(|(_, count)| *count).collect::<Vec<_>>();
                agree += usize::from(counts(&own) == counts(&other));
            }
            let agree = agree as f64 / count as f64;
            let times = least(
                &queries,
                rounds,
                &[
                    &|words: &String| ours.search(words, mode).map(drop),
                    &|words: &String| ours.search_with_facets(words, mode).map(drop),
                    &|words: &String| theirs.search_with_facets(words, mode).map(drop),
                ],
            )?;
            print_row(&format!("{mode:?} {words}"), count, &times, agree);
            all.iter_mut().zip(&times).for_each(|(all, time)| *all += *time);
        }
        print_row(&format!("{mode:?} 1-4"), 4 * count, &all, f64::NAN);
    }
    let queries: Vec<Vec<f32>> = queries.into_iter().take(count).collect();
    for k in NEIGHBORS.into_iter().filter(|_| !queries.is_empty()) {
        let near = |facets: bool| {
            let ours = &ours;
            move |vector: &Vec<f32>| ours.near(vector, k, facets).map(drop)
        };
        let times = least(&queries, rounds, &[&near(false), &near(true)])?;
        print_row(&format!("kNN {k}"), queries.len(), &times, f64::NAN);
    }
    Ok(())
}

type Search<'a, Q> = &'a dyn Fn(&Q) -> Result<(), Failure>;

/// The least time of each search, in turns, added up over the queries.
fn least<Q>(queries: &[Q], rounds: usize, searches: &[Search<'_, Q>]) -> Result<Vec<Duration>, Failure> {
    let mut least = vec![vec![Duration::MAX; searches.len()]; queries.len()];
    for _ in 0..rounds {
        for (query, least) in queries.iter().zip(&mut least) {
            // The first of them must not be the one that brings the query's blocks into the cache.
            searches.first().into_iter().try_for_each(|search| search(query))?;
            searches.last().into_iter().try_for_each(|search| search(query))?;
            for (search, least) in searches.iter().zip(least) {
                let start = Instant::now();
                search(query)?;
                *least = (*least).min(start.elapsed());
            }
        }
    }
    Ok((0..searches.len()).map(|search| least.iter().map(|of| of[search]).sum()).collect())
}

fn print_row(name: &str, queries: usize, times: &[Duration], agree: f64) {
    let rate = |at: usize| queries as f64 / times[at].as_secs_f64();
    print!("{name:<10} {:>12.0} {:>12.0} {:>8.2}", rate(0), rate(1), rate(0) / rate(1));
    match times.len() {
        3 if agree.is_nan() => println!(" {:>12.0} {:>9.2}", rate(2), rate(1) / rate(2)),
        3 => println!(" {:>12.0} {:>9.2} {agree:>7.3}", rate(2), rate(1) / rate(2)),
        _ => println!(),
    }
}
