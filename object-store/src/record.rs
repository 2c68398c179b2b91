//! What a commit object holds: a line that verifies the rest, JSON that names every file, and the commit file itself.
//!
//! ```text
//! lucerne-commit 1 <checksum of everything after this line, 8 hexadecimal digits> <bytes of JSON>\n
//! {"generation": 7, "docs": 1000, …, "files": [{"segment": "ab…", "name": "_3.keys", "len": 9, "crc32": 1}, …]}
//! <the bytes of segments_7>
//! ```

use crate::error::{Error, Result};
use lucerne::codec::SegmentId;
use lucerne::codec::envelope::FileEntry;
use lucerne::transfer::CommitFiles;
use object_store::path::Path;
use serde::{Deserialize, Serialize};
use std::collections::HashSet;

const MAGIC: &str = "lucerne-commit 1";

/// Longest first line, in bytes.
const LONGEST_LINE: usize = 64;

/// A file that the commit needs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct FileRecord {
    pub(crate) segment: SegmentId,
    pub(crate) name: String,
    pub(crate) len: u64,
    pub(crate) crc32: u32,
}

impl FileRecord {
    pub(crate) fn entry(&self) -> FileEntry {
        FileEntry { name: self.name.clone(), len: self.len, crc32: self.crc32 }
    }
}

#[derive(Serialize, Deserialize)]
struct Head {
    generation: u64,
    docs: u64,
    lineage: Option<SegmentId>,
    files: Vec<FileRecord>,
}

/// A commit in the store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Record {
    pub(crate) generation: u64,
    pub(crate) docs: u64,
    pub(crate) lineage: Option<SegmentId>,
    pub(crate) files: Vec<FileRecord>,
    /// The commit file.
    pub(crate) commit: Vec<u8>,
}

impl Record {
    pub(crate) fn of(commit: &CommitFiles) -> Self {
        let files = commit.files.iter().map(|file| {
            let FileEntry { name, len, crc32 } = file.entry.clone();
            FileRecord { segment: file.segment, name, len, crc32 }
        });
        Self {
            generation: commit.generation,
            docs: commit.docs,
            lineage: commit.lineage,
            files: files.collect(),
            commit: commit.commit_bytes.clone(),
        }
    }

    /// Bytes of all files.
    pub(crate) fn bytes(&self) -> u64 {
        self.files.iter().fold(0, |sum, file| sum.saturating_add(file.len))
    }

    pub(crate) fn encode(&self) -> Result<Vec<u8>> {
        let Self { generation, docs, lineage, .. } = *self;
        let head = Head { generation, docs, lineage, files: self.files.clone() };
        let mut rest = serde_json::to_vec(&head).map_err(lucerne::Error::from)?;
        let head_len = rest.len();
        rest.extend_from_slice(&self.commit);
        let mut bytes = format!("{MAGIC} {:08x} {head_len}\n", crc32fast::hash(&rest)).into_bytes();
        bytes.append(&mut rest);
        Ok(bytes)
    }

    /// Reads and verifies what `object` holds.
    pub(crate) fn decode(object: &Path, bytes: &[u8]) -> Result<Self> {
        let damaged = |problem: &str| Error::damaged(object, problem);
        let line_end = bytes.iter().take(LONGEST_LINE).position(|&byte| byte == b'\n');
        let (line, rest) =
            line_end.and_then(|end| bytes.split_at_checked(end)).ok_or_else(|| damaged("no commit"))?;
        let rest = rest.get(1..).unwrap_or_default();
        let line = std::str::from_utf8(line).map_err(|_| damaged("no commit"))?;
        let numbers =
            line.strip_prefix(MAGIC).ok_or_else(|| damaged("no commit, or one of a newer release"))?;
        let mut numbers = numbers.split_ascii_whitespace();
        let checksum = numbers.next().and_then(|digits| u32::from_str_radix(digits, 16).ok());
        let head_len = numbers.next().and_then(|digits| digits.parse::<usize>().ok());
        let (Some(checksum), Some(head_len)) = (checksum, head_len) else {
            return Err(damaged("its first line cannot be read"));
        };
        if crc32fast::hash(rest) != checksum {
            return Err(damaged("its checksum does not match: it was changed or cut off"));
        }
        let (head, commit) =
            rest.split_at_checked(head_len).ok_or_else(|| damaged("shorter than it says"))?;
        let Head { generation, docs, lineage, files } =
            serde_json::from_slice(head).map_err(|error| damaged(&error.to_string()))?;
        let mut names = HashSet::new();
        for file in &files {
            if !is_plain(&file.name) || !names.insert(&file.name) {
                return Err(damaged(&format!("it names {:?}, which is no file of a segment", file.name)));
            }
        }
        Ok(Self { generation, docs, lineage, files, commit: commit.to_vec() })
    }
}

/// Names of files of segments: `_3.0.vec`, `_3_7.live`. The engine looks more closely before it creates one.
fn is_plain(name: &str) -> bool {
    name.len() <= 255
        && name.starts_with('_')
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(name: &str) -> Record {
        let files = vec![FileRecord { segment: SegmentId([1; 16]), name: name.to_owned(), len: 9, crc32: 4 }];
        Record {
            generation: 7,
            docs: 3,
            lineage: Some(SegmentId([1; 16])),
            files,
            commit: b"{\n}\n".to_vec(),
        }
    }

    #[test]
    fn a_record_is_read_back_and_no_changed_byte_goes_unnoticed() {
        let (object, record) = (Path::from("commits/0000000001.commit"), record("_3_7.live"));
        let bytes = record.encode().unwrap();
        assert_eq!(Record::decode(&object, &bytes).unwrap(), record);
        for at in 0..bytes.len() {
            let mut changed = bytes.clone();
            changed[at] ^= 1;
            assert!(Record::decode(&object, &changed).is_err(), "byte {at}");
            assert!(Record::decode(&object, &bytes[..at]).is_err(), "cut off at {at}");
        }
    }

    #[test]
    fn names_that_would_leave_the_folder_or_replace_its_commit_are_damage() {
        for name in [
            "../x",
            "_1/../../x",
            "segments_9",
            "lucerne-backup",
            "write.lock",
            "_a\\b",
            "",
            "_\n",
            &"_".repeat(256),
        ] {
            let bytes = record(name).encode().unwrap();
            let error = Record::decode(&Path::from("c"), &bytes).unwrap_err();
            assert!(matches!(error, Error::Damaged { .. }), "{name:?}: {error}");
        }
    }
}
