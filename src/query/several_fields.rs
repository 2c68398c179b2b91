//! The best of several queries, and words in several fields.

use super::{Bool, Boost, Fuzziness, Match, Minimum, Operator, Query};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Finds documents of any of several queries, which score as in their best one: not as the sum of all, which a
/// [`Bool`] has. With a tie breaker, the others add so many times their score.
///
/// ```
/// # fn main() -> lucerne::Result<()> {
/// # let searcher = include!(concat!(env!("CARGO_MANIFEST_DIR"), "/src/query/example.in"));
/// use lucerne::Term;
/// use lucerne::query::{Boost, DisMax};
///
/// let sections = Boost::new(Term::new("section", "editors"), 3.0);
/// let best = DisMax::new().query(sections).query(Term::new("size", 200)).tie_breaker(0.5);
/// let hits = searcher.search(best)?;
/// assert_eq!((hits.keys(), hits.hits[0].score), (vec!["nano", "vim"], 3.5));
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DisMax {
    pub(crate) queries: Vec<Query>,
    #[serde(default)]
    pub(crate) tie_breaker: f32,
}

impl DisMax {
    /// Of no queries, which finds nothing.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a query.
    #[must_use]
    pub fn query(mut self, query: impl Into<Query>) -> Self {
        self.queries.push(query.into());
        self
    }

    /// What the scores of the queries that are not the best one are multiplied by, from 0 (the default) to 1 (a sum).
    #[must_use]
    pub fn tie_breaker(mut self, factor: f32) -> Self {
        self.tie_breaker = factor;
        self
    }
}

/// How the scores of several fields become one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FieldScores {
    /// The score in the best field, and the tie breaker times those in the others.
    #[default]
    BestFields,
    /// The sum of all.
    MostFields,
}

/// Finds documents with words of a text in any of several text fields. In each field they are a [`Match`].
///
/// ```
/// # fn main() -> lucerne::Result<()> {
/// # let searcher = include!(concat!(env!("CARGO_MANIFEST_DIR"), "/src/query/example.in"));
/// use lucerne::MultiMatch;
///
/// let words = MultiMatch::new("text editor").field("title^3").tie_breaker(0.3);
/// assert_eq!(searcher.search(words)?.keys(), ["vim", "nano"]);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MultiMatch {
    pub(crate) text: String,
    pub(crate) fields: Vec<BoostedField>,
    #[serde(default, rename = "type")]
    pub(crate) scores: FieldScores,
    #[serde(default)]
    pub(crate) tie_breaker: f32,
    #[serde(default)]
    pub(crate) operator: Operator,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) minimum_should_match: Option<Minimum>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) fuzziness: Option<Fuzziness>,
}

impl MultiMatch {
    /// Documents with at least one word of `text`, in the fields that are added.
    pub fn new(text: impl Into<String>) -> Self {
        Self {
            text: text.into(),
            fields: Vec::new(),
            scores: FieldScores::BestFields,
            tie_breaker: 0.0,
            operator: Operator::Or,
            minimum_should_match: None,
            fuzziness: None,
        }
    }

    /// Documents with all words of `text` in one of the fields.
    pub fn all(text: impl Into<String>) -> Self {
        Self { operator: Operator::And, ..Self::new(text) }
    }

    /// Adds a text field; `title^3` multiplies the scores in it by 3.
    #[must_use]
    pub fn field(mut self, field: impl Into<BoostedField>) -> Self {
        self.fields.push(field.into());
        self
    }

    /// Adds text fields, as [`MultiMatch::field`] does.
    #[must_use]
    pub fn fields<F: Into<BoostedField>>(mut self, fields: impl IntoIterator<Item = F>) -> Self {
        self.fields.extend(fields.into_iter().map(Into::into));
        self
    }

    /// The scores of all fields add up. Default: the score in the best field.
    #[must_use]
    pub fn most_fields(mut self) -> Self {
        self.scores = FieldScores::MostFields;
        self
    }

    /// What the scores in the fields that are not the best one are multiplied by, from 0 (the default) to 1.
    #[must_use]
    pub fn tie_breaker(mut self, factor: f32) -> Self {
        self.tie_breaker = factor;
        self
    }

    /// As [`Match::minimum_should_match`], in each field.
    #[must_use]
    pub fn minimum_should_match(mut self, words: impl Into<Minimum>) -> Self {
        self.minimum_should_match = Some(words.into());
        self
    }

    /// As [`Match::fuzziness`].
    #[must_use]
    pub fn fuzziness(mut self, edits: impl Into<Fuzziness>) -> Self {
        self.fuzziness = Some(edits.into());
        self
    }

    /// The same as a query of the fields.
    pub(crate) fn by_field(&self) -> Query {
        let Self { text, operator, minimum_should_match, fuzziness, .. } = self;
        let queries = self.fields.iter().map(|field| {
            let (operator, minimum_should_match, fuzziness) = (*operator, *minimum_should_match, *fuzziness);
            let (text, name) = (text.clone(), field.name.clone());
            let words = Match { operator, minimum_should_match, fuzziness, ..Match::new(name, text) };
            field.boosted(words)
        });
        match self.scores {
            FieldScores::BestFields => {
                DisMax { queries: queries.collect(), tie_breaker: self.tie_breaker }.into()
            }
            FieldScores::MostFields => {
                Bool { should: queries.collect(), minimum_should_match: Some(1.into()), ..Bool::new() }.into()
            }
        }
    }
}

/// The name of a field, and what scores in it are multiplied by. In text `title^3`; `title` is `title^1`.
#[derive(Clone, Debug, PartialEq)]
pub struct BoostedField {
    pub(crate) name: String,
    pub(crate) boost: f32,
}

impl BoostedField {
    /// A field whose scores are multiplied by `boost`, a finite number of at least 0.
    pub fn new(field: impl Into<String>, boost: f32) -> Self {
        Self { name: field.into(), boost }
    }

    /// A query of this field with the boost.
    pub(crate) fn boosted(&self, query: impl Into<Query>) -> Query {
        match self.boost {
            1.0 => query.into(),
            boost => Boost::new(query, boost).into(),
        }
    }
}

impl From<&str> for BoostedField {
    /// What is behind the last `^` is the boost, if it is a number.
    fn from(text: &str) -> Self {
        let split = text.rsplit_once('^').and_then(|(name, boost)| Some((name, boost.parse().ok()?)));
        let (name, boost) = split.unwrap_or((text, 1.0));
        Self::new(name, boost)
    }
}

impl From<String> for BoostedField {
    fn from(text: String) -> Self {
        text.as_str().into()
    }
}

impl From<&String> for BoostedField {
    fn from(text: &String) -> Self {
        text.as_str().into()
    }
}

impl Serialize for BoostedField {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        match self.boost {
            1.0 if !self.name.contains('^') => to.serialize_str(&self.name),
            boost => to.serialize_str(&format!("{}^{boost}", self.name)),
        }
    }
}

impl<'de> Deserialize<'de> for BoostedField {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        String::deserialize(from).map(Self::from)
    }
}
