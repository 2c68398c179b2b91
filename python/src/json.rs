//! JSON values from and to Python objects.

use crate::{arrays, dates, errors};
use numpy::{PyUntypedArray, PyUntypedArrayMethods};
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyBytes, PyDict, PyFloat, PyInt, PyList, PyNone, PyString, PyTuple};
use serde_json::{Map, Number, Value};

/// Deeper objects are refused.
const MOST_LEVELS: usize = 100;

/// A Python object as JSON: dicts, lists, tuples, str, numbers, bool, None; arrays as lists; dates as text.
pub(crate) fn from_python(given: &Bound<'_, PyAny>) -> PyResult<Value> {
    value(given, 0)
}

fn value(given: &Bound<'_, PyAny>, level: usize) -> PyResult<Value> {
    let py = given.py();
    if level > MOST_LEVELS {
        return Err(errors::usage(py, format!("nested deeper than {MOST_LEVELS} levels")));
    }
    if let Ok(text) = given.cast::<PyString>() {
        return Ok(text.to_str()?.into());
    }
    if given.is_instance_of::<PyNone>() {
        return Ok(Value::Null);
    }
    if let Ok(truth) = given.cast::<PyBool>() {
        return Ok(truth.is_true().into());
    }
    if given.is_instance_of::<PyInt>() {
        if let Ok(number) = given.extract::<i64>() {
            return Ok(number.into());
        }
        return match given.extract::<u64>() {
            Ok(number) => Ok(number.into()),
            Err(_) => Err(errors::usage(py, format!("the number {given} does not fit into 64 bits"))),
        };
    }
    if let Ok(number) = given.cast::<PyFloat>() {
        return Number::from_f64(number.value())
            .map(Value::Number)
            .ok_or_else(|| errors::usage(py, format!("{given} is not a number that JSON has")));
    }
    if let Ok(dict) = given.cast::<PyDict>() {
        let mut map = Map::with_capacity(dict.len());
        for item in dict.items() {
            let (name, item) = item.extract::<(Bound<'_, PyAny>, Bound<'_, PyAny>)>()?;
            let Ok(name) = name.cast::<PyString>() else {
                return Err(errors::usage(py, format!("the name {name} is not a str")));
            };
            map.insert(name.to_str()?.to_owned(), value(&item, level + 1)?);
        }
        return Ok(Value::Object(map));
    }
    if let Ok(list) = given.cast::<PyList>() {
        return list.iter().map(|item| value(&item, level + 1)).collect::<PyResult<_>>().map(Value::Array);
    }
    if let Ok(tuple) = given.cast::<PyTuple>() {
        return tuple.iter().map(|item| value(&item, level + 1)).collect::<PyResult<_>>().map(Value::Array);
    }
    if let Ok(bytes) = given.cast::<PyBytes>() {
        return Ok(bytes.as_bytes().iter().map(|byte| format!("{byte:02x}")).collect::<String>().into());
    }
    if let Ok(array) = given.cast::<PyUntypedArray>() {
        if array.ndim() == 1 && arrays::kind(array) == b'f' {
            let components = arrays::vector(given)?;
            return Ok(components.into_iter().map(shortest).collect());
        }
        return value(&given.call_method0("tolist")?, level + 1);
    }
    // Numbers of numpy, dates and times, and whatever else says how.
    if given.hasattr("isoformat")? {
        return Ok(dates::date_text(given)?.into());
    }
    if given.hasattr("item")? {
        return value(&given.call_method0("item")?, level + 1);
    }
    Err(errors::usage(py, format!("{} has no form in JSON", given.get_type().name()?)))
}

/// The f64 with the same shortest digits.
fn shortest(component: f32) -> Value {
    Value::from(f64::from(component))
}

/// JSON as Python objects.
pub(crate) fn to_python<'py>(py: Python<'py>, json: &Value) -> PyResult<Bound<'py, PyAny>> {
    Ok(match json {
        Value::Null => py.None().into_bound(py),
        Value::Bool(truth) => PyBool::new(py, *truth).to_owned().into_any(),
        Value::Number(number) => match (number.as_i64(), number.as_u64(), number.as_f64()) {
            (Some(number), ..) => number.into_pyobject(py)?.into_any(),
            (_, Some(number), _) => number.into_pyobject(py)?.into_any(),
            (.., number) => PyFloat::new(py, number.unwrap_or(f64::NAN)).into_any(),
        },
        Value::String(text) => PyString::new(py, text).into_any(),
        Value::Array(items) => {
            let items = items.iter().map(|item| to_python(py, item)).collect::<PyResult<Vec<_>>>()?;
            PyList::new(py, items)?.into_any()
        }
        Value::Object(map) => object(py, map)?.into_any(),
    })
}

/// An object as a dict.
pub(crate) fn object<'py>(py: Python<'py>, map: &Map<String, Value>) -> PyResult<Bound<'py, PyDict>> {
    let dict = PyDict::new(py);
    for (name, item) in map {
        dict.set_item(name, to_python(py, item)?)?;
    }
    Ok(dict)
}
