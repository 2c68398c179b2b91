//! Reads queries from text, in the syntax of Lucene, Redis, Solr, or in JSON.

mod clauses;
mod cursor;
mod default_fields;
mod json;
mod leaf;
mod lenient;
mod lucene;
mod mistyped;
mod params;
mod problem;
mod redis;
mod solr;
#[cfg(test)]
mod tests;

pub use lenient::Lenient;

use super::{BoostedField, Fuzziness, Query, Search};
use crate::document::Value;
use crate::error::{Error, Result};
use crate::schema::Schema;
use leaf::{Kind, Target};
use params::{Param, Params};
use problem::Problem;
use redis::RedisQuery;

/// Reads queries from text in one of four syntaxes, which it detects from the text:
///
/// | text | syntax | example |
/// |---|---|---|
/// | begins with `{!` | Solr | `{!knn f=vector topK=10}[1.0, 2.0, 3.0, 4.0]` |
/// | begins with `{` | JSON, see [the module's page](crate::query) | `{"term": {"field": "section", "value": "python"}}` |
/// | has `=>[`, or begins with `@field:` | Redis | `(@section:{python} @size:[0 1000])=>[KNN 3 @vector $v AS score]` |
/// | anything else | Lucene | `title:editor AND size:[* TO 5000] -section:games` |
///
/// Words without a field are searched in the default field. A value is read by the type of its field: `section:python`
/// is a term of a keyword field, `title:python` a word of a text field. `\` before a character escapes it.
///
/// Lucene syntax:
///
/// | text | meaning |
/// |---|---|
/// | `editor`, `text editor` | words in the default field; documents with more of them score higher |
/// | `title:editor`, `title:(a b)` | words in a text field; values in any other field |
/// | `title:"text editor"~2` | a phrase, with a slop of 2 |
/// | `a AND b`, `a && b`, `a OR b`, `a \|\| b`, `NOT a`, `!a`, `( )` | boolean operators; AND binds tighter than OR |
/// | `+a -b c` | a must match, b must not match, c adds to the score |
/// | `a^2` | boost: scores times 2 |
/// | `size:[10 TO *]`, `size:{10 TO 20]`, `size:>=10` | ranges: `[ ]` include their bounds, `{ }` exclude them |
/// | `name:pre*`, `name:*`, `*:*` | prefix; any value; every document |
/// | `ed*or`, `ed?tor`, `*tor` | a pattern: `*` stands for any characters, `?` for one |
/// | `/ed(itor)?/` | a regular expression; `\/` is a slash in it |
/// | `edtior~`, `edtior~1` | a word with typing errors; at most 0, 1 or 2 edits, by default by the word's length |
///
/// A question mark at the end of a word of a text is punctuation; in an exact value it stands for a character. `/usr/bin`
/// is a word: a regular expression ends in a slash with white space, `)` or `^` behind it.
///
/// ```
/// # fn main() -> lucerne::Result<()> {
/// use lucerne::query::QueryParser;
/// use lucerne::{Bool, Match, Range, Schema, Search};
///
/// let schema = Schema::builder().key("name").text("title").i64("size").build()?;
/// let search = QueryParser::new(&schema).parse("+editor +size:[* TO 5000]")?;
/// let clauses = Bool::new().must(Match::all("title", "editor")).must(Range::new("size").lte(5000));
/// assert_eq!(search, Search::new(clauses));
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct QueryParser {
    schema: Schema,
    /// One, or several text fields; none is the schema's first text field.
    default_fields: Vec<BoostedField>,
    params: Params,
    fuzziness: Option<Fuzziness>,
}

impl QueryParser {
    /// A parser for queries of an index with this schema.
    pub fn new(schema: &Schema) -> Self {
        Self { schema: schema.clone(), default_fields: Vec::new(), params: Params::new(), fuzziness: None }
    }

    /// The field that words without a field are searched in. Default: the schema's first text field.
    #[must_use]
    pub fn default_field(mut self, field: impl Into<String>) -> Self {
        self.default_fields = vec![BoostedField::new(field, 1.0)];
        self
    }

    /// Several text fields that words without a field are searched in; `title^3` multiplies the scores in it by 3. A
    /// document scores as in the best of them ([`MultiMatch`](super::MultiMatch), [`DisMax`](super::DisMax)).
    ///
    /// ```
    /// # fn main() -> lucerne::Result<()> {
    /// # use lucerne::query::QueryParser;
    /// # use lucerne::{MultiMatch, Schema, Search};
    /// let schema = Schema::builder().key("name").text("title").text("body").build()?;
    /// let search = QueryParser::new(&schema).default_fields(["title^3", "body"]).parse("text editor")?;
    /// assert_eq!(search, Search::new(MultiMatch::new("text editor").field("title^3").field("body")));
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn default_fields<F: Into<BoostedField>>(mut self, fields: impl IntoIterator<Item = F>) -> Self {
        self.default_fields = fields.into_iter().map(Into::into).collect();
        self
    }

    /// Words may be mistyped: each also finds words that are at most so many edits away, as with
    /// [`Match::fuzziness`](super::Match::fuzziness). Phrases, prefixes and exact values are what they are, and queries in
    /// JSON say it themselves. Default: words are what they are.
    #[must_use]
    pub fn fuzziness(mut self, edits: impl Into<Fuzziness>) -> Self {
        self.fuzziness = Some(edits.into());
        self
    }

    /// Sets the value of the parameter `$name`: a vector (also as a text, `"[1.0, 2.0]"`), a number or a text.
    #[must_use]
    pub fn param(mut self, name: impl Into<String>, value: impl Into<Value>) -> Self {
        self.params.insert(name.into(), Param::Value(value.into()));
        self
    }

    /// Sets the value of the parameter `$name`: a vector as little-endian f32 bytes.
    #[must_use]
    pub fn param_bytes(mut self, name: impl Into<String>, vector: impl Into<Vec<u8>>) -> Self {
        self.params.insert(name.into(), Param::Bytes(vector.into()));
        self
    }

    /// Reads a search. A query alone is a search for its 10 best documents; a kNN query, for its `k` neighbors.
    ///
    /// # Errors
    /// [`Error::WrongQuery`] with the query, a caret under the position, and what was expected there.
    pub fn parse(&self, text: &str) -> Result<Search> {
        match syntax_of(text) {
            Syntax::Json => Search::from_json(text),
            Syntax::Redis => {
                let RedisQuery { query, score_as } = self.redis(text)?;
                Ok(Search { score_as, ..Search::from(query) })
            }
            _ => self.parse_query(text).map(Search::from),
        }
    }

    /// Reads a query, for a filter or a part of another query. It cannot have what belongs to a whole search.
    ///
    /// # Errors
    /// As [`QueryParser::parse`].
    pub fn parse_query(&self, text: &str) -> Result<Query> {
        match syntax_of(text) {
            Syntax::Json => Query::from_json(text),
            Syntax::Solr => {
                let knn = solr::parse(text, &self.schema, &self.params);
                knn.map(Query::from).map_err(|problem| problem.within(text))
            }
            Syntax::Redis => match self.redis(text)? {
                RedisQuery { query, score_as: None } => Ok(query),
                RedisQuery { score_as: Some(name), .. } => {
                    let at = text.rfind(&name).unwrap_or_default();
                    Err(Problem::new(at, "expected a query without AS, which names a search's score")
                        .within(text))
                }
            },
            Syntax::Lucene => {
                let default = self.default_target()?;
                let parsed = lucene::parse(text, &self.schema, default.as_ref());
                parsed.map(|query| self.finished(query)).map_err(|problem| problem.within(text))
            }
        }
    }

    /// Reads what was typed into a search box, in the syntax of Lucene, and never fails: what has no meaning in it is
    /// searched for as words, and a warning says what that was.
    ///
    /// ```
    /// # fn main() -> lucerne::Result<()> {
    /// # use lucerne::query::QueryParser;
    /// # use lucerne::{Match, Schema};
    /// let schema = Schema::builder().key("name").text("title").build()?;
    /// let typed = QueryParser::new(&schema).parse_lenient("(text editor: \"vim");
    /// assert_eq!(typed.query, Match::new("title", "text editor vim").into());
    /// assert!(typed.warnings[0].contains("no field \"editor\""), "{:?}", typed.warnings);
    /// assert!(typed.warnings[1].contains("this quote is not closed"), "{:?}", typed.warnings);
    /// # Ok(())
    /// # }
    /// ```
    pub fn parse_lenient(&self, text: &str) -> Lenient {
        let default = match self.default_target() {
            Ok(default) => default,
            Err(error) => return Lenient { query: Query::none(), warnings: vec![error.to_string()] },
        };
        let as_words = default.as_ref().filter(|target| target.kind == Kind::Text);
        let parse = |text: &str| lucene::parse(text, &self.schema, default.as_ref());
        let Lenient { query, warnings } = lenient::parse(text, as_words.map(|target| &*target.name), parse);
        Lenient { query: self.finished(query), warnings }
    }

    /// A query that was read, with what belongs to all words of it.
    fn finished(&self, query: Query) -> Query {
        let mut query = default_fields::spread(query, &self.default_fields);
        if let Some(edits) = self.fuzziness {
            mistyped::allow(edits, &mut query);
        }
        query
    }

    fn redis(&self, text: &str) -> Result<RedisQuery> {
        let default = self.default_target()?;
        let parsed = redis::parse(text, &self.schema, default.as_ref(), &self.params);
        let mut parsed = parsed.map_err(|problem| problem.within(text))?;
        parsed.query = self.finished(parsed.query);
        Ok(parsed)
    }

    fn default_target(&self) -> Result<Option<Target>> {
        let targets = self.default_fields.iter().map(|field| self.default_target_of(&field.name));
        let mut targets = targets.collect::<Result<Vec<Target>>>()?;
        if let Some(other) =
            targets.iter().find(|target| target.kind != Kind::Text).filter(|_| targets.len() > 1)
        {
            return Err(Error::WrongQuery {
                field: Some(other.name.clone()),
                problem: "only text fields may be several default fields".into(),
            });
        }
        match (targets.pop(), &self.default_fields[..]) {
            (None, _) => Ok(Target::default(&self.schema)),
            (Some(only), [_]) if only.kind != Kind::Text => Ok(Some(only)),
            (Some(only), [field]) if field.boost == 1.0 => Ok(Some(only)),
            (Some(_), _) => Ok(Some(Target { name: default_fields::SEVERAL.into(), kind: Kind::Text })),
        }
    }

    fn default_target_of(&self, name: &str) -> Result<Target> {
        let target = Target::named(&self.schema, name, 0)
            .map_err(|_| Error::NoSuchField { field: name.to_owned(), known: self.schema.known() })?;
        match target.kind {
            Kind::Vector(_) => Err(Error::WrongQuery {
                field: Some(name.to_owned()),
                problem: "words cannot be searched in a vector field; choose another default field".into(),
            }),
            _ => Ok(target),
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Syntax {
    Json,
    Solr,
    Redis,
    Lucene,
}

fn syntax_of(text: &str) -> Syntax {
    let text = text.trim_start();
    // In Lucene syntax no query begins with a brace, and none has an arrow before a bracket.
    if text.starts_with("{!") {
        Syntax::Solr
    } else if text.starts_with('{') {
        Syntax::Json
    } else if begins_with_a_field(text) || has_arrow(text) {
        Syntax::Redis
    } else {
        Syntax::Lucene
    }
}

/// True when the text begins with `@name:`, after any parentheses and signs.
fn begins_with_a_field(text: &str) -> bool {
    let text = text.trim_start_matches(|char: char| "(-~".contains(char) || char.is_whitespace());
    let name = text.strip_prefix('@').and_then(|rest| rest.split_once(':'));
    name.is_some_and(|(name, _)| !name.is_empty() && !name.contains(char::is_whitespace))
}

/// True when the text has `=>[` outside quotes.
fn has_arrow(text: &str) -> bool {
    let outside = text.split('"').step_by(2);
    let mut arrows = outside.flat_map(|part| part.split("=>").skip(1));
    arrows.any(|after| after.trim_start().starts_with('['))
}
