//! A file that is written beside the one it replaces, and takes its place when it is whole.

use crate::failure::{Failure, Outcome};
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

/// A new file. Dropped before [`NewFile::put`] it is removed, and what was at its path is as it was.
pub(super) struct NewFile {
    path: PathBuf,
    /// The file beside; `None` when the path is a device or a pipe, which is written to as it is.
    beside: Option<(PathBuf, File)>,
}

impl NewFile {
    /// Begins a file that is to be at `path`; returns it with what to write to.
    pub(super) fn create(path: &Path) -> Outcome<(Self, File)> {
        Self::begin(path).map_err(|error| Failure::file(path, "write", &error))
    }

    fn begin(path: &Path) -> io::Result<(Self, File)> {
        let old = fs::metadata(path).ok();
        if old.as_ref().is_some_and(|old| !old.is_file()) {
            return Ok((Self { path: path.to_owned(), beside: None }, File::create(path)?));
        }
        // What a symbolic link leads to is replaced, not the link.
        let path = if old.is_some() { fs::canonicalize(path)? } else { path.to_owned() };
        let Some(name) = path.file_name() else { return Err(io::ErrorKind::NotFound.into()) };
        let mut hidden = std::ffi::OsString::from(".");
        hidden.push(name);
        hidden.push(format!(".{}.new", std::process::id()));
        let beside = path.with_file_name(hidden);
        let file = File::options().write(true).create_new(true).open(&beside)?;
        let new = Self { path, beside: Some((beside, file.try_clone()?)) };
        if let Some(old) = old {
            // A file that may not be written is not replaced either.
            File::options().write(true).open(&new.path)?;
            file.set_permissions(old.permissions())?;
        }
        Ok((new, file))
    }

    /// Puts the whole file at its path.
    pub(super) fn put(mut self) -> Outcome {
        let Some((beside, file)) = self.beside.take() else { return Ok(()) };
        let put = file.sync_all().and_then(|()| fs::rename(&beside, &self.path));
        put.map_err(|error| {
            // The error is what the user needs to know.
            let _ = fs::remove_file(&beside);
            Failure::file(&self.path, "write", &error)
        })
    }
}

impl Drop for NewFile {
    fn drop(&mut self) {
        if let Some((beside, _)) = &self.beside {
            // Nothing can be done when it cannot be removed: the command has failed for another reason.
            let _ = fs::remove_file(beside);
        }
    }
}
