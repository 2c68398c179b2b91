//! Vectors from and to numpy.

use crate::errors;
use numpy::{
    PyArray1, PyArrayDescrMethods, PyArrayDyn, PyArrayMethods, PyReadonlyArray2, PyUntypedArray,
    PyUntypedArrayMethods,
};
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyBytes, PyList, PyTuple, PyType};

/// An array as rows of f32, whatever its dtype (f16, f32, f64, integers) and order.
pub(crate) fn rows<'py>(given: &Bound<'py, PyAny>) -> PyResult<PyReadonlyArray2<'py, f32>> {
    let py = given.py();
    let array = as_f32(given)?;
    let array = array.cast::<PyArrayDyn<f32>>()?;
    match array.ndim() {
        2 => Ok(array.to_dyn().reshape([array.shape()[0], array.shape()[1]])?.readonly()),
        1 => Ok(array.reshape([1, array.len()])?.readonly()),
        other => {
            Err(errors::usage(py, format!("an array of {other} dimensions; expected rows of vectors (2)")))
        }
    }
}

/// `numpy.ascontiguousarray(given, dtype="f4")`, of what numpy would turn to numbers without a loss that nobody asked for.
fn as_f32<'py>(given: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
    let py = given.py();
    let numpy = py.import("numpy")?;
    let no_numbers =
        |error: PyErr| errors::usage(py, format!("not a vector of numbers: {}", error.value(py)));
    if given.is_instance(&numpy.getattr("ma")?.getattr("MaskedArray")?)? {
        return Err(errors::usage(py, "a masked array; fill it first: array.filled(0)"));
    }
    let array = numpy.call_method1("asarray", (given,)).map_err(no_numbers)?;
    let (array, what) = (array.cast::<PyUntypedArray>()?, array.getattr("dtype")?);
    if matches!(kind(array), b'c' | b'm' | b'M' | b'S' | b'U') {
        return Err(errors::usage(py, format!("an array of {what} is no vector; expected real numbers")));
    }
    numpy.call_method1("ascontiguousarray", (array, "f4")).map_err(no_numbers)
}

/// True for an array of numpy itself, false for one of a subclass, whose elements may mean more.
fn is_plain(given: &Bound<'_, PyAny>) -> bool {
    static NDARRAY: PyOnceLock<Py<PyType>> = PyOnceLock::new();
    let class = NDARRAY.import(given.py(), "numpy", "ndarray");
    class.is_ok_and(|class| given.get_type().is(class))
}

/// The kind of an array's numbers: `'f'`, `'i'`, `'u'`, `'b'`, ….
pub(crate) fn kind(array: &Bound<'_, PyUntypedArray>) -> u8 {
    array.dtype().kind()
}

/// One vector: an array of one dimension, a list or tuple of numbers, or bytes of little-endian f32.
pub(crate) fn vector(given: &Bound<'_, PyAny>) -> PyResult<Vec<f32>> {
    let py = given.py();
    if let Ok(array) = given.cast::<PyArray1<f32>>()
        && is_plain(given)
    {
        return Ok(array.readonly().as_array().iter().copied().collect());
    }
    if let Ok(bytes) = given.cast::<PyBytes>() {
        return floats(py, bytes.as_bytes());
    }
    if given.is_instance_of::<PyList>() || given.is_instance_of::<PyTuple>() {
        return given
            .extract::<Vec<f32>>()
            .map_err(|error| errors::usage(py, format!("not a vector of numbers: {}", error.value(py))));
    }
    let array = as_f32(given)?;
    let array = array.cast::<PyArrayDyn<f32>>()?;
    if array.ndim() != 1 {
        let problem = format!("an array of {} dimensions; expected one vector (1)", array.ndim());
        return Err(errors::usage(py, problem));
    }
    Ok(array.readonly().as_array().iter().copied().collect())
}

/// Little-endian f32.
pub(crate) fn floats(py: Python<'_>, bytes: &[u8]) -> PyResult<Vec<f32>> {
    let (chunks, rest) = bytes.as_chunks::<4>();
    if !rest.is_empty() {
        let problem = format!("{} bytes are no vector of f32; expected a multiple of 4", bytes.len());
        return Err(errors::usage(py, problem));
    }
    Ok(chunks.iter().map(|chunk| f32::from_le_bytes(*chunk)).collect())
}
