//! Errors below the engine. Every error names the file and what was expected.

use std::io;

/// The result of the functions of directories and formats.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// An error of a directory or a format.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The operating system refused an operation on a file.
    #[error("{file}: cannot {action}: {source}")]
    Io {
        /// File (or folder) name.
        file: String,
        /// What was attempted: `create`, `write`, `sync`, `open`, …
        action: &'static str,
        /// The error of the operating system.
        source: io::Error,
    },
    /// The bytes are not what was written.
    #[error("{file}: damaged at byte {offset}: {problem}")]
    Corrupt {
        /// File name.
        file: String,
        /// Position of the damage, as far as it is known.
        offset: u64,
        /// What was found and what was expected.
        problem: String,
    },
    /// The file was written by a newer release, or by one too old to be read.
    #[error(
        "{file}: format {format} version {found} cannot be read here (versions {oldest} to {newest} can): {}",
        what_to_do(*found, *oldest, upgraded_by)
    )]
    UnsupportedVersion {
        /// File name.
        file: String,
        /// Format name.
        format: String,
        /// The file's version.
        found: u32,
        /// Oldest version this release reads.
        oldest: u32,
        /// Newest version this release reads.
        newest: u32,
        /// Releases that read a version that is too old here and write one that is not, for example
        /// `lucerne 0.2 to 0.4`; empty when the format does not say ([`Error::upgraded_by`]).
        upgraded_by: String,
    },
    /// A segment names a format that is not registered.
    #[error("{file}: written by format {format:?}, which is not registered (known: {known})")]
    UnknownFormat {
        /// File that names the format.
        file: String,
        /// The name.
        format: String,
        /// Registered names.
        known: String,
    },
    /// A parameter or a call does not fit the format.
    #[error("{0}")]
    Invalid(String),
    /// Another process or thread holds the lock.
    #[error("{file}: locked by {holder}")]
    Locked {
        /// Lock file name.
        file: String,
        /// Who holds it, as far as is known.
        holder: String,
    },
    /// The lock no longer protects the folder.
    #[error("{file}: {problem}")]
    LockLost {
        /// Lock file name.
        file: String,
        /// What was found in its place.
        problem: String,
    },
    /// The operation was cancelled; nothing was changed.
    #[error("cancelled")]
    Cancelled,
    /// The deadline of the operation has passed; nothing was changed.
    #[error("timed out")]
    TimedOut,
}

impl Error {
    /// An I/O error on `file` while doing `action`.
    pub fn io(file: impl Into<String>, action: &'static str, source: io::Error) -> Self {
        Self::Io { file: file.into(), action, source }
    }

    /// Damage in `file` at `offset`.
    pub fn corrupt(file: impl Into<String>, offset: u64, problem: impl Into<String>) -> Self {
        Self::Corrupt { file: file.into(), offset, problem: problem.into() }
    }

    /// Names the releases that bring a file of a version too old for this one up to date. A format that has
    /// given up reading a version says so when it opens its files; other errors stay as they are.
    #[must_use]
    pub fn upgraded_by(mut self, releases: &str) -> Self {
        if let Self::UnsupportedVersion { upgraded_by, .. } = &mut self {
            *upgraded_by = releases.to_owned();
        }
        self
    }

    /// True for [`Error::Cancelled`] and [`Error::TimedOut`]: nothing is wrong, the work was not to go on.
    pub fn is_stop(&self) -> bool {
        matches!(self, Self::Cancelled | Self::TimedOut)
    }

    /// True when the disk or a quota is full.
    pub fn is_disk_full(&self) -> bool {
        matches!(self, Self::Io { source, .. }
            if matches!(source.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded))
    }

    /// True when the file does not exist.
    pub fn is_not_found(&self) -> bool {
        matches!(self, Self::Io { source, .. } if source.kind() == io::ErrorKind::NotFound)
    }
}

/// What helps against a version that cannot be read.
fn what_to_do(found: u32, oldest: u32, upgraded_by: &str) -> String {
    if found >= oldest {
        return "it was written by a newer release; use that one or a newer one".to_owned();
    }
    let releases = match upgraded_by {
        "" => format!("a release that reads version {found} and writes version {oldest} or a later one"),
        known => known.to_owned(),
    };
    format!("it is too old; run `lucerne upgrade DIR` with {releases}, then use this release")
}
