//! Changes of documents: what an update does, and what became of the documents of a query.

use crate::document::{self, VectorFields};
use crate::errors;
use lucerne::writer::ByQueryReport;
use lucerne::{Update, Value};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyString};
use std::time::{Duration, SystemTime};

/// Fields to set, numbers to add, and fields to take away, in this order.
pub(crate) fn update(
    fields: &VectorFields,
    set: Option<&Bound<'_, PyAny>>,
    increment: Option<&Bound<'_, PyDict>>,
    remove: Option<Vec<String>>,
) -> PyResult<Update> {
    let mut update = match set {
        Some(set) => Update::from(document::document(fields, set)?),
        None => Update::new(),
    };
    for (field, by) in increment.into_iter().flatten() {
        update = update.increment(field.extract::<String>()?, document::value(&by)?);
    }
    Ok(remove.into_iter().flatten().fold(update, Update::remove))
}

/// A report as a dict.
pub(crate) fn as_dict<'py>(py: Python<'py>, report: &ByQueryReport) -> PyResult<Bound<'py, PyDict>> {
    let dict = PyDict::new(py);
    dict.set_item("matched", report.matched)?;
    dict.set_item("changed", report.changed)?;
    dict.set_item("unchanged", report.unchanged)?;
    dict.set_item("skipped", report.skipped)?;
    dict.set_item("unknown_fields", &report.unknown_fields)?;
    Ok(dict)
}

/// A point in time: a datetime (without a zone: UTC), a date or its text.
pub(crate) fn time(given: &Bound<'_, PyAny>) -> PyResult<SystemTime> {
    let value = match given.cast::<PyString>() {
        Ok(text) => Value::date(text.to_str()?),
        Err(_) => Some(document::value(given)?),
    };
    let time = match value {
        Some(Value::Date(millis)) => {
            let distance = Duration::from_millis(millis.unsigned_abs());
            let epoch = SystemTime::UNIX_EPOCH;
            if millis < 0 { epoch.checked_sub(distance) } else { epoch.checked_add(distance) }
        }
        _ => None,
    };
    let shown = || given.repr().map_or_else(|_| "this".to_owned(), |given| given.to_string());
    time.ok_or_else(|| errors::usage(given.py(), format!("{} is no time; expected a datetime", shown())))
}
