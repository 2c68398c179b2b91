//! The threads of an import: take a line, add it, say how far it went, stop when told.

use super::layout::Place;
use super::lines::Line;
use super::source::{Arrival, Extent, Source};
use super::turns::{Turn, Turns};
use crate::args::Import;
use crate::failure::{Failure, In as _, Outcome};
use crate::input;
use crate::render::progress::Merges;
use crate::render::{out, progress, units};
use indicatif::ProgressBar;
use lucerne::codec::Cancel;
use lucerne::error::ValueProblem;
use lucerne::{Document, Error, ErrorKind, Value, Writer};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread::Builder;
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
    pub(super) background_merges: bool,
}

/// An import under way, shared by its threads.
pub(super) struct Job<'a> {
    plan: Plan<'a>,
    writer: &'a Writer,
    path: PathBuf,
    source: Mutex<Source>,
    /// Where several threads write and it matters which line of a key comes first.
    turns: Option<Turns>,
    key_field: String,
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

/// What to do about a bad line, after what was kept.
const CORRECT: &str = "; correct the line and import again, or skip bad lines with --skip-bad";

/// What became of one document.
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
        // Without --upsert the first line of a key is taken and the others are bad.
        let turns = (plan.threads > 1 && (plan.upsert || plan.skip_bad)).then(Turns::default);
        Self {
            turns,
            key_field: writer.schema().key().name().to_owned(),
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
        std::thread::scope(|scope| {
            // This thread is the first; where the system gives no more, those there are do all of it.
            let more = (1..self.plan.threads).map(|_| Builder::new().spawn_scoped(scope, || self.work()));
            let _ = more.take_while(Result::is_ok).count();
            self.work();
        });
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
        let mut source = lock(&self.source);
        let next = source.next().map_err(|failure| self.explain(failure, ""))?;
        let Some(arrival) = next else { return Ok(false) };
        let turn = self.turns.as_ref().map(Turns::begin);
        drop(source);
        // While it was read, a stop may have cut standard input in the middle of a line.
        if self.stop.is_cancelled() {
            return Ok(false);
        }
        match self.take(arrival, turn)? {
            Verdict::Taken => {
                let taken = self.taken.fetch_add(1, Ordering::Relaxed) + 1;
                self.show(taken);
                if self.plan.commit_every.is_some_and(|every| taken.is_multiple_of(every)) {
                    let generation = self.writer.commit().in_index(self.plan.dir)?;
                    let mut committed = lock(&self.committed);
                    *committed = (*committed).max(Some((generation, taken)));
                }
            }
            Verdict::Bad(failure) if !self.plan.skip_bad => return Err(self.explain(failure, CORRECT)),
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

    fn take(&self, arrival: Arrival, turn: Option<Turn<'_>>) -> Outcome<Verdict> {
        let Arrival { line, vectors } = arrival;
        let bad =
            |line: u64, problem: &str| Failure::usage(format!("{}:{line}: {problem}", self.path.display()));
        let begins = line.place.line;
        let mut document = match Document::from_slice(line.text.trim_ascii_end()) {
            Ok(document) => document,
            Err(error) => {
                let (at, problem) = in_file(&error.to_string(), line.place);
                let failure = bad(at, &problem);
                return match wrong_layout(&line, &self.path, &problem) {
                    WrongLayout::No => Ok(Verdict::Bad(failure)),
                    WrongLayout::Line(hint) => Ok(Verdict::Bad(failure.hint(hint))),
                    WrongLayout::File(failure) => Err(failure),
                };
            }
        };
        for (field, vector) in vectors {
            if document.get(&field).is_some_and(|value| *value != Value::Null) {
                let problem = format!("field {field:?} is in the document and in a --vectors file too");
                return Ok(Verdict::Bad(bad(begins, &problem)));
            }
            document.set(field, vector);
        }
        if let Some(turn) = &turn {
            turn.wait(match document.get(&self.key_field) {
                Some(Value::Text(key)) => Some(key),
                _ => None,
            });
        }
        let added = if self.plan.upsert { self.writer.upsert(&document) } else { self.writer.add(&document) };
        match added {
            Ok(_) => Ok(Verdict::Taken),
            Err(error @ Error::DuplicateKey { .. }) => {
                let problem = error.to_string().replace("use upsert", "use --upsert");
                Ok(Verdict::Bad(bad(begins, &problem)))
            }
            Err(error) if error.kind() == ErrorKind::Usage => {
                let source = lock(&self.source);
                let file = vector_field(&error).and_then(|field| source.vector_file(field));
                let from = file.map(|file| format!(" (row {} of {})", line.row, file.display()));
                Ok(Verdict::Bad(bad(begins, &format!("{error}{}", from.unwrap_or_default()))))
            }
            Err(error) => Err(Failure::engine(self.plan.dir, &error)),
        }
    }

    /// Adds what became of the documents before a bad one, and what to do.
    fn explain(&self, failure: Failure, what_to_do: &str) -> Failure {
        let kept = match *lock(&self.committed) {
            None => "nothing of this import was kept".to_owned(),
            Some((generation, taken)) => {
                format!(
                    "the first {} were committed (generation {generation})",
                    units::count(taken, "document")
                )
            }
        };
        let hint = match &failure.hint {
            Some(hint) => format!("{kept}; {hint}"),
            None => format!("{kept}{what_to_do}"),
        };
        failure.hint(hint)
    }

    /// The last commit: of all documents, or of those taken before a stop. Then merges that have begun come
    /// to their end, which another commit makes durable; a stop ends them, and their sources stay.
    pub(super) fn commit(&self, merges: &Merges) -> Outcome<u64> {
        let documents = units::count(self.taken(), "document");
        progress::wait(&self.bar, format!("{documents}, building segments and committing"));
        self.writer.commit().in_index(self.plan.dir)?;
        progress::wait(&self.bar, format!("{documents} committed, merging segments"));
        merges.show_on(self.bar.clone());
        let merged = AtomicBool::new(false);
        let watch = || {
            while !merged.load(Ordering::Relaxed) {
                if self.stop.is_cancelled() {
                    self.writer.cancel_merges();
                }
                std::thread::sleep(LOOK);
            }
        };
        std::thread::scope(|scope| {
            // Without a thread to watch, a stop waits for the merges.
            if self.plan.background_merges {
                let _ = Builder::new().spawn_scoped(scope, watch);
            }
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

/// The line of the file where the parser stopped, and its message with the column on that line. The parser has
/// seen one document only.
fn in_file(message: &str, place: Place) -> (u64, String) {
    let parse = || {
        let (problem, at) = message.rsplit_once(" at line ")?;
        let (line, column) = at.split_once(" column ")?;
        let (line, column): (u64, u64) = (line.parse().ok()?, column.parse().ok()?);
        let before = if line == 1 { place.column } else { 0 };
        Some((place.line + line.saturating_sub(1), format!("{problem} at column {}", before + column)))
    };
    parse().unwrap_or_else(|| (place.line, message.to_owned()))
}

/// Whether a text that is no document is so because the whole file is laid out otherwise.
enum WrongLayout {
    No,
    /// Perhaps: what to say about the line.
    Line(&'static str),
    /// Surely: no line of it is a document.
    File(Failure),
}

const NO_CSV: &str = "CSV is not supported; convert it to JSON lines, for example with Python: \
                      pandas.read_csv(…).to_json(…, orient=\"records\", lines=True)";

fn wrong_layout(line: &Line, path: &Path, problem: &str) -> WrongLayout {
    if line.text.starts_with(b"{") && problem.contains("EOF while parsing") {
        return WrongLayout::Line("each document is on a line of its own; jq -c . FILE writes them so");
    }
    if line.row > 0 || !input::csv(&line.text) {
        return WrongLayout::No;
    }
    let extension = path.extension().and_then(|extension| extension.to_str()).unwrap_or_default();
    match extension.to_ascii_lowercase().as_str() {
        "csv" | "tsv" => {
            let failure = Failure::content(path, "this is CSV; expected JSON objects, one per line");
            WrongLayout::File(failure.hint(NO_CSV))
        }
        _ => WrongLayout::Line(NO_CSV),
    }
}

/// The vector field that a document was refused for.
fn vector_field(error: &Error) -> Option<&str> {
    let Error::Document { problem, .. } = error else { return None };
    match problem {
        ValueProblem::WrongDimension { field, .. }
        | ValueProblem::NotFinite { field, .. }
        | ValueProblem::NotUnit { field, .. }
        | ValueProblem::ZeroVector { field } => Some(field),
        _ => None,
    }
}
