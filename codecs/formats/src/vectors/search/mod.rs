//! A search in one segment: through the graph, through inverted lists, or past all accepted vectors.
//!
//! # Strategies
//! - **Graph**: a search scores about `10 · (ef + 20)` vectors, found by measuring; with a filter that accepts a
//!   share p of the vectors it must go through `ef / p` of them to keep `ef`.
//! - **Filtered graph** (`hnsw/graph`): accepted vectors only, through the links of others.
//! - **Scan** of the accepted vectors: sequential, which costs a fraction of a random access, or gathered by their
//!   ordinals, when few are accepted.
//!
//! The cheapest estimate is taken (`cost`). Estimates cannot know whether the accepted vectors are near the query; so
//! graph searches have budgets, and what is given up is followed by the next cheapest strategy. All strategies end with
//! the same distances: the choice changes speed and recall, never the order of what is found.
//!
//! # Several vectors a document
//! A document counts once, by its nearest vector. Where its vectors crowd out other documents, a graph search is
//! repeated with twice the ef until it finds enough documents or a scan is cheaper.
//!
//! | file | idea |
//! |---|---|
//! | `request` | `Search`: segment, request and how many vectors are accepted |
//! | `query` | a query prepared for the encoding that is searched |
//! | `strategy` | which strategy is tried next, and what follows it |
//! | `cost` | what strategies are expected to cost |
//! | `graph`, `scan`, `ivf` | the strategies |
//! | `together` | exact searches of many queries at once |
//! | `together_codes` | searches of many queries at once that compare all accepted codes |
//! | `together_bits`, `together_lists` | searches of many binary queries at once: of all vectors, of inverted lists |
//! | `rescore` | 4-bit → 8-bit codes, hashes → raw vectors, estimates → raw vectors |
//! | `trace` | what graph searches with more and more candidates find, told by one |
//! | `collector` | the nearest of a stream, vectors or documents |
//! | `shortlist` | the nearest of a stream by cheap distances, to be compared better |

mod collector;
pub(super) mod cost;
mod graph;
mod ivf;
mod query;
mod request;
mod rescore;
mod scan;
mod shortlist;
mod strategy;
mod together;
mod together_bits;
mod together_codes;
mod together_lists;
mod trace;
mod work;

pub(super) use collector::Collector;
pub(super) use request::{Measured, Scratch};
pub(super) use rescore::rescore_neighbors;
pub(super) use strategy::{run, run_measured};
pub(super) use together::search_together;
pub(super) use trace::{Trace, TracedQuery};
pub(super) use work::{candidates, to_reach};
