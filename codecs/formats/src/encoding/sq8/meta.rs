//! The small metadata about codes that the segment info keeps, under its checksum.

use super::codes::MAX_VERSIONS;
use super::quantiles::Quantiles;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// What a segment keeps instead of raw vectors to search with.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Meta {
    /// Int8 codes.
    Codes(CodesMeta),
    /// Nothing: the raw vectors are searched.
    Raw(RawReason),
}

/// Why there are no codes.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RawReason {
    /// Vectors of so few components are as small as codes with their corrections.
    FewComponents,
    /// Codes do not tell neighbors apart.
    Quality(Quality),
}

/// Everything about a segment's codes but the codes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CodesMeta {
    /// The segment's quantiles: what new codes were encoded with, and what counts in the next merge.
    pub quantiles: Quantiles,
    /// Confidence interval the quantiles were found with.
    pub confidence_interval: f64,
    /// What the codes were really encoded with.
    pub versions: Vec<QuantizerVersion>,
    /// What was done to the vectors before.
    pub frame: FrameMeta,
    /// Whether corrections have a part for 4-bit codes.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub scale4: bool,
    /// Whether there is a `.sq4` file for graph search.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub sq4: bool,
    /// How many of the nearest by codes must at least be ordered by their raw vectors; 0 for none.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub rescored: u32,
    /// What was measured of the codes; absent for segments of no vectors.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quality: Option<Quality>,
}

fn is_zero(value: &u32) -> bool {
    *value == 0
}

/// Quantiles some of the codes were encoded with.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct QuantizerVersion {
    /// The quantiles.
    pub quantiles: Quantiles,
    /// Vectors encoded with them.
    pub vectors: u64,
}

/// What is done to vectors before they are encoded.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FrameMeta {
    /// Nothing: these quantiles make codes that stand for exactly the values that there are.
    Lattice(Quantiles),
    /// The center in the file is subtracted, the rest is rotated and divided by its length.
    Rotated {
        /// CRC-32 of the center's bytes.
        center_crc32: u32,
    },
}

/// How well stored vectors find their nearest neighbors in their own segment by codes alone, measured on a sample.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Quality {
    /// Vectors searched for.
    pub queries: u32,
    /// Share of the ten exactly nearest among the ten nearest by 8-bit codes.
    pub recall: f32,
    /// Share of the three exactly nearest, the vector itself included, among the three nearest by 8-bit codes.
    pub recall_at_3: f32,
    /// Share of vectors whose nearest by 8-bit codes is exactly nearest: themselves or a copy.
    pub itself: f32,
    /// Share of the 20 nearest by 8-bit codes among the 60 nearest by 4-bit codes; absent where none were made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sq4: Option<f32>,
}

impl FrameMeta {
    /// Hands what reports say about the frame to `set`.
    pub(super) fn report(self, set: &mut dyn FnMut(&str, Value)) {
        let (center, rotation) = match self {
            Self::Lattice(_) => (json!("none"), false),
            Self::Rotated { center_crc32 } => (json!(format!("{center_crc32:08x}")), true),
        };
        set("center", center);
        set("rotation", json!(rotation));
    }
}

impl CodesMeta {
    /// What is wrong with the metadata of `vectors` vectors, if anything.
    pub fn problem(&self, vectors: u64) -> Option<String> {
        let ranges = self.versions.iter().map(|version| version.quantiles);
        if let Some(bad) =
            std::iter::once(self.quantiles).chain(ranges).find(|quantiles| !quantiles.is_valid())
        {
            return Some(format!("quantiles {} and {} are not ordered", bad.lower, bad.upper));
        }
        if self.versions.is_empty() || self.versions.len() > MAX_VERSIONS {
            return Some(format!("{} quantizer versions", self.versions.len()));
        }
        if self.sq4 && !self.scale4 {
            return Some("4-bit codes without their corrections".to_owned());
        }
        let counted = self.versions.iter().try_fold(0u64, |sum, version| sum.checked_add(version.vectors));
        (counted != Some(vectors))
            .then(|| format!("quantizer versions of {counted:?} vectors, there are {vectors}"))
    }
}
