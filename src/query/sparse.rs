//! Queries by sparse vectors.

use crate::document::SparseVector;
use serde::{Deserialize, Serialize};

/// Finds the documents that share a dimension with a sparse vector. The score is the inner product of the two vectors.
///
/// It is a scoring query like [`Match`](crate::Match): alone it ranks documents, in a [`Bool`](crate::Bool) its score adds
/// to that of other clauses, in a [`Fuse`](crate::Fuse) its ranking joins others. Scores are exact: products of the weights
/// as they were added, summed in double precision. Weights of the query are at least 0, as those of documents are.
///
/// ```
/// # fn main() -> lucerne::Result<()> {
/// use lucerne::document::SparseVector;
/// use lucerne::{Document, Index, Schema, Sparse};
///
/// let folder = tempfile::tempdir().unwrap();
/// let schema = Schema::builder().key("id").sparse_vector("splade").build()?;
/// let index = Index::create(folder.path(), schema)?;
/// let writer = index.writer()?;
/// writer.add(&Document::new().with("id", "a").with("splade", SparseVector::new([(12, 0.5), (900, 2.0)])))?;
/// writer.add(&Document::new().with("id", "b").with("splade", SparseVector::new([(12, 1.0)])))?;
/// writer.commit()?;
///
/// let hits = index.searcher()?.search(Sparse::new("splade", [(12, 1.0), (900, 0.25)]))?;
/// assert_eq!(hits.keys(), ["a", "b"]);
/// assert_eq!((hits.hits[0].score, hits.hits[1].score), (1.0, 1.0)); // Ties go by key.
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sparse {
    pub(crate) field: String,
    pub(crate) vector: SparseVector,
}

impl Sparse {
    /// Documents with a dimension of `vector` in the sparse_vector field `field`. The vector has up to 65,536 dimensions.
    pub fn new(field: impl Into<String>, vector: impl Into<SparseVector>) -> Self {
        Self { field: field.into(), vector: vector.into() }
    }
}
