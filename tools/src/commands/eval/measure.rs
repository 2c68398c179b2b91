//! Running queries from several threads, and taking their time.

use crate::args::Eval;
use crate::failure::{Code, Failure, In as _, Outcome};
use lucerne::{Knn, Searcher};
use std::hint::black_box;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

/// Each setting is measured for so long at least.
const LEAST: Duration = Duration::from_secs(1);

/// Applies a function to every query, in `threads` threads; results are in the order of the queries.
pub(super) fn each<T: Send>(
    threads: usize,
    queries: &[Knn],
    run: impl Fn(&Knn) -> Outcome<T> + Sync,
) -> Outcome<Vec<T>> {
    let next = AtomicUsize::new(0);
    let work = || {
        let mut results = Vec::new();
        while let Some((position, query)) = {
            let position = next.fetch_add(1, Ordering::Relaxed);
            queries.get(position).map(|query| (position, query))
        } {
            let result = run(query);
            let failed = result.is_err();
            results.push((position, result));
            if failed {
                next.store(queries.len(), Ordering::Relaxed);
            }
        }
        results
    };
    let mut results = in_threads(threads, work)?;
    results.sort_by_key(|(position, _)| *position);
    results.into_iter().map(|(_, result)| result).collect()
}

/// Runs the same work in every thread and collects what they return; one thread is the calling one.
fn in_threads<T: Send>(threads: usize, work: impl Fn() -> Vec<T> + Sync) -> Outcome<Vec<T>> {
    std::thread::scope(|scope| {
        // Where the system gives no more threads, those there are do all of it.
        let more = (1..threads).map_while(|_| std::thread::Builder::new().spawn_scoped(scope, &work).ok());
        let handles: Vec<_> = more.collect();
        let mut all = work();
        for handle in handles {
            all.extend(handle.join().map_err(|_| Failure::new(Code::Io, "a search thread panicked"))?);
        }
        Ok(all)
    })
}

/// How long queries took.
#[derive(Debug)]
pub(super) struct Timing {
    pub(super) qps: f64,
    pub(super) mean_us: f64,
    pub(super) p50_us: f64,
    pub(super) p99_us: f64,
}

impl Timing {
    /// One pass to warm up, then whole passes over the queries until a second has gone by.
    pub(super) fn measure(args: &Eval, searcher: &Searcher, queries: &[Knn]) -> Outcome<Self> {
        let mut passes = 1;
        let (warm, _) = run(args, searcher, queries, passes)?;
        let (mut wall, mut nanos) = (Duration::ZERO, Vec::new());
        let mut pass = warm;
        while wall < LEAST {
            let missing = (LEAST - wall).as_secs_f64() / pass.as_secs_f64().max(1e-6);
            passes = (missing.ceil() as usize).clamp(1, 100_000);
            let (took, times) = run(args, searcher, queries, passes)?;
            wall += took;
            pass = took / passes as u32;
            nanos.extend(times);
        }
        Ok(Self::of(wall, nanos))
    }

    fn of(wall: Duration, mut nanos: Vec<u64>) -> Self {
        nanos.sort_unstable();
        let count = nanos.len().max(1);
        let at = |share: f64| {
            // The smallest time that this share of the queries does not exceed.
            let position = (share * count as f64).ceil() as usize;
            nanos.get(position.clamp(1, count) - 1).copied().unwrap_or(0) as f64 / 1e3
        };
        Self {
            qps: nanos.len() as f64 / wall.as_secs_f64().max(1e-9),
            mean_us: nanos.iter().sum::<u64>() as f64 / count as f64 / 1e3,
            p50_us: at(0.5),
            p99_us: at(0.99),
        }
    }
}

/// Runs all queries `passes` times: time on the wall, and nanoseconds of each query.
fn run(args: &Eval, searcher: &Searcher, queries: &[Knn], passes: usize) -> Outcome<(Duration, Vec<u64>)> {
    let total = queries.len() * passes;
    let next = AtomicUsize::new(0);
    let work = || {
        let mut times = Vec::with_capacity(total / args.threads + 1);
        loop {
            let position = next.fetch_add(1, Ordering::Relaxed);
            let Some(query) = queries.get(position % queries.len()).filter(|_| position < total) else {
                break;
            };
            let started = Instant::now();
            let hits = searcher.search(query).in_index(&args.dir);
            let took = started.elapsed().as_nanos() as u64;
            let failed = hits.is_err();
            times.push(black_box(hits).map(|_| took));
            if failed {
                break;
            }
        }
        times
    };
    let started = Instant::now();
    let times = in_threads(args.threads, work)?;
    let wall = started.elapsed();
    Ok((wall, times.into_iter().collect::<Outcome<_>>()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_those_of_the_sorted_times() {
        let timing = Timing::of(Duration::from_secs(2), (1..=1000).rev().map(|us| us * 1000).collect());
        assert_eq!((timing.qps, timing.mean_us), (500.0, 500.5));
        assert_eq!((timing.p50_us, timing.p99_us), (500.0, 990.0));
        let single = Timing::of(Duration::from_secs(1), vec![7_000]);
        assert_eq!((single.p50_us, single.p99_us), (7.0, 7.0));
    }

    #[test]
    fn results_keep_the_order_of_the_queries() {
        let queries: Vec<Knn> = (1..=50).map(|k| Knn::new("e", [0.0]).k(k)).collect();
        for threads in [1, 4] {
            let found = each(threads, &queries, |query| Ok(query.clone())).unwrap();
            assert_eq!(found, queries);
        }
        let failed = each(4, &queries, |_| Err::<(), _>(Failure::usage("no")));
        assert_eq!(failed.unwrap_err().message.as_deref(), Some("no"));
    }
}
