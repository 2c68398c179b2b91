//! An order of the nodes with neighbours close together.

use super::search::entry_ordinal;
use super::{GraphView, Ordinal};
use lucerne_codec::Result;

/// An order in which nodes that are linked stand near each other, so that the vectors a search compares share
/// pages and cache lines: `order[new] = old`. Breadth first over level 0 from the entry point, the nearest
/// links first; then the nodes not reached, in order. Depends on the graph only.
pub fn locality_order<G: GraphView + ?Sized>(graph: &G) -> Result<Vec<Ordinal>> {
    let len = graph.len();
    let mut order: Vec<Ordinal> = Vec::with_capacity(len);
    let mut placed = vec![false; len];
    let mut row = Vec::new();
    let first = if len == 0 { None } else { Some(entry_ordinal(graph)?) };
    let mut next = 0;
    for root in first.into_iter().chain(0..len as u32) {
        place(root, &mut placed, &mut order);
        while let Some(&node) = order.get(next) {
            next += 1;
            graph.neighbors(0, node, &mut row);
            for &link in &row {
                if link as usize >= len {
                    return Err(graph.corrupt(format!("level 0: node {node} is linked to {link}")));
                }
                place(link, &mut placed, &mut order);
            }
        }
    }
    Ok(order)
}

fn place(node: Ordinal, placed: &mut [bool], order: &mut Vec<Ordinal>) {
    if let Some(slot @ false) = placed.get_mut(node as usize) {
        *slot = true;
        order.push(node);
    }
}
