//! Many documents, with arrays of vectors beside them.

use crate::call::call;
use crate::document::{self, VectorFields};
use crate::{arrays, errors};
use lucerne::Document;
use numpy::{PyReadonlyArray2, PyUntypedArrayMethods};
use pyo3::prelude::*;
use pyo3::types::PyDict;

/// Documents given to the engine at once, and between two looks for Ctrl-C.
const BATCH: usize = 512;

/// Gives the documents of an iterable to `write`, a batch at a time; returns their number.
pub(crate) fn each_batch(
    py: Python<'_>,
    fields: &VectorFields,
    documents: &Bound<'_, PyAny>,
    vectors: Option<&Bound<'_, PyDict>>,
    write: impl Fn(&[Document]) -> lucerne::Result<()> + Sync,
) -> PyResult<usize> {
    let columns = columns(vectors)?;
    let columns = columns
        .iter()
        .map(|(field, rows)| {
            let values = rows.as_slice().map_err(|error| errors::usage(py, error.to_string()))?;
            Ok((field.as_str(), values, rows.shape()[0], rows.shape()[1]))
        })
        .collect::<PyResult<Vec<_>>>()?;
    // Where the number of documents is known, nothing is written before it is compared.
    let known = documents.len().ok();
    if let Some((known, (field, _, rows, _))) =
        known.zip(columns.iter().find(|(.., rows, _)| known.is_some_and(|known| known != *rows)))
    {
        return Err(errors::usage(py, format!("vectors[{field:?}] has {rows} rows for {known} documents")));
    }
    let (mut batch, mut given) = (Vec::with_capacity(BATCH), 0);
    let flush = |batch: &mut Vec<Document>| -> PyResult<()> {
        call(py, || write(batch))?;
        batch.clear();
        py.check_signals()
    };
    for item in documents.try_iter()? {
        let mut document = document::document(fields, &item?)?;
        for &(field, values, rows, dimension) in &columns {
            let row = values.get(given * dimension..(given + 1) * dimension);
            let Some(row) = row.filter(|_| given < rows) else {
                let problem = format!("vectors[{field:?}] has {rows} rows, fewer than there are documents");
                return Err(errors::usage(py, problem));
            };
            document.set(field, row.to_vec());
        }
        batch.push(document);
        given += 1;
        if batch.len() == BATCH {
            flush(&mut batch)?;
        }
    }
    flush(&mut batch)?;
    match columns.iter().find(|(.., rows, _)| *rows != given) {
        None => Ok(given),
        Some((field, _, rows, _)) => {
            let problem = format!("vectors[{field:?}] has {rows} rows for {given} documents");
            Err(errors::usage(py, problem))
        }
    }
}

/// The arrays of `vectors={"field": array}`.
fn columns<'py>(vectors: Option<&Bound<'py, PyDict>>) -> PyResult<Vec<(String, PyReadonlyArray2<'py, f32>)>> {
    let Some(vectors) = vectors else { return Ok(Vec::new()) };
    vectors.iter().map(|(field, rows)| Ok((field.extract()?, arrays::rows(&rows)?))).collect()
}
