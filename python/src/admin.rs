//! Checking an index.

use crate::call::{Reporter, long_call};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList};
use std::path::PathBuf;

/// Verifies every byte of an index. Returns a dict: `ok`, `generation`, `segments`, `docs`, `bytes`, `problems` (dicts
/// with `file` and `problem`). `progress(phase, done, total)` is called now and then; returning False cancels.
#[pyfunction]
#[pyo3(signature = (path, *, progress=None))]
pub(crate) fn check<'py>(
    py: Python<'py>,
    path: PathBuf,
    progress: Option<Py<PyAny>>,
) -> PyResult<Bound<'py, PyDict>> {
    let report = long_call(py, |cancel| {
        let reporter = Reporter { callable: progress, cancel: cancel.clone() };
        lucerne::admin::check(&path, cancel, &reporter)
    })?;
    let problems = PyList::empty(py);
    for problem in &report.problems {
        let dict = PyDict::new(py);
        dict.set_item("file", &problem.file)?;
        dict.set_item("problem", &problem.problem)?;
        problems.append(dict)?;
    }
    let dict = PyDict::new(py);
    dict.set_item("ok", report.ok())?;
    dict.set_item("generation", report.generation)?;
    dict.set_item("segments", report.segments)?;
    dict.set_item("docs", report.docs)?;
    dict.set_item("bytes", report.bytes)?;
    dict.set_item("problems", problems)?;
    Ok(dict)
}
