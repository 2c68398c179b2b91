//! What a shard answers, and requests and answers as JSON.

use crate::call::long_call;
use crate::errors;
use crate::search::Limits;
use lucerne::search::ShardRequest;
use pyo3::prelude::*;
use serde::Serialize;
use serde::de::DeserializeOwned;

/// The answer of a shard, as JSON.
pub(crate) fn answer(
    py: Python<'_>,
    searcher: &lucerne::Searcher,
    request: &str,
    limits: Limits,
) -> PyResult<String> {
    let request: ShardRequest = of_json(py, request)?;
    let answer = long_call(py, |cancel| searcher.answer(&request, &limits.options(cancel)))?;
    to_json(py, &answer)
}

pub(crate) fn to_json<T: Serialize>(py: Python<'_>, value: &T) -> PyResult<String> {
    serde_json::to_string(value).map_err(|error| errors::usage(py, error.to_string()))
}

pub(crate) fn of_json<T: DeserializeOwned>(py: Python<'_>, text: &str) -> PyResult<T> {
    let problem = "no request or answer of this release";
    serde_json::from_str(text).map_err(|error| errors::usage(py, format!("{problem}: {error}")))
}
