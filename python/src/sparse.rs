//! Sparse vectors from Python objects.

use crate::errors;
use lucerne::document::SparseVector;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyString, PyTuple};

/// A dict of weights by dimension or with `indices` and `values`, a row of a scipy.sparse matrix, an object with `indices` and
/// `values`, or a tuple of these two.
pub(crate) fn sparse_vector(given: &Bound<'_, PyAny>) -> PyResult<SparseVector> {
    if let Ok(dict) = given.cast::<PyDict>() {
        return match (dict.len(), dict.get_item("indices")?, dict.get_item("values")?) {
            (2, Some(indices), Some(values)) => of_parts(&indices, &values),
            _ => of_dict(dict),
        };
    }
    if let Ok(pair) = given.cast::<PyTuple>()
        && pair.len() == 2
    {
        return of_parts(&pair.get_item(0)?, &pair.get_item(1)?);
    }
    if given.hasattr("tocsr")? {
        let shape = given.getattr("shape")?.extract::<Vec<usize>>()?;
        if shape.len() == 2 && shape.first() != Some(&1) {
            let message =
                format!("a sparse matrix of {} rows; expected one row", shape.first().unwrap_or(&0));
            return Err(errors::usage(given.py(), message));
        }
        let row = given.call_method0("tocsr")?;
        return of_parts(&row.getattr("indices")?, &row.getattr("data")?);
    }
    if given.hasattr("indices")? && given.hasattr("values")? {
        return of_parts(&given.getattr("indices")?, &given.getattr("values")?);
    }
    let class = given.get_type();
    let expected = "expected a dict of weights by dimension, a row of scipy.sparse, or (indices, values)";
    Err(errors::usage(given.py(), format!("{} is no sparse vector; {expected}", class.name()?)))
}

fn of_parts(indices: &Bound<'_, PyAny>, values: &Bound<'_, PyAny>) -> PyResult<SparseVector> {
    let py = indices.py();
    let wrong = |error: PyErr| {
        errors::usage(py, format!("indices are integers from 0 to {}, values are numbers: {error}", u32::MAX))
    };
    let indices: Vec<u32> = listed(indices)?.extract().map_err(wrong)?;
    let values: Vec<f32> = listed(values)?.extract().map_err(wrong)?;
    SparseVector::from_parts(&indices, &values).map_err(|error| errors::exception(py, error))
}

/// Numbers of an array are converted at once.
fn listed<'py>(given: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
    match given.hasattr("tolist")? {
        true => given.call_method0("tolist"),
        false => Ok(given.clone()),
    }
}

fn of_dict(dict: &Bound<'_, PyDict>) -> PyResult<SparseVector> {
    let mut entries = Vec::with_capacity(dict.len());
    for (dimension, weight) in dict.iter() {
        let number = match dimension.cast::<PyString>() {
            Ok(text) => text.to_str()?.parse::<u32>().ok(),
            Err(_) => dimension.extract::<u32>().ok(),
        };
        let (Some(number), Ok(weight)) = (number, weight.extract::<f32>()) else {
            let message =
                format!("{dimension}: {weight} is no dimension (0 to {}) with its weight", u32::MAX);
            return Err(errors::usage(dict.py(), message));
        };
        entries.push((number, weight));
    }
    Ok(SparseVector::new(entries))
}
