//! How to repair, and what a repair has done or would do.

use lucerne_codec::DocId;
use lucerne_codec::format::Problem;
use std::path::PathBuf;

/// Whether a repair changes anything.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum RepairRun {
    /// It does.
    #[default]
    Repair,
    /// It only says what it would do, and what would be lost.
    DryRun,
}

/// How [`repair`](super::repair) goes about it.
///
/// ```
/// use lucerne::admin::{RepairOptions, RepairRun};
///
/// let options = RepairOptions::new().run(RepairRun::DryRun).keep_lost(true);
/// # let _ = options;
/// ```
#[derive(Clone, Debug, Default)]
pub struct RepairOptions {
    pub(super) run: RepairRun,
    pub(super) keep_lost: bool,
    pub(super) damaged_to: Option<PathBuf>,
    pub(super) ram_budget: Option<usize>,
    pub(super) threads: Option<usize>,
}

impl RepairOptions {
    /// The defaults: repair; forget what is left of lost documents; delete damaged files once they are replaced.
    pub fn new() -> Self {
        Self::default()
    }

    /// Whether anything is changed.
    #[must_use]
    pub fn run(mut self, run: RepairRun) -> Self {
        self.run = run;
        self
    }

    /// Puts the stored fields of documents that the newest commit has lost for want of a vector into the report, to be added
    /// again.
    #[must_use]
    pub fn keep_lost(mut self, keep: bool) -> Self {
        self.keep_lost = keep;
        self
    }

    /// Copies every file of a damaged segment to this folder before anything is replaced.
    #[must_use]
    pub fn damaged_to(mut self, folder: impl Into<PathBuf>) -> Self {
        self.damaged_to = Some(folder.into());
        self
    }

    /// Bytes of memory for terms and values that are made again, at least 1 MiB; the default is 256 MiB. A damaged
    /// segment whose terms take more becomes several.
    #[must_use]
    pub fn ram_budget(mut self, bytes: usize) -> Self {
        self.ram_budget = Some(bytes);
        self
    }

    /// Threads that build graphs; the default is 1.
    #[must_use]
    pub fn threads(mut self, threads: usize) -> Self {
        self.threads = Some(threads);
        self
    }
}

/// What a repair has done, or would do.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct RepairReport {
    /// Generation of the commit that was repaired.
    pub from: u64,
    /// Generation of the commit that replaces it; `None` when there was nothing to do, and for a dry run.
    pub generation: Option<u64>,
    /// Commits that are damaged: one that is whole takes their place, or its other copy.
    pub commits: Vec<Problem>,
    /// Tags whose commits are beyond repair.
    pub lost_tags: Vec<String>,
    /// Segments that are damaged.
    pub segments: Vec<SegmentRepair>,
    /// Documents of the newest commit whose own bytes are damaged.
    pub lost: Vec<LostDocument>,
    /// What commits that are kept beside it have lost, newest first; only those that have lost any. The newest commit may
    /// have newer documents of the same keys, or have deleted them: they are not to be added again.
    pub lost_in_kept: Vec<LostInKept>,
}

impl RepairReport {
    /// True when nothing is damaged.
    pub fn is_whole(&self) -> bool {
        self.commits.is_empty() && self.segments.is_empty() && self.lost_tags.is_empty()
    }
}

/// What was done about one segment.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SegmentRepair {
    /// Its name.
    pub segment: String,
    /// What is wrong with it.
    pub problems: Vec<Problem>,
    /// What is made again: `segment info`, `live docs`, `stored documents`, `keys`, `terms`, `columns`, or
    /// `vectors of "field"` with their codes and graph.
    pub rebuilt: Vec<String>,
    /// Documents that stay, deleted ones included.
    pub docs: u32,
    /// Documents that the newest commit loses; those that are deleted in it do not count.
    pub lost: u32,
    /// Fields that are searched and not stored, whose terms or values are damaged: documents keep all but these.
    pub emptied_fields: Vec<String>,
    /// Documents that do not fit the schema as they are stored, and are found by key and vectors only.
    pub not_indexed: u32,
    /// Whether it is known which documents were deleted.
    pub deletes: Deletes,
    /// Files (they are in `problems`, too) of which some bytes are taken as they are, for want of their checksums.
    pub unverified: Vec<Problem>,
}

/// What is known of a segment's deleted documents.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Deletes {
    /// All of them.
    #[default]
    Known,
    /// Both copies are damaged: those whose key another document has stay deleted, the others come back.
    Forgotten {
        /// How many were deleted.
        deleted: u32,
    },
}

/// A document that is lost.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct LostDocument {
    /// Its segment.
    pub segment: String,
    /// Its number in that segment.
    pub doc: DocId,
    /// Its key, unless that is lost, too.
    pub key: Option<String>,
    /// What of it is damaged.
    pub part: LostPart,
    /// True where its segment's deletes are forgotten ([`Deletes::Forgotten`]): it may have been deleted or replaced. Look
    /// whether the index has its key before it is added again.
    pub perhaps_deleted: bool,
    /// Its stored fields as JSON, if they are whole and were asked for ([`RepairOptions::keep_lost`]); `None` for documents of
    /// commits that are kept beside the newest one.
    pub stored: Option<String>,
}

/// What a commit that is kept beside the newest one has lost.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct LostInKept {
    /// The commit's number.
    pub generation: u64,
    /// Its tags; none where it is kept for being recent.
    pub tags: Vec<String>,
    /// The documents, as they were then.
    pub lost: Vec<LostDocument>,
}

/// What of a lost document is damaged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LostPart {
    /// The block with its stored fields.
    Stored,
    /// A vector of a field.
    Vector {
        /// The field's name.
        field: String,
    },
}

impl SegmentRepair {
    /// A segment of which nothing was found yet.
    pub(super) fn of(segment: &str, docs: u32) -> Self {
        Self {
            segment: segment.to_owned(),
            problems: Vec::new(),
            rebuilt: Vec::new(),
            docs,
            lost: 0,
            emptied_fields: Vec::new(),
            not_indexed: 0,
            deletes: Deletes::Known,
            unverified: Vec::new(),
        }
    }
}
