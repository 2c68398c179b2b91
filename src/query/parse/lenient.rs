//! Reads whatever is typed: what has no meaning in it is taken as words.

use super::problem::Problem;
use crate::query::{Match, Query};

/// What was typed into a search box, as a query.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Lenient {
    /// The query. It finds nothing when nothing of the text can be searched for.
    pub query: Query,
    /// What was not understood and is searched for as words, with the place; empty when all of it was understood.
    pub warnings: Vec<String>,
}

/// Parts of a text that are mended before all of it is taken as words: each costs a pass over the text.
const MAX_MENDED: usize = 32;

/// Reads a text with `parse`. Where that finds a problem, the part between white space there is taken as words, and so
/// on; `as_words` is the field that words alone are searched in.
pub(super) fn parse(
    text: &str,
    as_words: Option<&str>,
    parse: impl Fn(&str) -> Result<Query, Problem>,
) -> Lenient {
    let (mut mended, mut warnings) = (text.to_owned(), Vec::new());
    for _ in 0..MAX_MENDED {
        if mended.trim().is_empty() {
            return Lenient { query: Query::none(), warnings };
        }
        match parse(&mended) {
            Ok(query) => return Lenient { query, warnings },
            Err(problem) => {
                let better = mend(&mended, problem.at());
                warnings.push(problem.within(&mended).to_string());
                let Some(better) = better else { break };
                mended = better;
            }
        }
    }
    let words = words_of(text);
    let query = match as_words.filter(|_| !words.trim().is_empty()) {
        Some(field) => Match::new(field, words).into(),
        None => Query::none(),
    };
    Lenient { query, warnings }
}

/// The text with the part around a byte as words; without it when it is only signs or an operator. `None` when nothing
/// changes.
fn mend(text: &str, at: usize) -> Option<String> {
    let (start, end) = part_at(text, at)?;
    let part = text.get(start..end)?;
    let words = words_of(part);
    let better = match words.trim() {
        "AND" | "OR" | "NOT" | "TO" => " ".repeat(part.len()),
        _ if words == part => return None,
        _ => words,
    };
    Some([text.get(..start)?, &better, text.get(end..)?].concat())
}

/// Where the part between white space begins and ends that has a byte, or is the last one before it.
fn part_at(text: &str, at: usize) -> Option<(usize, usize)> {
    let (mut found, mut start) = (None, 0);
    for part in text.split_inclusive(char::is_whitespace) {
        let trimmed = part.trim_end();
        let end = start + trimmed.len();
        if !trimmed.is_empty() && (start <= at || found.is_none()) {
            found = Some((start, end));
        }
        start += part.len();
    }
    found
}

/// A text without what has a meaning in queries: letters, digits, and signs that stand within words.
fn words_of(text: &str) -> String {
    let keeps =
        |character: char| !character.is_control() && !"+-!&|(){}[]^\"~*?:\\/<>=%@".contains(character);
    text.chars().map(|character| if keeps(character) { character } else { ' ' }).collect()
}
