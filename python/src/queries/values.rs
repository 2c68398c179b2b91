//! Queries for values of fields.

use super::{Query, made};
use crate::document;
use lucerne::query;
use pyo3::prelude::*;

query_class!(
    /// Every document, with score 1.
    All
);
#[pymethods]
impl All {
    #[new]
    fn new() -> PyClassInitializer<Self> {
        made(Self, query::Query::all())
    }
}

query_class!(
    /// Documents with exactly this value.
    Term
);
#[pymethods]
impl Term {
    #[new]
    fn new(field: String, value: &Bound<'_, PyAny>) -> PyResult<PyClassInitializer<Self>> {
        Ok(made(Self, query::Term::new(field, document::value(value)?)))
    }
}

query_class!(
    /// Documents with any of these values.
    Terms
);
#[pymethods]
impl Terms {
    #[new]
    fn new(field: String, values: &Bound<'_, PyAny>) -> PyResult<PyClassInitializer<Self>> {
        let values =
            values.try_iter()?.map(|value| document::value(&value?)).collect::<PyResult<Vec<_>>>()?;
        Ok(made(Self, query::Terms::new(field, values)))
    }
}

query_class!(
    /// Documents with a value between bounds: `gt`, `gte`, `lt`, `lte`.
    Range
);
#[pymethods]
impl Range {
    #[new]
    #[pyo3(signature = (field, *, gt=None, gte=None, lt=None, lte=None))]
    fn new(
        field: String,
        gt: Option<&Bound<'_, PyAny>>,
        gte: Option<&Bound<'_, PyAny>>,
        lt: Option<&Bound<'_, PyAny>>,
        lte: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<PyClassInitializer<Self>> {
        let mut range = query::Range::new(field);
        if let Some(bound) = gt {
            range = range.gt(document::value(bound)?);
        }
        if let Some(bound) = gte {
            range = range.gte(document::value(bound)?);
        }
        if let Some(bound) = lt {
            range = range.lt(document::value(bound)?);
        }
        if let Some(bound) = lte {
            range = range.lte(document::value(bound)?);
        }
        Ok(made(Self, range))
    }
}

query_class!(
    /// Documents that have a value in a field.
    Exists
);
#[pymethods]
impl Exists {
    #[new]
    fn new(field: String) -> PyClassInitializer<Self> {
        made(Self, query::Exists::new(field))
    }
}

query_class!(
    /// Documents with a word, keyword or key that begins like this.
    Prefix
);
#[pymethods]
impl Prefix {
    #[new]
    fn new(field: String, prefix: String) -> PyClassInitializer<Self> {
        made(Self, query::Prefix::new(field, prefix))
    }
}
