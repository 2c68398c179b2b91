//! Commits before the newest one: which of them stay, what they are called, and which files they need.

use super::manifest;
use super::recover;
use crate::error::{Error, Result};
use lucerne_codec::commit::CommitInfo;
use lucerne_codec::{Directory, Registry};
use std::collections::HashSet;
use std::fmt;

/// A commit that is kept: by its tag, or by its generation.
///
/// ```
/// use lucerne::index::CommitRef;
///
/// assert_eq!(CommitRef::from("v1"), CommitRef::Tag("v1".to_owned()));
/// assert_eq!(CommitRef::from(7), CommitRef::Generation(7));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CommitRef {
    /// The commit of that tag.
    Tag(String),
    /// The commit of that generation.
    Generation(u64),
}

impl From<&str> for CommitRef {
    fn from(tag: &str) -> Self {
        Self::Tag(tag.to_owned())
    }
}

impl From<String> for CommitRef {
    fn from(tag: String) -> Self {
        Self::Tag(tag)
    }
}

impl From<u64> for CommitRef {
    fn from(generation: u64) -> Self {
        Self::Generation(generation)
    }
}

impl fmt::Display for CommitRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tag(tag) => write!(f, "{tag:?}"),
            Self::Generation(generation) => write!(f, "{generation}"),
        }
    }
}

/// Longest tag, in bytes.
const MAX_TAG: usize = 100;

/// Refuses names that a command line or a person could take for something else.
pub(crate) fn check_tag(tag: &str) -> Result<()> {
    let plain = tag.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-'));
    let begins = tag.bytes().next().is_some_and(|byte| byte.is_ascii_alphanumeric());
    let number = tag.bytes().all(|byte| byte.is_ascii_digit());
    if plain && begins && !number && tag.len() <= MAX_TAG {
        return Ok(());
    }
    Err(Error::Invalid(format!(
        "tag {:?}: expected 1 to {MAX_TAG} of a-z, A-Z, 0-9, '.', '_' and '-', beginning with a letter or digit, \
         and not a number (numbers are generations)",
        crate::error::shortened(tag)
    )))
}

/// The generation that `at` means in an index whose newest commit is `newest`.
pub(crate) fn resolve(at: &CommitRef, newest: &CommitInfo, names: &[String]) -> Result<u64> {
    let found = match at {
        CommitRef::Tag(tag) => newest.tags.get(tag).copied(),
        CommitRef::Generation(generation) => Some(*generation),
    };
    let there = |generation: &u64| manifest::generations(names).contains(generation);
    found.filter(there).ok_or_else(|| no_such_commit(at, newest, names))
}

fn no_such_commit(at: &CommitRef, newest: &CommitInfo, names: &[String]) -> Error {
    let generations = manifest::generations(names).into_iter().map(|generation| {
        let tags = newest.tags.iter().filter(|(_, tagged)| **tagged == generation);
        let tags: Vec<&str> = tags.map(|(tag, _)| &**tag).collect();
        if tags.is_empty() { generation.to_string() } else { format!("{generation} ({})", tags.join(", ")) }
    });
    Error::NoSuchCommit { at: at.to_string(), kept: generations.collect::<Vec<_>>().join(", ") }
}

/// A commit, and every file it needs, itself included.
#[derive(Clone, Debug)]
pub(crate) struct CommitFiles {
    pub(crate) generation: u64,
    pub(crate) files: HashSet<String>,
}

/// Whether the commit `generation`, the `place`-th before `newest` (from 0), stays beside it.
fn stays(newest: &CommitInfo, place: usize, generation: u64) -> bool {
    place < newest.older_commits as usize || newest.tags.values().any(|tagged| *tagged == generation)
}

/// Of `older` commits, newest first, those that stay beside `newest`.
pub(crate) fn kept(newest: &CommitInfo, older: Vec<CommitFiles>) -> Vec<CommitFiles> {
    let kept = older.into_iter().enumerate();
    kept.filter(|(place, commit)| stays(newest, *place, commit.generation))
        .map(|(_, commit)| commit)
        .collect()
}

/// Generations of the commits among `names` that stay beside `newest`, newest first.
pub(crate) fn kept_generations(newest: &CommitInfo, names: &[String]) -> Vec<u64> {
    let older = manifest::generations(names).into_iter().filter(|found| *found < newest.generation);
    let kept = older.enumerate().filter(|(place, generation)| stays(newest, *place, *generation));
    kept.map(|(_, generation)| generation).collect()
}

/// The commits among `names` that stay beside `newest`, newest first. When one of them cannot be read, nothing that is
/// there now is deleted for as long as it stays.
pub(crate) fn find_kept(
    directory: &dyn Directory,
    registry: &Registry,
    newest: &CommitInfo,
    names: &[String],
) -> Vec<CommitFiles> {
    let read = kept_generations(newest, names).into_iter().map(|generation| {
        let files = files_of(directory, registry, generation).unwrap_or_else(|error| {
            tracing::warn!(generation, %error, "a commit that is kept cannot be read: its files are not told apart");
            names.iter().cloned().collect()
        });
        CommitFiles { generation, files }
    });
    read.collect()
}

/// Every file of the commit `generation`, itself included.
fn files_of(directory: &dyn Directory, registry: &Registry, generation: u64) -> Result<HashSet<String>> {
    files_of_commit(directory, registry, &recover::read(directory, registry, generation)?)
}

/// Every file of a commit, itself included.
pub(crate) fn files_of_commit(
    directory: &dyn Directory,
    registry: &Registry,
    commit: &CommitInfo,
) -> Result<HashSet<String>> {
    let generation = commit.generation;
    let mut files = HashSet::from([manifest::commit_file(generation)]);
    for segment in &commit.segments {
        let info = registry.segment_info.read(directory, &segment.info, segment.id)?;
        files.extend(info.files().map(|file| file.name.clone()));
        files.insert(segment.info.name.clone());
        files.extend(segment.live_docs.iter().map(|live| live.file.name.clone()));
    }
    Ok(files)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tag_is_a_short_plain_word_and_no_number() {
        for tag in ["v1", "2026-11-29", "before_upgrade", "1.0", "a"] {
            check_tag(tag).unwrap();
        }
        for tag in ["", "7", "-x", ".x", "a b", "a/b", "ü", "a\n", &"x".repeat(101)] {
            assert!(check_tag(tag).is_err(), "{tag:?}");
        }
    }

    #[test]
    fn tagged_commits_stay_and_so_many_others() {
        let kept = |older_commits, tags: &[u64]| {
            let tags = tags.iter().map(|tagged| (format!("t{tagged}"), *tagged)).collect();
            let newest = CommitInfo { generation: 9, older_commits, tags, ..Default::default() };
            let older = [8, 7, 5, 2].map(|generation| CommitFiles { generation, files: HashSet::new() });
            let kept = super::kept(&newest, older.into());
            kept.into_iter().map(|commit| commit.generation).collect::<Vec<_>>()
        };
        assert_eq!(kept(0, &[]), [0; 0]);
        assert_eq!(kept(2, &[]), [8, 7]);
        assert_eq!(kept(1, &[9, 2, 3]), [8, 2]);
        assert_eq!(kept(9, &[]), [8, 7, 5, 2]);
    }
}
