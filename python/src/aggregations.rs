//! Facets, aggregations and groups of a search, from what Python gives.

use crate::{errors, json};
use lucerne::Search;
use lucerne::query::Aggregation;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyString};

/// Values of a facet that are counted when no number is given.
const VALUES: usize = 10;

/// `"section"`, `["section", "year"]` or `{"section": 20}`: fields, and how many of their values.
pub(crate) fn facets(given: &Bound<'_, PyAny>) -> PyResult<Vec<(String, usize)>> {
    if let Ok(field) = given.cast::<PyString>() {
        return Ok(vec![(field.to_str()?.to_owned(), VALUES)]);
    }
    if let Ok(dict) = given.cast::<PyDict>() {
        return dict.iter().map(|(field, values)| Ok((field.extract()?, values.extract()?))).collect();
    }
    given.try_iter()?.map(|field| Ok((field?.extract()?, VALUES))).collect()
}

/// Adds `{"name": aggregation in JSON}`.
pub(crate) fn add(
    mut search: Search,
    given: &Bound<'_, PyDict>,
    facets: &[(String, usize)],
) -> PyResult<Search> {
    for (name, aggregation) in given {
        let name: String = name.extract()?;
        let wrong = |problem: String| errors::usage(given.py(), format!("aggs[{name:?}]: {problem}"));
        if facets.iter().any(|(field, _)| *field == name) {
            return Err(wrong("a facet has this name, too".to_owned()));
        }
        let aggregation = serde_json::from_value::<Aggregation>(json::from_python(&aggregation)?)
            .map_err(|error| wrong(error.to_string()))?;
        search = search.aggregate(name, aggregation);
    }
    Ok(search)
}

/// `"section"` or `("section", 3)`: a field, and how many of the best hits of each of its values.
pub(crate) fn group_by(given: &Bound<'_, PyAny>) -> PyResult<(String, usize)> {
    if let Ok(field) = given.cast::<PyString>() {
        return Ok((field.to_str()?.to_owned(), 1));
    }
    given.extract().map_err(|_| {
        let shown = given.repr().map_or_else(|_| "this".to_owned(), |given| given.to_string());
        let expected = "expected \"field\" or (\"field\", hits of each value)";
        errors::usage(given.py(), format!("group_by: {expected}, given {shown}"))
    })
}
