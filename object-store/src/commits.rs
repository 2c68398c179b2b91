//! Commits in the store: listing, reading, and creating the next one.

use crate::error::{Error, Result};
use crate::layout;
use crate::record::Record;
use crate::remote::{AT_ONCE, Remote};
use futures_util::TryStreamExt;
use lucerne::Cancel;
use object_store::path::Path;
use object_store::{ObjectMeta, ObjectStoreExt, PutMode};
use std::time::SystemTime;

/// A commit that was pushed.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct RemoteCommit {
    /// Its number in the store, from 1: one more than that of the commit before it.
    pub number: u64,
    /// Its generation in the index.
    pub generation: u64,
    /// Documents in it, without deleted ones.
    pub docs: u64,
    /// Its files, but the commit itself.
    pub files: usize,
    /// Their bytes.
    pub bytes: u64,
    /// When it was pushed, by the store's clock.
    pub pushed: SystemTime,
}

/// A commit object that was listed.
#[derive(Clone, Debug)]
pub(crate) struct Listed {
    pub(crate) number: u64,
    pub(crate) meta: ObjectMeta,
}

/// The commits in the store that can be pulled, newest first. Reads all of them.
///
/// # Errors
/// [`Error::Store`] when they cannot be listed or read, [`Error::Damaged`] when one is damaged.
pub fn list_commits(remote: &Remote, cancel: &Cancel) -> Result<Vec<RemoteCommit>> {
    let read = read_all(remote, &list(remote, cancel)?, cancel)?;
    let commits = read.into_iter().map(|(listed, record)| RemoteCommit {
        number: listed.number,
        generation: record.generation,
        docs: record.docs,
        files: record.files.len(),
        bytes: record.bytes(),
        pushed: listed.meta.last_modified.into(),
    });
    Ok(commits.collect())
}

/// Commit objects, newest first.
pub(crate) fn list(remote: &Remote, cancel: &Cancel) -> Result<Vec<Listed>> {
    let objects = list_objects(remote, layout::commits(&remote.prefix), cancel)?;
    let numbered = objects.into_iter().filter_map(|meta| Some((layout::number_of(&meta.location)?, meta)));
    let mut listed: Vec<Listed> = numbered.map(|(number, meta)| Listed { number, meta }).collect();
    listed.sort_unstable_by_key(|commit| std::cmp::Reverse(commit.number));
    Ok(listed)
}

/// All objects below `folder`.
pub(crate) fn list_objects(remote: &Remote, folder: Path, cancel: &Cancel) -> Result<Vec<ObjectMeta>> {
    let Remote { store, retries, .. } = remote.clone();
    remote.run(cancel, async move {
        let list = || store.list(Some(&folder)).try_collect();
        retries.request(&folder, "list", list).await
    })
}

/// Reads the commits, in the order given. One that was deleted meanwhile is left out.
pub(crate) fn read_all(remote: &Remote, listed: &[Listed], cancel: &Cancel) -> Result<Vec<(Listed, Record)>> {
    let jobs = listed.iter().map(|commit| {
        let (remote, commit) = (remote.clone(), commit.clone());
        async move {
            let record = get(&remote, &commit.meta.location).await?;
            Ok(record.map(|record| (commit, record)))
        }
    });
    let mut read = Vec::new();
    remote.run_all(cancel, jobs, AT_ONCE, |commit| {
        read.extend(commit);
        Ok(())
    })?;
    read.sort_unstable_by_key(|(commit, _)| std::cmp::Reverse(commit.number));
    Ok(read)
}

/// The newest commit; `None` when nothing was pushed yet.
pub(crate) fn newest(remote: &Remote, cancel: &Cancel) -> Result<Option<(u64, Record)>> {
    let mut tried = None;
    loop {
        let Some(newest) = list(remote, cancel)?.into_iter().next() else { return Ok(None) };
        let (number, object) = (newest.number, newest.meta.location.clone());
        if let Some((_, record)) = read_all(remote, &[newest], cancel)?.into_iter().next() {
            return Ok(Some((number, record)));
        }
        // Swept meanwhile: then a newer one has been listed by now.
        if tried.replace(number) == Some(number) {
            return Err(Error::damaged(&object, "it is listed and cannot be read"));
        }
    }
}

/// Reads a commit; `None` when there is none.
async fn get(remote: &Remote, object: &Path) -> Result<Option<Record>> {
    let mut attempt = 1;
    loop {
        let get = || async { remote.store.get(object).await?.bytes().await };
        let bytes = match remote.retries.request(object, "get", get).await {
            Err(Error::Store { source: object_store::Error::NotFound { .. }, .. }) => return Ok(None),
            bytes => bytes?,
        };
        match Record::decode(object, &bytes) {
            // The way may have damaged it.
            Err(Error::Damaged { .. }) if attempt < remote.retries.attempts => attempt += 1,
            record => return record.map(Some),
        }
    }
}

/// What has become of an attempt to create a commit.
pub(crate) enum Created {
    /// It is there, by this or by another push of the same commit.
    Yes,
    /// Another commit has that number.
    Other(Record),
}

/// Creates the commit of that number unless there is one.
pub(crate) fn create(remote: &Remote, number: u64, record: &Record, cancel: &Cancel) -> Result<Created> {
    let (bytes, object) = (bytes::Bytes::from(record.encode()?), layout::commit(&remote.prefix, number));
    let job = {
        let (remote, record) = (remote.clone(), record.clone());
        async move {
            let mut attempt = 1;
            loop {
                let put = || remote.store.put_opts(&object, bytes.clone().into(), PutMode::Create.into());
                match remote.retries.request(&object, "put", put).await {
                    Ok(_) => return Ok(Created::Yes),
                    // By an attempt whose answer got lost, perhaps.
                    Err(Error::Store { source: object_store::Error::AlreadyExists { .. }, .. }) => {}
                    Err(error) => return Err(error),
                }
                match get(&remote, &object).await? {
                    Some(there) if there == record => return Ok(Created::Yes),
                    Some(there) => return Ok(Created::Other(there)),
                    // S3 refuses both of two at once now and then.
                    None if attempt < remote.retries.attempts => {
                        tokio::time::sleep(remote.retries.pause_after(attempt)).await;
                        attempt += 1;
                    }
                    None => return Err(Error::damaged(&object, "it cannot be created, and is not there")),
                }
            }
        }
    };
    remote.run(cancel, job)
}
