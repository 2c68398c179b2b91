//! Tables in and out through Arrow's C stream interface (`__arrow_c_stream__`): polars, pandas, pyarrow, duckdb and others.
//!
//! `unsafe` is here: a capsule holds a raw pointer, whose meaning its name tells.

use crate::call::{call, long_call};
use crate::errors;
use lucerne::transfer::SegmentBuilder;
use lucerne::{Cancel, Query, Searcher, Writer};
use lucerne_arrow::ffi::{self, Rows, Stream};
use lucerne_arrow::{Error, OnExisting};
use pyo3::prelude::*;
use pyo3::types::{PyCapsule, PyCapsuleMethods};
use std::ffi::CStr;

/// The name that the interface gives to capsules of streams.
const NAME: &CStr = c"arrow_array_stream";

/// Writes the rows of anything with `__arrow_c_stream__`.
pub(crate) fn add(
    py: Python<'_>,
    writer: &Writer,
    data: &Bound<'_, PyAny>,
    on_existing: OnExisting,
) -> PyResult<u64> {
    each_row(py, data, |rows, cancel| lucerne_arrow::add(writer, rows, on_existing, cancel))
}

/// Gives the rows of anything with `__arrow_c_stream__` to a builder.
pub(crate) fn build(py: Python<'_>, builder: &mut SegmentBuilder, data: &Bound<'_, PyAny>) -> PyResult<u64> {
    each_row(py, data, |rows, cancel| lucerne_arrow::build(builder, rows, cancel))
}

fn each_row(
    py: Python<'_>,
    data: &Bound<'_, PyAny>,
    write: impl FnOnce(Rows, &Cancel) -> lucerne_arrow::Result<u64> + Send,
) -> PyResult<u64> {
    if !data.hasattr("__arrow_c_stream__")? {
        let class = data.get_type();
        let expected = "expected a table with __arrow_c_stream__ (polars, pandas, pyarrow, duckdb, …)";
        return Err(errors::usage(py, format!("{} is no table; {expected}", class.name()?)));
    }
    let capsule = data.call_method0("__arrow_c_stream__")?;
    let pointer = capsule.cast::<PyCapsule>()?.pointer_checked(Some(NAME))?.cast::<Stream>();
    // SAFETY: by the interface, a capsule of this name points to a valid stream. It is ours alone: `capsule`, which keeps
    // it alive, was just made for us, and what is imported is marked as released there.
    let rows = unsafe { ffi::import(pointer.as_ptr()) }.map_err(|error| exception(py, error))?;
    let mut failed = None;
    let written = long_call(py, |cancel: &Cancel| match write(rows, cancel) {
        Ok(written) => Ok(written),
        Err(Error::Lucerne(error)) => Err(error),
        Err(error) => {
            failed = Some(error);
            Ok(0)
        }
    })?;
    match failed {
        None => Ok(written),
        Some(error) => Err(exception(py, error)),
    }
}

fn exception(py: Python<'_>, error: Error) -> PyErr {
    match error {
        Error::Lucerne(error) => errors::exception(py, error),
        error => errors::usage(py, error.to_string()),
    }
}

/// The documents of a snapshot as a table: give it to `polars.DataFrame`, `pyarrow.table`, `duckdb` or anything else
/// that takes `__arrow_c_stream__`. Each use reads anew.
#[pyclass(frozen, module = "lucerne")]
pub(crate) struct ArrowTable {
    searcher: Searcher,
    lists: Vec<String>,
    /// What its documents match.
    query: Query,
}

impl ArrowTable {
    pub(crate) fn new(searcher: Searcher, lists: Vec<String>, query: Query) -> Self {
        Self { searcher, lists, query }
    }
}

#[pymethods]
impl ArrowTable {
    /// The stream, as a capsule. The requested schema is not looked at, as the interface allows.
    #[pyo3(signature = (requested_schema=None))]
    fn __arrow_c_stream__<'py>(
        &self,
        py: Python<'py>,
        requested_schema: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyCapsule>> {
        let _ = requested_schema;
        let lists: Vec<&str> = self.lists.iter().map(String::as_str).collect();
        let rows = py.detach(|| lucerne_arrow::read_matching(&self.searcher, &lists, self.query.clone()));
        let rows = rows.map_err(|error| exception(py, error))?;
        PyCapsule::new_with_value(py, ffi::export(Box::new(rows)), NAME)
    }

    fn __len__(&self, py: Python<'_>) -> PyResult<usize> {
        call(py, || self.searcher.count(self.query.clone())).map(|count| count as usize)
    }

    fn __repr__(&self, py: Python<'_>) -> PyResult<String> {
        Ok(format!("ArrowTable({} documents)", self.__len__(py)?))
    }
}
