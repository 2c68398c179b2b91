//! An index in shards: several indexes, each with some of the documents, that are written and searched as one.
//!
//! For documents that one machine cannot hold, or of which several processes are to write different ones at once. In one
//! process, one index is simpler: it searches its segments side by side, too.
//!
//! | file | what it does |
//! |---|---|
//! | `layout` | the folder: `shards.json`, a folder for each shard; which shard has a key |
//! | `writer` | sends each document to its shard; commits all |
//! | `searcher` | one point in time of each shard; searches all |

mod layout;
mod searcher;
mod writer;

pub use layout::{shard_of, shard_path};
pub use searcher::ShardedSearcher;
pub use writer::ShardedWriter;

use crate::error::{Error, Result};
use crate::index::Index;
use crate::schema::Schema;
use crate::writer::WriterOptions;
use std::path::Path;

/// An index in shards, in one folder.
///
/// A document is in the shard that its key says ([`shard_of`]), for good: the number of shards does not change. Each shard is
/// an [`Index`] of its own, in its own folder ([`shard_path`]), with everything that an index has: segments from elsewhere
/// are published to it, it is merged, backed up and checked by itself.
///
/// ```
/// use lucerne::shards::ShardedIndex;
/// use lucerne::{Document, Match, Schema};
///
/// let folder = tempfile::tempdir()?;
/// let schema = Schema::builder().key("id").text("title").build()?;
/// let index = ShardedIndex::create(folder.path().join("notes"), schema, 4)?;
/// let writer = index.writer()?;
/// for (key, title) in [("a", "text editor"), ("b", "small editor"), ("c", "board game")] {
///     writer.add(&Document::new().with("id", key).with("title", title))?;
/// }
/// let generations = writer.commit()?;
/// assert_eq!(generations.len(), 4);
///
/// // Scores are those of one index.
/// let hits = index.searcher()?.search(Match::new("title", "small editor"))?;
/// assert_eq!(hits.keys(), ["b", "a"]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct ShardedIndex {
    shards: Vec<Index>,
}

impl ShardedIndex {
    /// Creates an index of so many shards, from 1 to 1,024, in the folder `path`, which is created if need be.
    ///
    /// # Errors
    /// [`Error::AlreadyExists`] when the folder holds an index, in shards or not; when the schema has automatic keys, which
    /// cannot say where a document is.
    pub fn create(path: impl AsRef<Path>, schema: Schema, shards: usize) -> Result<Self> {
        let path = path.as_ref();
        if schema.key().is_automatic() {
            let problem = "keys are automatic; those of documents in shards must be given".to_owned();
            return Err(Error::Schema { field: Some(schema.key().name().to_owned()), problem });
        }
        layout::begin(path, shards)?;
        let create = |shard| Index::create(shard_path(path, shard), schema.clone());
        let created = (0..shards).map(create).collect::<Result<_>>()?;
        layout::finish(path, shards)?;
        Ok(Self { shards: created })
    }

    /// Opens the index in the folder `path`.
    ///
    /// # Errors
    /// [`Error::NotAnIndex`] when the folder holds no index in shards; else as [`Index::open`].
    pub fn open(path: impl AsRef<Path>) -> Result<Self> {
        let path = path.as_ref();
        let open = |shard| Index::open(shard_path(path, shard));
        Ok(Self { shards: (0..layout::read(path)?).map(open).collect::<Result<_>>()? })
    }

    /// The shards, in the order of their numbers.
    pub fn shards(&self) -> &[Index] {
        &self.shards
    }

    /// The writer: that of each shard, with default options.
    ///
    /// # Errors
    /// [`Error::Locked`] when somebody else has the writer of a shard.
    pub fn writer(&self) -> Result<ShardedWriter> {
        self.writer_with(|_| WriterOptions::default())
    }

    /// The writer, with options for each shard. Memory and threads add up over the shards.
    ///
    /// # Errors
    /// As [`ShardedIndex::writer`].
    pub fn writer_with(&self, options: impl Fn(usize) -> WriterOptions) -> Result<ShardedWriter> {
        let writers = self.shards.iter().enumerate().map(|(shard, index)| index.writer_with(options(shard)));
        Ok(ShardedWriter::new(writers.collect::<Result<_>>()?))
    }

    /// A searcher of the newest point in time of each shard.
    ///
    /// # Errors
    /// As [`Index::searcher`].
    pub fn searcher(&self) -> Result<ShardedSearcher> {
        let shards = self.shards.iter().map(Index::searcher).collect::<Result<_>>()?;
        ShardedSearcher::new(shards)
    }

    /// A searcher of the newest point in time when that of any shard is another one than `searcher` shows.
    ///
    /// # Errors
    /// As [`Index::searcher`].
    pub fn reopen_if_newer(&self, searcher: &ShardedSearcher) -> Result<Option<ShardedSearcher>> {
        let (mut newer, mut is_newer) = (searcher.shards().to_vec(), false);
        for (index, shard) in self.shards.iter().zip(&mut newer) {
            if let Some(reopened) = index.reopen_if_newer(shard)? {
                (*shard, is_newer) = (reopened, true);
            }
        }
        is_newer.then(|| ShardedSearcher::new(newer)).transpose()
    }
}
