//! Errors. Every message names the field or file, what was found, what was expected and what to do.

mod problem;

pub use problem::ValueProblem;

use std::fmt;

/// The result of the engine's functions.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// An error of the engine.
///
/// The message is for people. A program decides by [`Error::kind`], or by a variant where it needs more:
///
/// ```
/// use lucerne::{Document, Error, ErrorKind, Index, Schema};
///
/// # fn main() -> lucerne::Result<()> {
/// # let folder = tempfile::tempdir().unwrap();
/// # let path = folder.path().join("notes.idx");
/// let index = match Index::open(&path) {
///     Err(error) if error.kind() == ErrorKind::NotFound => {
///         Index::create(&path, Schema::builder().key("id").text("note").build()?)?
///     }
///     opened => opened?,
/// };
/// let writer = index.writer()?;
/// assert_eq!(index.writer().unwrap_err().kind(), ErrorKind::Locked);
///
/// writer.add(&Document::new().with("id", "1").with("note", "first"))?;
/// match writer.add(&Document::new().with("id", "1").with("note", "second")) {
///     Err(Error::DuplicateKey { key }) => assert_eq!(key, "1"),
///     other => drop(other?),
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// An error of the directory or of a format: input and output, damage, versions.
    #[error(transparent)]
    Codec(lucerne_codec::Error),
    /// A schema that cannot be used.
    #[error("schema: {}{problem}", in_field(.field))]
    Schema {
        /// The field, when one is to blame.
        field: Option<String>,
        /// What is wrong and what is accepted.
        problem: String,
    },
    /// A document that does not fit the schema. Nothing of it was kept.
    #[error("document{}: {problem}", quoted(.key))]
    Document {
        /// The document's key, as far as it is known.
        key: Option<String>,
        /// What is wrong.
        problem: ValueProblem,
    },
    /// A document of this key exists already.
    #[error("document {key:?} exists already; use upsert to replace it")]
    DuplicateKey {
        /// The key.
        key: String,
    },
    /// Documents that are written together have the same key.
    #[error("key {key:?} is given twice; leave one of the documents out, or write one after the other")]
    KeyTwice {
        /// The key.
        key: String,
    },
    /// No live document has this key.
    #[error("no document {key:?}; add it with all its fields first")]
    NoSuchDocument {
        /// The key.
        key: String,
    },
    /// The schema has no such field.
    #[error("no field {field:?}; the schema has: {known}")]
    NoSuchField {
        /// The name asked for.
        field: String,
        /// The names the schema has.
        known: String,
    },
    /// The field is kept but cannot be searched.
    #[error("field {field:?} is not indexed (indexed: false), it cannot be searched")]
    NotIndexed {
        /// The field.
        field: String,
    },
    /// The field is searched but its values are not kept for reading back.
    #[error("field {field:?} is not stored (stored: false), its values cannot be read back")]
    NotStored {
        /// The field.
        field: String,
    },
    /// The field keeps int8 codes only, and what was asked for takes the raw vectors.
    #[error("field {field:?} keeps no raw vectors (keep_raw: false): {problem}")]
    NoRawVectors {
        /// The field.
        field: String,
        /// What was asked for, and what can be had instead.
        problem: String,
    },
    /// A query vector that does not fit its field.
    #[error("query: {problem}")]
    QueryVector {
        /// What is wrong.
        problem: ValueProblem,
    },
    /// A query that cannot be run.
    #[error("query: {}{problem}", in_field(.field))]
    WrongQuery {
        /// The field, when one is to blame.
        field: Option<String>,
        /// What is wrong and what was expected.
        problem: String,
    },
    /// The writer was closed; open a new one.
    #[error("the writer is closed; open a new one with index.writer()")]
    WriterClosed,
    /// The writer met an error after which it cannot continue. The last commit is unharmed.
    #[error("the writer has failed and must be reopened (the last commit is unharmed): {reason}")]
    WriterFailed {
        /// The error that made it fail.
        reason: String,
    },
    /// The folder is no longer the writer's: it or its lock file was moved, replaced or removed, or somebody else has
    /// committed to the index. The writer changes nothing any more; what it had not committed is lost.
    #[error("{folder}: no longer this writer's ({problem}); nothing was changed there, open a new writer")]
    WriterLost {
        /// The folder of the index.
        folder: String,
        /// What was found.
        problem: String,
    },
    /// A format, an analyzer or a listener has panicked. The call has failed, what was buffered is still there.
    #[error("a panic while {operation}: {message}")]
    Panicked {
        /// What was being done.
        operation: &'static str,
        /// The panic's message.
        message: String,
    },
    /// The folder holds an index already.
    #[error("{path}: an index exists there already; open it, or create the new one in another folder")]
    AlreadyExists {
        /// The folder.
        path: String,
    },
    /// The folder holds no index.
    #[error("{path}: not an index ({problem})")]
    NotAnIndex {
        /// The folder.
        path: String,
        /// What is there instead, and what to do.
        problem: &'static str,
    },
    /// The index has another commit than the caller expected.
    #[error(
        "the index changed: expected generation {expected}, found {found}; look at it again and try again"
    )]
    GenerationMoved {
        /// The generation that the caller expected.
        expected: u64,
        /// The generation of the newest commit.
        found: u64,
    },
    /// Segments that were to be merged, or from which one was merged, are no longer in the index as they were.
    #[error("{segment}: a segment to be merged is no longer in the index as it was; plan and merge again")]
    SourcesGone {
        /// The segment that is not there, or the merged one.
        segment: String,
    },
    /// No such commit is kept.
    #[error("no commit {at} is kept; there are: {kept}")]
    NoSuchCommit {
        /// The tag (quoted) or generation asked for.
        at: String,
        /// Generations of the commits that are there, newest first, with their tags.
        kept: String,
    },
    /// The folder cannot take a backup of this index: whatever is there would be lost.
    #[error(
        "{folder}: cannot hold a backup of this index ({problem}); give an empty folder, or one with an earlier backup of it"
    )]
    NotABackup {
        /// The folder.
        folder: String,
        /// What is there.
        problem: String,
    },
    /// Another writer holds the index.
    #[error("{folder}: another writer is open ({holder}); {}", until_closed(*same_process))]
    Locked {
        /// The folder of the index.
        folder: String,
        /// Who holds it: a process, and what for.
        holder: String,
        /// True when the holder is this process.
        same_process: bool,
    },
    /// JSON that cannot be read, or does not fit the type it was to become.
    #[error("JSON: {0}")]
    Json(#[from] serde_json::Error),
    /// Something takes more memory than the ceiling of the process ([`Memory`](crate::Memory)) ever leaves it. It was not
    /// begun.
    #[error(
        "{what} takes {needs} bytes of memory, and a ceiling of {ceiling} leaves it at most {most}; give more memory, or \
         less at a time"
    )]
    MemoryCeiling {
        /// What was to be done.
        what: &'static str,
        /// Bytes that it takes.
        needs: u64,
        /// Bytes that the ceiling leaves it at most.
        most: u64,
        /// The ceiling in bytes.
        ceiling: u64,
    },
    /// An option or a call that is not valid.
    #[error("{0}")]
    Invalid(String),
    /// The operation was cancelled; nothing was changed.
    #[error("cancelled")]
    Cancelled,
    /// The deadline of the operation has passed; nothing was changed.
    #[error(
        "timed out; give it more time, or less to do: a filter, a smaller limit, a lower recall; or ask for a partial result, what it has found until then"
    )]
    TimedOut,
}

impl From<lucerne_codec::Error> for Error {
    fn from(error: lucerne_codec::Error) -> Self {
        match error {
            lucerne_codec::Error::LockLost { file, problem } => Self::WriterLost { folder: file, problem },
            lucerne_codec::Error::TimedOut => Self::TimedOut,
            error => Self::Codec(error),
        }
    }
}

/// Runs a part that calls formats, analyzers or listeners of an application; a panic becomes an error.
pub(crate) fn catch_panic<T>(operation: &'static str, work: impl FnOnce() -> Result<T>) -> Result<T> {
    let done = std::panic::catch_unwind(std::panic::AssertUnwindSafe(work));
    done.unwrap_or_else(|panic| {
        let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
        let message = text.or_else(|| panic.downcast_ref::<String>().cloned());
        let message = message.unwrap_or_else(|| "without a message".to_owned());
        tracing::error!(operation, message, "a panic");
        Err(Error::Panicked { operation, message })
    })
}

/// What a caller can do about an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The call, the schema, the document or the query is at fault: change it.
    Usage,
    /// A document of this key ([`Error::DuplicateKey`], [`Error::KeyTwice`]) or an index ([`Error::AlreadyExists`]) exists already.
    AlreadyExists,
    /// There is no index ([`Error::NotAnIndex`], or [`Error::Codec`] when there is no folder), no document of this
    /// key ([`Error::NoSuchDocument`]), no such commit ([`Error::NoSuchCommit`]), or a file of an index is missing ([`Error::Codec`]). Only the variant tells
    /// them apart.
    NotFound,
    /// The operating system refused an operation: remove the cause that the message names, try again.
    Io,
    /// The disk or a quota is full: make room, try again.
    DiskFull,
    /// Bytes are not what was written: run a check, restore from a backup.
    Corrupt,
    /// Written by another release, or with a format that is not registered.
    Incompatible,
    /// Another writer holds the index: close it, share it, or wait for it.
    Locked,
    /// The index was changed since the caller looked at it ([`Error::GenerationMoved`], [`Error::SourcesGone`]): look
    /// again and try again. Nothing was changed.
    Conflict,
    /// Cancelled by the caller.
    Cancelled,
    /// Its deadline has passed.
    TimedOut,
    /// The writer is closed, has failed, or has lost its folder: open a new one.
    Closed,
    /// A defect: a format, an analyzer or a listener has panicked.
    Internal,
}

impl Error {
    /// The kind of the error: what a caller can do about it.
    pub fn kind(&self) -> ErrorKind {
        use lucerne_codec::Error as Codec;
        match self {
            Self::Codec(error) if error.is_disk_full() => ErrorKind::DiskFull,
            Self::Codec(error) if error.is_not_found() => ErrorKind::NotFound,
            Self::Codec(error) => match error {
                Codec::Corrupt { .. } => ErrorKind::Corrupt,
                Codec::UnsupportedVersion { .. } | Codec::UnknownFormat { .. } => ErrorKind::Incompatible,
                Codec::Invalid(_) => ErrorKind::Usage,
                Codec::Locked { .. } => ErrorKind::Locked,
                Codec::Cancelled => ErrorKind::Cancelled,
                Codec::TimedOut => ErrorKind::TimedOut,
                _ => ErrorKind::Io,
            },
            Self::NoSuchDocument { .. } | Self::NoSuchCommit { .. } | Self::NotAnIndex { .. } => {
                ErrorKind::NotFound
            }
            Self::DuplicateKey { .. } | Self::KeyTwice { .. } | Self::AlreadyExists { .. } => {
                ErrorKind::AlreadyExists
            }
            Self::Locked { .. } => ErrorKind::Locked,
            Self::GenerationMoved { .. } | Self::SourcesGone { .. } => ErrorKind::Conflict,
            Self::Json(error) if error.is_io() => ErrorKind::Io,
            Self::WriterClosed | Self::WriterFailed { .. } | Self::WriterLost { .. } => ErrorKind::Closed,
            Self::Panicked { .. } => ErrorKind::Internal,
            Self::Cancelled => ErrorKind::Cancelled,
            Self::TimedOut => ErrorKind::TimedOut,
            Self::Schema { .. }
            | Self::Document { .. }
            | Self::NoSuchField { .. }
            | Self::NotIndexed { .. }
            | Self::NotStored { .. }
            | Self::NoRawVectors { .. }
            | Self::QueryVector { .. }
            | Self::WrongQuery { .. }
            | Self::NotABackup { .. }
            | Self::MemoryCeiling { .. }
            | Self::Json(_)
            | Self::Invalid(_) => ErrorKind::Usage,
        }
    }
}

/// The beginning of a text, short enough for a message.
pub(crate) fn shortened(text: &str) -> String {
    const MOST: usize = 60;
    match text.char_indices().nth(MOST) {
        None => text.to_owned(),
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
    }
}

fn in_field(field: &Option<String>) -> impl fmt::Display {
    field.as_ref().map(|field| format!("field {field:?}: ")).unwrap_or_default()
}

fn quoted(key: &Option<String>) -> impl fmt::Display {
    key.as_ref().map(|key| format!(" {key:?}")).unwrap_or_default()
}

fn until_closed(same_process: bool) -> &'static str {
    if same_process { "close it, or share that Writer between threads" } else { "wait until it is closed" }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn codec(kind: std::io::ErrorKind) -> Error {
        lucerne_codec::Error::io("_0.keys", "write", kind.into()).into()
    }

    #[test]
    fn kinds_tell_a_full_disk_from_a_missing_file_and_from_damage() {
        assert_eq!(codec(std::io::ErrorKind::StorageFull).kind(), ErrorKind::DiskFull);
        assert_eq!(codec(std::io::ErrorKind::NotFound).kind(), ErrorKind::NotFound);
        assert_eq!(codec(std::io::ErrorKind::PermissionDenied).kind(), ErrorKind::Io);
        let damage = Error::from(lucerne_codec::Error::corrupt("_0.keys", 3, "bad"));
        assert_eq!(damage.kind(), ErrorKind::Corrupt);
        assert_eq!(Error::WriterFailed { reason: "sync".into() }.kind(), ErrorKind::Closed);
    }

    #[test]
    fn messages_name_the_document_the_field_and_the_expectation() {
        let problem = ValueProblem::WrongDimension { field: "e".into(), expected: 4, given: 3 };
        let error = Error::Document { key: Some("vim".into()), problem };
        let expected = r#"document "vim": field "e": expected a vector of 4 components, given 3"#;
        assert_eq!(error.to_string(), expected);
        let problem = ValueProblem::NotFinite { field: "e".into(), position: Some(2), value: "1e39".into() };
        let expected = r#"query: field "e": 1e39 at position 2 is not a finite number in single precision"#;
        assert_eq!(Error::QueryVector { problem }.to_string(), expected);
        let failed = Error::WriterFailed { reason: "sync".into() }.to_string();
        assert!(failed.contains("must be reopened"), "{failed}");
    }
}
