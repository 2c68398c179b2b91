//! The search console. A question is the arguments of `lucerne search` by their names, so that the page searches as the
//! command line does, fails with its messages, and shows the call that does the same.

use super::{asked, bytes};
use crate::args::{Arguments, Command, Search};
use crate::commands::search::request;
use crate::commands::web::watched::Commit;
use crate::failure::{Failure, In as _, Outcome};
use crate::render::hits;
use clap::Parser as _;
use hyper::body::Bytes;
use lucerne::search::{Explanation, SearchOptions};
use serde::Serialize;
use serde_json::Value;
use std::time::Duration;

/// Arguments with a value, some of them lists, given with commas or more than once. None of them names a file.
const VALUES: [&str; 31] = [
    "query",
    "filter",
    "default-field",
    "knn",
    "vector",
    "like",
    "liked",
    "disliked",
    "sparse",
    "more-like",
    "recall",
    "candidates",
    "nprobe",
    "rescore",
    "hybrid",
    "weights",
    "rerank",
    "weight",
    "mmr",
    "mmr-field",
    "decay",
    "window",
    "limit",
    "offset",
    "min-score",
    "sort",
    "group-by",
    "facet",
    "highlight",
    "fields",
    "aggregate",
];
/// Arguments without a value.
const FLAGS: [&str; 5] = ["exact", "post-filter", "lenient", "total", "explain"];

/// What begins and ends a highlighted word, which no text field can be expected to have.
const MARKS: (&str, &str) = ("\u{1}", "\u{2}");

/// The longest that a search may take.
const WITHIN: Duration = Duration::from_secs(20);

#[derive(Serialize)]
struct Answer<'a> {
    /// The words of the call of the command line.
    call: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    found: Option<hits::JsonHits<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    explanation: Option<Explanation>,
}

/// The hits, with the call of the command line that finds them.
pub(super) fn search(commit: &Commit, question: &Value) -> Outcome<Bytes> {
    let (call, args) = arguments(commit, question)?;
    let search = request::of(&args, &commit.searcher, MARKS)?;
    let found = commit.searcher.search_with(search, &SearchOptions::new().timeout(WITHIN));
    let found = found.in_index(&commit.dir)?;
    bytes(&Answer { call, found: Some(hits::as_json(&found)), explanation: None })
}

/// Why the document with a key is among the hits, or why it is not.
pub(super) fn why(commit: &Commit, question: &Value) -> Outcome<Bytes> {
    let key = asked(question, "key")?;
    let (call, args) = arguments(commit, question)?;
    let search = request::of(&args, &commit.searcher, MARKS)?;
    let explained = commit.searcher.explain_with(search, key, &SearchOptions::new().timeout(WITHIN));
    bytes(&Answer { call, found: None, explanation: Some(explained.in_index(&commit.dir)?) })
}

/// The arguments in `search` of the question: as words of a call, and as the command line reads them.
fn arguments(commit: &Commit, question: &Value) -> Outcome<(Vec<String>, Box<Search>)> {
    let given = question.get("search").and_then(Value::as_object);
    let given = given.ok_or_else(|| Failure::usage("the question lacks \"search\", an object"))?;
    let mut call = vec!["lucerne".to_owned(), "search".to_owned(), commit.dir.display().to_string()];
    for (name, value) in given {
        let name = name.as_str();
        let values = match value {
            Value::Array(values) => values.as_slice(),
            value => std::slice::from_ref(value),
        };
        for value in values {
            match value {
                Value::Null | Value::Bool(false) => {}
                Value::Bool(true) if FLAGS.contains(&name) => call.push(format!("--{name}")),
                Value::String(text) if VALUES.contains(&name) => call.push(format!("--{name}={text}")),
                Value::Number(number) if VALUES.contains(&name) => call.push(format!("--{name}={number}")),
                _ => {
                    return Err(Failure::usage(format!("the console has no argument {name:?} of that kind")));
                }
            }
        }
    }
    let read = Arguments::try_parse_from(&call).map_err(|error| {
        let text = error.to_string();
        let text = text.lines().next().unwrap_or_default();
        Failure::usage(text.strip_prefix("error: ").unwrap_or(text))
    })?;
    match read.command {
        Command::Search(args) => Ok((call, args)),
        _ => Err(Failure::usage("this is no search")),
    }
}
