//! A folder of the file system.

use super::lock::FileLock;
use super::output::{BufferedOutput, Sink};
use super::{check_data_name, check_lock_name, check_name, mmap};
use lucerne_codec::io::{SharedWords, TemporaryOutput};
use lucerne_codec::{Directory, Error, Input, Lock, Output, Result};
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Bytes handed to the operating system at a time, at the beginning of a file and from there on.
const SHORTEST_STEP: usize = 128 * 1024;
/// A large page of x86-64 and of most ARM systems: Linux keeps what is written at once in one, and maps it as one, so that a
/// search misses fewer translations of addresses.
const LONGEST_STEP: usize = 2 * 1024 * 1024;

/// An index in a real folder. Files are read through memory maps.
///
/// All promises of [`Directory`] hold on a local file system whose disk honors `fsync`. On unix a view
/// stays valid when its file is deleted; Windows refuses to delete a file that is mapped, so there a delete
/// may fail and has to be repeated later. On Windows [`Directory::sync_dir`] does nothing, since the system
/// offers no such call.
///
/// Outside the promise: other programs that write to or truncate the files of an index while it is open.
/// Truncating a mapped file makes the system end the reading process (SIGBUS). Lucerne itself never does
/// either to a finished file.
#[derive(Debug)]
pub struct FsDirectory {
    path: PathBuf,
}

impl FsDirectory {
    /// An existing folder. The path is made absolute, so a later change of the current folder does not
    /// matter.
    pub fn open(path: impl AsRef<Path>) -> Result<Self> {
        let path = absolute(path.as_ref())?;
        let metadata = fs::metadata(&path).map_err(|source| folder_error(&path, "open", source))?;
        if !metadata.is_dir() {
            return Err(folder_error(&path, "open", io::ErrorKind::NotADirectory.into()));
        }
        Ok(Self { path })
    }

    /// A folder that is created, with its parents, when it does not exist. The names of new folders are
    /// durable when this returns.
    pub fn create(path: impl AsRef<Path>) -> Result<Self> {
        let path = absolute(path.as_ref())?;
        // From the folder up to the first ancestor that exists.
        let missing: Vec<&Path> = path.ancestors().take_while(|folder| !folder.exists()).collect();
        fs::create_dir_all(&path).map_err(|source| folder_error(&path, "create", source))?;
        if let (true, Some(parent)) = (missing.is_empty(), path.parent()) {
            // Perhaps created by a process that died before the next step; it is not ours to insist.
            let _ = sync_folder(parent);
        }
        for parent in missing.into_iter().filter_map(Path::parent) {
            sync_folder(parent).map_err(|source| folder_error(parent, "sync", source))?;
        }
        Self::open(path)
    }

    /// Where the folder is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Opens a regular file for reading; anything else is refused (opening a pipe would wait for ever).
    fn open_file(&self, name: &str, action: &'static str, options: &OpenOptions) -> Result<File> {
        let path = self.path.join(name);
        let opened = regular_file(&path).and_then(|_| options.open(path));
        opened.map_err(|source| Error::io(name, action, source))
    }
}

impl Directory for FsDirectory {
    fn create(&self, name: &str) -> Result<Box<dyn Output>> {
        check_data_name(name)?;
        let file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .open(self.path.join(name))
            .map_err(|source| Error::io(name, "create", source))?;
        let name = name.to_owned();
        Ok(Box::new(BufferedOutput::new(FileSink { file, name }, SHORTEST_STEP, LONGEST_STEP)))
    }

    /// The file lies in the folder, where there is as much room as the segment itself needs.
    fn create_temporary(&self) -> Result<Option<Box<dyn TemporaryOutput>>> {
        let file = tempfile::tempfile_in(&self.path);
        let file = file.map_err(|source| folder_error(&self.path, "create a temporary file in", source))?;
        Ok(Some(Box::new(TemporaryFile(file))))
    }

    fn open(&self, name: &str) -> Result<Input> {
        check_data_name(name)?;
        let file = self.open_file(name, "open", OpenOptions::new().read(true))?;
        let view = mmap::map(&file).map_err(|source| Error::io(name, "map", source))?;
        Ok(Input::new(name, view))
    }

    fn file_len(&self, name: &str) -> Result<u64> {
        check_name(name)?;
        let metadata = regular_file(&self.path.join(name));
        let metadata = metadata.map_err(|source| Error::io(name, "read the length", source))?;
        Ok(metadata.len())
    }

    fn path(&self) -> Option<&Path> {
        Some(&self.path)
    }

    /// Linking fails between file systems, and on file systems without hard links.
    fn link_from(&self, folder: &Path, file: &str, name: &str) -> Result<bool> {
        check_data_name(file)?;
        check_data_name(name)?;
        let (from, to) = (folder.join(file), self.path.join(name));
        let metadata = fs::symlink_metadata(&from).map_err(|source| Error::io(file, "link", source))?;
        if !metadata.is_file() {
            return Ok(false); // A link's target may go at any time: its bytes are copied.
        }
        match fs::hard_link(&from, &to) {
            Ok(()) => Ok(true),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                Err(Error::io(name, "create", error))
            }
            Err(_) => Ok(false),
        }
    }

    fn age(&self, name: &str) -> Result<Option<Duration>> {
        check_name(name)?;
        let metadata = regular_file(&self.path.join(name));
        let metadata = metadata.map_err(|source| Error::io(name, "read the age", source))?;
        Ok(metadata.modified().ok().and_then(|written| written.elapsed().ok()))
    }

    /// Links to files are among them. Names that are not Unicode and links that lead nowhere are left out: they are not
    /// lucerne's.
    fn list(&self) -> Result<Vec<String>> {
        let mut names = Vec::new();
        let list_error = |source| folder_error(&self.path, "list", source);
        for entry in fs::read_dir(&self.path).map_err(list_error)? {
            let entry = entry.map_err(list_error)?;
            let Ok(name) = entry.file_name().into_string() else {
                continue;
            };
            let is_file = match entry.file_type() {
                // A link to nothing, to itself, or to a place that cannot be looked at is somebody else's.
                Ok(kind) if kind.is_symlink() => {
                    fs::metadata(entry.path()).is_ok_and(|target| target.is_file())
                }
                Ok(kind) => kind.is_file(),
                // Deleted since the listing began.
                Err(error) if error.kind() == io::ErrorKind::NotFound => false,
                Err(source) => return Err(Error::io(name, "list", source)),
            };
            if is_file {
                names.push(name);
            }
        }
        names.sort_unstable();
        Ok(names)
    }

    fn taken_names(&self) -> Result<Vec<String>> {
        let list_error = |source| folder_error(&self.path, "list", source);
        let entries = fs::read_dir(&self.path).map_err(list_error)?;
        let mut names = Vec::new();
        for entry in entries {
            names.extend(entry.map_err(list_error)?.file_name().into_string());
        }
        names.sort_unstable();
        Ok(names)
    }

    /// Refuses what is not a regular file: lucerne makes no links.
    fn delete(&self, name: &str) -> Result<()> {
        check_data_name(name)?;
        let path = self.path.join(name);
        let deleted = fs::symlink_metadata(&path).and_then(|metadata| match metadata.is_file() {
            true => fs::remove_file(&path),
            false => Err(not_regular()),
        });
        deleted.map_err(|source| Error::io(name, "delete", source))
    }

    fn rename(&self, from: &str, to: &str) -> Result<()> {
        check_data_name(from)?;
        check_data_name(to)?;
        fs::rename(self.path.join(from), self.path.join(to))
            .map_err(|source| Error::io(from, "rename", source))
    }

    fn sync(&self, name: &str) -> Result<()> {
        check_data_name(name)?;
        // A handle opened now still learns of an earlier failure to write the file back, if nobody was told.
        let mut options = OpenOptions::new();
        options.read(true);
        // Windows flushes only through a handle that could write.
        options.write(cfg!(windows));
        let file = self.open_file(name, "sync", &options)?;
        file.sync_all().map_err(|source| Error::io(name, "sync", source))
    }

    fn sync_dir(&self) -> Result<()> {
        sync_folder(&self.path).map_err(|source| folder_error(&self.path, "sync", source))
    }

    fn lock(&self, name: &str, owner: &str) -> Result<Box<dyn Lock>> {
        check_lock_name(name)?;
        let lock = FileLock::take(&self.path.join(name), name, owner)?;
        Ok(Box::new(lock))
    }
}

/// A file without a name. Its only handle writes, and is dropped when the file is mapped.
struct TemporaryFile(File);

/// The name of temporary files in messages.
const TEMPORARY: &str = "temporary file";

impl TemporaryOutput for TemporaryFile {
    fn write(&mut self, bytes: &[u8]) -> Result<()> {
        self.0.write_all(bytes).map_err(|source| Error::io(TEMPORARY, "write", source))
    }

    fn finish(self: Box<Self>) -> Result<Input> {
        let view = mmap::map(&self.0).map_err(|source| Error::io(TEMPORARY, "map", source))?;
        Ok(Input::new(TEMPORARY, view))
    }

    fn finish_words(self: Box<Self>) -> Result<Option<SharedWords>> {
        let words = mmap::map_words(&self.0).map_err(|source| Error::io(TEMPORARY, "map", source))?;
        Ok(Some(words))
    }
}

/// A file open for writing.
struct FileSink {
    file: File,
    name: String,
}

impl Sink for FileSink {
    fn name(&self) -> &str {
        &self.name
    }

    fn append(&mut self, bytes: &[u8]) -> Result<()> {
        let written = self.file.write_all(bytes);
        written.map_err(|source| Error::io(&*self.name, "write", source))
    }

    fn close(self) -> Result<()> {
        Ok(())
    }
}

/// Whether `path`, which need not exist, is a folder or inside of it.
pub(super) fn is_inside(folder: &Path, path: &Path) -> bool {
    let Ok(path) = std::path::absolute(path) else { return false };
    // What exists of it may be a link to there.
    let there = path.ancestors().find_map(|parent| Some((parent, fs::canonicalize(parent).ok()?)));
    let folder = fs::canonicalize(folder);
    there.zip(folder.ok()).is_some_and(|((_, there), folder)| there.starts_with(folder))
}

fn folder_error(path: &Path, action: &'static str, source: io::Error) -> Error {
    Error::io(path.display().to_string(), action, source)
}

fn absolute(path: &Path) -> Result<PathBuf> {
    std::path::absolute(path).map_err(|source| folder_error(path, "open", source))
}

/// The metadata of a regular file; anything else is an error.
fn regular_file(path: &Path) -> io::Result<fs::Metadata> {
    let metadata = fs::metadata(path)?;
    if metadata.is_file() { Ok(metadata) } else { Err(not_regular()) }
}

fn not_regular() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, "not a regular file")
}

#[cfg(unix)]
fn sync_folder(path: &Path) -> io::Result<()> {
    File::open(path)?.sync_all()
}

#[cfg(not(unix))]
fn sync_folder(_path: &Path) -> io::Result<()> {
    Ok(())
}
