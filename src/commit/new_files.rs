//! The files of a piece of work that may fail: exactly those that it created go with it.

use lucerne_codec::io::TemporaryOutput;
use lucerne_codec::{Directory, Input, Lock, Output, Result};
use parking_lot::Mutex;
use std::path::Path;
use std::time::Duration;

/// Passes everything on and remembers the files created. Dropping it deletes them, unless they are to be kept; files
/// that were there before, whatever their names, stay.
#[derive(Debug)]
pub(crate) struct NewFiles<'a> {
    inner: &'a dyn Directory,
    created: Mutex<Vec<String>>,
}

impl<'a> NewFiles<'a> {
    pub(crate) fn new(inner: &'a dyn Directory) -> Self {
        Self { inner, created: Mutex::default() }
    }

    /// The work is done: its files stay.
    pub(crate) fn keep(self) {
        self.created.lock().clear();
    }
}

impl Drop for NewFiles<'_> {
    fn drop(&mut self) {
        for name in self.created.lock().drain(..) {
            match self.inner.delete(&name) {
                Err(error) if !error.is_not_found() => {
                    tracing::warn!(%name, %error, "a file of abandoned work could not be deleted");
                }
                _ => {}
            }
        }
    }
}

impl Directory for NewFiles<'_> {
    fn create(&self, name: &str) -> Result<Box<dyn Output>> {
        let output = self.inner.create(name)?;
        self.created.lock().push(name.to_owned());
        Ok(output)
    }

    fn create_temporary(&self) -> Result<Option<Box<dyn TemporaryOutput>>> {
        self.inner.create_temporary()
    }

    fn open(&self, name: &str) -> Result<Input> {
        self.inner.open(name)
    }

    fn file_len(&self, name: &str) -> Result<u64> {
        self.inner.file_len(name)
    }

    fn list(&self) -> Result<Vec<String>> {
        self.inner.list()
    }

    fn delete(&self, name: &str) -> Result<()> {
        self.inner.delete(name)?;
        self.created.lock().retain(|created| created != name);
        Ok(())
    }

    fn rename(&self, from: &str, to: &str) -> Result<()> {
        self.inner.rename(from, to)?;
        self.created
            .lock()
            .iter_mut()
            .filter(|created| *created == from)
            .for_each(|name| to.clone_into(name));
        Ok(())
    }

    fn sync(&self, name: &str) -> Result<()> {
        self.inner.sync(name)
    }

    fn sync_dir(&self) -> Result<()> {
        self.inner.sync_dir()
    }

    fn path(&self) -> Option<&Path> {
        self.inner.path()
    }

    fn link_from(&self, folder: &Path, file: &str, name: &str) -> Result<bool> {
        let linked = self.inner.link_from(folder, file, name)?;
        if linked {
            self.created.lock().push(name.to_owned());
        }
        Ok(linked)
    }

    fn age(&self, name: &str) -> Result<Option<Duration>> {
        self.inner.age(name)
    }

    fn lock(&self, name: &str, owner: &str) -> Result<Box<dyn Lock>> {
        self.inner.lock(name, owner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::directory::RamDirectory;

    fn put(directory: &dyn Directory, name: &str) -> Result<()> {
        directory.create(name)?.finish()
    }

    #[test]
    fn only_what_was_created_goes_and_only_when_it_is_not_kept() {
        let directory = RamDirectory::new();
        put(&directory, "_1.keys").unwrap();
        let work = |keep: bool| {
            let files = NewFiles::new(&directory);
            assert!(put(&files, "_1.keys").is_err(), "it exists");
            put(&files, "_1.si").unwrap();
            put(&files, "_1.tmp").unwrap();
            files.delete("_1.tmp").unwrap();
            put(&files, "_1.post").unwrap();
            files.rename("_1.post", "_1.terms").unwrap();
            if keep {
                files.keep();
            }
        };
        work(false);
        assert_eq!(directory.list().unwrap(), ["_1.keys"]);
        work(true);
        assert_eq!(directory.list().unwrap(), ["_1.keys", "_1.si", "_1.terms"]);
    }
}
