//! The documents that match, for those who do something else with them than search.

use super::options::SearchOptions;
use super::run::{Run, Scope};
use super::unknown_fields::unknown_fields;
use crate::error::{Error, Result};
use crate::query::{Query, Search};
use crate::reader::{Snapshot, Store};
use lucerne_codec::{BitSet, Cancel};

/// The live documents of a snapshot that match a query.
pub(crate) struct Matches {
    /// One set for each segment, in their order.
    pub(crate) segments: Vec<BitSet>,
    /// As in [`Hits::unknown_fields`](super::Hits::unknown_fields).
    pub(crate) unknown_fields: Vec<String>,
}

/// Finds the documents that match. Memory: a bit for each document.
pub(crate) fn matches(store: &Store, snapshot: &Snapshot, query: Query, cancel: &Cancel) -> Result<Matches> {
    let options = SearchOptions::new().cancel(cancel);
    let Store { analyzers, counters, memory, .. } = store;
    let search = Search::new(query);
    let unknown_fields = unknown_fields(snapshot, &search)?;
    let segments =
        Run { snapshot, analyzers, counters, memory, options: &options, scope: Scope::Whole, known: None }
            .each_match(search, |docs| docs)?;
    match segments.len() == snapshot.segments.len() {
        true => Ok(Matches { segments, unknown_fields }),
        false => Err(Error::Cancelled),
    }
}
