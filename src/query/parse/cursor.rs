//! A place in a query's text.

use super::problem::{Parsed, Problem};
use crate::limits::MAX_QUERY_DEPTH;

/// What is left of a text, and how deep in parentheses it is.
#[derive(Clone, Debug)]
pub(super) struct Cursor<'a> {
    text: &'a str,
    at: usize,
    depth: usize,
}

impl<'a> Cursor<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        Self { text, at: 0, depth: 0 }
    }

    /// The byte it is at.
    pub(super) fn at(&self) -> usize {
        self.at
    }

    pub(super) fn rest(&self) -> &'a str {
        self.text.get(self.at..).unwrap_or_default()
    }

    pub(super) fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    pub(super) fn next(&mut self) -> Option<char> {
        let char = self.peek()?;
        self.at += char.len_utf8();
        Some(char)
    }

    pub(super) fn skip_space(&mut self) {
        self.at = self.text.len() - self.rest().trim_start().len();
    }

    /// Takes this, if it is next.
    pub(super) fn eat(&mut self, expected: &str) -> bool {
        let found = self.rest().starts_with(expected);
        self.at += if found { expected.len() } else { 0 };
        found
    }

    /// Takes this word, if it is next and ends there.
    pub(super) fn eat_word(&mut self, word: &str) -> bool {
        let begin = self.rest().get(..word.len());
        let next = self.rest().get(word.len()..).and_then(|rest| rest.chars().next());
        let found = begin.is_some_and(|begin| begin.eq_ignore_ascii_case(word))
            && next.is_none_or(|next| !next.is_alphanumeric() && next != '_');
        self.at += if found { word.len() } else { 0 };
        found
    }

    pub(super) fn expect(&mut self, expected: &str, what: &str) -> Parsed<()> {
        match self.eat(expected) {
            true => Ok(()),
            false => Err(self.expected(what)),
        }
    }

    /// Characters up to the first that `ends`, which may be none.
    pub(super) fn take_until(&mut self, ends: impl Fn(char) -> bool) -> &'a str {
        let rest = self.rest();
        let len = rest.find(ends).unwrap_or(rest.len());
        self.at += len;
        rest.get(..len).unwrap_or_default()
    }

    /// One level of nesting more, until [`Cursor::leave`].
    pub(super) fn enter(&mut self) -> Parsed<()> {
        self.depth += 1;
        match self.depth > MAX_QUERY_DEPTH {
            true => Err(Problem::new(self.at, format!("nested more than {MAX_QUERY_DEPTH} deep"))),
            false => Ok(()),
        }
    }

    pub(super) fn leave(&mut self) {
        self.depth = self.depth.saturating_sub(1);
    }

    /// Something else than this is here.
    pub(super) fn expected(&self, what: &str) -> Problem {
        let found = match self.peek() {
            None => "the end".to_owned(),
            Some(char) => format!("{char:?}"),
        };
        Problem::new(self.at, format!("expected {what}, found {found}"))
    }

    /// A text between double quotes, with `\` before a character that stands for itself; the opening quote is
    /// next.
    pub(super) fn quoted(&mut self) -> Parsed<String> {
        let open = self.at;
        self.expect("\"", "a quote")?;
        let mut text = String::new();
        loop {
            match self.next() {
                Some('"') => return Ok(text),
                Some('\\') => match self.next() {
                    Some(char) => text.push(char),
                    None => break,
                },
                Some(char) => text.push(char),
                None => break,
            }
        }
        Err(Problem::new(open, "this quote is not closed; expected another \""))
    }

    /// Characters up to the first that `ends`, with `\` before a character that stands for itself.
    pub(super) fn word(&mut self, ends: impl Fn(char) -> bool) -> Parsed<Word> {
        let mut word = Word { at: self.at, text: String::new(), star: None, escaped: false };
        while let Some(char) = self.peek().filter(|char| !ends(*char)) {
            let at = self.at;
            self.next();
            match char {
                '\\' => {
                    word.escaped = true;
                    let char = self.next();
                    word.text.push(
                        char.ok_or_else(|| Problem::new(at, "expected a character after \\, found the end"))?,
                    );
                }
                '*' if word.star.is_none() => {
                    word.star = Some((word.text.len(), at));
                    word.text.push(char);
                }
                char => word.text.push(char),
            }
        }
        Ok(word)
    }
}

/// A word as it is meant, without escapes.
#[derive(Debug)]
pub(super) struct Word {
    /// Where it begins.
    pub(super) at: usize,
    pub(super) text: String,
    /// The first `*` that is not escaped: its byte in `text`, and in the query.
    star: Option<(usize, usize)>,
    pub(super) escaped: bool,
}

impl Word {
    /// True when it is this and nothing in it is escaped.
    pub(super) fn is(&self, plain: &str) -> bool {
        !self.escaped && self.text == plain
    }

    /// The text before a `*` that ends the word; `None` without a `*`.
    pub(super) fn prefix(&self) -> Parsed<Option<&str>> {
        match self.star {
            None => Ok(None),
            Some((star, _)) if star + 1 == self.text.len() => Ok(self.text.get(..star)),
            Some((_, at)) => {
                Err(Problem::new(at, "expected * only at the end of a word; write \\* for the character"))
            }
        }
    }
}
