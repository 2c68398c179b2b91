//! Which commit is meant.

use lucerne::index::CommitRef;
use pyo3::prelude::*;

/// A commit by its tag or its generation.
#[derive(FromPyObject)]
pub(crate) enum CommitAt {
    Tag(String),
    Generation(u64),
}

impl CommitAt {
    pub(crate) fn commit(self) -> CommitRef {
        match self {
            Self::Tag(tag) => CommitRef::Tag(tag),
            Self::Generation(generation) => CommitRef::Generation(generation),
        }
    }
}
