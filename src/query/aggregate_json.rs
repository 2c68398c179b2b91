//! Aggregations in JSON: the form that Elasticsearch and tantivy read.

use super::aggregate::{Aggregation, AggregationKind, Calendar, Every, Metric, PERCENTS, ValueRange};
use super::json::values;
use crate::document::Value;
use crate::error::Error;
use crate::limits::DEFAULT_K;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

/// An aggregation as an object: one entry says what it is, `aggs` what is inside of it.
#[derive(Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default, expecting = "an object: an aggregation")]
struct Parts {
    #[serde(skip_serializing_if = "Option::is_none")]
    terms: Option<Terms>,
    #[serde(skip_serializing_if = "Option::is_none", alias = "date_range")]
    range: Option<Ranges>,
    #[serde(skip_serializing_if = "Option::is_none")]
    histogram: Option<Histogram>,
    #[serde(skip_serializing_if = "Option::is_none")]
    date_histogram: Option<DateHistogram>,
    #[serde(skip_serializing_if = "Option::is_none")]
    min: Option<Of>,
    #[serde(skip_serializing_if = "Option::is_none")]
    max: Option<Of>,
    #[serde(skip_serializing_if = "Option::is_none")]
    avg: Option<Of>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sum: Option<Of>,
    #[serde(skip_serializing_if = "Option::is_none")]
    value_count: Option<Of>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cardinality: Option<Of>,
    #[serde(skip_serializing_if = "Option::is_none")]
    stats: Option<Of>,
    #[serde(skip_serializing_if = "Option::is_none")]
    percentiles: Option<Percentiles>,
    #[serde(
        skip_serializing_if = "BTreeMap::is_empty",
        alias = "aggregations",
        deserialize_with = "by_name"
    )]
    aggs: BTreeMap<String, Aggregation>,
}

#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Of {
    field: String,
}

#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Terms {
    field: String,
    #[serde(default = "size")]
    size: usize,
    #[serde(default = "one")]
    min_doc_count: u64,
}

fn size() -> usize {
    DEFAULT_K
}

fn one() -> u64 {
    1
}

#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Ranges {
    field: String,
    ranges: Vec<OneRange>,
}

#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct OneRange {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    key: Option<String>,
    #[serde(default, with = "values::maybe", skip_serializing_if = "Option::is_none")]
    from: Option<Value>,
    #[serde(default, with = "values::maybe", skip_serializing_if = "Option::is_none")]
    to: Option<Value>,
}

#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Histogram {
    field: String,
    interval: f64,
    #[serde(default)]
    offset: f64,
    #[serde(default)]
    min_doc_count: u64,
}

#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct DateHistogram {
    field: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    calendar_interval: Option<Calendar>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    fixed_interval: Option<String>,
    #[serde(default)]
    min_doc_count: u64,
}

#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Percentiles {
    field: String,
    #[serde(default = "percents")]
    percents: Vec<f64>,
}

fn percents() -> Vec<f64> {
    PERCENTS.to_vec()
}

/// Aggregations by name. A name that is given twice is an error: a map would keep one of them without a word.
fn by_name<'de, D: Deserializer<'de>>(deserializer: D) -> Result<BTreeMap<String, Aggregation>, D::Error> {
    struct ByName;

    impl<'de> de::Visitor<'de> for ByName {
        type Value = BTreeMap<String, Aggregation>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("an object: aggregations by name")
        }

        fn visit_map<A: de::MapAccess<'de>>(self, mut entries: A) -> Result<Self::Value, A::Error> {
            let mut all = BTreeMap::new();
            while let Some(name) = entries.next_key::<String>()? {
                if all.contains_key(&name) {
                    return Err(de::Error::custom(format!("the aggregation {name:?} is given twice")));
                }
                all.insert(name, entries.next_value()?);
            }
            Ok(all)
        }
    }

    deserializer.deserialize_map(ByName)
}

impl Aggregation {
    /// Reads aggregations by name, as `aggs` has them in a search of Elasticsearch.
    ///
    /// # Errors
    /// When it is not an object of aggregations, or a name is given twice.
    ///
    /// ```
    /// use lucerne::query::Aggregation;
    ///
    /// let all = Aggregation::by_name_from_json(r#"{"sizes": {"stats": {"field": "size"}}}"#)?;
    /// assert!(all.contains_key("sizes"));
    /// let twice = r#"{"n": {"min": {"field": "size"}}, "n": {"max": {"field": "size"}}}"#;
    /// assert!(Aggregation::by_name_from_json(twice).unwrap_err().to_string().contains("given twice"));
    /// # Ok::<(), lucerne::Error>(())
    /// ```
    pub fn by_name_from_json(json: &str) -> crate::error::Result<BTreeMap<String, Aggregation>> {
        let mut reader = serde_json::Deserializer::from_str(json);
        let all = by_name(&mut reader).and_then(|all| reader.end().map(|()| all));
        all.map_err(|error| Error::WrongQuery { field: None, problem: format!("aggregations: {error}") })
    }
}

impl Serialize for Aggregation {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        Parts::from(self.clone()).serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Aggregation {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::try_from(Parts::deserialize(deserializer)?).map_err(de::Error::custom)
    }
}

impl TryFrom<Parts> for Aggregation {
    type Error = String;

    fn try_from(parts: Parts) -> Result<Self, String> {
        let mut found = Vec::new();
        let mut add = |field: String, kind| found.push(Aggregation::new(field, kind));
        if let Some(Terms { field, size, min_doc_count: min_count }) = parts.terms {
            add(field, AggregationKind::Terms { size, min_count });
        }
        if let Some(Ranges { field, ranges }) = parts.range {
            let range = |OneRange { key, from, to }| ValueRange { key, from, to };
            add(field, AggregationKind::Ranges(ranges.into_iter().map(range).collect()));
        }
        if let Some(Histogram { field, interval, offset, min_doc_count: min_count }) = parts.histogram {
            add(field, AggregationKind::Histogram { interval, offset, min_count });
        }
        if let Some(DateHistogram { field, calendar_interval, fixed_interval, min_doc_count: min_count }) =
            parts.date_histogram
        {
            let every = match (calendar_interval, fixed_interval) {
                (Some(calendar), None) => Every::Calendar(calendar),
                (None, Some(text)) => Every::Fixed(duration(&text)?),
                _ => return Err("expected one of calendar_interval and fixed_interval".to_owned()),
            };
            add(field, AggregationKind::Dates { every, min_count });
        }
        let metrics = [
            (parts.min, Metric::Min),
            (parts.max, Metric::Max),
            (parts.avg, Metric::Avg),
            (parts.sum, Metric::Sum),
            (parts.value_count, Metric::Count),
            (parts.cardinality, Metric::Distinct),
            (parts.stats, Metric::Stats),
        ];
        for (of, metric) in metrics {
            of.into_iter().for_each(|Of { field }| add(field, AggregationKind::Metric(metric.clone())));
        }
        if let Some(Percentiles { field, percents }) = parts.percentiles {
            add(field, AggregationKind::Metric(Metric::Percentiles(percents)));
        }
        match (found.pop(), found.is_empty()) {
            (Some(one), true) => Ok(Aggregation { aggs: parts.aggs, ..one }),
            (one, _) => Err(format!(
                "{} in one aggregation, expected one of terms, range, histogram, date_histogram, min, max, avg, sum, \
                 value_count, cardinality, stats, percentiles",
                if one.is_some() { "several kinds" } else { "no kind" }
            )),
        }
    }
}

impl From<Aggregation> for Parts {
    fn from(Aggregation { field, kind, aggs }: Aggregation) -> Self {
        let parts = Parts { aggs, ..Parts::default() };
        match kind {
            AggregationKind::Terms { size, min_count: min_doc_count } => {
                Parts { terms: Some(Terms { field, size, min_doc_count }), ..parts }
            }
            AggregationKind::Ranges(ranges) => {
                let range = |ValueRange { key, from, to }| OneRange { key, from, to };
                let ranges = ranges.into_iter().map(range).collect();
                Parts { range: Some(Ranges { field, ranges }), ..parts }
            }
            AggregationKind::Histogram { interval, offset, min_count: min_doc_count } => {
                Parts { histogram: Some(Histogram { field, interval, offset, min_doc_count }), ..parts }
            }
            AggregationKind::Dates { every, min_count: min_doc_count } => {
                let (calendar_interval, fixed_interval) = match every {
                    Every::Calendar(calendar) => (Some(calendar), None),
                    Every::Fixed(length) => (None, Some(format!("{}ms", length.as_millis()))),
                };
                let dates = DateHistogram { field, calendar_interval, fixed_interval, min_doc_count };
                Parts { date_histogram: Some(dates), ..parts }
            }
            AggregationKind::Metric(metric) => {
                let of = Some(Of { field: field.clone() });
                match metric {
                    Metric::Min => Parts { min: of, ..parts },
                    Metric::Max => Parts { max: of, ..parts },
                    Metric::Avg => Parts { avg: of, ..parts },
                    Metric::Sum => Parts { sum: of, ..parts },
                    Metric::Count => Parts { value_count: of, ..parts },
                    Metric::Distinct => Parts { cardinality: of, ..parts },
                    Metric::Stats => Parts { stats: of, ..parts },
                    Metric::Percentiles(percents) => {
                        Parts { percentiles: Some(Percentiles { field, percents }), ..parts }
                    }
                }
            }
        }
    }
}

/// A length of time with its unit: `500ms`, `30s`, `5m`, `12h`, `7d`.
fn duration(text: &str) -> Result<Duration, String> {
    let number = text.trim_end_matches(|unit: char| unit.is_ascii_alphabetic());
    let millis = match text.get(number.len()..) {
        Some("ms") => Some(1),
        Some("s") => Some(1_000),
        Some("m") => Some(60_000),
        Some("h") => Some(3_600_000),
        Some("d") => Some(86_400_000),
        _ => None,
    };
    let length = number.parse::<u64>().ok().zip(millis).and_then(|(number, unit)| number.checked_mul(unit));
    length.map(Duration::from_millis).ok_or_else(|| {
        format!("fixed_interval is {text:?}, expected a number with its unit (ms, s, m, h, d): \"12h\"")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_aggregation_is_read_as_it_is_written() {
        for aggregation in [
            Aggregation::terms("a").size(3).min_count(2).sub("b", Aggregation::avg("c")),
            Aggregation::ranges("a").below(1).between(1, 2.5).at_least("x").called("rest"),
            Aggregation::histogram("a", 10.0).offset(2.0).min_count(1),
            Aggregation::dates("a", Calendar::Month),
            Aggregation::periods("a", Duration::from_secs(90)),
            Aggregation::percentiles("a", [50.0]).sub("b", Aggregation::terms("a")),
            Aggregation::min("a"),
            Aggregation::max("a"),
            Aggregation::sum("a"),
            Aggregation::count("a"),
            Aggregation::distinct("a"),
            Aggregation::stats("a"),
        ] {
            let text = serde_json::to_string(&aggregation).unwrap();
            assert_eq!(serde_json::from_str::<Aggregation>(&text).unwrap(), aggregation, "{text}");
        }
    }

    #[test]
    fn what_users_of_elasticsearch_write_is_read() {
        let text = r#"{"date_histogram": {"field": "d", "calendar_interval": "1M"},
            "aggregations": {"s": {"terms": {"field": "section"}}, "p": {"percentiles": {"field": "n"}}}}"#;
        let expected = Aggregation::dates("d", Calendar::Month)
            .sub("s", Aggregation::terms("section"))
            .sub("p", Aggregation::percentiles("n", PERCENTS));
        assert_eq!(serde_json::from_str::<Aggregation>(text).unwrap(), expected);
        for (wrong, problem) in [
            (r#"{"tems": {"field": "a"}}"#, "unknown field `tems`"),
            (r#"{"terms": {"field": "a"}, "min": {"field": "a"}}"#, "several kinds in one aggregation"),
            ("{}", "no kind in one aggregation"),
            (r#"{"date_histogram": {"field": "d"}}"#, "one of calendar_interval and fixed_interval"),
            (r#"{"date_histogram": {"field": "d", "fixed_interval": "1x"}}"#, "with its unit"),
        ] {
            let error = serde_json::from_str::<Aggregation>(wrong).unwrap_err().to_string();
            assert!(error.contains(problem), "{error}");
        }
    }
}
