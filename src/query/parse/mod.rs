//! Queries from text: one parser for the familiar one-liners, all of the same model.

mod clauses;
mod cursor;
mod json;
mod leaf;
mod lucene;
mod params;
mod problem;
mod redis;
mod solr;
#[cfg(test)]
mod tests;

use super::{Query, Search};
use crate::document::Value;
use crate::error::{Error, Result};
use crate::schema::Schema;
use leaf::{Kind, Target};
use params::{Param, Params};
use problem::Problem;

/// Reads queries from text. The text tells its language:
///
/// | begins with, or has | language | example |
/// |---|---|---|
/// | `{!` | as for Solr | `{!knn f=vector topK=10}[1.0, 2.0, 3.0, 4.0]` |
/// | `{` | JSON | `{"term": {"field": "section", "value": "python"}}` |
/// | `=>[`, or `@field:` | as for Redis | `(@section:{python} @size:[0 1000])=>[KNN 3 @vector $v AS score]` |
/// | anything else | as for Lucene | `title:editor AND size:[* TO 5000] -section:games` |
///
/// In the Lucene-like language AND binds tighter than OR; words without a field are searched in the default
/// field; a value is read as its field's type, so that `section:python` is a term of a keyword field and
/// `title:python` a word of a text field. `\` before a character stands for the character.
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
    default_field: Option<String>,
    params: Params,
}

impl QueryParser {
    /// A parser of queries for an index with this schema.
    pub fn new(schema: &Schema) -> Self {
        Self { schema: schema.clone(), default_field: None, params: Params::new() }
    }

    /// The field that words without a field are searched in. Default: the schema's first text field.
    #[must_use]
    pub fn default_field(mut self, field: impl Into<String>) -> Self {
        self.default_field = Some(field.into());
        self
    }

    /// What `$name` stands for: a vector (also as a text, `"[1.0, 2.0]"`), a number or a text.
    #[must_use]
    pub fn param(mut self, name: impl Into<String>, value: impl Into<Value>) -> Self {
        self.params.insert(name.into(), Param::Value(value.into()));
        self
    }

    /// What `$name` stands for: a vector, as little-endian f32 bytes.
    #[must_use]
    pub fn param_bytes(mut self, name: impl Into<String>, vector: impl Into<Vec<u8>>) -> Self {
        self.params.insert(name.into(), Param::Bytes(vector.into()));
        self
    }

    /// The search that a text says; a query alone finds its 10 best documents, or as many as its kNN says.
    ///
    /// # Errors
    /// [`Error::WrongQuery`] with the query, a caret under the place, and what was expected there.
    pub fn parse(&self, text: &str) -> Result<Search> {
        match language(text) {
            Language::Json => Search::from_json(text),
            Language::Redis => {
                let (query, name) = self.redis(text)?;
                let search = Search::from(query);
                Ok(match name {
                    Some(name) => search.score_as(name),
                    None => search,
                })
            }
            _ => self.parse_query(text).map(Search::from),
        }
    }

    /// The query that a text says, for a filter or a part of another query: without what belongs to a whole
    /// search.
    ///
    /// # Errors
    /// As [`QueryParser::parse`].
    pub fn parse_query(&self, text: &str) -> Result<Query> {
        match language(text) {
            Language::Json => Query::from_json(text),
            Language::Solr => {
                let knn = solr::parse(text, &self.schema, &self.params);
                knn.map(Query::from).map_err(|problem| problem.within(text))
            }
            Language::Redis => match self.redis(text)? {
                (query, None) => Ok(query),
                (_, Some(name)) => {
                    let at = text.rfind(&name).unwrap_or_default();
                    Err(Problem::new(at, "expected a query without AS, which names a search's score")
                        .within(text))
                }
            },
            Language::Lucene => {
                let default = self.default_target()?;
                lucene::parse(text, &self.schema, default.as_ref()).map_err(|problem| problem.within(text))
            }
        }
    }

    fn redis(&self, text: &str) -> Result<(Query, Option<String>)> {
        let default = self.default_target()?;
        let parsed = redis::parse(text, &self.schema, default.as_ref(), &self.params);
        parsed.map_err(|problem| problem.within(text))
    }

    fn default_target(&self) -> Result<Option<Target>> {
        let Some(name) = &self.default_field else { return Ok(Target::default(&self.schema)) };
        let target = Target::named(&self.schema, name, 0)
            .map_err(|_| Error::NoSuchField { field: name.clone(), known: self.schema.known() })?;
        match target.kind {
            Kind::Vector(_) => Err(Error::WrongQuery {
                field: Some(name.clone()),
                problem: "words cannot be searched in a vector field; choose another default field".into(),
            }),
            _ => Ok(Some(target)),
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Language {
    Json,
    Solr,
    Redis,
    Lucene,
}

fn language(text: &str) -> Language {
    let text = text.trim_start();
    // In the Lucene-like language nothing begins with a brace, and no arrow leads to a bracket.
    if text.starts_with("{!") {
        Language::Solr
    } else if text.starts_with('{') {
        Language::Json
    } else if begins_with_a_field(text) || has_arrow(text) {
        Language::Redis
    } else {
        Language::Lucene
    }
}

/// `@name:`, behind parentheses and signs if need be.
fn begins_with_a_field(text: &str) -> bool {
    let text = text.trim_start_matches(|char: char| "(-~".contains(char) || char.is_whitespace());
    let name = text.strip_prefix('@').and_then(|rest| rest.split_once(':'));
    name.is_some_and(|(name, _)| !name.is_empty() && !name.contains(char::is_whitespace))
}

/// `=>[`, outside quotes.
fn has_arrow(text: &str) -> bool {
    let outside = text.split('"').step_by(2);
    let mut arrows = outside.flat_map(|part| part.split("=>").skip(1));
    arrows.any(|after| after.trim_start().starts_with('['))
}
