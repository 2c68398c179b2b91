//! The folder that a backup goes to: what may be in it, what of it can stay, and how a new backup takes the place of the
//! one before it.

use super::incoming;
use crate::commit::manifest::{self, FileKind};
use crate::commit::{OwnedDirectory, gc, lock, publish, recover};
use crate::directory::place;
use crate::error::{Error, ErrorKind, Result};
use lucerne_codec::commit::{CommitInfo, CommitOrigin};
use lucerne_codec::envelope::{self, FileEntry};
use lucerne_codec::{Directory, Registry};
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

/// Marks a folder whose first backup may not have ended: whatever else it holds is part of one.
const MARKER: &str = "lucerne-backup";

const MARKER_TEXT: &[u8] =
    b"This folder holds a backup of a lucerne index. It can be opened and searched in place. To go\n\
on writing, copy it to another folder first: a folder that was written to takes no more backups.\n";

/// What becomes of files that the folder's backup does not name: a backup that did not end has left them.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Unfinished {
    /// They go: nobody knows how much of them has reached the disk.
    Remove,
    /// They stay until the new backup is there: they have got their names after all of them had reached the disk.
    Keep,
}

/// A folder that is locked and may take the backup.
pub(super) struct BackupFolder<'a> {
    directory: Arc<OwnedDirectory>,
    registry: &'a Registry,
    /// The backup that is there.
    previous: Option<CommitInfo>,
    /// Its files, by name.
    files: HashMap<String, FileEntry>,
}

impl<'a> BackupFolder<'a> {
    /// Takes the folder's lock, unless it holds anything but a backup before `wanted` of the same index.
    pub(super) fn open(
        directory: Arc<dyn Directory>,
        registry: &'a Registry,
        wanted: &CommitInfo,
        unfinished: Unfinished,
    ) -> Result<Self> {
        // Before the lock's file is created: in a folder of somebody else nothing is.
        previous_backup(&*directory, registry, wanted)?;
        let lock = lock::take(&*directory, "taking a backup")?;
        let previous = previous_backup(&*directory, registry, wanted)?;
        let directory = Arc::new(OwnedDirectory::new(directory, lock));
        if !directory.list()?.iter().any(|name| name == MARKER) {
            let mut marker = directory.create(MARKER)?;
            marker.write(MARKER_TEXT)?;
            marker.finish()?;
            directory.sync(MARKER)?;
        }
        // The marker's name; and the commit of a backup that died between its last two steps.
        directory.sync_dir()?;
        let files = previous.as_ref().map(|commit| files_of(&*directory, registry, commit));
        let folder = Self { directory, registry, previous, files: files.unwrap_or_default() };
        folder.remove_unfinished(unfinished)?;
        Ok(folder)
    }

    pub(super) fn directory(&self) -> &Arc<OwnedDirectory> {
        &self.directory
    }

    fn remove_unfinished(&self, unfinished: Unfinished) -> Result<()> {
        let names = self.directory.list()?;
        // The commit of one that died is written anew.
        let is_pending = |name: &str| matches!(manifest::classify(name), FileKind::Pending(_));
        for name in names.iter().filter(|name| incoming::is_part(name) || is_pending(name)) {
            self.directory.delete(name)?;
        }
        if unfinished == Unfinished::Keep {
            return Ok(());
        }
        let own = self.previous.as_ref().map(|commit| manifest::commit_file(commit.generation));
        let keep = |name: &str| own.as_deref() == Some(name) || self.files.contains_key(name);
        gc::collect(&*self.directory, self.registry, &names, keep);
        Ok(())
    }

    /// True when the backup before has the file, whole as far as its length and checksum tell.
    pub(super) fn has(&self, wanted: &FileEntry) -> Result<bool> {
        match self.files.get(&wanted.name) {
            Some(there) if there == wanted => {}
            Some(_) => {
                let problem = format!("its {} is another file of that name: another history", wanted.name);
                return Err(self.refused(problem));
            }
            None => return Ok(false),
        }
        let input = match self.directory.open(&wanted.name) {
            Ok(input) => input,
            Err(error) if error.is_not_found() => return Ok(false),
            Err(error) => return Err(error.into()),
        };
        let whole = input.len() as u64 == wanted.len && envelope::has_header(&input);
        Ok(whole && envelope::stored_checksum(&input)? == wanted.crc32)
    }

    /// Deletes a file of that name: it is damaged, or could not be deleted before.
    pub(super) fn make_room_for(&self, file: &FileEntry) -> Result<()> {
        incoming::delete_if_there(&*self.directory, &file.name)
    }

    /// Makes everything durable, and nothing visible.
    pub(super) fn prepare(&self, commit: &CommitInfo, copied: &[String]) -> Result<()> {
        let prepared = publish::prepare(&*self.directory, self.registry, commit, copied);
        Ok(prepared.map_err(|failure| failure.error)?)
    }

    /// Makes a prepared commit the one in force.
    pub(super) fn publish(&self, commit: &CommitInfo) -> Result<()> {
        let published = publish::publish(&*self.directory, commit.generation);
        Ok(published.map_err(|failure| failure.error)?)
    }

    /// True when the commit is in force already.
    pub(super) fn is_at(&self, commit: &CommitInfo) -> bool {
        self.previous.as_ref() == Some(commit)
    }

    /// Deletes what is not among `files`.
    pub(super) fn collect(&self, files: &HashSet<&str>) -> Result<()> {
        let names = self.directory.list()?;
        gc::collect(&*self.directory, self.registry, &names, |name| files.contains(name));
        Ok(())
    }

    fn refused(&self, problem: String) -> Error {
        Error::NotABackup { folder: place(&*self.directory), problem }
    }
}

/// The backup that a folder holds, if it may be replaced by `wanted`.
fn previous_backup(
    directory: &dyn Directory,
    registry: &Registry,
    wanted: &CommitInfo,
) -> Result<Option<CommitInfo>> {
    let refuse = |problem: String| Err(Error::NotABackup { folder: place(directory), problem });
    let names = directory.taken_names()?;
    let marked = names.iter().any(|name| name == MARKER);
    let newest = manifest::generations(&names).first().copied();
    let previous = match newest.map(|generation| recover::read(directory, registry, generation)) {
        Some(Ok(previous)) => previous,
        // Another backup has replaced it meanwhile; with the lock there is none.
        Some(Err(error)) if marked && recover::is_missing(&error) => return Ok(None),
        Some(Err(error)) if error.kind() == ErrorKind::Corrupt => {
            return refuse(format!("its commit is damaged: {error}"));
        }
        Some(Err(error)) => return Err(error),
        // One that did not end.
        None if marked => return Ok(None),
        None => {
            return match names.iter().find(|name| *name != manifest::LOCK_FILE) {
                None => Ok(None),
                Some(name) => refuse(format!("it has other files, {name:?} for example")),
            };
        }
    };
    if previous.origin != CommitOrigin::Backup {
        return refuse("it holds an index that was written to, not a backup".to_owned());
    }
    if previous.lineage.is_some() && previous.lineage != wanted.lineage {
        return refuse("it holds a backup of another index".to_owned());
    }
    let (there, generation) = (previous.generation, wanted.generation);
    if there > generation {
        return refuse(format!("its backup of commit {there} is newer than commit {generation}"));
    }
    if there == generation && previous != *wanted {
        return refuse(format!("its commit {there} is another one: another history"));
    }
    Ok(Some(previous))
}

/// Every file of the backup's segments; those whose segment info cannot be read are copied again.
fn files_of(
    directory: &dyn Directory,
    registry: &Registry,
    commit: &CommitInfo,
) -> HashMap<String, FileEntry> {
    let mut files = HashMap::new();
    let mut add = |file: &FileEntry| drop(files.insert(file.name.clone(), file.clone()));
    for segment in &commit.segments {
        segment.live_docs.iter().for_each(|live| add(&live.file));
        if let Ok(info) = registry.segment_info.read(directory, &segment.info, segment.id) {
            info.files().for_each(&mut add);
            add(&segment.info);
        }
    }
    files
}
