//! Administration of an index: inspecting it, checking its integrity, and measuring the quality of its answers.

mod calibrate;
mod check;
mod estimate;
mod figures;
mod hash_quality;
mod inspect;
mod merge_plan;
mod raw_loss;
mod relevance;
mod repair;
mod top_terms;

pub use calibrate::calibrate;
pub use check::{CheckReport, Problem, SelfSearchCheck, check, check_in};
pub use estimate::{Estimate, estimate};
pub use figures::{SampledVector, sample_vectors, vector_figures};
pub use hash_quality::{HashQuality, HashQualityOptions, HashRecall, hash_quality};
pub use inspect::{inspect, segment_of};
pub use merge_plan::{plan_even_merges, plan_expunge_deletes, plan_force_merge, plan_upgrade};
pub use raw_loss::{RawLoss, raw_loss};
pub use relevance::{Judgements, Measures, RelevanceSet, Unmatched};
pub use repair::{
    Deletes, LostDocument, LostInKept, LostPart, RepairOptions, RepairReport, RepairRun, SegmentRepair,
    repair, repair_in,
};
pub use top_terms::top_terms;
