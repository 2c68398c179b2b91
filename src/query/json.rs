//! Values in the JSON form of queries.

/// How a [`crate::document::Value`] reads and writes itself.
pub(super) mod values {
    use crate::document::Value;
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    /// A value.
    pub(crate) mod one {
        use super::*;

        pub(crate) fn serialize<S: Serializer>(value: &Value, to: S) -> Result<S::Ok, S::Error> {
            value.serialize(to)
        }

        pub(crate) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Value, D::Error> {
            serde_json::Value::deserialize(from).map(Value::from)
        }
    }

    /// A list of values.
    pub(crate) mod many {
        use super::*;

        pub(crate) fn serialize<S: Serializer>(values: &[Value], to: S) -> Result<S::Ok, S::Error> {
            values.serialize(to)
        }

        pub(crate) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<Value>, D::Error> {
            let values = Vec::<serde_json::Value>::deserialize(from)?;
            Ok(values.into_iter().map(Value::from).collect())
        }
    }

    /// A value or nothing.
    pub(crate) mod maybe {
        use super::*;

        pub(crate) fn serialize<S: Serializer>(value: &Option<Value>, to: S) -> Result<S::Ok, S::Error> {
            value.serialize(to)
        }

        pub(crate) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Value>, D::Error> {
            Ok(Option::<serde_json::Value>::deserialize(from)?.map(Value::from))
        }
    }
}
