//! A search: a query with its filter, page, order, reranking and the fields to return.

use super::{
    Aggregation, Bool, Boost, Constant, DisMax, Exists, Fuse, Fuzzy, GroupBy, Highlight, Knn, Match,
    MoreLike, MultiMatch, Phrase, Prefix, Query, Range, Regex, Rerank, Sparse, Term, Terms, Wildcard,
};
use crate::limits::DEFAULT_K;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The direction of a [`Sort`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Order {
    /// Smallest first.
    #[default]
    #[serde(alias = "ASC", alias = "Asc")]
    Asc,
    /// Largest first.
    #[serde(alias = "DESC", alias = "Desc")]
    Desc,
}

/// Where a [`Sort`] puts documents without a value.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Missing {
    /// After all others, in either direction.
    #[default]
    Last,
    /// Before all others, in either direction.
    First,
}

/// Sorts by a number, date, bool, keyword or key field, by an undeclared field of a dynamic schema, or by the score. Of several values in a document the
/// smallest counts in ascending order, the largest in descending order. See [`Search::sort`].
///
/// ```
/// # fn main() -> lucerne::Result<()> {
/// # let searcher = include!(concat!(env!("CARGO_MANIFEST_DIR"), "/src/query/example.in"));
/// use lucerne::{Query, Search, Sort};
///
/// let search = Search::new(Query::all()).sort(Sort::asc("section")).sort(Sort::desc("size"));
/// assert_eq!(searcher.search(search)?.keys(), ["vim", "nano", "chess", "empty"]);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sort {
    pub(crate) field: String,
    #[serde(default)]
    pub(crate) order: Order,
    #[serde(default)]
    pub(crate) missing: Missing,
}

impl Sort {
    /// The field name that stands for the score.
    pub const SCORE: &str = "_score";

    /// Smallest first.
    pub fn asc(field: impl Into<String>) -> Self {
        Self { field: field.into(), order: Order::Asc, missing: Missing::Last }
    }

    /// Largest first.
    pub fn desc(field: impl Into<String>) -> Self {
        Self { order: Order::Desc, ..Self::asc(field) }
    }

    /// Where documents without a value are put. Default: last.
    #[must_use]
    pub fn missing(mut self, missing: Missing) -> Self {
        self.missing = missing;
        self
    }
}

/// A query with its filter, page, order, reranking and the fields to return.
///
/// Every query type converts into a search for its 10 best documents (a [`Knn`]: for its `k` neighbors), so that
/// [`Searcher::search`](crate::Searcher::search) takes a query directly. [The module's page](super) shows the JSON form.
///
/// ```
/// # fn main() -> lucerne::Result<()> {
/// # let searcher = include!(concat!(env!("CARGO_MANIFEST_DIR"), "/src/query/example.in"));
/// use lucerne::{Match, Range, Search};
///
/// let search = Search::new(Match::new("title", "editor"))
///     .filter(Range::new("size").gte(100))
///     .limit(1)
///     .offset(1)
///     .fields(["section"]);
/// let hits = searcher.search(search)?.hits;
/// assert_eq!(hits.len(), 1);
/// assert_eq!(hits[0].fields.as_ref().unwrap()["section"], "editors");
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Search {
    #[serde(default = "Query::all")]
    pub(crate) query: Query,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) filter: Option<Query>,
    #[serde(default = "limit")]
    pub(crate) limit: usize,
    #[serde(default)]
    pub(crate) offset: usize,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) rerank: Option<Rerank>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) sort: Vec<Sort>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) fields: Option<Vec<String>>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) vectors: Vec<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) highlight: Vec<Highlight>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) min_score: Option<f32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) score_as: Option<String>,
    #[serde(default)]
    pub(crate) explain: bool,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty", alias = "aggregations")]
    pub(crate) aggs: BTreeMap<String, Aggregation>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) collapse: Option<GroupBy>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not", alias = "track_total_hits")]
    pub(crate) total: bool,
}

fn limit() -> usize {
    DEFAULT_K
}

impl Search {
    /// The 10 best documents of `query`.
    pub fn new(query: impl Into<Query>) -> Self {
        Self {
            query: query.into(),
            filter: None,
            limit: limit(),
            offset: 0,
            rerank: None,
            sort: Vec::new(),
            fields: None,
            vectors: Vec::new(),
            highlight: Vec::new(),
            min_score: None,
            score_as: None,
            explain: false,
            aggs: BTreeMap::new(),
            collapse: None,
            total: false,
        }
    }

    /// Finds only documents that match `filter`. It is applied before kNN queries in the query search, so that these
    /// find `k` documents that match it. When called several times, documents must match all filters.
    #[must_use]
    pub fn filter(mut self, filter: impl Into<Query>) -> Self {
        self.filter = Some(match self.filter.take() {
            None => filter.into(),
            Some(first) => Bool::new().filter(first).filter(filter).into(),
        });
        self
    }

    /// The maximum number of hits, from 1 to 10,000. Default: 10; for a [`Knn`] converted into a search, its `k`.
    /// A [`Knn`] whose `k` is set never finds more than these.
    #[must_use]
    pub fn limit(mut self, hits: usize) -> Self {
        self.limit = hits;
        self
    }

    /// The number of best hits to skip. The pages of one searcher with the same limit neither overlap nor leave a gap.
    /// They end with the documents that the query finds: of a [`Knn`] after `k` documents, or after 10,000 (an error
    /// beyond) when its `k` is not set; of a [`Fuse`] after the documents that are in at least one of its windows. Set
    /// these so that they are enough for all pages: neither grows with the offset.
    #[must_use]
    pub fn offset(mut self, hits: usize) -> Self {
        self.offset = hits;
        self
    }

    /// Reranks the best documents. It cannot be combined with [`Search::sort`].
    #[must_use]
    pub fn rerank(mut self, rerank: Rerank) -> Self {
        self.rerank = Some(rerank);
        self
    }

    /// Sorts all matching documents by a field instead of the score. Further calls add tie breakers; the last tie
    /// breaker is the key.
    #[must_use]
    pub fn sort(mut self, sort: Sort) -> Self {
        self.sort.push(sort);
        self
    }

    /// The stored fields to return with each hit; an empty list returns all. Default: none.
    #[must_use]
    pub fn fields<T: Into<String>>(mut self, fields: impl IntoIterator<Item = T>) -> Self {
        self.fields = Some(fields.into_iter().map(Into::into).collect());
        self
    }

    /// Vector fields to return with each hit as numbers: [`Hit::vectors`](crate::Hit::vectors). Default: none.
    #[must_use]
    pub fn vectors<T: Into<String>>(mut self, fields: impl IntoIterator<Item = T>) -> Self {
        self.vectors = fields.into_iter().map(Into::into).collect();
        self
    }

    /// Shows the words of the query in a text field of each hit: the name of the field, or a [`Highlight`].
    #[must_use]
    pub fn highlight(mut self, field: impl Into<Highlight>) -> Self {
        self.highlight.push(field.into());
        self
    }

    /// Drops hits whose score is lower than this.
    #[must_use]
    pub fn min_score(mut self, score: f32) -> Self {
        self.min_score = Some(score);
        self
    }

    /// Also returns the score among the fields, under this name; for a [`Knn`] query without reranking the distance.
    #[must_use]
    pub fn score_as(mut self, name: impl Into<String>) -> Self {
        self.score_as = Some(name.into());
        self
    }

    /// Explains every hit: [`Hit::explanation`](crate::Hit::explanation).
    #[must_use]
    pub fn explain(mut self) -> Self {
        self.explain = true;
        self
    }

    /// Also counts the documents found by the values of a field: the `values` most frequent ones. Short for
    /// [`Search::aggregate`] with an [`Aggregation::terms`] of the field's name.
    ///
    /// ```
    /// # fn main() -> lucerne::Result<()> {
    /// # let searcher = include!(concat!(env!("CARGO_MANIFEST_DIR"), "/src/query/example.in"));
    /// use lucerne::{Query, Search};
    ///
    /// let hits = searcher.search(Search::new(Query::all()).facet("section", 20))?;
    /// let counts = hits.buckets("section").unwrap().iter().map(|bucket| (bucket.key.clone(), bucket.count));
    /// assert_eq!(counts.collect::<Vec<_>>(), [("editors".into(), 2), ("games".into(), 1)]);
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn facet(self, field: impl Into<String>, values: usize) -> Self {
        let field = field.into();
        self.aggregate(field.clone(), Aggregation::terms(field).size(values))
    }

    /// Also computes an aggregation over all documents found, not only those of the page, into
    /// [`Hits::aggregations`](crate::Hits::aggregations) under this name.
    ///
    /// The documents found are all that match the query and filter. When the query is a [`Knn`] or a [`Fuse`], they are
    /// the neighbors that it finds (`k` of them; unless it is set, as many as the offset and the limit take), or the
    /// documents within its windows. With [`Search::min_score`] only those with that score count.
    #[must_use]
    pub fn aggregate(mut self, name: impl Into<String>, aggregation: Aggregation) -> Self {
        self.aggs.insert(name.into(), aggregation);
        self
    }

    /// Returns only the best hit of each value of a field: [`Search::group_by`] with 1.
    #[must_use]
    pub fn collapse(self, field: impl Into<String>) -> Self {
        self.group_by(field, 1)
    }

    /// Groups hits by the values of a keyword, number, date or bool field: each hit is the best one of its group, and
    /// [`Hit::group`](crate::Hit::group) has the value and the next best, `best` in all (from 1 to 100). Limit and
    /// offset count groups.
    ///
    /// Groups are in the order of their best hits. A document without a value is a group of its own; of several values
    /// the smallest counts. A ranking is searched deeper until it has enough groups, and each of them `best` documents,
    /// or until it ends: of a [`Knn`] with `k` after its neighbors, of one without after 10,000 of them, of a [`Fuse`]
    /// after its windows. Only the best documents of the window of a [`Rerank`] are reranked.
    ///
    /// ```
    /// # fn main() -> lucerne::Result<()> {
    /// # let searcher = include!(concat!(env!("CARGO_MANIFEST_DIR"), "/src/query/example.in"));
    /// use lucerne::{Query, Search, Sort};
    ///
    /// let search = Search::new(Query::all()).sort(Sort::asc("size")).group_by("section", 2);
    /// let hits = searcher.search(search)?.hits;
    /// assert_eq!(hits.iter().map(|hit| &*hit.key).collect::<Vec<_>>(), ["nano", "chess", "empty"]);
    /// let editors = hits[0].group.as_ref().unwrap();
    /// assert_eq!((editors.value.clone(), &*editors.next[0].key), (Some("editors".into()), "vim"));
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn group_by(mut self, field: impl Into<String>, best: usize) -> Self {
        self.collapse = Some(GroupBy { field: field.into(), size: best });
        self
    }

    /// Counts all documents found, so that [`Hits::total`](crate::Hits::total) is exact. Without it, it is exact where that
    /// costs nothing.
    #[must_use]
    pub fn count_total(mut self, exact: bool) -> Self {
        self.total = exact;
        self
    }
}

impl From<Query> for Search {
    fn from(query: Query) -> Self {
        match query {
            Query::Knn(knn) => knn.into(),
            query => Self::new(query),
        }
    }
}

impl From<Knn> for Search {
    fn from(mut knn: Knn) -> Self {
        let (limit, fields) = (knn.k_or_default(), knn.fields.take());
        Self { fields, limit, ..Self::new(knn) }
    }
}

macro_rules! search_of {
    ($($name:ident),*) => {
        $(impl From<$name> for Search {
            fn from(query: $name) -> Self {
                Self::new(query)
            }
        })*
    };
}

search_of!(
    Term, Terms, Range, Exists, Prefix, Fuzzy, Wildcard, Regex, Match, MultiMatch, DisMax, Phrase, MoreLike,
    Bool, Boost, Constant, Sparse, Fuse
);

macro_rules! search_of_borrowed {
    ($($name:ident),*) => {
        $(impl From<&$name> for Search {
            fn from(query: &$name) -> Self {
                query.clone().into()
            }
        })*
    };
}

search_of_borrowed!(
    Query, Knn, Term, Terms, Range, Exists, Prefix, Fuzzy, Wildcard, Regex, Match, MultiMatch, DisMax,
    Phrase, MoreLike, Bool, Boost, Constant, Sparse, Fuse, Search
);
