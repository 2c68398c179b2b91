//! Indexes in shards: searching those that are open here, and asking those that are elsewhere.

use crate::aggregations;
use crate::call::{call, long_call};
use crate::document::VectorFields;
use crate::errors;
use crate::hits::Hits;
use crate::reading::{self, Reading};
use crate::rerank::{self, Rerank};
use crate::schema::schema_of;
use crate::search::{Keywords, Limits, run, search};
use crate::searcher::{Searcher, as_dict};
use crate::shard_answer::{of_json, to_json};
use lucerne::search::{ShardAnswer, ShardRequest};
use lucerne::shards::ShardedIndex;
use lucerne::{Schema, Search};
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::PyDict;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The number of the shard that has the document of a key: the CRC-32 of its UTF-8 bytes modulo the number of shards.
#[pyfunction]
pub(crate) fn shard_of(key: &str, shards: usize) -> usize {
    lucerne::shards::shard_of(key, shards)
}

/// Makes the folder of an index in shards; the folders of its shards.
#[pyfunction]
pub(crate) fn _create_shards(
    py: Python<'_>,
    path: PathBuf,
    schema: &Bound<'_, PyAny>,
    shards: usize,
) -> PyResult<Vec<PathBuf>> {
    let schema = schema_of(schema)?;
    call(py, || ShardedIndex::create(&path, schema, shards))?;
    Ok((0..shards).map(|shard| lucerne::shards::shard_path(&path, shard)).collect())
}

/// The folders of the shards of an index.
#[pyfunction]
pub(crate) fn _shard_paths(py: Python<'_>, path: PathBuf) -> PyResult<Vec<PathBuf>> {
    let index = call(py, || ShardedIndex::open(&path))?;
    Ok((0..index.shards().len()).map(|shard| lucerne::shards::shard_path(&path, shard)).collect())
}

/// A search from `search(query, **keywords)`, and what its hits are made with.
struct Asked {
    search: Search,
    limits: Limits,
    facets: Vec<String>,
    warnings: Vec<String>,
}

/// The keywords of `Searcher.search`.
const KEYWORDS: [&str; 22] = [
    "limit",
    "offset",
    "filter",
    "fields",
    "vectors",
    "highlight",
    "sort",
    "rerank",
    "mmr",
    "decay",
    "group_by",
    "facets",
    "aggs",
    "total",
    "min_score",
    "explain",
    "timeout",
    "partial",
    "threads",
    "default_field",
    "params",
    "lenient",
];

fn asked(
    py: Python<'_>,
    schema: &Schema,
    query: &Bound<'_, PyAny>,
    keywords: Option<&Bound<'_, PyDict>>,
) -> PyResult<Asked> {
    let given = keywords.cloned().unwrap_or_else(|| PyDict::new(py));
    for name in given.keys() {
        let name: String = name.extract()?;
        if !KEYWORDS.contains(&name.as_str()) {
            return Err(PyTypeError::new_err(format!(
                "search() got an unexpected keyword argument '{name}'"
            )));
        }
    }
    let get = |name: &str| -> PyResult<Option<Bound<'_, PyAny>>> {
        Ok(given.get_item(name)?.filter(|value| !value.is_none()))
    };
    let flag = |name: &str| get(name)?.map_or(Ok(false), |value| value.extract::<bool>());
    let dict = |name: &str| -> PyResult<Option<Bound<'_, PyDict>>> {
        Ok(get(name)?.map(Bound::cast_into::<PyDict>).transpose()?)
    };
    let names = |name: &str| get(name)?.map(|value| value.extract::<Vec<String>>()).transpose();
    let (mmr, decay, group_by, filter) = (get("mmr")?, dict("decay")?, get("group_by")?, get("filter")?);
    let (highlight, sort, aggs, params) = (get("highlight")?, get("sort")?, dict("aggs")?, dict("params")?);
    let reranked =
        get("rerank")?.map(|value| Ok::<_, PyErr>(value.extract::<PyRef<'_, Rerank>>()?)).transpose()?;
    let rerank = rerank::chosen(py, reranked.as_deref(), mmr.as_ref(), decay.as_ref())?;
    let facets = get("facets")?.map(|value| aggregations::facets(&value)).transpose()?.unwrap_or_default();
    let default_fields = get("default_field")?.map(|value| reading::default_fields(&value)).transpose()?;
    let (fields, vectors) = (names("fields")?, names("vectors")?);
    let keywords = Keywords {
        limit: get("limit")?.map(|value| value.extract()).transpose()?,
        offset: get("offset")?.map_or(Ok(0), |value| value.extract())?,
        filter: filter.as_ref(),
        fields: fields.as_deref(),
        vectors: vectors.as_deref(),
        highlight: highlight.as_ref(),
        sort: sort.as_ref(),
        rerank: rerank.as_ref(),
        min_score: get("min_score")?.map(|value| value.extract()).transpose()?,
        explain: flag("explain")?,
        facets: &facets,
        aggs: aggs.as_ref(),
        group_by: group_by.as_ref(),
        total: flag("total")?,
    };
    let timeout = get("timeout")?.map(|value| value.extract()).transpose()?;
    let threads = get("threads")?.map(|value| value.extract()).transpose()?;
    let limits = Limits::of(py, timeout, flag("partial")?, threads)?;
    let default_fields = default_fields.unwrap_or_default();
    let (default_fields, lenient) = (default_fields.as_slice(), flag("lenient")?);
    let reading = Reading { schema, default_fields, params: params.as_ref(), lenient };
    let search = search(query, reading, keywords)?;
    let warnings = reading::warnings(query, reading)?;
    let facets = facets.into_iter().map(|(field, _)| field).collect();
    Ok(Asked { search, limits, facets, warnings })
}

/// One point in time of each of several indexes (shards) that have one schema and no document in common. Its answers are those of
/// one index of all documents.
#[pyclass(frozen, module = "lucerne")]
pub(crate) struct ShardedSearcher {
    searcher: lucerne::shards::ShardedSearcher,
    fields: Arc<VectorFields>,
}

#[pymethods]
impl ShardedSearcher {
    #[new]
    fn new(py: Python<'_>, searchers: Vec<PyRef<'_, Searcher>>) -> PyResult<Self> {
        let searchers = searchers.iter().map(|searcher| searcher.searcher.clone()).collect();
        let searcher = call(py, || lucerne::shards::ShardedSearcher::new(searchers))?;
        let fields = Arc::new(VectorFields::of(searcher.schema()));
        Ok(Self { searcher, fields })
    }

    /// Runs a query over all shards: as `Searcher.search`. `threads`: shards are searched side by side on so many (1).
    /// Reranking by MMR, groups of more than one hit, `MoreLike` of a key, `post_filter` and explanations of rankings are a
    /// `UsageError`.
    #[pyo3(signature = (query, **keywords), text_signature = "($self, query, *, limit=None, offset=0, filter=None, \
        fields=None, vectors=None, highlight=None, sort=None, rerank=None, mmr=None, decay=None, group_by=None, \
        facets=None, aggs=None, total=False, min_score=None, explain=False, timeout=None, partial=False, threads=None, \
        default_field=None, params=None, lenient=False)")]
    fn search(
        &self,
        py: Python<'_>,
        query: &Bound<'_, PyAny>,
        keywords: Option<&Bound<'_, PyDict>>,
    ) -> PyResult<Hits> {
        let Asked { search, limits, facets, warnings } = asked(py, self.searcher.schema(), query, keywords)?;
        let find = |search: Search, options: &_| self.searcher.search_with(search, options);
        let found = run(py, find, || Ok(search.clone()), limits)?;
        Ok(Hits::new(Arc::clone(&self.fields), found, facets, warnings))
    }

    /// How many documents match a query.
    #[pyo3(signature = (query=None))]
    fn count(&self, py: Python<'_>, query: Option<&Bound<'_, PyAny>>) -> PyResult<u64> {
        let Some(query) = query else { return Ok(self.searcher.len()) };
        let search = reading::search_of(query, Reading::of(self.searcher.schema()))?;
        long_call(py, |_| self.searcher.count(search))
    }

    /// The stored document with a key, as a dict whose vectors are arrays; None when there is none.
    fn get<'py>(&self, py: Python<'py>, key: &str) -> PyResult<Option<Bound<'py, PyDict>>> {
        let found = call(py, || self.searcher.get(key))?;
        found.map(|found| as_dict(py, &self.fields, &found)).transpose()
    }

    /// The commit that each shard's searcher reads.
    #[getter]
    fn generations(&self) -> Vec<u64> {
        self.searcher.generations()
    }

    fn __len__(&self) -> usize {
        self.searcher.len() as usize
    }

    fn __repr__(&self) -> String {
        let (docs, shards) = (self.searcher.len(), self.searcher.shards().len());
        format!("ShardedSearcher({shards} shards, {docs} documents)")
    }
}

/// A search over shards that are elsewhere: what to ask them (`Searcher.answer`), and what their answers come to.
///
/// `schema`: that of the shards, as `lucerne.create` takes it. The other arguments are those of `Searcher.search`.
#[pyclass(frozen, module = "lucerne")]
pub(crate) struct ShardedSearch {
    search: Mutex<Option<lucerne::search::ShardedSearch>>,
    fields: Arc<VectorFields>,
    facets: Vec<String>,
    warnings: Vec<String>,
}

impl ShardedSearch {
    fn open(&self) -> MutexGuard<'_, Option<lucerne::search::ShardedSearch>> {
        self.search.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[pymethods]
impl ShardedSearch {
    #[new]
    #[pyo3(signature = (query, schema, shards, **keywords))]
    fn new(
        py: Python<'_>,
        query: &Bound<'_, PyAny>,
        schema: &Bound<'_, PyAny>,
        shards: usize,
        keywords: Option<&Bound<'_, PyDict>>,
    ) -> PyResult<Self> {
        let schema = schema_of(schema)?;
        let Asked { search, facets, warnings, .. } = asked(py, &schema, query, keywords)?;
        let search = call(py, || lucerne::search::ShardedSearch::new(search, &schema, shards))?;
        let fields = Arc::new(VectorFields::of(&schema));
        Ok(Self { search: Mutex::new(Some(search)), fields, facets, warnings })
    }

    /// What to ask of each shard next, as JSON; None of a shard that has failed to answer. None when all is known.
    fn requests(&self, py: Python<'_>) -> PyResult<Option<Vec<Option<String>>>> {
        let requests = self.open().as_ref().and_then(lucerne::search::ShardedSearch::requests);
        let Some(requests) = requests else { return Ok(None) };
        let text = |request: Option<ShardRequest>| request.map(|request| to_json(py, &request)).transpose();
        requests.into_iter().map(text).collect::<PyResult<_>>().map(Some)
    }

    /// Takes the answers to these requests; None of a shard that has not answered.
    fn answered(&self, py: Python<'_>, answers: Vec<Option<String>>) -> PyResult<()> {
        let read = |answer: Option<String>| answer.map(|answer| of_json(py, &answer)).transpose();
        let answers = answers.into_iter().map(read).collect::<PyResult<Vec<Option<ShardAnswer>>>>()?;
        let mut search = self.open();
        let Some(search) = search.as_mut() else { return Ok(()) };
        search.answered(answers).map_err(|error| errors::exception(py, error))
    }

    /// The hits, once.
    fn hits(&self, py: Python<'_>) -> PyResult<Hits> {
        let found = self.open().take().and_then(lucerne::search::ShardedSearch::hits);
        let none = || errors::usage(py, "the search has not ended, or its hits were taken".to_owned());
        let (fields, facets) = (Arc::clone(&self.fields), self.facets.clone());
        Ok(Hits::new(fields, found.ok_or_else(none)?, facets, self.warnings.clone()))
    }
}
