//! What is asked of a shard, and what it answers. Both travel as JSON.

use super::hit::HitOfShard;
use crate::query::Search;
use crate::search::aggregate::Found;
use crate::search::given::GivenRanking;
use crate::search::hits::SegmentSearch;
use crate::search::statistics::TextStatistics;
use crate::search::stop::Stopped;
use crate::search::total::Total;
use serde::{Deserialize, Serialize};

/// What a [`ShardedSearch`](super::ShardedSearch) asks of a shard: [`Searcher::answer`](crate::Searcher::answer).
///
/// As JSON it can be sent to another process with the same release of lucerne.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ShardRequest {
    pub(super) wanted: Wanted,
    /// Of all shards, where text scores matter.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) statistics: Option<TextStatistics>,
    /// Of all shards; the documents that this one has.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) given: Vec<GivenRanking>,
    /// How many shards there are.
    pub(super) shards: usize,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Wanted {
    Statistics(Box<Search>),
    Hits(Vec<Search>),
}

/// What a shard answers to a [`ShardRequest`], for [`ShardedSearch::answered`](super::ShardedSearch::answered). As JSON it can be
/// sent back.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ShardAnswer(pub(super) Answer);

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Answer {
    Statistics(TextStatistics),
    /// Of each search.
    Hits(Vec<HitsOfShard>),
}

/// What one search has found in a shard.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct HitsOfShard {
    pub(super) hits: Vec<HitOfShard>,
    pub(super) exact: bool,
    pub(super) total: TotalOfShard,
    pub(super) segments: Vec<Searched>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) unknown_fields: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) stopped: Option<StoppedBy>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) counted: Vec<Found<'static>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum TotalOfShard {
    Exactly(u64),
    AtLeast(u64),
}

impl From<Total> for TotalOfShard {
    fn from(total: Total) -> Self {
        match total {
            Total::Exactly(docs) => Self::Exactly(docs),
            Total::AtLeast(docs) => Self::AtLeast(docs),
        }
    }
}

impl From<TotalOfShard> for Total {
    fn from(total: TotalOfShard) -> Self {
        match total {
            TotalOfShard::Exactly(docs) => Self::Exactly(docs),
            TotalOfShard::AtLeast(docs) => Self::AtLeast(docs),
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum StoppedBy {
    TimedOut,
    Cancelled,
}

impl From<Stopped> for StoppedBy {
    fn from(stopped: Stopped) -> Self {
        match stopped {
            Stopped::TimedOut => Self::TimedOut,
            Stopped::Cancelled => Self::Cancelled,
        }
    }
}

impl From<StoppedBy> for Stopped {
    fn from(stopped: StoppedBy) -> Self {
        match stopped {
            StoppedBy::TimedOut => Self::TimedOut,
            StoppedBy::Cancelled => Self::Cancelled,
        }
    }
}

/// The strategies of the built-in formats: those of other names travel as "other".
const STRATEGIES: [&str; 8] =
    ["graph", "graph filtered", "scan codes", "scan hashes", "scan raw", "lists", "terms", "none"];

/// How a segment was searched.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Searched {
    segment: String,
    strategy: String,
    visited: u64,
    accepted: u32,
}

impl From<SegmentSearch> for Searched {
    fn from(searched: SegmentSearch) -> Self {
        let SegmentSearch { segment, strategy, visited, accepted } = searched;
        Self { segment, strategy: strategy.to_owned(), visited, accepted }
    }
}

impl Searched {
    /// With the number of its shard before the name of the segment.
    pub(super) fn of_shard(self, shard: usize) -> SegmentSearch {
        let strategy = STRATEGIES.into_iter().find(|known| *known == self.strategy).unwrap_or("other");
        let segment = format!("{shard}/{}", self.segment);
        SegmentSearch { segment, strategy, visited: self.visited, accepted: self.accepted }
    }
}
