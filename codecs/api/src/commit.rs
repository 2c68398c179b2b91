//! The commit: the one file that says which segments exist.

use crate::envelope::FileEntry;
use crate::{Directory, Result, SegmentId};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Live docs of a segment in a commit.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LiveDocsInfo {
    /// Format name.
    pub format: String,
    /// Generation of the commit they were first written for.
    pub generation: u64,
    /// Documents deleted.
    pub deleted: u32,
    /// The file.
    pub file: FileEntry,
}

/// A segment in a commit.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CommitSegment {
    /// Segment name.
    pub name: String,
    /// Segment id.
    pub id: SegmentId,
    /// Its segment info file.
    pub info: FileEntry,
    /// Its live docs; absent while nothing is deleted.
    pub live_docs: Option<LiveDocsInfo>,
}

/// Who put a commit into its folder.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CommitOrigin {
    /// A writer of this folder.
    #[default]
    Writer,
    /// A backup of another folder: nothing was written here since.
    Backup,
}

/// A point in time of the index.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CommitInfo {
    /// Generation: 1, 2, …; the N of `segments_N`.
    pub generation: u64,
    /// The number the next segment's name takes; names are never reused.
    pub next_segment: u64,
    /// The number the next automatic key takes.
    pub next_key: u64,
    /// Release that wrote it.
    pub written_by: String,
    /// The schema, as the engine encodes it.
    pub schema: serde_json::Value,
    /// Segments, oldest first.
    pub segments: Vec<CommitSegment>,
    /// The application's own notes, handed back at open.
    #[serde(default)]
    pub user_data: BTreeMap<String, String>,
    /// Id of the first segment the index ever had: what its commits and their backups have in common.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lineage: Option<SegmentId>,
    /// Who put it here.
    #[serde(default, skip_serializing_if = "is_default")]
    pub origin: CommitOrigin,
    /// Names of commits that are kept, this one included if it is named: the generation of each.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub tags: BTreeMap<String, u64>,
    /// Number of older commits that are kept beside the tagged ones.
    #[serde(default, skip_serializing_if = "is_default")]
    pub older_commits: u32,
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

/// Writes and reads commits.
pub trait CommitFormat: Send + Sync {
    /// Writes a commit under `file` (a pending name).
    fn write(&self, directory: &dyn Directory, file: &str, commit: &CommitInfo) -> Result<FileEntry>;

    /// Reads and fully verifies a commit; its generation must be `generation`.
    fn read(&self, directory: &dyn Directory, file: &str, generation: u64) -> Result<CommitInfo>;

    /// Reads what is left of a damaged commit, if that is all of it: for repairs.
    fn salvage(&self, directory: &dyn Directory, file: &str, generation: u64) -> Result<CommitInfo> {
        self.read(directory, file, generation)
    }
}
