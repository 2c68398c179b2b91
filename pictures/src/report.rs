//! Reading reports.

use serde_json::Value;

/// A text of a report; empty where there is none.
#[must_use]
pub fn text<'a>(report: &'a Value, name: &str) -> &'a str {
    report.get(name).and_then(Value::as_str).unwrap_or_default()
}

/// A number of a report; 0 where there is none.
#[must_use]
pub fn number(report: &Value, name: &str) -> u64 {
    report.get(name).and_then(Value::as_u64).unwrap_or_default()
}

/// A list of a report; empty where there is none.
#[must_use]
pub fn list<'a>(report: &'a Value, name: &str) -> &'a [Value] {
    report.get(name).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}
