//! Numbers under a name, for the application's recorder: with the feature `metrics` only.

use std::time::Duration;

/// The name of a counter or a histogram.
#[cfg(feature = "metrics")]
#[derive(Debug)]
pub(super) struct Exported(&'static str);

#[cfg(feature = "metrics")]
impl Exported {
    pub(super) fn new(name: &'static str) -> Self {
        Self(name)
    }

    pub(super) fn count(&self, count: u64) {
        metrics::counter!(self.0).increment(count);
    }

    pub(super) fn took(&self, time: Duration) {
        metrics::histogram!(self.0).record(time);
    }
}

/// Without the feature it is nothing.
#[cfg(not(feature = "metrics"))]
#[derive(Debug)]
pub(super) struct Exported;

#[cfg(not(feature = "metrics"))]
impl Exported {
    pub(super) fn new(_: &'static str) -> Self {
        Self
    }

    pub(super) fn count(&self, _: u64) {}

    pub(super) fn took(&self, _: Duration) {}
}
