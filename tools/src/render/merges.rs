//! Merge plans and records as tables.

use super::metadata::{self, short};
use super::table::{Align, Rows};
use super::units;
use serde_json::Value;

/// A merge plan as text.
pub(crate) fn plan(plan: &Value) -> String {
    let number = |name: &str| plan.get(name).and_then(Value::as_u64).unwrap_or(0);
    format!(
        "{}{} would be read, about {} written, at most {} of memory taken, {} below a ceiling\n",
        sources(plan),
        units::bytes(number("bytes_to_read")),
        units::bytes(number("bytes_to_write")),
        units::bytes(number("memory")),
        units::bytes(number("memory_least"))
    )
}

/// The record of a merge as text.
pub(crate) fn record(record: &Value) -> String {
    let number = |name: &str| record.get(name).and_then(Value::as_u64).unwrap_or(0);
    let all = record.pointer("/seconds/all").and_then(Value::as_f64).unwrap_or(0.0);
    let mut phases = String::new();
    for (field, report) in record.get("fields").and_then(Value::as_object).into_iter().flatten() {
        let seconds = report.get("seconds").and_then(Value::as_object).into_iter().flatten();
        let seconds =
            seconds.filter_map(|(phase, value)| Some(format!("{phase} {}", units::seconds(value.as_f64()?))));
        phases += &format!("{field}: {}\n", seconds.collect::<Vec<_>>().join(", "));
    }
    format!(
        "{}{phases}{} read, {} written, {}\n",
        sources(record),
        units::bytes(number("bytes_read")),
        units::bytes(number("bytes_written")),
        units::seconds(all)
    )
}

/// One line per field and source; the quantiles that came out in a line of their own.
fn sources(merge: &Value) -> String {
    let mut text = String::new();
    for (field, report) in merge.get("fields").and_then(Value::as_object).into_iter().flatten() {
        let mut rows = Rows::new([
            (field.as_str(), Align::Left),
            ("live", Align::Right),
            ("deleted", Align::Right),
            ("quantiles", Align::Right),
            ("drift", Align::Right),
            ("outcome", Align::Left),
        ]);
        let all = report.get("sources").and_then(Value::as_array);
        for source in all.into_iter().flatten() {
            let text = |name: &str| source.get(name).map(metadata::scalar).unwrap_or_default();
            let drift = source.get("drift").and_then(Value::as_f64);
            rows.push(vec![
                text("segment"),
                text("live"),
                text("deleted"),
                metadata::quantiles(source).unwrap_or_default(),
                drift.map(|drift| format!("{} %", short(drift * 100.0))).unwrap_or_default(),
                text("outcome"),
            ]);
        }
        if let Some(quantiles) = metadata::quantiles(report) {
            let live = report.get("vectors").map(metadata::scalar).unwrap_or_default();
            let merged = ["merged".into(), live, String::new(), quantiles, String::new(), String::new()];
            rows.push(merged.to_vec());
        }
        text += &rows.text(None, usize::MAX);
    }
    text
}
