//! A cursor over the text of a query.

use super::problem::{Parsed, Problem};
use crate::limits::MAX_QUERY_DEPTH;

/// A position in a text, and the depth of parentheses there.
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

    /// The byte position.
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

    /// Consumes some bytes, which end where a character does.
    pub(super) fn advance(&mut self, bytes: usize) {
        self.at = (self.at + bytes).min(self.text.len());
    }

    pub(super) fn skip_space(&mut self) {
        self.at = self.text.len() - self.rest().trim_start().len();
    }

    /// Consumes this text if it is next.
    pub(super) fn eat(&mut self, expected: &str) -> bool {
        let found = self.rest().starts_with(expected);
        self.at += if found { expected.len() } else { 0 };
        found
    }

    /// Consumes this word if it is next, in any case and not as the beginning of a longer word.
    pub(super) fn eat_word(&mut self, word: &str) -> bool {
        let begin = self.rest().get(..word.len());
        let next = self.rest().get(word.len()..).and_then(|rest| rest.chars().next());
        let found = begin.is_some_and(|begin| begin.eq_ignore_ascii_case(word))
            && next.is_none_or(|next| !next.is_alphanumeric() && next != '_');
        self.at += if found { word.len() } else { 0 };
        found
    }

    pub(super) fn expect(&mut self, expected: &str, what: &str) -> Parsed<()> {
        if self.eat(expected) { Ok(()) } else { Err(self.expected(what)) }
    }

    /// Consumes characters up to the first one that `ends`; there may be none.
    pub(super) fn take_until(&mut self, ends: impl Fn(char) -> bool) -> &'a str {
        let rest = self.rest();
        let len = rest.find(ends).unwrap_or(rest.len());
        self.at += len;
        rest.get(..len).unwrap_or_default()
    }

    /// Enters one more level of nesting, until [`Cursor::leave`].
    pub(super) fn enter(&mut self) -> Parsed<()> {
        self.depth += 1;
        if self.depth > MAX_QUERY_DEPTH {
            return Err(Problem::new(self.at, format!("nested more than {MAX_QUERY_DEPTH} deep")));
        }
        Ok(())
    }

    pub(super) fn leave(&mut self) {
        self.depth = self.depth.saturating_sub(1);
    }

    /// The problem that something else than `what` is next.
    pub(super) fn expected(&self, what: &str) -> Problem {
        let found = match self.peek() {
            None => "the end".to_owned(),
            Some(char) => format!("{char:?}"),
        };
        Problem::new(self.at, format!("expected {what}, found {found}"))
    }

    /// Consumes a text between double quotes, in which `\` escapes the next character. The opening quote is next.
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

    /// Consumes characters up to the first one that `ends`; `\` escapes the next character.
    pub(super) fn word(&mut self, ends: impl Fn(char) -> bool) -> Parsed<Word> {
        let mut word = Word {
            at: self.at,
            text: String::new(),
            pattern: String::new(),
            stars: 0,
            ends_in_star: false,
            question: None,
            wildcard: None,
            escaped: false,
        };
        while let Some(char) = self.peek().filter(|char| !ends(*char)) {
            let at = self.at;
            self.next();
            word.ends_in_star = char == '*';
            match char {
                '\\' => {
                    word.escaped = true;
                    let char = self.next();
                    let char =
                        char.ok_or_else(|| Problem::new(at, "expected a character after \\, found the end"))?;
                    word.text.push(char);
                    word.pattern.extend(['\\', char]);
                    continue;
                }
                '*' => {
                    word.stars += 1;
                    word.text.push(char);
                }
                '?' => {
                    word.question.get_or_insert(at);
                    if self.peek().is_some_and(|next| next == '*' || next.is_alphanumeric()) {
                        word.wildcard.get_or_insert(at);
                    }
                    word.text.push(char);
                }
                char => word.text.push(char),
            }
            word.pattern.push(char);
        }
        Ok(word)
    }
}

/// A word with its escapes resolved.
#[derive(Debug)]
pub(super) struct Word {
    /// The byte position of its beginning.
    pub(super) at: usize,
    pub(super) text: String,
    /// The word with its escapes, as a pattern has them.
    pub(super) pattern: String,
    /// How many `*` are not escaped.
    stars: usize,
    /// Whether one of these is the last character.
    ends_in_star: bool,
    /// The first `?` that is not escaped, and the first of those with a character after it: bytes of the query.
    pub(super) question: Option<usize>,
    pub(super) wildcard: Option<usize>,
    pub(super) escaped: bool,
}

impl Word {
    /// True when the word is `plain` and has no escapes.
    pub(super) fn is(&self, plain: &str) -> bool {
        !self.escaped && self.text == plain
    }

    /// The text before the only wildcard, a `*` that ends the word.
    pub(super) fn prefix(&self, exact: bool) -> Option<&str> {
        let is_other = self.wildcard.is_some() || exact && self.question.is_some();
        let ends = self.stars == 1 && !is_other && self.ends_in_star;
        self.text.strip_suffix('*').filter(|_| ends)
    }

    /// Whether there are wildcards. A `?` at the end of a word of a text is punctuation, in an exact value it is not.
    pub(super) fn is_pattern(&self, exact: bool) -> bool {
        self.stars > 0 || self.wildcard.is_some() || exact && self.question.is_some()
    }
}
