//! Lucene syntax.
//!
//! | text | meaning |
//! |---|---|
//! | `editor`, `text editor` | words in the default field; documents with more of them score higher |
//! | `title:editor`, `title:(a b)` | words in a text field; values in any other field |
//! | `title:"text editor"~2`, `title:"text ed"*` | a phrase, with a slop of 2; one whose last word goes on |
//! | `a AND b`, `a && b`, `a OR b`, `a \|\| b`, `NOT a`, `!a`, `( )` | AND binds tighter than OR |
//! | `+a -b c` | a must match, b must not match, c adds to the score |
//! | `a^2` | boost: scores times 2 |
//! | `size:[10 TO *]`, `size:{10 TO 20]`, `size:>=10` | ranges: `[ ]` include their bounds, `{ }` exclude them |
//! | `name:pre*`, `name:*`, `*:*` | prefix; any value; every document |
//! | `ed*or`, `ed?tor`, `*tor` | a pattern: `*` stands for any characters, `?` for one |
//! | `/ed(itor)?/` | a regular expression; `\/` is a slash in it |
//! | `edtior~`, `edtior~1` | a word with typing errors; at most 0, 1 or 2 edits, by default by the word's length |
//! | `\` before a character | escapes it |
//!
//! Unlike in Lucene's classic parser, AND binds tighter than OR, and `a OR NOT b` also finds documents that do not
//! match b.

use super::clauses::{Clauses, Occur};
use super::cursor::{Cursor, Word};
use super::leaf::{Leaf, Target, bound, range};
use super::problem::{Parsed, Problem};
use crate::document::Value;
use crate::query::{Bool, Boost, Fuzziness, Query};
use crate::schema::Schema;

/// Parses a query; words without a field are searched in `default`.
pub(super) fn parse(text: &str, schema: &Schema, default: Option<&Target>) -> Parsed<Query> {
    let mut parser = Parser { cursor: Cursor::new(text), schema };
    let query = parser.clauses(Scope { target: default, named: false })?;
    match (parser.cursor.peek(), query) {
        (None, Some(query)) => Ok(query),
        (None, None) => Err(parser.cursor.expected("a query (*:* finds everything)")),
        (Some(_), _) => Err(parser.cursor.expected("a term or the end")),
    }
}

struct Parser<'a> {
    cursor: Cursor<'a>,
    schema: &'a Schema,
}

/// The field that terms belong to, and whether the query names it.
#[derive(Clone, Copy)]
struct Scope<'a> {
    target: Option<&'a Target>,
    named: bool,
}

fn ends_word(char: char) -> bool {
    char.is_whitespace() || "()[]{}\"^~:".contains(char)
}

/// After a field's name a colon is part of the value.
fn ends_value(char: char) -> bool {
    char != ':' && ends_word(char)
}

fn ends_bound(char: char) -> bool {
    char.is_whitespace() || "]}".contains(char)
}

impl Parser<'_> {
    /// Clauses up to the end or a closing parenthesis; `None` when there are none.
    fn clauses(&mut self, scope: Scope<'_>) -> Parsed<Option<Query>> {
        let mut clauses = Clauses::default();
        let mut after_or = false;
        loop {
            self.cursor.skip_space();
            if !after_or && matches!(self.cursor.peek(), None | Some(')')) {
                return Ok(clauses.query());
            }
            let (occur, leaf) = self.conjunction(scope)?;
            self.cursor.skip_space();
            let before_or = self.eat_operator("OR", "||");
            match occur {
                Occur::MustNot if before_or || after_or => {
                    clauses.push(Occur::Should, Bool::new().must_not(leaf.query(false)).into());
                }
                occur => clauses.push(occur, leaf),
            }
            after_or = before_or;
        }
    }

    /// Terms with AND between them, or one alone.
    fn conjunction(&mut self, scope: Scope<'_>) -> Parsed<(Occur, Leaf)> {
        let (mut occur, mut leaf) = self.signed(scope)?;
        self.cursor.skip_space();
        if !self.eat_operator("AND", "&&") {
            return Ok((occur, leaf));
        }
        let mut clauses = Clauses::default();
        loop {
            clauses.push(if occur == Occur::MustNot { occur } else { Occur::Must }, leaf);
            (occur, leaf) = self.signed(scope)?;
            self.cursor.skip_space();
            if !self.eat_operator("AND", "&&") {
                clauses.push(if occur == Occur::MustNot { occur } else { Occur::Must }, leaf);
                return Ok((Occur::Should, clauses.query().unwrap_or_else(Query::none).into()));
            }
        }
    }

    /// A term with the sign or NOT in front of it.
    fn signed(&mut self, scope: Scope<'_>) -> Parsed<(Occur, Leaf)> {
        self.cursor.skip_space();
        let occur = if self.eat_operator("NOT", "!") {
            self.cursor.skip_space();
            Occur::MustNot
        } else if self.cursor.eat("-") {
            Occur::MustNot
        } else if self.cursor.eat("+") {
            Occur::Must
        } else {
            Occur::Should
        };
        let leaf = self.term(scope)?;
        let leaf = self.boosted(leaf, occur == Occur::Must)?;
        match self.cursor.peek() {
            // It would find everything.
            Some('*') => Err(self.cursor.expected("white space or an operator")),
            _ => Ok((occur, leaf)),
        }
    }

    fn term(&mut self, scope: Scope<'_>) -> Parsed<Leaf> {
        let at = self.cursor.at();
        match self.cursor.peek() {
            Some('(') => return self.group(scope),
            Some('"') => return self.phrase(self.target(scope, at)?.clone()),
            Some('[' | '{') => return Err(self.cursor.expected("a field and a colon before a range")),
            _ if self.cursor.eat("*:*") => return Ok(Query::all().into()),
            _ => {}
        }
        if ["AND", "OR", "NOT"].into_iter().any(|word| self.is_operator(word))
            || ["&&", "||"].into_iter().any(|sign| self.cursor.rest().starts_with(sign))
        {
            return Err(self.expected_term(at));
        }
        if let Some(expression) = self.eat_regex() {
            return self.target(scope, at)?.regex(&expression, at);
        }
        let word = self.cursor.word(ends_word)?;
        if word.text.is_empty() {
            return Err(self.expected_term(at));
        }
        if self.cursor.eat(":") {
            let target = Target::named(self.schema, &word.text, at)?;
            self.cursor.skip_space();
            return self.value(&target);
        }
        if word.is("*") && !scope.named {
            return Ok(Query::all().into());
        }
        let target = self.target(scope, at)?;
        self.word(target, word)
    }

    /// A word, with its `~1` if it has one.
    fn word(&mut self, target: &Target, word: Word) -> Parsed<Leaf> {
        let tilde = self.cursor.clone();
        if !self.cursor.eat("~") {
            return target.word(word);
        }
        if word.is_pattern(false) {
            return Err(tilde.expected("no ~ after a pattern: a fuzzy word has no wildcards"));
        }
        let number = self.cursor.clone();
        let edits = match self.cursor.take_until(|char| !char.is_ascii_digit()) {
            "" => Fuzziness::Auto,
            "0" => Fuzziness::Edits(0),
            "1" => Fuzziness::Edits(1),
            "2" => Fuzziness::Edits(2),
            _ => return Err(number.expected("0, 1 or 2 edits")),
        };
        self.refuse_more()?;
        target.fuzzy(&word.text, edits, word.at)
    }

    fn expected_term(&self, at: usize) -> Problem {
        let mut here = self.cursor.clone();
        match here.take_until(char::is_whitespace) {
            "" => self.cursor.expected("a term"),
            found => Problem::new(at, format!("expected a term, found {found:?}")),
        }
    }

    /// The value after a field's colon.
    fn value(&mut self, target: &Target) -> Parsed<Leaf> {
        match self.cursor.peek() {
            Some('(') => self.group(Scope { target: Some(target), named: true }),
            Some('"') => self.phrase(target.clone()),
            Some('[' | '{') => self.range(target),
            Some('<' | '>') => self.comparison(target),
            _ => {
                let at = self.cursor.at();
                if let Some(expression) = self.eat_regex() {
                    return target.regex(&expression, at);
                }
                let word = self.cursor.word(ends_value)?;
                if word.text.is_empty() {
                    return Err(self.cursor.expected(&format!("a value of {:?}", target.name)));
                }
                self.word(target, word)
            }
        }
    }

    fn group(&mut self, scope: Scope<'_>) -> Parsed<Leaf> {
        let open = self.cursor.at();
        self.cursor.enter()?;
        self.cursor.expect("(", "(")?;
        let query = self.clauses(scope)?;
        if !self.cursor.eat(")") {
            return Err(Problem::new(open, "this parenthesis is not closed; expected another )"));
        }
        self.cursor.leave();
        query.map(Leaf::from).ok_or_else(|| Problem::new(open, "expected a term between the parentheses"))
    }

    fn phrase(&mut self, target: Target) -> Parsed<Leaf> {
        let at = self.cursor.at();
        let text = self.cursor.quoted()?;
        let tilde = self.cursor.at();
        if self.cursor.eat("*") {
            return target.prefix(&text, at);
        }
        if !self.cursor.eat("~") {
            return target.quoted(text, at, None);
        }
        let number = self.cursor.clone();
        let slop = self.cursor.take_until(|char| !char.is_ascii_digit()).parse();
        let slop = slop.map_err(|_| number.expected("a number of positions"))?;
        self.refuse_more()?;
        target.quoted(text, at, Some((slop, tilde)))
    }

    fn range(&mut self, target: &Target) -> Parsed<Leaf> {
        target.check_ordered(self.cursor.at())?;
        let with_from = self.cursor.next() == Some('[');
        let from = self.bound_value(target)?;
        self.cursor.skip_space();
        if !self.cursor.eat_word("TO") {
            return Err(self.cursor.expected("TO"));
        }
        let to = self.bound_value(target)?;
        self.cursor.skip_space();
        let with_to = self.cursor.eat("]");
        if !with_to {
            self.cursor.expect("}", "] or }")?;
        }
        Ok(range(&target.name, bound(from, with_from), bound(to, with_to)).into())
    }

    fn bound_value(&mut self, target: &Target) -> Parsed<Option<Value>> {
        self.cursor.skip_space();
        let at = self.cursor.at();
        if self.cursor.peek() == Some('"') {
            let text = self.cursor.quoted()?;
            return target.bound(&text, at, true).map(Some);
        }
        let word = self.cursor.word(ends_bound)?;
        if word.text.is_empty() || word.is("TO") {
            return Err(Problem::new(at, "expected a value, or * for no bound"));
        }
        if word.is("*") {
            return Ok(None);
        }
        target.bound(&word.text, at, word.escaped).map(Some)
    }

    /// `>10`, `>=10`, `<10`, `<=10`.
    fn comparison(&mut self, target: &Target) -> Parsed<Leaf> {
        target.check_ordered(self.cursor.at())?;
        let is_lower = self.cursor.next() == Some('>');
        let included = self.cursor.eat("=");
        self.cursor.skip_space();
        let at = self.cursor.at();
        let value = match self.cursor.peek() {
            Some('"') => target.bound(&self.cursor.quoted()?, at, true)?,
            _ => {
                let word = self.cursor.word(ends_value)?;
                if word.text.is_empty() {
                    return Err(self.cursor.expected("a value"));
                }
                target.bound(&word.text, at, word.escaped)?
            }
        };
        let (from, to) = if is_lower { (Some(value), None) } else { (None, Some(value)) };
        Ok(range(&target.name, bound(from, included), bound(to, included)).into())
    }

    /// A term with its `^2`, if it has one.
    fn boosted(&mut self, leaf: Leaf, must: bool) -> Parsed<Leaf> {
        if !self.cursor.eat("^") {
            return Ok(leaf);
        }
        let number = self.cursor.clone();
        let start = self.cursor.rest();
        self.cursor.take_until(|char| !char.is_ascii_digit() && char != '.');
        let mut exponent = self.cursor.clone();
        if exponent.eat("e") || exponent.eat("E") {
            let _sign = exponent.eat("+") || exponent.eat("-");
            if !exponent.take_until(|char| !char.is_ascii_digit()).is_empty() {
                self.cursor = exponent;
            }
        }
        let text = start.get(..start.len() - self.cursor.rest().len()).unwrap_or_default();
        let boost = text.parse::<f32>().ok().filter(|boost| boost.is_finite());
        let boost = boost.ok_or_else(|| number.expected("a number of at least 0"))?;
        self.refuse_more()?;
        Ok(Boost::new(leaf.query(must), boost).into())
    }

    /// Refuses `a^2b` and `"a b"~2c`: what follows a number is no word of its own.
    fn refuse_more(&self) -> Parsed<()> {
        match self.cursor.peek() {
            Some(char) if char.is_alphanumeric() || "._".contains(char) => {
                Err(self.cursor.expected("white space or an operator after the number"))
            }
            _ => Ok(()),
        }
    }

    fn target<'t>(&self, scope: Scope<'t>, at: usize) -> Parsed<&'t Target> {
        scope.target.ok_or_else(|| {
            Problem::new(at, "expected a field and a colon; the schema has no text field for words alone")
        })
    }

    /// Consumes `/re/` if it is next, in which `\/` is a slash. Paths like `/usr/bin` are words.
    fn eat_regex(&mut self) -> Option<String> {
        let rest = self.cursor.rest().strip_prefix('/')?;
        let mut is_escaped = false;
        let is_end = |(_, char): &(usize, char)| {
            let is_end = *char == '/' && !is_escaped;
            is_escaped = *char == '\\' && !is_escaped;
            is_end
        };
        let (end, _) = rest.char_indices().find(is_end)?;
        let after = rest.get(end + 1..).and_then(|after| after.chars().next());
        if end == 0 || after.is_some_and(|after| !after.is_whitespace() && !")^".contains(after)) {
            return None;
        }
        let expression = rest.get(..end).unwrap_or_default().replace("\\/", "/");
        self.cursor.advance(end + 2);
        Some(expression)
    }

    fn eat_operator(&mut self, word: &str, sign: &str) -> bool {
        (self.is_operator(word) && self.cursor.eat(word)) || self.cursor.eat(sign)
    }

    /// True when this word is next, with nothing that makes it a longer word or a field.
    fn is_operator(&self, word: &str) -> bool {
        let rest = self.cursor.rest().strip_prefix(word);
        rest.is_some_and(|rest| rest.chars().next().is_none_or(|next| next != ':' && ends_word(next)))
    }
}
