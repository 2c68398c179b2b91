//! A hit as it travels from a shard: without loss.

use crate::document::Value;
use crate::search::explanation::Explanation;
use crate::search::hits::{Group, Hit};
use crate::search::sort::SortKey;
use serde::{Deserialize, Serialize};
use serde_json::Map;
use std::collections::BTreeMap;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct HitOfShard {
    pub(super) key: String,
    pub(super) score: f32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) distance: Option<f32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) vector: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    fields: Option<Map<String, serde_json::Value>>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    vectors: BTreeMap<String, Vec<Vec<f32>>>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    highlights: BTreeMap<String, Vec<String>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    explanation: Option<Explanation>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) group: Option<GroupOf>,
    /// What it is sorted by.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) sorted_by: Vec<SortKey>,
}

/// The group that a hit is the best one of.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum GroupOf {
    /// A document without a value.
    Alone,
    Text(String),
    I64(i64),
    /// As its bits.
    F64(u64),
    Bool(bool),
    Date(i64),
    /// A number of an undeclared field that is none of these.
    Json(serde_json::Value),
}

impl GroupOf {
    fn new(value: Option<Value>) -> Self {
        match value {
            None => Self::Alone,
            Some(Value::Text(text)) => Self::Text(text),
            Some(Value::I64(number)) => Self::I64(number),
            Some(Value::F64(number)) => Self::F64(number.to_bits()),
            Some(Value::Bool(truth)) => Self::Bool(truth),
            Some(Value::Date(millis)) => Self::Date(millis),
            Some(other) => Self::Json(serde_json::to_value(&other).unwrap_or_default()),
        }
    }

    fn value(self) -> Option<Value> {
        Some(match self {
            Self::Alone => return None,
            Self::Text(text) => Value::Text(text),
            Self::I64(number) => Value::I64(number),
            Self::F64(bits) => Value::F64(f64::from_bits(bits)),
            Self::Bool(truth) => Value::Bool(truth),
            Self::Date(millis) => Value::Date(millis),
            Self::Json(json) => Value::from(json),
        })
    }
}

impl HitOfShard {
    pub(super) fn new(hit: Hit, sorted_by: Vec<SortKey>) -> Self {
        let Hit { key, score, distance, vector, fields, vectors, highlights, explanation, group } = hit;
        let group = group.map(|group| GroupOf::new(group.value));
        Self { key, score, distance, vector, fields, vectors, highlights, explanation, group, sorted_by }
    }

    pub(super) fn hit(self) -> Hit {
        let Self { key, score, distance, vector, fields, vectors, highlights, explanation, group, .. } = self;
        let group = group.map(|group| Group { value: group.value(), next: Vec::new() });
        Hit { key, score, distance, vector, fields, vectors, highlights, explanation, group }
    }
}
