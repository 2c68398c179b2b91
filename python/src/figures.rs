//! What there is to see in an index: figures, samples, frequent terms, plans, and pictures for notebooks.

use crate::call::{call, long_call};
use crate::json;
use lucerne::{Searcher, admin};
use numpy::PyArray1;
use pyo3::prelude::*;
use serde_json::Value;

/// A segment, a key, a vector.
pub(crate) type Sampled<'py> = (String, String, Bound<'py, PyArray1<f32>>);

pub(crate) fn vector_figures<'py>(
    py: Python<'py>,
    searcher: &Searcher,
    field: &str,
    sample: usize,
) -> PyResult<Vec<Bound<'py, PyAny>>> {
    let figures = long_call(py, |cancel| admin::vector_figures(searcher, field, sample, cancel))?;
    figures.iter().map(|report| json::to_python(py, report)).collect()
}

pub(crate) fn sample_vectors<'py>(
    py: Python<'py>,
    searcher: &Searcher,
    field: &str,
    sample: usize,
) -> PyResult<Vec<Sampled<'py>>> {
    let sampled = long_call(py, |cancel| admin::sample_vectors(searcher, field, sample, cancel))?;
    Ok(sampled.into_iter().map(|it| (it.segment, it.key, PyArray1::from_vec(py, it.vector))).collect())
}

pub(crate) fn top_terms(
    py: Python<'_>,
    searcher: &Searcher,
    field: &str,
    limit: usize,
) -> PyResult<Vec<(String, u64)>> {
    long_call(py, |cancel| admin::top_terms(searcher, field, limit, cancel))
}

pub(crate) fn plan_force_merge<'py>(
    py: Python<'py>,
    searcher: &Searcher,
    max_segments: usize,
) -> PyResult<Bound<'py, PyAny>> {
    let plan = call(py, || admin::plan_force_merge(searcher, max_segments))?;
    merge_report(py, &plan)
}

/// A `MergeReport` of plans or records of merges.
pub(crate) fn merge_report<'py>(py: Python<'py>, reports: &[Value]) -> PyResult<Bound<'py, PyAny>> {
    let reports: Vec<_> =
        reports.iter().map(|report| json::to_python(py, report)).collect::<PyResult<_>>()?;
    py.import("lucerne.reports")?.getattr("MergeReport")?.call1((reports,))
}

/// What an index consists of, for a notebook.
pub(crate) fn index_html(py: Python<'_>, searcher: &Searcher) -> PyResult<String> {
    Ok(lucerne_pictures::index(&call(py, || admin::inspect(searcher))?))
}

/// Merges for a notebook.
#[pyfunction]
pub(crate) fn _merge_report_html(merges: &Bound<'_, PyAny>) -> PyResult<String> {
    let merges = json::from_python(merges)?;
    Ok(lucerne_pictures::merge_report(merges.as_array().map_or(&[], Vec::as_slice)))
}
