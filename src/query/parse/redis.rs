//! Redis syntax.
//!
//! | text | meaning |
//! |---|---|
//! | `*` | every document |
//! | `@section:{python\|perl}` | one of several values |
//! | `@size:[0 1000]`, `@size:[(10 inf]` | ranges; `(` excludes a bound, `inf` and `-inf` are no bounds |
//! | `@title:editor`, `@title:(a b)`, `@title:"a b"`, `ed*`, `"a b"*` | words, all of them; a phrase; prefixes |
//! | `%edtior%`, `%%edtior%%` | a word with at most one edit, or two |
//! | `*dit*`, `w'ed?t*'` | patterns: `*` stands for any characters, `?` for one |
//! | `a b`, `a \| b`, `-a`, `~a`, `( )` | both, either, not, only adds to the score; `\|` binds least |
//! | `(filter)=>[KNN 3 @vector $v AS score]` | the 3 nearest to `$v` among the documents of the filter |
//!
//! `EF_RUNTIME 200` after `KNN` is the number of candidates. The number of neighbors and the bounds of ranges may be
//! parameters too.

use super::clauses::{Clauses, Occur};
use super::cursor::Cursor;
use super::leaf::{Kind, Leaf, Target, bound, range};
use super::params::{self, Param, Params};
use super::problem::{Parsed, Problem};
use crate::automata;
use crate::document::Value;
use crate::query::{Bool, Knn, Query};
use crate::schema::Schema;
use std::ops::Bound;

/// A query, and the name under which its score is returned.
pub(super) struct RedisQuery {
    pub(super) query: Query,
    pub(super) score_as: Option<String>,
}

/// Parses a query; words without a field are searched in `default`.
pub(super) fn parse(
    text: &str,
    schema: &Schema,
    default: Option<&Target>,
    params: &Params,
) -> Parsed<RedisQuery> {
    let mut parser = Parser { cursor: Cursor::new(text), schema, params };
    let filter = parser.union(default)?;
    if parser.cursor.peek().is_none() {
        return Ok(RedisQuery { query: filter, score_as: None });
    }
    parser.cursor.expect("=>", "a term, =>[KNN … or the end")?;
    let (knn, score_as) = parser.knn()?;
    parser.cursor.skip_space();
    match parser.cursor.peek() {
        None if filter == Query::all() => Ok(RedisQuery { query: knn.into(), score_as }),
        None => Ok(RedisQuery { query: knn.filter(filter).into(), score_as }),
        Some(_) => Err(parser.cursor.expected("the end")),
    }
}

struct Parser<'a> {
    cursor: Cursor<'a>,
    schema: &'a Schema,
    params: &'a Params,
}

fn ends_word(char: char) -> bool {
    char.is_whitespace() || "()[]{}|\"@:=>~".contains(char)
}

fn ends_tag(char: char) -> bool {
    "|}".contains(char)
}

fn ends_number(char: char) -> bool {
    char.is_whitespace() || char == ']'
}

impl Parser<'_> {
    fn union(&mut self, target: Option<&Target>) -> Parsed<Query> {
        let mut clauses = Clauses::default();
        loop {
            clauses.push(Occur::Should, self.intersection(target)?.into());
            if !self.cursor.eat("|") {
                return Ok(clauses.query().unwrap_or_else(Query::none));
            }
        }
    }

    fn intersection(&mut self, target: Option<&Target>) -> Parsed<Query> {
        let mut clauses = Clauses::default();
        loop {
            self.cursor.skip_space();
            let is_over =
                self.cursor.rest().starts_with("=>") || matches!(self.cursor.peek(), None | Some(')' | '|'));
            if is_over {
                let query = clauses.query();
                return query.ok_or_else(|| self.cursor.expected("a term (* finds everything)"));
            }
            let occur = match self.cursor.peek() {
                Some('-') => Occur::MustNot,
                Some('~') => Occur::Should,
                _ => Occur::Must,
            };
            if occur != Occur::Must {
                self.cursor.next();
                self.cursor.skip_space();
            }
            let leaf = self.term(target)?;
            // An optional term alone matches every document.
            if occur == Occur::Should {
                clauses
                    .push(Occur::Must, Bool::new().should(leaf.query(false)).minimum_should_match(0).into());
            } else {
                clauses.push(occur, leaf);
            }
        }
    }

    /// Whether the `*` that is next is no part of a word.
    fn is_star_alone(&self) -> bool {
        self.cursor.rest().chars().nth(1).is_none_or(ends_word)
    }

    fn term(&mut self, target: Option<&Target>) -> Parsed<Leaf> {
        match self.cursor.peek() {
            Some('(') => self.group(target),
            Some('*') if self.is_star_alone() => {
                self.cursor.next();
                Ok(Query::all().into())
            }
            Some('@') => {
                self.cursor.next();
                let target = self.field()?;
                self.cursor.skip_space();
                self.cursor.expect(":", ":")?;
                self.cursor.skip_space();
                self.value(&target)
            }
            _ => match target {
                Some(target) => self.words(target),
                None => Err(self.cursor.expected("@field: (the schema has no text field for words alone)")),
            },
        }
    }

    /// The field whose name is next.
    fn field(&mut self) -> Parsed<Target> {
        let at = self.cursor.at();
        let name = self.cursor.word(|char| char.is_whitespace() || ":|)]".contains(char))?;
        match name.text.is_empty() {
            true => Err(self.cursor.expected("the name of a field")),
            false => Target::named(self.schema, &name.text, at),
        }
    }

    fn value(&mut self, target: &Target) -> Parsed<Leaf> {
        match self.cursor.peek() {
            Some('(') => self.group(Some(target)),
            Some('{') => self.tags(target),
            Some('[') => self.range(target),
            _ => self.words(target),
        }
    }

    fn group(&mut self, target: Option<&Target>) -> Parsed<Leaf> {
        let open = self.cursor.at();
        self.cursor.enter()?;
        self.cursor.expect("(", "(")?;
        let query = self.union(target)?;
        if !self.cursor.eat(")") {
            return Err(Problem::new(open, "this parenthesis is not closed; expected another )"));
        }
        self.cursor.leave();
        Ok(query.into())
    }

    fn words(&mut self, target: &Target) -> Parsed<Leaf> {
        let at = self.cursor.at();
        if self.cursor.peek() == Some('"') {
            let text = self.cursor.quoted()?;
            return match self.cursor.eat("*") {
                true => target.prefix(&text, at),
                false => target.quoted(text, at, None),
            };
        }
        if let Some(leaf) = self.fuzzy_or_pattern(target)? {
            return Ok(leaf);
        }
        let word = self.cursor.word(ends_word)?;
        match word.text.is_empty() {
            true => Err(self.cursor.expected("a term")),
            false => target.word(word),
        }
    }

    /// `%word%`, with one or two edits by the number of signs, or `w'ed?t*'`.
    fn fuzzy_or_pattern(&mut self, target: &Target) -> Parsed<Option<Leaf>> {
        let at = self.cursor.at();
        if self.cursor.eat("w'") {
            let mut pattern = self.cursor.word(|char| char == '\'')?;
            self.cursor.expect("'", "' after the pattern")?;
            return target.wildcard(&std::mem::take(&mut pattern.pattern), at).map(Some);
        }
        let signs = self.cursor.take_until(|char| char != '%').len();
        if signs == 0 {
            return Ok(None);
        }
        let edits = u8::try_from(signs).ok().filter(|edits| *edits <= automata::MAX_EDITS);
        let edits =
            edits.ok_or_else(|| Problem::new(at, "expected % or %% before a fuzzy word: 1 or 2 edits"))?;
        let word = self.cursor.word(|char| char == '%' || ends_word(char))?;
        if word.text.is_empty() {
            return Err(self.cursor.expected("a word between the signs"));
        }
        let ends = "%".repeat(signs);
        self.cursor.expect(&ends, &format!("{ends} after the word"))?;
        target.fuzzy(&word.text, edits.into(), at).map(Some)
    }

    /// `{a|b}`: values as they are, spaces included.
    fn tags(&mut self, target: &Target) -> Parsed<Leaf> {
        let open = self.cursor.at();
        if matches!(target.kind, Kind::Text) {
            let problem = "expected a keyword field before {…}, it is a text field: use @field:word";
            return Err(Problem::new(open, problem).of_field(&target.name));
        }
        self.cursor.expect("{", "{")?;
        let mut clauses = Clauses::default();
        loop {
            self.cursor.skip_space();
            let at = self.cursor.at();
            let leaf = match self.cursor.peek() {
                Some('"') => target.quoted(self.cursor.quoted()?, at, None)?,
                Some('$') => {
                    let value = self.scalar()?;
                    Leaf::Value(target.name.clone(), target.value(&value, at, false)?)
                }
                _ => {
                    let mut word = self.cursor.word(ends_tag)?;
                    word.text.truncate(word.text.trim_end().len());
                    if word.text.is_empty() {
                        return Err(Problem::new(at, "expected a value between { and }"));
                    }
                    target.word(word)?
                }
            };
            clauses.push(Occur::Should, leaf);
            self.cursor.skip_space();
            if self.cursor.eat("}") {
                return Ok(clauses.query().unwrap_or_else(Query::none).into());
            }
            if !self.cursor.eat("|") {
                return Err(Problem::new(open, "this brace is not closed; expected another }"));
            }
        }
    }

    /// `[from to]`.
    fn range(&mut self, target: &Target) -> Parsed<Leaf> {
        target.check_ordered(self.cursor.at())?;
        self.cursor.expect("[", "[")?;
        let from = self.bound(target)?;
        let to = self.bound(target)?;
        self.cursor.skip_space();
        self.cursor.expect("]", "]")?;
        Ok(range(&target.name, from, to).into())
    }

    fn bound(&mut self, target: &Target) -> Parsed<Bound<Value>> {
        self.cursor.skip_space();
        let included = !self.cursor.eat("(");
        let at = self.cursor.at();
        if self.cursor.peek() == Some('$') {
            let value = self.scalar()?;
            return Ok(bound(Some(target.bound(&value, at, false)?), included));
        }
        let text = self.cursor.take_until(ends_number);
        match text {
            "" => Err(self.cursor.expected("a number, inf or -inf")),
            "inf" | "+inf" | "-inf" => Ok(Bound::Unbounded),
            text => Ok(bound(Some(target.bound(text, at, false)?), included)),
        }
    }

    /// A parameter that is a text or a number, as text.
    fn scalar(&mut self) -> Parsed<String> {
        let at = self.cursor.at();
        match params::param(&mut self.cursor, self.params)? {
            Param::Value(crate::document::Value::Text(text)) => Ok(text.clone()),
            Param::Value(crate::document::Value::I64(number)) => Ok(number.to_string()),
            Param::Value(crate::document::Value::F64(number)) => Ok(number.to_string()),
            _ => Err(Problem::new(at, "expected a parameter that is a text or a number")),
        }
    }

    /// `[KNN 3 @vector $v EF_RUNTIME 200 AS name]`.
    fn knn(&mut self) -> Parsed<(Knn, Option<String>)> {
        self.cursor.skip_space();
        self.cursor.expect("[", "[KNN")?;
        self.cursor.skip_space();
        if !self.cursor.eat_word("KNN") {
            return Err(self.cursor.expected("KNN"));
        }
        self.cursor.skip_space();
        let k = params::count(&mut self.cursor, self.params, "the number of neighbors")?;
        self.cursor.skip_space();
        self.cursor.expect("@", "@ and a vector field")?;
        let field = self.field()?;
        self.cursor.skip_space();
        let vector = params::vector(&mut self.cursor, self.params, &field)?;
        let (mut knn, mut name) = (Knn::new(field.name, vector).k(k), None);
        loop {
            self.cursor.skip_space();
            if self.cursor.eat("]") {
                return Ok((knn, name));
            } else if self.cursor.eat_word("EF_RUNTIME") {
                self.cursor.skip_space();
                let count = params::count(&mut self.cursor, self.params, "the number of candidates")?;
                knn = knn.candidates(count);
            } else if self.cursor.eat_word("AS") {
                self.cursor.skip_space();
                name = Some(match self.cursor.take_until(ends_number) {
                    "" => return Err(self.cursor.expected("a name for the score")),
                    name => name.to_owned(),
                });
            } else {
                return Err(self.cursor.expected("EF_RUNTIME, AS or ]"));
            }
        }
    }
}
