//! Removing files that no commit, snapshot or writer names.

use super::manifest::{self, FileKind};
use crate::error::Result;
use lucerne_codec::Directory;

/// Deletes lucerne's files that `keep` does not want; foreign files and the lock are never touched. A file
/// that cannot be deleted is left for the next time. Returns how many were deleted.
pub(crate) fn collect(directory: &dyn Directory, keep: impl Fn(&str) -> bool) -> Result<usize> {
    let mut deleted = 0;
    for name in directory.list()? {
        if manifest::classify(&name) == FileKind::Foreign || keep(&name) {
            continue;
        }
        match directory.delete(&name) {
            Ok(()) => deleted += 1,
            Err(error) => tracing::warn!(%name, %error, "a file nobody needs could not be deleted"),
        }
    }
    Ok(deleted)
}
