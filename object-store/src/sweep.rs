//! What nobody needs any more.

use crate::commits;
use crate::error::{Error, Result};
use crate::layout;
use crate::remote::{AT_ONCE, Remote};
use lucerne::Cancel;
use object_store::path::Path;
use object_store::{ObjectMeta, ObjectStoreExt};
use std::collections::HashSet;
use std::time::{Duration, SystemTime};

/// The shortest age of what is swept: a push that goes on meanwhile relies on what is younger.
pub const SHORTEST_AGE: Duration = Duration::from_secs(24 * 3_600);

/// What was swept.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct SweepReport {
    /// Commits that are left.
    pub kept_commits: usize,
    /// Commits deleted.
    pub deleted_commits: usize,
    /// Files deleted.
    pub deleted_files: usize,
    /// Their bytes.
    pub deleted_bytes: u64,
}

/// Deletes commits that were followed by another one `older_than` ago or before, and files of that age that no commit
/// names: of deleted commits, and of pushes that did not end. The newest commit stays, however old it is. Ages are by the store's
/// clock. Choose more than the longest push and the longest pull take; a day is the least.
///
/// # Errors
/// [`Error::Invalid`] for less than [`SHORTEST_AGE`]; [`Error::Damaged`] when a commit that stays cannot be read: nothing was
/// deleted then; [`Error::Store`].
pub fn sweep(remote: &Remote, older_than: Duration, cancel: &Cancel) -> Result<SweepReport> {
    if older_than < SHORTEST_AGE {
        let hours = SHORTEST_AGE.as_secs() / 3_600;
        return Err(Error::Invalid(format!(
            "sweeping takes an age of at least {hours} hours: younger files may be of a push that goes on"
        )));
    }
    let now = store_time(remote, cancel)?;
    let is_old = |meta: &ObjectMeta| {
        let age = now.duration_since(meta.last_modified.into());
        age.is_ok_and(|age| age >= older_than)
    };
    // Files first: a commit that is created from now on is among those that are listed then, or its files are young.
    let files = commits::list_objects(remote, layout::files(&remote.prefix), cancel)?;
    let listed = commits::list(remote, cancel)?;
    let followed = listed.iter().skip(1).zip(&listed);
    let (dead, live): (Vec<_>, Vec<_>) = followed.partition(|(_, next)| is_old(&next.meta));
    let dead: Vec<_> = dead.into_iter().map(|(commit, _)| commit.meta.clone()).collect();
    let live: Vec<_> =
        listed.first().into_iter().chain(live.into_iter().map(|(commit, _)| commit)).cloned().collect();

    let records = commits::read_all(remote, &live, cancel)?;
    if let Some(gone) =
        live.iter().find(|commit| records.iter().all(|(read, _)| read.number != commit.number))
    {
        let problem = "it was listed and is not there: another sweep goes on, perhaps; nothing was deleted";
        return Err(Error::damaged(&gone.meta.location, problem));
    }
    let named: HashSet<Path> = records
        .iter()
        .flat_map(|(_, record)| &record.files)
        .map(|file| layout::file(&remote.prefix, file.segment, &file.entry()))
        .collect();
    let unnamed = |meta: &ObjectMeta| {
        layout::is_file(&remote.prefix, &meta.location) && !named.contains(&meta.location) && is_old(meta)
    };
    let unnamed: Vec<_> = files.into_iter().filter(unnamed).collect();
    let mut report = SweepReport { kept_commits: records.len(), ..Default::default() };
    // Commits first: none is ever there without its files.
    report.deleted_commits = dead.len();
    delete(remote, dead, cancel)?;
    report.deleted_files = unnamed.len();
    report.deleted_bytes = unnamed.iter().map(|meta| meta.size).sum();
    delete(remote, unnamed, cancel)?;
    Ok(report)
}

fn delete(remote: &Remote, objects: Vec<ObjectMeta>, cancel: &Cancel) -> Result<()> {
    let jobs = objects.into_iter().map(|meta| {
        let remote = remote.clone();
        async move {
            let object = meta.location;
            match remote.retries.request(&object, "delete", || remote.store.delete(&object)).await {
                // By another sweep.
                Err(Error::Store { source: object_store::Error::NotFound { .. }, .. }) => Ok(()),
                deleted => deleted,
            }
        }
    });
    remote.run_all(cancel, jobs, AT_ONCE, Ok)
}

/// The store's time: that of an object written now. This machine's clock may be another's.
fn store_time(remote: &Remote, cancel: &Cancel) -> Result<SystemTime> {
    let (remote, object) = (remote.clone(), layout::clock(&remote.prefix));
    let Remote { store, retries, .. } = remote.clone();
    remote.run(cancel, async move {
        retries.request(&object, "put", || store.put(&object, "".into())).await?;
        let meta = retries.request(&object, "look at", || store.head(&object)).await?;
        Ok(meta.last_modified.into())
    })
}
