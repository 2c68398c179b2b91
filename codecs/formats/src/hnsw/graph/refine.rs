//! A second pass over a graph: the links of every node are selected anew, in the graph as it is when all nodes are there.
//!
//! A node that came early was linked when few others were there. What has come nearer since is linked to it by links back
//! only, which compete for one row; and what its search came by on the way to it was not there yet. So each node is
//! searched for again (Vamana makes two passes for this reason, NeurIPS 2019). Its new links are selected among what is found,
//! the links it has, and all nodes that the search has expanded: the far ones of these are the long links that later
//! searches need on their way, and a list of the nearest candidates loses them.
//!
//! Nodes come in batches, as in insertions (`batch`): the graph is the same for any number of threads.

use super::batch::{AddedLinks, MOST, worth};
use super::insert::{Inserter, Insertion, LONG_DETOUR, Start};
use super::parallel::{Steps, each};
use super::scratch::SearchScratch;
use super::select::{Link, LinkStatus};
use super::worker::Worker;
use super::{GraphView, NodeAt};
use lucerne_codec::{Ordinal, Result};
use parking_lot::Mutex;

impl Inserter<'_> {
    /// Selects the links of level 0 of all nodes anew.
    pub(super) fn refine(&self, workers: &mut [Worker<'_>], steps: &Steps<'_>) -> Result<()> {
        // What this pass does not find at once is suspect, not what the first did not.
        workers.iter_mut().for_each(|worker| worker.detoured.clear());
        let nodes = 0..self.builder.graph().len() as Ordinal;
        let nodes: Vec<Ordinal> = nodes.filter(|&node| !self.duplicates.is_duplicate(node)).collect();
        let mut insertions: Vec<Mutex<Insertion>> = Vec::new();
        insertions.resize_with(MOST.min(nodes.len()), Mutex::default);
        let mut added = AddedLinks::default();
        for batch in nodes.chunks(MOST) {
            let work: Vec<(Ordinal, &Mutex<Insertion>)> = batch.iter().copied().zip(&insertions).collect();
            let workers_of_batch = worth(workers, batch.len());
            each(&work, workers_of_batch, self.cancel, Some(steps), |worker, &(node, insertion)| {
                self.find_links_anew(node, worker, &mut insertion.lock())
            })?;
            let new = insertions.iter_mut().take(batch.len()).map(Mutex::get_mut);
            self.link_anew(batch, new, &mut added, workers)?;
        }
        Ok(())
    }

    /// Finds new links of level 0 for a node, in the graph as it is.
    fn find_links_anew(
        &self,
        node: Ordinal,
        worker: &mut Worker<'_>,
        insertion: &mut Insertion,
    ) -> Result<()> {
        let Worker { query, scratch, candidates, links, .. } = &mut *worker;
        query.set_query(node);
        match query.traversal() {
            Some(distances) => {
                self.find_candidates(Start::EntryPoint, 0, distances, scratch, candidates)?;
                add_expanded(scratch, candidates);
                self.rescore(&mut **query, scratch, candidates);
            }
            None => {
                self.find_candidates(Start::EntryPoint, 0, &mut **query, scratch, candidates)?;
                add_expanded(scratch, candidates);
            }
        }
        self.builder.links(0, node, links);
        if let Some(candidates) = candidates.first_mut() {
            add_present(links, scratch, candidates);
        }
        if worker.scratch.longest_detour >= LONG_DETOUR {
            worker.detoured.push(node);
        }
        insertion.node = node;
        insertion.duplicate_of = None;
        self.select_links(0, worker, insertion);
        Ok(())
    }

    /// Replaces the rows of a batch, and adds links back to them.
    fn link_anew<'i>(
        &self,
        batch: &[Ordinal],
        insertions: impl Iterator<Item = &'i mut Insertion>,
        added: &mut AddedLinks,
        workers: &mut [Worker<'_>],
    ) -> Result<()> {
        let Some(Worker { selector, .. }) = workers.first_mut() else { return Ok(()) };
        for Insertion { node, links, checks, .. } in insertions {
            let links = links.first().map_or(&[][..], Vec::as_slice);
            self.builder.clear_links(0, *node);
            self.builder.add_links(0, *node, links, selector);
            for (link, check) in links.iter().zip(checks) {
                // The rows of the batch are not what they were when they were checked.
                let check = check.filter(|_| batch.binary_search(&link.position).is_err());
                let to = NodeAt { level: 0, position: link.position };
                added.push(to, Link::new(*node, link.distance), check);
            }
        }
        added.apply(self.builder, workers, self.cancel)
    }
}

/// Adds the nodes that the search of level 0 has expanded and not kept to its candidates.
fn add_expanded(scratch: &SearchScratch, candidates: &mut [Vec<Link>]) {
    let Some(candidates) = candidates.first_mut() else { return };
    let farthest = candidates.last().map(Link::key);
    let lost = scratch.expanded.iter().filter(|&&key| farthest.is_none_or(|farthest| key > farthest));
    candidates.extend(lost.map(|key| Link::new(key.node(), key.distance())));
    candidates.sort_unstable_by_key(Link::key);
}

/// Adds the links that a node has to its candidates. Those that are selected need not be compared with each other again.
fn add_present(links: &[Link], scratch: &mut SearchScratch, candidates: &mut Vec<Link>) {
    let SearchScratch { visited, known, .. } = scratch;
    for link in links {
        let status = if link.is_selected() { link.status } else { LinkStatus::Unchecked };
        if let Some(candidate) = candidates.iter_mut().find(|other| other.position == link.position) {
            candidate.status = status;
            continue;
        }
        visited.insert(link.position);
        if let Some(known) = known.get_mut(link.position as usize) {
            *known = link.distance;
        }
        candidates.push(Link { status, ..*link });
    }
    candidates.sort_unstable_by_key(Link::key);
}
