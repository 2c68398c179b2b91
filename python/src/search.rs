//! A search from its query and keywords.

use crate::errors;
use crate::queries::{self, Rerank};
use lucerne::{Schema, Search, Sort};
use pyo3::prelude::*;
use pyo3::types::{PyList, PyString, PyTuple};

/// What stands beside the query in `search(query, *, …)`.
pub(crate) struct Keywords<'a, 'py> {
    pub(crate) limit: Option<usize>,
    pub(crate) offset: usize,
    pub(crate) filter: Option<&'a Bound<'py, PyAny>>,
    pub(crate) fields: Option<Vec<String>>,
    pub(crate) sort: Option<&'a Bound<'py, PyAny>>,
    pub(crate) rerank: Option<&'a Rerank>,
    pub(crate) min_score: Option<f32>,
    pub(crate) explain: bool,
}

/// The search of a query (an object, text, or JSON as a dict) with its keywords, which add to a search in JSON.
pub(crate) fn search(
    query: &Bound<'_, PyAny>,
    schema: &Schema,
    keywords: Keywords<'_, '_>,
) -> PyResult<Search> {
    let mut search = queries::search_of(query, schema)?;
    if let Some(limit) = keywords.limit {
        search = search.limit(limit);
    }
    if keywords.offset > 0 {
        search = search.offset(keywords.offset);
    }
    if let Some(filter) = keywords.filter {
        search = search.filter(queries::of_or_text(filter, schema)?);
    }
    if let Some(fields) = keywords.fields {
        search = search.fields(fields);
    }
    if let Some(given) = keywords.sort {
        for sort in sorts(given)? {
            search = search.sort(sort);
        }
    }
    if let Some(rerank) = keywords.rerank {
        search = search.rerank(rerank.0.clone());
    }
    if let Some(score) = keywords.min_score {
        search = search.min_score(score);
    }
    Ok(if keywords.explain { search.explain() } else { search })
}

/// `"year"`, `"-year"`, `("year", "desc")`, or a list of these.
fn sorts(given: &Bound<'_, PyAny>) -> PyResult<Vec<Sort>> {
    if let Ok(list) = given.cast::<PyList>() {
        return list.iter().map(|sort| one_sort(&sort)).collect();
    }
    Ok(vec![one_sort(given)?])
}

fn one_sort(given: &Bound<'_, PyAny>) -> PyResult<Sort> {
    let py = given.py();
    if let Ok(name) = given.cast::<PyString>() {
        let name = name.to_str()?;
        return Ok(name.strip_prefix('-').map_or_else(|| Sort::asc(name), Sort::desc));
    }
    let expected = "expected \"field\", \"-field\" or (\"field\", \"asc\" or \"desc\")";
    let pair = given.cast::<PyTuple>().ok().and_then(|pair| pair.extract::<(String, String)>().ok());
    match pair.as_ref().map(|(field, order)| (field, order.as_str())) {
        Some((field, "asc")) => Ok(Sort::asc(field)),
        Some((field, "desc")) => Ok(Sort::desc(field)),
        _ => Err(errors::usage(py, format!("sort: {expected}, given {}", given.repr()?))),
    }
}
