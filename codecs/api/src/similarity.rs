//! How near two vectors are: distances (smaller is nearer) and scores (larger is nearer).

use crate::io::bytes::{PutLe as _, f16s};
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

/// A vector field's metric.
///
/// | similarity | distance | score |
/// |---|---|---|
/// | `euclidean` | d² = Σ(xᵢ−qᵢ)² | 1/(1+d²) |
/// | `dot_product` (unit vectors) | −x·q | (1+x·q)/2 |
/// | `cosine` | 1 − cos(x, q) | (1+cos)/2 |
/// | `max_inner_product` | −x·q | x·q<0 ? 1/(1−x·q) : x·q+1 |
/// | `hamming` (bits) | h = number of differing bits | 1/(1+h) |
/// | `jaccard` (bits) | j = 1 − bits in both ÷ bits in either | 1−j |
///
/// The cosine of a zero vector with anything is taken as 0; the Jaccard distance of two vectors without a bit as 0.
/// Scores of float vectors are those of Apache Lucene.
///
/// Each metric is either for float vectors or for binary vectors: [`Similarity::component`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Similarity {
    /// Squared Euclidean distance.
    Euclidean,
    /// Inner product of unit vectors.
    DotProduct,
    /// Cosine of the angle between the vectors, which may have any length. The default.
    #[default]
    Cosine,
    /// Inner product of vectors of any length.
    MaxInnerProduct,
    /// Number of differing bits.
    Hamming,
    /// Share of the bits set in either vector that are not set in both.
    Jaccard,
}

/// What a vector consists of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Component {
    /// Numbers in single precision; a row is four little-endian bytes for each.
    F32,
    /// Numbers in half precision ([`crate::half`]); a row is two little-endian bytes for each.
    F16,
    /// Bits; a row is one byte for every eight, the first in its least significant bit. The dimension is a multiple
    /// of 8.
    Bit,
}

impl Component {
    /// The vector of a stored row, as readers give it and queries are given: little-endian f32 components, or bits.
    pub fn vector(self, row: &[u8]) -> Cow<'_, [u8]> {
        match self {
            Self::F32 | Self::Bit => Cow::Borrowed(row),
            Self::F16 => {
                let mut vector = Vec::with_capacity(row.len() * 2);
                f16s(row).for_each(|number| vector.put_f32(number));
                Cow::Owned(vector)
            }
        }
    }
}

impl Similarity {
    /// All similarities, in the order they are listed to users.
    pub const ALL: [Self; 6] = [
        Self::Euclidean,
        Self::DotProduct,
        Self::Cosine,
        Self::MaxInnerProduct,
        Self::Hamming,
        Self::Jaccard,
    ];
    /// Those of float vectors.
    pub const FLOAT: [Self; 4] = [Self::Euclidean, Self::DotProduct, Self::Cosine, Self::MaxInnerProduct];
    /// Those of binary vectors; the first is their default.
    pub const BINARY: [Self; 2] = [Self::Hamming, Self::Jaccard];

    /// The name used in schemas and printed everywhere.
    pub fn name(self) -> &'static str {
        match self {
            Self::Euclidean => "euclidean",
            Self::DotProduct => "dot_product",
            Self::Cosine => "cosine",
            Self::MaxInnerProduct => "max_inner_product",
            Self::Hamming => "hamming",
            Self::Jaccard => "jaccard",
        }
    }

    /// What the vectors it compares consist of: numbers, which a field may keep in half precision
    /// ([`crate::FieldInfo::component`]), or bits.
    pub fn component(self) -> Component {
        match self {
            Self::Hamming | Self::Jaccard => Component::Bit,
            _ => Component::F32,
        }
    }

    /// The nearest distance that two vectors can have: estimates and rounding go beyond. Compare distances as they
    /// are, or those beyond become equal.
    pub fn in_range(self, distance: f32) -> f32 {
        match self {
            Self::Euclidean | Self::Hamming => distance.max(0.0),
            Self::DotProduct => distance.clamp(-1.0, 1.0),
            Self::Cosine => distance.clamp(0.0, 2.0),
            Self::Jaccard => distance.clamp(0.0, 1.0),
            Self::MaxInnerProduct => distance,
        }
    }

    /// The score of a distance: finite, at least 0, larger is nearer, comparable across segments.
    pub fn score(self, distance: f32) -> f32 {
        let distance = self.in_range(distance);
        let score = match self {
            Self::Euclidean | Self::Hamming => 1.0 / (1.0 + distance),
            Self::Jaccard => 1.0 - distance,
            Self::DotProduct => (1.0 - distance) / 2.0,
            Self::Cosine => 1.0 - distance / 2.0,
            Self::MaxInnerProduct if distance > 0.0 => 1.0 / (1.0 + distance),
            Self::MaxInnerProduct => 1.0 - distance,
        };
        score.clamp(0.0, f32::MAX)
    }
}

impl fmt::Display for Similarity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Similarity {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Self::ALL.into_iter().find(|similarity| similarity.name() == text).ok_or_else(|| {
            let names: Vec<_> = Self::ALL.iter().map(|similarity| similarity.name()).collect();
            format!("similarity {text:?} is unknown; accepted: {}", names.join(", "))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scores_follow_the_documented_table() {
        assert_eq!(Similarity::Euclidean.score(0.75), 1.0 / 1.75);
        assert_eq!(Similarity::DotProduct.score(-1.0), 1.0);
        assert_eq!(Similarity::Cosine.score(1.0), 0.5);
        assert_eq!(Similarity::MaxInnerProduct.score(-3.0), 4.0);
        assert_eq!(Similarity::MaxInnerProduct.score(3.0), 0.25);
        assert_eq!(Similarity::MaxInnerProduct.score(f32::NEG_INFINITY), f32::MAX);
        assert_eq!(Similarity::Hamming.score(3.0), 0.25);
        assert_eq!(Similarity::Jaccard.score(0.75), 0.25);
    }

    #[test]
    fn distances_and_scores_stay_in_their_range() {
        for similarity in Similarity::ALL {
            let (least, most) = match similarity {
                Similarity::Euclidean | Similarity::Hamming => (0.0, f32::INFINITY),
                Similarity::DotProduct => (-1.0, 1.0),
                Similarity::Cosine => (0.0, 2.0),
                Similarity::Jaccard => (0.0, 1.0),
                Similarity::MaxInnerProduct => (f32::NEG_INFINITY, f32::INFINITY),
            };
            for distance in [f32::MIN, -3.0, -1.0000001, -0.0028, 0.0, 0.5, 1.0001, 2.0001, 1e30] {
                let reported = similarity.in_range(distance);
                assert!((least..=most).contains(&reported), "{similarity}: {distance} is {reported}");
                assert!(
                    reported == distance || !(least..=most).contains(&distance),
                    "{similarity}: {distance}"
                );
                let score = similarity.score(distance);
                let bounded = similarity != Similarity::MaxInnerProduct;
                assert!(
                    score >= 0.0 && score.is_finite() && (score <= 1.0 || !bounded),
                    "{similarity}: {score}"
                );
            }
        }
    }

    #[test]
    fn an_unknown_similarity_lists_the_accepted_ones() {
        let error = "manhattan".parse::<Similarity>().unwrap_err();
        assert!(
            error.contains("euclidean, dot_product, cosine, max_inner_product, hamming, jaccard"),
            "{error}"
        );
        for similarity in Similarity::ALL {
            assert_eq!(similarity.name().parse(), Ok(similarity));
        }
    }
}
