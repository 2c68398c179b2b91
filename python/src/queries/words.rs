//! Queries for words of texts.

use super::{Query, from_json, made};
use crate::errors;
use lucerne::query::{self, Fuzziness, Minimum};
use pyo3::prelude::*;

query_class!(
    /// Documents with any (or with `operator="and"` all) of the words of a text, scored by BM25.
    ///
    /// `minimum_should_match`: how many of the words, a number or a share such as `"75%"`; below 0 all but so many.
    /// `fuzziness`: edits that a word may be away, `"auto"` or 0 to 2, as `edits` of `Fuzzy`.
    Match
);
#[pymethods]
impl Match {
    #[new]
    #[pyo3(signature = (field, text, *, operator="or", minimum_should_match=None, fuzziness=None))]
    fn new(
        py: Python<'_>,
        field: String,
        text: String,
        operator: &str,
        minimum_should_match: Option<&Bound<'_, PyAny>>,
        fuzziness: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<PyClassInitializer<Self>> {
        let mut words = match all_of(py, operator)? {
            false => query::Match::new(field, text),
            true => query::Match::all(field, text),
        };
        if let Some(least) = minimum_should_match {
            words = words.minimum_should_match(minimum(least)?);
        }
        if let Some(edits) = fuzziness {
            words = words.fuzziness(edits_of("fuzziness", edits)?);
        }
        Ok(made(Self, words))
    }
}

/// Whether all words are required.
fn all_of(py: Python<'_>, operator: &str) -> PyResult<bool> {
    match operator {
        "or" => Ok(false),
        "and" => Ok(true),
        other => Err(errors::usage(py, format!("operator is {other:?}, expected \"or\" or \"and\""))),
    }
}

fn minimum(given: &Bound<'_, PyAny>) -> PyResult<Minimum> {
    from_json("minimum_should_match", given)
}

fn edits_of(name: &str, given: &Bound<'_, PyAny>) -> PyResult<Fuzziness> {
    from_json(name, given)
}

query_class!(
    /// Documents with words of a text in any of several text fields, such as `["title^3", "body"]`; in each they are a
    /// `Match`.
    ///
    /// `type`: `"best_fields"`, the score in the best field and `tie_breaker` (0 to 1) times those in the others, or
    /// `"most_fields"`, the sum.
    MultiMatch
);
#[pymethods]
impl MultiMatch {
    #[new]
    #[pyo3(signature = (text, fields, *, r#type="best_fields", tie_breaker=0.0, operator="or",
        minimum_should_match=None, fuzziness=None))]
    #[allow(clippy::too_many_arguments, reason = "keywords of Python")]
    fn new(
        py: Python<'_>,
        text: String,
        fields: Vec<String>,
        r#type: &str,
        tie_breaker: f32,
        operator: &str,
        minimum_should_match: Option<&Bound<'_, PyAny>>,
        fuzziness: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<PyClassInitializer<Self>> {
        let words = match all_of(py, operator)? {
            false => query::MultiMatch::new(text),
            true => query::MultiMatch::all(text),
        };
        let words = words.fields(fields).tie_breaker(tie_breaker);
        let mut words = match r#type {
            "best_fields" => words,
            "most_fields" => words.most_fields(),
            other => {
                let expected = "expected \"best_fields\" or \"most_fields\"";
                return Err(errors::usage(py, format!("type is {other:?}, {expected}")));
            }
        };
        if let Some(least) = minimum_should_match {
            words = words.minimum_should_match(minimum(least)?);
        }
        if let Some(edits) = fuzziness {
            words = words.fuzziness(edits_of("fuzziness", edits)?);
        }
        Ok(made(Self, words))
    }
}

query_class!(
    /// Documents with the words of a text one after the other, at most `slop` places moved.
    Phrase
);
#[pymethods]
impl Phrase {
    #[new]
    #[pyo3(signature = (field, text, *, slop=0))]
    fn new(field: String, text: String, slop: u32) -> PyClassInitializer<Self> {
        made(Self, query::Phrase::new(field, text).slop(slop))
    }
}

query_class!(
    /// Documents with a word that is at most some edits away from this one: letters inserted, deleted, replaced, or two
    /// neighbors swapped. In keyword and key fields, values.
    ///
    /// `edits`: 0 to 2, or `"auto"`: none up to 2 letters, one up to 5, two beyond. `prefix_length`: letters at the beginning
    /// that are the same. `transpositions`: a swap is one edit, not two. `max_expansions`: most words that it stands for.
    Fuzzy
);
#[pymethods]
impl Fuzzy {
    #[new]
    #[pyo3(signature = (field, word, *, edits=None, prefix_length=0, transpositions=true, max_expansions=50))]
    fn new(
        field: String,
        word: String,
        edits: Option<&Bound<'_, PyAny>>,
        prefix_length: usize,
        transpositions: bool,
        max_expansions: usize,
    ) -> PyResult<PyClassInitializer<Self>> {
        let fuzzy = query::Fuzzy::new(field, word).prefix_length(prefix_length);
        let mut fuzzy = fuzzy.transpositions(transpositions).max_expansions(max_expansions);
        if let Some(edits) = edits {
            fuzzy = fuzzy.edits(edits_of("edits", edits)?);
        }
        Ok(made(Self, fuzzy))
    }
}

query_class!(
    /// Documents with a word, keyword or key of a pattern: `*` stands for any characters, `?` for one, a backslash before a
    /// character for itself.
    Wildcard
);
#[pymethods]
impl Wildcard {
    #[new]
    fn new(field: String, pattern: String) -> PyClassInitializer<Self> {
        made(Self, query::Wildcard::new(field, pattern))
    }
}

query_class!(
    /// Documents with a word, keyword or key that matches a regular expression from beginning to end, in the syntax of
    /// Rust's `regex`. Words are compared as they are indexed: in lower case, stemmed where the field is.
    Regex
);
#[pymethods]
impl Regex {
    #[new]
    fn new(field: String, pattern: String) -> PyClassInitializer<Self> {
        made(Self, query::Regex::new(field, pattern))
    }
}

query_class!(
    /// Documents with the characteristic words of the document with a key, which is not found itself, or of a text.
    ///
    /// `fields`: text fields (all that are indexed and stored). `max_terms`: words to search for, 1 to 1,024. Words are passed
    /// over that occur in it fewer than `min_term_freq` times, or that fewer than `min_doc_freq` or more than `max_doc_freq`
    /// documents have.
    MoreLike
);
#[pymethods]
impl MoreLike {
    #[new]
    #[pyo3(signature = (*, key=None, text=None, fields=None, max_terms=25, min_term_freq=1, min_doc_freq=2,
        max_doc_freq=None))]
    #[allow(clippy::too_many_arguments, reason = "keywords of Python")]
    fn new(
        py: Python<'_>,
        key: Option<String>,
        text: Option<String>,
        fields: Option<Vec<String>>,
        max_terms: usize,
        min_term_freq: u32,
        min_doc_freq: u64,
        max_doc_freq: Option<u64>,
    ) -> PyResult<PyClassInitializer<Self>> {
        let like = match (key, text) {
            (Some(key), None) => query::MoreLike::key(key),
            (None, Some(text)) => query::MoreLike::text(text),
            _ => return Err(errors::usage(py, "MoreLike takes either key= or text=")),
        };
        let like = like.max_terms(max_terms).min_term_freq(min_term_freq).min_doc_freq(min_doc_freq);
        let like = like.fields(fields.unwrap_or_default());
        Ok(made(Self, max_doc_freq.into_iter().fold(like, query::MoreLike::max_doc_freq)))
    }
}
