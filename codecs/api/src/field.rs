//! What a format is told about the field it writes.

use crate::{Component, Error, Result, Similarity};
use serde::{Deserialize, Serialize};

/// Parameters of a field's format, by name: `m`, `beam_width`, `quantization`, … The engine hands them on
/// unread; the format refuses names and values it does not know.
pub type Params = serde_json::Map<String, serde_json::Value>;

/// A vector field.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FieldInfo {
    /// The field's number: stable within an index, part of its file names.
    pub number: u32,
    /// The field's name.
    pub name: String,
    /// Components of a vector: 1 to 4,096 numbers, or 8 to 65,536 bits.
    pub dimension: u32,
    /// The metric, which says what a component is.
    pub similarity: Similarity,
    /// The format's parameters, as the schema gives them; absent ones take the format's defaults.
    #[serde(default)]
    pub params: Params,
}

impl FieldInfo {
    /// The parameter that says that a document may have several vectors.
    pub const MULTIPLE: &str = "multiple";

    /// The parameter that says, when it is false, that only encoded vectors are kept, not the raw ones they were made of.
    pub const KEEP_RAW: &str = "keep_raw";

    /// The parameter that says how the numbers of float vectors are kept: [`Self::FLOAT32`], the default, or
    /// [`Self::FLOAT16`].
    pub const DATATYPE: &str = "datatype";

    /// Numbers are kept in single precision.
    pub const FLOAT32: &str = "float32";

    /// Numbers are kept in half precision.
    pub const FLOAT16: &str = "float16";

    /// The parameter that groups those that are not for ordinary use: an object of further parameters.
    pub const ADVANCED: &str = "advanced";

    /// True when a document may have several vectors.
    pub fn is_multiple(&self) -> bool {
        self.params.get(Self::MULTIPLE).is_some_and(|value| *value == true)
    }

    /// False when new segments keep encoded vectors only ([`Self::KEEP_RAW`]).
    pub fn keeps_raw(&self) -> bool {
        self.params.get(Self::KEEP_RAW).is_none_or(|value| *value != false)
    }

    /// The field with its advanced parameters ([`Self::ADVANCED`]) in place of the ordinary ones.
    pub fn advanced(&self) -> Result<Self> {
        let params = match self.params.get(Self::ADVANCED) {
            None => Params::new(),
            Some(serde_json::Value::Object(params)) => params.clone(),
            Some(other) => return Err(self.refuse(Self::ADVANCED, other, "an object of parameters")),
        };
        Ok(Self { params, ..self.clone() })
    }

    /// What a stored vector consists of.
    pub fn component(&self) -> Component {
        match self.similarity.component() {
            Component::F32 if self.params.get(Self::DATATYPE).is_some_and(|name| *name == Self::FLOAT16) => {
                Component::F16
            }
            component => component,
        }
    }

    /// Bytes of one stored row: little-endian f32 or f16 components, or bits, eight in a byte.
    pub fn row_len(&self) -> usize {
        match self.component() {
            Component::F32 => self.dimension as usize * 4,
            Component::F16 => self.dimension as usize * 2,
            Component::Bit => self.dimension as usize / 8,
        }
    }

    /// Bytes of a vector as readers give it and of a query: little-endian f32 components, or bits, eight in a byte.
    pub fn vector_len(&self) -> usize {
        match self.component() {
            Component::F32 | Component::F16 => self.dimension as usize * 4,
            Component::Bit => self.dimension as usize / 8,
        }
    }

    /// The integer parameter `name`, or `default`; refused outside `range`.
    pub fn integer(&self, name: &str, default: u64, range: std::ops::RangeInclusive<u64>) -> Result<u64> {
        let Some(value) = self.params.get(name) else {
            return Ok(default);
        };
        value.as_u64().filter(|value| range.contains(value)).ok_or_else(|| {
            self.refuse(name, value, &format!("an integer from {} to {}", range.start(), range.end()))
        })
    }

    /// The number parameter `name`, if given; refused outside `range`.
    pub fn number(&self, name: &str, range: std::ops::RangeInclusive<f64>) -> Result<Option<f64>> {
        let Some(value) = self.params.get(name) else {
            return Ok(None);
        };
        let number = value.as_f64().filter(|number| range.contains(number)).ok_or_else(|| {
            self.refuse(name, value, &format!("a number from {} to {}", range.start(), range.end()))
        })?;
        Ok(Some(number))
    }

    /// The text parameter `name`, if given; refused when not one of `accepted`.
    pub fn choice<'a>(&self, name: &str, accepted: &[&'a str]) -> Result<Option<&'a str>> {
        let Some(value) = self.params.get(name) else {
            return Ok(None);
        };
        let found = accepted.iter().find(|accepted| value.as_str() == Some(accepted));
        found
            .copied()
            .map(Some)
            .ok_or_else(|| self.refuse(name, value, &format!("one of {}", accepted.join(", "))))
    }

    /// Refuses parameters that are not in `accepted`, by name.
    pub fn only(&self, accepted: &[&str]) -> Result<()> {
        match self.params.keys().find(|name| !accepted.contains(&name.as_str())) {
            None => Ok(()),
            Some(name) => Err(Error::Invalid(format!(
                "field {:?}: unknown parameter {name:?}; accepted: {}",
                self.name,
                accepted.join(", ")
            ))),
        }
    }

    fn refuse(&self, name: &str, value: &serde_json::Value, expected: &str) -> Error {
        Error::Invalid(format!("field {:?}: parameter {name:?} is {value}, expected {expected}", self.name))
    }
}
