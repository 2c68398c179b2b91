//! Merge policies: pure functions from the metadata of segments to merge candidates.
//!
//! The tiered policy is that of Apache Lucene's TieredMergePolicy: segments of similar size are merged, so
//! that each vector is merged a logarithmic number of times, and at most a few segments are in each tier.

/// The metadata of a segment that a policy decides by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SegmentMeta {
    pub(crate) name: String,
    /// Documents, deleted ones included.
    pub(crate) docs: u32,
    pub(crate) deleted: u32,
    /// Bytes of all its files.
    pub(crate) bytes: u64,
    /// Written with another format, an older version of it, or other parameters than would be written now.
    pub(crate) outdated: bool,
}

impl SegmentMeta {
    /// Bytes it would have without its deleted documents.
    fn live_bytes(&self) -> u64 {
        let live = u64::from(self.docs.saturating_sub(self.deleted));
        (u128::from(self.bytes) * u128::from(live) / u128::from(self.docs.max(1))) as u64
    }

    fn deleted_share(&self) -> f64 {
        f64::from(self.deleted) / f64::from(self.docs.max(1))
    }
}

/// A merge that a policy asks for: segments, by name, that should become one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct MergeCandidate {
    pub(crate) segments: Vec<String>,
    /// Live bytes of all of them.
    pub(crate) bytes: u64,
}

impl MergeCandidate {
    fn of(segments: &[&SegmentMeta]) -> Self {
        Self {
            segments: segments.iter().map(|segment| segment.name.clone()).collect(),
            bytes: segments.iter().map(|segment| segment.live_bytes()).sum(),
        }
    }
}

/// Which merges run in the background.
///
/// ```
/// use lucerne::merge::{MergePolicy, TieredOptions};
/// use lucerne::WriterOptions;
///
/// let tiered = TieredOptions::new().segments_per_tier(4).max_merged_bytes(1 << 30);
/// let options = WriterOptions::new().merge_policy(MergePolicy::Tiered(tiered.clone()));
/// assert_eq!(options.merge_policy, MergePolicy::Tiered(tiered));
/// ```
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum MergePolicy {
    /// Segments of similar size are merged.
    Tiered(TieredOptions),
    /// No merge runs in the background; [`crate::Writer::force_merge`] still merges.
    None,
}

impl Default for MergePolicy {
    fn default() -> Self {
        Self::Tiered(TieredOptions::default())
    }
}

/// Limits of the tiered policy.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct TieredOptions {
    /// Smaller segments are treated as if they had this size, in bytes, so that many tiny ones are merged
    /// at once. Default 16 MiB.
    pub floor_bytes: u64,
    /// Segments of about the same size that are left alone, and segments merged at once. Default 8, at
    /// least 2.
    pub segments_per_tier: usize,
    /// Background merges make no larger segment, in bytes of live documents. Default 5 GiB.
    pub max_merged_bytes: u64,
    /// Share of deleted documents in the index above which segments are rewritten only to drop them.
    /// Default 0.20.
    pub deletes_allowed: f64,
}

impl Default for TieredOptions {
    fn default() -> Self {
        Self { floor_bytes: 16 << 20, segments_per_tier: 8, max_merged_bytes: 5 << 30, deletes_allowed: 0.20 }
    }
}

impl TieredOptions {
    /// The defaults.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets [`TieredOptions::floor_bytes`].
    #[must_use]
    pub fn floor_bytes(mut self, bytes: u64) -> Self {
        self.floor_bytes = bytes;
        self
    }

    /// Sets [`TieredOptions::segments_per_tier`].
    #[must_use]
    pub fn segments_per_tier(mut self, segments: usize) -> Self {
        self.segments_per_tier = segments.max(2);
        self
    }

    /// Sets [`TieredOptions::max_merged_bytes`].
    #[must_use]
    pub fn max_merged_bytes(mut self, bytes: u64) -> Self {
        self.max_merged_bytes = bytes;
        self
    }

    /// Sets [`TieredOptions::deletes_allowed`].
    #[must_use]
    pub fn deletes_allowed(mut self, share: f64) -> Self {
        self.deletes_allowed = share;
        self
    }
}

impl MergePolicy {
    /// The merges that should start now, given the segments that no merge is using.
    pub(crate) fn find_merges(&self, segments: &[SegmentMeta]) -> Vec<MergeCandidate> {
        match self {
            Self::None => Vec::new(),
            Self::Tiered(options) => tiered(options, segments),
        }
    }
}

/// A merge must shrink the number of bytes in small segments: its result is at least this many times its
/// largest source, or it is left for later (Lucene).
const MIN_GROWTH: f64 = 1.5;

fn tiered(options: &TieredOptions, segments: &[SegmentMeta]) -> Vec<MergeCandidate> {
    let mut eligible: Vec<&SegmentMeta> = segments.iter().collect();
    eligible.sort_by(|left, right| {
        right.live_bytes().cmp(&left.live_bytes()).then_with(|| left.name.cmp(&right.name))
    });
    let docs: u64 = segments.iter().map(|segment| u64::from(segment.docs)).sum();
    let deleted: u64 = segments.iter().map(|segment| u64::from(segment.deleted)).sum();
    let too_many_deletes = deleted as f64 > options.deletes_allowed * docs as f64;
    // Segments near the maximum gain nothing from a merge but the space of their deletes.
    eligible.retain(|segment| {
        segment.live_bytes() <= options.max_merged_bytes / 2
            || too_many_deletes && segment.deleted_share() > options.deletes_allowed
    });
    let mut candidates = Vec::new();
    let allowed = allowed_count(options, &eligible);
    while eligible.len() > allowed {
        let Some(best) = best_window(options, &eligible) else { break };
        candidates.push(MergeCandidate::of(&best));
        eligible.retain(|segment| !best.iter().any(|taken| taken.name == segment.name));
    }
    if too_many_deletes {
        let rewritten = eligible.iter().filter(|segment| segment.deleted_share() > options.deletes_allowed);
        candidates.extend(rewritten.map(|segment| MergeCandidate::of(&[segment])));
    }
    candidates
}

/// Segments that may stay: a full tier for each size, from the smallest size up.
fn allowed_count(options: &TieredOptions, eligible: &[&SegmentMeta]) -> usize {
    let per_tier = options.segments_per_tier.max(2);
    let mut left: u64 = eligible.iter().map(|segment| segment.live_bytes()).sum();
    let smallest = eligible.last().map_or(0, |segment| segment.live_bytes());
    let mut size = smallest.max(options.floor_bytes).max(1);
    let mut allowed = 0;
    loop {
        let tier = size.saturating_mul(per_tier as u64);
        if left < tier || size >= options.max_merged_bytes {
            allowed += left.div_ceil(size) as usize;
            break;
        }
        allowed += per_tier;
        left -= tier;
        size = tier.min(options.max_merged_bytes);
    }
    allowed.max(per_tier)
}

/// The run of segments of similar size whose merge gains most for its cost.
fn best_window<'a>(options: &TieredOptions, sorted: &[&'a SegmentMeta]) -> Option<Vec<&'a SegmentMeta>> {
    let mut best: Option<(f64, Vec<&SegmentMeta>)> = None;
    for start in 0..sorted.len() {
        let mut window = Vec::new();
        let mut total = 0u64;
        for &segment in sorted.iter().skip(start) {
            if window.len() == options.segments_per_tier.max(2) {
                break;
            }
            if total + segment.live_bytes() > options.max_merged_bytes {
                continue; // A smaller one may still fit.
            }
            total += segment.live_bytes();
            window.push(segment);
        }
        let largest = window.first().map_or(0, |segment| segment.live_bytes());
        let floored = |bytes: u64| bytes.max(options.floor_bytes).max(1) as f64;
        let grows = largest <= options.floor_bytes || total as f64 >= MIN_GROWTH * largest as f64;
        if window.len() < 2 || !grows {
            continue;
        }
        let sum: f64 = window.iter().map(|segment| floored(segment.live_bytes())).sum();
        let bytes: u64 = window.iter().map(|segment| segment.bytes).sum();
        let skew = floored(largest) / sum;
        let live = total as f64 / bytes.max(1) as f64;
        // Lucene's score: even sizes first, small totals slightly, many deletes much.
        let score = skew * (total.max(1) as f64).powf(0.05) * live * live;
        if best.as_ref().is_none_or(|(lowest, _)| score < *lowest) {
            best = Some((score, window));
        }
    }
    best.map(|(_, window)| window)
}

/// Merges that leave at most `max_segments` segments, none of them outdated; and none with deletes when one
/// is left.
pub(crate) fn force_merge(segments: &[SegmentMeta], max_segments: usize) -> Vec<MergeCandidate> {
    let max_segments = max_segments.max(1);
    let mut sorted: Vec<&SegmentMeta> = segments.iter().collect();
    sorted.sort_by(|left, right| {
        left.live_bytes().cmp(&right.live_bytes()).then_with(|| left.name.cmp(&right.name))
    });
    let merged = if sorted.len() > max_segments { sorted.len() - max_segments + 1 } else { 0 };
    let (smallest, rest) = sorted.split_at(merged);
    let together = (!smallest.is_empty()).then(|| MergeCandidate::of(smallest));
    let alone = rest.iter().filter(|segment| segment.outdated || max_segments == 1 && segment.deleted > 0);
    together.into_iter().chain(alone.map(|segment| MergeCandidate::of(&[segment]))).collect()
}

/// Merges that leave at most `max_segments` segments of about the same size. No two share a segment, so that each can be
/// the work of another process. None is left outdated, and none with deletes when one is left.
pub(crate) fn even_merges(segments: &[SegmentMeta], max_segments: usize) -> Vec<MergeCandidate> {
    let max_segments = max_segments.max(1);
    let mut sorted: Vec<&SegmentMeta> = segments.iter().collect();
    sorted.sort_by(|left, right| {
        right.live_bytes().cmp(&left.live_bytes()).then_with(|| left.name.cmp(&right.name))
    });
    // The largest first, each to the group that is the smallest so far.
    let mut groups: Vec<(u64, Vec<&SegmentMeta>)> = vec![(0, Vec::new()); max_segments.min(sorted.len())];
    for segment in sorted {
        if let Some((bytes, group)) = groups.iter_mut().min_by_key(|(bytes, _)| *bytes) {
            *bytes += segment.live_bytes();
            group.push(segment);
        }
    }
    let rewritten = |group: &[&SegmentMeta]| match group {
        [alone] => alone.outdated || max_segments == 1 && alone.deleted > 0,
        group => !group.is_empty(),
    };
    let merges = groups.iter().filter(|(_, group)| rewritten(group));
    merges.map(|(_, group)| MergeCandidate::of(group)).collect()
}

/// Rewrites every segment with more than this share of deleted documents.
pub(crate) fn expunge_deletes(segments: &[SegmentMeta], above: f64) -> Vec<MergeCandidate> {
    let rewritten = segments.iter().filter(|segment| segment.deleted > 0 && segment.deleted_share() > above);
    rewritten.map(|segment| MergeCandidate::of(&[segment])).collect()
}

/// Rewrites every outdated segment, each alone.
pub(crate) fn upgrade(segments: &[SegmentMeta]) -> Vec<MergeCandidate> {
    segments.iter().filter(|segment| segment.outdated).map(|segment| MergeCandidate::of(&[segment])).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const MIB: u64 = 1 << 20;

    fn segment(number: usize, bytes: u64, deleted: u32) -> SegmentMeta {
        SegmentMeta { name: format!("_{number}"), docs: 1000, deleted, bytes, outdated: false }
    }

    fn small_tiers() -> TieredOptions {
        TieredOptions::new().floor_bytes(MIB).segments_per_tier(4).max_merged_bytes(100 * MIB)
    }

    #[test]
    fn equal_small_segments_are_merged_once_a_tier_is_full() {
        let policy = MergePolicy::Tiered(small_tiers());
        let few: Vec<_> = (0..4).map(|number| segment(number, MIB, 0)).collect();
        assert!(policy.find_merges(&few).is_empty());
        let many: Vec<_> = (0..9).map(|number| segment(number, MIB, 0)).collect();
        let merges = policy.find_merges(&many);
        assert_eq!(merges[0].segments.len(), 4);
        assert_eq!(merges[0].bytes, 4 * MIB);
    }

    #[test]
    fn no_background_merge_exceeds_the_maximum_size() {
        let policy = MergePolicy::Tiered(small_tiers());
        let segments: Vec<_> = (0..20).map(|number| segment(number, 45 * MIB, 0)).collect();
        let merges = policy.find_merges(&segments);
        assert!(!merges.is_empty());
        assert!(merges.iter().all(|merge| merge.bytes <= 100 * MIB && merge.segments.len() >= 2));
    }

    #[test]
    fn simulated_growth_keeps_few_segments_and_little_write_amplification() {
        let options = TieredOptions::new().floor_bytes(MIB).segments_per_tier(8).max_merged_bytes(1 << 40);
        let policy = MergePolicy::Tiered(options);
        let (mut segments, mut written, mut next) = (Vec::new(), 0, 0);
        for _ in 0..1000 {
            segments.push(segment(next, MIB, 0));
            (next, written) = (next + 1, written + MIB);
            while let Some(merge) = policy.find_merges(&segments).into_iter().next() {
                segments.retain(|segment| !merge.segments.contains(&segment.name));
                segments.push(segment(next, merge.bytes, 0));
                (next, written) = (next + 1, written + merge.bytes);
            }
            assert!(segments.len() <= 8 * 4, "{} segments", segments.len());
        }
        assert!(written < 5 * 1000 * MIB, "write amplification {}", written / (1000 * MIB));
    }

    #[test]
    fn too_many_deletes_are_rewritten_even_in_a_single_segment() {
        let policy = MergePolicy::Tiered(small_tiers());
        assert_eq!(policy.find_merges(&[segment(0, MIB, 300)]).len(), 1);
        assert!(policy.find_merges(&[segment(0, MIB, 100)]).is_empty());
        assert!(MergePolicy::None.find_merges(&[segment(0, MIB, 900)]).is_empty());
    }

    #[test]
    fn a_forced_merge_leaves_the_number_asked_for() {
        let segments: Vec<_> = (0..5).map(|number| segment(number, (number as u64 + 1) * MIB, 0)).collect();
        let merges = force_merge(&segments, 3);
        assert_eq!(
            merges,
            [MergeCandidate { segments: vec!["_0".into(), "_1".into(), "_2".into()], bytes: 6 * MIB }]
        );
        assert_eq!(force_merge(&segments, 1)[0].segments.len(), 5);
        assert!(force_merge(&segments, 5).is_empty());
        assert!(force_merge(&[segment(0, MIB, 0)], 1).is_empty());
        assert_eq!(force_merge(&[segment(0, MIB, 1)], 1).len(), 1);
        let outdated = SegmentMeta { outdated: true, ..segment(0, MIB, 0) };
        assert_eq!(force_merge(std::slice::from_ref(&outdated), 3).len(), 1);
        let segments = [segment(1, MIB, 0), outdated.clone(), segment(2, MIB, 9), outdated];
        let each: Vec<_> = upgrade(&segments).into_iter().map(|merge| merge.segments).collect();
        assert_eq!(each, [["_0"], ["_0"]]);
    }

    #[test]
    fn even_merges_share_no_segment_and_leave_sizes_alike() {
        let segments: Vec<_> = (0..8).map(|number| segment(number, (number as u64 + 1) * MIB, 0)).collect();
        let merges = even_merges(&segments, 3);
        assert_eq!(merges.iter().map(|merge| merge.bytes / MIB).collect::<Vec<_>>(), [13, 12, 11]);
        let mut names: Vec<_> = merges.into_iter().flat_map(|merge| merge.segments).collect();
        names.sort_unstable();
        assert_eq!(names, segments.iter().map(|segment| segment.name.clone()).collect::<Vec<_>>());
        assert_eq!(even_merges(&segments, 1)[0].segments.len(), 8);
        assert!(even_merges(&segments, 8).is_empty() && even_merges(&[], 2).is_empty());
        assert_eq!(even_merges(&[segment(0, MIB, 1)], 1).len(), 1);
        let outdated = SegmentMeta { outdated: true, ..segment(0, MIB, 0) };
        assert_eq!(even_merges(&[outdated, segment(1, MIB, 7)], 4).len(), 1);
    }

    #[test]
    fn expunging_rewrites_only_segments_with_many_deletes() {
        let segments = [segment(0, MIB, 0), segment(1, MIB, 50), segment(2, MIB, 500)];
        assert_eq!(expunge_deletes(&segments, 0.10).len(), 1);
        assert_eq!(expunge_deletes(&segments, 0.0).len(), 2);
    }
}
