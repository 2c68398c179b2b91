//! Writing.

use crate::call::{Reporter, call, long_call};
use crate::commit_at::CommitAt;
use crate::document::{self, VectorFields};
use crate::{arrays, arrow, errors, json};
use lucerne::{Cancel, Document};
use lucerne_arrow::OnExisting;
use numpy::{PyReadonlyArray2, PyUntypedArrayMethods};
use pyo3::prelude::*;
use pyo3::types::PyDict;

/// Adds, replaces and deletes documents. There is one for an index at a time, in any process; threads share it.
///
/// As a context manager it commits at the end of the block and closes; when the block raises, it rolls back.
#[pyclass(frozen, module = "lucerne")]
pub(crate) struct Writer {
    writer: lucerne::Writer,
    fields: VectorFields,
    path: String,
    /// The process that opened it: a fork has neither its threads nor its lock.
    process: u32,
}

/// Documents given to the engine at once, and between two looks for Ctrl-C.
const BATCH: usize = 512;

impl Writer {
    pub(crate) fn new(writer: lucerne::Writer, path: String) -> Self {
        let fields = VectorFields::of(&writer.schema());
        Self { writer, fields, path, process: std::process::id() }
    }

    fn open(&self, py: Python<'_>) -> PyResult<&lucerne::Writer> {
        if self.process == std::process::id() {
            return Ok(&self.writer);
        }
        let message = format!("the writer was opened in process {}; a fork must open its own", self.process);
        Err(errors::raise(py, "ClosedError", message))
    }

    fn batch(
        &self,
        py: Python<'_>,
        documents: &Bound<'_, PyAny>,
        vectors: Option<&Bound<'_, PyDict>>,
        write: impl Fn(&lucerne::Writer, &[Document]) -> lucerne::Result<Vec<String>> + Sync,
    ) -> PyResult<usize> {
        let writer = self.open(py)?;
        let columns = columns(vectors)?;
        let columns = columns
            .iter()
            .map(|(field, rows)| {
                let values = rows.as_slice().map_err(|error| errors::usage(py, error.to_string()))?;
                Ok((field.as_str(), values, rows.shape()[0], rows.shape()[1]))
            })
            .collect::<PyResult<Vec<_>>>()?;
        // Where the number of documents is known, nothing is written before it is compared.
        let known = documents.len().ok();
        if let Some((known, (field, _, rows, _))) =
            known.zip(columns.iter().find(|(.., rows, _)| known.is_some_and(|known| known != *rows)))
        {
            return Err(errors::usage(
                py,
                format!("vectors[{field:?}] has {rows} rows for {known} documents"),
            ));
        }
        let (mut batch, mut given) = (Vec::with_capacity(BATCH), 0);
        let flush = |batch: &mut Vec<Document>| -> PyResult<()> {
            call(py, || write(writer, batch))?;
            batch.clear();
            py.check_signals()
        };
        for item in documents.try_iter()? {
            let mut document = document::document(&self.fields, &item?)?;
            for &(field, values, rows, dimension) in &columns {
                let row = values.get(given * dimension..(given + 1) * dimension);
                let Some(row) = row.filter(|_| given < rows) else {
                    let problem =
                        format!("vectors[{field:?}] has {rows} rows, fewer than there are documents");
                    return Err(errors::usage(py, problem));
                };
                document.set(field, row.to_vec());
            }
            batch.push(document);
            given += 1;
            if batch.len() == BATCH {
                flush(&mut batch)?;
            }
        }
        flush(&mut batch)?;
        match columns.iter().find(|(.., rows, _)| *rows != given) {
            None => Ok(given),
            Some((field, _, rows, _)) => {
                let problem = format!("vectors[{field:?}] has {rows} rows for {given} documents");
                Err(errors::usage(py, problem))
            }
        }
    }
}

/// The arrays of `vectors={"field": array}`.
fn columns<'py>(vectors: Option<&Bound<'py, PyDict>>) -> PyResult<Vec<(String, PyReadonlyArray2<'py, f32>)>> {
    let Some(vectors) = vectors else { return Ok(Vec::new()) };
    vectors.iter().map(|(field, rows)| Ok((field.extract()?, arrays::rows(&rows)?))).collect()
}

#[pymethods]
impl Writer {
    /// Adds a document: a dict, a dataclass or a pydantic model. Returns its key. A key that exists is an
    /// `AlreadyExistsError`.
    fn add(&self, py: Python<'_>, document: &Bound<'_, PyAny>) -> PyResult<String> {
        let (writer, document) = (self.open(py)?, document::document(&self.fields, document)?);
        call(py, || writer.add(&document))
    }

    /// Adds a document, or replaces the one with its key. Returns the key.
    fn upsert(&self, py: Python<'_>, document: &Bound<'_, PyAny>) -> PyResult<String> {
        let (writer, document) = (self.open(py)?, document::document(&self.fields, document)?);
        call(py, || writer.upsert(&document))
    }

    /// Adds many documents, given by any iterable; with `vectors={"field": array of (documents, dimension)}` each
    /// document takes its row. Returns how many were added. An error leaves those before its batch of 512 added.
    #[pyo3(signature = (documents, *, vectors=None))]
    fn add_batch(
        &self,
        py: Python<'_>,
        documents: &Bound<'_, PyAny>,
        vectors: Option<&Bound<'_, PyDict>>,
    ) -> PyResult<usize> {
        self.batch(py, documents, vectors, lucerne::Writer::add_batch)
    }

    /// Like `add_batch`, but replaces documents whose keys exist.
    #[pyo3(signature = (documents, *, vectors=None))]
    fn upsert_batch(
        &self,
        py: Python<'_>,
        documents: &Bound<'_, PyAny>,
        vectors: Option<&Bound<'_, PyDict>>,
    ) -> PyResult<usize> {
        self.batch(py, documents, vectors, lucerne::Writer::upsert_batch)
    }

    /// Adds the rows of a table: anything with `__arrow_c_stream__`, such as a data frame of polars or pandas, a table or
    /// reader of pyarrow, a result of duckdb. Columns become the fields of their names; vectors are lists of f16, f32 or
    /// f64. `on_existing`: `"fail"` or `"replace"` documents whose keys exist. Returns how many rows there were.
    #[pyo3(signature = (data, *, on_existing="fail"))]
    fn add_arrow(&self, py: Python<'_>, data: &Bound<'_, PyAny>, on_existing: &str) -> PyResult<u64> {
        let on_existing = match on_existing {
            "fail" => OnExisting::Fail,
            "replace" => OnExisting::Replace,
            other => {
                let problem = format!("on_existing is {other:?}, expected \"fail\" or \"replace\"");
                return Err(errors::usage(py, problem));
            }
        };
        arrow::add(py, self.open(py)?, data, on_existing)
    }

    /// Sets fields of the document with a key, and leaves its others.
    fn update(&self, py: Python<'_>, key: &str, fields: &Bound<'_, PyAny>) -> PyResult<()> {
        let (writer, document) = (self.open(py)?, document::document(&self.fields, fields)?);
        call(py, || writer.update(key, &document))
    }

    /// Deletes the document with a key; False when there is none.
    fn delete(&self, py: Python<'_>, key: &str) -> PyResult<bool> {
        let writer = self.open(py)?;
        call(py, || writer.delete(key))
    }

    /// Makes changes visible to new searchers of the same `Index`, without making them durable.
    fn refresh(&self, py: Python<'_>) -> PyResult<()> {
        let writer = self.open(py)?;
        long_call(py, |_| writer.refresh())
    }

    /// Makes all changes durable. Returns the generation of the commit.
    fn commit(&self, py: Python<'_>) -> PyResult<u64> {
        let writer = self.open(py)?;
        long_call(py, |_| writer.commit())
    }

    /// Commits, and names the commit, which stays until `untag`. Returns its generation. With `at` (a tag or a generation)
    /// an earlier commit that is kept is named instead.
    #[pyo3(signature = (name, *, at=None))]
    fn tag(&self, py: Python<'_>, name: &str, at: Option<CommitAt>) -> PyResult<u64> {
        let writer = self.open(py)?;
        long_call(py, |_| match at {
            None => writer.tag(name),
            Some(at) => writer.tag_at(name, at.commit()),
        })
    }

    /// Commits, and forgets a name; the files of its commit go unless something else keeps it.
    fn untag(&self, py: Python<'_>, name: &str) -> PyResult<u64> {
        let writer = self.open(py)?;
        long_call(py, |_| writer.untag(name))
    }

    /// Makes the documents and the schema those of a commit that is kept (a tag or a generation), in a new commit.
    fn restore(&self, py: Python<'_>, at: CommitAt) -> PyResult<u64> {
        let writer = self.open(py)?;
        long_call(py, |_| writer.restore(at.commit()))
    }

    /// Takes the raw vectors of an int8 field away, durable with the next commit: codes are what is left, and exact
    /// searches and rescoring are refused from then on. There is no way back.
    fn drop_raw(&self, py: Python<'_>, field: &str) -> PyResult<()> {
        let writer = self.open(py)?;
        long_call(py, |_| writer.drop_raw(field).map(drop))
    }

    /// Drops what was changed since the last commit.
    fn rollback(&self, py: Python<'_>) -> PyResult<()> {
        let writer = self.open(py)?;
        long_call(py, |_| writer.rollback())
    }

    /// Merges until at most `max_segments` are left, and commits. Returns a dict for each merge: what was kept,
    /// requantized and resampled. `progress(phase, done, total)` is called before the first merge, where returning False
    /// cancels, and after the last.
    #[pyo3(signature = (max_segments=1, *, progress=None))]
    fn force_merge<'py>(
        &self,
        py: Python<'py>,
        max_segments: usize,
        progress: Option<Py<PyAny>>,
    ) -> PyResult<Vec<Bound<'py, PyAny>>> {
        let writer = self.open(py)?;
        let reports = long_call(py, |cancel: &Cancel| {
            let reporter = Reporter { callable: progress, cancel: cancel.clone() };
            lucerne::Progress::report(&reporter, "merging", 0, 1);
            let reports = writer.force_merge(max_segments, cancel)?;
            lucerne::Progress::report(&reporter, "merging", 1, 1);
            writer.commit()?;
            Ok(reports)
        })?;
        reports.iter().map(|report| json::to_python(py, report)).collect()
    }

    /// Waits until no merge is running or due.
    fn wait_for_merges(&self, py: Python<'_>) -> PyResult<()> {
        let writer = self.open(py)?;
        long_call(py, |_| {
            writer.wait_for_merges();
            Ok(())
        })
    }

    /// Commits and closes; another writer can be opened then.
    fn close(&self, py: Python<'_>) -> PyResult<()> {
        let writer = self.open(py)?;
        long_call(py, |_| writer.close())
    }

    fn __enter__(slf: PyRef<'_, Self>) -> PyRef<'_, Self> {
        slf
    }

    #[pyo3(signature = (kind, _error, _trace))]
    fn __exit__(
        &self,
        py: Python<'_>,
        kind: &Bound<'_, PyAny>,
        _error: &Bound<'_, PyAny>,
        _trace: &Bound<'_, PyAny>,
    ) -> PyResult<bool> {
        let writer = self.open(py)?;
        let failed = !kind.is_none();
        long_call(py, |_| {
            if failed {
                writer.rollback()?;
            }
            writer.close()
        })?;
        Ok(false)
    }

    /// The newest commit.
    #[getter]
    fn generation(&self) -> u64 {
        self.writer.generation()
    }

    fn __repr__(&self) -> String {
        format!("Writer({:?})", self.path)
    }

    fn __reduce__(&self, py: Python<'_>) -> PyResult<()> {
        Err(errors::usage(
            py,
            "a writer holds its index's lock and cannot be pickled; open one where it is needed",
        ))
    }
}
