//! Documents in JSON.

use super::{Document, Value};
use crate::error::{Error, Result, ValueProblem};
use serde::de::{Deserialize, Deserializer, Error as _, MapAccess, Visitor};
use serde::ser::{Serialize, Serializer};
use std::collections::HashSet;
use std::fmt;

impl Document {
    /// Reads a document from a JSON object. A field that is given twice is refused.
    pub fn from_json(text: &str) -> Result<Self> {
        Self::from_slice(text.as_bytes())
    }

    /// Reads a document from the bytes of a JSON object.
    pub fn from_slice(bytes: &[u8]) -> Result<Self> {
        serde_json::from_slice(bytes).map_err(|error| not_json(error.to_string()))
    }

    /// Makes a document of a JSON object.
    pub fn from_value(json: serde_json::Value) -> Result<Self> {
        match json {
            serde_json::Value::Object(fields) => {
                let fields = fields.into_iter().map(|(name, value)| (name, value.into()));
                Ok(Self { fields: fields.collect() })
            }
            other => Err(not_json(format!("expected an object, given {}", Value::from(other).describe()))),
        }
    }

    /// The document in JSON: dates in text form, vectors as lists of numbers; numbers that are not finite
    /// become null.
    pub fn to_json(&self) -> serde_json::Value {
        let json = |value| serde_json::to_value(value).unwrap_or_default();
        self.fields.iter().map(|(name, value)| (name.clone(), json(value))).collect()
    }
}

fn not_json(problem: String) -> Error {
    Error::Document { key: None, problem: ValueProblem::NotJson { problem } }
}

impl Serialize for Document {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.iter())
    }
}

impl<'de> Deserialize<'de> for Document {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Fields)
    }
}

struct Fields;

impl<'de> Visitor<'de> for Fields {
    type Value = Document;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Document, A::Error> {
        let mut seen = HashSet::new();
        let mut fields = Vec::new();
        while let Some((name, value)) = map.next_entry::<String, serde_json::Value>()? {
            if !seen.insert(name.clone()) {
                return Err(A::Error::custom(format_args!("field {name:?} is given twice")));
            }
            fields.push((name, value.into()));
        }
        Ok(Document { fields })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_document_keeps_the_order_and_the_values_of_its_json() {
        let text = r#"{"id":"1","vector":[1.0,2.5],"n":12,"x":-0.0,"deep":{"b":1,"a":[null]},"none":null}"#;
        let doc = Document::from_json(text).unwrap();
        assert_eq!(serde_json::to_string(&doc).unwrap(), text);
        assert_eq!(doc.get("n"), Some(&Value::I64(12)));
        assert_eq!(Document::from_value(doc.to_json()).unwrap(), doc);
    }

    #[test]
    fn what_is_not_an_object_or_names_a_field_twice_is_refused() {
        for (text, expected) in [
            ("", "EOF"),
            ("[1]", "expected an object"),
            ("7", "expected an object"),
            (r#"{"a":1,"b":2,"a":3}"#, r#"field "a" is given twice"#),
            (r#"{"a":1} x"#, "trailing"),
            (r#"{"a":1e400}"#, "out of range"),
        ] {
            let error = Document::from_json(text).unwrap_err().to_string();
            assert!(error.contains(expected), "{text}: {error}");
        }
        let error = Document::from_value(json!("a")).unwrap_err().to_string();
        assert!(error.contains(r#"expected an object, given the string "a""#), "{error}");
    }
}
