//! Documents from and to Python objects.

use crate::dates::date_text;
use crate::sparse::sparse_vector;
use crate::{arrays, errors, json};
use lucerne::schema::FieldType;
use lucerne::{Document, Schema, Value};
use numpy::{PyArrayDescrMethods, PyUntypedArray, PyUntypedArrayMethods};
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyByteArray, PyBytes, PyDict, PyFloat, PyInt, PyList, PyString, PyTuple};
use std::collections::{BTreeMap, HashMap, HashSet};

/// What decides on the meaning of bytes and arrays, and on the form of vectors that are returned: the vector fields of a
/// schema.
#[derive(Debug, Default)]
pub(crate) struct VectorFields {
    dense: HashMap<String, VectorField>,
    sparse: HashSet<String>,
}

#[derive(Clone, Copy, Debug)]
struct VectorField {
    /// Its vectors are bits.
    binary: bool,
    /// A document may have several.
    multiple: bool,
}

impl VectorFields {
    pub(crate) fn of(schema: &Schema) -> Self {
        let fields = schema.vector_fields().map(|field| {
            let options = field.options();
            let made = VectorField { binary: options.is_binary(), multiple: options.is_multiple() };
            (field.name().to_owned(), made)
        });
        let sparse =
            schema.fields().iter().filter(|field| matches!(field.field_type(), FieldType::SparseVector));
        Self { dense: fields.collect(), sparse: sparse.map(|field| field.name().to_owned()).collect() }
    }

    /// True for a field of f32 vectors, false for one of bits.
    fn is_f32(&self, field: &str) -> Option<bool> {
        self.dense.get(field).map(|field| !field.binary)
    }

    fn is_multiple(&self, field: &str) -> bool {
        self.dense.get(field).is_some_and(|field| field.multiple)
    }
}

/// A dict, a dataclass, or an object with `model_dump` (pydantic) as a document.
pub(crate) fn document(fields: &VectorFields, given: &Bound<'_, PyAny>) -> PyResult<Document> {
    let py = given.py();
    let dict = if let Ok(dict) = given.cast::<PyDict>() {
        dict.clone()
    } else if given.hasattr("__dataclass_fields__")? {
        // Not asdict, which copies arrays element by element.
        let dict = PyDict::new(py);
        for name in given.getattr("__dataclass_fields__")?.try_iter()? {
            let name = name?;
            dict.set_item(&name, given.getattr(name.cast::<PyString>()?)?)?;
        }
        dict
    } else if given.hasattr("model_dump")? {
        given.call_method0("model_dump")?.cast_into::<PyDict>()?
    } else {
        let class = given.get_type();
        let expected = "expected a dict, a dataclass or a pydantic model";
        return Err(errors::usage(py, format!("{} is no document; {expected}", class.name()?)));
    };
    let mut document = Document::new();
    // A copy: what a value does when it is read may change the dict.
    for item in dict.items() {
        let (name, item) = item.extract::<(Bound<'_, PyAny>, Bound<'_, PyAny>)>()?;
        let Ok(name) = name.cast::<PyString>() else {
            return Err(errors::usage(py, format!("the field name {name} is not a str")));
        };
        let name = name.to_str()?;
        let value = match fields.is_f32(name) {
            Some(true) => vectors(&item),
            Some(false) => bits(&item),
            None if fields.sparse.contains(name) && !item.is_none() => {
                sparse_vector(&item).map(Value::Sparse)
            }
            None => value(&item),
        };
        let value = value.map_err(|error| in_field(py, name, error))?;
        document.set(name, value);
    }
    Ok(document)
}

fn in_field(py: Python<'_>, name: &str, error: PyErr) -> PyErr {
    let message = format!("field {name:?}: {}", error.value(py));
    let wrapped = errors::usage(py, message);
    wrapped.set_cause(py, Some(error));
    wrapped
}

/// Deeper lists are refused.
const MOST_LEVELS: usize = 100;

/// A value that is no vector.
pub(crate) fn value(given: &Bound<'_, PyAny>) -> PyResult<Value> {
    value_at(given, 0)
}

fn value_at(given: &Bound<'_, PyAny>, level: usize) -> PyResult<Value> {
    let py = given.py();
    if level > MOST_LEVELS {
        return Err(errors::usage(py, format!("nested deeper than {MOST_LEVELS} levels")));
    }
    if let Ok(text) = given.cast::<PyString>() {
        return Ok(text.to_str()?.into());
    }
    if given.is_none() {
        return Ok(Value::Null);
    }
    if let Ok(truth) = given.cast::<PyBool>() {
        return Ok(Value::Bool(truth.is_true()));
    }
    if given.is_instance_of::<PyInt>() {
        return match given.extract::<i64>() {
            Ok(number) => Ok(Value::I64(number)),
            Err(_) => Ok(Value::from(json::from_python(given)?)),
        };
    }
    if let Ok(number) = given.cast::<PyFloat>() {
        return Ok(Value::F64(number.value()));
    }
    if let Ok(list) = given.cast::<PyList>() {
        return list.iter().map(|item| value_at(&item, level + 1)).collect::<PyResult<_>>().map(Value::List);
    }
    if let Ok(tuple) = given.cast::<PyTuple>() {
        return tuple.iter().map(|item| value_at(&item, level + 1)).collect::<PyResult<_>>().map(Value::List);
    }
    if given.hasattr("isoformat")? {
        let text = date_text(given)?;
        return Value::date(&text).ok_or_else(|| errors::usage(py, format!("{text} is not a date")));
    }
    if given.is_instance_of::<PyBytes>() || given.is_instance_of::<PyByteArray>() {
        return Err(errors::usage(py, "bytes, in a field that is no vector; expected text or numbers"));
    }
    Ok(Value::from(json::from_python(given)?))
}

/// One vector of f32, or several: an array, bytes, numbers, or a list of these.
fn vectors(given: &Bound<'_, PyAny>) -> PyResult<Value> {
    if given.is_none() {
        return Ok(Value::Null);
    }
    if let Ok(array) = given.cast::<PyUntypedArray>()
        && array.ndim() == 2
    {
        let rows = arrays::rows(given)?;
        return Ok(Value::List(
            rows.as_array().rows().into_iter().map(|row| Value::Vector(row.to_vec())).collect(),
        ));
    }
    let several = |first: Bound<'_, PyAny>| {
        !first.is_instance_of::<PyFloat>() && !first.is_instance_of::<PyInt>() && first.len().is_ok()
    };
    if let Ok(list) = given.cast::<PyList>()
        && list.get_item(0).is_ok_and(several)
    {
        let rows = list.iter().map(|row| arrays::vector(&row).map(Value::Vector));
        return rows.collect::<PyResult<_>>().map(Value::List);
    }
    if given.is_instance_of::<PyString>() || given.is_instance_of::<PyDict>() {
        // The engine says what is wrong with it.
        return value(given);
    }
    Ok(Value::Vector(arrays::vector(given)?))
}

/// Bits: bytes, hexadecimal digits, an array of uint8 (eight bits each) or of bool, or a list of these or of 0 and 1.
fn bits(given: &Bound<'_, PyAny>) -> PyResult<Value> {
    if let Ok(bytes) = given.cast::<PyBytes>() {
        return Ok(Value::Bits(bytes.as_bytes().to_vec()));
    }
    if let Ok(array) = given.cast::<PyUntypedArray>() {
        let packed = arrays::kind(array) == b'u' && array.dtype().itemsize() == 1;
        return match (array.ndim(), packed) {
            (1, true) => Ok(Value::Bits(given.call_method0("tobytes")?.extract()?)),
            (2, _) => {
                bits(&PyList::new(given.py(), given.try_iter()?.collect::<PyResult<Vec<_>>>()?)?.into_any())
            }
            _ => value(&given.call_method1("astype", ("i8",))?.call_method0("tolist")?),
        };
    }
    if let Ok(list) = given.cast::<PyList>() {
        let one =
            |item: Bound<'_, PyAny>| if item.is_instance_of::<PyList>() { value(&item) } else { bits(&item) };
        return list.iter().map(one).collect::<PyResult<_>>().map(Value::List);
    }
    value(given)
}

/// A document as a dict: vectors as arrays, dates as text.
pub(crate) fn to_python<'py>(
    py: Python<'py>,
    fields: &VectorFields,
    document: &serde_json::Map<String, serde_json::Value>,
) -> PyResult<Bound<'py, PyDict>> {
    let dict = PyDict::new(py);
    for (name, item) in document {
        let item = match (fields.is_f32(name), item) {
            (Some(true), serde_json::Value::Array(items)) => vector_to_python(py, items)?,
            _ => json::to_python(py, item)?,
        };
        dict.set_item(name, item)?;
    }
    Ok(dict)
}

/// Vectors by field, as numbers: a document's vector as an array, None without one; in a field of several an array of
/// (vectors, dimension).
pub(crate) fn vectors_to_python<'py>(
    py: Python<'py>,
    fields: &VectorFields,
    vectors: &BTreeMap<String, Vec<Vec<f32>>>,
) -> PyResult<Bound<'py, PyDict>> {
    let dict = PyDict::new(py);
    for (name, rows) in vectors {
        match (fields.is_multiple(name), rows.first()) {
            (true, _) => dict.set_item(name, numpy::PyArray2::from_vec2(py, rows)?)?,
            (false, Some(row)) => dict.set_item(name, numpy::PyArray1::from_slice(py, row))?,
            (false, None) => dict.set_item(name, py.None())?,
        }
    }
    Ok(dict)
}

/// One row as an array of one dimension, several as a list of such arrays.
fn vector_to_python<'py>(py: Python<'py>, items: &[serde_json::Value]) -> PyResult<Bound<'py, PyAny>> {
    if items.first().is_some_and(serde_json::Value::is_array) {
        let rows = items.iter().map(|row| row.as_array().map_or(&[][..], Vec::as_slice));
        let rows = rows.map(|row| vector_to_python(py, row)).collect::<PyResult<Vec<_>>>()?;
        return Ok(PyList::new(py, rows)?.into_any());
    }
    let row = items.iter().map(|component| component.as_f64().unwrap_or(f64::NAN) as f32);
    Ok(numpy::PyArray1::from_iter(py, row).into_any())
}
