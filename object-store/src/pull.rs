//! A commit from the store, in a folder.

use crate::commits;
use crate::download::download;
use crate::error::{Error, Result};
use crate::layout;
use crate::record::{FileRecord, Record};
use crate::remote::{AT_ONCE, Remote};
use lucerne::codec::envelope::FileEntry;
use lucerne::directory::FsDirectory;
use lucerne::index::IndexBuilder;
use lucerne::transfer::{Incoming, ReceivedCommit, receive};
use lucerne::{Cancel, Index, Progress};
use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;

/// Newer commits that are tried when one was swept while it was pulled.
const MOST_COMMITS: u32 = 3;

/// Which commit is pulled.
#[derive(Clone, Copy, Debug, Default)]
pub struct PullOptions {
    generation: Option<u64>,
}

impl PullOptions {
    /// The newest one.
    pub fn new() -> Self {
        Self::default()
    }

    /// The one of that generation ([`crate::list_commits`]). A folder that holds a newer one is refused.
    #[must_use]
    pub fn generation(mut self, generation: u64) -> Self {
        self.generation = Some(generation);
        self
    }
}

/// What a pulled commit consists of, and what of it was downloaded now.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct PullReport {
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
    /// Files downloaded now; the others were there.
    pub downloaded_files: usize,
    /// Their bytes.
    pub downloaded_bytes: u64,
}

/// Pulls a commit into the folder `path`, which is created if need be. A folder that holds an earlier commit of the index
/// is brought up to date: only new files are downloaded, and those that are needed no more are deleted. `progress` is told bytes, of
/// what is known to be missing.
///
/// When this returns, the commit is durable in the folder; until then, whatever happens, the folder holds the one before it, and
/// readers of it go on. The folder is a backup of the index ([`lucerne::transfer::receive`]): to be opened, checked
/// and searched in place. A folder that was written to takes no more commits.
///
/// # Errors
/// [`Error::NoCommit`], [`Error::NoSuchCommit`]; [`Error::Damaged`] and [`Error::Gone`] when something is wrong in the
/// store; [`Error::Store`] when it cannot be reached; [`lucerne::Error::NotABackup`] when the folder holds anything else, or a
/// newer commit; [`lucerne::Error::Locked`] while somebody else pulls into it.
pub fn pull(
    remote: &Remote,
    path: impl AsRef<Path>,
    options: &PullOptions,
    cancel: &Cancel,
    progress: &dyn Progress,
) -> Result<PullReport> {
    let mut pulled = 1;
    loop {
        let (number, record) = find(remote, options, cancel)?;
        match bring(remote, path.as_ref(), number, &record, cancel, progress) {
            Err(Error::Gone { .. }) if options.generation.is_none() && pulled < MOST_COMMITS => pulled += 1,
            report => return report,
        }
    }
}

/// Pulls a commit into the folder `cache`, as [`pull`] does, and opens it. Read only: a writer on it would make it an index of
/// its own, which takes no more commits. When the store cannot be reached, what was pulled before can be opened by
/// [`Index::open`].
///
/// # Errors
/// As [`pull`] and [`Index::open`].
pub fn open(
    remote: &Remote,
    cache: impl AsRef<Path>,
    options: &PullOptions,
    cancel: &Cancel,
    progress: &dyn Progress,
) -> Result<(Index, PullReport)> {
    let report = pull(remote, cache.as_ref(), options, cancel, progress)?;
    Ok((Index::open(cache)?, report))
}

fn find(remote: &Remote, options: &PullOptions, cancel: &Cancel) -> Result<(u64, Record)> {
    let prefix = || remote.shown();
    let Some(generation) = options.generation else {
        return commits::newest(remote, cancel)?.ok_or_else(|| Error::NoCommit { prefix: prefix() });
    };
    let read = commits::read_all(remote, &commits::list(remote, cancel)?, cancel)?;
    let there: Vec<String> = read.iter().map(|(_, record)| record.generation.to_string()).collect();
    if there.is_empty() {
        return Err(Error::NoCommit { prefix: prefix() });
    }
    let found = read.into_iter().find(|(_, record)| record.generation == generation);
    let found = found.map(|(listed, record)| (listed.number, record));
    found.ok_or_else(|| Error::NoSuchCommit { prefix: prefix(), generation, there: there.join(", ") })
}

fn bring(
    remote: &Remote,
    path: &Path,
    number: u64,
    record: &Record,
    cancel: &Cancel,
    progress: &dyn Progress,
) -> Result<PullReport> {
    let object = layout::commit(&remote.prefix, number);
    let known: HashMap<&str, &FileRecord> = record.files.iter().map(|file| (&*file.name, file)).collect();
    let (mut done, mut total) = (0, 0);
    let fetch = |incoming: &Incoming, files: &[FileEntry]| {
        let mut jobs = Vec::new();
        for file in files {
            total += file.len;
            let known = known.get(&*file.name).filter(|known| known.entry() == *file).ok_or_else(|| {
                Error::damaged(&object, format!("it needs {}, and does not say where that is", file.name))
            })?;
            let object = layout::file(&remote.prefix, known.segment, file);
            let (remote, incoming, file, generation) =
                (remote.clone(), incoming.clone(), file.clone(), record.generation);
            jobs.push(async move { download(&remote, &object, &file, generation, &incoming).await });
        }
        remote.run_all(cancel, jobs, AT_ONCE, |len| {
            done += len;
            progress.report("download", done, total);
            Ok(())
        })
    };
    let directory = Arc::new(FsDirectory::create(path)?);
    let commit = ReceivedCommit { generation: record.generation, bytes: &record.commit };
    let report = receive(IndexBuilder::new(), directory, commit, fetch)?;
    Ok(PullReport {
        number,
        generation: report.generation,
        docs: report.docs,
        files: report.files,
        bytes: report.bytes,
        downloaded_files: report.copied_files,
        downloaded_bytes: report.copied_bytes,
    })
}
