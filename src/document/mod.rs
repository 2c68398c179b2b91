//! Documents and their values: what an application adds to an index.
//!
//! A [`Document`] is built field by field, read from JSON, or made of a value of the application's own type:
//!
//! ```
//! use lucerne::{Document, Value};
//! use std::time::SystemTime;
//!
//! # fn main() -> lucerne::Result<()> {
//! let by_hand = Document::new()
//!     .with("id", "vim")
//!     .with("size", 12_u64)
//!     .with("updated", SystemTime::now())
//!     .with("tags", ["editor", "terminal"])
//!     .with("embedding", vec![0.6_f32, 0.8]);
//! let from_json = Document::from_json(r#"{"id": "vim", "size": 12, "embedding": [0.6, 0.8]}"#)?;
//! assert_eq!(by_hand.get("size"), from_json.get("size"));
//! # Ok(())
//! # }
//! ```
//!
//! The types that a field takes are in the table of [`Value`]; [`Document::from_serialize`] and
//! [`Document::deserialize`] convert whole documents. A document is checked against the schema when it is
//! added: its key, its fields, the type of each value, and the dimension of each vector.

mod analyzers;
mod bits;
mod convert;
mod date;
pub(crate) mod dynamic;
mod indexed;
mod json;
pub(crate) mod number;
mod query_vector;
mod sparse;
mod sparse_vector;
mod update;
mod validate;
mod value;
mod vector;

pub(crate) use analyzers::FieldAnalyzers;
pub(crate) use date::{month, month_start, span as date_span};
pub use query_vector::QueryVector;
pub(crate) use sparse::entries_of as sparse_entries;
pub use sparse_vector::SparseVector;
pub use update::Update;
pub(crate) use validate::{Validated, validate};
pub use value::Value;
pub(crate) use vector::{check_query, components, given_as};

/// Fields and their values, in the order they were set.
///
/// ```
/// use lucerne::Document;
///
/// let doc = Document::new().with("id", "vim").with("size", 12).with("embedding", vec![0.6_f32, 0.8]);
/// assert_eq!(doc.to_json()["size"], 12);
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Document {
    fields: Vec<(String, Value)>,
}

impl Document {
    /// A document without fields.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets a field; an earlier value of the same field is replaced.
    #[must_use]
    pub fn with(mut self, field: impl Into<String>, value: impl Into<Value>) -> Self {
        self.set(field, value);
        self
    }

    /// Sets a field; an earlier value of the same field is replaced.
    pub fn set(&mut self, field: impl Into<String>, value: impl Into<Value>) {
        let (field, value) = (field.into(), value.into());
        match self.fields.iter_mut().find(|(name, _)| *name == field) {
            Some((_, old)) => *old = value,
            None => self.fields.push((field, value)),
        }
    }

    /// The value of a field.
    pub fn get(&self, field: &str) -> Option<&Value> {
        self.fields.iter().find(|(name, _)| name == field).map(|(_, value)| value)
    }

    /// Removes a field and returns its value.
    pub fn remove(&mut self, field: &str) -> Option<Value> {
        let position = self.fields.iter().position(|(name, _)| name == field)?;
        Some(self.fields.remove(position).1)
    }

    /// The fields in the order they were given.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&str, &Value)> {
        self.fields.iter().map(|(name, value)| (name.as_str(), value))
    }

    /// Number of fields.
    pub fn len(&self) -> usize {
        self.fields.len()
    }

    /// True when there are no fields.
    pub fn is_empty(&self) -> bool {
        self.fields.is_empty()
    }
}

impl<N: Into<String>, V: Into<Value>> FromIterator<(N, V)> for Document {
    fn from_iter<I: IntoIterator<Item = (N, V)>>(fields: I) -> Self {
        let mut document = Self::new();
        fields.into_iter().for_each(|(name, value)| document.set(name, value));
        document
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn setting_a_field_again_replaces_its_value_in_place() {
        let mut doc = Document::new().with("id", "vim").with("size", 1).with("id", "emacs");
        assert_eq!(doc.iter().map(|(name, _)| name).collect::<Vec<_>>(), ["id", "size"]);
        assert_eq!(doc.get("id"), Some(&Value::from("emacs")));
        assert_eq!(doc.remove("size"), Some(Value::I64(1)));
        assert_eq!(doc.remove("size"), None);
        let collected: Document = [("id", "emacs")].into_iter().collect();
        assert_eq!((collected, doc.len(), doc.is_empty()), (doc.clone(), 1, false));
    }
}
