//! The sparse vector of a document or a query.

use crate::error::{Error, Result, shortened};
use serde::de::{Deserialize, Deserializer, Error as _, MapAccess, Visitor};
use serde::ser::{Serialize, Serializer};
use std::collections::{BTreeMap, HashMap};
use std::fmt;

/// A sparse vector: some dimensions, numbers from 0 to 2³² − 1, each with a weight.
///
/// Weights are at least 0; one of 0 counts as absent. In JSON it is an object of weights by dimension,
/// `{"12": 0.5, "900": 1.25}`, or of two lists, `{"indices": [12, 900], "values": [0.5, 1.25]}`. What it holds is checked
/// when it is added or searched for: a dimension that is there twice, and a weight that is negative or not finite, are
/// refused then.
///
/// ```
/// use lucerne::document::SparseVector;
///
/// let vector = SparseVector::new([(12, 0.5), (900, 1.25)]);
/// assert_eq!(vector, SparseVector::from_parts(&[12, 900], &[0.5, 1.25])?);
/// assert_eq!(serde_json::to_string(&vector)?, r#"{"12":0.5,"900":1.25}"#);
/// assert_eq!(vector, serde_json::from_str(r#"{"indices": [12, 900], "values": [0.5, 1.25]}"#)?);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SparseVector {
    entries: Vec<(u32, f32)>,
}

impl SparseVector {
    /// A vector of dimensions with their weights, in any order.
    pub fn new(entries: impl IntoIterator<Item = (u32, f32)>) -> Self {
        Self { entries: entries.into_iter().collect() }
    }

    /// A vector of dimensions and as many weights.
    ///
    /// # Errors
    /// [`Error::Invalid`] when there are more of one than of the other.
    pub fn from_parts(indices: &[u32], values: &[f32]) -> Result<Self> {
        if indices.len() != values.len() {
            return Err(Error::Invalid(unequal(indices.len(), values.len())));
        }
        Ok(Self::new(indices.iter().copied().zip(values.iter().copied())))
    }

    /// Dimensions with their weights, as they were given.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (u32, f32)> + '_ {
        self.entries.iter().copied()
    }

    /// Number of dimensions given.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// True when there are none.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }
}

pub(super) fn unequal(indices: usize, values: usize) -> String {
    format!("{indices} indices and {values} values of a sparse vector; give as many of both")
}

macro_rules! from {
    ($($given:ty => |$entries:ident| $made:expr;)*) => {
        $(impl From<$given> for SparseVector {
            fn from($entries: $given) -> Self {
                Self::new($made)
            }
        })*
    };
}

from! {
    Vec<(u32, f32)> => |entries| entries;
    &Vec<(u32, f32)> => |entries| entries.iter().copied();
    &[(u32, f32)] => |entries| entries.iter().copied();
    BTreeMap<u32, f32> => |entries| entries;
    &BTreeMap<u32, f32> => |entries| entries.iter().map(|(dimension, weight)| (*dimension, *weight));
    &HashMap<u32, f32> => |entries| sorted(entries);
    &SparseVector => |vector| vector.iter();
}

/// The order of a hash map is another one each time; that of a stored document is not.
fn sorted(entries: &HashMap<u32, f32>) -> BTreeMap<u32, f32> {
    entries.iter().map(|(dimension, weight)| (*dimension, *weight)).collect()
}

impl From<HashMap<u32, f32>> for SparseVector {
    fn from(entries: HashMap<u32, f32>) -> Self {
        Self::from(&entries)
    }
}

impl<const N: usize> From<[(u32, f32); N]> for SparseVector {
    fn from(entries: [(u32, f32); N]) -> Self {
        Self::new(entries)
    }
}

impl Serialize for SparseVector {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.iter())
    }
}

impl<'de> Deserialize<'de> for SparseVector {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Weights)
    }
}

struct Weights;

impl<'de> Visitor<'de> for Weights {
    type Value = SparseVector;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object of weights by dimension, or of `indices` and `values`")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<SparseVector, A::Error> {
        let (mut entries, mut indices, mut values) = (Vec::new(), None::<Vec<u32>>, None::<Vec<f32>>);
        while let Some(name) = map.next_key::<String>()? {
            match name.as_str() {
                "indices" => indices = Some(map.next_value()?),
                "values" => values = Some(map.next_value()?),
                name => {
                    let number = dimension(name).ok_or_else(|| A::Error::custom(no_dimension(name)))?;
                    entries.push((number, map.next_value()?));
                }
            }
        }
        match (indices, values) {
            (None, None) => Ok(SparseVector { entries }),
            (Some(indices), Some(values)) if entries.is_empty() => {
                if indices.len() != values.len() {
                    return Err(A::Error::custom(unequal(indices.len(), values.len())));
                }
                Ok(SparseVector::new(indices.into_iter().zip(values)))
            }
            _ => {
                Err(A::Error::custom("expected `indices` and `values`, and nothing else, of a sparse vector"))
            }
        }
    }
}

/// A dimension as it is written: digits, without zeros before them.
pub(super) fn dimension(text: &str) -> Option<u32> {
    let plain = text == "0" || text.bytes().next().is_some_and(|first| (b'1'..=b'9').contains(&first));
    text.parse().ok().filter(|_| plain)
}

pub(super) fn no_dimension(text: &str) -> String {
    format!("{:?} is no dimension of a sparse vector, a number from 0 to {}", shortened(text), u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_query_in_json_says_what_is_wrong_with_it() {
        let read = |text: &str| serde_json::from_str::<SparseVector>(text).map_err(|error| error.to_string());
        assert_eq!(read(r#"{"7": 1}"#).unwrap(), SparseVector::new([(7, 1.0)]));
        for (text, expected) in [
            (r#"{"x": 1}"#, "is no dimension"),
            (r#"{"indices": [1]}"#, "expected `indices` and `values`"),
            (r#"{"indices": [1], "values": [1], "3": 1}"#, "nothing else"),
            (r#"{"indices": [1], "values": []}"#, "1 indices and 0 values"),
            ("[1]", "an object of weights by dimension"),
        ] {
            let error = read(text).unwrap_err();
            assert!(error.contains(expected), "{text}: {error}");
        }
    }
}
