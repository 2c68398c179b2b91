//! The vector of a query.

use crate::bits;
use serde::de::{Deserialize, Deserializer, Error, SeqAccess, Visitor};
use serde::ser::{Serialize, Serializer};
use std::fmt;

/// The vector of a query: numbers, bits, or bits as text. The search checks that it fits its field.
///
/// It is made of a `Vec`, slice or array of `f32`, `f64` (rounded to `f32`) or `u8`, or of a string; in JSON it is
/// a list of numbers or a string.
///
/// ```
/// use lucerne::Knn;
/// use lucerne::document::QueryVector;
///
/// assert_eq!(QueryVector::from(&[0.5_f64, 1.0]), QueryVector::Floats(vec![0.5, 1.0]));
/// assert_eq!(QueryVector::from([0b1101_1001_u8]), QueryVector::Bits(vec![217]));
/// let nearest = Knn::new("embedding", vec![0.5_f32, 1.0]);
/// let by_fingerprint = Knn::new("fingerprint", "d92a");
/// ```
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum QueryVector {
    /// One number per component; for a binary field zeros and ones, or one byte per eight bits.
    Floats(Vec<f32>),
    /// Eight bits in each byte, the least significant first ([`crate::bits`]); for a field of f32 vectors the components as
    /// little-endian f32, four bytes each.
    Bits(Vec<u8>),
    /// Zeros and ones, or hexadecimal digits of the bytes.
    Text(String),
}

impl Serialize for QueryVector {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Floats(components) => components.serialize(serializer),
            Self::Bits(bytes) => serializer.serialize_str(&bits::to_hex(bytes)),
            Self::Text(text) => serializer.serialize_str(text),
        }
    }
}

impl<'de> Deserialize<'de> for QueryVector {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ListOrText)
    }
}

struct ListOrText;

impl<'de> Visitor<'de> for ListOrText {
    type Value = QueryVector;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of numbers, or a string of bits")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<QueryVector, A::Error> {
        let mut components = Vec::with_capacity(list.size_hint().unwrap_or(0).min(1 << 16));
        while let Some(component) = list.next_element()? {
            components.push(component);
        }
        Ok(QueryVector::Floats(components))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<QueryVector, E> {
        Ok(QueryVector::Text(text.to_owned()))
    }
}

macro_rules! from {
    ($($given:ty => |$value:ident| $made:expr;)*) => {
        $(impl From<$given> for QueryVector {
            fn from($value: $given) -> Self {
                $made
            }
        })*
    };
}

from! {
    Vec<f32> => |components| Self::Floats(components);
    &Vec<f32> => |components| Self::Floats(components.clone());
    &[f32] => |components| Self::Floats(components.to_vec());
    Vec<f64> => |components| Self::from(components.as_slice());
    &Vec<f64> => |components| Self::from(components.as_slice());
    &[f64] => |components| Self::Floats(components.iter().map(|component| *component as f32).collect());
    Vec<u8> => |bytes| Self::Bits(bytes);
    &[u8] => |bytes| Self::Bits(bytes.to_vec());
    &Vec<u8> => |bytes| Self::Bits(bytes.clone());
    String => |text| Self::Text(text);
    &String => |text| Self::Text(text.clone());
    &str => |text| Self::Text(text.to_owned());
}

impl<const N: usize> From<[f32; N]> for QueryVector {
    fn from(components: [f32; N]) -> Self {
        Self::Floats(components.to_vec())
    }
}

impl<const N: usize> From<&[f32; N]> for QueryVector {
    fn from(components: &[f32; N]) -> Self {
        Self::Floats(components.to_vec())
    }
}

impl<const N: usize> From<[f64; N]> for QueryVector {
    fn from(components: [f64; N]) -> Self {
        Self::from(components.as_slice())
    }
}

impl<const N: usize> From<&[f64; N]> for QueryVector {
    fn from(components: &[f64; N]) -> Self {
        Self::from(components.as_slice())
    }
}

impl<const N: usize> From<[u8; N]> for QueryVector {
    fn from(bytes: [u8; N]) -> Self {
        Self::Bits(bytes.to_vec())
    }
}
