//! What a segment info keeps about a field's hashes.

use serde::{Deserialize, Serialize};

/// What stands for the distance between a query and a hash.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Estimator {
    /// The Hamming distance of signs.
    Plain,
    /// Signs around a center, with two numbers per vector. The default.
    #[default]
    Corrected,
}

impl Estimator {
    /// All of them, in the order they are listed to users.
    pub const ALL: [Self; 2] = [Self::Plain, Self::Corrected];

    /// The name used in schemas and printed everywhere.
    pub fn name(self) -> &'static str {
        match self {
            Self::Plain => "plain",
            Self::Corrected => "corrected",
        }
    }

    /// Bytes kept per vector besides its hash.
    pub fn correction_len(self) -> usize {
        match self {
            Self::Plain => 0,
            Self::Corrected => 8,
        }
    }
}

/// Everything about a segment's hashes but the hashes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HashMeta {
    /// The estimator.
    pub estimator: Estimator,
    /// CRC-32 of the center's bytes; `None` for plain.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub center: Option<u32>,
}

impl HashMeta {
    /// What is wrong with this metadata, if anything.
    pub fn problem(&self) -> Option<String> {
        let centered = self.estimator == Estimator::Corrected;
        (self.center.is_some() != centered)
            .then(|| format!("estimator {} and center {:?} do not fit", self.estimator.name(), self.center))
    }
}
