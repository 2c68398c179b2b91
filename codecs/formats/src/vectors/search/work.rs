//! How much a search does in one segment: what its [`Effort`] means there.

use crate::vectors::recall::curve::{Among, MEASURED_K, Needed, RESCORED};
use crate::vectors::segment::VectorSegment;
use lucerne_codec::vector::Effort;

/// Candidates where nothing was measured and the encoding has no opinion.
const UNMEASURED: usize = 100;
/// The most candidates that a wish becomes.
const MOST_CANDIDATES: f64 = 100_000.0;

/// A wish from which on the best are rescored where nothing was measured.
const RESCORED_FROM: f64 = 0.95;
/// The share of what codes find that is searched for at most.
const ALMOST_ALL: f64 = 0.995;

/// How many candidates a search for `k` keeps; `None` when it is exact.
pub(in crate::vectors) fn candidates(segment: &VectorSegment, k: usize, effort: Effort) -> Option<usize> {
    Work::of(segment, k, effort).map(|work| work.kept(k))
}

/// What a search for `k` that asks for a recall does: the candidates that it keeps, and how many of the best it rescores with
/// raw vectors.
pub(in crate::vectors) fn to_reach(segment: &VectorSegment, k: usize, recall: f32) -> (usize, usize) {
    let work = Work::for_recall(segment, k, recall, 1.0, Among::ALONE);
    (work.kept(k), work.rescored)
}

/// What a search of an index does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Work {
    /// Candidates kept.
    pub(super) candidates: usize,
    /// Inverted lists to probe at least; `None` follows from the candidates.
    pub(super) lists: Option<usize>,
    /// How many of the best by estimated distances are rescored with raw vectors; 0 is none.
    pub(super) rescored: usize,
    /// A graph search ends when so many nearest have not changed for a while; `None`: as many as are searched for.
    pub(super) watched: Option<usize>,
}

impl Work {
    /// Candidates that a search for `k` keeps.
    fn kept(&self, k: usize) -> usize {
        self.candidates.max(self.rescored).max(k)
    }

    /// What a search for `k` does; `None` is the exact search.
    pub(super) fn of(segment: &VectorSegment, k: usize, effort: Effort) -> Option<Self> {
        let given = |candidates, lists| Some(Self { candidates, lists, ..Self::default() });
        match effort {
            Effort::Exact => None,
            Effort::Candidates(candidates) => given(candidates, None),
            Effort::Lists { probes, candidates } => given(candidates, Some(probes)),
            Effort::Recall { recall, .. } if recall >= 1.0 => None,
            Effort::Recall { recall, scale, margin, share } => {
                let margin = f64::from(margin).clamp(0.0, 1.0);
                let among = Among { margin, share: f64::from(share).clamp(f64::MIN_POSITIVE, 1.0) };
                Some(Self::for_recall(segment, k, recall, scale, among))
            }
        }
    }

    fn for_recall(segment: &VectorSegment, k: usize, recall: f32, scale: f32, among: Among) -> Self {
        // Queries that lie elsewhere are about as far from many vectors, which estimates confuse.
        let calibrated = scale != 1.0;
        // No number of candidates finds what codes do not.
        let most = if segment.raw.is_some() { 1.0 } else { ALMOST_ALL * segment.encoded.recall_of_all() };
        let recall = f64::from(recall).min(most);
        let needed = segment.curves.needed(k, recall, among, calibrated).unwrap_or_else(|| Needed {
            candidates: segment.encoded.default_candidates(k).unwrap_or(UNMEASURED) as f64,
            rescored: if recall > RESCORED_FROM { RESCORED } else { 0 },
        });
        let candidates = (needed.candidates * f64::from(scale)).ceil().clamp(1.0, MOST_CANDIDATES) as usize;
        let least_k = k.max(MEASURED_K[0]);
        let rescored = (needed.rescored as f64 * least_k as f64 * f64::from(scale.max(1.0))).ceil() as usize;
        Self { candidates, lists: None, rescored, watched: Some(least_k) }
    }
}
