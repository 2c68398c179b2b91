//! How long a search took, and what it did in that time.

use std::time::{Duration, Instant};

/// How long a search took. No part of its answer: any two compare equal.
#[derive(Clone, Copy, Debug, Default)]
#[non_exhaustive]
pub struct Timings {
    /// From the call to the hits.
    pub total: Duration,
    /// Looking up fields, analyzing text, looking up terms; kNN queries and fusions inside other queries.
    pub resolve: Duration,
    /// Filters, scores, neighbors and sorting, over all segments.
    pub search: Duration,
    /// Reranking.
    pub rerank: Duration,
    /// Counting and aggregating all documents found.
    pub aggregate: Duration,
    /// Reading keys and stored fields of the hits, and explaining them.
    pub stored: Duration,
}

impl PartialEq for Timings {
    fn eq(&self, _other: &Self) -> bool {
        true
    }
}

/// Measures phases that follow each other.
#[derive(Clone, Copy)]
pub(super) struct Laps {
    begun: Instant,
    last: Instant,
}

impl Laps {
    pub(super) fn begin() -> Self {
        let now = Instant::now();
        Self { begun: now, last: now }
    }

    /// The time since the last lap.
    pub(super) fn lap(&mut self) -> Duration {
        let now = Instant::now();
        now - std::mem::replace(&mut self.last, now)
    }

    /// The time since the beginning.
    pub(super) fn elapsed(&self) -> Duration {
        self.begun.elapsed()
    }

    /// The time until the last lap.
    pub(super) fn total(&self) -> Duration {
        self.last - self.begun
    }
}
