//! A snapshot of an index, and searching it.

use crate::arrow::ArrowTable;
use crate::call::{call, long_call};
use crate::document::{self, VectorFields};
use crate::hits::{Hits, value_to_python};
use crate::reading::{self, Reading};
use crate::rerank::{self, Rerank};
use crate::rows::{self, KeysAndScores};
use crate::scan::Scanner;
use crate::search::{Keywords, Limits, run, search};
use crate::{aggregations, arrays, errors, figures, json, queries, shard_answer, transfer};
use lucerne::search::Scan;
use lucerne::{Document, Knn};
use numpy::PyUntypedArrayMethods;
use pyo3::prelude::*;
use pyo3::types::PyDict;
use std::path::PathBuf;
use std::sync::{Arc, OnceLock};
use std::time::Instant;

/// The depth of what `recommend` returns, with its filter.
const RECOMMENDED_DEPTH: u32 = 4;

/// One point in time of an index. Its answers never change; it can be used from many threads.
#[pyclass(frozen, module = "lucerne")]
pub(crate) struct Searcher {
    pub(crate) searcher: lucerne::Searcher,
    fields: OnceLock<Arc<VectorFields>>,
    path: Arc<str>,
}

impl Searcher {
    pub(crate) fn new(searcher: lucerne::Searcher, path: Arc<str>) -> Self {
        Self { fields: OnceLock::new(), searcher, path }
    }

    fn fields(&self) -> &Arc<VectorFields> {
        self.fields.get_or_init(|| Arc::new(VectorFields::of(self.searcher.schema())))
    }
}

#[pymethods]
impl Searcher {
    /// Runs a query: an object (`Knn`, `Match`, …), text in the syntax of Lucene, Solr or Redis, or JSON as a dict.
    ///
    /// `limit`: most hits, 1 to 10,000 (10, or the `k` of a `Knn`); `offset`: hits to pass over. `filter`: a query (or
    /// text) that hits must match, applied before neighbors are searched. `min_score`: hits below are left out.
    ///
    /// Of each hit: `fields`, stored fields (`[]`: all); `vectors`, vector fields as arrays; `highlight`, text fields or
    /// `Highlight`s, whose words of the query are marked; `explain`, how it scores.
    ///
    /// Order: `sort`, `"year"`, `"-year"` or a list of these. Or one second opinion: `rerank`, a `Rerank`; `mmr`, a vector field or
    /// `(field, lambda)`, short for `Rerank.mmr`; `decay`, a dict such as `{"field": "date", "origin": "2024-05-01", "scale":
    /// "30d"}`, short for `Rerank.decay(…, multiply=True)`. `group_by`: a field or `(field, best)`; hits are the best of each of its values, and
    /// `hit.group` has the others.
    ///
    /// Of all documents found: `facets`, fields or `{field: values}`, whose most frequent values are counted; `aggs`,
    /// aggregations by name in the JSON form of Elasticsearch; `total`, count them exactly.
    ///
    /// `timeout`: seconds after which it is a `TimedOutError`, or with `partial` what was found, marked by `hits.stopped`.
    /// `threads`: segments are searched side by side on so many (1).
    ///
    /// Of text: `default_field`, the field of words without one, or a list such as `["title^3", "body"]`; `params`, the values
    /// of `$name`: arrays, bytes, numbers, text; `lenient`, never fail: what has no meaning is searched for as words, and
    /// `hits.warnings` says what that was.
    #[pyo3(signature = (query, *, limit=None, offset=0, filter=None, fields=None, vectors=None, highlight=None, sort=None,
        rerank=None, mmr=None, decay=None, group_by=None, facets=None, aggs=None, total=false, min_score=None,
        explain=false, timeout=None, partial=false, threads=None, default_field=None, params=None, lenient=false))]
    #[allow(clippy::too_many_arguments, reason = "keywords of Python")]
    fn search(
        &self,
        py: Python<'_>,
        query: &Bound<'_, PyAny>,
        limit: Option<usize>,
        offset: usize,
        filter: Option<&Bound<'_, PyAny>>,
        fields: Option<Vec<String>>,
        vectors: Option<Vec<String>>,
        highlight: Option<&Bound<'_, PyAny>>,
        sort: Option<&Bound<'_, PyAny>>,
        rerank: Option<PyRef<'_, Rerank>>,
        mmr: Option<&Bound<'_, PyAny>>,
        decay: Option<&Bound<'_, PyDict>>,
        group_by: Option<&Bound<'_, PyAny>>,
        facets: Option<&Bound<'_, PyAny>>,
        aggs: Option<&Bound<'_, PyDict>>,
        total: bool,
        min_score: Option<f32>,
        explain: bool,
        timeout: Option<f64>,
        partial: bool,
        threads: Option<usize>,
        default_field: Option<&Bound<'_, PyAny>>,
        params: Option<&Bound<'_, PyDict>>,
        lenient: bool,
    ) -> PyResult<Hits> {
        let rerank = rerank::chosen(py, rerank.as_deref(), mmr, decay)?;
        let facets = facets.map(aggregations::facets).transpose()?.unwrap_or_default();
        let default_fields = default_field.map(reading::default_fields).transpose()?.unwrap_or_default();
        let keywords = Keywords {
            limit,
            offset,
            filter,
            fields: fields.as_deref(),
            vectors: vectors.as_deref(),
            highlight,
            sort,
            rerank: rerank.as_ref(),
            min_score,
            explain,
            facets: &facets,
            aggs,
            group_by,
            total,
        };
        let limits = Limits::of(py, timeout, partial, threads)?;
        let schema = self.searcher.schema();
        let reading = Reading { schema, default_fields: &default_fields, params, lenient };
        let find = |search: lucerne::Search, options: &_| self.searcher.search_with(search, options);
        let found = run(py, find, || search(query, reading, keywords), limits)?;
        let warnings = reading::warnings(query, reading)?;
        let facets = facets.into_iter().map(|(field, _)| field).collect();
        Ok(Hits::new(Arc::clone(self.fields()), found, facets, warnings))
    }

    /// The values that a field has, in their order, with the number of documents that have each: the first `limit` (1 to
    /// 65,536) that begin with `prefix`.
    #[pyo3(signature = (field, *, prefix="", limit=100))]
    fn values<'py>(
        &self,
        py: Python<'py>,
        field: &str,
        prefix: &str,
        limit: usize,
    ) -> PyResult<Vec<(Bound<'py, PyAny>, u64)>> {
        let found = long_call(py, |cancel| {
            self.searcher.values_with(field, prefix, limit, &Limits::default().options(cancel))
        })?;
        found.iter().map(|(value, count)| Ok((value_to_python(py, value)?, *count))).collect()
    }

    /// A `Knn` for documents whose vectors are like those of some (keys) and unlike those of others, and that are neither: its
    /// vector is twice the mean of the liked ones, less the mean of the others. `k`: as of `Knn`.
    #[pyo3(signature = (field, liked, disliked=Vec::new(), *, k=None))]
    fn recommend(
        &self,
        py: Python<'_>,
        field: &str,
        liked: Vec<String>,
        disliked: Vec<String>,
        k: Option<usize>,
    ) -> PyResult<Py<queries::Knn>> {
        let liked: Vec<&str> = liked.iter().map(String::as_str).collect();
        let disliked: Vec<&str> = disliked.iter().map(String::as_str).collect();
        let knn = call(py, || self.searcher.recommend(field, &liked, &disliked))?;
        queries::Knn::made(py, k.into_iter().fold(knn, Knn::k), RECOMMENDED_DEPTH)
    }

    /// All documents in the order of their keys, each once, whatever is written meanwhile: an iterator of
    /// `ScannedDocument`s.
    ///
    /// `filter`: a query (or text) that they match. `after`: only documents with later keys; the last key seen goes on where
    /// an earlier scan has ended, in this searcher or another one. `fields`: stored fields (all). `vectors`: vector fields to
    /// return as arrays beside the fields.
    #[pyo3(signature = (filter=None, *, after=None, fields=None, vectors=None))]
    pub(crate) fn scan(
        &self,
        py: Python<'_>,
        filter: Option<&Bound<'_, PyAny>>,
        after: Option<String>,
        fields: Option<Vec<String>>,
        vectors: Option<Vec<String>>,
    ) -> PyResult<Scanner> {
        let mut scan = Scan::new().fields(fields.unwrap_or_default()).vectors(vectors.unwrap_or_default());
        if let Some(filter) = filter {
            scan = scan.filter(reading::of_or_text(filter, Reading::of(self.searcher.schema()))?);
        }
        if let Some(key) = after {
            scan = scan.after(key);
        }
        Scanner::new(py, &self.searcher, Arc::clone(self.fields()), scan)
    }

    /// Searches for the neighbors of each row of an array, on `threads` threads (all processors by default).
    ///
    /// Returns `(keys, scores)`, arrays of shape (rows, k): str, padded with None, and float32, padded with NaN, where
    /// fewer than `k` were found. `timeout`: seconds for all rows together. The other arguments are those of `Knn`. With
    /// `exact` each stored vector is read once for up to 256 rows; a `filter` is evaluated once for as many.
    #[pyo3(signature = (field, vectors, *, k=10, recall=None, candidates=None, rescore=None, exact=false, filter=None,
        threads=None, timeout=None))]
    #[allow(clippy::too_many_arguments, reason = "keywords of Python")]
    pub(crate) fn search_batch<'py>(
        &self,
        py: Python<'py>,
        field: &str,
        vectors: &Bound<'py, PyAny>,
        k: usize,
        recall: Option<f32>,
        candidates: Option<usize>,
        rescore: Option<f32>,
        exact: bool,
        filter: Option<&Bound<'py, PyAny>>,
        threads: Option<usize>,
        timeout: Option<f64>,
    ) -> PyResult<KeysAndScores<'py>> {
        let filter = filter
            .map(|filter| reading::of_or_text(filter, Reading::of(self.searcher.schema())))
            .transpose()?;
        let knn = |row: &[f32]| {
            let mut knn = Knn::new(field, row).k(k);
            if let Some(recall) = recall {
                knn = knn.recall(recall);
            }
            if let Some(candidates) = candidates {
                knn = knn.candidates(candidates);
            }
            if let Some(factor) = rescore {
                knn = knn.rescore(factor);
            }
            if let Some(filter) = &filter {
                knn = knn.filter(filter.clone());
            }
            if exact { knn.exact() } else { knn }
        };
        let rows = arrays::rows(vectors)?;
        let (count, dimension) = (rows.shape()[0], rows.shape()[1]);
        let rows = rows.as_slice().map_err(|error| errors::usage(py, error.to_string()))?;
        let row = |number: usize| rows.get(number * dimension..(number + 1) * dimension).unwrap_or_default();
        let processors = || std::thread::available_parallelism().map_or(1, |cores| cores.get());
        let threads = threads.unwrap_or_else(processors).clamp(1, count.max(1));
        // The time of all of them together.
        let timeout = Limits::of(py, timeout, false, None)?.timeout;
        let found = long_call(py, |cancel| {
            let cancel = match timeout.and_then(|timeout| Instant::now().checked_add(timeout)) {
                Some(deadline) => cancel.until(deadline),
                None => cancel.clone(),
            };
            let options = Limits::default().options(&cancel);
            let sharing = exact || filter.is_some();
            rows::search(&self.searcher, count, (threads, sharing), &options, |number| knn(row(number)))
        })?;
        found.arrays(py, count, k)
    }

    /// How many documents match a query (of a `Knn`: how many neighbors it finds).
    #[pyo3(signature = (query=None))]
    pub(crate) fn count(&self, py: Python<'_>, query: Option<&Bound<'_, PyAny>>) -> PyResult<u64> {
        let Some(query) = query else { return Ok(self.searcher.len()) };
        let search = reading::search_of(query, Reading::of(self.searcher.schema()))?;
        call(py, || self.searcher.count(search))
    }

    /// The stored document with a key, as a dict whose vectors are arrays; None when there is none.
    pub(crate) fn get<'py>(&self, py: Python<'py>, key: &str) -> PyResult<Option<Bound<'py, PyDict>>> {
        let document = call(py, || self.searcher.get(key))?;
        document.as_ref().map(|document| as_dict(py, self.fields(), document)).transpose()
    }

    /// The vector of a document as it was added (the first, in a field of several), or None.
    pub(crate) fn vector<'py>(
        &self,
        py: Python<'py>,
        key: &str,
        field: &str,
    ) -> PyResult<Option<Bound<'py, numpy::PyArray1<f32>>>> {
        let vectors = call(py, || self.searcher.vectors(key, field))?;
        Ok(vectors.into_iter().next().map(|vector| numpy::PyArray1::from_vec(py, vector)))
    }

    /// A document's vector as well as it is known: as `vector`, or of a field without raw vectors what its codes stand for.
    fn decoded_vector<'py>(
        &self,
        py: Python<'py>,
        key: &str,
        field: &str,
    ) -> PyResult<Option<Bound<'py, numpy::PyArray1<f32>>>> {
        let vector = call(py, || self.searcher.decoded_vector(key, field))?;
        Ok(vector.map(|vector| numpy::PyArray1::from_vec(py, vector)))
    }

    /// Why the document with a key is, or is not, a hit of a query: a dict with `matches`, `score`, `description`,
    /// `details`.
    fn explain<'py>(
        &self,
        py: Python<'py>,
        query: &Bound<'py, PyAny>,
        key: &str,
    ) -> PyResult<Bound<'py, PyAny>> {
        let search = reading::search_of(query, Reading::of(self.searcher.schema()))?;
        let explanation = call(py, || self.searcher.explain(search, key))?;
        json::to_python(py, &serde_json::to_value(&explanation).unwrap_or_default())
    }

    /// What the index consists of: segments, files, bytes, quantiles, graphs, recall; a dict.
    pub(crate) fn inspect<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let report = call(py, || lucerne::admin::inspect(&self.searcher))?;
        json::to_python(py, &report)
    }

    /// The name of the segment that holds the live document with a key; None when there is none.
    fn segment_of(&self, py: Python<'_>, key: &str) -> PyResult<Option<String>> {
        call(py, || lucerne::admin::segment_of(&self.searcher, key))
    }

    /// The terms of a text or keyword field that most documents have, with their numbers, most frequent first. Deleted documents
    /// count until their segments are merged.
    #[pyo3(signature = (field, *, limit=20))]
    fn top_terms(&self, py: Python<'_>, field: &str, limit: usize) -> PyResult<Vec<(String, u64)>> {
        figures::top_terms(py, &self.searcher, field, limit)
    }

    /// Figures of about `sample` vectors of a field: for each segment a dict with `segment` and `figures`, among them how codes
    /// lie between the quantiles, how far they are from the vectors, how many links nodes of the graph have.
    #[pyo3(signature = (field, *, sample=4_096))]
    fn vector_figures<'py>(
        &self,
        py: Python<'py>,
        field: &str,
        sample: usize,
    ) -> PyResult<Vec<Bound<'py, PyAny>>> {
        figures::vector_figures(py, &self.searcher, field, sample)
    }

    /// About `sample` vectors of a field, evenly spread over its segments, those of deleted documents left out: tuples of
    /// segment, key and vector.
    #[pyo3(signature = (field, *, sample=1_000))]
    fn sample_vectors<'py>(
        &self,
        py: Python<'py>,
        field: &str,
        sample: usize,
    ) -> PyResult<Vec<figures::Sampled<'py>>> {
        figures::sample_vectors(py, &self.searcher, field, sample)
    }

    /// What `Writer.force_merge` would do with these segments, without a writer: nothing is locked.
    #[pyo3(signature = (max_segments=1))]
    fn plan_force_merge<'py>(&self, py: Python<'py>, max_segments: usize) -> PyResult<Bound<'py, PyAny>> {
        figures::plan_force_merge(py, &self.searcher, max_segments)
    }

    /// All documents by ascending key as a table for `polars.DataFrame`, `pyarrow.table`, `duckdb` and whatever else takes
    /// `__arrow_c_stream__`: key, stored fields, vectors. A field becomes a column of lists when one of the first 4,096
    /// documents has a list there, or when `lists` names it.
    /// `filter`: a query (or text) that they match.
    #[pyo3(signature = (filter=None, *, lists=Vec::new()))]
    pub(crate) fn to_arrow(
        &self,
        filter: Option<&Bound<'_, PyAny>>,
        lists: Vec<String>,
    ) -> PyResult<ArrowTable> {
        let query = match filter {
            Some(filter) => reading::of_or_text(filter, Reading::of(self.searcher.schema()))?,
            None => lucerne::Query::all(),
        };
        Ok(ArrowTable::new(self.searcher.clone(), lists, query))
    }

    /// Keys that split the documents into at most so many ranges of about the same size: each range ends with its key, the
    /// last one is open.
    fn split_keys(&self, py: Python<'_>, parts: usize) -> PyResult<Vec<String>> {
        call(py, || self.searcher.split_keys(parts))
    }

    /// Merges that leave at most so many segments of about the same size: a plan for each, as of `Writer.plan_force_merge`.
    /// No two have a segment in common, so that each can be the work of another process: `merge_segments`.
    #[pyo3(signature = (max_segments=1))]
    fn plan_even_merges<'py>(
        &self,
        py: Python<'py>,
        max_segments: usize,
    ) -> PyResult<Vec<Bound<'py, PyAny>>> {
        let plans = long_call(py, |_| lucerne::admin::plan_even_merges(&self.searcher, max_segments))?;
        plans.iter().map(|plan| json::to_python(py, plan)).collect()
    }

    /// Merges segments, by their names, into a new one in a folder, which may be the index's own, and returns its handle.
    /// The index stays as it is until `Index.publish`. `threads`: for building graphs (all processors). `seed`: of the
    /// graphs' levels. `progress(phase, done, total)` is called now and then; returning False cancels.
    #[pyo3(signature = (segments, folder, *, threads=None, seed=None, progress=None))]
    fn merge_segments<'py>(
        &self,
        py: Python<'py>,
        segments: Vec<String>,
        folder: PathBuf,
        threads: Option<usize>,
        seed: Option<u64>,
        progress: Option<Py<PyAny>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        transfer::merge_segments(py, &self.searcher, &segments, &folder, (threads, seed), progress)
    }

    /// Answers as one of several shards: `request` is one of `ShardedSearch.requests()`, the answer is for
    /// `ShardedSearch.answered`. `timeout`, `partial`, `threads`: as of `search`.
    #[pyo3(signature = (request, *, timeout=None, partial=false, threads=None))]
    fn answer(
        &self,
        py: Python<'_>,
        request: &str,
        timeout: Option<f64>,
        partial: bool,
        threads: Option<usize>,
    ) -> PyResult<String> {
        shard_answer::answer(py, &self.searcher, request, Limits::of(py, timeout, partial, threads)?)
    }

    /// The commit that this searcher reads, or that its refreshed changes follow.
    #[getter]
    fn generation(&self) -> u64 {
        self.searcher.generation()
    }

    /// Segments.
    #[getter]
    fn segment_count(&self) -> usize {
        self.searcher.segment_count()
    }

    fn __len__(&self) -> usize {
        self.searcher.len() as usize
    }

    fn __contains__(&self, py: Python<'_>, key: &str) -> PyResult<bool> {
        let name = self.searcher.schema().key().name().to_owned();
        Ok(call(py, || self.searcher.count(lucerne::Term::new(name, key)))? > 0)
    }

    fn __repr__(&self) -> String {
        let (docs, path) = (self.searcher.len(), &self.path);
        format!("Searcher({path:?}, {docs} documents, generation {})", self.searcher.generation())
    }

    /// Opens its commit again elsewhere, as long as that is kept.
    fn __reduce__<'py>(&self, py: Python<'py>) -> PyResult<(Bound<'py, PyAny>, (&str, u64))> {
        let reopened = py.import("lucerne")?.getattr("_reopened_searcher")?;
        Ok((reopened, (&self.path, self.searcher.generation())))
    }
}

/// A document as a dict.
pub(crate) fn as_dict<'py>(
    py: Python<'py>,
    fields: &VectorFields,
    given: &Document,
) -> PyResult<Bound<'py, PyDict>> {
    match given.to_json() {
        serde_json::Value::Object(stored) => document::to_python(py, fields, &stored),
        _ => Ok(PyDict::new(py)),
    }
}
