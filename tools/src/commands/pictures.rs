//! Files of pictures: where they may be written, and writing them.

use crate::failure::{Failure, Outcome};
use crate::render::out;
use std::io;
use std::path::{Path, PathBuf};

/// Refuses, before any work, a file that cannot be written, one in the folder of the index, and one that the command reads.
pub(super) fn check_target(path: &Path, index: &Path, read: &[&Path]) -> Outcome {
    let folder = match path.parent() {
        Some(folder) if folder.as_os_str().is_empty() => Path::new("."),
        Some(folder) => folder,
        None => path,
    };
    let canonical = |path: &Path| -> Option<PathBuf> { path.canonicalize().ok() };
    let Some(folder) = canonical(folder).filter(|folder| folder.is_dir()) else {
        return Err(Failure::file(path, "write", &io::ErrorKind::NotFound.into()));
    };
    if path.is_dir() {
        return Err(Failure::file(path, "write", &io::ErrorKind::IsADirectory.into()));
    }
    let place = "choose a place outside of the index, and no file that is read";
    // A link would be followed.
    let target = canonical(path);
    let inside = |path: &Path| canonical(index).is_some_and(|index| path.starts_with(index));
    if inside(&folder) || target.as_deref().is_some_and(inside) {
        let problem = format!("{}: is in the folder of the index", path.display());
        return Err(Failure::usage(problem).hint(place));
    }
    if target.is_some() && read.iter().any(|read| canonical(read) == target) {
        return Err(Failure::usage(format!("{}: is read by this command", path.display())).hint(place));
    }
    Ok(())
}

/// Writes a picture and says so, but not among JSON.
pub(super) fn write(path: &Path, picture: &str, json: bool) -> Outcome {
    std::fs::write(path, picture).map_err(|error| Failure::file(path, "write", &error))?;
    if json { Ok(()) } else { out::line(&format!("Wrote {}.", path.display())) }
}
