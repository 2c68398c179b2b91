//! Errors. Every message names the object or the prefix, and says what to do.

use lucerne::ErrorKind;

/// The result of this crate's functions.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What goes wrong between an index and an object store.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The index or the folder: as [`lucerne::Error`] says. Cancelling and deadlines, too.
    #[error(transparent)]
    Lucerne(#[from] lucerne::Error),
    /// The store refused a request, or could not be reached in as many attempts as were allowed.
    #[error("{object}: cannot {action} ({attempts}): {source}; {}", hint(source), attempts = tried(*attempts))]
    Store {
        /// The object, or the prefix that was listed.
        object: String,
        /// What was attempted: `get`, `put`, `list`, `delete`.
        action: &'static str,
        /// Attempts made.
        attempts: u32,
        /// What the last one met.
        source: object_store::Error,
    },
    /// Another commit is in the store than the push could follow. Nothing that a reader sees was changed.
    #[error("{prefix}: commit {pushed} was not pushed: {problem}; {hint}", hint = match found {
        Some(found) if found >= pushed => "pull what is there into an empty folder, or push to another prefix",
        _ => "look at it, and push again",
    })]
    Conflict {
        /// The prefix, or the store when the prefix is empty.
        prefix: String,
        /// Generation of the commit that was to be pushed.
        pushed: u64,
        /// Generation of the commit that is there, if there is one.
        found: Option<u64>,
        /// How they do not fit.
        problem: String,
    },
    /// The prefix has commits of another index.
    #[error("{prefix}: holds commits of another index; push this one to another prefix")]
    OtherIndex {
        /// The prefix, or the store when the prefix is empty.
        prefix: String,
    },
    /// Bytes in the store are not what was pushed.
    #[error(
        "{object}: damaged: {problem}; push the index again from where it is whole, to another prefix if that does not help"
    )]
    Damaged {
        /// The object.
        object: String,
        /// What was found and what was expected.
        problem: String,
    },
    /// Nothing was pushed there yet.
    #[error("{prefix}: no commit was pushed there; check the URL, or push one")]
    NoCommit {
        /// The prefix, or the store when the prefix is empty.
        prefix: String,
    },
    /// There is no such commit.
    #[error("{prefix}: no commit of generation {generation}; there are: {there}")]
    NoSuchCommit {
        /// The prefix, or the store when the prefix is empty.
        prefix: String,
        /// The generation asked for.
        generation: u64,
        /// Generations that are there, newest first.
        there: String,
    },
    /// An object that a commit names is not there: a sweep has deleted both meanwhile, or somebody has deleted it.
    #[error(
        "{object}: is gone, and commit {generation} needs it; pull again, and if that does not help, push again from where the index is"
    )]
    Gone {
        /// The object.
        object: String,
        /// Generation of the commit.
        generation: u64,
    },
    /// An option, a URL or a call that is not valid.
    #[error("{0}")]
    Invalid(String),
}

impl Error {
    /// What a caller can do about the error.
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::Lucerne(error) => error.kind(),
            Self::Store { source: object_store::Error::NotFound { .. }, .. } => ErrorKind::NotFound,
            Self::Store { .. } => ErrorKind::Io,
            Self::Conflict { .. } => ErrorKind::Conflict,
            Self::Damaged { .. } => ErrorKind::Corrupt,
            Self::NoCommit { .. } | Self::NoSuchCommit { .. } | Self::Gone { .. } => ErrorKind::NotFound,
            Self::OtherIndex { .. } | Self::Invalid(_) => ErrorKind::Usage,
        }
    }

    pub(crate) fn damaged(object: &object_store::path::Path, problem: impl Into<String>) -> Self {
        Self::Damaged { object: object.to_string(), problem: problem.into() }
    }
}

impl From<lucerne::codec::Error> for Error {
    fn from(error: lucerne::codec::Error) -> Self {
        Self::Lucerne(error.into())
    }
}

fn tried(attempts: u32) -> String {
    if attempts == 1 { "1 attempt".to_owned() } else { format!("{attempts} attempts") }
}

fn hint(source: &object_store::Error) -> &'static str {
    use object_store::Error as Store;
    match (source, status(source)) {
        (Store::PermissionDenied { .. } | Store::Unauthenticated { .. }, _) | (_, Some(401 | 403)) => {
            "check the credentials and what they allow"
        }
        (Store::NotFound { .. }, _) | (_, Some(404)) => "check the name of the bucket and the prefix",
        (Store::NotImplemented { .. } | Store::NotSupported { .. }, _) => {
            "the store must be able to create an object on condition that there is none"
        }
        _ => "try again when the store can be reached; what has arrived is not sent again",
    }
}

/// The status of an answer that the store's client has no error for. Only its message has it.
pub(crate) fn status(error: &object_store::Error) -> Option<u16> {
    let message = error.to_string();
    let digits = message.split_once("status code: ")?.1.get(..3)?;
    digits.parse().ok()
}
