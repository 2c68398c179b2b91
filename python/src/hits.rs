//! What a search returns.

use crate::document::{self, VectorFields};
use crate::{errors, json};
use lucerne::search::{Bucket, Stopped};
use pyo3::exceptions::PyIndexError;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyDict, PyIterator, PyList, PySlice};
use std::sync::Arc;

/// A found document.
#[pyclass(frozen, module = "lucerne")]
pub(crate) struct Hit {
    /// The document's key.
    #[pyo3(get)]
    key: String,
    /// The score, greater is better.
    #[pyo3(get)]
    score: f32,
    /// The distance of the vector by which it was found, smaller is nearer; None where no vector was searched.
    #[pyo3(get)]
    distance: Option<f32>,
    /// Which of the document's vectors is the nearest, in a field of several.
    #[pyo3(get)]
    vector: Option<u32>,
    /// The stored fields that were asked for; None when none were. Vectors are arrays.
    #[pyo3(get)]
    fields: Option<Py<PyDict>>,
    /// The parts of the score, when the search asked to explain it.
    #[pyo3(get)]
    explanation: Option<Py<PyAny>>,
    /// The group whose best hit it is, when the search groups its hits.
    #[pyo3(get)]
    group: Option<Py<Group>>,
    vectors: Option<Py<PyDict>>,
    highlights: Option<Py<PyDict>>,
}

/// The other hits of a group, and the value that all of its hits have.
#[pyclass(frozen, module = "lucerne")]
pub(crate) struct Group {
    /// The value; None of a document without one, which is a group of its own.
    #[pyo3(get)]
    value: Py<PyAny>,
    hits: Vec<Py<Hit>>,
}

#[pymethods]
impl Group {
    /// The next best hits of the group, best first.
    #[getter]
    fn next(&self, py: Python<'_>) -> Vec<Py<Hit>> {
        self.hits.iter().map(|hit| hit.clone_ref(py)).collect()
    }

    fn __repr__(&self, py: Python<'_>) -> PyResult<String> {
        Ok(format!("Group({}, {} more)", self.value.bind(py).repr()?, self.hits.len()))
    }
}

#[pymethods]
impl Hit {
    fn __repr__(&self, py: Python<'_>) -> PyResult<String> {
        let fields = self.fields.as_ref().map(|fields| fields.bind(py).repr()).transpose()?;
        let fields = fields.map(|fields| format!(", fields={fields}")).unwrap_or_default();
        Ok(format!("Hit(key={:?}, score={}{fields})", self.key, self.score))
    }

    /// The vectors that `search(…, vectors=[…])` asked for, by field: arrays of float32; bits as zeros and ones, and of a field
    /// without raw vectors what the codes stand for. None of a document without one; in a field of several an array of
    /// (vectors, dimension).
    #[getter]
    fn vectors<'py>(&self, py: Python<'py>) -> Bound<'py, PyDict> {
        self.vectors.as_ref().map_or_else(|| PyDict::new(py), |vectors| vectors.bind(py).clone())
    }

    /// Fragments of texts with the words of the query, by field, when the search asks for them. Texts without any are left
    /// out.
    #[getter]
    fn highlights<'py>(&self, py: Python<'py>) -> Bound<'py, PyDict> {
        self.highlights.as_ref().map_or_else(|| PyDict::new(py), |shown| shown.bind(py).clone())
    }

    /// A stored field, like `hit.fields[name]`.
    fn __getitem__<'py>(&self, py: Python<'py>, name: &str) -> PyResult<Bound<'py, PyAny>> {
        let found = self.fields.as_ref().map(|fields| fields.bind(py).get_item(name)).transpose()?.flatten();
        found.ok_or_else(|| {
            let hint = if self.fields.is_none() { "; search(…, fields=[…]) returns fields" } else { "" };
            pyo3::exceptions::PyKeyError::new_err(format!("{name}{hint}"))
        })
    }
}

impl Hit {
    fn new(py: Python<'_>, fields: &VectorFields, hit: &lucerne::Hit) -> PyResult<Py<Self>> {
        let stored = hit.fields.as_ref().map(|stored| document::to_python(py, fields, stored)).transpose()?;
        let explanation = hit.explanation.as_ref().map(|explanation| {
            let json = serde_json::to_value(explanation).unwrap_or_default();
            json::to_python(py, &json).map(Bound::unbind)
        });
        let vectors = match hit.vectors.is_empty() {
            true => None,
            false => Some(document::vectors_to_python(py, fields, &hit.vectors)?.unbind()),
        };
        let highlights = match hit.highlights.is_empty() {
            true => None,
            false => Some((&hit.highlights).into_pyobject(py)?.unbind()),
        };
        let group = hit.group.as_ref().map(|group| Group::new(py, fields, group));
        let made = Self {
            key: hit.key.clone(),
            score: hit.score,
            distance: hit.distance,
            vector: hit.vector,
            fields: stored.map(Bound::unbind),
            explanation: explanation.transpose()?,
            group: group.transpose()?,
            vectors,
            highlights,
        };
        Py::new(py, made)
    }
}

impl Group {
    fn new(py: Python<'_>, fields: &VectorFields, group: &lucerne::search::Group) -> PyResult<Py<Self>> {
        let value = match &group.value {
            Some(value) => value_to_python(py, value)?.unbind(),
            None => py.None(),
        };
        let hits = group.next.iter().map(|hit| Hit::new(py, fields, hit)).collect::<PyResult<_>>()?;
        Py::new(py, Self { value, hits })
    }
}

/// A value of a document; dates as text.
pub(crate) fn value_to_python<'py>(py: Python<'py>, value: &lucerne::Value) -> PyResult<Bound<'py, PyAny>> {
    json::to_python(py, &serde_json::to_value(value).unwrap_or_default())
}

/// The hits of a search, best first: a sequence of `Hit`.
#[pyclass(frozen, sequence, module = "lucerne")]
pub(crate) struct Hits {
    found: lucerne::Hits,
    fields: Arc<VectorFields>,
    /// The fields of facets.
    facets: Vec<String>,
    warnings: Vec<String>,
    /// Made when the first of them is looked at: many callers want keys and scores only.
    hits: PyOnceLock<Vec<Py<Hit>>>,
}

impl Hits {
    pub(crate) fn new(
        fields: Arc<VectorFields>,
        found: lucerne::Hits,
        facets: Vec<String>,
        warnings: Vec<String>,
    ) -> Self {
        Self { found, fields, facets, warnings, hits: PyOnceLock::new() }
    }

    fn hits(&self, py: Python<'_>) -> PyResult<&[Py<Hit>]> {
        let made = || self.found.hits.iter().map(|hit| Hit::new(py, &self.fields, hit)).collect();
        self.hits.get_or_try_init(py, made).map(Vec::as_slice)
    }

    fn list<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyList>> {
        PyList::new(py, self.hits(py)?.iter().map(|hit| hit.clone_ref(py)))
    }
}

#[pymethods]
impl Hits {
    /// True when the best were found for certain, False when neighbors were searched approximately.
    #[getter]
    fn exact(&self) -> bool {
        self.found.exact
    }

    /// Why it was stopped before it had looked everywhere: `"timed out"`, `"cancelled"`; None when it was not.
    #[getter]
    fn stopped(&self) -> Option<&'static str> {
        self.found.stopped.map(|stopped| match stopped {
            Stopped::TimedOut => "timed out",
            _ => "cancelled",
        })
    }

    /// How many documents the search finds on all pages, or at least how many: `total_is_exact` says which.
    #[getter]
    fn total(&self) -> u64 {
        self.found.total.value()
    }

    /// Whether there are no more than `total`; True when `search(…, total=True)` asked for it.
    #[getter]
    fn total_is_exact(&self) -> bool {
        self.found.total.is_exact()
    }

    /// The most frequent values of each facet, with the number of documents that have each: `{"section": [("games", 7), …]}`.
    #[getter]
    fn facets<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let dict = PyDict::new(py);
        for field in &self.facets {
            let buckets = self.found.buckets(field).unwrap_or_default();
            let count = |bucket: &Bucket| Ok((value_to_python(py, &bucket.key)?, bucket.count));
            dict.set_item(field, buckets.iter().map(count).collect::<PyResult<Vec<_>>>()?)?;
        }
        Ok(dict)
    }

    /// The results of aggregations and facets by name, in the form of Elasticsearch's.
    #[getter]
    fn aggregations<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let found = serde_json::to_value(&self.found.aggregations);
        json::to_python(py, &found.map_err(|error| errors::usage(py, error.to_string()))?)
    }

    /// Of a search over shards: how many have answered, and how many there are. None of a search of one index.
    #[getter]
    fn shards(&self) -> Option<(usize, usize)> {
        self.found.shards.map(|shards| (shards.answered, shards.total))
    }

    /// What `search(…, lenient=True)` has not understood and searched for as words.
    #[getter]
    fn warnings(&self) -> &[String] {
        &self.warnings
    }

    /// Seconds that the search took.
    #[getter]
    fn took(&self) -> f64 {
        self.found.took.total.as_secs_f64()
    }

    /// How each segment was searched: dicts with `segment`, `strategy`, `visited`, `accepted`.
    #[getter]
    fn segments<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyList>> {
        let segments = PyList::empty(py);
        for segment in &self.found.segments {
            let dict = PyDict::new(py);
            dict.set_item("segment", &segment.segment)?;
            dict.set_item("strategy", segment.strategy)?;
            dict.set_item("visited", segment.visited)?;
            dict.set_item("accepted", segment.accepted)?;
            segments.append(dict)?;
        }
        Ok(segments)
    }

    /// Names in the search that no document has, in an index that takes undeclared fields.
    #[getter]
    fn unknown_fields(&self) -> &[String] {
        &self.found.unknown_fields
    }

    fn __len__(&self) -> usize {
        self.found.hits.len()
    }

    fn __getitem__<'py>(&self, py: Python<'py>, index: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
        if index.is_instance_of::<PySlice>() {
            return self.list(py)?.as_any().get_item(index);
        }
        let (index, hits): (isize, _) = (index.extract()?, self.hits(py)?);
        let at = if index < 0 { index + hits.len() as isize } else { index };
        match usize::try_from(at).ok().and_then(|at| hits.get(at)) {
            Some(hit) => Ok(hit.bind(py).clone().into_any()),
            None => Err(PyIndexError::new_err(format!("hit {index} of {}", hits.len()))),
        }
    }

    fn __iter__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyIterator>> {
        self.list(py)?.try_iter()
    }

    /// The keys, best first.
    #[getter]
    fn keys(&self) -> Vec<&str> {
        self.found.keys()
    }

    /// The scores, as an array of float32.
    #[getter]
    fn scores<'py>(&self, py: Python<'py>) -> Bound<'py, numpy::PyArray1<f32>> {
        numpy::PyArray1::from_iter(py, self.found.hits.iter().map(|hit| hit.score))
    }

    /// A dict for each hit: key, score, distance (of vector searches), highlights (if asked for) and the fields.
    fn to_dicts<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyList>> {
        let list = PyList::empty(py);
        for hit in self.hits(py)?.iter().map(Py::get) {
            let dict = PyDict::new(py);
            dict.set_item("key", &hit.key)?;
            dict.set_item("score", hit.score)?;
            if hit.distance.is_some() {
                dict.set_item("distance", hit.distance)?;
            }
            if let Some(shown) = &hit.highlights {
                dict.set_item("highlights", shown)?;
            }
            if let Some(fields) = &hit.fields {
                dict.update(fields.bind(py).as_mapping())?;
            }
            list.append(dict)?;
        }
        Ok(list)
    }

    /// A pandas.DataFrame of `to_dicts()`. Needs pandas.
    fn to_pandas<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        py.import("pandas")?.call_method1("DataFrame", (self.to_dicts(py)?,))
    }

    /// A polars.DataFrame of `to_dicts()`. Needs polars.
    fn to_polars<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        py.import("polars")?.call_method1("DataFrame", (self.to_dicts(py)?,))
    }

    /// A pyarrow.Table of `to_dicts()`. Needs pyarrow.
    fn to_arrow<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        py.import("pyarrow")?.getattr("Table")?.call_method1("from_pylist", (self.to_dicts(py)?,))
    }

    fn __repr__(&self, py: Python<'_>) -> PyResult<String> {
        const SHOWN: usize = 10;
        let mut lines = Vec::new();
        let (hits, count) = (self.hits(py)?, self.__len__());
        for hit in hits.iter().take(SHOWN) {
            lines.push(format!("  {}", hit.get().__repr__(py)?));
        }
        if count > SHOWN {
            lines.push(format!("  … {} more", count - SHOWN));
        }
        Ok(if count == 0 { "Hits(0)".to_owned() } else { format!("Hits({count})\n{}", lines.join("\n")) })
    }

    /// A table, and one for each facet, for notebooks.
    fn _repr_html_(slf: &Bound<'_, Self>) -> PyResult<String> {
        slf.py().import("lucerne._html")?.call_method1("hits", (slf,))?.extract()
    }
}
