//! Threads that help the one that searches: kept by the process, since to start one takes longer than a small search.

use rayon_core::{ThreadPool, ThreadPoolBuilder};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::time::{Duration, Instant};

/// A thread that has helped stays awake for so long: waking one takes about as long as a small search in one segment
/// (`docs/measurements/deadlines.md`).
const AWAKE: Duration = Duration::from_micros(200);

/// The threads that are kept: one for each core but the caller's. They sleep when there is nothing to do.
struct Kept {
    pool: ThreadPool,
    idle: AtomicUsize,
    /// Searches that have begun.
    begun: AtomicUsize,
}

/// So many of them at work for one search; given back when it is dropped.
struct Hired {
    kept: &'static Kept,
    count: usize,
}

impl Kept {
    /// Started by the first search that asks for more than one thread; `None` where the system gives none.
    fn of_process() -> Option<&'static Self> {
        static KEPT: OnceLock<Option<Kept>> = OnceLock::new();
        let start = || {
            let cores = std::thread::available_parallelism().map_or(1, |cores| cores.get());
            let count = cores.saturating_sub(1).max(1);
            let name = |number| format!("lucerne-search-{number}");
            let pool = ThreadPoolBuilder::new().num_threads(count).thread_name(name).build();
            match pool {
                Ok(pool) => Some(Kept { pool, idle: AtomicUsize::new(count), begun: AtomicUsize::new(0) }),
                Err(error) => {
                    tracing::warn!(%error, "no threads for searches");
                    None
                }
            }
        };
        KEPT.get_or_init(start).as_ref()
    }

    /// At most `wanted` threads that have nothing to do: a search never waits for another one's.
    fn hire(&'static self, wanted: usize) -> Hired {
        self.begun.fetch_add(1, Relaxed);
        let less = |idle: usize| Some(idle - wanted.min(idle));
        let idle = self.idle.fetch_update(Relaxed, Relaxed, less).unwrap_or(0);
        Hired { kept: self, count: wanted.min(idle) }
    }

    /// Keeps so many threads awake until the next search begins, but not for long.
    fn keep_awake(&'static self, count: usize) {
        let (begun, until) = (self.begun.load(Relaxed), Instant::now() + AWAKE);
        for _ in 0..count {
            self.pool.spawn(move || {
                while self.begun.load(Relaxed) == begun && Instant::now() < until {
                    std::hint::spin_loop();
                }
            });
        }
    }
}

impl Drop for Hired {
    fn drop(&mut self) {
        self.kept.keep_awake(self.count);
        self.kept.idle.fetch_add(self.count, Relaxed);
    }
}

/// Calls `run` for each number below `jobs` on `count` threads, this one among them. Beyond those that are kept and idle,
/// threads are started for it; where the system gives no more, with those there are.
pub(super) fn run(count: usize, jobs: usize, run: &(dyn Fn(usize) + Sync)) {
    let next = AtomicUsize::new(0);
    let work = || {
        loop {
            let turn = next.fetch_add(1, Relaxed);
            if turn >= jobs {
                break;
            }
            run(turn);
        }
    };
    let wanted = count.saturating_sub(1);
    let hired = Kept::of_process().map(|kept| kept.hire(wanted));
    let started = wanted - hired.as_ref().map_or(0, |hired| hired.count);
    let with_started = || {
        if started == 0 {
            return work();
        }
        std::thread::scope(|scope| {
            for _ in 0..started {
                let thread = std::thread::Builder::new().name("lucerne-search".to_owned());
                if let Err(error) = thread.spawn_scoped(scope, work) {
                    tracing::warn!(%error, "no more threads for a search");
                    break;
                }
            }
            work();
        });
    };
    match &hired {
        Some(Hired { kept, count }) if *count > 0 => kept.pool.in_place_scope(|scope| {
            for _ in 0..*count {
                scope.spawn(|_| work());
            }
            with_started();
        }),
        _ => with_started(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Mutex;

    #[test]
    fn every_job_is_run_once_whatever_the_number_of_threads_and_of_searches() {
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    for count in [1, 2, 3, 9] {
                        for jobs in [0, 1, 2, 40] {
                            let done = Mutex::new(Vec::new());
                            run(count, jobs, &|job| done.lock().unwrap().push(job));
                            let mut done = done.into_inner().unwrap();
                            done.sort_unstable();
                            assert_eq!(done, (0..jobs).collect::<Vec<_>>());
                        }
                    }
                });
            }
        });
        let kept = Kept::of_process().unwrap();
        assert!(kept.idle.load(Relaxed) <= kept.pool.current_num_threads());
    }
}
