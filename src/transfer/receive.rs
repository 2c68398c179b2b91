//! A commit that arrives from elsewhere, in a folder that holds an earlier one of the same index, or nothing: as a backup
//! does, of which the receiver sees the other end only.
//!
//! Files that an interrupted attempt has brought are not asked for again: they have their names, so they are whole.

use super::backup::{BackupReport, backed_up};
use super::backup_folder::{BackupFolder, Unfinished};
use super::incoming::{Incoming, check_name};
use crate::commit::manifest;
use crate::directory::RamDirectory;
use crate::error::{Error, Result};
use crate::index::IndexBuilder;
use lucerne_codec::commit::CommitInfo;
use lucerne_codec::envelope::{self, FileEntry};
use lucerne_codec::{Directory, Registry};
use std::collections::HashSet;
use std::sync::Arc;

/// The commit file that arrives: [`CommitFiles`](super::CommitFiles) has both parts.
#[derive(Clone, Copy, Debug)]
pub struct ReceivedCommit<'a> {
    /// Its generation.
    pub generation: u64,
    /// The bytes of the commit file.
    pub bytes: &'a [u8],
}

/// Makes a folder hold a commit that arrives from elsewhere, in the place of the earlier one that it holds. `fetch` is
/// given the files that are not there, twice: first those that say what else is needed, then the rest. It must bring each
/// of them by [`Incoming::create`] and [`Incoming::finish`], on as many threads as it likes. `formats` read the commit.
///
/// When this returns, the commit is durable; until then, whatever happens, the folder holds the one before it. The folder is a
/// backup as that of [`Index::backup_to`](crate::Index::backup_to) is: to be opened, checked and searched in place, and
/// not to be written to. Every byte that arrives is verified; files that were there are compared by their lengths and
/// checksum fields, those that an interrupted attempt has left by every byte.
///
/// ```
/// use lucerne::directory::RamDirectory;
/// use lucerne::index::IndexBuilder;
/// use lucerne::transfer::{ReceivedCommit, receive};
/// use lucerne::{Document, Index, Schema};
/// use std::sync::Arc;
///
/// let folder = tempfile::tempdir()?;
/// let index = Index::create(folder.path(), Schema::builder().key("id").build()?)?;
/// let writer = index.writer()?;
/// writer.add(&Document::new().with("id", "a"))?;
/// writer.commit()?;
///
/// let sent = index.commit_files()?;
/// let (to, commit) = (Arc::new(RamDirectory::new()), ReceivedCommit { generation: sent.generation, bytes: &sent.commit_bytes });
/// let report = receive(IndexBuilder::new(), to.clone(), commit, |incoming, files| {
///     for file in files {
///         let Some(sent) = sent.files.iter().find(|sent| sent.entry == *file) else { continue };
///         let mut output = incoming.create(file)?;
///         output.write(sent.input.bytes())?;
///         output.finish()?;
///         incoming.finish(file)?;
///     }
///     Ok::<(), lucerne::Error>(())
/// })?;
/// assert_eq!((report.docs, report.copied_files), (1, 3));
/// assert_eq!(IndexBuilder::new().open(to)?.searcher()?.len(), 1);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// [`Error::NotABackup`] when the directory holds anything but an earlier commit of this index that nobody has written to;
/// [`Error::Locked`] while somebody has a writer on it or another commit arrives there; [`crate::ErrorKind::Corrupt`] when
/// the commit is damaged or names what cannot be its own; what `fetch` says.
pub fn receive<E: From<Error>>(
    formats: IndexBuilder,
    directory: Arc<dyn Directory>,
    commit: ReceivedCommit<'_>,
    mut fetch: impl FnMut(&Incoming, &[FileEntry]) -> Result<(), E>,
) -> Result<BackupReport, E> {
    let registry = formats.registry();
    let wanted = read_commit(registry, commit)?;
    let own = manifest::commit_file(wanted.generation);
    let folder = BackupFolder::open(directory, registry, &wanted, Unfinished::Keep)?;
    let incoming = Incoming::new(folder.directory());
    let mut report = BackupReport { generation: wanted.generation, ..Default::default() };
    let mut files = Files::default();

    for segment in &wanted.segments {
        files.add(&own, &segment.info)?;
        segment.live_docs.iter().try_for_each(|live| files.add(&own, &live.file))?;
    }
    files.bring_new(&folder, &incoming, &mut fetch, &mut report)?;
    for segment in &wanted.segments {
        let info = registry.segment_info.read(&**folder.directory(), &segment.info, segment.id);
        let info = info.map_err(Error::from)?;
        let deleted = segment.live_docs.as_ref().map_or(0, |live| live.deleted);
        report.docs += u64::from(info.max_doc.saturating_sub(deleted));
        info.files().try_for_each(|file| files.add(&segment.info.name, file))?;
    }
    files.bring_new(&folder, &incoming, &mut fetch, &mut report)?;

    if !folder.is_at(&wanted) || report.copied_files > 0 {
        folder.prepare(&wanted, &[])?;
        folder.publish(&wanted)?;
    }
    folder.collect(&files.names.iter().map(String::as_str).chain([&*own]).collect())?;
    Ok(report)
}

/// What the commit needs.
#[derive(Default)]
struct Files {
    names: HashSet<String>,
    /// Those that nobody has looked for yet.
    new: Vec<FileEntry>,
}

impl Files {
    /// A file that the file `named_by` names.
    fn add(&mut self, named_by: &str, file: &FileEntry) -> Result<()> {
        check_name(named_by, file)?;
        if !self.names.insert(file.name.clone()) {
            let problem = format!("{} was named before", file.name);
            return Err(lucerne_codec::Error::corrupt(named_by, 0, problem).into());
        }
        self.new.push(file.clone());
        Ok(())
    }

    /// Has those of the new files brought that are not there.
    fn bring_new<E: From<Error>>(
        &mut self,
        folder: &BackupFolder<'_>,
        incoming: &Incoming,
        fetch: &mut impl FnMut(&Incoming, &[FileEntry]) -> Result<(), E>,
        report: &mut BackupReport,
    ) -> Result<(), E> {
        let mut missing = Vec::new();
        for file in self.new.drain(..) {
            report.files += 1;
            report.bytes += file.len;
            if !folder.has(&file)? && !left_whole(folder, &file)? {
                folder.make_room_for(&file)?;
                missing.push(file);
            }
        }
        if missing.is_empty() {
            return Ok(());
        }
        fetch(incoming, &missing)?;
        incoming.check_arrived(&missing)?;
        report.copied_files += missing.len();
        report.copied_bytes += missing.iter().map(|file| file.len).sum::<u64>();
        Ok(())
    }
}

/// True when an interrupted attempt has brought the file: no backup names it yet, so all of it is read.
fn left_whole(folder: &BackupFolder<'_>, file: &FileEntry) -> Result<bool> {
    match envelope::verify_entry(&**folder.directory(), file) {
        Ok(()) => Ok(true),
        Err(lucerne_codec::Error::Corrupt { .. }) => Ok(false),
        Err(error) if error.is_not_found() => Ok(false),
        Err(error) => Err(error.into()),
    }
}

/// The commit as the folder will have it.
fn read_commit(registry: &Registry, commit: ReceivedCommit<'_>) -> Result<CommitInfo> {
    let (memory, name) = (RamDirectory::new(), manifest::commit_file(commit.generation));
    let mut output = memory.create(&name)?;
    output.write(commit.bytes)?;
    output.finish()?;
    Ok(backed_up(&registry.commit.read(&memory, &name, commit.generation)?))
}
