//! How many documents a search has found.

use serde::Serialize;
use serde::ser::{SerializeStruct, Serializer};

/// How many documents match a search, on all pages; with groups documents, not groups.
///
/// Of a [`Knn`](crate::Knn) with `k` these are its neighbors, of a [`Fuse`](crate::Fuse) the documents within its windows.
/// A search for words looks only at documents that may be among its hits, so that it knows no more than
/// [`Total::AtLeast`] unless it is to count all ([`Search::count_total`](crate::Search::count_total)), or to aggregate. A
/// [`Knn`](crate::Knn) without `k` is searched as deep as its page takes, and knows no more either.
///
/// As JSON it is `{"value": 7, "relation": "eq"}`, or `"gte"`, as in Lucene and Elasticsearch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Total {
    /// So many.
    Exactly(u64),
    /// So many, or more.
    AtLeast(u64),
}

impl Default for Total {
    fn default() -> Self {
        Self::Exactly(0)
    }
}

impl Total {
    /// The number.
    pub fn value(self) -> u64 {
        match self {
            Self::Exactly(value) | Self::AtLeast(value) => value,
        }
    }

    /// True when there are no more.
    pub fn is_exact(self) -> bool {
        matches!(self, Self::Exactly(_))
    }

    /// The same of a search that did not look everywhere.
    pub(super) fn at_least(self) -> Self {
        Self::AtLeast(self.value())
    }
}

impl Serialize for Total {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut total = serializer.serialize_struct("Total", 2)?;
        total.serialize_field("value", &self.value())?;
        total.serialize_field("relation", if self.is_exact() { "eq" } else { "gte" })?;
        total.end()
    }
}
