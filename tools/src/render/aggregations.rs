//! Aggregations as tables: one for each, with what is inside its buckets as further columns.

use super::metadata::{scalar, short};
use super::table::{Align, Rows};
use super::units::grouped;
use lucerne::search::{Aggregate, Buckets};
use lucerne::{Hits, Value};

/// The tables, each under its name, as `table` writes rows whose first columns are not cut. Here all are: a keyword may be long.
pub(crate) fn tables(hits: &Hits, table: impl Fn(Rows, usize) -> String) -> String {
    let mut text = String::new();
    for (name, aggregate) in &hits.aggregations {
        match aggregate {
            Aggregate::Buckets(buckets) => {
                text.push_str(&format!("\n{name}{}\n", others(buckets)));
                text.push_str(&table(rows(buckets), 0));
            }
            number => text.push_str(&format!("\n{name}: {}\n", one_line(number))),
        }
    }
    text
}

/// What is not among the buckets.
fn others(buckets: &Buckets) -> String {
    let shown = buckets.buckets.len() as u64;
    if buckets.total <= shown {
        return String::new();
    }
    format!(
        " ({} of {} values; the others have {} documents)",
        grouped(shown),
        grouped(buckets.total),
        grouped(buckets.other)
    )
}

fn rows(buckets: &Buckets) -> Rows {
    let names: Vec<&String> =
        buckets.buckets.first().into_iter().flat_map(|one| one.aggregations.keys()).collect();
    let heading = [("value", Align::Left), ("documents", Align::Right)].into_iter();
    let inner = names.iter().map(|name| (name.as_str(), Align::Left));
    let mut rows = Rows::new(heading.chain(inner));
    for bucket in &buckets.buckets {
        let mut row = vec![shown(&bucket.key), grouped(bucket.count)];
        row.extend(bucket.aggregations.values().map(one_line));
        rows.push(row);
    }
    rows
}

fn shown(value: &Value) -> String {
    match value {
        // The midnight of a date is that date.
        Value::Date(_) => json(value).trim_end_matches("T00:00:00Z").to_owned(),
        value => json(value),
    }
}

fn json(value: &Value) -> String {
    scalar(&serde_json::to_value(value).unwrap_or_default())
}

/// An aggregation in a cell or on a line.
fn one_line(aggregate: &Aggregate) -> String {
    match aggregate {
        Aggregate::Value(value) => shown(value),
        Aggregate::Buckets(buckets) => {
            let all = buckets
                .buckets
                .iter()
                .map(|bucket| format!("{} {}", shown(&bucket.key), grouped(bucket.count)));
            all.collect::<Vec<_>>().join(", ")
        }
        Aggregate::Stats(stats) => {
            let values = [("min", &stats.min), ("max", &stats.max), ("avg", &stats.avg), ("sum", &stats.sum)];
            let values = values.map(|(name, value)| format!("{name} {}", shown(value)));
            format!("count {}, {}", grouped(stats.count), values.join(", "))
        }
        Aggregate::Percentiles(percentiles) => {
            let all =
                percentiles.iter().map(|found| format!("{}% {}", short(found.percent), shown(&found.value)));
            all.collect::<Vec<_>>().join(", ")
        }
        other => serde_json::to_string(other).unwrap_or_default(),
    }
}
