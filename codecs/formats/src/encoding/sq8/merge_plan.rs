//! What a merge does with each source's codes: a pure function of what the sources' metadata says.
//!
//! The merged quantiles are the mean of the sources', weighted by live vectors. A source's drift is how far
//! the quantiles its codes were really encoded with are from the merged ones, as a share of the merged
//! range. Above `requantize_above` that source is encoded again from its raw vectors; otherwise its codes are kept.
//! Above `resample_above` for any source the mean means nothing: quantiles are taken again from a sample of all.

use super::codes::MAX_VERSIONS;
use super::quantiles::Quantiles;

/// Drift thresholds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Thresholds {
    /// Codes that drifted further are encoded again from their raw vectors.
    pub requantize_above: f64,
    /// When a source drifted further, new quantiles are taken from a sample of all sources.
    pub resample_above: f64,
}

impl Thresholds {
    /// Whatever can be kept is kept.
    pub const KEEP: Self = Self { requantize_above: f64::INFINITY, resample_above: f64::INFINITY };
}

/// What is known of one source of a merge.
#[derive(Clone, Debug, PartialEq)]
pub struct SourceCodes {
    /// Live vectors.
    pub live: u64,
    /// The segment's quantiles, or those of its vectors in the merged frame; `None` when there are none.
    pub quantiles: Option<Quantiles>,
    /// The quantizer versions of its codes, when the merged segment could keep them; empty when they are of
    /// another kind (another frame, another confidence interval, no codes at all).
    pub versions: Vec<Quantiles>,
}

/// What happens to a source's codes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Copied byte for byte.
    Kept,
    /// Encoded from its raw vectors with the merged quantiles.
    Requantized,
    /// Encoded from its raw vectors with quantiles found again from all sources.
    Resampled,
}

impl Outcome {
    /// The word used in reports.
    pub fn name(self) -> &'static str {
        match self {
            Self::Kept => "kept",
            Self::Requantized => "requantized",
            Self::Resampled => "resampled",
        }
    }
}

/// A source's part of a plan.
#[derive(Clone, Debug, PartialEq)]
pub struct SourcePlan {
    /// The largest drift of its quantizer versions, or of its quantiles when it has none to keep.
    pub drift: Option<f64>,
    /// What happens to it as a whole: kept only when all of it is.
    pub outcome: Outcome,
    /// For each of its quantizer versions, whether codes that have it are kept.
    pub keeps: Vec<bool>,
}

/// What a merge does.
#[derive(Clone, Debug, PartialEq)]
pub struct Plan {
    /// The merged quantiles; `None` when they must be found from a sample.
    pub quantiles: Option<Quantiles>,
    /// One entry per source.
    pub sources: Vec<SourcePlan>,
}

impl Plan {
    /// New quantiles for all sources.
    pub fn resample(sources: &[SourceCodes]) -> Self {
        let plan = |source: &SourceCodes| SourcePlan {
            drift: None,
            outcome: Outcome::Resampled,
            keeps: vec![false; source.versions.len()],
        };
        Self { quantiles: None, sources: sources.iter().map(plan).collect() }
    }
}

/// Plans a merge. Sources without live vectors do not count.
pub fn plan(sources: &[SourceCodes], thresholds: Thresholds) -> Plan {
    let weighted = sources.iter().filter_map(|source| Some((source.quantiles?, source.live)));
    let live = || sources.iter().filter(|source| source.live > 0);
    let merged = Quantiles::mean(weighted).filter(|_| live().any(|source| !source.versions.is_empty()));
    let drift = |source: &SourceCodes, merged| {
        let own = match source.versions.as_slice() {
            [] => source.quantiles.as_slice(),
            versions => versions,
        };
        own.iter().map(|quantiles| quantiles.drift(merged)).fold(0.0, f64::max)
    };
    let near = |merged| live().all(|source| drift(source, merged) <= thresholds.resample_above);
    let resampled = |merged: Option<Quantiles>| {
        let mut plan = Plan::resample(sources);
        for (plan, source) in plan.sources.iter_mut().zip(sources) {
            plan.drift = merged.map(|merged| drift(source, merged));
        }
        plan
    };
    let Some(quantiles) = merged.filter(|&merged| near(merged)) else {
        return resampled(merged);
    };
    let mut used = vec![quantiles];
    let sources = sources
        .iter()
        .map(|source| {
            let keeps: Vec<bool> = source
                .versions
                .iter()
                .map(|version| {
                    version.drift(quantiles) <= thresholds.requantize_above && has_room(&mut used, *version)
                })
                .collect();
            let all = !keeps.is_empty() && keeps.iter().all(|&keep| keep);
            SourcePlan {
                drift: Some(drift(source, quantiles)),
                outcome: if all { Outcome::Kept } else { Outcome::Requantized },
                keeps,
            }
        })
        .collect();
    Plan { quantiles: Some(quantiles), sources }
}

/// True when the merged segment has, or can take, this quantizer version: it has room for [`MAX_VERSIONS`].
fn has_room(used: &mut Vec<Quantiles>, version: Quantiles) -> bool {
    let known = used.contains(&version);
    if !known && used.len() < MAX_VERSIONS {
        used.push(version);
        return true;
    }
    known
}

#[cfg(test)]
mod tests {
    use super::*;

    const DEFAULT: Thresholds = Thresholds { requantize_above: 0.015, resample_above: 0.10 };
    const LUCENE: Thresholds = Thresholds { requantize_above: 0.2 / 128.0, resample_above: 1.0 / 32.0 };

    fn source(lower: f32, upper: f32, live: u64) -> SourceCodes {
        let quantiles = Quantiles { lower, upper };
        SourceCodes { live, quantiles: Some(quantiles), versions: vec![quantiles] }
    }

    fn outcomes(plan: &Plan) -> Vec<&'static str> {
        plan.sources.iter().map(|source| source.outcome.name()).collect()
    }

    fn example() -> Vec<SourceCodes> {
        vec![source(-0.75, 0.86, 1000), source(-0.76, 0.84, 1000), source(-0.70, 0.81, 100)]
    }

    #[test]
    fn the_worked_example() {
        let made = plan(&example(), DEFAULT);
        let merged = made.quantiles.unwrap();
        assert!((merged.lower + 0.752381).abs() < 1e-6 && (merged.upper - 0.848095).abs() < 1e-6);
        assert_eq!(outcomes(&made), ["kept", "kept", "requantized"]);
        let made = plan(&example(), LUCENE);
        assert_eq!(made.quantiles, None);
        assert_eq!(outcomes(&made), ["resampled"; 3]);
    }

    #[test]
    fn a_drift_beyond_meaning_resamples() {
        let made = plan(&[source(0.0, 0.1, 500), source(-10.0, 10.0, 500)], DEFAULT);
        assert_eq!(outcomes(&made), ["resampled"; 2]);
        assert!(made.sources[0].drift.unwrap() > 0.4);
    }

    #[test]
    fn drift_is_measured_from_the_quantizer_versions_really_used() {
        let mut old = source(-1.0, 1.0, 100);
        old.versions.push(Quantiles { lower: -1.06, upper: 1.0 });
        let made = plan(&[old, source(-1.0, 1.0, 100)], DEFAULT);
        assert_eq!(outcomes(&made), ["requantized", "kept"]);
        assert_eq!(made.sources[0].keeps, [true, false]);
    }

    #[test]
    fn sources_of_another_kind_are_requantized_and_alone_resampled() {
        let mut foreign = source(-1.01, 1.0, 100);
        foreign.versions.clear();
        let made = plan(&[foreign.clone(), source(-1.0, 1.0, 100)], DEFAULT);
        assert_eq!(outcomes(&made), ["requantized", "kept"]);
        assert_eq!(outcomes(&plan(&[foreign], DEFAULT)), ["resampled"]);
        assert_eq!(plan(&[], DEFAULT).quantiles, None);
        // Nothing alive in the drifted source: it does not count.
        let made = plan(&[source(5.0, 9.0, 0), source(-1.0, 1.0, 100)], DEFAULT);
        assert_eq!(outcomes(&made)[1], "kept");
    }

    #[test]
    fn the_number_of_quantizer_versions_is_bounded() {
        let sources: Vec<_> = (0..100).map(|i| source(-1.0 - i as f32 * 1e-5, 1.0, 10)).collect();
        let made = plan(&sources, DEFAULT);
        let kept = outcomes(&made).iter().filter(|&&name| name == "kept").count();
        assert_eq!(kept, MAX_VERSIONS - 1);
    }
}
