//! Segments built by other processes, and publishing them.

use crate::batch::each_batch;
use crate::call::long_call;
use crate::document::{self, VectorFields};
use crate::schema::schema_of;
use crate::{errors, json};
use lucerne::transfer::{self, SegmentHandle};
use lucerne::{Document, Index, WriterOptions};
use pyo3::prelude::*;
use pyo3::types::PyDict;
use std::path::PathBuf;
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
        let mut options = WriterOptions::new();
        if let Some(threads) = threads {
            options = options.threads(threads);
        }
        if let Some(seed) = seed {
            options = options.seed(seed);
        }
        let fields = VectorFields::of(&schema);
        let builder = transfer::SegmentBuilder::new(schema, &folder, options)
            .map_err(|error| errors::exception(py, error))?;
        Ok(Self { builder: Mutex::new(Some(builder)), fields, folder })
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

    /// Writes the segment, makes it durable and returns its handle: a dict of plain JSON, for `json.dumps`, pickle or any
    /// message. The builder takes no more documents then.
    fn finish<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let builder = self.builder.lock().unwrap_or_else(PoisonError::into_inner).take();
        let handle = long_call(py, |_| builder.ok_or(lucerne::Error::WriterClosed)?.finish())?;
        let handle = serde_json::to_value(&handle).map_err(|error| errors::usage(py, error.to_string()))?;
        json::to_python(py, &handle)
    }

    fn __len__(&self) -> usize {
        let builder = self.builder.lock().unwrap_or_else(PoisonError::into_inner);
        builder.as_ref().map_or(0, |builder| builder.len() as usize)
    }

    fn __repr__(&self) -> String {
        format!("SegmentBuilder({:?}, {} documents)", self.folder.display().to_string(), self.__len__())
    }
}

/// Publishes segments by their handles.
pub(crate) fn publish(
    py: Python<'_>,
    index: &Index,
    handles: &Bound<'_, PyAny>,
    expected: Option<u64>,
) -> PyResult<u64> {
    let read = |given: PyResult<Bound<'_, PyAny>>| -> PyResult<SegmentHandle> {
        serde_json::from_value(json::from_python(&given?)?)
            .map_err(|error| errors::usage(py, format!("not a handle of SegmentBuilder.finish: {error}")))
    };
    let handles = handles.try_iter()?.map(read).collect::<PyResult<Vec<_>>>()?;
    long_call(py, |_| {
        let expected = match expected {
            Some(expected) => expected,
            None => index.searcher()?.generation(),
        };
        index.publish(&handles, expected)
    })
}

/// Adds whole indexes.
pub(crate) fn add_indexes(py: Python<'_>, index: &Index, paths: &[PathBuf]) -> PyResult<u64> {
    let paths: Vec<_> = paths.iter().map(PathBuf::as_path).collect();
    long_call(py, |cancel| index.add_indexes(&paths, cancel))
}

/// Deletes segments that nobody published.
pub(crate) fn sweep_orphans(py: Python<'_>, index: &Index, older_than: f64) -> PyResult<usize> {
    let age = Duration::try_from_secs_f64(older_than)
        .map_err(|_| errors::usage(py, format!("older_than is {older_than}, expected seconds from 0")))?;
    long_call(py, |_| index.sweep_orphans(age))
}
