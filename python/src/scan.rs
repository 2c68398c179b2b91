//! Going through all documents of a snapshot.

use crate::call::cancellable;
use crate::document::{self, VectorFields};
use lucerne::Cancel;
use lucerne::search::{Scan, ScannedDocument as Scanned};
use pyo3::prelude::*;
use pyo3::types::PyDict;
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

/// Documents that are read at once, and between two looks for Ctrl-C.
const BATCH: usize = 256;

/// A document of a scan.
#[pyclass(frozen, module = "lucerne")]
pub(crate) struct ScannedDocument {
    /// Its key.
    #[pyo3(get)]
    key: String,
    /// Its stored fields, as far as they were asked for. Vectors are arrays.
    #[pyo3(get)]
    fields: Py<PyDict>,
    /// The vectors that were asked for, by field, as `Hit.vectors`.
    #[pyo3(get)]
    vectors: Py<PyDict>,
}

#[pymethods]
impl ScannedDocument {
    /// A stored field, like `document.fields[name]`.
    fn __getitem__<'py>(&self, py: Python<'py>, name: &str) -> PyResult<Bound<'py, PyAny>> {
        let found = self.fields.bind(py).get_item(name)?;
        found.ok_or_else(|| pyo3::exceptions::PyKeyError::new_err(name.to_owned()))
    }

    fn __repr__(&self, py: Python<'_>) -> PyResult<String> {
        Ok(format!("ScannedDocument(key={:?}, fields={})", self.key, self.fields.bind(py).repr()?))
    }
}

/// The documents of a scan. An error ends it.
#[pyclass(frozen, module = "lucerne")]
pub(crate) struct Scanner {
    fields: Arc<VectorFields>,
    cancel: Cancel,
    rest: Mutex<Rest>,
}

struct Rest {
    scanner: lucerne::search::Scanner,
    read: VecDeque<lucerne::Result<Scanned>>,
}

impl Scanner {
    pub(crate) fn new(
        py: Python<'_>,
        searcher: &lucerne::Searcher,
        fields: Arc<VectorFields>,
        scan: Scan,
    ) -> PyResult<Self> {
        let cancel = Cancel::new();
        let scan = scan.cancel(&cancel);
        let scanner = cancellable(py, &cancel, || searcher.scan(&scan))?;
        Ok(Self { fields, cancel, rest: Mutex::new(Rest { scanner, read: VecDeque::new() }) })
    }
}

#[pymethods]
impl Scanner {
    fn __iter__(slf: PyRef<'_, Self>) -> PyRef<'_, Self> {
        slf
    }

    fn __next__(&self, py: Python<'_>) -> PyResult<Option<Py<ScannedDocument>>> {
        let mut next = self.lock().read.pop_front();
        if next.is_none() {
            next = cancellable(py, &self.cancel, || {
                let mut rest = self.lock();
                if rest.read.is_empty() {
                    let batch: Vec<_> = rest.scanner.by_ref().take(BATCH).collect();
                    rest.read.extend(batch);
                }
                rest.read.pop_front().transpose()
            })?
            .map(Ok);
        }
        let Some(next) = next else { return Ok(None) };
        let Scanned { key, fields, vectors, .. } =
            next.map_err(|error| crate::errors::exception(py, error))?;
        let document = ScannedDocument {
            key,
            fields: document::to_python(py, &self.fields, &fields)?.unbind(),
            vectors: document::vectors_to_python(py, &self.fields, &vectors)?.unbind(),
        };
        Py::new(py, document).map(Some)
    }
}

impl Scanner {
    /// Held for as long as a batch is read, never while waiting for the GIL.
    fn lock(&self) -> std::sync::MutexGuard<'_, Rest> {
        self.rest.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
