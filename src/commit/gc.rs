//! Removing files that no commit, snapshot or writer names.

use super::manifest::{self, FileKind};
use lucerne_codec::{Directory, Registry, envelope};

/// Deletes those of `names` that are lucerne's and that `keep` does not want; foreign files and the lock are never
/// touched. A file that cannot be deleted is left for the next time.
pub(crate) fn collect(
    directory: &dyn Directory,
    registry: &Registry,
    names: &[String],
    keep: impl Fn(&str) -> bool,
) {
    for name in names {
        if keep(name) || !is_ours(directory, registry, name) {
            continue;
        }
        if let Err(error) = directory.delete(name) {
            tracing::warn!(%name, %error, "a file nobody needs could not be deleted");
        }
    }
}

/// True for a file that is collected once nothing names it. A name alone is no proof: `_1.jpg` may be anybody's. A segment's file has an extension of a format, or begins as all
/// files of formats do.
pub(crate) fn is_ours(directory: &dyn Directory, registry: &Registry, name: &str) -> bool {
    match manifest::classify(name) {
        FileKind::Commit(_) | FileKind::Pending(_) => true,
        FileKind::Segment(_) => {
            let extension = name.rsplit('.').next().unwrap_or_default();
            registry.extensions.contains(&extension)
                || directory.open(name).is_ok_and(|input| envelope::has_header(&input))
        }
        FileKind::Foreign => false,
    }
}
