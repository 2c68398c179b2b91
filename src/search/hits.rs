//! What a search returns.

use super::aggregate::{Aggregate, Bucket};
use super::explanation::Explanation;
use super::phases::Timings;
use super::stop::Stopped;
use super::total::Total;
use crate::error::Result;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// A document that a search found.
///
/// ```
/// # fn main() -> lucerne::Result<()> {
/// # use lucerne::{Document, Index, Knn, Schema, Search, Similarity, Vector};
/// # let folder = tempfile::tempdir().unwrap();
/// # let v = Vector::f32(2).similarity(Similarity::Euclidean);
/// # let index = Index::create(folder.path(), Schema::builder().key("id").vector("v", v).i64("size").build()?)?;
/// # let writer = index.writer()?;
/// writer.add(&Document::new().with("id", "a").with("size", 7).with("v", vec![3.0, 4.0]))?;
/// writer.commit()?;
/// let nearest = Search::from(Knn::new("v", [0.0, 0.0])).fields(["size"]).vectors(["v"]);
/// let hits = index.searcher()?.search(nearest)?;
/// let hit = &hits.hits[0];
/// assert_eq!(hit.key, "a");
/// assert!(hit.score > 0.0 && hit.distance.is_some());
/// assert_eq!(hit.fields.as_ref().unwrap()["size"], 7);
/// assert_eq!(hit.vectors["v"], [[3.0, 4.0]]);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Hit {
    /// The document's key.
    pub key: String,
    /// Larger is better; finite, comparable across segments and across searches with the same query.
    pub score: f32,
    /// Distance of the document's nearest vector to the query vector, when a [`Knn`](crate::Knn) query found the
    /// document or a [`Rerank`](crate::Rerank) by vector scored it; smaller is nearer.
    pub distance: Option<f32>,
    /// In a field with several vectors per document: the index of the document's nearest vector, from 0.
    pub vector: Option<u32>,
    /// Stored fields, when the search asks for them.
    pub fields: Option<Map<String, Value>>,
    /// Its vectors in each field of [`Search::vectors`](crate::Search::vectors), in the order they were given (none if it
    /// has none): bit for bit, bits as zeros and ones; of a field that keeps no raw vectors what the codes stand for.
    pub vectors: BTreeMap<String, Vec<Vec<f32>>>,
    /// Fragments of texts with the words of the query, by field, when the search asks for them
    /// ([`Search::highlight`](crate::Search::highlight)). Texts without any are left out.
    pub highlights: BTreeMap<String, Vec<String>>,
    /// How the score was computed, when the search asks for it.
    pub explanation: Option<Explanation>,
    /// The group that it is the best hit of, when the search groups its hits
    /// ([`Search::group_by`](crate::Search::group_by)).
    pub group: Option<Group>,
}

/// The other hits of a group.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct Group {
    /// The value that all hits of the group have; `None` of a document without one, which is a group of its own.
    pub value: Option<crate::Value>,
    /// The next best hits of the group, best first.
    pub next: Vec<Hit>,
}

impl Hit {
    /// The returned fields as a value of the application's own type. The key is among the fields when the search
    /// asks for all of them or names it.
    ///
    /// ```
    /// # fn main() -> lucerne::Result<()> {
    /// # use lucerne::{Document, Index, Query, Schema, Search};
    /// # let folder = tempfile::tempdir().unwrap();
    /// # let index = Index::create(folder.path(), Schema::builder().key("id").i64("size").build()?)?;
    /// #[derive(serde::Serialize, serde::Deserialize, PartialEq, Debug)]
    /// struct Package {
    ///     id: String,
    ///     size: u64,
    /// }
    ///
    /// let vim = Package { id: "vim".into(), size: 12 };
    /// let writer = index.writer()?;
    /// writer.add(&Document::from_serialize(&vim)?)?;
    /// writer.commit()?;
    /// let hits = index.searcher()?.search(Search::new(Query::all()).fields(["id", "size"]))?;
    /// assert_eq!(hits.hits[0].deserialize::<Package>()?, vim);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`Error::Json`](crate::Error::Json) when the fields do not fit the type, among other reasons because the search
    /// did not ask for them.
    pub fn deserialize<T: DeserializeOwned>(&self) -> Result<T> {
        let fields = self.fields.clone().unwrap_or_default();
        Ok(serde_json::from_value(Value::Object(fields))?)
    }
}

/// The hits of a search, best first (or as sorted). Documents with the same score are in the order of their
/// keys' bytes.
///
/// ```
/// # fn main() -> lucerne::Result<()> {
/// # use lucerne::{Document, Index, Query, Schema};
/// # let folder = tempfile::tempdir().unwrap();
/// # let index = Index::create(folder.path(), Schema::builder().key("id").build()?)?;
/// # let writer = index.writer()?;
/// writer.add(&Document::new().with("id", "b"))?;
/// writer.add(&Document::new().with("id", "a"))?;
/// writer.commit()?;
/// let hits = index.searcher()?.search(Query::all())?;
/// assert_eq!(hits.keys(), ["a", "b"]);
/// assert_eq!(hits.segments[0].strategy, "terms");
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct Hits {
    /// The hits of this page.
    pub hits: Vec<Hit>,
    /// False when some distances are estimates from quantized vectors; true when every distance is exact.
    pub exact: bool,
    /// How each segment was searched.
    pub segments: Vec<SegmentSearch>,
    /// In a dynamic schema: fields that the search names, but neither the schema nor any document has. They may be
    /// misspelt. A query finds nothing in them, and they are not returned.
    pub unknown_fields: Vec<String>,
    /// Why the search did not look everywhere, if it was stopped and was to return what it had found
    /// ([`SearchOptions::partial`](super::SearchOptions::partial)): then there may be better hits than these.
    pub stopped: Option<Stopped>,
    /// How many documents the search finds, on all pages.
    pub total: Total,
    /// The results of the search's aggregations, by name. Of a search that was [`stopped`](Hits::stopped) they are of the
    /// documents that it came to.
    pub aggregations: BTreeMap<String, Aggregate>,
    /// How many shards have answered, of a search over shards ([`ShardedSearch`](super::ShardedSearch)).
    pub shards: Option<Shards>,
    /// How long it took. Hits compare equal whatever this is.
    pub took: Timings,
}

/// How many shards a search has asked, and how many have answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shards {
    /// All there are.
    pub total: usize,
    /// Those whose documents were searched. When fewer than all, there may be better hits than these, and totals and
    /// aggregations are those of the documents that were searched.
    pub answered: usize,
}

impl Hits {
    /// The buckets of an aggregation by its name, of a [facet](crate::Search::facet) by its field; `None` when there is none,
    /// or when it is a number.
    pub fn buckets(&self, name: &str) -> Option<&[Bucket]> {
        self.aggregations.get(name)?.buckets()
    }

    /// The keys of the hits, in order.
    pub fn keys(&self) -> Vec<&str> {
        self.hits.iter().map(|hit| &*hit.key).collect()
    }
}

/// How one segment was searched.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct SegmentSearch {
    /// Segment name.
    pub segment: String,
    /// The search strategy:
    ///
    /// | strategy | what was done |
    /// |---|---|
    /// | `graph` | the HNSW graph was searched |
    /// | `graph filtered` | the graph was searched, restricted to the documents that the filter accepts |
    /// | `scan codes` | all accepted vectors were compared by their int8 codes |
    /// | `scan hashes` | all accepted vectors were compared by their sign hashes |
    /// | `scan raw` | all accepted vectors were compared exactly |
    /// | `lists` | the nearest inverted lists were probed |
    /// | `terms` | postings and columns were read; no vectors were involved |
    /// | `none` | nothing was to be done: no document is accepted |
    ///
    /// A vector format of your own may report other names.
    pub strategy: &'static str,
    /// Number of distances computed, or of documents scored.
    pub visited: u64,
    /// Number of live documents that the filter accepts.
    pub accepted: u32,
}
