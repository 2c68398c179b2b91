//! The query for nearest neighbors.

use super::{Query, depth_around, made_around, of, query_vector};
use lucerne::query;
use pyo3::prelude::*;

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

impl Knn {
    /// A query that the engine has made, around which there is a filter of so many levels.
    pub(crate) fn made(py: Python<'_>, knn: query::Knn, depth: u32) -> PyResult<Py<Self>> {
        Py::new(py, made_around(Self, knn, depth))
    }
}
