//! Which commit is meant.

use crate::errors;
use lucerne::index::CommitRef;
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyInt, PyString};

/// A commit by its tag or its generation.
pub(crate) fn commit_at(at: &Bound<'_, PyAny>) -> PyResult<CommitRef> {
    if let Ok(tag) = at.cast::<PyString>() {
        return Ok(CommitRef::Tag(tag.to_str()?.to_owned()));
    }
    let generation = match at.is_instance_of::<PyInt>() && !at.is_instance_of::<PyBool>() {
        true => at.extract::<u64>().ok(),
        false => None,
    };
    generation.map(CommitRef::Generation).ok_or_else(|| {
        let given = at.repr().map_or_else(|_| "this".to_owned(), |given| given.to_string());
        errors::usage(at.py(), format!("{given} is no commit; expected a tag (str) or a generation (int)"))
    })
}
