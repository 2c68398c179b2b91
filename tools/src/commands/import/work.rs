//! The threads of an import: take a line, add it, say how far it went, stop when told.

use super::source::{Arrival, Extent, Source};
use crate::args::Import;
use crate::failure::{Failure, In as _, Outcome};
use crate::render::{out, progress, units};
use indicatif::ProgressBar;
use lucerne::codec::Cancel;
use lucerne::{Document, Error, ErrorKind, Value, Writer};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// Bad lines that are told one by one.
const TOLD: u64 = 5;
/// Documents between two looks at the progress bar.
const STEP: u64 = 32;
/// Time between two looks at the stop flag while merges run.
const LOOK: Duration = Duration::from_millis(20);

/// What is wanted.
pub(super) struct Plan<'a> {
    pub(super) dir: &'a Path,
    pub(super) upsert: bool,
    pub(super) skip_bad: bool,
    pub(super) commit_every: Option<u64>,
    pub(super) threads: usize,
}

/// An import under way, shared by its threads.
pub(super) struct Job<'a> {
    plan: Plan<'a>,
    writer: &'a Writer,
    path: PathBuf,
    source: Mutex<Source>,
    stop: Cancel,
    /// Why no thread goes on, once one cannot.
    failed: Mutex<Option<Failure>>,
    taken: AtomicU64,
    skipped: AtomicU64,
    /// The newest commit on the way, and the documents it had at least.
    committed: Mutex<Option<(u64, u64)>>,
    bar: ProgressBar,
    bar_counts_bytes: bool,
    started: Instant,
}

/// What became of one line.
enum Verdict {
    Taken,
    Bad(Failure),
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl<'a> Job<'a> {
    pub(super) fn new(plan: Plan<'a>, writer: &'a Writer, source: Source, stop: Cancel) -> Self {
        let (total, bar_counts_bytes) = match source.extent() {
            Extent::Bytes(bytes) => (Some(bytes), true),
            Extent::Documents(documents) => (Some(documents), false),
            Extent::Unknown => (None, false),
        };
        Self {
            plan,
            writer,
            path: source.path().to_owned(),
            source: Mutex::new(source),
            stop,
            failed: Mutex::new(None),
            taken: AtomicU64::new(0),
            skipped: AtomicU64::new(0),
            committed: Mutex::new(None),
            bar: progress::bar(total),
            bar_counts_bytes,
            started: Instant::now(),
        }
    }

    /// Takes all documents, until one fails or the user stops it.
    pub(super) fn run(&self) -> Outcome {
        match self.plan.threads {
            1 => self.work(),
            threads => std::thread::scope(|scope| {
                for _ in 0..threads {
                    scope.spawn(|| self.work());
                }
            }),
        }
        match lock(&self.failed).take() {
            None => Ok(()),
            Some(failure) => Err(failure),
        }
    }

    fn work(&self) {
        while !self.stop.is_cancelled() && lock(&self.failed).is_none() {
            match self.step() {
                Ok(true) => {}
                Ok(false) => break,
                Err(failure) => {
                    lock(&self.failed).get_or_insert(failure);
                }
            }
        }
    }

    /// Takes one document; false when there are no more.
    fn step(&self) -> Outcome<bool> {
        let next = lock(&self.source).next()?;
        let Some(arrival) = next else { return Ok(false) };
        // While it was read, a stop may have cut standard input in the middle of a line.
        if self.stop.is_cancelled() {
            return Ok(false);
        }
        match self.take(arrival)? {
            Verdict::Taken => {
                let taken = self.taken.fetch_add(1, Ordering::Relaxed) + 1;
                self.show(taken);
                if self.plan.commit_every.is_some_and(|every| taken.is_multiple_of(every)) {
                    let generation = self.writer.commit().in_index(self.plan.dir)?;
                    let mut committed = lock(&self.committed);
                    *committed = (*committed).max(Some((generation, taken)));
                }
            }
            Verdict::Bad(failure) if !self.plan.skip_bad => return Err(self.explain(failure)),
            Verdict::Bad(failure) => {
                let skipped = self.skipped.fetch_add(1, Ordering::Relaxed) + 1;
                if skipped <= TOLD {
                    let message = failure.message.unwrap_or_default();
                    let more = if skipped == TOLD { " (further ones are only counted)" } else { "" };
                    self.bar.suspend(|| out::warning(&format!("skipped {message}{more}")));
                }
            }
        }
        Ok(true)
    }

    fn take(&self, arrival: Arrival) -> Outcome<Verdict> {
        let Arrival { line, vectors } = arrival;
        let bad = |problem: &str| {
            let failure = Failure::usage(format!("{}:{}: {problem}", self.path.display(), line.number));
            Ok(Verdict::Bad(failure))
        };
        let mut document = match Document::from_slice(line.text.trim_ascii_end()) {
            Ok(document) => document,
            // The parser has seen one line; the one that counts is the file's.
            Err(error) => return bad(&error.to_string().replace(" at line 1 column ", " at column ")),
        };
        for (field, vector) in vectors {
            if document.get(&field).is_some_and(|value| *value != Value::Null) {
                return bad(&format!("field {field:?} is in the document and in a --vectors file too"));
            }
            document.set(field, vector);
        }
        let added = if self.plan.upsert { self.writer.upsert(&document) } else { self.writer.add(&document) };
        match added {
            Ok(_) => Ok(Verdict::Taken),
            Err(error @ Error::DuplicateKey { .. }) => {
                bad(&error.to_string().replace("use upsert", "use --upsert"))
            }
            Err(error) if error.kind() == ErrorKind::Usage => bad(&error.to_string()),
            Err(error) => Err(Failure::engine(self.plan.dir, &error)),
        }
    }

    /// Adds what became of the documents before a bad line.
    fn explain(&self, failure: Failure) -> Failure {
        let kept = match *lock(&self.committed) {
            None => "nothing of this import was kept".to_owned(),
            Some((generation, taken)) => {
                format!(
                    "the first {} were committed (generation {generation})",
                    units::count(taken, "document")
                )
            }
        };
        failure.hint(format!("{kept}; correct the line and import again, or skip bad lines with --skip-bad"))
    }

    /// The last commit: of all documents, or of those taken before a stop. Then merges that have begun come
    /// to their end, which another commit makes durable; a stop ends them, and their sources stay.
    pub(super) fn commit(&self) -> Outcome<u64> {
        let documents = units::count(self.taken(), "document");
        progress::wait(&self.bar, format!("{documents}, building segments and committing"));
        self.writer.commit().in_index(self.plan.dir)?;
        progress::wait(&self.bar, format!("{documents} committed, merging segments"));
        let merged = AtomicBool::new(false);
        std::thread::scope(|scope| {
            scope.spawn(|| {
                while !merged.load(Ordering::Relaxed) {
                    if self.stop.is_cancelled() {
                        self.writer.cancel_merges();
                    }
                    std::thread::sleep(LOOK);
                }
            });
            self.writer.wait_for_merges();
            merged.store(true, Ordering::Relaxed);
        });
        self.writer.commit().in_index(self.plan.dir)
    }

    fn show(&self, taken: u64) {
        if self.bar.is_hidden() || !taken.is_multiple_of(STEP) {
            return;
        }
        let rate = taken as f64 / self.started.elapsed().as_secs_f64().max(1e-9);
        let documents = units::count(taken, "document");
        self.bar.set_message(format!("{documents}, {} per second", units::grouped(rate as u64)));
        let position = if self.bar_counts_bytes { lock(&self.source).consumed() } else { taken };
        self.bar.set_position(position);
    }

    /// Takes the progress bar away.
    pub(super) fn finish(&self) {
        self.bar.finish_and_clear();
    }

    pub(super) fn taken(&self) -> u64 {
        self.taken.load(Ordering::Relaxed)
    }

    pub(super) fn skipped(&self) -> u64 {
        self.skipped.load(Ordering::Relaxed)
    }

    pub(super) fn is_interrupted(&self) -> bool {
        self.stop.is_cancelled()
    }

    /// Says when a vectors file was longer than the documents: most likely a mistake.
    pub(super) fn warn_of_rows_left(&self, args: &Import) {
        if args.limit.is_some() || self.is_interrupted() {
            return;
        }
        for (path, rows, documents) in lock(&self.source).rows_left() {
            let (path, rows) = (path.display(), units::count(rows, "row"));
            out::warning(&format!(
                "{path} has {rows}, but there were {}",
                units::count(documents, "document")
            ));
        }
    }
}
