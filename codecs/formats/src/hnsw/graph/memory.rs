//! A graph in memory, and the levels of its nodes.

use super::rows::Rows;
use super::{GraphView, NO_NODE, SelfSearch, max_links};
use lucerne_codec::{Error, Ordinal};
use std::ops::Range;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};

/// More levels than this are never made: with `m` = 2 they would hold 2³² nodes.
pub(super) const MAX_LEVELS: usize = 32;

/// A word of a row: a plain one in a finished graph, an atomic one in a graph under construction.
pub trait Word: Send + Sync {
    /// The linked position, or [`NO_NODE`].
    fn get(&self) -> u32;
}

impl Word for u32 {
    #[inline]
    fn get(&self) -> u32 {
        *self
    }
}

impl Word for AtomicU32 {
    #[inline]
    fn get(&self) -> u32 {
        self.load(Relaxed)
    }
}

/// One level of a [`Graph`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Level<W = u32> {
    /// Ordinals of the level's nodes by position: ascending, but for the entry point in front of the highest
    /// level. Empty for level 0, whose positions are the ordinals.
    pub nodes: Vec<Ordinal>,
    /// Position of each node in the level below. Empty for level 0.
    pub below: Vec<u32>,
    /// Linked positions: a row of fixed length for each node, its end filled with [`NO_NODE`]. In a finished graph the
    /// nearest come first.
    pub rows: Rows<W>,
}

/// A whole graph in memory. Rows are `2 m` words long on level 0 and `m` above.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Graph<W = u32> {
    len: usize,
    m: usize,
    beam_width: usize,
    self_search: Option<SelfSearch>,
    levels: Vec<Level<W>>,
}

impl<W> Graph<W> {
    /// A graph of `len` nodes; `levels[0]` has a row of `2 m` words for each.
    pub(super) fn new(len: usize, m: usize, beam_width: usize, levels: Vec<Level<W>>) -> Self {
        Self { len, m, beam_width, self_search: None, levels }
    }

    /// Candidates kept while it was built.
    pub fn beam_width(&self) -> usize {
        self.beam_width
    }

    /// What searches for its own nodes have found, where they were made.
    pub fn self_search(&self) -> Option<SelfSearch> {
        self.self_search
    }

    /// Keeps what searches for its own nodes have found.
    pub(super) fn set_self_search(&mut self, self_search: SelfSearch) {
        self.self_search = Some(self_search);
    }

    /// The levels, level 0 first.
    pub fn levels(&self) -> &[Level<W>] {
        &self.levels
    }

    /// The same graph, each level changed.
    pub(super) fn map_levels<V>(self, change: impl Fn(Level<W>) -> Level<V>) -> Graph<V> {
        let Self { len, m, beam_width, self_search, levels } = self;
        let levels = levels.into_iter().map(change).collect();
        Graph { len, m, beam_width, self_search, levels }
    }

    /// Position of a node on a level; `None` when it does not belong to it.
    pub(super) fn position(&self, level: usize, node: Ordinal) -> Option<u32> {
        match level {
            0 => Some(node),
            _ => position_in(&self.levels.get(level)?.nodes, node),
        }
    }

    /// Where the row of the node at `position` is among the words of its level.
    pub(super) fn row_range(&self, level: usize, position: u32) -> Range<usize> {
        let len = max_links(self.m, level);
        let start = position as usize * len;
        start..start + len
    }

    /// A whole row, unused end included; empty when there is no such node.
    pub(super) fn row(&self, level: usize, position: u32) -> &[W] {
        let range = self.row_range(level, position);
        self.levels.get(level).and_then(|level| level.rows.get(range)).unwrap_or_default()
    }
}

impl Graph {
    /// A graph like this one of other levels.
    pub(super) fn with_levels(&self, levels: Vec<Level>) -> Self {
        let Self { len, m, beam_width, self_search, .. } = *self;
        Self { len, m, beam_width, self_search, levels }
    }

    /// The linked positions of the node at `position` of `level`; empty when there is no such node.
    pub(super) fn links(&self, level: usize, position: u32) -> &[u32] {
        let row = self.row(level, position);
        let used = row.iter().position(|&id| id == NO_NODE).unwrap_or(row.len());
        row.get(..used).unwrap_or_default()
    }

    /// A whole row, unused end included; empty when there is no such node.
    pub(super) fn row_mut(&mut self, level: usize, position: u32) -> &mut [u32] {
        let range = self.row_range(level, position);
        self.levels.get_mut(level).and_then(|level| level.rows.get_mut(range)).unwrap_or_default()
    }

    /// Replaces a row; what does not fit is left out.
    pub(super) fn set_row(&mut self, level: usize, position: u32, links: impl IntoIterator<Item = u32>) {
        let links = links.into_iter().chain(std::iter::repeat(NO_NODE));
        let row = self.row_mut(level, position);
        row.iter_mut().zip(links).for_each(|(word, link)| *word = link);
    }
}

/// `table[index]`, or [`NO_NODE`].
fn lookup(table: &[u32], index: u32) -> u32 {
    table.get(index as usize).copied().unwrap_or(NO_NODE)
}

impl<W: Word> GraphView for Graph<W> {
    fn len(&self) -> usize {
        self.len
    }

    fn m(&self) -> usize {
        self.m
    }

    fn level_count(&self) -> usize {
        self.levels.len()
    }

    fn level_len(&self, level: usize) -> usize {
        match level {
            0 => self.len,
            _ => self.levels.get(level).map_or(0, |level| level.nodes.len()),
        }
    }

    fn node(&self, level: usize, position: u32) -> Ordinal {
        match level {
            0 => position,
            _ => self.levels.get(level).map_or(NO_NODE, |level| lookup(&level.nodes, position)),
        }
    }

    fn below(&self, level: usize, position: u32) -> u32 {
        self.levels.get(level).map_or(NO_NODE, |level| lookup(&level.below, position))
    }

    fn neighbors(&self, level: usize, position: u32, row: &mut Vec<u32>) {
        row.clear();
        row.extend(self.row(level, position).iter().map(W::get).take_while(|&link| link != NO_NODE));
    }

    #[inline]
    fn prefetch(&self, position: u32) {
        if let Some(level) = self.levels.first() {
            let len = max_links(self.m, 0);
            lucerne_simd::prefetch(&level.rows, (position as usize).saturating_mul(len), len);
        }
    }

    fn corrupt(&self, problem: String) -> Error {
        Error::Invalid(format!("graph in memory: {problem}"))
    }
}

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
