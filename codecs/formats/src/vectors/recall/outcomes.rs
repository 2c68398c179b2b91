//! What searches for a sample found, and the points of a curve that follow from it.
//!
//! With some queries it is known what is truly nearest. With many more it is known what a wide search found, and one from near
//! the query. What a narrow search finds of that is measured with all of them, what that lacks of the truth with the first (a
//! control variate): the truth takes a scan for each query.

use super::curve::Point;
use super::sample::SampleQuery;
use std::ops::RangeInclusive;

/// Measuring ends at this recall.
pub(super) const ENOUGH: f64 = 0.995;
/// A curve ends where more than one of so many searches had to end before.
const RARELY_ENDED: usize = 8;

/// Shares of the nearest that one search found.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Shares {
    pub(super) plain: f64,
    /// When the best are rescored with raw vectors; the same where distances are exact anyway.
    pub(super) rescored: f64,
}

/// What one search found and cost.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Outcome {
    /// Of the true nearest, where they are known.
    pub(super) truth: Option<Shares>,
    /// Of the nearest that the wide search and one from near the query found; `None` without them.
    pub(super) wide: Option<Shares>,
    pub(super) visited: u64,
}

impl Outcome {
    pub(super) fn of_wide(&self) -> Shares {
        self.wide.or(self.truth).unwrap_or_default()
    }
}

/// A query with the outcomes of searches with more and more candidates.
#[derive(Clone)]
pub(super) struct Searched<'a> {
    pub(super) query: &'a SampleQuery,
    pub(super) outcomes: Vec<Outcome>,
    /// Whether the last has found everything, so that it stands for all with more candidates.
    pub(super) complete: bool,
    /// What estimates lose of the nearest few more than of k.
    pub(super) lost: f64,
}

impl<'a> Searched<'a> {
    pub(super) fn new(query: &'a SampleQuery) -> Self {
        Self { query, outcomes: Vec::new(), complete: false, lost: 0.0 }
    }

    /// The outcome of the search number `at`, or of the last one made: a search that could not go on has found no more.
    pub(super) fn outcome(&self, at: usize) -> Outcome {
        self.outcomes.get(at).or(self.outcomes.last()).copied().unwrap_or_default()
    }

    /// Whether the search number `at` was neither made nor needless.
    pub(super) fn lacks(&self, at: usize) -> bool {
        at >= self.outcomes.len() && !self.complete
    }
}

/// The points of a curve, as far as outcomes are known.
pub(super) fn points(searched: &[Searched<'_>], candidates: &[usize], estimates: bool) -> Vec<Point> {
    let known = searched.iter().filter(|one| one.query.truth.is_some()).count();
    let mut points: Vec<Point> = Vec::new();
    for (at, &candidates) in candidates.iter().enumerate() {
        if RARELY_ENDED * searched.iter().filter(|one| one.lacks(at)).count() > known {
            break;
        }
        let lesser = |share: fn(Shares) -> f64| -> Expected {
            let of = |moved| {
                let some = searched.iter().filter(|one| one.query.moved == moved);
                let outcomes: Vec<Outcome> = some.map(|one| one.outcome(at)).collect();
                let wide: Vec<f64> = outcomes.iter().map(|outcome| share(outcome.of_wide())).collect();
                let of_wide = |outcome: &Outcome| Some(share(outcome.truth?) - share(outcome.of_wide()));
                expected(&wide, &outcomes.iter().filter_map(of_wide).collect::<Vec<f64>>())
            };
            let (moved, others) = (of(true), of(false));
            Expected { recall: moved.recall.min(others.recall), mean: moved.mean.min(others.mean) }
        };
        let (plain, rescored) = (lesser(|shares| shares.plain), lesser(|shares| shares.rescored));
        // By chance a search with more candidates may find less.
        let last = points.last();
        let rising =
            |recall: f64, of: fn(&Point) -> Option<f64>| recall.max(last.and_then(of).unwrap_or(0.0));
        let point = Point {
            candidates: candidates as u32,
            recall: rising(plain.recall, |last| Some(last.recall)),
            rescored: estimates.then(|| rising(rescored.recall, |last| last.rescored)),
            mean: Some(rising(plain.mean, |last| last.mean)),
            rescored_mean: estimates.then(|| rising(rescored.mean, |last| last.rescored_mean)),
        };
        points.push(point);
        if best(&point) >= ENOUGH {
            break;
        }
    }
    points
}

pub(super) fn best(point: &Point) -> f64 {
    point.rescored.unwrap_or(point.recall)
}

/// Standard errors that are taken off a mean: without them half of all segments would promise too much, with one of them one
/// in six, with two one in forty. The fewer queries, the more: only small segments have few, and caution costs little,
/// since a scan is never far.
const STANDARD_ERRORS: RangeInclusive<f64> = 1.0..=2.0;
/// With so many queries, moved ones or others, the least are taken.
const MANY_QUERIES: f64 = 256.0;

/// Further queries that are taken to find nothing. Where few searches fail altogether a small sample may have none of them,
/// and its standard error says nothing of it.
const FAILED: f64 = 0.5;

/// A recall by a sample.
struct Expected {
    /// Less a margin for chance: [`STANDARD_ERRORS`], and [`FAILED`] queries.
    recall: f64,
    mean: f64,
}

/// The mean recall: of what the wide search found, by all queries, and what it lacks of the truth, by those that know it.
fn expected(wide: &[f64], lacking: &[f64]) -> Expected {
    if wide.is_empty() {
        return Expected { recall: 1.0, mean: 1.0 };
    }
    let queries = wide.len() as f64;
    let ((wide, of_wide), (lacking, of_lacking)) = (mean(wide), mean(lacking));
    let mean = rounded((wide + lacking).clamp(0.0, 1.0));
    let wide = wide * queries / (queries + FAILED);
    let (least, most) = STANDARD_ERRORS.into_inner();
    let errors = least + (most - least) * (1.0 - queries / MANY_QUERIES).max(0.0);
    let recall = rounded((wide + lacking - errors * (of_wide + of_lacking).sqrt()).clamp(0.0, 1.0));
    Expected { recall, mean }
}

/// The mean of some values, and the square of its standard error.
pub(super) fn mean(values: &[f64]) -> (f64, f64) {
    let count = values.len().max(1) as f64;
    let mean = values.iter().sum::<f64>() / count;
    let variance = values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / count;
    (mean, variance / count)
}

/// Four digits are more than a sample tells.
pub(super) fn rounded(recall: f64) -> f64 {
    (recall * 1e4).round() / 1e4
}
