//! Helpers of the tests that let the disk fail.

use lucerne::directory::fault::{FaultDirectory, Logged, Operation};
use lucerne::merge::{MergeEvent, MergeListener};
use std::ops::Range;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

/// A whole number from the environment, for longer runs and for replaying a seed.
pub(crate) fn number_from_environment(name: &str) -> Option<u64> {
    let text = std::env::var(name).ok()?;
    Some(text.parse().unwrap_or_else(|_| panic!("{name}={text}: expected a whole number")))
}

/// The end of a log, for messages.
pub(crate) fn tail(log: &[Logged]) -> String {
    let lines = log.iter().skip(log.len().saturating_sub(25));
    lines.map(|logged| format!("\n    {logged}")).collect()
}

/// Runs `work` for each of `numbers` on all cores; the first failure of the lowest number is returned.
pub(crate) fn on_all_cores(
    numbers: std::ops::Range<u64>,
    work: impl Fn(u64) -> Result<(), String> + Sync,
) -> Result<(), String> {
    let next = AtomicU64::new(numbers.start);
    let failure: Mutex<Option<(u64, String)>> = Mutex::new(None);
    let threads = std::thread::available_parallelism().map_or(1, |cores| cores.get());
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                loop {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    if number >= numbers.end || failure.lock().unwrap().is_some() {
                        return;
                    }
                    if let Err(problem) = work(number) {
                        let mut failure = failure.lock().unwrap();
                        if failure.as_ref().is_none_or(|(earlier, _)| number < *earlier) {
                            *failure = Some((number, problem));
                        }
                    }
                }
            });
        }
    });
    failure.into_inner().unwrap().map_or(Ok(()), |(_, problem)| Err(problem))
}

/// What the engine was about when it came to the operation at `index` of a log.
pub(crate) fn phase(log: &[Logged], index: usize) -> &'static str {
    let Some(logged) = log.get(index) else { return "after the last operation" };
    let pending = logged.name.starts_with("pending_");
    // The turning points before it.
    let mut earlier = log.iter().take(index).rev();
    let turn = earlier.find(|logged| match logged.operation {
        Operation::Rename | Operation::Lock | Operation::Finish => true,
        Operation::Sync => logged.name.starts_with("pending_"),
        _ => false,
    });
    let turn = turn.map(|logged| logged.operation);
    match logged.operation {
        Operation::Lock => "opening: lock",
        Operation::Create | Operation::Write | Operation::Finish if pending => "commit: write pending file",
        Operation::Create | Operation::Write | Operation::Finish if logged.name.ends_with(".live") => {
            "commit: write live docs"
        }
        Operation::Create | Operation::Write | Operation::Finish => "flush: write segment",
        Operation::Open | Operation::FileLen => "open files",
        Operation::Sync if pending => "commit: sync pending file",
        Operation::Sync => "commit: sync segment files",
        Operation::SyncDir if turn == Some(Operation::Rename) => "commit: folder sync after rename",
        Operation::SyncDir if turn == Some(Operation::Sync) => "commit: folder sync before rename",
        Operation::SyncDir => "opening: folder sync",
        Operation::Rename => "commit: rename",
        Operation::List | Operation::Delete if turn == Some(Operation::Rename) => "commit: collect",
        Operation::List | Operation::Delete => "list and delete elsewhere",
    }
}

/// All phases a script goes through.
pub(crate) const PHASES: [&str; 14] = [
    "opening: lock",
    "opening: folder sync",
    "open files",
    "flush: write segment",
    "commit: write live docs",
    "commit: sync segment files",
    "commit: write pending file",
    "commit: sync pending file",
    "commit: folder sync before rename",
    "commit: rename",
    "commit: folder sync after rename",
    "commit: collect",
    "list and delete elsewhere",
    "after the last operation",
];

/// For each merge that was finished, which operations of the log are between its beginning and its end.
#[derive(Debug, Default)]
pub(crate) struct Merges(Mutex<Vec<Range<usize>>>);

impl Merges {
    /// Merges run one at a time here, on the thread that asks for them.
    pub(crate) fn watch(self: &Arc<Self>, disk: FaultDirectory) -> impl MergeListener + 'static {
        let (merges, begun) = (Arc::clone(self), AtomicUsize::new(0));
        move |event: &MergeEvent| {
            let now = disk.operations() as usize;
            match event {
                MergeEvent::Started { .. } => begun.store(now, Ordering::Relaxed),
                MergeEvent::Finished { .. } => {
                    let merge = begun.load(Ordering::Relaxed)..now;
                    // Of segments without a live document nothing is written.
                    merges.0.lock().unwrap().extend((!merge.is_empty()).then_some(merge));
                }
                _ => {}
            }
        }
    }

    /// The merges so far.
    pub(crate) fn finished(&self) -> Vec<Range<usize>> {
        self.0.lock().unwrap().clone()
    }
}
