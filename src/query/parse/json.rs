//! Queries and searches in JSON.

use super::problem::Problem;
use crate::error::Result;
use crate::query::{Query, Search};
use serde::Serialize;
use serde::de::DeserializeOwned;

impl Search {
    /// The entries that the object of a search may have in JSON. They are no names of queries: an object without any of them
    /// is a query.
    pub const ENTRIES: [&str; 17] = [
        "highlight",
        "query",
        "filter",
        "limit",
        "offset",
        "rerank",
        "sort",
        "fields",
        "vectors",
        "min_score",
        "score_as",
        "explain",
        "aggs",
        "aggregations",
        "collapse",
        "total",
        "track_total_hits",
    ];

    /// Reads a search from JSON; [the module's page](crate::query) describes the form. A query alone is a search for
    /// its 10 best documents; a kNN query, for its `k` neighbors.
    ///
    /// # Errors
    /// [`crate::Error::WrongQuery`] with the position, and what was expected there. Ranges of numbers are checked when
    /// the search is run.
    pub fn from_json(text: &str) -> Result<Self> {
        let is_query = match read::<serde_json::Value>(text)? {
            serde_json::Value::Object(object) => {
                !object.is_empty() && object.keys().all(|name| !Self::ENTRIES.contains(&name.as_str()))
            }
            _ => return Err(Problem::new(0, "expected an object, a search or a query").within(text)),
        };
        match is_query {
            true => Query::from_json(text).map(Self::from),
            false => read(text),
        }
    }

    /// The search as one line of JSON. Reading it gives an equal search, except that dates become texts.
    pub fn to_json(&self) -> String {
        write(self)
    }
}

impl Query {
    /// Reads a query from JSON; [the module's page](crate::query) describes the form.
    ///
    /// # Errors
    /// As [`Search::from_json`].
    pub fn from_json(text: &str) -> Result<Self> {
        read(text).map_err(|error| match serde_json::from_str(text) {
            Ok(serde_json::Value::Object(object))
                if object.keys().any(|name| Search::ENTRIES.contains(&name.as_str())) =>
            {
                Problem::new(0, "a query is expected here, not a whole search").within(text)
            }
            _ => error,
        })
    }

    /// The query as one line of JSON.
    pub fn to_json(&self) -> String {
        write(self)
    }
}

fn read<T: DeserializeOwned>(text: &str) -> Result<T> {
    serde_json::from_str(text).map_err(|error| {
        let message = error.to_string();
        let message = message.rsplit_once(" at line ").map_or(&*message, |(message, _)| message);
        let at = position(text, &error);
        let continues = message == "expected value"
            && text.get(at..).is_some_and(|rest| rest.trim_start_matches('}').starts_with(','));
        // It is no mistake of the JSON, but of an object that is to have one entry.
        if continues && serde_json::from_str::<serde_json::Value>(text).is_ok() {
            return Problem::new(at, "expected one query in this object; combine several with `bool`")
                .within(text);
        }
        Problem::new(at, plain(message)).within(text)
    })
}

/// A message of serde in the words of this documentation.
fn plain(message: &str) -> String {
    let words = [
        ("unknown variant ", "unknown name "),
        ("unknown field ", "unknown entry "),
        ("missing field ", "missing entry "),
        ("expected usize", "expected a whole number of at least 0"),
        ("expected u32", "expected a whole number of at least 0"),
        ("expected u64", "expected a whole number of at least 0"),
        ("expected f32", "expected a number"),
        ("expected f64", "expected a number"),
        ("expected struct ", "expected an object: "),
        ("recursion limit exceeded", "objects and lists are nested more than 127 deep"),
        ("EOF while parsing a", "the text ends inside a"),
    ];
    words.iter().fold(message.to_owned(), |message, (theirs, ours)| message.replace(theirs, ours))
}

/// The byte position of an error.
fn position(text: &str, error: &serde_json::Error) -> usize {
    let line_start: usize =
        text.split_inclusive('\n').take(error.line().saturating_sub(1)).map(str::len).sum();
    let mut at = (line_start + error.column().saturating_sub(1)).min(text.len());
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}

/// Writing cannot fail: no query has a value without a JSON form.
fn write(value: &impl Serialize) -> String {
    serde_json::to_string(value).unwrap_or_default()
}
