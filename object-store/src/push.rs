//! A commit to the store.

use crate::commits::{self, Created};
use crate::error::{Error, Result};
use crate::layout;
use crate::record::{FileRecord, Record};
use crate::remote::{AT_ONCE, Remote};
use crate::upload::upload;
use lucerne::codec::envelope;
use lucerne::transfer::{CommitFile, CommitFiles};
use lucerne::{Cancel, Index, Progress};
use object_store::ObjectMeta;
use object_store::path::Path;
use std::collections::{HashMap, HashSet};
use std::time::{Duration, Instant, SystemTime};

/// A file that no commit names yet is used when it is so young: an interrupted push has left it. An older one is put
/// again, because a sweep may be about to delete it.
const YOUNG: Duration = Duration::from_secs(6 * 3_600);

/// After so long the newest commit is looked for once more before the new one is created.
const LONG: Duration = Duration::from_secs(3_600);

/// How a commit is pushed.
#[derive(Clone, Copy, Debug, Default)]
pub struct PushOptions {
    expected_generation: Option<u64>,
}

impl PushOptions {
    /// The commit follows whatever older one of the index is there.
    pub fn new() -> Self {
        Self::default()
    }

    /// Nothing is pushed unless the newest commit in the store is of that generation; 0: unless there is none. A commit
    /// that is there already is no conflict, so that a push whose answer got lost can be made again.
    #[must_use]
    pub fn expected_generation(mut self, generation: u64) -> Self {
        self.expected_generation = Some(generation);
        self
    }
}

/// What a pushed commit consists of, and what of it was uploaded now.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct PushReport {
    /// Number of the commit in the store, from 1.
    pub number: u64,
    /// Generation of the commit.
    pub generation: u64,
    /// Documents in it, without deleted ones.
    pub docs: u64,
    /// Its files, but the commit itself.
    pub files: usize,
    /// Their bytes.
    pub bytes: u64,
    /// Files uploaded now; the others were there.
    pub uploaded_files: usize,
    /// Their bytes.
    pub uploaded_bytes: u64,
}

/// Pushes the newest commit of an index, while this or another process goes on writing. Every file is verified, and
/// uploaded unless it is there; the commit comes last. `progress` is told bytes.
///
/// When this returns, readers see the commit; until then, whatever happens, they see the one before it. Of a commit that is
/// there already only what the store has lost is uploaded.
///
/// # Errors
/// [`Error::Conflict`] when there is a newer commit, another one of the same generation, another than was expected, or when
/// another push has won; [`Error::OtherIndex`]; [`ErrorKind::Corrupt`](lucerne::ErrorKind::Corrupt) with the name of a
/// file of the index that is damaged; [`Error::Store`].
pub fn push(
    index: &Index,
    remote: &Remote,
    options: &PushOptions,
    cancel: &Cancel,
    progress: &dyn Progress,
) -> Result<PushReport> {
    let commit = index.commit_files()?;
    let record = Record::of(&commit);
    let mut report = PushReport {
        generation: record.generation,
        docs: record.docs,
        files: record.files.len(),
        bytes: record.bytes(),
        ..Default::default()
    };
    let begun = Instant::now();
    let base = base(remote, &record, options, cancel)?;
    let before = match &base {
        // What the store has lost of it.
        Base::There(_) => Some(&record),
        Base::At(_, before) => before.as_ref(),
    };
    let missing = missing(remote, &commit, before, cancel)?;
    put_files(remote, missing, &mut report, cancel, progress)?;
    let before = match base {
        Base::There(number) => return Ok(PushReport { number, ..report }),
        Base::At(number, _) => number,
    };

    if begun.elapsed() > LONG
        && !matches!(self::base(remote, &record, options, cancel)?, Base::At(number, _) if number == before)
    {
        return Err(overtaken(remote, &record, None));
    }
    report.number = before + 1;
    match commits::create(remote, report.number, &record, cancel)? {
        Created::Yes => Ok(report),
        Created::Other(there) => Err(overtaken(remote, &record, Some(there.generation))),
    }
}

/// What a push builds upon.
enum Base {
    /// The commit is the newest one already, with that number.
    There(u64),
    /// The newest commit, an older one, has that number; 0: there is none.
    At(u64, Option<Record>),
}

fn base(remote: &Remote, record: &Record, options: &PushOptions, cancel: &Cancel) -> Result<Base> {
    let newest = commits::newest(remote, cancel)?;
    let found = newest.as_ref().map(|(_, there)| there.generation);
    if let Some((number, there)) = &newest {
        if there == record {
            return Ok(Base::There(*number));
        }
        if there.lineage.is_some() && there.lineage != record.lineage {
            return Err(Error::OtherIndex { prefix: remote.shown() });
        }
        if let Some(name) = other_file(there, record) {
            let problem = format!("the {name} there is another file of that name: another history");
            return Err(conflict(remote, record, found, problem));
        }
    }
    let problem = match (found, options.expected_generation) {
        (found, Some(expected)) if found.unwrap_or(0) != expected => match found {
            None => format!("commit {expected} was expected there, and there is none"),
            Some(found) => format!("commit {expected} was expected there, and the newest is {found}"),
        },
        (Some(found), _) if found > record.generation => format!("the newest commit there is {found}"),
        (Some(found), _) if found == record.generation => {
            format!("the commit {found} there is another one: another history")
        }
        _ => {
            let (number, record) = newest.unzip();
            return Ok(Base::At(number.unwrap_or(0), record));
        }
    };
    Err(conflict(remote, record, found, problem))
}

/// A file of both that is not the same. An index never uses a name again, so one of them was written by a copy of it.
fn other_file<'a>(there: &'a Record, record: &Record) -> Option<&'a str> {
    let ours: HashMap<&str, &FileRecord> =
        record.files.iter().map(|file| (file.name.as_str(), file)).collect();
    let other = |file: &&FileRecord| ours.get(file.name.as_str()).is_some_and(|ours| *ours != *file);
    there.files.iter().find(other).map(|file| file.name.as_str())
}

fn conflict(remote: &Remote, record: &Record, found: Option<u64>, problem: String) -> Error {
    Error::Conflict { prefix: remote.shown(), pushed: record.generation, found, problem }
}

fn overtaken(remote: &Remote, record: &Record, found: Option<u64>) -> Error {
    let other = found.map_or_else(|| "another one".to_owned(), |found| format!("commit {found}"));
    conflict(remote, record, found, format!("{other} was pushed meanwhile"))
}

/// Files that are not in the store, and their objects.
fn missing(
    remote: &Remote,
    commit: &CommitFiles,
    before: Option<&Record>,
    cancel: &Cancel,
) -> Result<Vec<(Path, CommitFile)>> {
    let named: HashSet<Path> = before
        .iter()
        .flat_map(|before| &before.files)
        .map(|file| layout::file(&remote.prefix, file.segment, &file.entry()))
        .collect();
    let there = commits::list_objects(remote, layout::files(&remote.prefix), cancel)?;
    let there: HashMap<Path, ObjectMeta> =
        there.into_iter().map(|meta| (meta.location.clone(), meta)).collect();
    let now = SystemTime::now();
    let is_there = |object: &Path, len: u64| {
        there.get(object).is_some_and(|meta| {
            let age = now.duration_since(meta.last_modified.into()).unwrap_or_default();
            meta.size == len && (named.contains(object) || age < YOUNG)
        })
    };
    let files =
        commit.files.iter().map(|file| (layout::file(&remote.prefix, file.segment, &file.entry), file));
    let missing = files.filter(|(object, file)| !is_there(object, file.entry.len));
    Ok(missing.map(|(object, file)| (object, file.clone())).collect())
}

fn put_files(
    remote: &Remote,
    missing: Vec<(Path, CommitFile)>,
    report: &mut PushReport,
    cancel: &Cancel,
    progress: &dyn Progress,
) -> Result<()> {
    let total = missing.iter().map(|(_, file)| file.entry.len).sum();
    let jobs = missing.into_iter().map(|(object, file)| {
        let remote = remote.clone();
        async move {
            tokio::task::block_in_place(|| verify(&file))?;
            upload(&remote, &object, file.input).await?;
            Ok(file.entry.len)
        }
    });
    remote.run_all(cancel, jobs, AT_ONCE, |len| {
        report.uploaded_files += 1;
        report.uploaded_bytes += len;
        progress.report("upload", report.uploaded_bytes, total);
        Ok(())
    })
}

/// Damage stays where it is.
fn verify(file: &CommitFile) -> Result<()> {
    let CommitFile { input, entry, .. } = file;
    if input.len() as u64 != entry.len || envelope::stored_checksum(input)? != entry.crc32 {
        return Err(input.corrupt(0, "not the file that was written with this segment").into());
    }
    Ok(envelope::verify_checksum(input)?)
}
