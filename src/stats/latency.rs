//! Latencies as a histogram of fixed size: four buckets for each doubling, from a microsecond to an hour.

use super::exported::Exported;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

/// The least and the greatest power of two of nanoseconds that have buckets of their own.
const LEAST: u32 = 10;
const GREATEST: u32 = 41;
/// Buckets of a doubling, as a power of two.
const PARTS: u32 = 2;
const BUCKETS: usize = ((GREATEST - LEAST + 1) << PARTS) as usize;

/// The bucket of a time in nanoseconds.
fn bucket(nanos: u64) -> usize {
    let nanos = nanos.clamp(1 << LEAST, (1 << (GREATEST + 1)) - 1);
    let doubling = nanos.ilog2();
    let part = (nanos >> (doubling - PARTS)) & ((1 << PARTS) - 1);
    (((doubling - LEAST) << PARTS) as usize) + part as usize
}

/// The middle of a bucket, in nanoseconds.
fn middle(bucket: usize) -> u64 {
    let (doubling, part) = (LEAST + (bucket as u32 >> PARTS), bucket as u64 & ((1 << PARTS) - 1));
    let width = 1u64 << (doubling - PARTS);
    ((1 << PARTS) + part) * width + width / 2
}

/// How often something was done, and how long it took.
#[derive(Clone, Default)]
pub struct Latency {
    total: Duration,
    max: Duration,
    counts: Vec<u64>,
}

impl Latency {
    /// How often it was done.
    pub fn count(&self) -> u64 {
        self.counts.iter().sum()
    }

    /// All times together.
    pub fn total(&self) -> Duration {
        self.total
    }

    /// The mean time; 0 when there is none.
    pub fn mean(&self) -> Duration {
        let nanos = self.total.as_nanos() / u128::from(self.count()).max(1);
        Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX))
    }

    /// The longest time.
    pub fn max(&self) -> Duration {
        self.max
    }

    /// The time that this share (0 to 1; 0.99 is the 99th percentile) did not exceed: at most an eighth off. 0 when there
    /// is none.
    pub fn percentile(&self, share: f64) -> Duration {
        let wanted = (self.count() as f64 * share.clamp(0.0, 1.0)).ceil().max(1.0) as u64;
        let mut seen = 0;
        let found = self.counts.iter().position(|count| {
            seen += count;
            seen >= wanted
        });
        found.map_or(Duration::ZERO, |bucket| Duration::from_nanos(middle(bucket)).min(self.max))
    }

    /// What was done since `earlier`.
    pub(super) fn since(&self, earlier: &Self) -> Self {
        let then = earlier.counts.iter().chain(std::iter::repeat(&0));
        Self {
            total: self.total.saturating_sub(earlier.total),
            max: self.max,
            counts: self.counts.iter().zip(then).map(|(now, then)| now.saturating_sub(*then)).collect(),
        }
    }
}

impl std::fmt::Debug for Latency {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Latency")
            .field("count", &self.count())
            .field("p50", &self.percentile(0.5))
            .field("p99", &self.percentile(0.99))
            .field("max", &self.max)
            .finish_non_exhaustive()
    }
}

/// Records latencies, from any thread and without a lock.
#[derive(Debug)]
pub(crate) struct Timer {
    total: AtomicU64,
    max: AtomicU64,
    counts: [AtomicU64; BUCKETS],
    exported: Exported,
}

impl Timer {
    pub(super) fn new(name: &'static str) -> Self {
        Self {
            total: AtomicU64::default(),
            max: AtomicU64::default(),
            counts: [const { AtomicU64::new(0) }; BUCKETS],
            exported: Exported::new(name),
        }
    }

    pub(crate) fn record(&self, took: Duration) {
        self.exported.took(took);
        let nanos = u64::try_from(took.as_nanos()).unwrap_or(u64::MAX);
        self.total.fetch_add(nanos, Relaxed);
        self.max.fetch_max(nanos, Relaxed);
        if let Some(count) = self.counts.get(bucket(nanos)) {
            count.fetch_add(1, Relaxed);
        }
    }

    pub(super) fn read(&self) -> Latency {
        Latency {
            total: Duration::from_nanos(self.total.load(Relaxed)),
            max: Duration::from_nanos(self.max.load(Relaxed)),
            counts: self.counts.iter().map(|count| count.load(Relaxed)).collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_percentile_is_at_most_an_eighth_off() {
        for nanos in
            (0..41).flat_map(|power| [1u64 << power, (1 << power) + (1 << power) / 3, (2 << power) - 1])
        {
            let (timer, time) = (Timer::new("test"), Duration::from_nanos(nanos));
            timer.record(time);
            timer.record(Duration::MAX);
            let found = timer.read().percentile(0.5).as_nanos() as f64;
            let expected = (nanos as f64).max(1_024.0);
            assert!((found / expected - 1.0).abs() <= 0.13, "{nanos}: {found}");
        }
    }

    #[test]
    fn percentiles_ascend_to_the_greatest() {
        let timer = Timer::new("test");
        assert_eq!(timer.read().percentile(0.5), Duration::ZERO);
        (1..=1_000).for_each(|micros| timer.record(Duration::from_micros(micros)));
        let latency = timer.read();
        let at = |share| latency.percentile(share).as_micros();
        assert_eq!((latency.count(), latency.mean().as_micros()), (1_000, 500));
        assert!((440..=560).contains(&at(0.5)) && (870..=1_000).contains(&at(0.99)), "{latency:?}");
        assert!(at(0.0) <= at(0.5) && at(0.99) <= at(1.0) && at(1.0) <= latency.max().as_micros());
    }
}
