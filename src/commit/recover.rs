//! Finding the commit that counts.

use super::manifest::{self, FileKind};
use crate::error::{Error, Result};
use lucerne_codec::commit::CommitInfo;
use lucerne_codec::{Directory, Registry};

/// What to do when the newest commit is damaged.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum OnDamage {
    /// Opening the index fails with an error that names the damaged file. The default.
    #[default]
    Refuse,
    /// The newest older commit that opens is used, if there is one: one that a tag or
    /// [`keep_commits`](crate::WriterOptions::keep_commits) has kept, however old. Normally there is none.
    UseOlderCommit,
}

/// Listings without a commit until it is believed that there is none.
const MAX_LOOKS: usize = 100;

/// Reads the newest commit and opens what it names with `open`. A writer in another process may replace the
/// commit meanwhile; then the newer one is tried.
pub(crate) fn newest<T>(
    directory: &dyn Directory,
    registry: &Registry,
    on_damage: OnDamage,
    open: impl Fn(CommitInfo) -> Result<T>,
) -> Result<T> {
    let (mut tried, mut looked) = (0, 0);
    loop {
        let names = directory.list()?;
        let generations = manifest::generations(&names);
        let Some(&newest) = generations.first() else {
            // Listing takes time: a writer may have renamed the new commit and deleted the old one meanwhile,
            // and neither was seen. Where no index was ever created there is no lock either.
            looked += 1;
            if looked < MAX_LOOKS && names.iter().any(|name| name == manifest::LOCK_FILE) {
                continue;
            }
            return Err(no_commit(directory, &names));
        };
        let error = match read(directory, registry, newest).and_then(&open) {
            Ok(opened) => return Ok(opened),
            Err(error) => error,
        };
        if is_missing(&error) && newest > tried {
            tried = newest; // Look again: a newer commit may have replaced this one while it was read.
            continue;
        }
        if on_damage == OnDamage::UseOlderCommit {
            let older = generations.iter().skip(1);
            let opened = older.map(|&generation| read(directory, registry, generation).and_then(&open));
            if let Some(opened) = opened.flatten().next() {
                tracing::warn!(%error, "the newest commit is damaged; an older one is used");
                return Ok(opened);
            }
        }
        return Err(error);
    }
}

/// The error of a folder without a commit.
pub(crate) fn no_commit(directory: &dyn Directory, names: &[String]) -> Error {
    let is_segment = |name: &String| matches!(manifest::classify(name), FileKind::Segment(_));
    let problem = match names.iter().any(is_segment) {
        false => "no commit found; create one first",
        // An older commit would have been found: `check --repair` has nothing to begin with either.
        true => {
            "there are files of segments, but no commit (segments_N) that names them: it was deleted; restore a backup. \
             admin::repair (lucerne check --repair) makes again what a commit names, and cannot make a commit"
        }
    };
    Error::NotAnIndex { path: crate::directory::place(directory), problem }
}

/// Reads the commit of a generation.
pub(crate) fn read(directory: &dyn Directory, registry: &Registry, generation: u64) -> Result<CommitInfo> {
    Ok(registry.commit.read(directory, &manifest::commit_file(generation), generation)?)
}

/// True when a file is not there.
pub(crate) fn is_missing(error: &Error) -> bool {
    matches!(error, Error::Codec(error) if error.is_not_found())
}
