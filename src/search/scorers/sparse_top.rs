//! The best documents by inner product with a sparse vector: blocks of documents in the order of their bounds.
//!
//! This is BMP (Mallia, Suel, Tonellotto: Faster Learned Sparse Retrieval with Block-Max Pruning, 2024). The bound of a
//! block is the sum of the lists' greatest codes in it. Blocks are taken from the highest bound on, until none can have a
//! document that is good enough. In a block the lists that alone cannot make a document good enough are left out at first,
//! as MaxScore does, and then only asked for the documents that still may be. What is left in the end is scored by its row,
//! so that the result is exact.

use super::collector::TopDocsCollector;
use super::sparse_candidates::SparseCandidates;
use super::sparse_lists::SparseLists;
use lucerne_codec::sparse::{BLOCK_DOCS, ListBlock, ListBlocks};
use lucerne_codec::{DocId, Result};

/// Blocks that are looked at together, by the number of lists: what is kept of each list of each block is bounded.
const CELLS: usize = 1 << 17;
const BLOCKS: std::ops::RangeInclusive<usize> = 16..=1_024;
/// Blocks that are scored before others are sorted: they make most of the others needless.
const FIRST: usize = 16;
/// So many documents of a block are looked up in a list; for more, all of its codes are laid out by place.
const LOOKED_UP: usize = 8;
/// Blocks between two looks at the cancel flag.
const CANCEL_STEP: u32 = 16;
const BLOCK: usize = BLOCK_DOCS as usize;

/// Collects the documents that have at least one of the dimensions.
pub(crate) fn collect_sparse(lists: &SparseLists<'_>, collector: &mut TopDocsCollector<'_>) -> Result<()> {
    let width = lists.lists().len();
    let end = lists.max_doc().div_ceil(BLOCK_DOCS);
    let blocks = (CELLS / width.max(1)).clamp(*BLOCKS.start(), *BLOCKS.end()).min(end as usize);
    let mut all = lists.blocks();
    let mut run = Run {
        lists,
        first: 0,
        bounds: vec![0; blocks],
        cells: vec![ListBlock::default(); blocks * width],
        own: Vec::with_capacity(width),
        sums: [0; BLOCK],
        members: Vec::with_capacity(BLOCK),
        candidates: SparseCandidates::new(lists, collector),
        done: 0,
    };
    while run.first < end {
        collector.check_cancelled()?;
        run.read(&mut all);
        run.collect(collector)?;
        run.first = run.first.saturating_add(blocks as u32);
    }
    run.candidates.collect(collector)
}

/// Some blocks of documents that follow each other.
struct Run<'r, 'a> {
    lists: &'r SparseLists<'a>,
    /// The number of the first block.
    first: u32,
    /// Of each block.
    bounds: Vec<u32>,
    /// Of each block: that of each list; one that ends where it starts, when the list has none.
    cells: Vec<ListBlock>,
    /// The lists that a block has documents of: the bound on what they add, and their number. Ascending.
    own: Vec<(u32, usize)>,
    /// Of each place of a block: the sum of what lists add. Zeros between blocks.
    sums: [u32; BLOCK],
    /// The documents of a block that may be good enough: the sum of what lists add, and the place.
    members: Vec<(u32, u8)>,
    candidates: SparseCandidates<'r, 'a>,
    done: u32,
}

impl<'a> Run<'_, 'a> {
    /// Reads what the lists say of the blocks.
    fn read(&mut self, all: &mut [ListBlocks<'_>]) {
        let width = all.len();
        self.bounds.fill(0);
        self.cells.fill(ListBlock::default());
        let end = self.first.saturating_add(self.bounds.len() as u32);
        for (number, (blocks, (_, factor))) in all.iter_mut().zip(self.lists.with_factors()).enumerate() {
            while let Some(block) = blocks.peek().filter(|block| block.number < end) {
                blocks.next();
                let Some(at) = block.number.checked_sub(self.first).map(|at| at as usize) else { continue };
                if let (Some(bound), Some(cell)) =
                    (self.bounds.get_mut(at), self.cells.get_mut(at * width + number))
                {
                    *bound = bound.saturating_add(factor.saturating_mul(block.max_code.into()));
                    *cell = block;
                }
            }
        }
    }

    /// Finds candidates in the blocks, the highest bound first.
    fn collect(&mut self, collector: &TopDocsCollector<'_>) -> Result<()> {
        let mut order = self.competitive(0..self.bounds.len());
        if order.len() > 2 * FIRST {
            order.select_nth_unstable_by(FIRST, |left, right| right.cmp(left));
            let later = order.split_off(FIRST);
            self.collect_all(order, collector)?;
            order = self.competitive(later.into_iter().map(|(_, at)| at));
        }
        self.collect_all(order, collector)
    }

    /// Those of the blocks whose bounds are high enough, with these.
    fn competitive(&self, blocks: impl Iterator<Item = usize>) -> Vec<(u32, usize)> {
        let least = self.candidates.least();
        let bound = |at: usize| Some((*self.bounds.get(at)?, at));
        blocks.filter_map(bound).filter(|(bound, _)| *bound >= least).collect()
    }

    fn collect_all(&mut self, mut order: Vec<(u32, usize)>, collector: &TopDocsCollector<'_>) -> Result<()> {
        order.sort_unstable_by(|left, right| right.cmp(left));
        for (bound, at) in order {
            self.done = self.done.wrapping_add(1);
            collector.check_cancelled_every(CANCEL_STEP, self.done)?;
            if bound < self.candidates.least() {
                return Ok(());
            }
            let first = (self.first + at as u32).saturating_mul(BLOCK_DOCS);
            if collector.accepts_any(first, BLOCK / 64) {
                self.collect_block(at, first, collector);
            }
        }
        Ok(())
    }

    fn collect_block(&mut self, at: usize, first: DocId, collector: &TopDocsCollector<'_>) {
        let width = self.lists.lists().len();
        self.own.clear();
        let cells = self.cells.get(at * width..(at + 1) * width).unwrap_or_default();
        for (number, (cell, (_, factor))) in cells.iter().zip(self.lists.with_factors()).enumerate() {
            if cell.end > cell.start {
                self.own.push((factor.saturating_mul(cell.max_code.into()), number));
            }
        }
        self.own.sort_unstable();
        // Lists that alone do not make a document good enough.
        let least = self.candidates.least();
        let (mut rest, mut left_out) = (0u32, 0);
        for (bound, _) in &self.own {
            match rest.checked_add(*bound).filter(|sum| *sum < least) {
                Some(sum) => (rest, left_out) = (sum, left_out + 1),
                None => break,
            }
        }
        self.add(at, left_out);
        self.take(at, left_out, least - rest);
        self.complete(at, left_out, least, rest);
        for (sum, place) in &self.members {
            let doc = first.saturating_add(u32::from(*place));
            if collector.accepts(doc) {
                self.candidates.offer(*sum, doc);
            }
        }
    }

    /// The `index`-th of the block's lists: the factor, and places and codes of documents.
    #[inline]
    fn own_list(&self, at: usize, index: usize) -> Option<(u32, &'a [u8], &'a [u8])> {
        let (_, number) = *self.own.get(index)?;
        let (list, factor) = self.lists.list(number)?;
        let (places, codes) = list.of_block(*self.cells.get(at * self.lists.lists().len() + number)?);
        Some((factor, places, codes))
    }

    /// Adds what the block's lists from the `from`-th on add to each document.
    fn add(&mut self, at: usize, from: usize) {
        for index in from..self.own.len() {
            let Some((factor, places, codes)) = self.own_list(at, index) else { continue };
            for (place, code) in places.iter().zip(codes) {
                if let Some(sum) = self.sums.get_mut(usize::from(*place)) {
                    *sum = sum.wrapping_add(factor.wrapping_mul(u32::from(*code)));
                }
            }
        }
    }

    /// Takes the sums of `least` or more; all others are zero then, too.
    fn take(&mut self, at: usize, from: usize, least: u32) {
        self.members.clear();
        let least = least.max(1);
        for index in from..self.own.len() {
            let Some((_, places, _)) = self.own_list(at, index) else { continue };
            for place in places {
                let Some(sum) = self.sums.get_mut(usize::from(*place)).map(std::mem::take) else { continue };
                if sum >= least {
                    self.members.push((sum, *place));
                }
            }
        }
    }

    /// Adds what the first `left_out` lists of the block, with bounds that sum up to `rest`, add to the members, and leaves out
    /// those that do not come to `least`.
    fn complete(&mut self, at: usize, left_out: usize, least: u32, mut rest: u32) {
        for index in (0..left_out).rev() {
            if self.members.is_empty() {
                return;
            }
            let Some((factor, places, codes)) = self.own_list(at, index) else { continue };
            rest = rest.saturating_sub(self.own.get(index).map_or(0, |(bound, _)| *bound));
            let needed = least - rest;
            if self.members.len() > LOOKED_UP {
                let mut by_place = [0u8; BLOCK];
                for (place, code) in places.iter().zip(codes) {
                    if let Some(own) = by_place.get_mut(usize::from(*place)) {
                        *own = *code;
                    }
                }
                self.members.retain_mut(|(sum, place)| {
                    let code = by_place.get(usize::from(*place)).copied().unwrap_or(0);
                    *sum = sum.wrapping_add(factor.wrapping_mul(code.into()));
                    *sum >= needed
                });
            } else {
                self.members.retain_mut(|(sum, place)| {
                    let found = places.binary_search(place).ok().and_then(|at| codes.get(at));
                    *sum = sum.wrapping_add(factor.wrapping_mul(found.copied().unwrap_or(0).into()));
                    *sum >= needed
                });
            }
        }
    }
}
