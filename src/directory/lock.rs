//! The lock of a folder, held by the operating system.

use super::holder_text;
use lucerne_codec::{Error, Lock, Result};
use std::fs::{self, File, Metadata, OpenOptions, TryLockError};
use std::io::{self, Read, Seek, Write};
use std::path::{Path, PathBuf};

/// Most bytes of a lock file that are read for a message.
const MAX_HOLDER_LEN: u64 = 256;

/// An exclusive lock on a file of the folder. The system releases it when the process ends in whatever way,
/// so there is no stale lock to clean up. It also keeps a second opening in the same process out.
///
/// On network file systems it is as good as their `flock`.
#[derive(Debug)]
pub(super) struct FileLock {
    file: File,
    path: PathBuf,
    name: String,
    /// The process that took it. A fork shares the lock of its parent and must not release it.
    process: u32,
}

impl FileLock {
    /// Takes the lock at `path`, whose file is created when missing. Never waits.
    pub(super) fn take(path: &Path, name: &str, owner: &str) -> Result<Self> {
        refuse_other_kinds(path, name)?;
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(path)
            .map_err(|source| Error::io(name, "lock", source))?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let holder = read_holder(&mut file);
                return Err(Error::Locked { file: name.to_owned(), holder });
            }
            Err(TryLockError::Error(source)) => return Err(Error::io(name, "lock", source)),
        }
        // The text only serves a message: on a full disk the lock is still good.
        let process = std::process::id();
        let mut lock = Self { file, path: path.to_owned(), name: name.to_owned(), process };
        // Between opening and locking it, the file may have lost its name.
        lock.check()?;
        if let Err(error) = lock.write_holder(&holder_text(owner)) {
            tracing::debug!(file = name, %error, "cannot note the lock's holder");
        }
        Ok(lock)
    }

    fn write_holder(&mut self, text: &str) -> io::Result<()> {
        self.file.set_len(0)?;
        self.file.rewind()?;
        self.file.write_all(text.as_bytes())
    }
}

impl Lock for FileLock {
    /// The path still leads to the file that is locked: otherwise the folder or the file was moved, replaced or removed.
    fn check(&self) -> Result<()> {
        let lost =
            |problem: &str| Err(Error::LockLost { file: self.name.clone(), problem: problem.to_owned() });
        let own = self.file.metadata().map_err(|source| Error::io(&*self.name, "check", source))?;
        match fs::symlink_metadata(&self.path) {
            Ok(there) if is_same_file(&own, &there) => Ok(()),
            Ok(_) => lost("the folder or the lock file was replaced"),
            Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {
                lost("the folder or the lock file was moved or removed")
            }
            Err(source) => Err(Error::io(&*self.name, "check", source)),
        }
    }
}

#[cfg(unix)]
fn is_same_file(one: &Metadata, other: &Metadata) -> bool {
    use std::os::unix::fs::MetadataExt as _;
    (one.dev(), one.ino()) == (other.dev(), other.ino())
}

/// Elsewhere the standard library does not tell files apart.
#[cfg(not(unix))]
fn is_same_file(_one: &Metadata, other: &Metadata) -> bool {
    other.is_file()
}

impl Drop for FileLock {
    fn drop(&mut self) {
        if self.process != std::process::id() {
            return;
        }
        // Best effort: an old text would only be shown in the instant before the next holder's is written.
        let _ = self.file.set_len(0);
        // Released here and not only by closing, which would leave it to a child process that inherited it.
        let _ = self.file.unlock();
    }
}

/// A link or a device in place of the lock file would have its target emptied: refused.
fn refuse_other_kinds(path: &Path, name: &str) -> Result<()> {
    match fs::symlink_metadata(path) {
        Ok(metadata) if !metadata.is_file() => {
            let place = path.display();
            Err(Error::Invalid(format!("{place}: not a regular file; remove it, writers make their own")))
        }
        Ok(_) => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(source) => Err(Error::io(name, "lock", source)),
    }
}

/// The holder's own words, as far as they can be read (not on systems whose locks also keep readers out).
fn read_holder(file: &mut File) -> String {
    let mut bytes = Vec::new();
    let read = file.take(MAX_HOLDER_LEN).read_to_end(&mut bytes);
    let text: String = String::from_utf8_lossy(&bytes).chars().filter(|c| !c.is_control()).collect();
    if read.is_err() || text.is_empty() {
        return "an unknown process".to_owned();
    }
    match text.split_once(", ") {
        Some((process, purpose)) if is_gone(process) => {
            format!("{process} (ended, or elsewhere; a process forked from it may hold the lock), {purpose}")
        }
        _ => text,
    }
}

/// True when there is no `process 123` any more. A fork has the lock of its parent as long as it lives.
fn is_gone(process: &str) -> bool {
    let Some(id) = process.strip_prefix("process ").and_then(|id| id.parse::<u32>().ok()) else {
        return false;
    };
    let processes = Path::new("/proc");
    processes.join("self").exists() && !processes.join(id.to_string()).exists()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_opening_in_the_same_process_conflicts() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("write.lock");
        let held = FileLock::take(&path, "write.lock", "the first").unwrap();
        let error = FileLock::take(&path, "write.lock", "the second").unwrap_err();
        let expected = format!("write.lock: locked by process {}, the first", std::process::id());
        assert_eq!(error.to_string(), expected);
        drop(held);
        drop(FileLock::take(&path, "write.lock", "the third").unwrap());
        assert!(path.exists());
    }

    #[test]
    fn a_fork_does_not_release_the_lock_of_its_parent() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("write.lock");
        let mut forked = FileLock::take(&path, "write.lock", "x").unwrap();
        let parents = forked.file.try_clone().unwrap(); // The same open file, as after a fork.
        forked.process += 1;
        drop(forked);
        let error = FileLock::take(&path, "write.lock", "y").unwrap_err();
        assert_eq!(error.to_string(), format!("write.lock: locked by process {}, x", std::process::id()));
        drop(parents);
        FileLock::take(&path, "write.lock", "y").unwrap();
    }

    #[cfg(unix)]
    #[test]
    fn a_lock_whose_file_or_folder_is_another_one_is_lost() {
        let take = |folder: &Path| FileLock::take(&folder.join("write.lock"), "write.lock", "x").unwrap();
        type Change = fn(&Path, &Path);
        let changes: [(&str, Change); 6] = [
            ("the file is removed", |live, _| fs::remove_file(live.join("write.lock")).unwrap()),
            ("the file is replaced", |live, _| {
                fs::write(live.join("other"), "").unwrap();
                fs::rename(live.join("other"), live.join("write.lock")).unwrap();
            }),
            ("the file is a link to what it was", |live, _| {
                fs::rename(live.join("write.lock"), live.join("kept")).unwrap();
                std::os::unix::fs::symlink(live.join("kept"), live.join("write.lock")).unwrap();
            }),
            ("the folder is moved", |live, old| fs::rename(live, old).unwrap()),
            ("the folder is replaced by a file", |live, old| {
                fs::rename(live, old).unwrap();
                fs::write(live, "").unwrap();
            }),
            ("another folder is in its place", |live, old| {
                fs::rename(live, old).unwrap();
                fs::create_dir(live).unwrap();
                fs::write(live.join("write.lock"), "").unwrap();
            }),
        ];
        for (what, change) in changes {
            let folder = tempfile::tempdir().unwrap();
            let (live, old) = (folder.path().join("live"), folder.path().join("old"));
            fs::create_dir(&live).unwrap();
            let lock = take(&live);
            lock.check().unwrap();
            change(&live, &old);
            let error = lock.check().unwrap_err();
            assert!(matches!(error, Error::LockLost { .. }), "{what}: {error}");
        }
        // Back in its place it is the same lock again.
        let folder = tempfile::tempdir().unwrap();
        let (live, old) = (folder.path().join("live"), folder.path().join("old"));
        fs::create_dir(&live).unwrap();
        let lock = take(&live);
        fs::rename(&live, &old).unwrap();
        fs::rename(&old, &live).unwrap();
        lock.check().unwrap();
    }

    #[test]
    fn a_holder_that_wrote_rubbish_is_still_reported() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("write.lock");
        let held = FileLock::take(&path, "write.lock", "x").unwrap();
        for (text, shown) in [(&b""[..], "an unknown process"), (b"\xff\x1b[2Ja\0b", "\u{fffd}[2Jab")] {
            fs::write(&path, text).unwrap();
            let error = FileLock::take(&path, "write.lock", "y").unwrap_err();
            assert_eq!(error.to_string(), format!("write.lock: locked by {shown}"));
        }
        drop(held);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn the_message_says_that_the_process_with_the_lock_has_ended() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("write.lock");
        let held = FileLock::take(&path, "write.lock", "x").unwrap();
        fs::write(&path, "process 4294967295, writer").unwrap(); // No process has this number.
        let error = FileLock::take(&path, "write.lock", "y").unwrap_err();
        assert!(
            error.to_string().contains("process 4294967295 (ended, or elsewhere; a process forked"),
            "{error}"
        );
        drop(held);
    }

    #[cfg(unix)]
    #[test]
    fn a_link_in_place_of_the_lock_file_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let target = folder.path().join("precious");
        fs::write(&target, "text").unwrap();
        let path = folder.path().join("write.lock");
        std::os::unix::fs::symlink(&target, &path).unwrap();
        let error = FileLock::take(&path, "write.lock", "x").unwrap_err();
        assert!(matches!(error, Error::Invalid(_)), "{error}");
        assert_eq!(fs::read(&target).unwrap(), b"text");
    }
}
