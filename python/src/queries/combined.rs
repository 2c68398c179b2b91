//! Queries made of others.

use super::{Query, depth_around, from_json, made_around, of};
use crate::errors;
use lucerne::query;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyString, PyTuple};

query_class!(
    /// Queries combined: `must` and `filter` all match (`filter` without a score), `should` adds to the score,
    /// `must_not` excludes. Each is a query or a list of queries. `minimum_should_match`: how many of `should` must match, a
    /// number or a share such as `"75%"`; below 0 all but so many.
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
        minimum_should_match: Option<&Bound<'_, PyAny>>,
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
            all = all.minimum_should_match(from_json::<query::Minimum>("minimum_should_match", least)?);
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
    /// Documents of any of several queries, with the score in the best of them; `tie_breaker` (0 to 1) times those in the
    /// others are added.
    DisMax
);
#[pymethods]
impl DisMax {
    #[new]
    #[pyo3(signature = (*queries, tie_breaker=0.0))]
    fn new(queries: &Bound<'_, PyTuple>, tie_breaker: f32) -> PyResult<PyClassInitializer<Self>> {
        let (mut best, mut depth) = (query::DisMax::new().tie_breaker(tie_breaker), 1);
        for given in queries {
            depth = depth.max(depth_around(&given)?);
            best = best.query(of(&given)?);
        }
        Ok(made_around(Self, best, depth))
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
