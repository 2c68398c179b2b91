//! Creating and opening indexes.

use crate::arrow::ArrowTable;
use crate::call::{Reporter, call, long_call};
use crate::commit_at::commit_at;
use crate::figures;
use crate::memory::{self, Ceiling};
use crate::merge_events::MergeEvents;
use crate::scan::Scanner;
use crate::schema::schema_of;
use crate::searcher::Searcher;
use crate::writer::Writer;
use crate::{errors, json, transfer};
use lucerne::directory::FsDirectory;
use lucerne::merge::MergePolicy;
use lucerne::{Memory, WriterOptions};
use pyo3::prelude::*;
use pyo3::types::PyDict;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

/// A handle on an index, a folder. Holds no lock.
#[pyclass(frozen, module = "lucerne")]
pub(crate) struct Index {
    path: PathBuf,
    /// The path as text.
    text: Arc<str>,
    /// The engine's handle, and the process that opened it: a fork opens its own.
    opened: Mutex<(u32, lucerne::Index)>,
    memory: Memory,
}

/// Creates an index in a folder that has none. `schema`: a `lucerne.Schema`, its JSON form as a dict, or JSON text.
/// `memory`: a ceiling, `lucerne.Memory` or bytes.
#[pyfunction]
#[pyo3(signature = (path, schema, *, memory=None))]
pub(crate) fn create(
    py: Python<'_>,
    path: PathBuf,
    schema: &Bound<'_, PyAny>,
    memory: Option<Ceiling>,
) -> PyResult<Index> {
    let (schema, memory) = (schema_of(schema)?, Ceiling::memory(memory));
    let index = call(py, || memory::create(&path, schema, &memory))?;
    Ok(Index::new(path, index, memory))
}

/// Opens the index in a folder. `memory`: a ceiling, `lucerne.Memory` or bytes.
#[pyfunction]
#[pyo3(signature = (path, *, memory=None))]
pub(crate) fn open(py: Python<'_>, path: PathBuf, memory: Option<Ceiling>) -> PyResult<Index> {
    let memory = Ceiling::memory(memory);
    let index = call(py, || memory::open(&path, &memory))?;
    Ok(Index::new(path, index, memory))
}

impl Index {
    fn new(path: PathBuf, index: lucerne::Index, memory: Memory) -> Self {
        let text = path.display().to_string().into();
        Self { path, text, opened: Mutex::new((std::process::id(), index)), memory }
    }

    /// The engine's handle, in this process.
    fn index(&self, py: Python<'_>) -> PyResult<lucerne::Index> {
        let mut opened = self.opened.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        if opened.0 != std::process::id() {
            // Of its own: what the parent held when it forked is never given back here.
            let memory = self.memory.limit().map_or_else(Memory::unlimited, Memory::ceiling);
            let index = memory::open(&self.path, &memory).map_err(|error| errors::exception(py, error))?;
            *opened = (std::process::id(), index);
        }
        Ok(opened.1.clone())
    }
}

#[pymethods]
impl Index {
    /// The folder.
    #[getter]
    fn path(&self) -> &str {
        &self.text
    }

    /// The schema, in JSON form as a dict.
    #[getter]
    fn schema<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let index = self.index(py)?;
        let schema = call(py, || index.schema())?;
        json::to_python(py, &schema.to_json())
    }

    /// A snapshot: the last commit, or later changes that a writer of this `Index` has refreshed.
    fn searcher(&self, py: Python<'_>) -> PyResult<Searcher> {
        let index = self.index(py)?;
        Ok(Searcher::new(call(py, || index.searcher())?, Arc::clone(&self.text)))
    }

    /// Opens the writer: there is one at a time. `ram_budget`: bytes of buffers (256 MiB). `flush_docs`: documents after
    /// which a segment is flushed, whatever its size. `threads`: for building graphs (all processors). `seed`: of the
    /// graphs' levels. `merge_threads`: merges at once; 0 for merges on the thread that flushes. `merge_bytes_per_second`:
    /// most bytes that a merge writes. `merge_policy`: `"tiered"`, or `"none"` to merge only when told to. `keep_commits`:
    /// commits that stay, the newest included, besides those with tags (1). `on_merge(event)`: is called with a dict for
    /// each event of a merge, on the merge's thread; it must be quick and must not call the writer. Its `event` is
    /// `"started"`, `"progress"`, `"finished"`, `"failed"` or `"writer slowed"`.
    #[pyo3(signature = (*, ram_budget=None, flush_docs=None, threads=None, seed=None, merge_threads=None,
        merge_bytes_per_second=None, merge_policy="tiered", keep_commits=None, on_merge=None))]
    #[allow(clippy::too_many_arguments, reason = "keywords of Python")]
    fn writer(
        &self,
        py: Python<'_>,
        ram_budget: Option<usize>,
        flush_docs: Option<u32>,
        threads: Option<usize>,
        seed: Option<u64>,
        merge_threads: Option<usize>,
        merge_bytes_per_second: Option<u64>,
        merge_policy: &str,
        keep_commits: Option<u32>,
        on_merge: Option<Py<PyAny>>,
    ) -> PyResult<Writer> {
        let mut options = WriterOptions::new();
        if let Some(bytes) = ram_budget {
            options = options.ram_budget(bytes);
        }
        if let Some(docs) = flush_docs {
            options = options.flush_docs(docs);
        }
        if let Some(threads) = threads {
            options = options.threads(threads);
        }
        if let Some(seed) = seed {
            options = options.seed(seed);
        }
        if let Some(threads) = merge_threads {
            options = options.merge_threads(threads);
        }
        if let Some(commits) = keep_commits {
            options = options.keep_commits(commits);
        }
        if let Some(bytes) = merge_bytes_per_second {
            options = options.merge_bytes_per_second(bytes);
        }
        match merge_policy {
            "tiered" => {}
            "none" => options = options.merge_policy(MergePolicy::None),
            other => {
                let problem = format!("merge_policy is {other:?}, expected \"tiered\" or \"none\"");
                return Err(errors::usage(py, problem));
            }
        }
        let events = Arc::new(MergeEvents::new(on_merge));
        let told = Arc::clone(&events);
        let options = options.on_merge(move |event: &_| told.event(event));
        let index = self.index(py)?;
        let writer = long_call(py, |_| index.writer_with(options))?;
        Ok(Writer::new(writer, Arc::clone(&self.text), events))
    }

    /// `index.searcher().search(…)`: searches the newest snapshot.
    #[pyo3(signature = (query, **keywords), text_signature = "($self, query, *, limit=None, offset=0, filter=None, \
        fields=None, vectors=None, highlight=None, sort=None, rerank=None, mmr=None, decay=None, group_by=None, \
        facets=None, aggs=None, total=False, min_score=None, explain=False, timeout=None, partial=False, threads=None, \
        default_field=None, params=None, lenient=False)")]
    fn search<'py>(
        &self,
        py: Python<'py>,
        query: &Bound<'py, PyAny>,
        keywords: Option<&Bound<'py, PyDict>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        Bound::new(py, self.searcher(py)?)?.getattr("search")?.call((query,), keywords)
    }

    /// `index.searcher().scan(…)`: all documents of the newest snapshot in the order of their keys.
    #[pyo3(signature = (filter=None, *, after=None, fields=None, vectors=None))]
    fn scan(
        &self,
        py: Python<'_>,
        filter: Option<&Bound<'_, PyAny>>,
        after: Option<String>,
        fields: Option<Vec<String>>,
        vectors: Option<Vec<String>>,
    ) -> PyResult<Scanner> {
        self.searcher(py)?.scan(py, filter, after, fields, vectors)
    }

    /// `index.searcher().get(key)`.
    fn get<'py>(&self, py: Python<'py>, key: &str) -> PyResult<Option<Bound<'py, PyDict>>> {
        self.searcher(py)?.get(py, key)
    }

    /// `index.searcher().count(query)`.
    #[pyo3(signature = (query=None))]
    fn count(&self, py: Python<'_>, query: Option<&Bound<'_, PyAny>>) -> PyResult<u64> {
        self.searcher(py)?.count(py, query)
    }

    /// Copies the newest commit to a folder while this or another process goes on writing. A folder that holds an earlier
    /// backup is brought up to date: only new files are copied. Returns a dict: `generation`, `docs`, `files`, `bytes`,
    /// `copied_files`, `copied_bytes`. `progress(phase, done, total)` is called now and then; returning False cancels.
    #[pyo3(signature = (path, *, progress=None))]
    fn backup_to<'py>(
        &self,
        py: Python<'py>,
        path: PathBuf,
        progress: Option<Py<PyAny>>,
    ) -> PyResult<Bound<'py, PyDict>> {
        let index = self.index(py)?;
        let report = long_call(py, |cancel| {
            let reporter = Reporter { callable: progress, cancel: cancel.clone() };
            index.backup_in(Arc::new(FsDirectory::create(&path)?), cancel, &reporter)
        })?;
        let dict = PyDict::new(py);
        dict.set_item("generation", report.generation)?;
        dict.set_item("docs", report.docs)?;
        dict.set_item("files", report.files)?;
        dict.set_item("bytes", report.bytes)?;
        dict.set_item("copied_files", report.copied_files)?;
        dict.set_item("copied_bytes", report.copied_bytes)?;
        Ok(dict)
    }

    /// The tags, and the generation that each names.
    fn tags(&self, py: Python<'_>) -> PyResult<BTreeMap<String, u64>> {
        let index = self.index(py)?;
        call(py, || index.tags())
    }

    /// Generations of the commits that are kept, newest first.
    fn commits(&self, py: Python<'_>) -> PyResult<Vec<u64>> {
        let index = self.index(py)?;
        call(py, || index.commits())
    }

    /// A snapshot of a commit that is kept, by its tag or its generation.
    fn open_at(&self, py: Python<'_>, at: &Bound<'_, PyAny>) -> PyResult<Searcher> {
        let (index, at) = (self.index(py)?, commit_at(at)?);
        Ok(Searcher::new(call(py, || index.open_at(at))?, Arc::clone(&self.text)))
    }

    /// Makes segments part of the index, in one commit, all or nothing. `handles`: what `SegmentBuilder.finish` and
    /// `Searcher.merge_segments` returned. `on_existing`: `"fail"`, `"replace"` or `"skip"` documents whose keys exist.
    /// `folders`: where the segments' files are, if not in the index's own folder. `expected_generation`: a
    /// `ConflictError` when the index is at another commit. `wait`: seconds, while another writer or publisher has the
    /// index. Returns a dict of `generation` and of numbers: `docs` added, of these those that `replaced` others; `skipped`;
    /// segments `merged`.
    #[pyo3(signature = (handles, *, on_existing="fail", folders=Vec::new(), expected_generation=None, wait=0.0))]
    fn publish<'py>(
        &self,
        py: Python<'py>,
        handles: &Bound<'py, PyAny>,
        on_existing: &str,
        folders: Vec<PathBuf>,
        expected_generation: Option<u64>,
        wait: f64,
    ) -> PyResult<Bound<'py, PyDict>> {
        let options = transfer::publish_options(py, on_existing, folders, expected_generation, wait)?;
        transfer::publish(py, &self.index(py)?, handles, &options)
    }

    /// Adds all documents of other indexes (folders) of the same schema, in one commit, all or nothing. Returns the new
    /// generation. No writer may be open.
    fn add_indexes(&self, py: Python<'_>, paths: Vec<PathBuf>) -> PyResult<u64> {
        transfer::add_indexes(py, &self.index(py)?, &paths)
    }

    /// Deletes files of built segments in the index's folder, or in another one, that nobody published and to which nothing
    /// was written for so many seconds. Returns their number.
    #[pyo3(signature = (older_than, *, folder=None))]
    fn sweep_orphans(&self, py: Python<'_>, older_than: f64, folder: Option<PathBuf>) -> PyResult<usize> {
        transfer::sweep_orphans(py, &self.index(py)?, older_than, folder)
    }

    /// What this handle has done so far: counters, and for searches, flushes, commits and merges a dict of `count` and, in
    /// seconds, `total`, `mean`, `p50`, `p99`, `max`.
    fn stats<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let stats = self.index(py)?.stats();
        let dict = PyDict::new(py);
        for (name, latency) in [
            ("searches", &stats.searches),
            ("flushes", &stats.flushes),
            ("commits", &stats.commits),
            ("merges", &stats.merges),
        ] {
            let times = PyDict::new(py);
            times.set_item("count", latency.count())?;
            for (name, time) in [
                ("total", latency.total()),
                ("mean", latency.mean()),
                ("p50", latency.percentile(0.5)),
                ("p99", latency.percentile(0.99)),
                ("max", latency.max()),
            ] {
                times.set_item(name, time.as_secs_f64())?;
            }
            dict.set_item(name, times)?;
        }
        for (name, count) in [
            ("failed_searches", stats.failed_searches),
            ("timed_out_searches", stats.timed_out_searches),
            ("cancelled_searches", stats.cancelled_searches),
            ("hits", stats.hits),
            ("documents_added", stats.documents_added),
            ("documents_deleted", stats.documents_deleted),
            ("failed_merges", stats.failed_merges),
            ("bytes_flushed", stats.bytes_flushed),
            ("bytes_merged", stats.bytes_merged),
        ] {
            dict.set_item(name, count)?;
        }
        Ok(dict)
    }

    /// `index.searcher().inspect()`.
    fn inspect<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        self.searcher(py)?.inspect(py)
    }

    /// `index.searcher().to_arrow()`.
    #[pyo3(signature = (filter=None, *, lists=Vec::new()))]
    fn to_arrow(
        &self,
        py: Python<'_>,
        filter: Option<&Bound<'_, PyAny>>,
        lists: Vec<String>,
    ) -> PyResult<ArrowTable> {
        self.searcher(py)?.to_arrow(filter, lists)
    }

    fn __len__(&self, py: Python<'_>) -> PyResult<usize> {
        Ok(self.searcher(py)?.searcher.len() as usize)
    }

    fn __repr__(&self) -> String {
        format!("Index({:?})", self.text)
    }

    fn _repr_html_(&self, py: Python<'_>) -> PyResult<String> {
        figures::index_html(py, &self.searcher(py)?.searcher)
    }

    /// Opens the folder again elsewhere.
    fn __reduce__<'py>(&self, py: Python<'py>) -> PyResult<(Bound<'py, PyAny>, (&str,))> {
        Ok((py.import("lucerne")?.getattr("open")?, (&self.text,)))
    }
}
