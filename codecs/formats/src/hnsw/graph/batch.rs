//! Links for many nodes at once, the same on any number of threads.
//!
//! Nodes are inserted a batch at a time, as ParlayANN does (PPoPP 2024): each searches the graph as it was before the
//! batch, all at the same time, and only then are links changed, row by row, each row by one thread and in the order of the
//! nodes that are linked. So what a thread sees never depends on what another has done, and no lock is needed. Nodes of one
//! batch do not meet in the graph; therefore each compares itself with all that come before it in the batch, which lie in
//! a cache and cost little.

use super::NodeAt;
use super::builder::{BacklinkCheck, GraphBuilder};
use super::parallel::each;
use super::select::Link;
use super::worker::Worker;
use lucerne_codec::{Cancel, Result};

/// The most nodes of a batch.
pub(super) const MOST: usize = 128;

/// A batch has at most one node for so many nodes that are in the graph: the others should find most neighbors there.
const GRAPH_FOR_EACH: usize = 64;

/// Fewer items than this are not worth starting threads for.
const WORTH_THREADS: usize = 16;

/// How many nodes the next batch has, when `inserted` are in the graph.
pub(super) fn batch_len(inserted: usize) -> usize {
    (inserted / GRAPH_FOR_EACH).clamp(1, MOST)
}

/// The workers that so few items are worth.
pub(super) fn worth<'w, 'v>(workers: &'w mut [Worker<'v>], items: usize) -> &'w mut [Worker<'v>] {
    let count = if items < WORTH_THREADS { 1 } else { workers.len() };
    workers.get_mut(..count).unwrap_or_default()
}

/// Links to be added to rows.
#[derive(Debug, Default)]
pub(super) struct AddedLinks {
    links: Vec<(Link, Option<BacklinkCheck>)>,
    /// The row each of them is added to, with its index.
    rows: Vec<(NodeAt, u32)>,
}

impl AddedLinks {
    /// Adds `link` to the row of `to`; `check` says what is known of the row as it is now. The links of one row are added
    /// in the order of these calls.
    pub(super) fn push(&mut self, to: NodeAt, link: Link, check: Option<BacklinkCheck>) {
        self.rows.push((to, self.links.len() as u32));
        self.links.push((link, check));
    }

    /// Changes the rows, and forgets the links.
    pub(super) fn apply(
        &mut self,
        builder: &GraphBuilder,
        workers: &mut [Worker<'_>],
        cancel: &Cancel,
    ) -> Result<()> {
        self.rows.sort_unstable();
        let rows: Vec<&[(NodeAt, u32)]> = self.rows.chunk_by(|one, other| one.0 == other.0).collect();
        each(&rows, worth(workers, rows.len()), cancel, None, |worker, row| {
            self.apply_to_row(builder, row, worker);
            Ok(())
        })?;
        self.rows.clear();
        self.links.clear();
        Ok(())
    }

    fn apply_to_row(&self, builder: &GraphBuilder, row: &[(NodeAt, u32)], worker: &mut Worker<'_>) {
        let Some(&(to, _)) = row.first() else { return };
        let added = row.iter().filter_map(|&(_, index)| self.links.get(index as usize));
        let Worker { query, selector, links, .. } = worker;
        // Rows of an older graph are checked as a whole, once.
        if to.level > 0 || !builder.is_checked(to.position) {
            links.clear();
            links.extend(added.map(|(link, _)| link));
            builder.add_links(to.level, to.position, links, selector);
            return;
        }
        for (number, (link, check)) in added.enumerate() {
            match check {
                // Only the first finds the row as it was checked.
                Some(check) if number == 0 => {
                    builder.add_checked_backlink(to.position, *link, *check, selector);
                }
                _ => builder.add_backlink(to.position, *link, selector, &mut **query),
            }
        }
    }
}
