//! Documents and values in JSON, and in the application's own types through serde.

use super::{Document, Value};
use crate::error::{Error, Result, ValueProblem};
use serde::de::{Deserialize, DeserializeOwned, Deserializer, Error as _, MapAccess, Visitor};
use serde::ser::{Serialize, Serializer};
use std::collections::HashSet;
use std::fmt;

impl Document {
    /// Reads a document from a JSON object.
    ///
    /// # Errors
    /// When the text is not a JSON object, or names a field twice.
    pub fn from_json(text: &str) -> Result<Self> {
        Self::from_slice(text.as_bytes())
    }

    /// Reads a document from the UTF-8 bytes of a JSON object.
    ///
    /// # Errors
    /// As [`Document::from_json`].
    pub fn from_slice(bytes: &[u8]) -> Result<Self> {
        serde_json::from_slice(bytes).map_err(|error| not_json(error.to_string()))
    }

    /// Makes a document of a JSON object.
    ///
    /// # Errors
    /// When the value is not an object.
    pub fn from_value(json: serde_json::Value) -> Result<Self> {
        match json {
            serde_json::Value::Object(fields) => {
                let fields = fields.into_iter().map(|(name, value)| (name, value.into()));
                Ok(Self { fields: fields.collect() })
            }
            other => Err(not_json(format!("expected an object, given {}", Value::from(other).describe()))),
        }
    }

    /// Makes a document of a value that serde writes as an object: a struct, or a map with string keys.
    ///
    /// Its members become fields as JSON's do: a date is a string, an `f32` is widened without loss, NaN and
    /// infinities become null and so count as absent. A vector that is a member is converted number by
    /// number; `document.set("embedding", vector)` moves it in instead.
    ///
    /// ```
    /// use lucerne::{Document, Value};
    ///
    /// #[derive(serde::Serialize, serde::Deserialize, PartialEq, Debug)]
    /// struct Package {
    ///     id: String,
    ///     size: u64,
    ///     tags: Vec<String>,
    /// }
    ///
    /// # fn main() -> lucerne::Result<()> {
    /// let vim = Package { id: "vim".into(), size: 12, tags: vec!["editor".into()] };
    /// let document = Document::from_serialize(&vim)?;
    /// assert_eq!(document.get("size"), Some(&Value::I64(12)));
    /// assert_eq!(document.deserialize::<Package>()?, vim);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// When serde writes the value as anything but an object, or not at all.
    pub fn from_serialize<T: Serialize + ?Sized>(value: &T) -> Result<Self> {
        Self::from_value(serde_json::to_value(value)?)
    }

    /// The document as a value of the application's own type, which reads the fields as JSON has them
    /// ([`Document::to_json`]).
    ///
    /// # Errors
    /// [`Error::Json`] when the fields do not fit the type.
    pub fn deserialize<T: DeserializeOwned>(&self) -> Result<T> {
        Ok(serde_json::from_value(self.to_json())?)
    }

    /// The document in JSON: dates in text form, vectors as lists of numbers, binary vectors as hexadecimal
    /// digits; numbers that are not finite become null.
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

impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        serde_json::Value::deserialize(deserializer).map(Self::from)
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
        while let Some((name, value)) = map.next_entry::<String, Value>()? {
            if !seen.insert(name.clone()) {
                return Err(A::Error::custom(format_args!("field {name:?} is given twice")));
            }
            fields.push((name, value));
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

    #[derive(Debug, PartialEq, serde::Serialize, serde::Deserialize)]
    struct Note {
        id: String,
        size: Option<u64>,
        weight: f32,
        embedding: Vec<f32>,
        tags: Vec<String>,
    }

    fn note() -> Note {
        let tags = vec!["a".into(), "b".into()];
        Note {
            id: "1".into(),
            size: Some(u64::MAX),
            weight: 0.1,
            embedding: vec![0.1, f32::MIN_POSITIVE],
            tags,
        }
    }

    #[test]
    fn a_struct_becomes_a_document_and_comes_back_exactly() {
        let doc = Document::from_serialize(&note()).unwrap();
        assert_eq!(doc.get("id"), Some(&Value::from("1")));
        assert_eq!(doc.get("size"), Some(&Value::Json(json!(u64::MAX))));
        assert_eq!(doc.get("weight"), Some(&Value::F64(f64::from(0.1_f32))));
        assert_eq!(doc.deserialize::<Note>().unwrap(), note());
        let by_hand = doc.clone().with("embedding", note().embedding).with("size", None::<u64>);
        assert_eq!(by_hand.deserialize::<Note>().unwrap(), Note { size: None, ..note() });
    }

    #[test]
    fn what_does_not_fit_a_type_is_refused_with_the_reason() {
        let doc = Document::from_serialize(&note()).unwrap().with("weight", "heavy");
        let error = doc.deserialize::<Note>().unwrap_err();
        assert_eq!(error.kind(), crate::ErrorKind::Usage);
        assert!(error.to_string().contains(r#"invalid type: string "heavy", expected f32"#), "{error}");
        let error = Document::from_serialize(&[1, 2]).unwrap_err().to_string();
        assert!(error.contains("expected an object, given a list of 2"), "{error}");
    }

    #[test]
    fn an_error_of_serde_json_becomes_one_of_the_engine() {
        fn read(text: &str) -> Result<serde_json::Value> {
            Ok(serde_json::from_str(text)?)
        }
        assert!(matches!(read("{"), Err(Error::Json(_))));
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
