//! What the ways of a search are expected to cost, in distances computed by a walk through a graph.
//!
//! The constants are from measurements (docs/filters.md). An estimate knows how many vectors a filter accepts, not
//! where they lie: so a walk has a budget, and gives up where the accepted vectors are far from the query.

use super::reader::LayeredReader;
use crate::sign_hash::Estimator;
use lucerne_codec::{Accept, Ordinal};

/// Vectors scored by a walk, per unit of beam; a walk with no beam would score as many as one of 20 more.
const VISITS: f64 = 10.0;
/// What looking through links adds to that in a filtered walk, where all would be refused but for one in p.
const LOOKS: f64 = 3.0;
/// Where not all are accepted a walk keeps so many quarters of the beam, for recall, and
const WIDER: usize = 5;
/// a filtered walk so many times the beam: what it does not score costs it more.
const FILTERED_WIDER: usize = 2;
/// Cost of a vector in a scan from front to back, and of one picked by its document: of codes, ...
const SCANNED: f64 = 0.3;
const PICKED: f64 = 0.8;
/// ... and of raw vectors, where memory is what takes time, four times as much of it.
const SCANNED_RAW: f64 = 0.8;
const PICKED_RAW: f64 = 1.0;
/// ... of sign hashes (docs/sign_hash.md), ...
const SCANNED_PLAIN: f64 = 0.1;
const PICKED_PLAIN: f64 = 0.4;
/// ... of those with corrections, compared with four planes of the query, ...
const SCANNED_CORRECTED: f64 = 0.2;
const PICKED_CORRECTED: f64 = 0.6;
/// ... and of raw bits, which are short and quick to compare (docs/binary.md).
const SCANNED_BITS: f64 = 0.07;
const PICKED_BITS: f64 = 0.15;
/// Vectors asked whether they are accepted, where counts do not tell.
const SAMPLE: usize = 128;

/// A way through the graph.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way {
    /// Every node near the query is scored, the accepted are kept.
    Graph,
    /// Accepted nodes only, through the links of others.
    Filtered,
}

impl Way {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Graph => "graph",
            Self::Filtered => "graph filtered",
        }
    }
}

/// A way, and what it may cost before another is better.
#[derive(Clone, Copy, Debug)]
pub(super) struct Attempt {
    pub(super) way: Way,
    /// Nodes kept.
    pub(super) beam: usize,
    pub(super) budget: u64,
}

/// What a query is compared with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Compared {
    /// Raw vectors: a scan is the exact search itself.
    Raw,
    Codes,
    Hashes(Estimator),
    /// Raw bits, of which a scan is the exact search too.
    Bits,
}

impl Compared {
    /// Cost of a vector in a scan from front to back, and of one picked.
    fn costs(self) -> (f64, f64) {
        match self {
            Self::Raw => (SCANNED_RAW, PICKED_RAW),
            Self::Codes => (SCANNED, PICKED),
            Self::Hashes(Estimator::Plain) => (SCANNED_PLAIN, PICKED_PLAIN),
            Self::Hashes(Estimator::Corrected) => (SCANNED_CORRECTED, PICKED_CORRECTED),
            Self::Bits => (SCANNED_BITS, PICKED_BITS),
        }
    }
}

/// What is known before a search.
#[derive(Clone, Copy, Debug)]
pub(super) struct Known {
    pub(super) beam: usize,
    /// Accepted vectors.
    pub(super) accepted: f64,
    pub(super) len: usize,
    pub(super) compared: Compared,
}

/// How many vectors are accepted, as far as it can be told without going through all of them: a count of
/// documents says little where some have no vector and others many.
pub(super) fn accepted_vectors(reader: &LayeredReader, accept: &Accept<'_>) -> f64 {
    let (len, count) = (reader.len as f64, f64::from(accept.count()));
    let multiple = reader.settings.multiple;
    if accept.docs().is_none() {
        return len;
    }
    if !multiple && reader.map.is_dense() {
        return count.min(len);
    }
    let step = reader.len.div_ceil(SAMPLE).max(1);
    let asked = (0..reader.len).step_by(step);
    let asked_len = asked.len().max(1) as f64;
    let accepted = asked.filter(|&ordinal| reader.map.accepts(accept, ordinal as Ordinal)).count() as f64;
    // Half a vector more than were found, for filters that a sample misses.
    let share = (accepted + 0.5).min(asked_len) / asked_len;
    if multiple { share * len } else { (share * len).min(count) }
}

/// The walks to try, in turn; a scan is best when there are none, or when none comes to an end.
pub(super) fn attempts(known: &Known) -> [Option<Attempt>; 2] {
    if known.beam == 0 || known.accepted < 1.0 {
        return [None, None];
    }
    let len = known.len as f64;
    let share = (known.accepted / len).min(1.0);
    let scan = scan(known);
    let plain = |beam: usize| VISITS * ((beam as f64 / share).min(len) + 20.0);
    if share >= 1.0 {
        let whole = Attempt { way: Way::Graph, beam: known.beam, budget: u64::MAX };
        return [(plain(known.beam) < scan).then_some(whole), None];
    }
    // Walks that were given up and the scan after them must not cost much more than an exact search.
    let limit = if known.compared == Compared::Raw { 0.25 * scan } else { scan };
    let wide = (known.beam.saturating_mul(WIDER) / 4).clamp(1, known.len);
    let plain = plain(wide);
    let plainly = Attempt { way: Way::Graph, beam: wide, budget: (2.0 * plain).min(limit) as u64 };
    let wide = known.beam.saturating_mul(FILTERED_WIDER).clamp(1, known.len);
    let filtered = (wide as f64 + 20.0) * (VISITS + LOOKS / share);
    let filtering = Attempt { way: Way::Filtered, beam: wide, budget: limit as u64 };
    let filtering = (filtered < limit).then_some(filtering);
    match plain <= filtered && plain < limit {
        true => [Some(plainly), filtering],
        false => [filtering, None],
    }
}

/// What a search among all of `len` vectors is expected to cost with a graph, and without.
pub(super) fn whole(beam: usize, len: usize, compared: Compared) -> (f64, f64) {
    let known = Known { beam, accepted: len as f64, len, compared };
    (VISITS * (beam.min(len) as f64 + 20.0), scan(&known))
}

fn scan(known: &Known) -> f64 {
    let (scanned, picked) = known.compared.costs();
    (scanned * known.len as f64).min(picked * known.accepted)
}

/// Whether picking the accepted vectors is cheaper than going through all.
pub(super) fn picking_is_cheaper(accepted: f64, len: usize, compared: Compared) -> bool {
    let (scanned, picked) = compared.costs();
    picked * accepted < scanned * len as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ways(beam: usize, share: f64, len: usize) -> Vec<Way> {
        let known = Known { beam, accepted: share * len as f64, len, compared: Compared::Codes };
        attempts(&known).into_iter().flatten().map(|attempt| attempt.way).collect()
    }

    #[test]
    fn what_a_filter_keeps_decides_the_way() {
        assert_eq!(ways(100, 1.0, 78_000), [Way::Graph]);
        assert_eq!(ways(100, 0.5, 78_000), [Way::Graph, Way::Filtered]);
        assert_eq!(ways(100, 0.05, 1_000_000), [Way::Filtered]);
        assert_eq!(ways(100, 0.01, 78_000), []);
        assert_eq!(ways(100, 0.0, 78_000), []);
        assert_eq!(ways(5_000, 1.0, 78_000), []);
        assert_eq!(ways(0, 1.0, 78_000), []);
    }
}
