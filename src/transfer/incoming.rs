//! Files that arrive from elsewhere: each gets its name when every byte was verified and is on the disk.

use crate::commit::manifest::{self, FileKind};
use crate::commit::{OwnedDirectory, publish};
use crate::error::{Error, Result};
use lucerne_codec::envelope::{self, FileEntry};
use lucerne_codec::{Directory, Output};
use parking_lot::Mutex;
use std::collections::HashSet;
use std::sync::Arc;

/// How the names of files end that have not arrived whole.
const PART: &str = ".part";

/// True for the name of a file that has not arrived whole.
pub(super) fn is_part(name: &str) -> bool {
    name.strip_suffix(PART).is_some_and(is_of_segment)
}

fn is_of_segment(name: &str) -> bool {
    matches!(manifest::classify(name), FileKind::Segment(_)) && !name.ends_with(".lock")
}

/// Deletes a file that may be gone already.
pub(super) fn delete_if_there(directory: &dyn Directory, name: &str) -> Result<()> {
    match directory.delete(name) {
        Err(error) if !error.is_not_found() => Err(error.into()),
        _ => Ok(()),
    }
}

/// Refuses names that are none of a segment's: that of another commit, of the folder's mark, of a lock.
pub(super) fn check_name(named_by: &str, file: &FileEntry) -> Result<()> {
    if is_of_segment(&file.name) {
        return Ok(());
    }
    let problem =
        format!("it names {:?}, which is no file of a segment", crate::error::shortened(&file.name));
    Err(lucerne_codec::Error::corrupt(named_by, 0, problem).into())
}

/// Where the files go that [`receive`](super::receive) has asked for. Its clones, on any thread, are of the
/// same folder, and keep it locked.
#[derive(Clone, Debug)]
pub struct Incoming {
    directory: Arc<OwnedDirectory>,
    /// Those that have arrived.
    whole: Arc<Mutex<HashSet<String>>>,
}

impl Incoming {
    pub(super) fn new(directory: &Arc<OwnedDirectory>) -> Self {
        Self { directory: Arc::clone(directory), whole: Arc::default() }
    }

    /// Begins to write a file, from its first byte on; what an earlier attempt has left is deleted.
    ///
    /// # Errors
    /// As the folder's.
    pub fn create(&self, file: &FileEntry) -> Result<Box<dyn Output>> {
        let part = format!("{}{PART}", file.name);
        delete_if_there(&*self.directory, &part)?;
        Ok(self.directory.create(&part)?)
    }

    /// Verifies every byte of a written file, makes it durable and gives it its name.
    ///
    /// # Errors
    /// [`ErrorKind::Corrupt`](crate::ErrorKind::Corrupt) when it is not the file that was asked for: it may be created and
    /// written again.
    pub fn finish(&self, file: &FileEntry) -> Result<()> {
        let part = format!("{}{PART}", file.name);
        envelope::verify_entry(&*self.directory, &FileEntry { name: part.clone(), ..file.clone() })?;
        publish::arrived(&*self.directory, &part, &file.name)?;
        self.whole.lock().insert(file.name.clone());
        Ok(())
    }

    /// An error when one of the files has not arrived.
    pub(super) fn check_arrived(&self, files: &[FileEntry]) -> Result<()> {
        let whole = self.whole.lock();
        match files.iter().find(|file| !whole.contains(&file.name)) {
            None => Ok(()),
            Some(file) => Err(Error::Invalid(format!("{}: it was asked for and did not arrive", file.name))),
        }
    }
}
