//! A graph with other ordinals, row by row: it is written as it comes and is never in memory twice.

use super::memory::{Graph, Level, Word as _};
use super::rows::Rows;
use super::{GraphView, NO_NODE};
use lucerne_codec::{Error, Ordinal, Result};

/// One level under its new ordinals.
pub struct RenumberedLevel<'a> {
    /// As in [`Level`].
    pub nodes: Vec<Ordinal>,
    /// As in [`Level`].
    pub below: Vec<u32>,
    graph: &'a Graph,
    number: usize,
    /// Old positions by new, and new ones by old.
    order: &'a [u32],
    moved: &'a [u32],
}

impl RenumberedLevel<'_> {
    /// The words of all rows, in their new order.
    pub fn words(&self) -> impl Iterator<Item = u32> + '_ {
        let rows = self.order.iter().map(move |&old| self.graph.row(self.number, old));
        rows.flat_map(move |row| row.iter().map(move |link| lookup(self.moved, link.get())))
    }
}

impl Graph {
    /// Hands out the levels, level 0 first, with other ordinals: node `permutation[new]` becomes node `new`. `permutation`
    /// must hold every ordinal once; otherwise [`Error::Invalid`].
    pub fn for_each_renumbered(
        &self,
        permutation: &[Ordinal],
        mut visit: impl FnMut(RenumberedLevel<'_>) -> Result<()>,
    ) -> Result<()> {
        let mut new_of = vec![NO_NODE; self.len()];
        for (new, &old) in (0..NO_NODE).zip(permutation) {
            match new_of.get_mut(old as usize) {
                Some(slot) if *slot == NO_NODE => *slot = new,
                _ => return Err(Error::Invalid(format!("{old} is out of range or twice in an order"))),
            }
        }
        if permutation.len() != self.len() {
            let problem = format!("an order of {} for {} nodes", permutation.len(), self.len());
            return Err(Error::Invalid(problem));
        }
        visit(self.renumbered((Vec::new(), Vec::new()), 0, permutation, &new_of))?;
        // Old position → new position, in the level below the one at hand; none: that of the ordinals.
        let mut below_moved: Option<Vec<u32>> = None;
        for (number, old) in self.levels().iter().enumerate().skip(1) {
            let ordinal = |position: &u32| lookup(&new_of, lookup(&old.nodes, *position));
            let mut order: Vec<u32> = (0..old.nodes.len() as u32).collect();
            // The entry point stays in front of the highest level.
            let fixed = usize::from(number + 1 == self.levels().len());
            if let Some(rest) = order.get_mut(fixed..) {
                rest.sort_unstable_by_key(ordinal);
            }
            let nodes = order.iter().map(ordinal).collect();
            let of_below = below_moved.as_deref().unwrap_or(&new_of);
            let below =
                order.iter().map(|&position| lookup(of_below, lookup(&old.below, position))).collect();
            let mut moved = vec![NO_NODE; order.len()];
            for (new, &position) in (0..NO_NODE).zip(&order) {
                if let Some(slot) = moved.get_mut(position as usize) {
                    *slot = new;
                }
            }
            visit(self.renumbered((nodes, below), number, &order, &moved))?;
            below_moved = Some(moved);
        }
        Ok(())
    }

    fn renumbered<'a>(
        &'a self,
        (nodes, below): (Vec<Ordinal>, Vec<u32>),
        number: usize,
        order: &'a [u32],
        moved: &'a [u32],
    ) -> RenumberedLevel<'a> {
        RenumberedLevel { nodes, below, graph: self, number, order, moved }
    }

    /// The same graph with other ordinals, as [`Graph::for_each_renumbered`] hands it out.
    pub fn renumber(&self, permutation: &[Ordinal]) -> Result<Graph> {
        let mut levels = Vec::with_capacity(self.levels().len());
        self.for_each_renumbered(permutation, |level| {
            let rows = Rows::Heap(level.words().collect());
            levels.push(Level { nodes: level.nodes, below: level.below, rows });
            Ok(())
        })?;
        Ok(self.with_levels(levels))
    }
}

/// `table[index]`, or [`NO_NODE`].
fn lookup(table: &[u32], index: u32) -> u32 {
    table.get(index as usize).copied().unwrap_or(NO_NODE)
}
