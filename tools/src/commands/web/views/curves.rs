//! What segments have measured of themselves.

use super::{list, number};
use serde_json::Value;

/// The least candidates that have reached a recall, without rescoring; `None` where none have.
pub(super) fn candidates_for(curve: &Value, recall: f64) -> Option<u64> {
    let reached = |point: &&Value| point.get("recall").and_then(Value::as_f64).is_some_and(|it| it >= recall);
    list(curve, "points").iter().find(reached).map(|point| number(point, "candidates"))
}
