//! With the feature `metrics`, what `Index::stats` counts goes to the application's recorder.

use lucerne::directory::RamDirectory;
use lucerne::index::IndexBuilder;
use lucerne::search::SearchOptions;
use lucerne::{Cancel, Document, Match, Schema, WriterOptions};
use metrics::{
    Counter, CounterFn, Gauge, Histogram, HistogramFn, Key, KeyName, Metadata, Recorder, SharedString, Unit,
};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// Sums of counters; number and sum of what histograms were given.
#[derive(Clone, Default)]
struct Recorded(Arc<Mutex<BTreeMap<String, (u64, f64)>>>);

struct Named {
    name: String,
    all: Recorded,
}

impl Named {
    fn add(&self, count: u64, value: f64) {
        let mut all = self.all.0.lock().unwrap();
        let own = all.entry(self.name.clone()).or_default();
        *own = (own.0 + count, own.1 + value);
    }
}

impl CounterFn for Named {
    fn increment(&self, value: u64) {
        self.add(value, 0.0);
    }

    fn absolute(&self, _: u64) {
        unreachable!("counters are counted up");
    }
}

impl HistogramFn for Named {
    fn record(&self, value: f64) {
        self.add(1, value);
    }
}

impl Recorder for Recorded {
    fn describe_counter(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
    fn describe_gauge(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
    fn describe_histogram(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}

    fn register_counter(&self, key: &Key, _: &Metadata<'_>) -> Counter {
        Counter::from_arc(Arc::new(Named { name: key.name().to_owned(), all: self.clone() }))
    }

    fn register_gauge(&self, _: &Key, _: &Metadata<'_>) -> Gauge {
        Gauge::noop()
    }

    fn register_histogram(&self, key: &Key, _: &Metadata<'_>) -> Histogram {
        Histogram::from_arc(Arc::new(Named { name: key.name().to_owned(), all: self.clone() }))
    }
}

#[test]
fn a_recorder_is_told_what_stats_count() {
    let recorded = Recorded::default();
    let stats = metrics::with_local_recorder(&recorded, || {
        let schema = Schema::builder().key("id").text("t").build().unwrap();
        let index = IndexBuilder::new().create(Arc::new(RamDirectory::new()), schema).unwrap();
        let writer = index.writer_with(WriterOptions::new().threads(1).merge_threads(0)).unwrap();
        for round in 0..3 {
            for number in 0..10 {
                let document = Document::new().with("id", format!("{round}-{number}")).with("t", "red green");
                writer.add(&document).unwrap();
            }
            writer.commit().unwrap();
        }
        writer.delete("0-1").unwrap();
        writer.force_merge(1, &Cancel::new()).unwrap();
        writer.commit().unwrap();
        let searcher = index.searcher().unwrap();
        searcher.search(Match::new("t", "red")).unwrap();
        searcher.search(Match::new("nothing", "red")).unwrap_err();
        let late = SearchOptions::new().timeout(Duration::ZERO);
        searcher.search_with(Match::new("t", "red"), &late).unwrap_err();
        index.stats()
    });
    let all = recorded.0.lock().unwrap().clone();
    let count = |name: &str| all.get(name).map_or(0, |(count, _)| *count);
    for (name, expected) in [
        ("lucerne_search_seconds", stats.searches.count()),
        ("lucerne_failed_searches_total", stats.failed_searches),
        ("lucerne_timed_out_searches_total", stats.timed_out_searches),
        ("lucerne_hits_total", stats.hits),
        ("lucerne_documents_added_total", stats.documents_added),
        ("lucerne_documents_deleted_total", stats.documents_deleted),
        ("lucerne_flush_seconds", stats.flushes.count()),
        ("lucerne_commit_seconds", stats.commits.count()),
        ("lucerne_merge_seconds", stats.merges.count()),
        ("lucerne_flushed_bytes_total", stats.bytes_flushed),
        ("lucerne_merged_bytes_total", stats.bytes_merged),
    ] {
        assert!(expected > 0, "{name}");
        assert_eq!(count(name), expected, "{name}");
    }
    assert_eq!(count("lucerne_cancelled_searches_total") + count("lucerne_failed_merges_total"), 0);
    let (_, seconds) = all["lucerne_search_seconds"];
    assert!((seconds - stats.searches.total().as_secs_f64()).abs() < 1e-6, "{seconds}");
}
