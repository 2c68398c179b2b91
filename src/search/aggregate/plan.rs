//! Aggregations with their fields looked up.

use super::interval::Interval;
use super::key::Unit;
use super::result::Bucket;
use crate::document::Value;
use crate::error::{Error, Result};
use crate::limits::{MAX_AGGREGATION_DEPTH, MAX_BUCKETS};
use crate::query::{Aggregation, AggregationKind, Metric, ValueRange};
use crate::schema::{Field, FieldType, Schema};
use crate::search::values::{number_range, wrong};
use std::collections::BTreeMap;
use std::ops::RangeInclusive;

/// An aggregation with its field looked up.
#[derive(Clone, Debug)]
pub(in crate::search) struct Plan {
    pub(super) name: String,
    pub(super) field: String,
    pub(super) source: Source,
    pub(in crate::search) unit: Unit,
    pub(super) kind: Kind,
    pub(super) inner: Vec<Plan>,
}

/// Where values are read from.
#[derive(Clone, Debug)]
pub(in crate::search) enum Source {
    Keywords(u32),
    Numbers(u32),
    /// Terms of an undeclared field: of all values, or of numbers only.
    Undeclared {
        name: String,
        numbers_only: bool,
    },
}

/// What is done with the values.
#[derive(Clone, Debug)]
pub(super) enum Kind {
    Terms { size: usize, min_count: u64 },
    Ranges(Vec<BucketRange>),
    Histogram { interval: Interval, min_count: u64 },
    Metric(Metric),
}

/// A range with its bounds as column values.
#[derive(Clone, Debug)]
pub(super) struct BucketRange {
    /// `None` when no value is in it.
    pub(super) values: Option<RangeInclusive<i64>>,
    /// The bucket, without documents.
    pub(super) bucket: Bucket,
}

/// The aggregations of a search, by name.
pub(in crate::search) fn resolve(
    schema: &Schema,
    aggregations: &BTreeMap<String, Aggregation>,
) -> Result<Vec<Plan>> {
    all(schema, aggregations, MAX_AGGREGATION_DEPTH)
}

/// Every value of a field, with its documents.
pub(in crate::search) fn every_value(schema: &Schema, field: &str) -> Result<Plan> {
    one(schema, field, &Aggregation::terms(field).size(MAX_BUCKETS), 1)
}

fn all(schema: &Schema, aggregations: &BTreeMap<String, Aggregation>, depth: usize) -> Result<Vec<Plan>> {
    aggregations.iter().map(|(name, aggregation)| one(schema, name, aggregation, depth)).collect()
}

fn one(schema: &Schema, name: &str, aggregation: &Aggregation, depth: usize) -> Result<Plan> {
    let Aggregation { field, kind, aggs } = aggregation;
    let refuse = |problem: String| Err(wrong(field, format!("aggregation {name:?}: {problem}")));
    let Some(depth) = depth.checked_sub(1) else {
        return refuse(format!("aggregations inside aggregations more than {MAX_AGGREGATION_DEPTH} deep"));
    };
    let by_value = matches!(
        kind,
        AggregationKind::Terms { .. } | AggregationKind::Metric(Metric::Count | Metric::Distinct)
    );
    let (source, unit) = source(schema, field, !by_value)?;
    if !by_value && unit == Unit::Text {
        return refuse("a keyword field has no numbers; use terms, value_count or cardinality".to_owned());
    }
    if !by_value && unit == Unit::Bool {
        return refuse("a bool field has no numbers; use terms, value_count or cardinality".to_owned());
    }
    let kind = match kind {
        AggregationKind::Terms { size, .. } if *size == 0 || *size > MAX_BUCKETS => {
            return refuse(format!("size is {size}, expected 1 to {MAX_BUCKETS}"));
        }
        AggregationKind::Terms { size, min_count } => {
            Kind::Terms { size: *size, min_count: (*min_count).max(1) }
        }
        AggregationKind::Ranges(ranges) => Kind::Ranges(resolve_ranges(schema, field, ranges)?),
        AggregationKind::Histogram { .. } if unit == Unit::Date => {
            return refuse("a date field has periods: use date_histogram".to_owned());
        }
        AggregationKind::Histogram { interval, offset, min_count } => {
            let Some(interval) = Interval::of_numbers(*interval, *offset, unit) else {
                return refuse(format!(
                    "interval is {interval} and offset {offset}, expected finite numbers, the interval above 0"
                ));
            };
            Kind::Histogram { interval, min_count: *min_count }
        }
        AggregationKind::Dates { .. } if unit != Unit::Date => {
            return refuse(format!(
                "expected a date field, it is {}",
                schema.field(field).map_or("not declared", |field| field.field_type().name())
            ));
        }
        AggregationKind::Dates { every, min_count } => match Interval::of_dates(*every) {
            Some(interval) => Kind::Histogram { interval, min_count: *min_count },
            None => return refuse("expected periods of at least a millisecond".to_owned()),
        },
        AggregationKind::Metric(Metric::Sum) if unit == Unit::Date => {
            return refuse("dates have no sum".to_owned());
        }
        AggregationKind::Metric(Metric::Percentiles(percents))
            if percents.is_empty() || !percents.iter().all(|percent| (0.0..=100.0).contains(percent)) =>
        {
            return refuse(format!("percents are {percents:?}, expected some, from 0 to 100"));
        }
        AggregationKind::Metric(metric) => Kind::Metric(metric.clone()),
    };
    if matches!(kind, Kind::Metric(_)) && !aggs.is_empty() {
        return refuse("a number has no buckets, so no aggregations inside".to_owned());
    }
    let inner = all(schema, aggs, depth)?;
    Ok(Plan { name: name.to_owned(), field: field.clone(), source, unit, kind, inner })
}

/// Where the values of a field are; of an undeclared one all, or numbers only.
pub(in crate::search) fn source(schema: &Schema, name: &str, numbers_only: bool) -> Result<(Source, Unit)> {
    if name == schema.key().name() {
        return Err(wrong(name, "every document has another key; aggregate and group by another field"));
    }
    let field = match schema.field(name) {
        None if schema.is_dynamic() => {
            let unit = if numbers_only { Unit::F64 } else { Unit::Text };
            return Ok((Source::Undeclared { name: name.to_owned(), numbers_only }, unit));
        }
        None => schema.require(name)?,
        Some(field) => field,
    };
    if !field.is_indexed() {
        return Err(Error::NotIndexed { field: name.to_owned() });
    }
    let source = match field.field_type() {
        FieldType::Keyword(_) => Source::Keywords(field.number()),
        FieldType::Text(_) | FieldType::Vector(_) | FieldType::SparseVector => {
            let problem = format!(
                "a {} field has no values to aggregate or group by; declare a keyword field beside it",
                field.field_type().name()
            );
            return Err(wrong(name, problem));
        }
        _ => Source::Numbers(field.number()),
    };
    Ok((source, Unit::of(field.field_type())))
}

fn resolve_ranges(schema: &Schema, name: &str, ranges: &[ValueRange]) -> Result<Vec<BucketRange>> {
    if ranges.is_empty() || ranges.len() > MAX_BUCKETS {
        return Err(wrong(name, format!("{} ranges, expected 1 to {MAX_BUCKETS}", ranges.len())));
    }
    // The numbers of undeclared fields are compared as f64.
    let undeclared = Field::f64(name);
    let field = schema.field(name).unwrap_or(&undeclared);
    let resolved = ranges.iter().map(|range| {
        let bound = |value: &Option<Value>| value.clone().unwrap_or(Value::Null);
        let bucket = Bucket {
            key: Value::Text(range.name()),
            count: 0,
            range: Some((bound(&range.from), bound(&range.to))),
            aggregations: BTreeMap::new(),
        };
        Ok(BucketRange { values: number_range(field, &range.query(name))?, bucket })
    });
    resolved.collect()
}
