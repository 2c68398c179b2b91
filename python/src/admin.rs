//! Checking an index, and repairing it.

use crate::call::{Reporter, long_call};
use lucerne::admin::{
    Deletes, LostDocument, LostPart, Problem, RepairOptions, RepairReport, RepairRun, SegmentRepair,
};
use lucerne::directory::FsDirectory;
use lucerne::index::IndexBuilder;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList};
use std::path::PathBuf;
use std::sync::Arc;

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
    let dict = PyDict::new(py);
    dict.set_item("ok", report.ok())?;
    dict.set_item("generation", report.generation)?;
    dict.set_item("segments", report.segments)?;
    dict.set_item("docs", report.docs)?;
    dict.set_item("bytes", report.bytes)?;
    dict.set_item("problems", problems(py, &report.problems)?)?;
    Ok(dict)
}

/// Problems as dicts with `file` and `problem`.
fn problems<'py>(py: Python<'py>, found: &[Problem]) -> PyResult<Bound<'py, PyList>> {
    let problems = PyList::empty(py);
    for problem in found {
        let dict = PyDict::new(py);
        dict.set_item("file", &problem.file)?;
        dict.set_item("problem", &problem.problem)?;
        problems.append(dict)?;
    }
    Ok(problems)
}

/// Makes what is damaged of an index again from what is whole; lost are documents whose own bytes are damaged, and only these.
///
/// `dry_run`: change nothing, say what would be done and lost. `keep_lost`: report the stored fields of documents that are lost
/// for want of a vector. `damaged_to`: copy the files of damaged segments to this folder first. `ram_budget`: bytes (256 MiB).
/// `threads`: for building graphs (1). `progress(phase, done, total)` is called now and then; returning False cancels.
///
/// Returns a dict: `whole` (nothing is damaged), `from_generation`, `generation` (of the commit that replaces it, or None),
/// `commits` (dicts with `file` and `problem`), `lost_tags`, `segments` (dicts with `segment`, `problems`, `rebuilt`, `docs`,
/// `lost`, `emptied_fields`, `not_indexed`, `forgotten_deletes`, `unverified`), `lost` (dicts with `segment`, `doc`, `key`, `part`,
/// `field`, `perhaps_deleted`, `stored`), `lost_in_kept` (dicts with `generation`, `tags`, `lost`: what commits that are kept
/// beside the newest one have lost; not to be added again). A writer must not be open.
#[pyfunction]
#[pyo3(signature = (path, *, dry_run=false, keep_lost=false, damaged_to=None, ram_budget=None, threads=None, progress=None))]
#[allow(clippy::too_many_arguments, reason = "keywords of Python")]
pub(crate) fn repair<'py>(
    py: Python<'py>,
    path: PathBuf,
    dry_run: bool,
    keep_lost: bool,
    damaged_to: Option<PathBuf>,
    ram_budget: Option<usize>,
    threads: Option<usize>,
    progress: Option<Py<PyAny>>,
) -> PyResult<Bound<'py, PyDict>> {
    let mut options = RepairOptions::new().keep_lost(keep_lost);
    if dry_run {
        options = options.run(RepairRun::DryRun);
    }
    if let Some(folder) = damaged_to {
        options = options.damaged_to(folder);
    }
    if let Some(bytes) = ram_budget {
        options = options.ram_budget(bytes);
    }
    if let Some(threads) = threads {
        options = options.threads(threads);
    }
    let report = long_call(py, |cancel| {
        let reporter = Reporter { callable: progress, cancel: cancel.clone() };
        let directory = Arc::new(FsDirectory::open(&path)?);
        lucerne::admin::repair_in(IndexBuilder::new(), directory, &options, cancel, &reporter)
    })?;
    repair_report(py, &report)
}

fn repair_report<'py>(py: Python<'py>, report: &RepairReport) -> PyResult<Bound<'py, PyDict>> {
    let segments: Vec<_> =
        report.segments.iter().map(|segment| of_segment(py, segment)).collect::<PyResult<_>>()?;
    let lost: Vec<_> =
        report.lost.iter().map(|document| lost_document(py, document)).collect::<PyResult<_>>()?;
    let dict = PyDict::new(py);
    dict.set_item("whole", report.is_whole())?;
    dict.set_item("from_generation", report.from)?;
    dict.set_item("generation", report.generation)?;
    dict.set_item("commits", problems(py, &report.commits)?)?;
    dict.set_item("lost_tags", &report.lost_tags)?;
    dict.set_item("segments", segments)?;
    let kept = PyList::empty(py);
    for of_commit in &report.lost_in_kept {
        let lost: Vec<_> =
            of_commit.lost.iter().map(|document| lost_document(py, document)).collect::<PyResult<_>>()?;
        let dict = PyDict::new(py);
        dict.set_item("generation", of_commit.generation)?;
        dict.set_item("tags", &of_commit.tags)?;
        dict.set_item("lost", lost)?;
        kept.append(dict)?;
    }
    dict.set_item("lost", lost)?;
    dict.set_item("lost_in_kept", kept)?;
    Ok(dict)
}

fn of_segment<'py>(py: Python<'py>, segment: &SegmentRepair) -> PyResult<Bound<'py, PyDict>> {
    let forgotten = match segment.deletes {
        Deletes::Known => None,
        Deletes::Forgotten { deleted } => Some(deleted),
    };
    let dict = PyDict::new(py);
    dict.set_item("segment", &segment.segment)?;
    dict.set_item("problems", problems(py, &segment.problems)?)?;
    dict.set_item("rebuilt", &segment.rebuilt)?;
    dict.set_item("docs", segment.docs)?;
    dict.set_item("lost", segment.lost)?;
    dict.set_item("emptied_fields", &segment.emptied_fields)?;
    dict.set_item("not_indexed", segment.not_indexed)?;
    dict.set_item("forgotten_deletes", forgotten)?;
    dict.set_item("unverified", problems(py, &segment.unverified)?)?;
    Ok(dict)
}

fn lost_document<'py>(py: Python<'py>, lost: &LostDocument) -> PyResult<Bound<'py, PyDict>> {
    let (part, field) = match &lost.part {
        LostPart::Stored => ("stored", None),
        LostPart::Vector { field } => ("vector", Some(field)),
    };
    // Stored fields are JSON; read by Python, so that numbers are what a caller's own JSON would have.
    let stored = lost.stored.as_deref().map(|text| py.import("json")?.call_method1("loads", (text,)));
    let dict = PyDict::new(py);
    dict.set_item("segment", &lost.segment)?;
    dict.set_item("doc", lost.doc)?;
    dict.set_item("key", &lost.key)?;
    dict.set_item("part", part)?;
    dict.set_item("field", field)?;
    dict.set_item("perhaps_deleted", lost.perhaps_deleted)?;
    dict.set_item("stored", stored.transpose()?)?;
    Ok(dict)
}
