//! Writing.

use crate::batch::each_batch;
use crate::call::{Reporter, call, long_call};
use crate::commit_at::commit_at;
use crate::document::{self, VectorFields};
use crate::merge_events::MergeEvents;
use crate::reading::{self, Reading};
use crate::schema::schema_of;
use crate::{arrow, changes, errors, figures};
use lucerne::Cancel;
use lucerne::codec::Report;
use lucerne_arrow::OnExisting;
use pyo3::prelude::*;
use pyo3::types::PyDict;
use std::sync::Arc;
use std::time::SystemTime;

/// Adds, replaces and deletes documents. There is one for an index at a time, in any process; threads share it.
///
/// As a context manager it commits at the end of the block and closes; when the block raises, it rolls back.
#[pyclass(frozen, module = "lucerne")]
pub(crate) struct Writer {
    /// None only while it is dropped.
    writer: Option<lucerne::Writer>,
    fields: VectorFields,
    path: Arc<str>,
    events: Arc<MergeEvents>,
    /// The process that opened it: a fork has neither its threads nor its lock.
    process: u32,
}

impl Writer {
    pub(crate) fn new(writer: lucerne::Writer, path: Arc<str>, events: Arc<MergeEvents>) -> Self {
        let fields = VectorFields::of(&writer.schema());
        Self { writer: Some(writer), fields, path, events, process: std::process::id() }
    }

    fn open(&self, py: Python<'_>) -> PyResult<&lucerne::Writer> {
        match &self.writer {
            Some(writer) if self.process == std::process::id() => Ok(writer),
            _ => {
                let process = self.process;
                let message = format!("the writer was opened in process {process}; a fork must open its own");
                Err(errors::raise(py, "ClosedError", message))
            }
        }
    }

    /// Merges, whose progress is reported, and commits.
    fn merge<'py>(
        &self,
        py: Python<'py>,
        progress: Option<Py<PyAny>>,
        merge: impl FnOnce(&lucerne::Writer, &Cancel) -> lucerne::Result<Vec<Report>> + Send,
    ) -> PyResult<Bound<'py, PyAny>> {
        let writer = self.open(py)?;
        let reports = long_call(py, |cancel: &Cancel| {
            let reporter = Reporter { callable: progress, cancel: cancel.clone() };
            let reports = self.events.reporting(reporter, || merge(writer, cancel))?;
            writer.commit()?;
            Ok(reports)
        })?;
        figures::merge_report(py, &reports)
    }

    fn plan<'py>(
        &self,
        py: Python<'py>,
        plan: impl FnOnce(&lucerne::Writer) -> lucerne::Result<Vec<Report>> + Send,
    ) -> PyResult<Bound<'py, PyAny>> {
        let writer = self.open(py)?;
        figures::merge_report(py, &long_call(py, |_| plan(writer))?)
    }
}

impl Drop for Writer {
    /// Without the GIL: it waits for merges, which may wait for the GIL to report.
    fn drop(&mut self) {
        let writer = self.writer.take();
        Python::attach(|py| py.detach(|| drop(writer)));
    }
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
        let writer = self.open(py)?;
        each_batch(py, &self.fields, documents, vectors, |batch| writer.add_batch(batch).map(drop))
    }

    /// Like `add_batch`, but replaces documents whose keys exist.
    #[pyo3(signature = (documents, *, vectors=None))]
    fn upsert_batch(
        &self,
        py: Python<'_>,
        documents: &Bound<'_, PyAny>,
        vectors: Option<&Bound<'_, PyDict>>,
    ) -> PyResult<usize> {
        let writer = self.open(py)?;
        each_batch(py, &self.fields, documents, vectors, |batch| writer.upsert_batch(batch).map(drop))
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

    /// Sets fields of the document with a key (None removes one), adds numbers to fields, removes fields, and leaves its others.
    #[pyo3(signature = (key, set=None, *, increment=None, remove=None))]
    fn update(
        &self,
        py: Python<'_>,
        key: &str,
        set: Option<&Bound<'_, PyAny>>,
        increment: Option<&Bound<'_, PyDict>>,
        remove: Option<Vec<String>>,
    ) -> PyResult<()> {
        let (writer, update) = (self.open(py)?, changes::update(&self.fields, set, increment, remove)?);
        call(py, || writer.update(key, update))
    }

    /// Updates all documents of a query (an object, text or JSON as a dict) as `update` does: all or none, at one point in time,
    /// those that are not committed yet included. `progress(phase, done, total)` is called now and then; returning False
    /// cancels. Returns a dict of numbers of documents: `matched`, and of these `changed`, `unchanged` (they had the values
    /// already) and `skipped` (another thread has changed them meanwhile); and `unknown_fields`, names in the query that no
    /// document has, in an index that takes undeclared fields.
    #[pyo3(signature = (query, *, set=None, increment=None, remove=None, progress=None))]
    #[allow(clippy::too_many_arguments, reason = "keywords of Python")]
    fn update_by_query<'py>(
        &self,
        py: Python<'py>,
        query: &Bound<'py, PyAny>,
        set: Option<&Bound<'py, PyAny>>,
        increment: Option<&Bound<'py, PyDict>>,
        remove: Option<Vec<String>>,
        progress: Option<Py<PyAny>>,
    ) -> PyResult<Bound<'py, PyDict>> {
        let (writer, update) = (self.open(py)?, changes::update(&self.fields, set, increment, remove)?);
        let query = reading::of_or_text(query, Reading::of(&writer.schema()))?;
        let report = long_call(py, |cancel| {
            let reporter = Reporter { callable: progress, cancel: cancel.clone() };
            writer.update_by_query_with(query, update, cancel, &reporter)
        })?;
        changes::as_dict(py, &report)
    }

    /// Deletes all documents of a query (an object, text or JSON as a dict), as `update_by_query` updates them. Returns what
    /// that does.
    fn delete_by_query<'py>(
        &self,
        py: Python<'py>,
        query: &Bound<'py, PyAny>,
    ) -> PyResult<Bound<'py, PyDict>> {
        let writer = self.open(py)?;
        let query = reading::of_or_text(query, Reading::of(&writer.schema()))?;
        let report = long_call(py, |cancel| writer.delete_by_query_with(query, cancel))?;
        changes::as_dict(py, &report)
    }

    /// Deletes the documents whose date in `field` is not after `now` (a datetime; by default the present). Those without one
    /// stay. Nothing expires by itself. Returns what `update_by_query` does.
    #[pyo3(signature = (field, now=None))]
    fn delete_expired<'py>(
        &self,
        py: Python<'py>,
        field: &str,
        now: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyDict>> {
        let writer = self.open(py)?;
        let now = now.map(changes::time).transpose()?.unwrap_or_else(SystemTime::now);
        let report = long_call(py, |_| writer.delete_expired(field, now))?;
        changes::as_dict(py, &report)
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
    fn tag(&self, py: Python<'_>, name: &str, at: Option<&Bound<'_, PyAny>>) -> PyResult<u64> {
        let (writer, at) = (self.open(py)?, at.map(commit_at).transpose()?);
        long_call(py, |_| match at {
            None => writer.tag(name),
            Some(at) => writer.tag_at(name, at),
        })
    }

    /// Commits, and forgets a name; the files of its commit go unless something else keeps it.
    fn untag(&self, py: Python<'_>, name: &str) -> PyResult<u64> {
        let writer = self.open(py)?;
        long_call(py, |_| writer.untag(name))
    }

    /// Makes the documents and the schema those of a commit that is kept (a tag or a generation), in a new commit.
    fn restore(&self, py: Python<'_>, at: &Bound<'_, PyAny>) -> PyResult<u64> {
        let (writer, at) = (self.open(py)?, commit_at(at)?);
        long_call(py, |_| writer.restore(at))
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

    /// Changes the schema: fields can be added, and options of how they are indexed changed. Takes what
    /// `lucerne.create` takes; existing segments follow with `upgrade` or as they are merged.
    fn set_schema(&self, py: Python<'_>, schema: &Bound<'_, PyAny>) -> PyResult<()> {
        let (writer, schema) = (self.open(py)?, schema_of(schema)?);
        long_call(py, |_| writer.set_schema(&schema))
    }

    /// Merges until at most `max_segments` are left, and commits. Returns a `MergeReport`, a dict for each merge: what was kept,
    /// requantized and resampled. `progress(phase, done, total)` is called now and then while it merges; returning False
    /// cancels, which leaves the segments as they were.
    #[pyo3(signature = (max_segments=1, *, progress=None))]
    fn force_merge<'py>(
        &self,
        py: Python<'py>,
        max_segments: usize,
        progress: Option<Py<PyAny>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        self.merge(py, progress, |writer, cancel| writer.force_merge(max_segments, cancel))
    }

    /// What `force_merge` would do: a dict for each merge with its sources, what would be kept, requantized or resampled,
    /// and bytes to read and write.
    #[pyo3(signature = (max_segments=1))]
    fn plan_force_merge<'py>(&self, py: Python<'py>, max_segments: usize) -> PyResult<Bound<'py, PyAny>> {
        self.plan(py, |writer| writer.plan_force_merge(max_segments))
    }

    /// Rewrites segments of which a larger share than `above` (0 to 1) is deleted, and commits. Returns what `force_merge`
    /// does.
    #[pyo3(signature = (above=0.0, *, progress=None))]
    fn expunge_deletes<'py>(
        &self,
        py: Python<'py>,
        above: f64,
        progress: Option<Py<PyAny>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        self.merge(py, progress, |writer, cancel| writer.expunge_deletes(above, cancel))
    }

    /// Rewrites segments that this release would write in another way, and commits. Returns what `force_merge` does.
    #[pyo3(signature = (*, progress=None))]
    fn upgrade<'py>(&self, py: Python<'py>, progress: Option<Py<PyAny>>) -> PyResult<Bound<'py, PyAny>> {
        self.merge(py, progress, lucerne::Writer::upgrade)
    }

    /// Waits until no merge is running or due.
    fn wait_for_merges(&self, py: Python<'_>) -> PyResult<()> {
        let writer = self.open(py)?;
        long_call(py, |_| {
            writer.wait_for_merges();
            Ok(())
        })
    }

    /// Asks running merges to stop; their segments stay as they are.
    fn cancel_merges(&self, py: Python<'_>) -> PyResult<()> {
        let writer = self.open(py)?;
        call(py, || {
            writer.cancel_merges();
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
    fn generation(&self, py: Python<'_>) -> PyResult<u64> {
        let writer = self.open(py)?;
        call(py, || Ok(writer.generation()))
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
