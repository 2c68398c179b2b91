//! Queries and searches: what to find, as plain data.
//!
//! A [`Query`] selects documents and gives each a score. A [`Search`] is a query with everything around it: filter,
//! page, order, reranking, fields to return. Every query type converts into both.
//!
//! | to find documents | use | score |
//! |---|---|---|
//! | near a vector | [`Knn`] | by the field's similarity |
//! | with dimensions of a sparse vector | [`Sparse`] | inner product |
//! | with words of a text | [`Match`] | BM25 |
//! | with words in any of several fields | [`MultiMatch`] | of the best field, or the sum |
//! | that match any of several queries | [`DisMax`] | of the best one |
//! | with words in sequence | [`Phrase`] | BM25 |
//! | like another document, by its words | [`MoreLike`]; by its vectors [`Searcher::recommend`](crate::Searcher::recommend) | BM25 |
//! | with a value, one of several, a range, a prefix | [`Term`], [`Terms`], [`Range`], [`Prefix`] | 1 ([`Term`] in a text field: BM25) |
//! | with a word written with typing errors | [`Fuzzy`], [`Match::fuzziness`] | BM25 in a text field, else 1 |
//! | with a term or value of a pattern | [`Wildcard`], [`Regex`] | 1 |
//! | with any value in a field | [`Exists`] | 1 |
//! | that match several queries | [`Bool`] | sum of the clauses' scores |
//! | ranked well by several queries (hybrid search) | [`Fuse`] | by rank or weighted score |
//! | of a query with other scores | [`Boost`], [`Constant`] | |
//!
//! The examples on the types of this module search these documents; `v` is compared by Euclidean distance:
//!
//! | `id` (key) | `title` (text) | `section` (keyword) | `size` (i64) | `v` (vector) |
//! |---|---|---|---|---|
//! | vim | text editor | editors | 3000 | \[1, 0\] |
//! | nano | small text editor | editors | 200 | \[2, 0\] |
//! | chess | board game | games | 900 | \[3, 0\] |
//! | empty | | | | |
//!
//! # Queries as text
//!
//! [`QueryParser`] reads queries in the syntax of Lucene, Redis, Solr, or in JSON.
//!
//! # Queries as JSON
//!
//! [`Query::from_json`], [`Search::from_json`] and the command line's `--query` read the same JSON; `to_json` writes
//! it. A query is an object with one entry: the name of the query, and an object with its parameters. Those with a
//! default may be left out; unknown ones are refused.
//!
//! | query | parameters |
//! |---|---|
//! | `all`, `none` | `{}` |
//! | `term` | `field`, `value` |
//! | `terms` | `field`, `values` (a list) |
//! | `range` | `field`; `gt` or `gte`, `lt` or `lte` |
//! | `exists` | `field` |
//! | `prefix` | `field`, `prefix` |
//! | `fuzzy` | `field`, `word`, `edits` (`"auto"`, 0, 1 or 2), `prefix_length` (0), `transpositions` (true), `max_expansions` (50) |
//! | `wildcard`, `regex` | `field`, `pattern` |
//! | `match` | `field`, `text`, `operator` (`"or"`, the default, or `"and"`), `minimum_should_match` (a number or `"75%"`), `fuzziness` (none; as `edits` of `fuzzy`) |
//! | `multi_match` | `text`, `fields` (`["title^3", "body"]`), `type` (`"best_fields"`, the default, or `"most_fields"`), `tie_breaker` (0), and as `match` |
//! | `dis_max` | `queries` (a list), `tie_breaker` (0) |
//! | `phrase` | `field`, `text`, `slop` (0) |
//! | `more_like` | `like` (`{"key": …}` or `{"text": …}`), `fields` (all stored text fields), `max_terms` (25), `min_term_freq` (1), `min_doc_freq` (2), `max_doc_freq` |
//! | `bool` | `must`, `should`, `must_not`, `filter` (lists of queries), `minimum_should_match` |
//! | `boost` | `query`, `boost` |
//! | `constant` | `query`, `score` (1) |
//! | `sparse` | `field`, `vector` (`{"12": 0.5, "900": 1.25}` or `{"indices": [12, 900], "values": [0.5, 1.25]}`) |
//! | `knn` | `field`, `vector` (a list of numbers; bits also as a string), `k` (see [`Knn::k`]), `recall` (0.95), `candidates`, `nprobe`, `rescore`, `exact` (false), `filter` (a query), `post_filter` (false), `min_score` |
//! | `fuse` | `queries` (a list of `{"query": …, "weight": 1}`), `method` (`{"rrf": {"constant": 60}}`, the default, or `{"linear": {}}`), `window` (100) |
//!
//! A search is an object of these entries, all optional:
//!
//! | entry | value | default |
//! |---|---|---|
//! | `query` | a query | `{"all": {}}` |
//! | `filter` | a query | none |
//! | `limit`, `offset` | numbers of hits | 10, 0 |
//! | `rerank` | `by` (see below), `window` (100), `weight` (1), `combine` (`"add"`, the default, `"multiply"` or `"replace"`) | none |
//! | `sort` | a list of `{"field", "order": "asc" or "desc", "missing": "last" or "first"}`; the field `_score` is the score | by score |
//! | `highlight` | a list of `{"field", "fragments": 3, "size": 150, "tags": ["<b>", "</b>"], "escape_html": false}` | none |
//! | `fields` | a list of stored fields to return; `[]` returns all | none |
//! | `vectors` | a list of vector fields to return as lists of vectors | none |
//! | `min_score` | a number | none |
//! | `score_as` | a name under which the score is returned among the fields | none |
//! | `explain` | `true` explains every hit | `false` |
//! | `aggs` or `aggregations` | an object of [aggregations](Aggregation) by name | none |
//! | `collapse` | `{"field", "size": 1}`: the best `size` hits of each value of a field | none |
//! | `total` or `track_total_hits` | `true` counts all documents found | `false` |
//!
//! `by` in `rerank` is one of these:
//!
//! | by | parameters |
//! |---|---|
//! | `vector` | `field`, `vector`, `compat_topk` |
//! | `max_sim` | `field`, `vectors` (a list of vectors) |
//! | `query` | a query |
//! | `decay` | `field`, `origin` (a number or date), `scale` and `offset` (0) (numbers; in a date field times such as `"10d"`), `decay` (0.5), `shape` (`"gauss"`, the default, `"exp"` or `"linear"`) |
//! | `field_value` | `field`, `factor` (1), `modifier` (`"none"`, the default, `"log1p"`, `"ln1p"`, `"sqrt"`, `"square"` or `"reciprocal"`), `missing` (0) |
//! | `mmr` | `field`, `lambda` (0.5) |
//!
//! ```
//! # fn main() -> lucerne::Result<()> {
//! use lucerne::{Bool, Knn, Match, Query, Range, Search, Term};
//!
//! let search = Search::from_json(
//!     r#"{
//!         "query": {"bool": {
//!             "must": [{"match": {"field": "title", "text": "text editor", "operator": "and"}}],
//!             "must_not": [{"term": {"field": "section", "value": "games"}}]
//!         }},
//!         "filter": {"range": {"field": "size", "lte": 5000}},
//!         "limit": 20,
//!         "fields": ["title"]
//!     }"#,
//! )?;
//! let query = Bool::new().must(Match::all("title", "text editor")).must_not(Term::new("section", "games"));
//! let filter = Range::new("size").lte(5000);
//! assert_eq!(search, Search::new(query).filter(filter).limit(20).fields(["title"]));
//!
//! // A query alone is a search for its 10 best documents; of a kNN query, for its k neighbors.
//! let knn = Query::from_json(r#"{"knn": {"field": "v", "vector": [1.0, 2.0], "k": 5}}"#)?;
//! assert_eq!(knn, Knn::new("v", [1.0, 2.0]).k(5).into());
//! # Ok(())
//! # }
//! ```

mod aggregate;
mod aggregate_json;
mod boolean;
mod function;
mod fuse;
mod fuzzy;
mod group_by;
mod highlight;
mod json;
mod knn;
mod minimum;
mod more_like;
mod parse;
mod pattern;
mod rerank;
mod search;
mod several_fields;
mod sparse;
mod terms;
mod unset_k;
mod words;

pub use aggregate::{Aggregation, Calendar};
pub(crate) use aggregate::{AggregationKind, Every, Metric, ValueRange};
pub use boolean::{Bool, Boost, Constant};
pub use function::{Decay, DecayShape, Distance, FieldValue, Modifier};
pub use fuse::{Fuse, Fusion};
pub use fuzzy::{Fuzziness, Fuzzy};
pub use group_by::GroupBy;
pub use highlight::Highlight;
pub use knn::Knn;
pub use minimum::Minimum;
pub(crate) use more_like::LikeWhat;
pub use more_like::MoreLike;
pub use parse::{Lenient, QueryParser};
pub use pattern::{Regex, Wildcard};
pub use rerank::{Combine, Rerank, RerankBy};
pub use search::{Missing, Order, Search, Sort};
pub use several_fields::{BoostedField, DisMax, FieldScores, MultiMatch};
pub use sparse::Sparse;
pub use terms::{Exists, Prefix, Range, Term, Terms};
pub use words::{Match, Operator, Phrase};

use serde::{Deserialize, Serialize};

/// Selects documents and gives each a score.
///
/// Every query type converts into a `Query`, so that a list or a tree of different ones can be built. [The module's
/// page](self) lists the types and their JSON forms.
///
/// ```
/// use lucerne::{Match, Query, Term};
///
/// let queries: Vec<Query> = vec![Match::new("title", "editor").into(), Term::new("size", 7).into(), Query::all()];
/// assert_eq!(queries[1].to_json(), r#"{"term":{"field":"size","value":7}}"#);
/// assert_eq!(Query::from_json(r#"{"all": {}}"#).unwrap(), queries[2]);
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Query {
    /// Every document, with score 1.
    All {},
    /// No document.
    None {},
    /// Documents with a value in a field.
    Term(Term),
    /// Documents with one of several values in a field.
    Terms(Terms),
    /// Documents with a value in a range.
    Range(Range),
    /// Documents with any value in a field.
    Exists(Exists),
    /// Documents with a value that begins with given characters.
    Prefix(Prefix),
    /// Documents with a word that is some edits away from a given one.
    Fuzzy(Fuzzy),
    /// Documents with a value that matches a pattern with wildcards.
    Wildcard(Wildcard),
    /// Documents with a value that matches a regular expression.
    Regex(Regex),
    /// Documents with words of a text.
    Match(Match),
    /// Documents with words of a text in any of several fields.
    MultiMatch(MultiMatch),
    /// Documents of several queries, each with its best score.
    DisMax(DisMax),
    /// Documents with the words of a text in sequence.
    Phrase(Phrase),
    /// Documents with the characteristic words of a document or a text.
    MoreLike(MoreLike),
    /// Documents that match clauses.
    Bool(Bool),
    /// A query whose scores are multiplied.
    Boost(Box<Boost>),
    /// A query whose scores are replaced by a constant.
    Constant(Box<Constant>),
    /// Documents with the dimensions of a sparse vector.
    Sparse(Sparse),
    /// The documents nearest to a vector.
    Knn(Knn),
    /// The documents of several queries in one ranking.
    Fuse(Fuse),
}

macro_rules! query_of {
    ($($name:ident),*) => {
        $(impl From<$name> for Query {
            fn from(query: $name) -> Self {
                Self::$name(query)
            }
        })*
    };
}

query_of!(
    Term, Terms, Range, Exists, Prefix, Fuzzy, Wildcard, Regex, Match, MultiMatch, DisMax, Phrase, MoreLike,
    Bool, Sparse, Knn, Fuse
);

impl From<Boost> for Query {
    fn from(query: Boost) -> Self {
        Self::Boost(Box::new(query))
    }
}

impl From<Constant> for Query {
    fn from(query: Constant) -> Self {
        Self::Constant(Box::new(query))
    }
}

impl Query {
    /// Every document, with score 1.
    pub fn all() -> Self {
        Self::All {}
    }

    /// No document.
    pub fn none() -> Self {
        Self::None {}
    }
}
