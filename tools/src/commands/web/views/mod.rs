//! The views of the page: from a commit and a question to an answer, both JSON. `overview` and `health` are of the whole
//! index, `plan` and `merges` of its segments, `vectors`, `figures` and `values` of a field, `document` and `console` of documents.

mod console;
mod document;
mod figures;
mod health;
mod merges;
mod overview;
mod projection;
mod values;
mod vectors;

use super::watched::{Commit, Watched};
use crate::commands::under_way::under_way;
use crate::failure::{Code, Failure, In as _, Outcome};
use crate::render::metadata::{list, number, text};
use crate::render::units::{self, short};
use hyper::body::Bytes;
use lucerne::{Cancel, admin};
use serde::Serialize;
use serde_json::{Value, json};
use std::time::{Duration, Instant};

/// The longest that a view may take.
pub(super) const WITHIN: Duration = Duration::from_secs(60);

/// The plan that the segments view asks for first.
pub(super) const FIRST_PLAN: &[u8] = br#"{"max_segments":1}"#;

pub(in crate::commands) type View = fn(&Commit, &Value) -> Outcome<Value>;

/// Views that depend on the commit and the question alone.
const OF_COMMIT: [(&str, View); 9] = [
    ("overview", overview::overview),
    ("segment", overview::segment),
    ("plan", overview::plan),
    ("merges", merges::merges),
    ("vectors", vectors::field),
    ("figures", figures::figures),
    ("distances", figures::distances),
    ("projection", figures::projection),
    ("values", values::field),
];

/// The answer of a view to a question in JSON.
pub(super) fn answer(watched: &Watched, view: &str, question: &[u8]) -> Outcome<Bytes> {
    let question: Value = if question.is_empty() {
        Value::Null
    } else {
        serde_json::from_slice(question).map_err(|error| Failure::usage(format!("the question: {error}")))?
    };
    let commit = watched.commit()?;
    match view {
        "state" => bytes(&state(&commit)?),
        "check" => bytes(&check(&commit)?),
        "document" => bytes(&document::document(&commit, &question)?),
        "search" => console::search(&commit, &question),
        "why" => console::why(&commit, &question),
        _ => {
            let compute = of_commit(view)?;
            commit.kept(format!("{view} {question}"), || bytes(&compute(&commit, &question)?))
        }
    }
}

/// A view that depends on a commit and the question alone, by its name.
pub(in crate::commands) fn of_commit(view: &str) -> Outcome<View> {
    let found = OF_COMMIT.iter().find(|(name, _)| *name == view);
    found.map(|(_, compute)| *compute).ok_or_else(|| Failure::usage(format!("there is no view {view:?}")))
}

fn bytes(view: &impl Serialize) -> Outcome<Bytes> {
    let written = serde_json::to_vec(view);
    written.map(Bytes::from).map_err(|error| Failure::new(Code::Io, format!("cannot write JSON: {error}")))
}

/// What tells whether there is something new to see.
fn state(commit: &Commit) -> Outcome<Value> {
    let searcher = &commit.searcher;
    Ok(json!({
        "generation": searcher.generation(),
        "docs": searcher.len(),
        "segments": searcher.segment_count(),
        "under_way": under_way(&commit.dir, commit.report()?),
    }))
}

/// Reads every byte, as `lucerne check` does.
fn check(commit: &Commit) -> Outcome<Value> {
    let checked = admin::check(&commit.dir, &in_time(), &()).in_index(&commit.dir)?;
    let problem = |problem: &admin::Problem| json!({ "file": problem.file, "problem": problem.problem });
    Ok(json!({
        "generation": checked.generation,
        "bytes": checked.bytes,
        "problems": checked.problems.iter().map(problem).collect::<Vec<_>>(),
    }))
}

/// The first file that is damaged, as an error.
fn refuse_damage(commit: &Commit) -> Outcome {
    let checked = admin::check(&commit.dir, &in_time(), &()).in_index(&commit.dir)?;
    let Some(first) = checked.problems.first() else { return Ok(()) };
    let more = checked.problems.len() - 1;
    let more = if more == 0 {
        String::new()
    } else {
        format!(" (and {} more)", units::count(more as u64, "problem"))
    };
    // Most problems begin with the file.
    let named =
        if first.problem.starts_with(&first.file) { String::new() } else { format!("{}: ", first.file) };
    let failure = Failure::new(Code::Io, format!("{named}{}{more}", first.problem));
    Err(failure.hint(format!("list all damage with: lucerne check {}", commit.dir.display())))
}

/// What stops a view that takes too long.
fn in_time() -> Cancel {
    Cancel::new().until(Instant::now() + WITHIN)
}

/// A text of the question.
fn asked<'a>(question: &'a Value, name: &str) -> Outcome<&'a str> {
    let text = question.get(name).and_then(Value::as_str);
    text.ok_or_else(|| Failure::usage(format!("the question lacks {name:?}, a text")))
}
