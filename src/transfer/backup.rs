//! A commit copied to another folder while a writer goes on.
//!
//! Every file is opened before the first one is copied: on Unix it stays readable when the writer deletes it. Files of
//! the backup before it that are the same are not copied. The new commit is published as a writer's is, so that the
//! folder holds one of the two backups whole whenever it ends.

use super::backup_folder::{BackupFolder, Unfinished};
use super::copy::{self, OpenFile};
use crate::commit::{NewFiles, manifest};
use crate::directory::{FsDirectory, is_inside, place};
use crate::error::{Error, Result};
use crate::index::Index;
use crate::reader::Snapshot;
use crate::search::Searcher;
use lucerne_codec::commit::{CommitInfo, CommitOrigin};
use lucerne_codec::{Cancel, Directory, Progress};
use std::path::Path;
use std::sync::Arc;

/// What a backup consists of, and what of it was copied now.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct BackupReport {
    /// Generation of the commit that was backed up.
    pub generation: u64,
    /// Documents in it, without deleted ones.
    pub docs: u64,
    /// Files of the backup but the commit itself.
    pub files: usize,
    /// Their bytes.
    pub bytes: u64,
    /// Files copied now; the others were there.
    pub copied_files: usize,
    /// Their bytes.
    pub copied_bytes: u64,
}

impl Index {
    /// Copies the newest commit to the folder `path`, which is created if need be, while this or another process goes on
    /// writing. A folder that holds an earlier backup is brought up to date: only new files are copied, and those that
    /// are needed no more are deleted.
    ///
    /// Every copied file is read back and its checksum compared. When this returns, the backup is durable; until then,
    /// whatever happens, the folder holds the backup before it. It is an index like any other, to be opened, checked and
    /// searched in place; user data is in it, older commits and their tags are not. To restore, copy it to where the index
    /// was: a folder that was written to takes no more backups.
    ///
    /// ```
    /// # let folder = tempfile::tempdir().unwrap();
    /// # let (live, backup) = (folder.path().join("live"), folder.path().join("backup"));
    /// use lucerne::{Document, Index, Schema};
    ///
    /// let index = Index::create(&live, Schema::builder().key("id").build()?)?;
    /// let writer = index.writer()?;
    /// writer.add(&Document::new().with("id", "a"))?;
    /// writer.commit()?;
    /// assert_eq!(index.backup_to(&backup)?.copied_files, 3);
    /// assert_eq!(index.backup_to(&backup)?.copied_files, 0, "all of it is there");
    /// assert_eq!(Index::open(&backup)?.searcher()?.len(), 1);
    /// # Ok::<(), lucerne::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::NotABackup`] when the folder is the index's own or inside of it, or holds anything but an earlier backup of this index
    /// that nobody has written to; [`Error::Locked`] while somebody has a writer on it or takes a backup there;
    /// [`crate::ErrorKind::Corrupt`] with the name of a file of this index that is damaged.
    pub fn backup_to(&self, path: impl AsRef<Path>) -> Result<BackupReport> {
        let directory = backup_folder_at(&*self.store.directory, path.as_ref())?;
        self.backup_in(directory, &Cancel::new(), &())
    }

    /// Like [`Index::backup_to`], to any directory; it can be cancelled, and its progress watched.
    ///
    /// # Errors
    /// As [`Index::backup_to`].
    pub fn backup_in(
        &self,
        directory: Arc<dyn Directory>,
        cancel: &Cancel,
        progress: &dyn Progress,
    ) -> Result<BackupReport> {
        let (snapshot, sources) = self.store.newest_commit_with(self.on_damage(), open_all)?;
        back_up(&snapshot, &sources, directory, cancel, progress)
    }
}

impl Searcher {
    /// Copies the commit that this searcher shows to the folder `path`, as [`Index::backup_to`] does with the newest one.
    /// A writer of this process keeps its files for as long as the searcher lives.
    ///
    /// # Errors
    /// As [`Index::backup_to`]; [`Error::Invalid`] when it shows changes that no commit has;
    /// [`crate::ErrorKind::NotFound`] when a writer of another process has deleted its files: take a new searcher, or call
    /// [`Index::backup_to`], which does.
    pub fn backup_to(&self, path: impl AsRef<Path>) -> Result<BackupReport> {
        let directory = backup_folder_at(&*self.snapshot().commit.directory, path.as_ref())?;
        self.backup_in(directory, &Cancel::new(), &())
    }

    /// Like [`Searcher::backup_to`], to any directory; it can be cancelled, and its progress watched.
    ///
    /// # Errors
    /// As [`Searcher::backup_to`].
    pub fn backup_in(
        &self,
        directory: Arc<dyn Directory>,
        cancel: &Cancel,
        progress: &dyn Progress,
    ) -> Result<BackupReport> {
        let snapshot = self.snapshot();
        check_committed(snapshot)?;
        back_up(snapshot, &open_all(snapshot)?, directory, cancel, progress)
    }
}

/// The folder for a backup; nothing is created when it is that of the index or inside of it.
fn backup_folder_at(index: &dyn Directory, path: &Path) -> Result<Arc<dyn Directory>> {
    if is_inside(index, path) {
        return Err(own_folder(path.display().to_string()));
    }
    Ok(Arc::new(FsDirectory::create(path)?))
}

fn own_folder(folder: String) -> Error {
    Error::NotABackup { folder, problem: "it is the folder of the index itself, or inside of it".to_owned() }
}

/// Only a commit can be copied.
pub(super) fn check_committed(snapshot: &Snapshot) -> Result<()> {
    if snapshot.is_committed() {
        return Ok(());
    }
    let problem = "the searcher shows changes that are not committed; commit, and back up a new searcher";
    Err(Error::Invalid(problem.to_owned()))
}

fn open_all(snapshot: &Snapshot) -> Result<Vec<OpenFile>> {
    let live_docs = snapshot.commit.info.segments.iter().filter_map(|segment| segment.live_docs.as_ref());
    let files = snapshot.segments.iter().flat_map(|segment| segment.reader.files());
    let files = files.chain(live_docs.map(|live| &live.file));
    OpenFile::all(&*snapshot.commit.directory, files)
}

/// The commit as the backup has it: alone.
pub(super) fn backed_up(info: &CommitInfo) -> CommitInfo {
    let own = info.tags.iter().filter(|(_, generation)| **generation == info.generation);
    let tags = own.map(|(tag, generation)| (tag.clone(), *generation)).collect();
    CommitInfo { origin: CommitOrigin::Backup, tags, ..info.clone() }
}

fn back_up(
    snapshot: &Snapshot,
    sources: &[OpenFile],
    directory: Arc<dyn Directory>,
    cancel: &Cancel,
    progress: &dyn Progress,
) -> Result<BackupReport> {
    let commit = &*snapshot.commit;
    if directory.path().is_some_and(|path| is_inside(&*commit.directory, path)) {
        return Err(own_folder(place(&*directory)));
    }
    let wanted = backed_up(&commit.info);
    let folder = BackupFolder::open(directory, &commit.registry, &wanted, Unfinished::Remove)?;
    let total = sources.iter().map(|source| source.entry.len).sum();
    let mut report = BackupReport {
        generation: snapshot.generation(),
        docs: snapshot.live_docs(),
        files: sources.len(),
        bytes: total,
        ..Default::default()
    };
    let new_files = NewFiles::new(&**folder.directory());
    let (mut copied, mut done) = (Vec::new(), 0);
    for OpenFile { entry, input } in sources {
        cancel.check()?;
        if !folder.has(entry)? {
            folder.make_room_for(entry)?;
            copy::verified(input, &new_files, entry, cancel)?;
            copied.push(entry.name.clone());
            report.copied_files += 1;
            report.copied_bytes += entry.len;
        }
        done += entry.len;
        progress.report("copy", done, total);
    }
    if !folder.is_at(&wanted) || !copied.is_empty() {
        folder.prepare(&wanted, &copied)?;
        new_files.keep(); // From here on they may be part of the commit in force.
        folder.publish(&wanted)?;
    }
    let own = manifest::commit_file(wanted.generation);
    folder.collect(&sources.iter().map(|source| &*source.entry.name).chain([&*own]).collect())?;
    Ok(report)
}
