//! Overlapping leaves: the nodes of level 1 lead one each, and every node is in the leaves of its nearest leaders. So near nodes
//! share leaves, and all pairs of a leaf together find what a search would find (PiPNN, arXiv 2602.21247).

use super::NO_NODE;
use super::lists::Lists;
use super::pairs::PairWorker;
use super::parallel::each;
use super::rows::Rows;
use crate::distance::PANEL;
use lucerne_codec::{Cancel, Directory, Ordinal, Result};
use parking_lot::Mutex;

/// Leaves of a node.
pub(super) const LEAVES: usize = 18;

/// Each node is compared with so many leaders; if there are more, with those of its region.
const MOST_LEADERS: usize = 2_048;

/// Regions that a leader is in: those around the nearest nodes of level 2.
const REGIONS: usize = 64;

/// Which leaves there are.
pub(super) struct Leaves {
    /// The nodes of each.
    pub(super) nodes: Lists,
    /// All nodes, those with the same nearest leader together.
    pub(super) order: Vec<Ordinal>,
}

/// Puts `nodes` into the leaves of their nearest among `leaders`. If these are many, they are looked for in the region of the nearest
/// of the nodes `regions`.
pub(super) fn leaves(
    nodes: &[Ordinal],
    leaders: &[Ordinal],
    regions: &[Ordinal],
    workers: &mut [PairWorker<'_>],
    cancel: &Cancel,
    files: Option<&dyn Directory>,
) -> Result<Leaves> {
    let (in_region, leaders, leaders_of_region) = if leaders.len() <= MOST_LEADERS {
        let everywhere = nodes.iter().map(|&node| (0, node)).collect();
        let all = (0..leaders.len() as u32).map(|leader| (0, leader));
        let all = Lists::from_pairs(1, all, files, cancel)?;
        (everywhere, leaders.to_vec(), all)
    } else {
        let in_region = by_region(nodes, regions, workers, cancel)?;
        // Near leaves come one after the other.
        let leaders = by_region(leaders, regions, workers, cancel)?;
        let leaders: Vec<Ordinal> = leaders.into_iter().map(|(_, leader)| leader).collect();
        let nearest = nearest(&[(&leaders, regions)], REGIONS, workers, cancel, files)?;
        let found = pairs(&nearest, REGIONS, 0..leaders.len() as u32);
        let lists = Lists::from_pairs(regions.len(), found, files, cancel)?;
        (in_region, leaders, lists)
    };
    // Nodes of one region are compared with its leaders.
    let ordinals: Vec<Ordinal> = in_region.iter().map(|&(_, node)| node).collect();
    let near: Vec<Vec<Ordinal>> = leaders_of_region
        .iter()
        .map(|near| near.iter().filter_map(|&leader| leaders.get(leader as usize).copied()).collect())
        .collect();
    let mut groups: Vec<(&[Ordinal], &[Ordinal])> = Vec::new();
    let mut rest = ordinals.as_slice();
    for group in in_region.chunk_by(|one, other| one.0 == other.0) {
        let (of_group, after) = rest.split_at(group.len().min(rest.len()));
        let region = group.first().map_or(0, |&(region, _)| region as usize);
        groups.push((of_group, near.get(region).map_or(&[], Vec::as_slice)));
        rest = after;
    }
    let mut nearest = nearest(&groups, LEAVES, workers, cancel, files)?;
    for ((region, _), nearest) in in_region.iter().zip(nearest.chunks_mut(LEAVES)) {
        let of_region = leaders_of_region.get(*region as usize);
        for place in nearest {
            *place = of_region.get(*place as usize).copied().unwrap_or(NO_NODE);
        }
    }
    let mut order: Vec<(u32, Ordinal)> =
        nearest.iter().step_by(LEAVES).copied().zip(ordinals.iter().copied()).collect();
    order.sort_unstable();
    let found = pairs(&nearest, LEAVES, ordinals.iter().copied());
    Ok(Leaves {
        nodes: Lists::from_pairs(leaders.len(), found, files, cancel)?,
        order: order.into_iter().map(|(_, node)| node).collect(),
    })
}

/// The nodes with their nearest regions, those of one region together.
fn by_region(
    nodes: &[Ordinal],
    regions: &[Ordinal],
    workers: &mut [PairWorker<'_>],
    cancel: &Cancel,
) -> Result<Vec<(u32, Ordinal)>> {
    let nearest = nearest(&[(nodes, regions)], 1, workers, cancel, None)?;
    let mut by_region: Vec<(u32, Ordinal)> = nearest.iter().copied().zip(nodes.iter().copied()).collect();
    by_region.sort_unstable();
    Ok(by_region)
}

/// Pairs of what each of `numbers` has found, `count` each, and the number.
fn pairs(
    found: &[u32],
    count: usize,
    numbers: impl Iterator<Item = u32> + Clone,
) -> impl Iterator<Item = (u32, u32)> + Clone {
    let each = found.chunks(count).zip(numbers);
    each.flat_map(|(found, number)| found.iter().map(move |&found| (found, number)))
        .filter(|&(found, _)| found != NO_NODE)
}

/// For each node of each group the places among the group's others of the `count` nearest, nearest first; where there are fewer,
/// [`NO_NODE`] fills up.
fn nearest(
    groups: &[(&[Ordinal], &[Ordinal])],
    count: usize,
    workers: &mut [PairWorker<'_>],
    cancel: &Cancel,
    files: Option<&dyn Directory>,
) -> Result<Rows<u32>> {
    let len = groups.iter().map(|(nodes, _)| nodes.len()).sum::<usize>();
    let mut found = Rows::filled(NO_NODE, len * count, files)?.into_plain();
    let mut rest = &mut *found;
    let mut work = Vec::new();
    for (nodes, others) in groups {
        for nodes in nodes.chunks(PANEL) {
            let (places, after) = rest.split_at_mut(nodes.len() * count);
            work.push((nodes, *others, Mutex::new(places)));
            rest = after;
        }
    }
    each(&work, workers, cancel, None, |worker, (nodes, others, places)| {
        worker.nearest(nodes, others, count, &mut places.lock());
        Ok(())
    })?;
    drop(work);
    Ok(found)
}
