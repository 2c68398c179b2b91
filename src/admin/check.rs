//! Checking an index: every byte against its checksum, every structure against the others.

use crate::commit::history::kept_generations;
use crate::commit::{manifest, recover};
use crate::directory::FsDirectory;
use crate::document::{Document, FieldAnalyzers, Value};
use crate::error::{Error, Result};
use crate::index::IndexBuilder;
use crate::memory::Memory;
use crate::reader::{SegmentReader, Store};
use crate::schema::Schema;
use lucerne_codec::commit::{CommitInfo, CommitSegment};
use lucerne_codec::envelope;
use lucerne_codec::vector::SelfSearches;
use lucerne_codec::{Cancel, Directory, Progress};
use std::collections::HashSet;
use std::path::Path;
use std::sync::Arc;

pub use lucerne_codec::format::Problem;

/// What a check found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct CheckReport {
    /// Generation of the commit that was checked; 0 when it could not be read.
    pub generation: u64,
    /// Segments checked.
    pub segments: usize,
    /// Live documents found in the newest commit.
    pub docs: u64,
    /// Bytes read.
    pub bytes: u64,
    /// Every damage found; none means the index is whole.
    pub problems: Vec<Problem>,
    /// Searches for stored vectors, for each graph.
    pub self_searches: Vec<SelfSearchCheck>,
}

/// Searches of one graph for vectors that it has: those it may miss, and others that stand for the rest. That some are
/// missed is no damage: data may forbid it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SelfSearchCheck {
    /// The first file of the vector field in its segment.
    pub file: String,
    /// Vectors searched for.
    pub searched: u64,
    /// Those found, or another at no greater distance.
    pub found: u64,
}

impl SelfSearchCheck {
    /// The share found, 0 to 1.
    pub fn share(&self) -> f64 {
        if self.searched == 0 { 1.0 } else { self.found as f64 / self.searched as f64 }
    }

    /// True when less than 0.99 were found: worth a warning.
    pub fn is_low(&self) -> bool {
        self.share() < 0.99
    }
}

impl CheckReport {
    /// True when nothing is damaged.
    pub fn ok(&self) -> bool {
        self.problems.is_empty()
    }
}

/// Checks the newest commit of the index in the folder `path`, and those kept beside it: every checksum, every structure against
/// itself and the others (codes against raw vectors, graphs for reachability, keys both ways), every stored
/// document, and whether a writer can go on from the commit's schema and numbers. Reads every
/// byte; changes nothing. Nobody should write to the index meanwhile.
///
/// ```
/// use lucerne::{Cancel, Index, Schema, admin};
///
/// let folder = tempfile::tempdir()?;
/// Index::create(folder.path(), Schema::builder().build()?)?;
/// let report = admin::check(folder.path(), &Cancel::new(), &())?;
/// assert!(report.ok(), "{:?}", report.problems);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// [`Error::NotAnIndex`] when there is no commit, [`Error::Codec`] when the folder cannot be read or the
/// check was cancelled. Damage is not an error: it is in the report.
pub fn check(path: impl AsRef<Path>, cancel: &Cancel, progress: &dyn Progress) -> Result<CheckReport> {
    check_in(IndexBuilder::new(), Arc::new(FsDirectory::open(path.as_ref())?), cancel, progress)
}

/// Like [`check`], for any directory and formats.
///
/// # Errors
/// As [`check`].
pub fn check_in(
    formats: IndexBuilder,
    directory: Arc<dyn Directory>,
    cancel: &Cancel,
    progress: &dyn Progress,
) -> Result<CheckReport> {
    let store =
        Store::new(directory, formats.registry().clone(), formats.analyzers().clone(), Memory::unlimited());
    let names = store.directory.list()?;
    let Some(&generation) = manifest::generations(&names).first() else {
        return Err(recover::no_commit(&*store.directory, &names));
    };
    let file = manifest::commit_file(generation);
    let mut checker = Checker { store: &store, cancel, report: CheckReport::default() };
    let Some(commit) =
        checker.try_to(&file, || Ok(store.registry.commit.read(&*store.directory, &file, generation)?))?
    else {
        return Ok(checker.report);
    };
    checker.report.generation = generation;
    let schema = checker.commit(&file, &commit)?;
    let total = commit.segments.len() as u64;
    for (done, segment) in commit.segments.iter().enumerate() {
        progress.report("segments", done as u64, total);
        checker.segment(segment, schema.as_ref())?;
    }
    progress.report("segments", total, total);
    checker.unique_keys(&commit)?;
    checker.older_commits(&commit, &names)?;
    Ok(checker.report)
}

struct Checker<'a> {
    store: &'a Store,
    cancel: &'a Cancel,
    report: CheckReport,
}

impl Checker<'_> {
    /// Runs a part of the check; damage becomes a problem of the file it names, or of `file`.
    fn try_to<T>(&mut self, file: &str, part: impl FnOnce() -> Result<T>) -> Result<Option<T>> {
        self.cancel.check()?;
        match part() {
            Ok(value) => Ok(Some(value)),
            Err(error @ Error::Codec(lucerne_codec::Error::Cancelled)) => Err(error),
            Err(error) => {
                self.report.problems.push(problem_of(file, error));
                Ok(None)
            }
        }
    }

    /// What a commit says beside its segments: a writer must be able to go on from it. Returns the schema.
    fn commit(&mut self, file: &str, commit: &CommitInfo) -> Result<Option<Schema>> {
        let store = self.store;
        if let Some(problem) = manifest::exhausted(commit) {
            self.report.problems.push(Problem { file: file.to_owned(), problem });
        }
        let schema = self.try_to(file, || Schema::from_value(&commit.schema))?;
        if let Some(schema) = &schema {
            self.try_to(file, || FieldAnalyzers::of(schema, &store.analyzers))?;
            for field in schema.vector_fields() {
                self.try_to(file, || Ok(field.format(&store.registry)?.check(&field.info())?))?;
            }
        }
        Ok(schema)
    }

    fn segment(&mut self, segment: &CommitSegment, schema: Option<&Schema>) -> Result<()> {
        let store = self.store;
        self.report.segments += 1;
        let info = self.try_to(&segment.info.name, || {
            Ok(store.registry.segment_info.read(&*store.directory, &segment.info, segment.id)?)
        })?;
        let Some(info) = info else { return Ok(()) };
        let before = self.report.problems.len();
        let live = segment.live_docs.as_ref().map(|live| &live.file);
        for entry in info.files().chain([&segment.info]).chain(live) {
            let read = self.try_to(&entry.name, || {
                envelope::verify_entry(&*store.directory, entry)?;
                Ok(entry.len)
            })?;
            self.report.bytes += read.unwrap_or(0);
        }
        if self.report.problems.len() > before {
            return Ok(()); // Damaged bytes explain whatever the structures would say.
        }
        let reader = self.try_to(&segment.info.name, || open_segment(store, segment))?;
        let Some(reader) = reader else { return Ok(()) };
        self.structures(&reader)?;
        if let (Some(schema), true) = (schema, self.report.problems.len() == before) {
            self.documents(&reader, schema)?;
        }
        let live = self.try_to(&segment.info.name, || live_docs(store, &reader, segment))?;
        self.report.docs += u64::from(live.unwrap_or(0));
        Ok(())
    }

    fn structures(&mut self, reader: &SegmentReader) -> Result<()> {
        let (info, cancel) = (reader.info(), self.cancel);
        let name = |files: &[envelope::FileEntry]| {
            files.first().map_or_else(|| info.name.clone(), |file| file.name.clone())
        };
        let mut found = Vec::new();
        let stored = self.try_to(&name(&info.stored.files), || Ok(reader.stored().verify(cancel)?))?;
        found.extend(stored.unwrap_or_default());
        let keys = self.try_to(&name(&info.keys.files), || Ok(reader.keys().verify(cancel)?))?;
        found.extend(keys.unwrap_or_default());
        if let (Some(postings), Some(written)) = (reader.postings(), &info.postings) {
            let problems = self.try_to(&name(&written.files), || Ok(postings.verify(cancel)?))?;
            found.extend(problems.unwrap_or_default());
        }
        if let (Some(columns), Some(written)) = (reader.columns(), &info.columns) {
            let problems = self.try_to(&name(&written.files), || Ok(columns.verify(cancel)?))?;
            found.extend(problems.unwrap_or_default());
        }
        if let (Some(sparse), Some(written)) = (reader.sparse(), &info.sparse) {
            let problems = self.try_to(&name(&written.files), || Ok(sparse.verify(cancel)?))?;
            found.extend(problems.unwrap_or_default());
        }
        for (vectors, written) in reader.vectors().iter().zip(&info.vectors) {
            let file = name(&written.structure.files);
            let problems = self.try_to(&file, || Ok(vectors.reader.verify(cancel)?))?;
            let problems = problems.unwrap_or_default();
            if problems.is_empty() {
                let searches = self.try_to(&file, || Ok(vectors.reader.search_selves(cancel)?))?;
                if let Some(SelfSearches { searched, found }) = searches.flatten() {
                    self.report.self_searches.push(SelfSearchCheck { file, searched, found });
                }
            }
            found.extend(problems);
        }
        self.report.problems.extend(found);
        Ok(())
    }

    /// Every stored document is JSON, and has the key by which it is found.
    fn documents(&mut self, reader: &SegmentReader, schema: &Schema) -> Result<()> {
        let info = reader.info();
        let file = info.stored.files.first().map_or(&info.name, |file| &file.name).clone();
        let (mut stored, mut found) = (Vec::new(), 0);
        for doc in 0..reader.max_doc() {
            let problem = self.try_to(&file, || {
                let key = reader.keys().key(doc)?;
                reader.stored().get(doc, &mut stored)?;
                Ok(document_problem(schema.key().name(), key, &stored))
            })?;
            let Some(problem) = problem.flatten() else { continue };
            let problem = format!("document {doc}: {problem}");
            self.report.problems.push(Problem { file: file.clone(), problem });
            found += 1;
            if found == MAX_PROBLEMS {
                break;
            }
        }
        Ok(())
    }

    /// The commits that are kept beside the newest one: their segments that it does not have.
    fn older_commits(&mut self, newest: &CommitInfo, names: &[String]) -> Result<()> {
        let mut seen: HashSet<CommitSegment> = newest.segments.iter().cloned().collect();
        let docs = self.report.docs;
        for (tag, generation) in &newest.tags {
            let file = manifest::commit_file(*generation);
            if !names.contains(&file) {
                let problem = format!("tag {tag:?} names it, and it is gone");
                self.report.problems.push(Problem { file, problem });
            }
        }
        for generation in kept_generations(newest, names) {
            let (store, file) = (self.store, manifest::commit_file(generation));
            let read = || recover::read(&*store.directory, &store.registry, generation);
            let Some(commit) = self.try_to(&file, read)? else { continue };
            let schema = self.commit(&file, &commit)?;
            for segment in commit.segments {
                if seen.insert(segment.clone()) {
                    self.segment(&segment, schema.as_ref())?;
                }
            }
        }
        self.report.docs = docs;
        Ok(())
    }

    /// A key has one live document at most, in all segments together.
    fn unique_keys(&mut self, commit: &CommitInfo) -> Result<()> {
        if !self.report.ok() {
            return Ok(());
        }
        let store = self.store;
        let file = manifest::commit_file(commit.generation);
        let open = || store.newest_commit(Default::default());
        let Some(snapshot) = self.try_to(&file, open)? else { return Ok(()) };
        let mut seen = HashSet::new();
        for segment in &snapshot.segments {
            for doc in (0..segment.reader.max_doc()).filter(|&doc| segment.is_live(doc)) {
                let key = segment.reader.keys().key(doc)?;
                if !seen.insert(key.to_owned()) {
                    let problem = format!("key {key:?} has more than one live document");
                    let file = segment.reader.info_file().name.clone();
                    self.report.problems.push(Problem { file, problem });
                }
            }
        }
        Ok(())
    }
}

/// Problems of the documents of one segment that are listed.
const MAX_PROBLEMS: usize = 100;

fn document_problem(key_field: &str, key: &str, stored: &[u8]) -> Option<String> {
    match Document::from_slice(stored).as_ref().map(|document| document.get(key_field)) {
        Ok(Some(Value::Text(own))) if own == key => None,
        Ok(Some(own)) => Some(format!("its key is {key:?}, but {} is stored", own.describe())),
        Ok(None) => Some(format!("its key is {key:?}, but none is stored")),
        Err(error) => Some(format!("its key is {key:?}, and what is stored cannot be read: {error}")),
    }
}

fn open_segment(store: &Store, segment: &CommitSegment) -> Result<SegmentReader> {
    SegmentReader::open(&*store.directory, &store.registry, &store.pins, &segment.info, segment.id)
}

fn live_docs(store: &Store, reader: &SegmentReader, segment: &CommitSegment) -> Result<u32> {
    let Some(info) = &segment.live_docs else { return Ok(reader.max_doc()) };
    Ok(crate::reader::read_live_docs(&*store.directory, &store.registry, reader, info)?.count())
}

/// The problem that an error tells of: of the file it names, or of `file`.
pub(super) fn problem_of(file: &str, error: Error) -> Problem {
    use lucerne_codec::Error as Codec;
    let named = match &error {
        Error::Codec(
            Codec::Io { file, .. }
            | Codec::Corrupt { file, .. }
            | Codec::UnsupportedVersion { file, .. }
            | Codec::UnknownFormat { file, .. },
        ) => file,
        _ => file,
    };
    Problem { file: named.to_owned(), problem: error.to_string() }
}
