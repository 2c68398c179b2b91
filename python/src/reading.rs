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
    /// The fields of words without one; none is the schema's first text field.
    pub(crate) default_fields: &'a [String],
    /// Values of `$name`.
    pub(crate) params: Option<&'a Bound<'py, PyDict>>,
    /// Whether what has no meaning in a query is taken as words.
    pub(crate) lenient: bool,
}

impl<'a> Reading<'a, '_> {
    pub(crate) fn of(schema: &'a Schema) -> Self {
        Self { schema, default_fields: &[], params: None, lenient: false }
    }

    fn parser(&self) -> PyResult<QueryParser> {
        let mut parser = QueryParser::new(self.schema);
        if !self.default_fields.is_empty() {
            parser = parser.default_fields(self.default_fields);
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

/// A field of words, or several: `"body"`, `["title^3", "body"]`.
pub(crate) fn default_fields(given: &Bound<'_, PyAny>) -> PyResult<Vec<String>> {
    match given.cast::<PyString>() {
        Ok(field) => Ok(vec![field.to_str()?.to_owned()]),
        Err(_) => given.extract(),
    }
}

/// What a lenient reading of a query's text has not understood.
pub(crate) fn warnings(given: &Bound<'_, PyAny>, reading: Reading<'_, '_>) -> PyResult<Vec<String>> {
    match given.cast::<PyString>() {
        Ok(text) if reading.lenient => Ok(reading.parser()?.parse_lenient(text.to_str()?).warnings),
        _ => Ok(Vec::new()),
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
    if let Ok(dict) = given.cast::<PyDict>() {
        let is_search = Search::ENTRIES.iter().any(|name| dict.contains(name).unwrap_or(false));
        if is_search || dict.is_empty() {
            let json = json::from_python(given)?;
            return serde_json::from_value(json)
                .map_err(|error| errors::usage(given.py(), format!("search: {error}")));
        }
    }
    if let Ok(text) = given.cast::<PyString>() {
        let parser = reading.parser()?;
        if reading.lenient {
            return Ok(parser.parse_lenient(text.to_str()?).query.into());
        }
        let parsed = parser.parse(text.to_str()?);
        return parsed.map_err(|error| errors::exception(given.py(), error));
    }
    of(given).map(Search::from)
}
