//! Reranking.

use crate::queries::{from_json, of, query_vector};
use crate::{document, errors};
use lucerne::query::{self, DecayShape, Distance, Modifier};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyString};

/// A second opinion on the best of a search: by distance of a vector, by the score of a query, by a value of a field, or by
/// how unlike each other documents are.
#[pyclass(frozen, module = "lucerne")]
#[derive(Clone)]
pub(crate) struct Rerank(pub(crate) query::Rerank);

#[pymethods]
impl Rerank {
    /// Adds the similarity to a vector, times `weight`, to the scores of the best `window` hits; with `multiply` multiplies
    /// them. `compat_topk`: as Solr does, only documents among so many nearest of the whole index have a similarity.
    #[staticmethod]
    #[pyo3(signature = (field, vector, *, window=None, weight=None, multiply=false, compat_topk=None))]
    fn vector(
        field: String,
        vector: &Bound<'_, PyAny>,
        window: Option<usize>,
        weight: Option<f32>,
        multiply: bool,
        compat_topk: Option<usize>,
    ) -> PyResult<Self> {
        let rerank = query::Rerank::vector(field, query_vector(vector)?);
        let rerank = compat_topk.into_iter().fold(rerank, query::Rerank::compat_topk);
        Ok(Self::with(rerank, window, weight, multiply))
    }

    /// Adds the late interaction with the rows of `vectors` (1 to 1,024) to the scores of the best `window` hits: the sum over
    /// them of the greatest similarity to a vector in `field`; with `replace` it takes the place of the score, with `multiply`
    /// it multiplies it.
    #[staticmethod]
    #[pyo3(signature = (field, vectors, *, window=None, weight=None, multiply=false, replace=false))]
    fn max_sim(
        field: String,
        vectors: &Bound<'_, PyAny>,
        window: Option<usize>,
        weight: Option<f32>,
        multiply: bool,
        replace: bool,
    ) -> PyResult<Self> {
        let vectors = vectors.try_iter()?.map(|row| query_vector(&row?)).collect::<PyResult<Vec<_>>>()?;
        let rerank = query::Rerank::max_sim(field, vectors);
        let rerank = if replace { rerank.replace() } else { rerank };
        Ok(Self::with(rerank, window, weight, multiply))
    }

    /// Adds the score of a query to that of the best `window` hits, or with `multiply` multiplies them.
    #[staticmethod]
    #[pyo3(signature = (query, *, window=None, weight=None, multiply=false))]
    fn query(
        query: &Bound<'_, PyAny>,
        window: Option<usize>,
        weight: Option<f32>,
        multiply: bool,
    ) -> PyResult<Self> {
        Ok(Self::with(query::Rerank::query(of(query)?), window, weight, multiply))
    }

    /// Orders the best `window` hits so that they are good and unlike each other (maximal marginal relevance): by `lambda_` times
    /// the score, less 1 - `lambda_` times the similarity of the vectors in `field` to those before. `lambda_`: 0 to 1, the
    /// order of the search.
    #[staticmethod]
    #[pyo3(signature = (field, lambda_=0.5, *, window=None))]
    fn mmr(field: String, lambda_: f32, window: Option<usize>) -> Self {
        Self::with(query::Rerank::mmr(field, lambda_), window, None, false)
    }

    /// Prefers documents whose number or date is near `origin`: a score of 1 within `offset` of it, which falls to `decay` at
    /// `offset + scale`, is added to that of the best `window` hits, or with `multiply` multiplied with it. `scale` and
    /// `offset`: numbers; of a date a timedelta or text such as `"10d"`. `shape`: `"gauss"`, `"exp"` or `"linear"`.
    #[staticmethod]
    #[pyo3(signature = (field, origin, scale, *, offset=None, decay=0.5, shape="gauss", window=None, weight=None,
        multiply=false))]
    #[allow(clippy::too_many_arguments, reason = "keywords of Python")]
    fn decay(
        py: Python<'_>,
        field: String,
        origin: &Bound<'_, PyAny>,
        scale: &Bound<'_, PyAny>,
        offset: Option<&Bound<'_, PyAny>>,
        decay: f64,
        shape: &str,
        window: Option<usize>,
        weight: Option<f32>,
        multiply: bool,
    ) -> PyResult<Self> {
        let shape = match shape {
            "gauss" => DecayShape::Gauss,
            "exp" => DecayShape::Exp,
            "linear" => DecayShape::Linear,
            other => {
                let expected = "expected \"gauss\", \"exp\" or \"linear\"";
                return Err(errors::usage(py, format!("shape is {other:?}, {expected}")));
            }
        };
        let falls =
            query::Decay::new(shape, field, document::value(origin)?, distance("scale", scale)?).to(decay);
        let falls = match offset {
            Some(offset) => falls.offset(distance("offset", offset)?),
            None => falls,
        };
        Ok(Self::with(query::Rerank::decay(falls), window, weight, multiply))
    }

    /// Prefers documents with a large number in a field: `modifier(factor * value)` is added to the score of the best `window`
    /// hits, or with `multiply` multiplied with it. `modifier`: `"none"`, `"log1p"`, `"ln1p"`, `"sqrt"`, `"square"` or
    /// `"reciprocal"`. `missing`: the value of documents without one.
    #[staticmethod]
    #[pyo3(signature = (field, *, factor=1.0, modifier="none", missing=0.0, window=None, weight=None, multiply=false))]
    #[allow(clippy::too_many_arguments, reason = "keywords of Python")]
    fn field_value(
        py: Python<'_>,
        field: String,
        factor: f64,
        modifier: &str,
        missing: f64,
        window: Option<usize>,
        weight: Option<f32>,
        multiply: bool,
    ) -> PyResult<Self> {
        let modifier: Modifier = from_json("modifier", PyString::new(py, modifier).as_any())?;
        let value = query::FieldValue::new(field).factor(factor).modifier(modifier).missing(missing);
        Ok(Self::with(query::Rerank::field_value(value), window, weight, multiply))
    }

    fn __repr__(&self) -> String {
        format!("Rerank({})", serde_json::to_string(&self.0).unwrap_or_default())
    }
}

impl Rerank {
    fn with(mut rerank: query::Rerank, window: Option<usize>, weight: Option<f32>, multiply: bool) -> Self {
        if let Some(window) = window {
            rerank = rerank.window(window);
        }
        if let Some(weight) = weight {
            rerank = rerank.weight(weight);
        }
        Self(if multiply { rerank.multiply() } else { rerank })
    }
}

/// A number, a timedelta, or a time with its unit.
fn distance(name: &str, given: &Bound<'_, PyAny>) -> PyResult<Distance> {
    if given.hasattr("total_seconds")? {
        let seconds: f64 = given.call_method0("total_seconds")?.extract()?;
        return Ok(Distance::Time(format!("{}ms", seconds * 1e3)));
    }
    from_json(name, given)
}

/// The one of `rerank`, `mmr` and `decay` that is given: `mmr="field"` or `("field", lambda)` is short for
/// [`Rerank::mmr`], `decay={…}` (JSON) for a [`Rerank::decay`] that is multiplied.
pub(crate) fn chosen(
    py: Python<'_>,
    rerank: Option<&Rerank>,
    mmr: Option<&Bound<'_, PyAny>>,
    decay: Option<&Bound<'_, PyDict>>,
) -> PyResult<Option<Rerank>> {
    match (rerank, mmr, decay) {
        (None, None, None) => Ok(None),
        (Some(rerank), None, None) => Ok(Some(rerank.clone())),
        (None, Some(mmr), None) => {
            let (field, lambda) = match mmr.cast::<PyString>() {
                Ok(field) => (field.to_str()?.to_owned(), 0.5),
                Err(_) => mmr.extract::<(String, f32)>().map_err(|_| {
                    errors::usage(py, "mmr: expected a vector field or (field, lambda from 0 to 1)")
                })?,
            };
            Ok(Some(Rerank(query::Rerank::mmr(field, lambda))))
        }
        (None, None, Some(decay)) => {
            Ok(Some(Rerank(query::Rerank::decay(from_json("decay", decay.as_any())?).multiply())))
        }
        _ => Err(errors::usage(py, "rerank, mmr and decay exclude each other: a search is reranked once")),
    }
}
