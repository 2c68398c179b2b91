//! The same work for many nodes, on one thread or several.

use lucerne_codec::{Cancel, Progress, Result};
use parking_lot::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering::Relaxed};

/// Nodes a thread takes at a time, at most: enough that taking costs nothing and that neighbors in breadth-first order are
/// mostly worked on by one thread.
const MOST_TAKEN: usize = 32;

/// A thread takes nodes at least so often: no thread should wait long for the last one.
const LEAST_TURNS: usize = 16;

/// Reports progress at a modest rate over several runs.
pub(super) struct Steps<'a> {
    progress: &'a dyn Progress,
    done: AtomicU64,
    total: u64,
}

impl<'a> Steps<'a> {
    pub(super) fn new(progress: &'a dyn Progress, total: usize) -> Self {
        progress.report("graph", 0, total as u64);
        Self { progress, done: AtomicU64::new(0), total: total as u64 }
    }

    pub(super) fn add(&self, steps: usize) {
        let steps = steps as u64;
        let before = self.done.fetch_add(steps, Relaxed);
        let every = (self.total / 100).max(1_000);
        let now = (before + steps).min(self.total);
        if before / every != now / every || now == self.total {
            self.progress.report("graph", now, self.total);
        }
    }

    pub(super) fn finish(&self) {
        self.progress.report("graph", self.total, self.total);
    }
}

/// Calls `work` for each item, on as many threads as there are `workers` (each is one thread's memory). With
/// one worker items come in order. After an error or a cancellation no further item is started.
pub(super) fn each<T: Sync, W: Send>(
    items: &[T],
    workers: &mut [W],
    cancel: &Cancel,
    steps: Option<&Steps<'_>>,
    work: impl Fn(&mut W, &T) -> Result<()> + Sync,
) -> Result<()> {
    let take = (items.len() / (LEAST_TURNS * workers.len().max(1))).clamp(1, MOST_TAKEN);
    let next = AtomicUsize::new(0);
    let stop = AtomicBool::new(false);
    let failure = Mutex::new(None);
    let run = |worker: &mut W| {
        while !stop.load(Relaxed) {
            let start = next.fetch_add(take, Relaxed).min(items.len());
            let batch = items.get(start..(start + take).min(items.len())).unwrap_or_default();
            if batch.is_empty() {
                break;
            }
            for item in batch {
                if let Err(error) = cancel.check().and_then(|()| work(worker, item)) {
                    stop.store(true, Relaxed);
                    failure.lock().get_or_insert(error);
                    return;
                }
            }
            if let Some(steps) = steps {
                steps.add(batch.len());
            }
        }
    };
    match workers {
        [] => {}
        [only] => run(only),
        [first, others @ ..] => std::thread::scope(|scope| {
            for worker in others {
                // Where the system gives no more threads, those there are do all of it.
                let thread = std::thread::Builder::new().spawn_scoped(scope, || run(worker));
                if thread.is_err() {
                    break;
                }
            }
            run(first);
        }),
    }
    failure.into_inner().map_or(Ok(()), Err)
}
