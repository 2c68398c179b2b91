//! Schemas as Python gives them.

use crate::{errors, json};
use lucerne::Schema;
use pyo3::prelude::*;
use pyo3::types::PyString;

/// A schema: an object with `to_json`, a dict, or JSON text.
pub(crate) fn schema_of(given: &Bound<'_, PyAny>) -> PyResult<Schema> {
    let py = given.py();
    if let Ok(text) = given.cast::<PyString>() {
        return Schema::from_json(text.to_str()?).map_err(|error| errors::exception(py, error));
    }
    let json = match given.hasattr("to_json")? {
        true => json::from_python(&given.call_method0("to_json")?)?,
        false => json::from_python(given)?,
    };
    Schema::from_value(&json).map_err(|error| errors::exception(py, error))
}
