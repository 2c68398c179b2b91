//! From counts to results: the best buckets, empty ones between others, means and percentiles.

use super::found::{Found, FoundBucket, Numbers, SCALE};
use super::key::{Key, Unit};
use super::plan::{BucketRange, Kind, Plan};
use super::result::{Aggregate, Bucket, Buckets, Percentile, Stats};
use crate::document::Value;
use crate::error::Result;
use crate::limits::MAX_BUCKETS;
use crate::query::Metric;
use crate::search::sorted_runs::first;
use crate::search::values::wrong;
use lucerne_codec::Cancel;
use std::cmp::Reverse;
use std::collections::BTreeMap;

/// Buckets looked at between two looks at the cancel flag.
const CANCEL_STEP: usize = 1_024;

/// The result of an aggregation. `room` is how many buckets may still be returned.
pub(in crate::search) fn finish(
    plan: &Plan,
    found: Found<'_>,
    room: &mut usize,
    cancel: &Cancel,
) -> Result<(String, Aggregate)> {
    let aggregate = match (&plan.kind, found) {
        (Kind::Terms { size, min_count }, Found::Buckets(buckets, rest)) => {
            let Buckets { buckets, other, total } = best(plan, buckets, *size, *min_count, room, cancel)?;
            let (other, total) = (other.saturating_add(rest.docs), total.saturating_add(rest.buckets));
            Aggregate::Buckets(Buckets { buckets, other, total })
        }
        (Kind::Ranges(ranges), Found::Buckets(buckets, _)) => {
            Aggregate::Buckets(all_ranges(plan, ranges, buckets, room, cancel)?)
        }
        (Kind::Histogram { interval, min_count }, Found::Buckets(buckets, _)) => {
            let name = |bucket| interval.start(bucket);
            Aggregate::Buckets(in_order(plan, buckets, *min_count, name, room, cancel)?)
        }
        (Kind::Metric(Metric::Percentiles(percents)), Found::Values(values)) => {
            let sorted = first(values, usize::MAX, i64::cmp, cancel)?;
            let percentile = |&percent: &f64| Percentile { percent, value: at(&sorted, percent, plan.unit) };
            Aggregate::Percentiles(percents.iter().map(percentile).collect())
        }
        (Kind::Metric(Metric::Distinct), Found::Buckets(buckets, rest)) => {
            Aggregate::Value(Value::from((buckets.len() as u64).saturating_add(rest.buckets)))
        }
        (Kind::Metric(metric), Found::Numbers(numbers)) => number(metric, numbers, plan.unit),
        // What is found is of its plan.
        _ => Aggregate::Value(Value::Null),
    };
    Ok((plan.name.clone(), aggregate))
}

/// The first values that begin with `prefix`, in their order, with the number of documents that have each.
pub(in crate::search) fn first_values(
    plan: &Plan,
    found: &Found<'_>,
    prefix: &str,
    limit: usize,
    cancel: &Cancel,
) -> Result<Vec<(Value, u64)>> {
    let (Found::Buckets(buckets, _), mut values) = (found, Vec::new()) else { return Ok(Vec::new()) };
    for (done, bucket) in buckets.iter().enumerate() {
        cancel.check_every(CANCEL_STEP, done)?;
        let begins = match &bucket.key {
            Key::Text(text) => text.starts_with(prefix),
            _ => prefix.is_empty(),
        };
        if begins {
            values.push((bucket.key.value(plan.unit), bucket.count));
        }
        if values.len() == limit {
            break;
        }
    }
    Ok(values)
}

/// A bucket with the results of the aggregations inside it.
fn bucket(
    plan: &Plan,
    key: Value,
    found: Option<FoundBucket<'_>>,
    room: &mut usize,
    cancel: &Cancel,
) -> Result<Bucket> {
    cancel.check()?;
    *room = room.checked_sub(1).ok_or_else(|| {
        let hint = "ask for fewer values, longer intervals, or a min_doc_count of 1";
        wrong(&plan.field, format!("the aggregations have more than {MAX_BUCKETS} buckets; {hint}"))
    })?;
    let (count, inner) = found.map_or((0, Vec::new()), |found| (found.count, found.inner));
    let mut inner = inner.into_iter();
    let aggregations = plan.inner.iter().map(|plan| {
        let found = inner.next().unwrap_or_else(|| Found::none(plan));
        finish(plan, found, room, cancel)
    });
    let aggregations = aggregations.collect::<Result<BTreeMap<_, _>>>()?;
    Ok(Bucket { key, count, range: None, aggregations })
}

/// The buckets with the most documents.
fn best(
    plan: &Plan,
    buckets: Vec<FoundBucket<'_>>,
    size: usize,
    min_count: u64,
    room: &mut usize,
    cancel: &Cancel,
) -> Result<Buckets> {
    // Numbers of other shards are untrusted.
    let all = buckets.iter().fold(0u64, |sum, bucket| sum.saturating_add(bucket.count));
    let enough = (0usize..).zip(&buckets).filter(|(_, bucket)| bucket.count >= min_count);
    let ranked: Vec<(Reverse<u64>, usize)> =
        enough.map(|(place, bucket)| (Reverse(bucket.count), place)).collect();
    let total = ranked.len() as u64;
    let chosen = first(ranked, size, <(Reverse<u64>, usize)>::cmp, cancel)?;
    let mut buckets: Vec<Option<FoundBucket<'_>>> = buckets.into_iter().map(Some).collect();
    let mut best = Vec::with_capacity(chosen.len());
    for (_, place) in chosen {
        if let Some(found) = buckets.get_mut(place).and_then(Option::take) {
            best.push(bucket(plan, found.key.value(plan.unit), Some(found), room, cancel)?);
        }
    }
    let shown = best.iter().fold(0u64, |sum, bucket| sum.saturating_add(bucket.count));
    Ok(Buckets { buckets: best, other: all.saturating_sub(shown), total })
}

/// A bucket for each range.
fn all_ranges(
    plan: &Plan,
    ranges: &[BucketRange],
    buckets: Vec<FoundBucket<'_>>,
    room: &mut usize,
    cancel: &Cancel,
) -> Result<Buckets> {
    let (mut found, mut all) = (buckets.into_iter().peekable(), Vec::with_capacity(ranges.len()));
    for (number, range) in (0..).zip(ranges) {
        let own = found.next_if(|found| found.key == Key::Number(number));
        let filled = bucket(plan, range.bucket.key.clone(), own, room, cancel)?;
        all.push(Bucket { range: range.bucket.range.clone(), ..filled });
    }
    Ok(Buckets { total: all.len() as u64, buckets: all, other: 0 })
}

/// Buckets of a histogram, with those without documents between them if they are wanted.
fn in_order(
    plan: &Plan,
    buckets: Vec<FoundBucket<'_>>,
    min_count: u64,
    name: impl Fn(i64) -> Value,
    room: &mut usize,
    cancel: &Cancel,
) -> Result<Buckets> {
    let (mut all, mut next) = (Vec::new(), None);
    for found in buckets.into_iter().filter(|found| found.count >= min_count) {
        let Key::Number(number) = found.key else { continue };
        if min_count == 0 {
            for empty in next.unwrap_or(number)..number {
                all.push(bucket(plan, name(empty), None, room, cancel)?);
            }
        }
        next = number.checked_add(1);
        all.push(bucket(plan, name(number), Some(found), room, cancel)?);
    }
    Ok(Buckets { total: all.len() as u64, buckets: all, other: 0 })
}

fn number(metric: &Metric, numbers: Numbers, unit: Unit) -> Aggregate {
    let Numbers { count, least, greatest, whole, float, scaled } = numbers;
    let (float, mean) = match float.is_finite() {
        true => (float, float / count as f64),
        false => (scaled / SCALE, scaled / count as f64 / SCALE),
    };
    let some = |value: Value| if count == 0 { Value::Null } else { value };
    let (min, max) = (some(unit.value(least)), some(unit.value(greatest)));
    let avg = some(match unit {
        Unit::Date => Value::Date(whole.div_euclid(i128::from(count.max(1))) as i64),
        Unit::F64 => Value::F64(mean),
        _ => Value::F64(whole as f64 / count as f64),
    });
    let sum = match unit {
        Unit::Date => Value::Null,
        Unit::F64 => Value::F64(float),
        _ => i64::try_from(whole).map_or(Value::F64(whole as f64), Value::I64),
    };
    match metric {
        Metric::Min => Aggregate::Value(min),
        Metric::Max => Aggregate::Value(max),
        Metric::Avg => Aggregate::Value(avg),
        Metric::Sum => Aggregate::Value(sum),
        Metric::Stats => Aggregate::Stats(Box::new(Stats { count, min, max, avg, sum })),
        Metric::Count | Metric::Distinct | Metric::Percentiles(_) => Aggregate::Value(Value::from(count)),
    }
}

/// A percentile of sorted values: between two of them, as far from each as the percentage is.
fn at(sorted: &[i64], percent: f64, unit: Unit) -> Value {
    let place = percent / 100.0 * (sorted.len().max(1) - 1) as f64;
    let (below, part) = (place.floor(), place.fract());
    let Some(&low) = sorted.get(below as usize) else { return Value::Null };
    let high = sorted.get(below as usize + 1).copied().unwrap_or(low);
    if unit == Unit::Date {
        return Value::Date(low.saturating_add((high.saturating_sub(low) as f64 * part).round() as i64));
    }
    Value::F64(unit.number(low) * (1.0 - part) + unit.number(high) * part)
}
