//! All pairs of some nodes compared, a panel at a time.

use super::near_lists::NearLists;
use super::scratch::Key;
use crate::distance::{GraphVectors, NodePanel, PANEL, near_lanes};
use lucerne_codec::Ordinal;

/// Nodes compared with a panel before it is known better what is near: at first all are.
const TOGETHER: usize = 32;

/// More nodes than this are compared in parts: what all pairs take grows with their square.
const MOST_NODES: usize = 2_048;

/// The nearest that a node keeps of one leaf.
pub(super) const KEPT: usize = 12;

/// Bounds of others that no node of a panel comes near to.
const NOTHING_NEAR: [f32; TOGETHER] = [f32::NEG_INFINITY; TOGETHER];

/// One thread's memory.
pub(super) struct PairWorker<'v> {
    panel: Box<dyn NodePanel + 'v>,
    distances: Vec<[f32; PANEL]>,
    near: Vec<[u32; 2]>,
    /// What each node has kept so far.
    nearest: Vec<Nearest>,
    /// The greatest distance that is near to each.
    bounds: Vec<f32>,
    nodes: Vec<Ordinal>,
    merged: Vec<Key>,
}

impl<'v> PairWorker<'v> {
    /// `None` where vectors cannot be compared so.
    pub(super) fn new(vectors: &'v dyn GraphVectors) -> Option<Self> {
        let distances = vec![[0.0; PANEL]; TOGETHER];
        let (near, nearest, bounds) = (vec![[0; 2]; TOGETHER], Vec::new(), Vec::new());
        let panel = vectors.panel()?;
        Some(Self { panel, distances, near, nearest, bounds, nodes: Vec::new(), merged: Vec::new() })
    }

    /// See [`NodePanel::fingerprint`].
    pub(super) fn fingerprint(&self, node: Ordinal) -> u64 {
        self.panel.fingerprint(node)
    }

    /// Puts the places of the `count` nearest among `others` into `found`, `count` for each of at most [`PANEL`] nodes.
    pub(super) fn nearest(&mut self, nodes: &[Ordinal], others: &[Ordinal], count: usize, found: &mut [u32]) {
        let Self { panel, distances, near, nearest, .. } = self;
        panel.set_nodes(nodes);
        nearest.resize_with(PANEL, Nearest::default);
        let mut bounds = [f32::NEG_INFINITY; PANEL];
        for (bound, nearest) in bounds.iter_mut().zip(nearest.iter_mut()).take(nodes.len()) {
            *bound = f32::INFINITY;
            nearest.reset(count);
        }
        for (others, first) in others.chunks(TOGETHER).zip((0..).step_by(TOGETHER)) {
            let (Some(distances), Some(near)) =
                (distances.get_mut(..others.len()), near.get_mut(..others.len()))
            else {
                return;
            };
            panel.gather(others, distances);
            near_lanes(distances, &bounds, NOTHING_NEAR.get(..others.len()).unwrap_or_default(), near);
            for ((place, distances), &[lanes, _]) in (first..).zip(&*distances).zip(&*near) {
                for lane in bits(lanes) {
                    if let (Some(nearest), Some(bound), Some(&distance)) =
                        (nearest.get_mut(lane), bounds.get_mut(lane), distances.get(lane))
                    {
                        nearest.keep(Key::new(distance, place), bound);
                    }
                }
            }
        }
        for (nearest, found) in nearest.iter().zip(found.chunks_mut(count)).take(nodes.len()) {
            found.iter_mut().zip(&nearest.keys).for_each(|(place, key)| *place = key.node());
        }
    }

    /// Compares all pairs of the nodes of a leaf, and lists for each those that are near. Which nodes are in the panel and which
    /// are compared with it depends on their ordinals alone, so that a pair that is in several leaves has the same distance
    /// in each.
    pub(super) fn compare_all(&mut self, leaf: &[Ordinal], lists: &NearLists) {
        let mut nodes = std::mem::take(&mut self.nodes);
        nodes.clear();
        nodes.extend_from_slice(leaf);
        nodes.sort_unstable();
        for part in nodes.chunks(MOST_NODES) {
            self.compare_part(part, lists);
        }
        self.nodes = nodes;
    }

    fn compare_part(&mut self, nodes: &[Ordinal], lists: &NearLists) {
        let len = self.nearest.len().max(nodes.len());
        self.nearest.resize_with(len, Nearest::default);
        self.nearest.iter_mut().take(nodes.len()).for_each(|nearest| nearest.reset(KEPT));
        self.bounds.clear();
        self.bounds.extend(nodes.iter().map(|&node| lists.bound(node)));
        for (panel, first) in nodes.chunks(PANEL).zip((0..).step_by(PANEL)) {
            self.panel.set_nodes(panel);
            let rest = nodes.get(first..).unwrap_or_default();
            for (others, at) in rest.chunks(TOGETHER).zip((first..).step_by(TOGETHER)) {
                self.compare(panel, first, others, at);
            }
        }
        for (nearest, &node) in self.nearest.iter().zip(nodes) {
            lists.add(node, &nearest.keys, &mut self.merged);
        }
    }

    /// Compares a panel, which begins with node number `first` of the leaf, with others from number `at` on.
    fn compare(&mut self, panel: &[Ordinal], first: usize, others: &[Ordinal], at: usize) {
        let Self { nearest, bounds, .. } = self;
        let (Some(distances), Some(near), Some(of_others)) = (
            self.distances.get_mut(..others.len()),
            self.near.get_mut(..others.len()),
            bounds.get(at..at + others.len()),
        ) else {
            return;
        };
        self.panel.gather(others, distances);
        let mut of_panel = [f32::NEG_INFINITY; PANEL];
        let of_nodes = bounds.get(first..).unwrap_or_default();
        of_panel.iter_mut().zip(of_nodes).take(panel.len()).for_each(|(lane, &bound)| *lane = bound);
        near_lanes(distances, &of_panel, of_others, near);
        for (((number, &other), distances), &[to_panel, to_other]) in
            (at..).zip(others).zip(&*distances).zip(&*near)
        {
            // A pair of the panel is compared twice: that which comes first in it counts.
            let before = (number - first).min(panel.len());
            let before = u32::MAX.checked_shr((PANEL - before) as u32).unwrap_or(0);
            for lane in bits(to_panel & before) {
                if let (Some(nearest), Some(bound), Some(&distance)) =
                    (nearest.get_mut(first + lane), bounds.get_mut(first + lane), distances.get(lane))
                {
                    nearest.keep(Key::new(distance, other), bound);
                }
            }
            let (Some(nearest), Some(bound)) = (nearest.get_mut(number), bounds.get_mut(number)) else {
                return;
            };
            for lane in bits(to_other & before) {
                if let (Some(&node), Some(&distance)) = (panel.get(lane), distances.get(lane)) {
                    nearest.keep(Key::new(distance, node), bound);
                }
            }
        }
    }
}

/// The numbers of the bits that are set, lowest first.
fn bits(mut left: u32) -> impl Iterator<Item = usize> {
    std::iter::from_fn(move || {
        let lowest = (left != 0).then(|| left.trailing_zeros() as usize);
        left &= left.wrapping_sub(1);
        lowest
    })
}

/// The nearest that some node has met, nearest first.
#[derive(Debug, Default)]
struct Nearest {
    keys: Vec<Key>,
    most: usize,
}

impl Nearest {
    fn reset(&mut self, most: usize) {
        self.keys.clear();
        self.most = most;
    }

    /// Keeps one, and lowers the bound when it is known that nothing farther is wanted.
    #[inline]
    fn keep(&mut self, key: Key, bound: &mut f32) {
        if self.keys.len() >= self.most {
            if self.keys.last().is_none_or(|&last| last < key) {
                return;
            }
            self.keys.pop();
        }
        // Without a branch that nobody could predict: they are few.
        let at = self.keys.iter().filter(|&&other| other < key).count();
        self.keys.insert(at, key);
        if let Some(last) = self.keys.get(self.most - 1) {
            *bound = last.distance().min(*bound);
        }
    }
}
