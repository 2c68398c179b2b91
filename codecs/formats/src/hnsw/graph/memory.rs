//! A finished graph in memory.

use super::{GraphView, NO_NODE};
use lucerne_codec::{Error, Ordinal};

/// One level of a [`Graph`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Level {
    /// Ordinals of the level's nodes by position: ascending, but for the entry point in front of the highest
    /// level. Empty for level 0, whose positions are the ordinals.
    pub nodes: Vec<Ordinal>,
    /// Position of each node in the level below. Empty for level 0.
    pub below: Vec<u32>,
    /// Linked positions: a row of fixed length for each node, nearest first, its end filled with
    /// [`NO_NODE`].
    pub rows: Vec<u32>,
}

/// A whole graph in memory. Rows are `2 m` words long on level 0 and `m` above.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Graph {
    len: usize,
    m: usize,
    beam_width: usize,
    levels: Vec<Level>,
}

impl Graph {
    /// A graph of `len` nodes; `levels[0]` has a row of `2 m` words for each.
    pub(super) fn new(len: usize, m: usize, beam_width: usize, levels: Vec<Level>) -> Self {
        Self { len, m, beam_width, levels }
    }

    /// Candidates kept while it was built.
    pub fn beam_width(&self) -> usize {
        self.beam_width
    }

    /// Number of nodes.
    pub fn len(&self) -> usize {
        self.len
    }

    /// True when there are none.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Links of a node on an upper level; on level 0 it has up to twice as many.
    pub fn m(&self) -> usize {
        self.m
    }

    /// The levels, level 0 first.
    pub fn levels(&self) -> &[Level] {
        &self.levels
    }

    /// Words in a row of `level`.
    pub fn stride(&self, level: usize) -> usize {
        stride(self.m, level)
    }

    /// The linked positions of the node at `position` of `level`; empty when there is no such node.
    pub fn neighbors(&self, level: usize, position: u32) -> &[u32] {
        let row = self.row(level, position);
        let used = row.iter().position(|&id| id == NO_NODE).unwrap_or(row.len());
        row.get(..used).unwrap_or_default()
    }

    fn row(&self, level: usize, position: u32) -> &[u32] {
        let stride = self.stride(level);
        let start = position as usize * stride;
        let rows = self.levels.get(level).map(|level| level.rows.as_slice());
        rows.and_then(|rows| rows.get(start..start + stride)).unwrap_or_default()
    }

    /// The whole row, unused end included.
    pub(super) fn row_mut(&mut self, level: usize, position: u32) -> &mut [u32] {
        let stride = self.stride(level);
        let start = position as usize * stride;
        let rows = self.levels.get_mut(level).map(|level| level.rows.as_mut_slice());
        rows.and_then(|rows| rows.get_mut(start..start + stride)).unwrap_or_default()
    }

    /// Replaces a row; what does not fit is left out.
    pub(super) fn set_row(&mut self, level: usize, position: u32, links: impl IntoIterator<Item = u32>) {
        let links = links.into_iter().chain(std::iter::repeat(NO_NODE));
        let row = self.row_mut(level, position);
        row.iter_mut().zip(links).for_each(|(word, link)| *word = link);
    }

    /// The node every search starts from; `None` in an empty graph.
    pub fn entry(&self) -> Option<Ordinal> {
        let top = self.levels.len().checked_sub(1)?;
        (self.len > 0).then(|| GraphView::node(self, top, 0))
    }

    /// Links per node on level 0.
    pub fn mean_degree(&self) -> f64 {
        let rows =
            self.levels.first().map_or(0, |level| level.rows.iter().filter(|&&link| link != NO_NODE).count());
        rows as f64 / self.len.max(1) as f64
    }

    /// The same graph with other ordinals: node `permutation[new]` becomes node `new`. `permutation` must
    /// hold every ordinal once; otherwise [`Error::Invalid`].
    pub fn renumber(&self, permutation: &[Ordinal]) -> lucerne_codec::Result<Graph> {
        let mut new_of = vec![NO_NODE; self.len];
        for (new, &old) in (0..NO_NODE).zip(permutation) {
            match new_of.get_mut(old as usize) {
                Some(slot) if *slot == NO_NODE => *slot = new,
                _ => return Err(Error::Invalid(format!("{old} is out of range or twice in an order"))),
            }
        }
        if permutation.len() != self.len {
            let problem = format!("an order of {} for {} nodes", permutation.len(), self.len);
            return Err(Error::Invalid(problem));
        }
        let mut levels = Vec::with_capacity(self.levels.len());
        // Old position → new position, in the level below the one at hand.
        let mut moved = new_of.clone();
        let mut order = permutation.to_vec();
        for (number, level) in self.levels.iter().enumerate() {
            let mut renumbered = Level::default();
            if number > 0 {
                let ordinal = |old: &u32| lookup(&new_of, lookup(&level.nodes, *old));
                order = (0..level.nodes.len() as u32).collect();
                // The entry point stays in front of the highest level.
                let fixed = usize::from(number + 1 == self.levels.len());
                if let Some(rest) = order.get_mut(fixed..) {
                    rest.sort_unstable_by_key(ordinal);
                }
                renumbered.nodes = order.iter().map(ordinal).collect();
                let below = order.iter().map(|&old| lookup(&moved, lookup(&level.below, old)));
                renumbered.below = below.collect();
                moved = vec![NO_NODE; order.len()];
                for (new, &old) in (0..NO_NODE).zip(&order) {
                    if let Some(slot) = moved.get_mut(old as usize) {
                        *slot = new;
                    }
                }
            }
            renumbered.rows = Vec::with_capacity(level.rows.len());
            for &old in &order {
                let row = self.row(number, old);
                renumbered.rows.extend(row.iter().map(|&link| lookup(&moved, link)));
            }
            levels.push(renumbered);
        }
        Ok(Graph::new(self.len, self.m, self.beam_width, levels))
    }
}

/// Words in a row of `level`.
pub(super) fn stride(m: usize, level: usize) -> usize {
    if level == 0 { 2 * m } else { m }
}

/// `table[index]`, or [`NO_NODE`].
pub(super) fn lookup(table: &[u32], index: u32) -> u32 {
    table.get(index as usize).copied().unwrap_or(NO_NODE)
}

impl GraphView for Graph {
    fn len(&self) -> usize {
        self.len
    }

    fn m(&self) -> usize {
        self.m
    }

    fn levels(&self) -> usize {
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
        row.extend_from_slice(Graph::neighbors(self, level, position));
    }

    fn corrupt(&self, problem: String) -> Error {
        Error::Invalid(format!("graph in memory: {problem}"))
    }
}
