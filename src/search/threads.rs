//! On which threads the parts of a search run.

use super::helpers;
use crate::error::{Error, Result};
use parking_lot::Mutex;
use std::fmt;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

/// Threads of an application that searches run on.
///
/// With rayon:
///
/// ```ignore
/// struct Rayon(rayon::ThreadPool);
///
/// impl lucerne::search::Pool for Rayon {
///     fn run(&self, jobs: usize, job: &(dyn Fn(usize) + Sync)) {
///         self.0.install(|| (0..jobs).into_par_iter().for_each(job));
///     }
/// }
/// ```
pub trait Pool: Send + Sync {
    /// Calls `job` once with each number below `jobs`, on any threads and in any order, and returns after the last call
    /// has returned.
    fn run(&self, jobs: usize, job: &(dyn Fn(usize) + Sync));
}

/// On which threads the parts of a search run.
#[derive(Clone, Default)]
pub(super) enum Threads {
    /// The one that calls.
    #[default]
    Caller,
    /// So many, the one that calls among them (`helpers`).
    Count(NonZeroUsize),
    Pool(Arc<dyn Pool>),
}

impl fmt::Debug for Threads {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Caller => f.write_str("Caller"),
            Self::Count(count) => write!(f, "Count({count})"),
            Self::Pool(_) => f.write_str("Pool"),
        }
    }
}

impl Threads {
    /// How many there are, as far as it is known: a pool may have any number.
    pub(super) fn count(&self) -> usize {
        match self {
            Self::Caller => 1,
            Self::Count(count) => count.get(),
            Self::Pool(_) => std::thread::available_parallelism().map_or(1, NonZeroUsize::get),
        }
    }

    /// The results of `work` for the numbers below `jobs`, in their order. Work starts in the order of `order`. After an
    /// error nothing more is started.
    pub(super) fn each<T: Send>(
        &self,
        jobs: usize,
        order: impl FnOnce() -> Vec<usize>,
        work: impl Fn(usize) -> Result<T> + Sync,
    ) -> Result<Vec<T>> {
        let count = match self {
            Self::Caller => 1,
            Self::Count(count) => count.get().min(jobs),
            Self::Pool(_) => jobs,
        };
        if count <= 1 {
            return (0..jobs).map(work).collect();
        }
        let (order, failed) = (order(), AtomicBool::new(false));
        let mut done: Vec<Mutex<Option<Result<T>>>> = Vec::with_capacity(jobs);
        done.resize_with(jobs, Mutex::default);
        let run = |turn: usize| {
            let number = order.get(turn).copied().unwrap_or(turn);
            if failed.load(Relaxed) {
                return;
            }
            let result = work(number);
            failed.fetch_or(result.is_err(), Relaxed);
            if let Some(slot) = done.get(number) {
                *slot.lock() = Some(result);
            }
        };
        match self {
            Self::Pool(pool) => pool.run(jobs, &run),
            _ => helpers::run(count, jobs, &run),
        }
        let done: Vec<Option<Result<T>>> = done.into_iter().map(Mutex::into_inner).collect();
        if failed.into_inner() {
            let error = done.into_iter().flatten().find_map(Result::err);
            return Err(error.unwrap_or_else(not_run));
        }
        done.into_iter().map(|result| result.unwrap_or_else(|| Err(not_run()))).collect()
    }
}

fn not_run() -> Error {
    Error::Invalid("the pool of search threads did not run every job".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Backwards;

    impl Pool for Backwards {
        fn run(&self, jobs: usize, job: &(dyn Fn(usize) + Sync)) {
            (0..jobs).rev().for_each(job);
        }
    }

    struct Lazy;

    impl Pool for Lazy {
        fn run(&self, _jobs: usize, _job: &(dyn Fn(usize) + Sync)) {}
    }

    #[test]
    fn results_are_in_the_order_of_jobs_and_errors_come_back() {
        let three = Threads::Count(NonZeroUsize::new(3).unwrap());
        for threads in [Threads::Caller, three, Threads::Pool(Arc::new(Backwards))] {
            let order = || (0..10).rev().collect();
            let squares = threads.each(10, order, |number| Ok(number * number)).unwrap();
            assert_eq!(squares, (0..10).map(|number| number * number).collect::<Vec<_>>(), "{threads:?}");
            let bad = |number| if number == 7 { Err(Error::Cancelled) } else { Ok(number) };
            assert!(matches!(threads.each(10, order, bad), Err(Error::Cancelled)), "{threads:?}");
            assert_eq!(threads.each(0, Vec::new, Ok).unwrap(), Vec::<usize>::new());
        }
        let nothing_done = Threads::Pool(Arc::new(Lazy)).each(2, || vec![0, 1], Ok);
        assert!(matches!(nothing_done, Err(Error::Invalid(_))), "{nothing_done:?}");
    }
}
