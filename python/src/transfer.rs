//! Segments built by other processes, and publishing them.

use crate::batch::each_batch;
use crate::call::{Reporter, long_call};
use crate::document::{self, VectorFields};
use crate::schema::schema_of;
use crate::{arrow, errors, json};
use lucerne::transfer::{self, PublishOptions, SegmentHandle};
use lucerne::writer::OnExisting;
use lucerne::{Document, Index, WriterOptions};
use pyo3::prelude::*;
use pyo3::types::PyDict;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// Builds one segment in a folder, apart from any index: any number of processes may do so at once. `finish` returns a
/// handle, which `Index.publish` makes part of an index.
///
/// `schema`: that of the index. `folder`: made if need be; it may be the index's own. `threads`: for building graphs (all
/// processors). `seed`: of the graphs' levels. Documents are held in memory until `finish`.
#[pyclass(frozen, module = "lucerne")]
pub(crate) struct SegmentBuilder {
    /// None once it is finished.
    builder: Mutex<Option<transfer::SegmentBuilder>>,
    fields: VectorFields,
    folder: PathBuf,
}

impl SegmentBuilder {
    fn with<T>(
        &self,
        work: impl FnOnce(&mut transfer::SegmentBuilder) -> lucerne::Result<T>,
    ) -> lucerne::Result<T> {
        let mut builder = self.builder.lock().unwrap_or_else(PoisonError::into_inner);
        builder.as_mut().map_or(Err(lucerne::Error::WriterClosed), work)
    }
}

#[pymethods]
impl SegmentBuilder {
    #[new]
    #[pyo3(signature = (schema, folder, *, threads=None, seed=None))]
    fn new(
        py: Python<'_>,
        schema: &Bound<'_, PyAny>,
        folder: PathBuf,
        threads: Option<usize>,
        seed: Option<u64>,
    ) -> PyResult<Self> {
        let schema = schema_of(schema)?;
        let options = graph_options(threads, seed);
        let fields = VectorFields::of(&schema);
        let builder = transfer::SegmentBuilder::new(schema, &folder, options)
            .map_err(|error| errors::exception(py, error))?;
        Ok(Self { builder: Mutex::new(Some(builder)), fields, folder })
    }

    /// The schema, in JSON form as a dict, with every default that is written out.
    #[getter]
    fn schema<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let schema = self.with(|builder| Ok(builder.schema().to_json()));
        json::to_python(py, &schema.map_err(|error| errors::exception(py, error))?)
    }

    /// Takes a document, which needs a key that the builder has not.
    fn add(&self, py: Python<'_>, document: &Bound<'_, PyAny>) -> PyResult<()> {
        let document = document::document(&self.fields, document)?;
        crate::call::call(py, || self.with(|builder| builder.add(&document)))
    }

    /// Takes many documents, as `Writer.add_batch`; returns their number.
    #[pyo3(signature = (documents, *, vectors=None))]
    fn add_batch(
        &self,
        py: Python<'_>,
        documents: &Bound<'_, PyAny>,
        vectors: Option<&Bound<'_, PyDict>>,
    ) -> PyResult<usize> {
        let add = |batch: &[Document]| {
            self.with(|builder| batch.iter().try_for_each(|document| builder.add(document)))
        };
        each_batch(py, &self.fields, documents, vectors, add)
    }

    /// Takes the rows of a table, as `Writer.add_arrow`; returns their number.
    fn add_arrow(&self, py: Python<'_>, data: &Bound<'_, PyAny>) -> PyResult<u64> {
        // Not locked meanwhile: reading the table may need the GIL.
        let taken = self.builder.lock().unwrap_or_else(PoisonError::into_inner).take();
        let mut builder = taken.ok_or_else(|| errors::exception(py, lucerne::Error::WriterClosed))?;
        let added = arrow::build(py, &mut builder, data);
        *self.builder.lock().unwrap_or_else(PoisonError::into_inner) = Some(builder);
        added
    }

    /// Writes the segment, makes it durable and returns its handle: a dict of plain JSON, for `json.dumps`, pickle or any
    /// message. The builder takes no more documents then.
    fn finish<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let builder = self.builder.lock().unwrap_or_else(PoisonError::into_inner).take();
        let handle = long_call(py, |_| builder.ok_or(lucerne::Error::WriterClosed)?.finish())?;
        handle_to_python(py, &handle)
    }

    fn __len__(&self) -> usize {
        let builder = self.builder.lock().unwrap_or_else(PoisonError::into_inner);
        builder.as_ref().map_or(0, |builder| builder.len() as usize)
    }

    fn __repr__(&self) -> String {
        format!("SegmentBuilder({:?}, {} documents)", self.folder.display().to_string(), self.__len__())
    }
}

fn graph_options(threads: Option<usize>, seed: Option<u64>) -> WriterOptions {
    let mut options = WriterOptions::new();
    if let Some(threads) = threads {
        options = options.threads(threads);
    }
    if let Some(seed) = seed {
        options = options.seed(seed);
    }
    options
}

/// The keywords of `Index.publish`.
pub(crate) fn publish_options(
    py: Python<'_>,
    on_existing: &str,
    folders: Vec<PathBuf>,
    expected_generation: Option<u64>,
    wait: f64,
) -> PyResult<PublishOptions> {
    let on_existing = match on_existing {
        "fail" => OnExisting::Fail,
        "replace" => OnExisting::Replace,
        "skip" => OnExisting::Skip,
        other => {
            let problem = format!("on_existing is {other:?}, expected \"fail\", \"replace\" or \"skip\"");
            return Err(errors::usage(py, problem));
        }
    };
    let wait = Duration::try_from_secs_f64(wait)
        .map_err(|_| errors::usage(py, format!("wait is {wait}, expected seconds from 0")))?;
    let mut options = PublishOptions::new().on_existing(on_existing).wait(wait);
    (options.folders, options.expected_generation) = (folders, expected_generation);
    Ok(options)
}

/// Publishes segments by their handles.
pub(crate) fn publish<'py>(
    py: Python<'py>,
    index: &Index,
    handles: &Bound<'py, PyAny>,
    options: &PublishOptions,
) -> PyResult<Bound<'py, PyDict>> {
    let read = |given: PyResult<Bound<'_, PyAny>>| -> PyResult<SegmentHandle> {
        serde_json::from_value(json::from_python(&given?)?)
            .map_err(|error| errors::usage(py, format!("not a handle of a built or merged segment: {error}")))
    };
    let handles = handles.try_iter()?.map(read).collect::<PyResult<Vec<_>>>()?;
    let published = long_call(py, |cancel| index.publish(&handles, options, cancel))?;
    let dict = PyDict::new(py);
    dict.set_item("generation", published.generation)?;
    dict.set_item("docs", published.docs)?;
    dict.set_item("replaced", published.replaced)?;
    dict.set_item("skipped", published.skipped)?;
    dict.set_item("merged", published.merged)?;
    Ok(dict)
}

/// Merges segments of a snapshot and returns the handle.
pub(crate) fn merge_segments<'py>(
    py: Python<'py>,
    searcher: &lucerne::Searcher,
    segments: &[String],
    folder: &Path,
    (threads, seed): (Option<usize>, Option<u64>),
    progress: Option<Py<PyAny>>,
) -> PyResult<Bound<'py, PyAny>> {
    let options = graph_options(threads, seed);
    let handle = long_call(py, |cancel| {
        let reporter = Reporter { callable: progress, cancel: cancel.clone() };
        transfer::merge_segments(searcher, segments, folder, &options, cancel, &reporter)
    })?;
    handle_to_python(py, &handle)
}

fn handle_to_python<'py>(py: Python<'py>, handle: &SegmentHandle) -> PyResult<Bound<'py, PyAny>> {
    let handle = serde_json::to_value(handle).map_err(|error| errors::usage(py, error.to_string()))?;
    json::to_python(py, &handle)
}

/// Adds whole indexes.
pub(crate) fn add_indexes(py: Python<'_>, index: &Index, paths: &[PathBuf]) -> PyResult<u64> {
    let paths: Vec<_> = paths.iter().map(PathBuf::as_path).collect();
    long_call(py, |cancel| index.add_indexes(&paths, cancel))
}

/// Deletes segments that nobody published.
pub(crate) fn sweep_orphans(
    py: Python<'_>,
    index: &Index,
    older_than: f64,
    folder: Option<PathBuf>,
) -> PyResult<usize> {
    let age = Duration::try_from_secs_f64(older_than)
        .map_err(|_| errors::usage(py, format!("older_than is {older_than}, expected seconds from 0")))?;
    long_call(py, |_| match folder {
        Some(folder) => transfer::sweep_orphans(folder, age),
        None => index.sweep_orphans(age),
    })
}
