//! What the strategies of a search are expected to cost, in distances computed by a graph search.
//!
//! The constants are from measurements (`docs/measurements/filters.md`). An estimate knows how many vectors a filter
//! accepts, not where they lie: so a graph search has a budget, and gives up where the accepted vectors are far from the
//! query.

use crate::encoding::ScanCost;
use crate::vectors::segment::VectorSegment;
use lucerne_codec::{Accept, Ordinal};

/// Vectors scored by a graph search, per unit of ef; a search with no ef would score as many as one of 20 more.
const VISITS: f64 = 10.0;
/// What expanding links adds to that in a filtered graph search, where all would be refused but for one in p.
const LOOKS: f64 = 3.0;
/// A graph search with a filter keeps this many quarters of the ef, for recall.
const WIDER: usize = 5;
/// A filtered graph search keeps this many times the ef: each unit costs it less, and what it does not score costs recall.
const FILTERED_WIDER: usize = 2;
/// The part of what a scan costs that a graph search with a filter may be expected to, where a scan compares shorter codes: that is
/// as fast behind every filter, and finds more.
const SURE: f64 = 0.5;
/// Vectors that are asked whether they are accepted, where counts do not tell.
const SAMPLE: usize = 128;

/// A strategy that searches the graph.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum GraphStrategy {
    /// Every node near the query is scored, the accepted are kept.
    Plain,
    /// Only accepted nodes are scored; links of other nodes are followed to them.
    Filtered,
}

impl GraphStrategy {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Plain => "graph",
            Self::Filtered => "graph filtered",
        }
    }
}

/// A strategy, and what it may cost before another is better.
#[derive(Clone, Copy, Debug)]
pub(super) struct PlanStep {
    pub(super) strategy: GraphStrategy,
    /// Nodes kept.
    pub(super) ef: usize,
    /// Distances that may be computed.
    pub(super) budget: u64,
}

/// What is known before a search.
#[derive(Clone, Copy, Debug)]
pub(super) struct CostInput {
    pub(super) ef: usize,
    /// Accepted vectors.
    pub(super) accepted: f64,
    pub(super) len: usize,
    pub(super) scan: ScanCost,
}

/// How many vectors are accepted, estimated without asking each of them: a count of
/// documents says little where some have no vector and others many.
pub(super) fn accepted_vectors(segment: &VectorSegment, accept: &Accept<'_>) -> f64 {
    let (len, count) = (segment.len as f64, f64::from(accept.count()));
    let multiple = segment.params.multiple;
    if accept.docs().is_none() {
        return len;
    }
    let documents = segment.map.documents();
    if documents.one_each() {
        return count.min(len);
    }
    let step = segment.len.div_ceil(SAMPLE).max(1);
    let asked = (0..segment.len).step_by(step);
    let asked_len = asked.len().max(1) as f64;
    let accepted = asked.filter(|&ordinal| documents.accepts(accept, ordinal as Ordinal)).count() as f64;
    // Half a vector more than were found, for filters that a sample misses.
    let share = (accepted + 0.5).min(asked_len) / asked_len;
    if multiple { share * len } else { (share * len).min(count) }
}

/// The graph searches to try, in turn; a scan is best when there are none, or when none comes to an end.
pub(super) fn plan(input: &CostInput) -> [Option<PlanStep>; 2] {
    if input.ef == 0 || input.accepted < 1.0 {
        return [None, None];
    }
    let len = input.len as f64;
    let share = (input.accepted / len).min(1.0);
    let scan = scan(input);
    let plain = |ef: usize| VISITS * ((ef as f64 / share).min(len) + 20.0);
    if share >= 1.0 {
        let whole = PlanStep { strategy: GraphStrategy::Plain, ef: input.ef, budget: u64::MAX };
        return [(plain(input.ef) < scan).then_some(whole), None];
    }
    let limit = input.scan.graph_budget * scan;
    let sure = if input.scan.shorter.is_some() { SURE * limit } else { limit };
    let ef = (input.ef.saturating_mul(WIDER) / 4).clamp(1, input.len);
    let plain = plain(ef);
    let budget = (2.0 * plain).min(limit) as u64;
    let plain_step = PlanStep { strategy: GraphStrategy::Plain, ef, budget };
    let ef = input.ef.saturating_mul(FILTERED_WIDER).clamp(1, input.len);
    let filtered = (ef as f64 + 20.0) * (VISITS + LOOKS / share);
    let filtered_step = PlanStep { strategy: GraphStrategy::Filtered, ef, budget: limit as u64 };
    let filtered_step = (filtered < sure).then_some(filtered_step);
    if plain <= filtered && plain < sure { [Some(plain_step), filtered_step] } else { [filtered_step, None] }
}

/// Expected costs of a search without a filter.
#[derive(Clone, Copy, Debug)]
pub(in crate::vectors) struct Costs {
    pub(in crate::vectors) graph: f64,
    pub(in crate::vectors) scan: f64,
}

/// What a search among all of `len` vectors is expected to cost with a graph, and without.
pub(in crate::vectors) fn whole(ef: usize, len: usize, cost: ScanCost) -> Costs {
    let input = CostInput { ef, accepted: len as f64, len, scan: cost };
    Costs { graph: VISITS * (ef.min(len) as f64 + 20.0), scan: scan(&input) }
}

fn scan(input: &CostInput) -> f64 {
    match input.scan.shorter {
        Some(shorter) => shorter * input.accepted,
        None => (input.scan.sequential * input.len as f64).min(input.scan.gathered * input.accepted),
    }
}

/// Whether gathering the accepted vectors is cheaper than scanning all.
pub(super) fn gathering_is_cheaper(accepted: f64, len: usize, cost: ScanCost) -> bool {
    cost.gathered * accepted < cost.sequential * len as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn strategies(ef: usize, share: f64, len: usize) -> Vec<GraphStrategy> {
        planned(ef, share, len, None)
    }

    fn planned(ef: usize, share: f64, len: usize, shorter: Option<f64>) -> Vec<GraphStrategy> {
        let scan = ScanCost { sequential: 0.3, gathered: 0.8, shorter, graph_budget: 1.0 };
        let input = CostInput { ef, accepted: share * len as f64, len, scan };
        plan(&input).into_iter().flatten().map(|step| step.strategy).collect()
    }

    #[test]
    fn what_a_filter_keeps_decides_the_strategy() {
        use GraphStrategy::{Filtered, Plain};
        assert_eq!(strategies(100, 1.0, 78_000), [Plain]);
        assert_eq!(strategies(100, 0.5, 78_000), [Plain, Filtered]);
        assert_eq!(strategies(100, 0.05, 1_000_000), [Filtered]);
        assert_eq!(strategies(100, 0.01, 78_000), []);
        assert_eq!(strategies(100, 0.0, 78_000), []);
        assert_eq!(strategies(5_000, 1.0, 78_000), []);
        assert_eq!(strategies(0, 1.0, 78_000), []);
    }

    #[test]
    fn a_scan_of_shorter_codes_is_taken_before_a_graph_search_that_costs_as_much() {
        use GraphStrategy::{Filtered, Plain};
        let shorter = |ef, share, len| planned(ef, share, len, Some(0.3));
        assert_eq!(shorter(10, 0.1, 78_000), []);
        assert_eq!(strategies(10, 0.1, 78_000), [Plain, Filtered]);
        assert_eq!(shorter(100, 0.5, 78_000), [Plain, Filtered]);
        assert_eq!(shorter(100, 0.1, 1_000_000), [Filtered]);
        assert_eq!(shorter(100, 0.01, 1_000_000), []);
        assert_eq!(shorter(100, 1.0, 78_000), [Plain]);
    }
}
