//! Showing where texts have the words of a query.

use crate::{errors, queries};
use lucerne::query;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyString};

/// How the words of a query are shown in a text field of hits: `search(…, highlight=[Highlight("body", fragments=1)])`.
#[pyclass(frozen, module = "lucerne")]
#[derive(Clone)]
pub(crate) struct Highlight(query::Highlight);

#[pymethods]
impl Highlight {
    /// `fragments`: most fragments of a hit, the best ones; 0 for whole texts. `size`: their length in characters. `tags`: what
    /// stands before and behind what was found. `escape_html`: write `&`, `<`, `>` and quotes of the text as entities.
    #[new]
    #[pyo3(signature = (field, *, fragments=3, size=150, tags=("<b>".to_owned(), "</b>".to_owned()), escape_html=false),
        text_signature = "(field, *, fragments=3, size=150, tags=('<b>', '</b>'), escape_html=False)")]
    fn new(field: String, fragments: usize, size: usize, tags: (String, String), escape_html: bool) -> Self {
        let highlight = query::Highlight::new(field).fragments(fragments).size(size).tags(tags.0, tags.1);
        Self(if escape_html { highlight.escape_html() } else { highlight })
    }

    fn __repr__(&self) -> String {
        format!("Highlight({})", serde_json::to_string(&self.0).unwrap_or_default())
    }
}

/// A field's name, a `Highlight`, its JSON form as a dict, or a list of these.
pub(crate) fn all(given: &Bound<'_, PyAny>) -> PyResult<Vec<query::Highlight>> {
    if let Some(one) = one(given)? {
        return Ok(vec![one]);
    }
    let wrong = |given: &Bound<'_, PyAny>| {
        let expected = "expected a field, a Highlight or a list of these";
        errors::usage(given.py(), format!("highlight: {expected}, given {}", given.get_type()))
    };
    let several = given.try_iter().map_err(|_| wrong(given))?;
    several
        .map(|given| {
            let given = given?;
            one(&given)?.ok_or_else(|| wrong(&given))
        })
        .collect()
}

fn one(given: &Bound<'_, PyAny>) -> PyResult<Option<query::Highlight>> {
    if let Ok(field) = given.cast::<PyString>() {
        return Ok(Some(field.to_str()?.into()));
    }
    if let Ok(highlight) = given.cast::<Highlight>() {
        return Ok(Some(highlight.get().0.clone()));
    }
    match given.is_instance_of::<PyDict>() {
        true => queries::from_json("highlight", given).map(Some),
        false => Ok(None),
    }
}
