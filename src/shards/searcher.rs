//! Searches all shards.

use crate::document::Document;
use crate::error::{Error, Result};
use crate::query::Search;
use crate::schema::Schema;
use crate::search::{Hits, SearchOptions, Searcher, search_shards};

/// One point in time of each shard of an index. Its answers never change.
///
/// Hits, scores, order, totals and aggregations are those of one index of all documents: [`ShardedSearch`](crate::search::ShardedSearch)
/// says how, and what is not supported.
#[derive(Clone, Debug)]
pub struct ShardedSearcher {
    shards: Vec<Searcher>,
    schema: Schema,
}

impl ShardedSearcher {
    /// Of searchers that are open, of indexes with one schema that have no document in common.
    ///
    /// # Errors
    /// When there is none.
    pub fn new(shards: Vec<Searcher>) -> Result<Self> {
        let none = || Error::Invalid("no shards, expected at least 1".to_owned());
        let schema = shards.first().ok_or_else(none)?.schema().clone();
        Ok(Self { shards, schema })
    }

    /// The searchers of the shards, in the order of their numbers.
    pub fn shards(&self) -> &[Searcher] {
        &self.shards
    }

    /// The schema of the first shard.
    pub fn schema(&self) -> &Schema {
        &self.schema
    }

    /// The generation of each shard's commit.
    pub fn generations(&self) -> Vec<u64> {
        self.shards.iter().map(Searcher::generation).collect()
    }

    /// Number of documents, without deleted ones.
    pub fn len(&self) -> u64 {
        self.shards.iter().map(Searcher::len).sum()
    }

    /// True when there are no documents.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Runs a [`Search`] over all shards.
    ///
    /// # Errors
    /// As [`Searcher::search`], and for what is not supported over shards.
    pub fn search(&self, search: impl Into<Search>) -> Result<Hits> {
        self.search_with(search, &SearchOptions::default())
    }

    /// The same with a deadline, a way to cancel it, or several threads, on which shards are searched side by side.
    ///
    /// With [`SearchOptions::partial`] a shard that is stopped gives the hits that it has found, or none when only whole
    /// rankings would be of use: [`Hits::stopped`], [`Hits::shards`].
    ///
    /// # Errors
    /// As [`ShardedSearcher::search`] and [`Searcher::search_with`].
    pub fn search_with(&self, search: impl Into<Search>, options: &SearchOptions) -> Result<Hits> {
        search_shards(&self.shards, &self.schema, search.into(), options)
    }

    /// The number of documents that match a query and its filter.
    ///
    /// # Errors
    /// As [`ShardedSearcher::search`].
    pub fn count(&self, search: impl Into<Search>) -> Result<u64> {
        Ok(self.search(search.into().count_total(true))?.total.value())
    }

    /// The stored document of a key; `None` when there is none.
    ///
    /// # Errors
    /// As [`Searcher::get`].
    pub fn get(&self, key: &str) -> Result<Option<Document>> {
        let found = self.shards.iter().map(|shard| shard.get(key).transpose());
        found.flatten().next().transpose()
    }
}
