//! The query classes: each makes a query of the engine, checked when it is searched.

/// Classes that only make a `Query`.
macro_rules! query_class {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[pyclass(extends = Query, frozen, module = "lucerne")]
        pub(crate) struct $name;
    };
}

mod combined;
mod learned;
mod near;
mod values;
mod words;

pub(crate) use combined::{Bool, Boost, Constant, DisMax, Fuse};
pub(crate) use learned::Sparse;
pub(crate) use near::Knn;
pub(crate) use values::{All, Exists, Prefix, Range, Term, Terms};
pub(crate) use words::{Fuzzy, Match, MoreLike, MultiMatch, Phrase, Regex, Wildcard};

use crate::{arrays, errors, json};
use lucerne::document::QueryVector;
use lucerne::query;
use pyo3::PyClass;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyString};

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

/// A value in the form that JSON has of it, such as `"auto"` or `"75%"`.
pub(crate) fn from_json<T: serde::de::DeserializeOwned>(name: &str, given: &Bound<'_, PyAny>) -> PyResult<T> {
    serde_json::from_value(json::from_python(given)?)
        .map_err(|error| errors::usage(given.py(), format!("{name}: {error}")))
}
