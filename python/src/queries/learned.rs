//! The query for sparse vectors.

use super::{Query, made};
use crate::sparse::sparse_vector;
use lucerne::query;
use pyo3::prelude::*;

query_class!(
    /// Documents that share a dimension with a sparse vector, scored by the inner product.
    ///
    /// `vector`: a dict of weights by dimension, a row of a scipy.sparse matrix, or `(indices, values)`; weights of at least 0.
    Sparse
);
#[pymethods]
impl Sparse {
    #[new]
    fn new(field: String, vector: &Bound<'_, PyAny>) -> PyResult<PyClassInitializer<Self>> {
        Ok(made(Self, query::Sparse::new(field, sparse_vector(vector)?)))
    }
}
