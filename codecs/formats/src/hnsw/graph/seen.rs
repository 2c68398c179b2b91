//! Where a new link stands in a row, from distances that a search has computed anyway.
//!
//! A node's links lead to what its search has found, and most of what those are linked to was scored on the
//! way. So the row of each can be asked almost for nothing whether the link back is dominated there. Before
//! this two thirds of the distances of an insertion were those of choosing links.

use super::heuristic::{Link, Standing};
use super::scratch::Visited;
use crate::distance::DistanceComputer;

/// What the search for a node has seen, and the node as the query.
pub(super) struct Seen<'a> {
    pub(super) visited: &'a Visited,
    pub(super) known: &'a [f32],
    pub(super) query: &'a mut dyn DistanceComputer,
}

impl Seen<'_> {
    /// The node's distance from a position, if it was computed.
    fn known(&self, position: u32) -> Option<f32> {
        self.visited.contains(position).then(|| self.known.get(position as usize).copied()).flatten()
    }

    /// Compares the link `back` to the node with the chosen ones of a row, and tells where it stands; those it
    /// dominates become spare.
    pub(super) fn compare(
        &mut self,
        back: &Link,
        row: &mut [Link],
        missing: &mut Vec<u32>,
        between: &mut Vec<f32>,
    ) -> Standing {
        let chosen = |link: &Link| link.standing == Standing::Chosen;
        let dominates =
            |link: &Link, between: f32| link.key() < back.key() && back.is_dominated(between, link.distance);
        missing.clear();
        for link in row.iter().filter(|link| chosen(link)) {
            match self.known(link.position) {
                Some(between) if dominates(link, between) => return Standing::Spare,
                Some(_) => {}
                None => missing.push(link.position),
            }
        }
        between.clear();
        between.resize(missing.len(), 0.0);
        if !missing.is_empty() {
            self.query.gather(missing, between);
        }
        let mut computed = between.iter();
        let dominated = row.iter().filter(|link| chosen(link) && !self.visited.contains(link.position));
        if dominated.zip(&mut computed).any(|(link, &between)| dominates(link, between)) {
            return Standing::Spare;
        }
        let mut computed = between.iter().copied();
        for link in row.iter_mut().filter(|link| chosen(link)) {
            let between = self.known(link.position).or_else(|| computed.next()).unwrap_or(f32::MAX);
            if link.key() > back.key() && link.is_dominated(between, back.distance) {
                link.standing = Standing::Spare;
            }
        }
        Standing::Chosen
    }
}
