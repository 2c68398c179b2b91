//! Reranking: a second score for the best documents of a search.

use super::{Decay, FieldValue, Query};
use crate::document::QueryVector;
use serde::{Deserialize, Serialize};

/// What the second score of a [`Rerank`] is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum RerankBy {
    /// The exact similarity of the document's nearest vector to a query vector; 0 for a document without a vector.
    Vector {
        /// The vector field.
        field: String,
        /// The query vector.
        vector: QueryVector,
        /// As Solr's `topK`: only documents among this many nearest of the whole index get their similarity, the
        /// others 0. By default every document in the window gets its similarity.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        compat_topk: Option<usize>,
    },
    /// Late interaction: the sum over query vectors of their greatest similarity to a vector of the document; 0 for a
    /// document without a vector.
    MaxSim {
        /// The vector field, usually one with several vectors in a document.
        field: String,
        /// The query vectors, 1 to 1,024.
        vectors: Vec<QueryVector>,
    },
    /// The score of another query; 0 for a document that does not match it.
    Query(Box<Query>),
    /// How near a number or date is to an origin.
    Decay(Decay),
    /// A number of the document.
    FieldValue(FieldValue),
    /// Maximal marginal relevance: no second score, but an order of the best documents that are unlike each other.
    Mmr {
        /// The vector field by which documents are like each other.
        field: String,
        /// From 0, as unlike each other as can be, to 1, the order of the search.
        #[serde(default = "half")]
        lambda: f32,
    },
}

fn half() -> f32 {
    0.5
}

/// How the second score of a [`Rerank`] joins the first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Combine {
    /// First score + weight × second score.
    #[default]
    Add,
    /// First score × weight × second score.
    Multiply,
    /// Weight × second score.
    Replace,
}

/// Reranks the best documents of a search: score = score of the query + weight × second score (or the product of these;
/// [`Rerank::mmr`] differs). Documents beyond the window follow in their order. See [`Search::rerank`](super::Search::rerank).
///
/// ```
/// # fn main() -> lucerne::Result<()> {
/// # let searcher = include!(concat!(env!("CARGO_MANIFEST_DIR"), "/src/query/example.in"));
/// use lucerne::{Match, Rerank, Search};
///
/// let search = Search::new(Match::new("title", "editor"));
/// assert_eq!(searcher.search(&search)?.keys(), ["vim", "nano"]);
/// let reranked = search.rerank(Rerank::vector("v", [2.0, 0.0]).window(50).weight(10.0));
/// assert_eq!(searcher.search(reranked)?.keys(), ["nano", "vim"]);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rerank {
    pub(crate) by: RerankBy,
    #[serde(default = "window")]
    pub(crate) window: usize,
    #[serde(default = "weight")]
    pub(crate) weight: f32,
    #[serde(default, skip_serializing_if = "Combine::is_default")]
    pub(crate) combine: Combine,
}

impl Combine {
    fn is_default(&self) -> bool {
        *self == Self::Add
    }
}

fn window() -> usize {
    crate::limits::DEFAULT_CANDIDATES
}

fn weight() -> f32 {
    1.0
}

impl Rerank {
    /// Reranks by the exact similarity to `vector` in the vector field `field`; by the similarity of its codes where the
    /// field keeps no raw vectors, and [`Hits::exact`](crate::Hits) is false then.
    pub fn vector(field: impl Into<String>, vector: impl Into<QueryVector>) -> Self {
        let (field, vector) = (field.into(), vector.into());
        Self::by(RerankBy::Vector { field, vector, compat_topk: None })
    }

    fn by(by: RerankBy) -> Self {
        Self { by, window: window(), weight: weight(), combine: Combine::Add }
    }

    /// Reranks by late interaction (ColBERT's MaxSim): the sum over `vectors`, 1 to 1,024, of the greatest similarity of each
    /// to any vector that the document has in `field`. The similarity is the cosine or inner product itself, by the field's
    /// metric; of other metrics it is their score. By codes where the field keeps no raw vectors. Usually it
    /// [replaces](Rerank::replace) the score of the search.
    ///
    /// ```
    /// # fn main() -> lucerne::Result<()> {
    /// use lucerne::{Document, Index, Match, Rerank, Schema, Search, Vector};
    ///
    /// let folder = tempfile::tempdir().unwrap();
    /// let tokens = Vector::f32(2).multiple();
    /// let index = Index::create(folder.path(), Schema::builder().key("id").text("t").vector("tokens", tokens).build()?)?;
    /// let writer = index.writer()?;
    /// let document = |id, tokens: [[f32; 2]; 2]| {
    ///     let tokens: Vec<Vec<f32>> = tokens.iter().map(|one| one.to_vec()).collect();
    ///     Document::new().with("id", id).with("t", "ant").with("tokens", tokens)
    /// };
    /// writer.add(&document("a", [[1.0, 0.0], [0.8, 0.6]]))?;
    /// writer.add(&document("b", [[1.0, 0.0], [0.0, 1.0]]))?;
    /// writer.commit()?;
    ///
    /// let rerank = Rerank::max_sim("tokens", [[1.0_f32, 0.0], [0.0, 1.0]]).replace();
    /// let hits = index.searcher()?.search(Search::new(Match::new("t", "ant")).rerank(rerank))?;
    /// assert_eq!(hits.keys(), ["b", "a"]);
    /// assert!((hits.hits[0].score - 2.0).abs() < 1e-6 && (hits.hits[1].score - 1.6).abs() < 1e-6);
    /// # Ok(())
    /// # }
    /// ```
    pub fn max_sim<V: Into<QueryVector>>(
        field: impl Into<String>,
        vectors: impl IntoIterator<Item = V>,
    ) -> Self {
        let vectors = vectors.into_iter().map(Into::into).collect();
        Self::by(RerankBy::MaxSim { field: field.into(), vectors })
    }

    /// Reranks by the score of another query.
    pub fn query(query: impl Into<Query>) -> Self {
        Self::by(RerankBy::Query(Box::new(query.into())))
    }

    /// Prefers documents whose number or date is near an origin. Usually [multiplied](Rerank::multiply).
    ///
    /// ```
    /// # fn main() -> lucerne::Result<()> {
    /// # let searcher = include!(concat!(env!("CARGO_MANIFEST_DIR"), "/src/query/example.in"));
    /// use lucerne::query::Decay;
    /// use lucerne::{Match, Rerank, Search};
    ///
    /// let small = Rerank::decay(Decay::gauss("size", 0, 1_000.0)).multiply();
    /// let search = Search::new(Match::new("title", "editor")).rerank(small);
    /// assert_eq!(searcher.search(search)?.keys(), ["nano", "vim"]);
    /// # Ok(())
    /// # }
    /// ```
    pub fn decay(decay: Decay) -> Self {
        Self::by(RerankBy::Decay(decay))
    }

    /// Prefers documents with a large number in a field.
    ///
    /// ```
    /// # fn main() -> lucerne::Result<()> {
    /// # let searcher = include!(concat!(env!("CARGO_MANIFEST_DIR"), "/src/query/example.in"));
    /// use lucerne::query::{FieldValue, Modifier};
    /// use lucerne::{Query, Rerank, Search};
    ///
    /// let large = Rerank::field_value(FieldValue::new("size").modifier(Modifier::Log1p));
    /// let search = Search::new(Query::all()).rerank(large).limit(2);
    /// assert_eq!(searcher.search(search)?.keys(), ["vim", "chess"]);
    /// # Ok(())
    /// # }
    /// ```
    pub fn field_value(value: FieldValue) -> Self {
        Self::by(RerankBy::FieldValue(value))
    }

    /// Orders the documents of the window so that they are good and unlike each other (maximal marginal relevance): one
    /// after the other, the one with the largest `lambda` · relevance − (1 − `lambda`) · similarity, which becomes its
    /// score. Relevance is the score of the search divided by the best one; similarity is that of the vectors in `field` to
    /// those of the documents before it, the largest, and 0 without a vector. `lambda` is from 0 to 1. The weight has no
    /// part in it.
    ///
    /// ```
    /// # fn main() -> lucerne::Result<()> {
    /// # let searcher = include!(concat!(env!("CARGO_MANIFEST_DIR"), "/src/query/example.in"));
    /// use lucerne::query::Exists;
    /// use lucerne::{Rerank, Search};
    ///
    /// let search = Search::new(Exists::new("v")).rerank(Rerank::mmr("v", 0.3)).limit(2);
    /// assert_eq!(searcher.search(search)?.keys(), ["chess", "vim"]); // nano lies between them
    /// # Ok(())
    /// # }
    /// ```
    pub fn mmr(field: impl Into<String>, lambda: f32) -> Self {
        Self::by(RerankBy::Mmr { field: field.into(), lambda })
    }

    /// The number of best documents that are reranked, from 1 to 10,000. Default: 100.
    #[must_use]
    pub fn window(mut self, hits: usize) -> Self {
        self.window = hits;
        self
    }

    /// Multiplies the first score by the second, instead of adding it.
    #[must_use]
    pub fn multiply(mut self) -> Self {
        self.combine = Combine::Multiply;
        self
    }

    /// Takes the second score, times the weight, in place of the first.
    #[must_use]
    pub fn replace(mut self) -> Self {
        self.combine = Combine::Replace;
        self
    }

    /// Multiplies the second score: a finite number. Default: 1.
    #[must_use]
    pub fn weight(mut self, weight: f32) -> Self {
        self.weight = weight;
        self
    }

    /// As Solr's `topK`: only documents among the `k` nearest of the whole index get their similarity, the others 0.
    /// It has no effect on a reranking by a query.
    #[must_use]
    pub fn compat_topk(mut self, k: usize) -> Self {
        if let RerankBy::Vector { compat_topk, .. } = &mut self.by {
            *compat_topk = Some(k);
        }
        self
    }
}
