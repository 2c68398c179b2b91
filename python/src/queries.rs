//! The query classes: each makes a query of the engine, checked when it is searched.

use crate::{arrays, document, errors, json};
use lucerne::document::QueryVector;
use lucerne::query;
use pyo3::PyClass;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyString, PyTuple};

/// A query. Make one of its subclasses, or read it from JSON with `Query.from_json`.
#[pyclass(subclass, frozen, module = "lucerne")]
#[derive(Clone)]
pub(crate) struct Query(pub(crate) query::Query, u32);

/// Deeper queries are refused: the engine goes through them recursively. The number in [`Query`] is its depth.
const MOST_DEPTH: u32 = 200;

/// The depth of a query around these, which are queries, JSON (whose reader allows 60), or lists or pairs of them.
fn depth_around(given: &Bound<'_, PyAny>) -> PyResult<u32> {
    let inner = |given: &Bound<'_, PyAny>| given.cast::<Query>().map_or(60, |query| query.get().1);
    let depth = match given.cast::<Query>().is_ok() || given.is_instance_of::<PyDict>() {
        true => inner(given),
        false => given
            .try_iter()?
            .map(|one| Ok(inner(&one?)))
            .collect::<PyResult<Vec<_>>>()?
            .into_iter()
            .max()
            .unwrap_or(0),
    };
    match depth < MOST_DEPTH {
        true => Ok(depth + 1),
        false => Err(errors::usage(given.py(), format!("queries are nested deeper than {MOST_DEPTH}"))),
    }
}

#[pymethods]
impl Query {
    /// Reads a query from its JSON form, given as a dict or as text.
    #[staticmethod]
    fn from_json(query: &Bound<'_, PyAny>) -> PyResult<Self> {
        if let Ok(text) = query.cast::<PyString>() {
            let read = query::Query::from_json(text.to_str()?);
            return read.map(|query| Self(query, 60)).map_err(|error| errors::exception(query.py(), error));
        }
        from_dict(query).map(|query| Self(query, 60))
    }

    /// The query in its JSON form, as a dict.
    fn to_json<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let text = self.0.to_json();
        py.import("json")?.call_method1("loads", (text,))
    }

    fn __repr__(&self) -> String {
        let text = self.0.to_json();
        match text.char_indices().nth(200) {
            None => format!("Query({text})"),
            Some((end, _)) => format!("Query({}…)", text.get(..end).unwrap_or_default()),
        }
    }

    fn __eq__(&self, other: &Bound<'_, PyAny>) -> bool {
        other.cast::<Query>().is_ok_and(|other| other.get().0 == self.0)
    }

    fn __reduce__<'py>(slf: &Bound<'py, Self>) -> PyResult<(Bound<'py, PyAny>, (String,))> {
        let class = slf.py().get_type::<Query>();
        Ok((class.getattr("from_json")?, (slf.get().0.to_json(),)))
    }

    fn __and__(slf: &Bound<'_, Self>, other: &Bound<'_, PyAny>) -> PyResult<Self> {
        let depth = depth_around(slf.as_any())?.max(depth_around(other)?);
        let both = query::Bool::new().must(slf.get().0.clone()).must(of(other)?);
        Ok(Self(both.into(), depth))
    }

    fn __or__(slf: &Bound<'_, Self>, other: &Bound<'_, PyAny>) -> PyResult<Self> {
        let depth = depth_around(slf.as_any())?.max(depth_around(other)?);
        let both = query::Bool::new().should(slf.get().0.clone()).should(of(other)?);
        Ok(Self(both.into(), depth))
    }

    fn __invert__(slf: &Bound<'_, Self>) -> PyResult<Self> {
        let not = query::Bool::new().filter(query::Query::all()).must_not(slf.get().0.clone());
        Ok(Self(not.into(), depth_around(slf.as_any())?))
    }
}

fn from_dict(given: &Bound<'_, PyAny>) -> PyResult<query::Query> {
    let json = json::from_python(given)?;
    serde_json::from_value(json).map_err(|error| errors::usage(given.py(), format!("query: {error}")))
}

/// A query: an object of these classes, or its JSON form as a dict.
pub(crate) fn of(given: &Bound<'_, PyAny>) -> PyResult<query::Query> {
    if let Ok(query) = given.cast::<Query>() {
        return Ok(query.get().0.clone());
    }
    if given.is_instance_of::<PyDict>() {
        return from_dict(given);
    }
    let class = given.get_type();
    let expected = "expected a query such as Knn or Match, or a dict";
    Err(errors::usage(given.py(), format!("{} is no query; {expected}", class.name()?)))
}

/// The vector of a query: an array or list (of components, or of bytes of bits), bytes (of f32 or of bits), hexadecimal text.
/// What they mean is decided by the field, when it is searched.
pub(crate) fn query_vector(given: &Bound<'_, PyAny>) -> PyResult<QueryVector> {
    if let Ok(text) = given.cast::<PyString>() {
        return Ok(text.to_str()?.into());
    }
    if let Ok(bytes) = given.cast::<PyBytes>() {
        return Ok(bytes.as_bytes().into());
    }
    Ok(arrays::vector(given)?.into())
}

/// Classes that only make a `Query`.
macro_rules! query_class {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[pyclass(extends = Query, frozen, module = "lucerne")]
        pub(crate) struct $name;
    };
}

fn made<T>(class: T, query: impl Into<query::Query>) -> PyClassInitializer<T>
where
    T: PyClass<BaseType = Query>,
    PyClassInitializer<T>: From<(T, Query)>,
{
    (class, Query(query.into(), 1)).into()
}

/// The same of a query around others.
fn made_around<T>(class: T, query: impl Into<query::Query>, depth: u32) -> PyClassInitializer<T>
where
    T: PyClass<BaseType = Query>,
    PyClassInitializer<T>: From<(T, Query)>,
{
    (class, Query(query.into(), depth)).into()
}

query_class!(
    /// Every document, with score 1.
    All
);
#[pymethods]
impl All {
    #[new]
    fn new() -> PyClassInitializer<Self> {
        made(Self, query::Query::all())
    }
}

query_class!(
    /// The nearest vectors of a field.
    ///
    /// `vector`: an array, list or tuple of the field's dimension, or bytes of little-endian f32; of a binary field bytes, an
    /// array of uint8 or hexadecimal digits. `k`: neighbors, 1 to 10,000; by default what is asked for around the query. `recall`: the
    /// share of the true neighbors to find, above 0 and up to 1 (0.95 by default); or `candidates` (1 to 100,000, kept
    /// in each segment) or `nprobe` (lists of an inverted file). `rescore`: how many candidates, in multiples of `k`, are
    /// rescored with raw vectors. `exact`: compare with every raw vector. `filter`: a query that neighbors must match.
    Knn
);
#[pymethods]
impl Knn {
    #[new]
    #[pyo3(signature = (field, vector, *, k=None, recall=None, candidates=None, nprobe=None, rescore=None, exact=false,
        filter=None, post_filter=false, min_score=None))]
    #[allow(clippy::too_many_arguments, reason = "keywords of Python")]
    fn new(
        field: String,
        vector: &Bound<'_, PyAny>,
        k: Option<usize>,
        recall: Option<f32>,
        candidates: Option<usize>,
        nprobe: Option<usize>,
        rescore: Option<f32>,
        exact: bool,
        filter: Option<&Bound<'_, PyAny>>,
        post_filter: bool,
        min_score: Option<f32>,
    ) -> PyResult<PyClassInitializer<Self>> {
        let mut knn = query::Knn::new(field, query_vector(vector)?);
        if let Some(k) = k {
            knn = knn.k(k);
        }
        if let Some(recall) = recall {
            knn = knn.recall(recall);
        }
        if let Some(candidates) = candidates {
            knn = knn.candidates(candidates);
        }
        if let Some(nprobe) = nprobe {
            knn = knn.nprobe(nprobe);
        }
        if let Some(rescore) = rescore {
            knn = knn.rescore(rescore);
        }
        if exact {
            knn = knn.exact();
        }
        let mut depth = 1;
        if let Some(filter) = filter {
            depth = depth_around(filter)?;
            knn = knn.filter(of(filter)?);
        }
        if post_filter {
            knn = knn.post_filter();
        }
        if let Some(score) = min_score {
            knn = knn.min_score(score);
        }
        Ok(made_around(Self, knn, depth))
    }
}

query_class!(
    /// Documents with any (or with `operator="and"` all) of the words of a text, scored by BM25.
    Match
);
#[pymethods]
impl Match {
    #[new]
    #[pyo3(signature = (field, text, *, operator="or", minimum_should_match=None))]
    fn new(
        py: Python<'_>,
        field: String,
        text: String,
        operator: &str,
        minimum_should_match: Option<u32>,
    ) -> PyResult<PyClassInitializer<Self>> {
        let mut words = match operator {
            "or" => query::Match::new(field, text),
            "and" => query::Match::all(field, text),
            other => {
                return Err(errors::usage(py, format!("operator is {other:?}, expected \"or\" or \"and\"")));
            }
        };
        if let Some(least) = minimum_should_match {
            words = words.minimum_should_match(least);
        }
        Ok(made(Self, words))
    }
}

query_class!(
    /// Documents with the words of a text one after the other, at most `slop` places moved.
    Phrase
);
#[pymethods]
impl Phrase {
    #[new]
    #[pyo3(signature = (field, text, *, slop=0))]
    fn new(field: String, text: String, slop: u32) -> PyClassInitializer<Self> {
        made(Self, query::Phrase::new(field, text).slop(slop))
    }
}

query_class!(
    /// Documents with a word, keyword or key that begins like this.
    Prefix
);
#[pymethods]
impl Prefix {
    #[new]
    fn new(field: String, prefix: String) -> PyClassInitializer<Self> {
        made(Self, query::Prefix::new(field, prefix))
    }
}

query_class!(
    /// Documents with exactly this value.
    Term
);
#[pymethods]
impl Term {
    #[new]
    fn new(field: String, value: &Bound<'_, PyAny>) -> PyResult<PyClassInitializer<Self>> {
        Ok(made(Self, query::Term::new(field, document::value(value)?)))
    }
}

query_class!(
    /// Documents with any of these values.
    Terms
);
#[pymethods]
impl Terms {
    #[new]
    fn new(field: String, values: &Bound<'_, PyAny>) -> PyResult<PyClassInitializer<Self>> {
        let values =
            values.try_iter()?.map(|value| document::value(&value?)).collect::<PyResult<Vec<_>>>()?;
        Ok(made(Self, query::Terms::new(field, values)))
    }
}

query_class!(
    /// Documents with a value between bounds: `gt`, `gte`, `lt`, `lte`.
    Range
);
#[pymethods]
impl Range {
    #[new]
    #[pyo3(signature = (field, *, gt=None, gte=None, lt=None, lte=None))]
    fn new(
        field: String,
        gt: Option<&Bound<'_, PyAny>>,
        gte: Option<&Bound<'_, PyAny>>,
        lt: Option<&Bound<'_, PyAny>>,
        lte: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<PyClassInitializer<Self>> {
        let mut range = query::Range::new(field);
        if let Some(bound) = gt {
            range = range.gt(document::value(bound)?);
        }
        if let Some(bound) = gte {
            range = range.gte(document::value(bound)?);
        }
        if let Some(bound) = lt {
            range = range.lt(document::value(bound)?);
        }
        if let Some(bound) = lte {
            range = range.lte(document::value(bound)?);
        }
        Ok(made(Self, range))
    }
}

query_class!(
    /// Documents that have a value in a field.
    Exists
);
#[pymethods]
impl Exists {
    #[new]
    fn new(field: String) -> PyClassInitializer<Self> {
        made(Self, query::Exists::new(field))
    }
}

query_class!(
    /// Queries combined: `must` and `filter` all match (`filter` without a score), `should` adds to the score,
    /// `must_not` excludes. Each is a query or a list of queries.
    Bool
);
#[pymethods]
impl Bool {
    #[new]
    #[pyo3(signature = (*, must=None, should=None, must_not=None, filter=None, minimum_should_match=None))]
    fn new(
        must: Option<&Bound<'_, PyAny>>,
        should: Option<&Bound<'_, PyAny>>,
        must_not: Option<&Bound<'_, PyAny>>,
        filter: Option<&Bound<'_, PyAny>>,
        minimum_should_match: Option<u32>,
    ) -> PyResult<PyClassInitializer<Self>> {
        let mut all = query::Bool::new();
        let given = [must, should, must_not, filter].into_iter().flatten();
        let depth = given.map(depth_around).collect::<PyResult<Vec<_>>>()?.into_iter().max().unwrap_or(1);
        for query in several(must)? {
            all = all.must(query);
        }
        for query in several(should)? {
            all = all.should(query);
        }
        for query in several(must_not)? {
            all = all.must_not(query);
        }
        for query in several(filter)? {
            all = all.filter(query);
        }
        if let Some(least) = minimum_should_match {
            all = all.minimum_should_match(least);
        }
        Ok(made_around(Self, all, depth))
    }
}

/// A query, or a list of queries.
fn several(given: Option<&Bound<'_, PyAny>>) -> PyResult<Vec<query::Query>> {
    let Some(given) = given else { return Ok(Vec::new()) };
    match of(given) {
        Ok(query) => Ok(vec![query]),
        Err(_) if !given.is_instance_of::<PyDict>() && !given.is_instance_of::<PyString>() => {
            given.try_iter()?.map(|query| of(&query?)).collect()
        }
        Err(error) => Err(error),
    }
}

query_class!(
    /// A query whose scores are multiplied.
    Boost
);
#[pymethods]
impl Boost {
    #[new]
    fn new(query: &Bound<'_, PyAny>, boost: f32) -> PyResult<PyClassInitializer<Self>> {
        let depth = depth_around(query)?;
        Ok(made_around(Self, query::Boost::new(of(query)?, boost), depth))
    }
}

query_class!(
    /// A query of which every match has the same score.
    Constant
);
#[pymethods]
impl Constant {
    #[new]
    #[pyo3(signature = (query, score=1.0))]
    fn new(query: &Bound<'_, PyAny>, score: f32) -> PyResult<PyClassInitializer<Self>> {
        let depth = depth_around(query)?;
        Ok(made_around(Self, query::Constant::new(of(query)?, score), depth))
    }
}

query_class!(
    /// Several rankings as one: hybrid search. `Fuse(text, vector)`, or with weights `Fuse((text, 0.3), (vector, 0.7))`.
    ///
    /// `method`: `"rrf"` (reciprocal rank fusion, with `constant`) or `"linear"` (scores divided by the best of their
    /// ranking). `window`: hits taken of each ranking.
    Fuse
);
#[pymethods]
impl Fuse {
    #[new]
    #[pyo3(signature = (*queries, method="rrf", constant=60.0, window=None))]
    fn new(
        py: Python<'_>,
        queries: &Bound<'_, PyTuple>,
        method: &str,
        constant: f32,
        window: Option<usize>,
    ) -> PyResult<PyClassInitializer<Self>> {
        let method = match method {
            "rrf" => query::Fusion::Rrf { constant },
            "linear" => query::Fusion::Linear {},
            other => {
                let problem = format!("method is {other:?}, expected \"rrf\" or \"linear\"");
                return Err(errors::usage(py, problem));
            }
        };
        let (mut fuse, mut depth) = (query::Fuse::new(method), 1);
        for given in queries {
            depth = depth.max(depth_around(&given)?);
            fuse = match given.extract::<(Bound<'_, PyAny>, f32)>() {
                Ok((query, weight)) => fuse.weighted(of(&query)?, weight),
                Err(_) => fuse.query(of(&given)?),
            };
        }
        if let Some(window) = window {
            fuse = fuse.window(window);
        }
        Ok(made_around(Self, fuse, depth))
    }
}
