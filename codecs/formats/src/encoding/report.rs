//! The reports that an encoding adds to: about an open field, and about a merge.

use lucerne_codec::Report;
use serde_json::{Map, Value, json};

/// An f32 with the digits it needs and no more.
pub fn number(value: f32) -> Value {
    let text: Result<f64, _> = value.to_string().parse();
    json!(text.unwrap_or_default())
}

/// What there is to say about a vector field of an open segment.
#[derive(Debug, Default)]
pub struct FieldReport {
    entries: Map<String, Value>,
    bytes: Map<String, Value>,
}

impl FieldReport {
    /// Sets an entry.
    pub fn set(&mut self, name: &str, value: impl Into<Value>) {
        self.entries.insert(name.to_owned(), value.into());
    }

    /// Sets the bytes of a part.
    pub fn set_bytes(&mut self, part: &str, bytes: usize) {
        self.bytes.insert(part.to_owned(), json!(bytes));
    }

    /// The sum of all parts but one.
    pub fn bytes_without(&self, part: &str) -> usize {
        let parts = self.bytes.iter().filter(|(name, _)| *name != part);
        parts.filter_map(|(_, bytes)| bytes.as_u64()).sum::<u64>() as usize
    }

    /// All entries, with the bytes under `bytes`.
    pub fn finish(mut self) -> Report {
        self.entries.insert("bytes".to_owned(), Value::Object(self.bytes));
        Value::Object(self.entries)
    }
}

/// What there is to say about a merge of a vector field.
#[derive(Debug, Default)]
pub struct MergeReport {
    /// About the merged field.
    pub field: Map<String, Value>,
    /// About each source.
    pub sources: Vec<Map<String, Value>>,
}

impl MergeReport {
    /// Sets an entry about the merged field.
    pub fn set(&mut self, name: &str, value: impl Into<Value>) {
        self.field.insert(name.to_owned(), value.into());
    }

    /// Sets an entry about each source; values beyond the last source are dropped.
    pub fn set_each<V: Into<Value>>(&mut self, name: &str, values: impl IntoIterator<Item = V>) {
        for (source, value) in self.sources.iter_mut().zip(values) {
            source.insert(name.to_owned(), value.into());
        }
    }

    /// Sets how many vectors of each source were encoded from their raw vectors, and their sum.
    pub fn set_reencoded(&mut self, name: &str, counts: &[u64]) {
        self.set_each(name, counts.iter().copied());
        self.set(name, counts.iter().sum::<u64>());
    }

    /// All entries, with the sources under `sources`.
    pub fn finish(mut self) -> Report {
        let sources = self.sources.into_iter().map(Value::Object).collect();
        self.field.insert("sources".to_owned(), Value::Array(sources));
        Value::Object(self.field)
    }
}
