//! The two phases of a commit. The only place that renames.

use super::manifest;
use crate::error::Result;
use lucerne_codec::commit::CommitInfo;
use lucerne_codec::envelope::FileEntry;
use lucerne_codec::{Directory, Registry};

/// Why a phase failed: whether the files may still be trusted.
pub(crate) struct Failure {
    pub(crate) error: lucerne_codec::Error,
    /// True after a failed sync or rename: what reached the disk is unknown, and the writer must not go on.
    pub(crate) fatal: bool,
}

impl Failure {
    fn fatal(error: lucerne_codec::Error) -> Self {
        Self { error, fatal: true }
    }
}

/// First phase: everything durable but not yet visible. `new_files` are the files no durable commit names.
pub(crate) fn prepare(
    directory: &dyn Directory,
    registry: &Registry,
    commit: &CommitInfo,
    new_files: &[String],
) -> std::result::Result<(), Failure> {
    for file in new_files {
        directory.sync(file).map_err(Failure::fatal)?;
    }
    let pending = manifest::pending_file(commit.generation);
    let written = registry.commit.write(directory, &pending, commit);
    if let Err(error) = written {
        // The half-written file is of no use; if it cannot be deleted now, the next writer does.
        let _ = directory.delete(&pending);
        return Err(Failure { error, fatal: false });
    }
    directory.sync(&pending).map_err(Failure::fatal)?;
    // The names of the segments' files and of the pending commit, before anything points at them.
    directory.sync_dir().map_err(Failure::fatal)
}

/// Second phase: the commit becomes visible, then durable. When this returns `Ok`, it is acknowledged.
pub(crate) fn publish(directory: &dyn Directory, generation: u64) -> std::result::Result<(), Failure> {
    let (pending, name) = (manifest::pending_file(generation), manifest::commit_file(generation));
    directory.rename(&pending, &name).map_err(Failure::fatal)?;
    directory.sync_dir().map_err(Failure::fatal)
}

/// Takes a prepared commit back.
pub(crate) fn abandon(directory: &dyn Directory, generation: u64) -> Result<()> {
    Ok(directory.delete(&manifest::pending_file(generation))?)
}

/// Makes a segment that no commit names durable, for another process to take: every file is synced while the
/// segment info has a temporary name; then it gets its own, and the folder is synced.
pub(crate) fn built_segment<'a>(
    directory: &dyn Directory,
    info: &FileEntry,
    files: impl Iterator<Item = &'a FileEntry>,
) -> Result<()> {
    let temporary = format!("{}.tmp", info.name);
    directory.rename(&info.name, &temporary)?;
    for file in files {
        directory.sync(&file.name)?;
    }
    directory.sync(&temporary)?;
    directory.sync_dir()?;
    directory.rename(&temporary, &info.name)?;
    Ok(directory.sync_dir()?)
}

/// Gives a file that arrived from elsewhere its name, when all of it is durable: whoever finds it by that name has it
/// whole. The name is durable with the commit.
pub(crate) fn arrived(directory: &dyn Directory, part: &str, name: &str) -> Result<()> {
    directory.sync(part)?;
    Ok(directory.rename(part, name)?)
}
