//! Looking after an index: what is in it, whether it is whole, and how good its answers are.

mod check;
mod hash_quality;
mod inspect;
mod relevance;

pub use check::{CheckReport, Problem, check, check_in};
pub use hash_quality::{HashQuality, HashQualityOptions, HashRecall, hash_quality};
pub use inspect::inspect;
pub use relevance::{Judgements, Measures, RelevanceSet, Unmatched};
