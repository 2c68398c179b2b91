//! A search over several indexes (shards) that together hold the documents: what to ask each of them, and how their
//! answers become the hits that one index of all documents has.
//!
//! | file | what it does | in Elasticsearch |
//! |---|---|---|
//! | `needs` | which words' statistics and which rankings of all shards a search needs; what is not supported | `can_match`, DFS |
//! | `protocol` | requests and answers | transport actions |
//! | `hit` | hits as they travel | |
//! | `answer` | what a shard answers | query and fetch phase |
//! | `known` | rankings of all shards | `TopDocs.merge`, RRF |
//! | `merge` | hits, totals and aggregations of all shards | `SearchPhaseController` |
//! | `local` | searches shards that are open in this process | |
//! | `sharded` | which request follows which answer | `dfs_query_then_fetch` |

mod answer;
mod hit;
mod known;
mod local;
mod merge;
mod needs;
mod protocol;
mod sharded;

pub(crate) use local::search_shards;
pub use protocol::{ShardAnswer, ShardRequest};
pub use sharded::ShardedSearch;
pub(crate) use sharded::check_number;
