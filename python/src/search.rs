//! A search from its query and keywords, and how it is run.

use crate::call::{call, long_call};
use crate::reading::{self, Reading};
use crate::rerank::Rerank;
use crate::{aggregations, errors, highlight};
use lucerne::search::SearchOptions;
use lucerne::{Cancel, ErrorKind, Hits, Search, Sort};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList, PyString, PyTuple};
use std::time::{Duration, Instant};

/// A search that takes longer is moved to a thread of its own, so that Ctrl-C is heard.
const SHORT: Duration = Duration::from_millis(50);

/// For how long a search may run, what it returns then, and on how many threads it runs.
#[derive(Clone, Copy, Default)]
pub(crate) struct Limits {
    pub(crate) timeout: Option<Duration>,
    pub(crate) partial: bool,
    pub(crate) threads: usize,
}

impl Limits {
    /// From seconds, which must be a number from 0.
    pub(crate) fn of(
        py: Python<'_>,
        timeout: Option<f64>,
        partial: bool,
        threads: Option<usize>,
    ) -> PyResult<Self> {
        let wrong =
            |seconds: f64| errors::usage(py, format!("timeout is {seconds}, expected seconds from 0"));
        let duration = |seconds: f64| Duration::try_from_secs_f64(seconds).map_err(|_| wrong(seconds));
        Ok(Self { timeout: timeout.map(duration).transpose()?, partial, threads: threads.unwrap_or(1) })
    }

    pub(crate) fn options(&self, cancel: &Cancel) -> SearchOptions {
        let mut options = SearchOptions::new().cancel(cancel).threads(self.threads);
        if let Some(timeout) = self.timeout {
            options = options.timeout(timeout);
        }
        if self.partial { options.partial() } else { options }
    }
}

/// Runs a search: nearly all are over before a thread would have started. `search` makes it, again if need be, and
/// `find` is what runs it.
pub(crate) fn run(
    py: Python<'_>,
    find: impl Fn(Search, &SearchOptions) -> lucerne::Result<Hits> + Sync,
    search: impl Fn() -> PyResult<Search>,
    limits: Limits,
) -> PyResult<Hits> {
    let first = search()?;
    if limits.timeout.is_some_and(|timeout| timeout <= SHORT) {
        return call(py, || find(first, &limits.options(&Cancel::new())));
    }
    let begun = Instant::now();
    let short = Limits { timeout: Some(SHORT), partial: false, ..limits };
    let found = call(py, || match find(first, &short.options(&Cancel::new())) {
        Err(error) if error.kind() == ErrorKind::TimedOut => Ok(None),
        found => found.map(Some),
    })?;
    if let Some(found) = found {
        return Ok(found);
    }
    let timeout = limits.timeout.map(|timeout| timeout.saturating_sub(begun.elapsed()));
    let (rest, search) = (Limits { timeout, ..limits }, search()?);
    long_call(py, |cancel| find(search, &rest.options(cancel)))
}

/// What stands beside the query in `search(query, *, …)`.
#[derive(Clone, Copy)]
pub(crate) struct Keywords<'a, 'py> {
    pub(crate) limit: Option<usize>,
    pub(crate) offset: usize,
    pub(crate) filter: Option<&'a Bound<'py, PyAny>>,
    pub(crate) fields: Option<&'a [String]>,
    pub(crate) vectors: Option<&'a [String]>,
    pub(crate) highlight: Option<&'a Bound<'py, PyAny>>,
    pub(crate) sort: Option<&'a Bound<'py, PyAny>>,
    pub(crate) rerank: Option<&'a Rerank>,
    pub(crate) min_score: Option<f32>,
    pub(crate) explain: bool,
    pub(crate) facets: &'a [(String, usize)],
    pub(crate) aggs: Option<&'a Bound<'py, PyDict>>,
    pub(crate) group_by: Option<&'a Bound<'py, PyAny>>,
    pub(crate) total: bool,
}

/// The search of a query (an object, text, or JSON as a dict) with its keywords, which add to a search in JSON.
pub(crate) fn search(
    query: &Bound<'_, PyAny>,
    reading: Reading<'_, '_>,
    keywords: Keywords<'_, '_>,
) -> PyResult<Search> {
    let mut search = reading::search_of(query, reading)?;
    if let Some(limit) = keywords.limit {
        search = search.limit(limit);
    }
    if keywords.offset > 0 {
        search = search.offset(keywords.offset);
    }
    if let Some(filter) = keywords.filter {
        search = search.filter(reading::of_or_text(filter, reading)?);
    }
    if let Some(fields) = keywords.fields {
        search = search.fields(fields);
    }
    if let Some(fields) = keywords.vectors {
        search = search.vectors(fields);
    }
    if let Some(given) = keywords.highlight {
        search = highlight::all(given)?.into_iter().fold(search, Search::highlight);
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
    for (field, values) in keywords.facets {
        search = search.facet(field, *values);
    }
    if let Some(aggs) = keywords.aggs {
        search = aggregations::add(search, aggs, keywords.facets)?;
    }
    if let Some(given) = keywords.group_by {
        let (field, best) = aggregations::group_by(given)?;
        search = search.group_by(field, best);
    }
    if keywords.total {
        search = search.count_total(true);
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
