//! Which levels a node belongs to.

use super::NO_NODE;
use lucerne_codec::Ordinal;

/// More levels than this are never made: with `m` = 2 they would hold 2³² nodes.
pub(super) const MAX_LEVELS: usize = 32;

/// The highest level of `node`: floor(−ln U / ln m) for U uniform in (0, 1), as in section 4.1 of the HNSW
/// paper. U is output number `node` of SplitMix64 (Steele, Lea, Flood 2014) started at `seed`, so it depends
/// on these two only and any thread can compute it. Level ≥ l has the chance m⁻ˡ, which is compared in
/// integers: no logarithm whose last bit differs between platforms.
pub(super) fn level_of(seed: u64, node: Ordinal, m: usize) -> usize {
    let random = split_mix(seed, u64::from(node));
    let m = (m as u64).max(2);
    let mut chance = u64::MAX / m;
    let mut level = 0;
    while random < chance && level + 1 < MAX_LEVELS {
        level += 1;
        chance /= m;
    }
    level
}

/// Output number `index` of SplitMix64 started at `seed`.
pub(super) fn split_mix(seed: u64, index: u64) -> u64 {
    let state = seed.wrapping_add(index.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15));
    let mixed = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

/// The nodes of the levels above 0 (index 0 is level 1), sorted, from the highest level of every node.
/// `entry`, if given, comes first in the highest level.
pub(super) fn level_lists(highest: &[u8], entry: Option<Ordinal>) -> Vec<Vec<Ordinal>> {
    let top = highest.iter().copied().max().unwrap_or(0);
    let mut lists = vec![Vec::new(); usize::from(top)];
    for (node, &level) in (0..NO_NODE).zip(highest) {
        lists.iter_mut().take(usize::from(level)).for_each(|list| list.push(node));
    }
    if let (Some(entry), Some(list)) = (entry, lists.last_mut())
        && let Some(at) = list.iter().position(|&node| node == entry)
        && let Some(head) = list.get_mut(..=at)
    {
        head.rotate_right(1);
    }
    lists
}

/// Position of `node` in a list that is sorted but for its first entry.
pub(super) fn position_in(list: &[Ordinal], node: Ordinal) -> Option<u32> {
    let (first, rest) = list.split_first()?;
    if *first == node {
        return Some(0);
    }
    rest.binary_search(&node).ok().map(|at| at as u32 + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn split_mix_gives_the_published_sequence() {
        // First outputs for seed 1234567, from the reference implementation's test vector.
        let outputs: Vec<u64> = (0..3).map(|index| split_mix(1_234_567, index)).collect();
        assert_eq!(
            outputs,
            [6_457_827_717_110_365_317, 3_203_168_211_198_807_973, 9_817_491_932_198_370_423]
        );
    }

    #[test]
    fn one_in_m_nodes_reaches_the_next_level() {
        let levels: Vec<usize> = (0..160_000).map(|node| level_of(42, node, 16)).collect();
        let at_least = |level| levels.iter().filter(|&&of| of >= level).count() as f64;
        assert!((at_least(1) / 10_000.0 - 1.0).abs() < 0.05);
        assert!((at_least(2) / 625.0 - 1.0).abs() < 0.15);
    }

    #[test]
    fn lists_are_sorted_and_the_entry_comes_first() {
        let lists = level_lists(&[0, 2, 1, 2, 0, 2], Some(5));
        assert_eq!(lists, [vec![1, 2, 3, 5], vec![5, 1, 3]]);
        let positions: Vec<_> = (0..6).map(|node| position_in(&lists[1], node)).collect();
        assert_eq!(positions, [None, Some(1), None, Some(2), None, Some(0)]);
    }
}
