//! Whether codes will do: stored vectors search their own segment, and the rule is what comes of it.
//!
//! Neighbors nearer than a code step (copies with noise, clusters tiny beside their distance) look alike to any codes of
//! 8 bits. So the best by codes are ordered by raw vectors as far down as is needed to find the nearest, and where that is not
//! enough the raw vectors are searched (`docs/measurements/quantization.md`).

use super::codes::CodeRows;
use super::frame::Frame;
use super::meta::Quality;
use super::quantiles::Quantiles;
use super::query::CodeDistances;
use super::sq4::Sq4Rows;
use super::sq4_query::Sq4Distances;
use crate::distance::DistanceComputer;
use crate::encoding::raw::ExactQuery;
use crate::encoding::rows::Rows;
use crate::encoding::sample::evenly;
use lucerne_codec::{Cancel, Ordinal, Result, Similarity};
use serde_json::{Value, json};

/// Vectors searched for at most.
const QUERIES: usize = 200;
/// One in so many of them is searched for first; the rest only if those leave a doubt.
const FIRST: usize = 12;
/// Distances computed at most for those, in vectors; the first are searched for in any case.
const DISTANCES: usize = 100_000_000;
/// The best by codes that are compared exactly.
const COMPARED: usize = 160;
/// Nearest neighbors sought.
const K: usize = 10;
/// The very nearest of them, itself included, for searches of one or two: in a group of copies with noise all ten can be
/// found, and in the wrong order.
const FEW: usize = 3;
/// The best by 8-bit codes that must be among the [`BEST_BY_SQ4`] by 4-bit codes.
const BEST: usize = 20;
/// As many as a search rescores.
const BEST_BY_SQ4: usize = 60;

/// Numbers of the best by codes that may be ordered by raw vectors, after none.
const RESCORED: [usize; 3] = [20, 40, 80];
/// Shares that must be found.
const LEAST_RECALL: f64 = 0.98;
const LEAST_RECALL_OF_CODES: f64 = 0.95;
const LEAST_FEW_OF_CODES: f64 = 0.92;
const LEAST_ITSELF: f64 = 0.99;
const LEAST_SQ4: f64 = 0.98;
/// Shares that leave no doubt after the first queries.
const SURE_RECALL: f64 = 0.975;
const SURE_FEW: f64 = 0.94;
const SURE_SQ4: f64 = 0.99;

/// The codes of a segment being written.
#[derive(Clone, Copy)]
pub(super) struct Measured<'a> {
    pub(super) similarity: Similarity,
    pub(super) frame: &'a Frame,
    pub(super) rows: CodeRows<'a>,
    pub(super) versions: &'a [Quantiles],
    /// Rows of 4-bit codes.
    pub(super) sq4: Option<Sq4Rows<'a>>,
}

/// What codes are good for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Verdict {
    pub(super) quality: Quality,
    /// How many of the best by codes must be ordered by raw vectors; `None` when codes do not do.
    pub(super) rescored: Option<usize>,
    /// Whether 4-bit codes find what 8-bit codes do.
    pub(super) sq4: bool,
}

impl Measured<'_> {
    /// Searches for stored vectors and judges; `raw` are the vectors that the codes were made of.
    pub(super) fn judge(&self, raw: &dyn Rows, cancel: &Cancel) -> Result<Verdict> {
        let queries: Vec<usize> = evenly(raw.len(), QUERIES).collect();
        let most = (DISTANCES / raw.len().max(1)).max(QUERIES / FIRST);
        let mut counts = Counts::default();
        for &query in queries.iter().step_by(FIRST) {
            self.search(query, raw, cancel, &mut counts)?;
        }
        if !counts.sure() {
            let rest = queries.iter().enumerate().filter(|(number, _)| number % FIRST != 0);
            let step = rest.clone().count().div_ceil(most).max(1);
            for (_, &query) in rest.step_by(step) {
                self.search(query, raw, cancel, &mut counts)?;
            }
        }
        Ok(counts.verdict(self.sq4.is_some()))
    }

    /// Searches for one stored vector among all.
    fn search(&self, query: usize, raw: &dyn Rows, cancel: &Cancel, counts: &mut Counts) -> Result<()> {
        cancel.check()?;
        let row = raw.vector(query)?;
        let projected = self.frame.query(&row);
        let versions = || self.versions.iter().copied();
        let mut computer = CodeDistances::new(&projected, self.rows, versions());
        let best = nearest(&mut computer, raw.len(), COMPARED);
        let exact = ExactQuery::new(self.similarity, &row);
        let exact: Vec<f32> = best
            .iter()
            .map(|&ordinal| Ok(exact.distance(&raw.vector(ordinal as usize)?)))
            .collect::<Result<_>>()?;
        counts.add(&exact, self.similarity != Similarity::MaxInnerProduct);
        if let Some(sq4) = self.sq4 {
            let mut computer = Sq4Distances::new(sq4, self.rows);
            computer.set_query(&projected, versions());
            let by_sq4 = nearest(&mut computer, raw.len(), BEST_BY_SQ4);
            let best = best.get(..BEST.min(best.len())).unwrap_or_default();
            counts.sq4 += share(best.iter().filter(|ordinal| by_sq4.contains(ordinal)).count(), best.len());
        } else {
            counts.sq4 += 1.0;
        }
        Ok(())
    }
}

/// The `count` nearest of `len` vectors, nearest first.
fn nearest(computer: &mut dyn DistanceComputer, len: usize, count: usize) -> Vec<Ordinal> {
    let mut distances = vec![0f32; len];
    for (number, part) in distances.chunks_mut(SCANNED).enumerate() {
        computer.scan((number * SCANNED) as Ordinal, part);
    }
    let mut all: Vec<(f32, Ordinal)> = distances.into_iter().zip(0..).collect();
    let order = |a: &(f32, Ordinal), b: &(f32, Ordinal)| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1));
    if count < all.len() {
        all.select_nth_unstable_by(count, order);
        all.truncate(count);
    }
    all.sort_unstable_by(order);
    all.into_iter().map(|(_, ordinal)| ordinal).collect()
}

/// Vectors scanned at once.
const SCANNED: usize = 4_096;

fn share(part: usize, whole: usize) -> f64 {
    if whole == 0 { 1.0 } else { part as f64 / whole as f64 }
}

/// Sums over the queries of what was found among the best by codes: [`K`] of them, and as many as [`RESCORED`] says.
#[derive(Clone, Copy, Debug, Default)]
struct Counts {
    queries: u32,
    recall: [f64; 1 + RESCORED.len()],
    few: [f64; 1 + RESCORED.len()],
    itself: [f64; 1 + RESCORED.len()],
    sq4: f64,
}

impl Counts {
    /// `exact` are the exact distances of the best by codes, in the order of the codes.
    fn add(&mut self, exact: &[f32], itself: bool) {
        let mut sorted = exact.to_vec();
        sorted.sort_unstable_by(f32::total_cmp);
        let k = K.min(sorted.len());
        let (Some(&nearest), Some(&last)) = (sorted.first(), sorted.get(k.saturating_sub(1))) else { return };
        self.queries += 1;
        let found = |taken: usize, limit: f32| exact.iter().take(taken).filter(|&&d| d <= limit).count();
        let few = FEW.min(sorted.len());
        let last_few = sorted.get(few - 1).copied().unwrap_or(last);
        let taken = std::iter::once(K).chain(RESCORED);
        let sums = self.recall.iter_mut().zip(&mut self.few).zip(&mut self.itself);
        for (taken, ((recall, first), at)) in taken.zip(sums) {
            *recall += share(found(taken, last).min(k), k);
            *first += share(found(if taken == K { few } else { taken }, last_few).min(few), few);
            // By codes alone the first must be the nearest; of those ordered by raw vectors, any.
            let taken = if taken == K { 1 } else { taken };
            *at += if itself { found(taken, nearest).min(1) as f64 } else { 1.0 };
        }
    }

    fn means(&self) -> Self {
        let n = f64::from(self.queries.max(1));
        Self {
            queries: self.queries,
            recall: self.recall.map(|sum| sum / n),
            few: self.few.map(|sum| sum / n),
            itself: self.itself.map(|sum| sum / n),
            sq4: self.sq4 / n,
        }
    }

    fn sure(&self) -> bool {
        let means = self.means();
        let [recall, ..] = means.recall;
        let ([few, ..], [itself, ..]) = (means.few, means.itself);
        recall >= SURE_RECALL && few >= SURE_FEW && itself >= 1.0 && means.sq4 >= SURE_SQ4
    }

    fn verdict(&self, sq4: bool) -> Verdict {
        let means = self.means();
        let ([recall, rescored_recall @ ..], [itself, rescored_itself @ ..]) = (means.recall, means.itself);
        let [few, rescored_few @ ..] = means.few;
        let quality = Quality {
            queries: self.queries,
            recall: recall as f32,
            recall_at_3: few as f32,
            itself: itself as f32,
            sq4: sq4.then_some(means.sq4 as f32),
        };
        let codes_do = recall >= LEAST_RECALL_OF_CODES && few >= LEAST_FEW_OF_CODES && itself >= LEAST_ITSELF;
        let rescored = if self.queries == 0 || codes_do {
            Some(0)
        } else {
            let shares = rescored_recall.iter().zip(&rescored_few).zip(&rescored_itself);
            let enough = RESCORED.iter().zip(shares).find(|(_, ((recall, few), itself))| {
                recall.min(**few) >= LEAST_RECALL && **itself >= LEAST_ITSELF
            });
            enough.map(|(taken, _)| *taken)
        };
        Verdict { quality, rescored, sq4: sq4 && means.sq4 >= LEAST_SQ4 }
    }
}

impl Quality {
    /// What is known of the codes of several segments together: the means, by their `vectors`. `None` of none.
    pub(super) fn mean(parts: impl Iterator<Item = (Self, usize)>) -> Option<Self> {
        let (mut vectors, mut queries) = (0.0, 0u32);
        let (mut recall, mut recall_at_3, mut itself) = (0.0, 0.0, 0.0);
        for (part, weight) in parts.filter(|(_, weight)| *weight > 0) {
            let weight = weight as f64;
            vectors += weight;
            queries = queries.saturating_add(part.queries);
            recall += weight * f64::from(part.recall);
            recall_at_3 += weight * f64::from(part.recall_at_3);
            itself += weight * f64::from(part.itself);
        }
        let mean = |sum: f64| (sum / vectors) as f32;
        (vectors > 0.0).then(|| Self {
            queries,
            recall: mean(recall),
            recall_at_3: mean(recall_at_3),
            itself: mean(itself),
            sq4: None,
        })
    }

    /// As people and tools see it.
    pub(super) fn report(&self) -> Value {
        let share = |value: f32| (f64::from(value) * 1e4).round() / 1e4;
        json!({
            "queries": self.queries,
            "recall": share(self.recall),
            "recall_at_3": share(self.recall_at_3),
            "itself": share(self.itself),
            "sq4": self.sq4.map(share),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_codes_find_decides_how_much_raw_vectors_must_order() {
        let verdict = |found_at: &[usize]| {
            // The ten nearest are at these places of the order by codes.
            let mut exact = vec![2.0; COMPARED];
            found_at.iter().for_each(|&at| exact[at] = 1.0);
            let mut counts = Counts::default();
            counts.add(&exact, true);
            counts.verdict(false).rescored
        };
        assert_eq!(verdict(&[0, 1, 2, 3, 4, 5, 6, 7, 8, 9]), Some(0));
        assert_eq!(verdict(&[0, 1, 2, 3, 4, 5, 6, 7, 8, 19]), Some(20));
        assert_eq!(verdict(&[1, 2, 3, 4, 5, 6, 7, 8, 9, 10]), Some(20));
        assert_eq!(verdict(&[0, 10, 20, 30, 40, 50, 60, 70, 75, 79]), Some(80));
        assert_eq!(verdict(&[0, 10, 20, 30, 40, 50, 60, 70, 75, 90]), None);
        assert_eq!(Counts::default().verdict(false).rescored, Some(0));
    }

    #[test]
    fn ten_found_in_the_wrong_order_are_ordered_by_raw_vectors() {
        // A group of ten; by codes the second and third nearest are the last of them.
        let mut exact = vec![9.0; COMPARED];
        [0.0, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0, 0.1, 0.2]
            .iter()
            .zip(&mut exact)
            .for_each(|(&d, at)| *at = d);
        let mut counts = Counts::default();
        counts.add(&exact, true);
        let verdict = counts.verdict(false);
        assert_eq!((verdict.quality.recall, verdict.rescored), (1.0, Some(20)));
    }
}
