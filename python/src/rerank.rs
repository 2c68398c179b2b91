//! Reranking.

use crate::queries::{of, query_vector};
use lucerne::query;
use pyo3::prelude::*;

/// A second opinion on the best of a search: by distance of a vector, or by the score of a query.
#[pyclass(frozen, module = "lucerne")]
#[derive(Clone)]
pub(crate) struct Rerank(pub(crate) query::Rerank);

#[pymethods]
impl Rerank {
    /// Adds the similarity to a vector, times `weight`, to the scores of the best `window` hits. `compat_topk`: as Solr
    /// does, only documents among so many nearest of the whole index have a similarity.
    #[staticmethod]
    #[pyo3(signature = (field, vector, *, window=None, weight=None, compat_topk=None))]
    fn vector(
        field: String,
        vector: &Bound<'_, PyAny>,
        window: Option<usize>,
        weight: Option<f32>,
        compat_topk: Option<usize>,
    ) -> PyResult<Self> {
        let rerank = query::Rerank::vector(field, query_vector(vector)?);
        let rerank = compat_topk.into_iter().fold(rerank, query::Rerank::compat_topk);
        Ok(Self::with(rerank, window, weight))
    }

    /// Adds the score of a query to that of the best `window` hits.
    #[staticmethod]
    #[pyo3(signature = (query, *, window=None, weight=None))]
    fn query(query: &Bound<'_, PyAny>, window: Option<usize>, weight: Option<f32>) -> PyResult<Self> {
        Ok(Self::with(query::Rerank::query(of(query)?), window, weight))
    }
}

impl Rerank {
    fn with(mut rerank: query::Rerank, window: Option<usize>, weight: Option<f32>) -> Self {
        if let Some(window) = window {
            rerank = rerank.window(window);
        }
        if let Some(weight) = weight {
            rerank = rerank.weight(weight);
        }
        Self(rerank)
    }
}
