//! Arguments of `backup`, `tag`, `tags`, `untag` and `restore`.

use clap::Args;
use lucerne::index::CommitRef;
use std::path::PathBuf;

/// Copy the newest commit to another folder, while others write.
#[derive(Debug, Args)]
#[command(after_help = "\
The folder is created if need be. A folder that holds an earlier backup of the index is brought
up to date: only files it does not have are copied, files it needs no more are deleted. Every
copy is read back and verified. Until the end the folder holds the earlier backup whole.

A backup is an index: search, inspect and check work on it. To restore, copy it to where the
index was. A folder that was written to takes no more backups.

Examples:
  lucerne backup packages.idx /backups/packages.idx
  lucerne backup packages.idx /backups/v1 --at v1")]
pub(crate) struct Backup {
    /// Folder of the index.
    pub(crate) dir: PathBuf,

    /// Folder of the backup: empty, missing, or with an earlier backup of the same index.
    #[arg(value_name = "TO")]
    pub(crate) to: PathBuf,

    /// Back up a commit that is kept, given by its tag or generation, instead of the newest.
    #[arg(long, value_name = "TAG|N", value_parser = commit)]
    pub(crate) at: Option<CommitRef>,
}

/// Name the newest commit, or one that is kept, so that it stays.
#[derive(Debug, Args)]
#[command(after_help = "\
The files of a commit with a tag are not deleted. Search and inspect show it with --at.

Examples:
  lucerne tag packages.idx before-import
  lucerne search packages.idx --at before-import --query editor")]
pub(crate) struct Tag {
    /// Folder of the index.
    pub(crate) dir: PathBuf,

    /// The tag: letters, digits, '.', '_' and '-', not only digits.
    #[arg(value_name = "TAG")]
    pub(crate) tag: String,

    /// The commit to name, given by its tag or generation, instead of the newest.
    #[arg(long, value_name = "TAG|N", value_parser = commit)]
    pub(crate) at: Option<CommitRef>,
}

/// List the commits that are kept, and their tags.
#[derive(Debug, Args)]
pub(crate) struct Tags {
    /// Folder of the index.
    pub(crate) dir: PathBuf,
}

/// Forget a tag; the files that only its commit needs are deleted.
#[derive(Debug, Args)]
pub(crate) struct Untag {
    /// Folder of the index.
    pub(crate) dir: PathBuf,

    /// The tag.
    #[arg(value_name = "TAG")]
    pub(crate) tag: String,
}

/// Go back to a commit that is kept.
#[derive(Debug, Args)]
#[command(after_help = "\
Documents and schema are what they were then, in a new commit. What was committed since is gone
unless it has a tag itself.

Example:
  lucerne tag packages.idx after && lucerne restore packages.idx before-import")]
pub(crate) struct Restore {
    /// Folder of the index.
    pub(crate) dir: PathBuf,

    /// The commit, given by its tag or generation.
    #[arg(value_name = "TAG|N", value_parser = commit)]
    pub(crate) at: CommitRef,
}

/// Tags are no numbers.
pub(super) fn commit(text: &str) -> Result<CommitRef, String> {
    match text.parse() {
        Ok(generation) => Ok(CommitRef::Generation(generation)),
        Err(_) if text.is_empty() => Err("expected a tag or a generation".to_owned()),
        Err(_) => Ok(CommitRef::Tag(text.to_owned())),
    }
}
