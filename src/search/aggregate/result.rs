//! The results of aggregations.

use crate::document::Value;
use serde::Serialize;
use serde::ser::{SerializeMap, Serializer};
use std::collections::BTreeMap;

/// The result of an [`Aggregation`](crate::query::Aggregation). As JSON it has the form of Elasticsearch's.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Aggregate {
    /// Of terms, ranges and histograms.
    Buckets(Buckets),
    /// Of min, max, avg, sum, count and distinct: a number or, of a date field, a date; [`Value::Null`] when there are no
    /// values. Counts and sums of nothing are 0.
    Value(Value),
    /// Of stats.
    Stats(Box<Stats>),
    /// Of percentiles, in the order in which they were asked for.
    Percentiles(Vec<Percentile>),
}

/// Groups of documents.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct Buckets {
    /// Terms: most frequent first, then by value. Ranges: as they were given. Histograms: ascending.
    pub buckets: Vec<Bucket>,
    /// Of terms: how many documents the values have together that are not among the buckets. A document with several such
    /// values is counted for each.
    pub other: u64,
    /// How many buckets there are in all, with those that are not returned.
    pub total: u64,
}

/// A group of documents.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Bucket {
    /// The value; of a range its name; of a histogram where the interval begins.
    pub key: Value,
    /// Documents in it.
    pub count: u64,
    /// Of a range: its bounds as they were given, [`Value::Null`] where there is none.
    pub range: Option<(Value, Value)>,
    /// The results of the aggregations inside it, by name.
    pub aggregations: BTreeMap<String, Aggregate>,
}

/// Numbers of a field's values.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Stats {
    /// Number of values.
    pub count: u64,
    /// The least value; null when there is none.
    pub min: Value,
    /// The greatest value; null when there is none.
    pub max: Value,
    /// The mean of all values; null when there is none.
    pub avg: Value,
    /// The sum of all values; null for dates.
    pub sum: Value,
}

/// A percentile.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Percentile {
    /// From 0 to 100.
    pub percent: f64,
    /// The value below which so many per cent of the values are; null when there are none.
    pub value: Value,
}

impl Aggregate {
    /// The buckets of terms, ranges and histograms.
    pub fn buckets(&self) -> Option<&[Bucket]> {
        match self {
            Self::Buckets(buckets) => Some(&buckets.buckets),
            _ => None,
        }
    }

    /// The value of min, max, avg, sum, count and distinct.
    pub fn value(&self) -> Option<&Value> {
        match self {
            Self::Value(value) => Some(value),
            _ => None,
        }
    }
}

impl Serialize for Aggregate {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        match self {
            Self::Buckets(Buckets { buckets, other, total }) => {
                map.serialize_entry("buckets", buckets)?;
                map.serialize_entry("sum_other_doc_count", other)?;
                map.serialize_entry("total_buckets", total)?;
            }
            Self::Value(value) => map.serialize_entry("value", value)?,
            Self::Stats(stats) => {
                let Stats { count, min, max, avg, sum } = &**stats;
                map.serialize_entry("count", count)?;
                for (name, value) in [("min", min), ("max", max), ("avg", avg), ("sum", sum)] {
                    map.serialize_entry(name, value)?;
                }
            }
            Self::Percentiles(percentiles) => {
                let values = percentiles.iter().map(|found| (format!("{:?}", found.percent), &found.value));
                map.serialize_entry("values", &values.collect::<BTreeMap<_, _>>())?;
            }
        }
        map.end()
    }
}

impl Serialize for Bucket {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("key", &self.key)?;
        map.serialize_entry("doc_count", &self.count)?;
        if let Some((from, to)) = &self.range {
            for (name, bound) in [("from", from), ("to", to)] {
                if *bound != Value::Null {
                    map.serialize_entry(name, bound)?;
                }
            }
        }
        for (name, aggregate) in &self.aggregations {
            map.serialize_entry(name, aggregate)?;
        }
        map.end()
    }
}
