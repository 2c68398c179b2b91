//! Why a command failed: what to print, and the exit code.

use lucerne::{Error, ErrorKind, codec};
use std::fmt::Display;
use std::io;
use std::path::Path;

/// What a command returns.
pub(crate) type Outcome<T = ()> = Result<T, Failure>;

/// Exit codes, as `--help` lists them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Code {
    DamageOrNoHit = 1,
    Usage = 2,
    Io = 3,
    Locked = 4,
    TimedOut = 124,
    Interrupted = 130,
}

/// A failed command.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) code: Code,
    /// Printed after `error: `; nothing is printed when there is none.
    pub(crate) message: Option<String>,
    /// Printed after `hint: `.
    pub(crate) hint: Option<String>,
}

impl Failure {
    pub(crate) fn new(code: Code, message: impl Into<String>) -> Self {
        Self { code, message: Some(message.into()), hint: None }
    }

    pub(crate) fn usage(message: impl Into<String>) -> Self {
        Self::new(Code::Usage, message)
    }

    /// The command has printed everything already.
    pub(crate) fn silent(code: Code) -> Self {
        Self { code, message: None, hint: None }
    }

    /// A file outside of the index that cannot be read or written.
    pub(crate) fn file(path: &Path, action: &str, error: &io::Error) -> Self {
        let system = match error.kind() {
            io::ErrorKind::NotFound => "no such file".to_owned(),
            _ => error.to_string(),
        };
        Self::new(Code::Io, format!("{}: cannot {action}: {system}", path.display()))
    }

    /// A file with wrong content.
    pub(crate) fn content(path: &Path, problem: impl Display) -> Self {
        Self::usage(format!("{}: {problem}", path.display()))
    }

    #[must_use]
    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// A folder with segments, and no commit that names them.
    pub(crate) fn commit_is_gone(dir: &Path, code: Code) -> Self {
        let problem = "there are files of segments, but no commit (segments_N) that names them";
        Self::new(code, format!("{}: {problem}", dir.display()))
            .hint("restore a backup; this is beyond repair")
    }

    /// An error of the engine while working with the index in `dir`.
    pub(crate) fn engine(dir: &Path, error: &Error) -> Self {
        let code = code(error.kind());
        if let Some(failure) = wrong_folder(dir, code, error) {
            return failure;
        }
        let dir = dir.display();
        if matches!(error, Error::AlreadyExists { .. }) {
            return Self::new(code, format!("{dir}: an index exists there already"))
                .hint(format!("add documents with: lucerne import {dir} FILE"));
        }
        let failure = Self::new(code, error.to_string());
        match error.kind() {
            ErrorKind::NotFound if matches!(error, Error::NoSuchCommit { .. }) => {
                failure.hint(format!("list the commits that are kept with: lucerne tags {dir}"))
            }
            ErrorKind::NotFound if !matches!(error, Error::Codec(_)) => failure,
            ErrorKind::NotFound => failure.hint(format!("list all missing files with: lucerne check {dir}")),
            ErrorKind::Corrupt => failure.hint(format!("list all damage with: lucerne check {dir}")),
            ErrorKind::Locked => {
                failure.hint("the lock ends with the process that holds it; there is no file to remove")
            }
            ErrorKind::DiskFull => failure.hint("free some space and try again; the last commit is unharmed"),
            ErrorKind::Incompatible => match error {
                Error::Codec(codec::Error::UnsupportedVersion { found, oldest, .. }) if found < oldest => {
                    failure.hint(format!("with the release named above: lucerne upgrade {dir}"))
                }
                _ => failure.hint("use the release that wrote it, or a newer one"),
            },
            _ => failure,
        }
    }
}

/// A path at which there is no index, with those nearby.
fn wrong_folder(dir: &Path, code: Code, error: &Error) -> Option<Failure> {
    let name = dir.display();
    let create = format!("create an index with: lucerne create {name} --schema FILE");
    if dir.is_file() {
        let failure = Failure::new(Code::Io, format!("{name}: this is a file; an index is a folder"));
        return Some(match dir.parent().filter(|parent| is_index(parent)) {
            Some(parent) => failure.hint(format!("the index is the folder {}", parent.display())),
            None => failure,
        });
    }
    if matches!(error, Error::NotAnIndex { .. }) && has_lost_its_commit(dir) {
        return Some(Failure::commit_is_gone(dir, code));
    }
    let (problem, nearby) = match error {
        Error::NotAnIndex { .. } => ("not an index (no commit found)", Some(dir)),
        _ if error.kind() == ErrorKind::NotFound && !dir.exists() => ("no such folder", dir.parent()),
        _ => return None,
    };
    let nearby = nearby.map(indexes_in).unwrap_or_default();
    let hint = match nearby.is_empty() {
        true => create,
        false => format!("{create}; did you mean {}?", nearby.join(" or ")),
    };
    Some(Failure::new(code, format!("{name}: {problem}")).hint(hint))
}

/// Paths of some folders in `folder` that are indexes.
fn indexes_in(folder: &Path) -> Vec<String> {
    const NAMED: usize = 3;
    let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
    let entries = std::fs::read_dir(folder).into_iter().flatten().filter_map(Result::ok);
    let mut paths: Vec<_> = entries.map(|entry| entry.path()).filter(|path| is_index(path)).collect();
    paths.sort();
    let shown = |path: &std::path::PathBuf| path.strip_prefix(".").unwrap_or(path).display().to_string();
    paths.iter().take(NAMED).map(shown).collect()
}

fn is_index(folder: &Path) -> bool {
    has_file(folder, |name| name.starts_with("segments_"))
}

/// Whether a folder has files of segments and no commit.
pub(crate) fn has_lost_its_commit(folder: &Path) -> bool {
    has_file(folder, |name| name.starts_with('_') && name.ends_with(".si")) && !is_index(folder)
}

fn has_file(folder: &Path, is_it: impl Fn(&str) -> bool) -> bool {
    let mut entries = std::fs::read_dir(folder).into_iter().flatten().filter_map(Result::ok);
    entries.any(|entry| is_it(&entry.file_name().to_string_lossy()))
}

fn code(kind: ErrorKind) -> Code {
    match kind {
        ErrorKind::Usage | ErrorKind::AlreadyExists => Code::Usage,
        ErrorKind::Locked => Code::Locked,
        ErrorKind::Cancelled => Code::Interrupted,
        ErrorKind::TimedOut => Code::TimedOut,
        _ => Code::Io,
    }
}

/// Turns an error of the engine into a failure that knows the folder.
pub(crate) trait In<T> {
    fn in_index(self, dir: &Path) -> Outcome<T>;
}

impl<T> In<T> for lucerne::Result<T> {
    fn in_index(self, dir: &Path) -> Outcome<T> {
        self.map_err(|error| Failure::engine(dir, &error))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_of_error_has_its_code() {
        for (kind, expected) in [
            (ErrorKind::Usage, 2),
            (ErrorKind::AlreadyExists, 2),
            (ErrorKind::NotFound, 3),
            (ErrorKind::Io, 3),
            (ErrorKind::DiskFull, 3),
            (ErrorKind::Corrupt, 3),
            (ErrorKind::Incompatible, 3),
            (ErrorKind::Closed, 3),
            (ErrorKind::Locked, 4),
            (ErrorKind::TimedOut, 124),
            (ErrorKind::Cancelled, 130),
        ] {
            assert_eq!(code(kind) as u8, expected, "{kind:?}");
        }
    }
}
