//! Looking after an index: what is in it, whether it is whole, and what its vectors are fit for.

mod check;
mod hash_quality;
mod inspect;

pub use check::{CheckReport, Problem, check, check_in};
pub use hash_quality::{HashQuality, HashQualityOptions, HashRecall, hash_quality};
pub use inspect::inspect;
