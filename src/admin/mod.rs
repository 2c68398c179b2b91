//! Administration of an index: inspecting it, checking its integrity, and measuring the quality of its answers.

mod calibrate;
mod check;
mod estimate;
mod hash_quality;
mod inspect;
mod raw_loss;
mod relevance;
mod repair;

pub use calibrate::calibrate;
pub use check::{CheckReport, Problem, SelfSearchCheck, check, check_in};
pub use estimate::{Estimate, estimate};
pub use hash_quality::{HashQuality, HashQualityOptions, HashRecall, hash_quality};
pub use inspect::inspect;
pub use raw_loss::{RawLoss, raw_loss};
pub use relevance::{Judgements, Measures, RelevanceSet, Unmatched};
pub use repair::{
    Deletes, LostDocument, LostInKept, LostPart, RepairOptions, RepairReport, RepairRun, SegmentRepair,
    repair, repair_in,
};
