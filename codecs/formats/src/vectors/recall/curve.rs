//! The curve of a segment: how many candidates reach which recall.

use serde::{Deserialize, Serialize};

/// The numbers of neighbors that recall is measured for. Searches for fewer than the first are treated like it, others
/// by what lies between.
pub(in crate::vectors) const MEASURED_K: [usize; 2] = [10, 100];

/// How many of the best, in multiples of k, are rescored with raw vectors when that is cheaper than more candidates.
pub(in crate::vectors) const RESCORED: usize = 2;
/// What a candidate costs, and a raw vector, in distances of a graph search (`docs/measurements/recall.md`).
const CANDIDATE_COST: f64 = 8.0;
const RAW_COST: f64 = 4.0;

/// The share of k of which it is measured, beside k, what estimates lose: as many as one of a few segments has of the nearest k.
pub(in crate::vectors) const FEW: f64 = 0.3;

/// The most points of a curve.
const MOST_POINTS: usize = 64;
/// Candidates beyond the last point are extrapolated to no more than this many times it.
const MOST_BEYOND: f64 = 32.0;
/// The recall from which the last point is extrapolated when all sampled searches found everything: half a neighbor of
/// the sample is taken to be missed.
const LEAST_MISS: f64 = 5e-4;

/// One measurement.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::vectors) struct Point {
    /// Candidates that a search kept.
    pub(in crate::vectors) candidates: u32,
    /// The share of the true neighbors that was found, 0 to 1, less a margin for chance.
    pub(in crate::vectors) recall: f64,
    /// The same when the best [`RESCORED`] × k were rescored with their raw vectors; absent where distances are exact
    /// anyway.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(in crate::vectors) rescored: Option<f64>,
    /// The same two without the margin; absent in older segments.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(in crate::vectors) mean: Option<f64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(in crate::vectors) rescored_mean: Option<f64>,
}

/// Which of a point's recalls.
#[derive(Clone, Copy, Debug, PartialEq)]
struct By {
    rescored: bool,
    /// The part of the margin that is taken, 0 to 1.
    margin: f64,
    /// The part of [`Curve::lost`] that is taken off, 0 to 1.
    lost: f64,
}

/// What a segment is searched beside.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(in crate::vectors) struct Among {
    /// The part of the margin for chance that is taken, 0 to 1.
    pub(in crate::vectors) margin: f64,
    /// The part of all vectors that is in a segment, above 0 and up to 1.
    pub(in crate::vectors) share: f64,
}

impl Among {
    /// A segment by itself.
    pub(in crate::vectors) const ALONE: Self = Self { margin: 1.0, share: 1.0 };

    /// The part of what estimates lose of fewer neighbors: in proportion to the logarithm of their number.
    fn lost(self) -> f64 {
        (self.share.ln() / FEW.ln()).clamp(0.0, 1.0)
    }
}

impl Point {
    fn recall(&self, by: By) -> f64 {
        let (recall, mean) = match self.rescored {
            Some(rescored) if by.rescored => (rescored, self.rescored_mean),
            _ => (self.recall, self.mean),
        };
        let mean = mean.unwrap_or(recall);
        mean + by.margin * (recall - mean)
    }
}

/// The least and the most of each recall: what lies between does not fall where these do not.
const ALL: [By; 4] = [
    By { rescored: false, margin: 0.0, lost: 0.0 },
    By { rescored: false, margin: 1.0, lost: 0.0 },
    By { rescored: true, margin: 0.0, lost: 0.0 },
    By { rescored: true, margin: 1.0, lost: 0.0 },
];

/// What a recall takes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(in crate::vectors) struct Needed {
    pub(in crate::vectors) candidates: f64,
    /// How many of the best to rescore with their raw vectors, in multiples of k; 0 is none.
    pub(in crate::vectors) rescored: usize,
}

/// What searches for `k` neighbors find.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::vectors) struct Curve {
    /// Neighbors searched for.
    pub(in crate::vectors) k: u32,
    /// Queries it was measured with.
    pub(in crate::vectors) queries: u32,
    /// By ascending candidates; recall does not fall.
    pub(in crate::vectors) points: Vec<Point>,
    /// What estimates lose of the nearest [`FEW`] of k more than of k, a share of them; 0 to 1. Absent where they lose nothing, or
    /// the best by estimates are not rescored.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(in crate::vectors) lost: Option<f64>,
}

impl Curve {
    /// What makes a curve unusable, if anything: it comes from a file.
    fn check(&self) -> Result<(), String> {
        let wrong = |what: &str| Err(format!("the recall curve for k {} {what}", self.k));
        if self.k == 0 || self.queries == 0 {
            return wrong("has no queries");
        }
        if !self.lost.is_none_or(|lost| (0.0..=1.0).contains(&lost)) {
            return wrong("loses a share that is not from 0 to 1");
        }
        if self.points.is_empty() || self.points.len() > MOST_POINTS {
            return wrong(&format!("has {} points, expected 1 to {MOST_POINTS}", self.points.len()));
        }
        let in_range = |point: &Point| {
            let rescored = point.rescored.unwrap_or(0.0);
            let with_means = [(point.recall, point.mean), (rescored, point.rescored_mean)];
            point.candidates > 0
                && with_means.iter().all(|(recall, mean)| {
                    (0.0..=1.0).contains(recall) && mean.is_none_or(|mean| (*recall..=1.0).contains(&mean))
                })
        };
        if !self.points.iter().all(in_range) {
            return wrong("has a recall that is not from 0 to 1, or no candidates");
        }
        let ascending = self.points.windows(2).all(|pair| match pair {
            [low, high] => {
                let not_falling = |by| low.recall(by) <= high.recall(by);
                low.candidates < high.candidates && ALL.into_iter().all(not_falling)
            }
            _ => true,
        });
        if ascending { Ok(()) } else { wrong("does not ascend") }
    }

    /// What a point must reach for a recall among others.
    fn to_reach(&self, recall: f64, by: By) -> f64 {
        if by.rescored { recall } else { recall + by.lost * self.lost.unwrap_or(0.0) }
    }

    /// The least candidates that reach a recall, between points in proportion to their logarithm. `None` without a
    /// point.
    fn candidates(&self, recall: f64, by: By) -> Option<f64> {
        let recall = self.to_reach(recall, by);
        let reached = self.points.iter().position(|point| point.recall(by) >= recall);
        let Some(at) = reached else { return self.beyond(recall, by) };
        let high = self.points.get(at)?;
        let Some(low) = at.checked_sub(1).and_then(|before| self.points.get(before)) else {
            return Some(f64::from(high.candidates));
        };
        let share = (recall - low.recall(by)) / (high.recall(by) - low.recall(by));
        let (from, to) = (f64::from(low.candidates).ln(), f64::from(high.candidates).ln());
        Some((from + share * (to - from)).exp())
    }

    /// Beyond the last point: misses fall with a power of the candidates, which the last halving tells.
    fn beyond(&self, recall: f64, by: By) -> Option<f64> {
        let last = self.points.last()?;
        let miss = |recall: f64| (1.0 - recall).max(LEAST_MISS);
        let half = self.points.iter().rev().find(|point| point.candidates <= last.candidates / 2);
        let half = half.or(self.points.first())?;
        let fallen = (miss(half.recall(by)) / miss(last.recall(by))).ln();
        let grown = (f64::from(last.candidates) / f64::from(half.candidates)).ln();
        let power = if grown > 0.0 { (fallen / grown).clamp(0.25, 2.0) } else { 1.0 };
        let factor = (miss(last.recall(by)) / miss(recall)).max(1.0).powf(1.0 / power);
        Some(f64::from(last.candidates) * factor.min(MOST_BEYOND))
    }
}

/// The curves of a segment, by ascending k; none in a segment without an index.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub(in crate::vectors) struct Curves(pub(in crate::vectors) Vec<Curve>);

impl Curves {
    pub(in crate::vectors) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The curves of searches that cannot be rescored any more.
    pub(in crate::vectors) fn not_rescored(mut self) -> Self {
        let points = self.0.iter_mut().flat_map(|curve| &mut curve.points);
        points.for_each(|point| (point.rescored, point.rescored_mean) = (None, None));
        self.0.iter_mut().for_each(|curve| curve.lost = None);
        self
    }

    /// The curves against raw vectors, of those against what finds this share of their nearest.
    pub(in crate::vectors) fn of_share(mut self, share: f64) -> Self {
        let of_share = |recall: f64| (recall * share * 1e4).round() / 1e4;
        for point in self.0.iter_mut().flat_map(|curve| &mut curve.points) {
            (point.recall, point.mean) = (of_share(point.recall), point.mean.map(of_share));
        }
        self
    }

    /// What makes the curves unusable, if anything.
    pub(in crate::vectors) fn check(&self) -> Result<(), String> {
        self.0.iter().try_for_each(Curve::check)?;
        let ascending = self.0.windows(2).all(|pair| matches!(pair, [low, high] if low.k < high.k));
        if ascending { Ok(()) } else { Err("the recall curves are not by ascending k".to_owned()) }
    }

    /// The cheapest way in which a search for `k` reaches a recall; `None` where nothing was measured. With `always` the
    /// best are rescored wherever distances are estimates.
    pub(in crate::vectors) fn needed(
        &self,
        k: usize,
        recall: f64,
        among: Among,
        always: bool,
    ) -> Option<Needed> {
        let k = k.max(MEASURED_K[0]);
        let by = |rescored| By { rescored, margin: among.margin, lost: among.lost() };
        let [by_estimates, by_rows] = [false, true].map(by);
        let plain = Needed { candidates: self.candidates(k, recall, by_estimates)?, rescored: 0 };
        let can_rescore = self.0.iter().flat_map(|curve| &curve.points).any(|point| point.rescored.is_some());
        if !can_rescore {
            return Some(plain);
        }
        let measured = |by| {
            let last = |curve: &Curve| {
                curve.points.last().is_some_and(|last| last.recall(by) >= curve.to_reach(recall, by))
            };
            self.0.iter().all(last)
        };
        // What estimates confuse more candidates do not sort out.
        let always = always || !measured(by_estimates);
        let candidates = self.candidates(k, recall, by_rows)?;
        // Beyond what was measured codes may be what is lacking: rows grow with the candidates.
        let end = self.0.first().and_then(|curve| curve.points.last()).map_or(1, |last| last.candidates);
        let beyond = (candidates / f64::from(end)).clamp(2.0, MOST_BEYOND).ceil() as usize;
        let rescored = if measured(by_rows) { RESCORED } else { RESCORED * beyond };
        let candidates = candidates.max((rescored * k) as f64);
        let cost =
            |needed: &Needed| CANDIDATE_COST * needed.candidates + RAW_COST * (needed.rescored * k) as f64;
        let rescored = Needed { candidates, rescored };
        Some(if always || cost(&rescored) < cost(&plain) { rescored } else { plain })
    }

    /// The least candidates with which a search for `k` reaches a recall.
    fn candidates(&self, k: usize, recall: f64, by: By) -> Option<f64> {
        let k = k as f64;
        let (low, high) = match self.0.iter().position(|curve| f64::from(curve.k) >= k) {
            Some(0) => return self.0.first()?.candidates(recall, by),
            Some(at) => (self.0.get(at - 1)?, self.0.get(at)?),
            // In proportion to k.
            None => {
                let last = self.0.last()?;
                return Some(last.candidates(recall, by)? * k / f64::from(last.k));
            }
        };
        let (from, to) = (f64::from(low.k).ln(), f64::from(high.k).ln());
        let share = (k.ln() - from) / (to - from);
        let (few, many) = (low.candidates(recall, by)?.ln(), high.candidates(recall, by)?.ln());
        Some((few + share * (many - few)).exp())
    }
}
