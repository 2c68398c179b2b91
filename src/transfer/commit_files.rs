//! The files of a commit, open, to be copied to a place that is no folder: the receiver's half is [`super::receive`].

use super::backup::{backed_up, check_committed};
use crate::commit::manifest;
use crate::directory::RamDirectory;
use crate::error::Result;
use crate::index::Index;
use crate::reader::Snapshot;
use crate::search::Searcher;
use lucerne_codec::envelope::FileEntry;
use lucerne_codec::{Directory, Input, SegmentId};

/// A file of a commit. On Unix it stays readable whatever a writer deletes.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct CommitFile {
    /// Name, length in bytes and checksum.
    pub entry: FileEntry,
    /// The segment that it belongs to.
    pub segment: SegmentId,
    /// Its bytes, not verified yet: [`verify_checksum`](lucerne_codec::envelope::verify_checksum) reads them all.
    pub input: Input,
}

/// A commit and all its files, as a copy of it has them.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct CommitFiles {
    /// Generation of the commit.
    pub generation: u64,
    /// Documents in it, without deleted ones.
    pub docs: u64,
    /// Id of the first segment that the index ever had: commits of one index, and copies of it, have the same. `None` while it had no
    /// documents.
    pub lineage: Option<SegmentId>,
    /// Name, length in bytes and checksum of the commit file.
    pub commit: FileEntry,
    /// Its bytes: those of the index's own but for its tags, of which only those of this commit are there.
    pub commit_bytes: Vec<u8>,
    /// Every other file.
    pub files: Vec<CommitFile>,
}

impl Index {
    /// Opens every file of the newest commit, whoever wrote it, to be copied.
    ///
    /// # Errors
    /// As [`Index::searcher`].
    pub fn commit_files(&self) -> Result<CommitFiles> {
        let opened = self.store.newest_commit_with(self.on_damage(), commit_files)?;
        Ok(opened.1)
    }
}

impl Searcher {
    /// Opens every file of the commit that this searcher shows, to be copied.
    ///
    /// # Errors
    /// [`Error::Invalid`](crate::Error::Invalid) when it shows changes that no commit has; [`crate::ErrorKind::NotFound`]
    /// when a writer of another process has deleted its files: take a new searcher.
    pub fn commit_files(&self) -> Result<CommitFiles> {
        check_committed(self.snapshot())?;
        commit_files(self.snapshot())
    }
}

fn commit_files(snapshot: &Snapshot) -> Result<CommitFiles> {
    let commit = &*snapshot.commit;
    let mut files = Vec::new();
    for (segment, open) in commit.info.segments.iter().zip(&snapshot.segments) {
        let live = segment.live_docs.iter().map(|live| &live.file);
        for entry in open.reader.files().chain(live) {
            let input = commit.directory.open(&entry.name)?;
            files.push(CommitFile { entry: entry.clone(), segment: segment.id, input });
        }
    }
    let info = backed_up(&commit.info);
    let (memory, name) = (RamDirectory::new(), manifest::commit_file(info.generation));
    let entry = commit.registry.commit.write(&memory, &name, &info)?;
    Ok(CommitFiles {
        generation: info.generation,
        docs: snapshot.live_docs(),
        lineage: info.lineage,
        commit_bytes: memory.open(&name)?.bytes().to_vec(),
        commit: entry,
        files,
    })
}
