//! A ceiling on memory that indexes share.

use lucerne::directory::FsDirectory;
use lucerne::index::IndexBuilder;
use pyo3::prelude::*;
use pyo3::types::PyDict;
use std::path::Path;
use std::sync::Arc;

/// A ceiling on the heap that indexes take together: buffered documents, flushes, merges and searches. Give it to
/// `lucerne.create` and `lucerne.open`; what would take more waits, or works in files, and what never fits raises `UsageError`.
/// The pages of mapped files, and Python's own objects, do not count.
#[pyclass(frozen, module = "lucerne")]
pub(crate) struct Memory(lucerne::Memory);

#[pymethods]
impl Memory {
    /// `ceiling`: bytes; at least 8 MiB.
    #[new]
    fn new(ceiling: u64) -> Self {
        Self(lucerne::Memory::ceiling(ceiling))
    }

    /// The ceiling in bytes.
    #[getter]
    fn ceiling(&self) -> u64 {
        self.0.limit().unwrap_or_default()
    }

    /// Bytes taken now, as a dict: `buffers`, `merges`, `searches`.
    #[getter]
    fn in_use<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let used = self.0.in_use();
        let dict = PyDict::new(py);
        dict.set_item("buffers", used.buffers)?;
        dict.set_item("merges", used.merges)?;
        dict.set_item("searches", used.searches)?;
        Ok(dict)
    }

    /// The most bytes that were taken at a time.
    #[getter]
    fn peak(&self) -> u64 {
        self.0.peak()
    }

    fn __repr__(&self) -> String {
        format!("Memory({})", self.ceiling())
    }
}

/// What `memory=` takes: a ceiling of several indexes, or bytes for this one.
#[derive(FromPyObject)]
pub(crate) enum Ceiling {
    Shared(Py<Memory>),
    Own(u64),
}

impl Ceiling {
    pub(crate) fn memory(ceiling: Option<Self>) -> lucerne::Memory {
        match ceiling {
            None => lucerne::Memory::unlimited(),
            Some(Self::Shared(shared)) => shared.get().0.clone(),
            Some(Self::Own(bytes)) => lucerne::Memory::ceiling(bytes),
        }
    }
}

/// Opens an index below a ceiling.
pub(crate) fn open(path: &Path, memory: &lucerne::Memory) -> lucerne::Result<lucerne::Index> {
    IndexBuilder::new().memory(memory).open(Arc::new(FsDirectory::open(path)?))
}

/// Creates one.
pub(crate) fn create(
    path: &Path,
    schema: lucerne::Schema,
    memory: &lucerne::Memory,
) -> lucerne::Result<lucerne::Index> {
    IndexBuilder::new().memory(memory).create(Arc::new(FsDirectory::create(path)?), schema)
}
