//! Queries and searches in JSON.

use super::problem::Problem;
use crate::error::Result;
use crate::query::{Query, Search};
use serde::Serialize;
use serde::de::DeserializeOwned;

/// What a search's object may have; any other object is a query.
const SEARCH: [&str; 10] =
    ["query", "filter", "limit", "offset", "rerank", "sort", "fields", "min_score", "score_as", "explain"];

impl Search {
    /// Reads a search in JSON, or a query alone: the 10 best documents of it (of a kNN, its `k`).
    ///
    /// # Errors
    /// [`crate::Error::WrongQuery`] with the place, and what was expected there. Numbers are not checked
    /// before the search is run.
    pub fn from_json(text: &str) -> Result<Self> {
        let is_query = match read::<serde_json::Value>(text)? {
            serde_json::Value::Object(object) => {
                !object.is_empty() && object.keys().all(|name| !SEARCH.contains(&name.as_str()))
            }
            _ => return Err(Problem::new(0, "expected an object, a search or a query").within(text)),
        };
        match is_query {
            true => Query::from_json(text).map(Self::from),
            false => read(text),
        }
    }

    /// The search as one line of JSON. Reading it gives an equal search; dates become texts.
    pub fn to_json(&self) -> String {
        write(self)
    }
}

impl Query {
    /// Reads a query in JSON.
    ///
    /// # Errors
    /// As [`Search::from_json`].
    pub fn from_json(text: &str) -> Result<Self> {
        read(text)
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
        Problem::new(place(text, &error), message).within(text)
    })
}

/// The byte that an error is at.
fn place(text: &str, error: &serde_json::Error) -> usize {
    let line_start: usize =
        text.split_inclusive('\n').take(error.line().saturating_sub(1)).map(str::len).sum();
    let mut at = (line_start + error.column().saturating_sub(1)).min(text.len());
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}

/// Nothing in the model can fail to be written.
fn write(value: &impl Serialize) -> String {
    serde_json::to_string(value).unwrap_or_default()
}
