//! A file that is written beside the one it replaces, and takes its place when it is whole.

use crate::failure::{Failure, Outcome};
use std::ffi::OsString;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use tempfile::NamedTempFile;

/// A new file. Dropped before [`NewFile::put`] it is removed, and what was at its path is as it was.
pub(super) struct NewFile {
    path: PathBuf,
    /// The file beside; `None` when the path is a device or a pipe, which is written to as it is.
    beside: Option<NamedTempFile>,
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
        let mut hidden = OsString::from(".");
        hidden.push(name);
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
        let mut builder = tempfile::Builder::new();
        builder.prefix(&hidden).suffix(".new");
        let beside = builder.make_in(folder.unwrap_or(Path::new(".")), |beside| {
            File::options().write(true).create_new(true).open(beside)
        })?;
        let file = beside.as_file().try_clone()?;
        if let Some(old) = old {
            // A file that may not be written is not replaced either.
            File::options().write(true).open(&path)?;
            file.set_permissions(old.permissions())?;
        }
        Ok((Self { path, beside: Some(beside) }, file))
    }

    /// Puts the whole file at its path.
    pub(super) fn put(self) -> Outcome {
        let Some(beside) = self.beside else { return Ok(()) };
        let put = beside.as_file().sync_all();
        let put = put.and_then(|()| beside.persist(&self.path).map(drop).map_err(|error| error.error));
        put.map_err(|error| Failure::file(&self.path, "write", &error))
    }
}
