//! Queries and searches from what Python gives: objects of the query classes, text, JSON as dicts.

use crate::queries::of;
use crate::{arrays, document, errors, json};
use lucerne::query::{self, QueryParser};
use lucerne::{Schema, Search};
use numpy::PyUntypedArray;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyString};

/// What text means as a query.
#[derive(Clone, Copy)]
pub(crate) struct Reading<'a, 'py> {
    pub(crate) schema: &'a Schema,
    /// The field of words without one.
    pub(crate) default_field: Option<&'a str>,
    /// Values of `$name`.
    pub(crate) params: Option<&'a Bound<'py, PyDict>>,
}

impl<'a> Reading<'a, '_> {
    pub(crate) fn of(schema: &'a Schema) -> Self {
        Self { schema, default_field: None, params: None }
    }

    fn parser(&self) -> PyResult<QueryParser> {
        let mut parser = QueryParser::new(self.schema);
        if let Some(field) = self.default_field {
            parser = parser.default_field(field);
        }
        for (name, value) in self.params.into_iter().flatten() {
            let name = name.extract::<String>()?;
            parser = if let Ok(bytes) = value.cast::<PyBytes>() {
                parser.param_bytes(name, bytes.as_bytes())
            } else if value.cast::<PyUntypedArray>().is_ok() {
                parser.param(name, lucerne::Value::Vector(arrays::vector(&value)?))
            } else {
                parser.param(name, document::value(&value)?)
            };
        }
        Ok(parser)
    }
}

/// A query or the text of one.
pub(crate) fn of_or_text(given: &Bound<'_, PyAny>, reading: Reading<'_, '_>) -> PyResult<query::Query> {
    let Ok(text) = given.cast::<PyString>() else { return of(given) };
    let parsed = reading.parser()?.parse_query(text.to_str()?);
    parsed.map_err(|error| errors::exception(given.py(), error))
}

/// A whole search: a query of any of these kinds, or the JSON form of a search.
pub(crate) fn search_of(given: &Bound<'_, PyAny>, reading: Reading<'_, '_>) -> PyResult<Search> {
    const OF_SEARCH: [&str; 4] = ["query", "filter", "limit", "offset"];
    if let Ok(dict) = given.cast::<PyDict>() {
        let is_search = OF_SEARCH.iter().any(|name| dict.contains(name).unwrap_or(false));
        if is_search || dict.is_empty() {
            let json = json::from_python(given)?;
            return serde_json::from_value(json)
                .map_err(|error| errors::usage(given.py(), format!("search: {error}")));
        }
    }
    if let Ok(text) = given.cast::<PyString>() {
        let parsed = reading.parser()?.parse(text.to_str()?);
        return parsed.map_err(|error| errors::exception(given.py(), error));
    }
    of(given).map(Search::from)
}
