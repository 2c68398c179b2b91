//! Problems in the text of a query, shown with a caret under their position.

use crate::error::Error;

pub(super) type Parsed<T> = Result<T, Problem>;

/// A problem at a byte of the text.
#[derive(Debug, PartialEq)]
pub(super) struct Problem {
    at: usize,
    field: Option<String>,
    text: String,
}

/// The number of characters that a message shows before and after the position.
const AROUND: usize = 48;

impl Problem {
    pub(super) fn new(at: usize, text: impl Into<String>) -> Self {
        Self { at, field: None, text: text.into() }
    }

    /// The byte that it is at.
    pub(super) fn at(&self) -> usize {
        self.at
    }

    pub(super) fn of_field(mut self, field: impl Into<String>) -> Self {
        self.field = Some(field.into());
        self
    }

    /// The error message: the problem, its position, the line of the query, and a caret.
    pub(super) fn within(self, query: &str) -> Error {
        let before = query.get(..self.at).unwrap_or(query);
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        let column = before.chars().count() - query.get(..line_start).unwrap_or_default().chars().count();
        let lines = query.lines().count();
        let position = if lines > 1 {
            format!("line {}, character {}", before.matches('\n').count() + 1, column + 1)
        } else {
            format!("character {}", column + 1)
        };
        let line = query.get(line_start..).and_then(|rest| rest.lines().next()).unwrap_or_default();
        let (shown, caret) = excerpt(line, column);
        let problem = format!("{} ({position})\n  {shown}\n  {}^", self.text, " ".repeat(caret));
        Error::WrongQuery { field: self.field, problem }
    }
}

/// The part of a line around a column, and the column in that part.
fn excerpt(line: &str, column: usize) -> (String, usize) {
    let skipped = column.saturating_sub(AROUND);
    let mut chars = line.chars().skip(skipped).map(|char| if char.is_control() { ' ' } else { char });
    let mut shown: String = chars.by_ref().take(column - skipped + AROUND).collect();
    if chars.next().is_some() {
        shown.push('…');
    }
    match skipped {
        0 => (shown, column),
        _ => (format!("…{shown}"), column - skipped + 1),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_queries_are_cut_around_the_position() {
        let long = format!("{}X{}", "a".repeat(200), "b".repeat(200));
        let error = Problem::new(200, "bad").within(&long).to_string();
        let lines: Vec<&str> = error.lines().collect();
        assert_eq!(lines[0], "query: bad (character 201)");
        assert!(lines[1].starts_with("  …a") && lines[1].ends_with("b…"), "{error}");
        assert_eq!(lines[1].chars().nth(lines[2].chars().count() - 1), Some('X'), "{error}");
    }

    #[test]
    fn positions_are_counted_in_characters_and_lines() {
        let error = Problem::new(7, "bad").within("äö\nü\tx y\n").to_string();
        assert_eq!(error, "query: bad (line 2, character 2)\n  ü x y\n   ^");
        let error = Problem::new(2, "bad").of_field("f").within("ä").to_string();
        assert_eq!(error, "query: field \"f\": bad (character 2)\n  ä\n   ^");
    }
}
