//! Aggregations: what to count and compute over all documents that a search finds.

use super::Range;
use crate::document::Value;
use crate::limits::DEFAULT_K;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::time::Duration;

/// What to count or compute over all documents that a search finds, not only those of its page. See
/// [`Search::aggregate`](super::Search::aggregate).
///
/// | made by | JSON | result |
/// |---|---|---|
/// | [`terms`](Self::terms) | `{"terms": {"field", "size": 10, "min_doc_count": 1}}` | the most frequent values, with how many documents have each |
/// | [`ranges`](Self::ranges) | `{"range": {"field", "ranges": [{"key", "from", "to"}]}}` | documents with a value of at least `from` and below `to`, for each range |
/// | [`histogram`](Self::histogram) | `{"histogram": {"field", "interval", "offset": 0, "min_doc_count": 0}}` | documents by intervals of equal length |
/// | [`dates`](Self::dates), [`periods`](Self::periods) | `{"date_histogram": {"field", "calendar_interval": "month"}}` or `"fixed_interval": "12h"` | documents by minutes, hours, days, weeks, months, quarters or years in UTC, or by periods of a fixed length |
/// | [`min`](Self::min), [`max`](Self::max), [`avg`](Self::avg), [`sum`](Self::sum) | `{"min": {"field"}}` … | of all values; none where there are no values |
/// | [`count`](Self::count) | `{"value_count": {"field"}}` | the number of values |
/// | [`distinct`](Self::distinct) | `{"cardinality": {"field"}}` | the number of different values, exact |
/// | [`stats`](Self::stats) | `{"stats": {"field"}}` | count, min, max, avg and sum |
/// | [`percentiles`](Self::percentiles) | `{"percentiles": {"field", "percents": [1, 5, 25, 50, 75, 95, 99]}}` | exact; between two values, linear (as numpy) |
///
/// The JSON is that of Elasticsearch and tantivy, with `aggs` beside the kind for aggregations inside each bucket
/// ([`sub`](Self::sub)). All results are exact. A document with several values counts once in each bucket that it has a
/// value in, and with all of its values in numbers. Documents without a value count nowhere.
///
/// Fields of keywords, numbers, dates and truth values can be aggregated, and undeclared fields of a dynamic schema: by
/// [`terms`](Self::terms), [`count`](Self::count) and [`distinct`](Self::distinct) their strings of up to 1,024 bytes,
/// numbers and truth values, by the others their numbers. Text and vector fields, the key, and fields with
/// `indexed: false` cannot.
///
/// ```
/// # fn main() -> lucerne::Result<()> {
/// # let searcher = include!(concat!(env!("CARGO_MANIFEST_DIR"), "/src/query/example.in"));
/// use lucerne::query::Aggregation;
/// use lucerne::{Query, Search};
///
/// let by_section = Aggregation::terms("section").sub("largest", Aggregation::max("size"));
/// let hits = searcher.search(Search::new(Query::all()).limit(1).aggregate("sections", by_section))?;
/// let sections = hits.buckets("sections").unwrap();
/// assert_eq!((sections[0].key.clone(), sections[0].count), ("editors".into(), 2));
/// assert_eq!(sections[0].aggregations["largest"].value(), Some(&3000.into()));
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Aggregation {
    pub(crate) field: String,
    pub(crate) kind: AggregationKind,
    pub(crate) aggs: BTreeMap<String, Aggregation>,
}

/// What an aggregation does with the values of its field.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum AggregationKind {
    Terms { size: usize, min_count: u64 },
    Ranges(Vec<ValueRange>),
    Histogram { interval: f64, offset: f64, min_count: u64 },
    Dates { every: Every, min_count: u64 },
    Metric(Metric),
}

/// A range of values: at least `from`, below `to`.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct ValueRange {
    pub(crate) key: Option<String>,
    pub(crate) from: Option<Value>,
    pub(crate) to: Option<Value>,
}

impl ValueRange {
    /// The name of its bucket.
    pub(crate) fn name(&self) -> String {
        let bound = |value: &Option<Value>| match value {
            None => "*".to_owned(),
            Some(Value::Text(text)) => text.clone(),
            Some(value) => serde_json::to_string(value).unwrap_or_default().trim_matches('"').to_owned(),
        };
        self.key.clone().unwrap_or_else(|| format!("{}-{}", bound(&self.from), bound(&self.to)))
    }

    /// The values as a query for them.
    pub(crate) fn query(&self, field: &str) -> Range {
        Range { gte: self.from.clone(), lt: self.to.clone(), ..Range::new(field) }
    }
}

/// The length of a bucket of dates.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Every {
    Calendar(Calendar),
    Fixed(Duration),
}

/// A period of the calendar, in UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Calendar {
    /// 60 seconds.
    #[serde(alias = "1m")]
    Minute,
    /// 60 minutes.
    #[serde(alias = "1h")]
    Hour,
    /// 24 hours.
    #[serde(alias = "1d")]
    Day,
    /// Monday to Sunday.
    #[serde(alias = "1w")]
    Week,
    /// From the first day of a month.
    #[serde(alias = "1M")]
    Month,
    /// From the first of January, April, July and October.
    #[serde(alias = "1q")]
    Quarter,
    /// From the first of January.
    #[serde(alias = "1y")]
    Year,
}

/// A number, or some, of all values.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Metric {
    Min,
    Max,
    Avg,
    Sum,
    Count,
    Distinct,
    Stats,
    Percentiles(Vec<f64>),
}

/// The percentiles that are computed when none are named.
pub(super) const PERCENTS: [f64; 7] = [1.0, 5.0, 25.0, 50.0, 75.0, 95.0, 99.0];

impl Aggregation {
    pub(super) fn new(field: impl Into<String>, kind: AggregationKind) -> Self {
        Self { field: field.into(), kind, aggs: BTreeMap::new() }
    }

    /// The 10 values that most documents have, most frequent first, those of equal counts in their order; how many
    /// differently valued buckets there are, and how many documents the others have, is in
    /// [`Buckets`](crate::search::Buckets).
    pub fn terms(field: impl Into<String>) -> Self {
        Self::new(field, AggregationKind::Terms { size: DEFAULT_K, min_count: 1 })
    }

    /// Ranges of values; add them with [`Aggregation::below`], [`Aggregation::between`] and [`Aggregation::at_least`]. They
    /// may overlap. A bound that is a date may be a year, month, day or minute, as in [`Range`].
    pub fn ranges(field: impl Into<String>) -> Self {
        Self::new(field, AggregationKind::Ranges(Vec::new()))
    }

    /// Intervals of equal length, `interval` > 0: from a multiple of it. Buckets between the first and the last one that
    /// has documents are there even if they have none, unless [`Aggregation::min_count`] says otherwise.
    pub fn histogram(field: impl Into<String>, interval: f64) -> Self {
        Self::new(field, AggregationKind::Histogram { interval, offset: 0.0, min_count: 0 })
    }

    /// Periods of the calendar, of a date field. Empty ones as in [`Aggregation::histogram`].
    pub fn dates(field: impl Into<String>, calendar: Calendar) -> Self {
        Self::new(field, AggregationKind::Dates { every: Every::Calendar(calendar), min_count: 0 })
    }

    /// Periods of a fixed length, at least a millisecond, of a date field: from a multiple of it since 1970 in UTC.
    pub fn periods(field: impl Into<String>, length: Duration) -> Self {
        Self::new(field, AggregationKind::Dates { every: Every::Fixed(length), min_count: 0 })
    }

    /// The least value.
    pub fn min(field: impl Into<String>) -> Self {
        Self::new(field, AggregationKind::Metric(Metric::Min))
    }

    /// The greatest value.
    pub fn max(field: impl Into<String>) -> Self {
        Self::new(field, AggregationKind::Metric(Metric::Max))
    }

    /// The mean of all values.
    pub fn avg(field: impl Into<String>) -> Self {
        Self::new(field, AggregationKind::Metric(Metric::Avg))
    }

    /// The sum of all values; not of dates.
    pub fn sum(field: impl Into<String>) -> Self {
        Self::new(field, AggregationKind::Metric(Metric::Sum))
    }

    /// The number of values.
    pub fn count(field: impl Into<String>) -> Self {
        Self::new(field, AggregationKind::Metric(Metric::Count))
    }

    /// The number of different values: exact. It keeps each of them in memory until all are counted.
    pub fn distinct(field: impl Into<String>) -> Self {
        Self::new(field, AggregationKind::Metric(Metric::Distinct))
    }

    /// Count, least, greatest, mean and sum of all values.
    pub fn stats(field: impl Into<String>) -> Self {
        Self::new(field, AggregationKind::Metric(Metric::Stats))
    }

    /// The values below which these percentages of all values are, each from 0 to 100: exact. It keeps all values in
    /// memory, 8 bytes each.
    pub fn percentiles(field: impl Into<String>, percents: impl IntoIterator<Item = f64>) -> Self {
        Self::new(field, AggregationKind::Metric(Metric::Percentiles(percents.into_iter().collect())))
    }

    /// The number of values that [`Aggregation::terms`] returns: at least 1. No effect on others.
    #[must_use]
    pub fn size(mut self, values: usize) -> Self {
        if let AggregationKind::Terms { size, .. } = &mut self.kind {
            *size = values;
        }
        self
    }

    /// Leaves out buckets with fewer documents. Default: 1 for terms, 0 for histograms. No effect on others.
    #[must_use]
    pub fn min_count(mut self, documents: u64) -> Self {
        if let AggregationKind::Terms { min_count, .. }
        | AggregationKind::Histogram { min_count, .. }
        | AggregationKind::Dates { min_count, .. } = &mut self.kind
        {
            *min_count = documents;
        }
        self
    }

    /// Moves the buckets of [`Aggregation::histogram`]: they begin at `offset` and multiples of the interval from there.
    /// No effect on others.
    #[must_use]
    pub fn offset(mut self, offset: f64) -> Self {
        if let AggregationKind::Histogram { offset: own, .. } = &mut self.kind {
            *own = offset;
        }
        self
    }

    /// Adds the range of values below `to`.
    #[must_use]
    pub fn below(self, to: impl Into<Value>) -> Self {
        self.range(ValueRange { key: None, from: None, to: Some(to.into()) })
    }

    /// Adds the range of values of at least `from` and below `to`.
    #[must_use]
    pub fn between(self, from: impl Into<Value>, to: impl Into<Value>) -> Self {
        self.range(ValueRange { key: None, from: Some(from.into()), to: Some(to.into()) })
    }

    /// Adds the range of values of at least `from`.
    #[must_use]
    pub fn at_least(self, from: impl Into<Value>) -> Self {
        self.range(ValueRange { key: None, from: Some(from.into()), to: None })
    }

    /// Names the range added last. Without a name it is called by its bounds: `10-20`, `20-*`.
    #[must_use]
    pub fn called(mut self, name: impl Into<String>) -> Self {
        if let AggregationKind::Ranges(ranges) = &mut self.kind
            && let Some(last) = ranges.last_mut()
        {
            last.key = Some(name.into());
        }
        self
    }

    fn range(mut self, range: ValueRange) -> Self {
        if let AggregationKind::Ranges(ranges) = &mut self.kind {
            ranges.push(range);
        }
        self
    }

    /// Also computes another aggregation in each bucket, over the bucket's documents. At most
    /// [`MAX_AGGREGATION_DEPTH`](crate::limits::MAX_AGGREGATION_DEPTH) aggregations inside each other.
    #[must_use]
    pub fn sub(mut self, name: impl Into<String>, aggregation: Aggregation) -> Self {
        self.aggs.insert(name.into(), aggregation);
        self
    }
}
