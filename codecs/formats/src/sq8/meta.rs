//! The small facts about codes that the segment info keeps, under its checksum.

use super::Quantiles;
use super::codes::MAX_ENCODINGS;
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
    pub encodings: Vec<Encoding>,
    /// Whether a centre is subtracted.
    pub center: Center,
}

/// Quantiles some of the codes were encoded with.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Encoding {
    /// The quantiles.
    pub quantiles: Quantiles,
    /// Vectors encoded with them.
    pub vectors: u64,
}

/// Whether a centre is subtracted, and which.
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
    /// What is wrong with facts about `vectors` vectors, if anything.
    pub fn problem(&self, vectors: u64) -> Option<String> {
        let ranges = self.encodings.iter().map(|encoding| encoding.quantiles);
        if let Some(bad) =
            std::iter::once(self.quantiles).chain(ranges).find(|quantiles| !quantiles.is_valid())
        {
            return Some(format!("quantiles {} and {} are not ordered", bad.lower, bad.upper));
        }
        if self.encodings.is_empty() || self.encodings.len() > MAX_ENCODINGS {
            return Some(format!("{} encodings", self.encodings.len()));
        }
        let counted = self.encodings.iter().try_fold(0u64, |sum, encoding| sum.checked_add(encoding.vectors));
        (counted != Some(vectors)).then(|| format!("encodings of {counted:?} vectors, there are {vectors}"))
    }
}
