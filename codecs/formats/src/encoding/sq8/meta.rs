//! The small metadata about codes that the segment info keeps, under its checksum.

use super::codes::MAX_VERSIONS;
use super::quantiles::Quantiles;
use serde::{Deserialize, Serialize};

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
    /// Whether a center is subtracted.
    pub center: Center,
    /// Whether there is a `.sq4` file for graph search.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub sq4: bool,
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

/// Whether a center is subtracted, and which.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Center {
    /// None yet: the segment was too small to tell.
    Undecided,
    /// None, because none pays or none was wanted.
    None,
    /// The one in the file, whose bytes have this CRC-32.
    Crc32(u32),
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
        let counted = self.versions.iter().try_fold(0u64, |sum, version| sum.checked_add(version.vectors));
        (counted != Some(vectors))
            .then(|| format!("quantizer versions of {counted:?} vectors, there are {vectors}"))
    }
}
