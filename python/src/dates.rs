//! Dates of Python as text.

use pyo3::prelude::*;

/// RFC 3339: of a datetime without a zone as if it were UTC.
pub(crate) fn date_text(given: &Bound<'_, PyAny>) -> PyResult<String> {
    let text: String = given.call_method0("isoformat")?.extract()?;
    let is_naive = given.getattr_opt("tzinfo")?.is_none_or(|zone| zone.is_none());
    Ok(if is_naive && text.contains('T') { text + "Z" } else { text })
}
