//! The best documents by inner product with a sparse vector: blocks of documents in the order of their bounds.
//!
//! This is BMP (Mallia, Suel, Tonellotto: Faster Learned Sparse Retrieval with Block-Max Pruning, 2024). The bound of a
//! block is the sum of the lists' greatest codes in it. Blocks are taken from the highest bound on, until none can have a
//! document that is good enough. In a block the lists that alone cannot make a document good enough are left out at first,
//! as MaxScore does. What may be good enough is scored by its row, so that the result is exact.

use super::collector::TopDocsCollector;
use super::sparse_lists::SparseLists;
use lucerne_codec::sparse::{BLOCK_DOCS, ListBlock, ListBlocks};
use lucerne_codec::{DocId, Result};

/// Blocks that are looked at together, by the number of lists: what is kept of each list of each block is bounded.
const CELLS: usize = 1 << 17;
const BLOCKS: std::ops::RangeInclusive<usize> = 16..=1_024;
/// Blocks that are scored before others are sorted: they make most of the others needless.
const FIRST: usize = 16;
/// So many documents are scored by their rows rather than by further lists.
const FEW: usize = 4;
/// Blocks between two looks at the cancel flag.
const CANCEL_STEP: u32 = 16;
/// Places of a block that are held against the least bound at once.
const LANES: usize = 16;
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
        candidates: Vec::new(),
        done: 0,
    };
    while run.first < end {
        collector.check_cancelled()?;
        run.read(&mut all);
        run.collect(collector)?;
        run.first = run.first.saturating_add(blocks as u32);
    }
    Ok(())
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
    /// Of each place of a block: the sum of what lists add.
    sums: [u32; BLOCK],
    candidates: Vec<(u32, DocId)>,
    done: u32,
}

impl Run<'_, '_> {
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

    /// Collects from the blocks, the highest bound first.
    fn collect(&mut self, collector: &mut TopDocsCollector<'_>) -> Result<()> {
        let mut order = self.competitive(0..self.bounds.len(), collector);
        if order.len() > 2 * FIRST {
            order.select_nth_unstable_by(FIRST, |left, right| right.cmp(left));
            let later = order.split_off(FIRST);
            self.collect_all(order, collector)?;
            order = self.competitive(later.into_iter().map(|(_, at)| at), collector);
        }
        self.collect_all(order, collector)
    }

    /// Those of the blocks whose bounds are high enough, with these.
    fn competitive(
        &self,
        blocks: impl Iterator<Item = usize>,
        collector: &TopDocsCollector<'_>,
    ) -> Vec<(u32, usize)> {
        let least = self.lists.bound_of(collector.min_competitive_score());
        let bound = |at: usize| Some((*self.bounds.get(at)?, at));
        blocks.filter_map(bound).filter(|(bound, _)| *bound >= least).collect()
    }

    fn collect_all(
        &mut self,
        mut order: Vec<(u32, usize)>,
        collector: &mut TopDocsCollector<'_>,
    ) -> Result<()> {
        order.sort_unstable_by(|left, right| right.cmp(left));
        for (bound, at) in order {
            self.done = self.done.wrapping_add(1);
            collector.check_cancelled_every(CANCEL_STEP, self.done)?;
            let least = self.lists.bound_of(collector.min_competitive_score());
            if bound < least {
                return Ok(());
            }
            let first = (self.first + at as u32).saturating_mul(BLOCK_DOCS);
            if collector.accepts_any(first, BLOCK / 64) {
                self.collect_block(at, first, least, collector)?;
            }
        }
        Ok(())
    }

    fn collect_block(
        &mut self,
        at: usize,
        first: DocId,
        least: u32,
        collector: &mut TopDocsCollector<'_>,
    ) -> Result<()> {
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
        let (mut rest, mut left_out) = (0u32, 0);
        for (bound, _) in &self.own {
            match rest.checked_add(*bound).filter(|sum| *sum < least) {
                Some(sum) => (rest, left_out) = (sum, left_out + 1),
                None => break,
            }
        }
        self.sums = [0; BLOCK];
        self.add(at, left_out..self.own.len());
        self.find(first, least - rest);
        if left_out > 0 && self.candidates.len() > FEW {
            self.add(at, 0..left_out);
            rest = 0;
            self.find(first, least);
        }
        self.candidates.sort_unstable_by(|left, right| right.0.cmp(&left.0).then(left.1.cmp(&right.1)));
        for (sum, doc) in &self.candidates {
            if sum.saturating_add(rest) < self.lists.bound_of(collector.min_competitive_score()) {
                break;
            }
            if collector.accepts(*doc) {
                collector.collect(*doc, self.lists.score(*doc)?);
            }
        }
        Ok(())
    }

    /// Adds what some of the block's lists add to each document.
    fn add(&mut self, at: usize, own: std::ops::Range<usize>) {
        let Self { lists, cells, own: all, sums, .. } = self;
        let width = lists.lists().len();
        for (_, number) in all.get(own).unwrap_or_default() {
            let cell = cells.get(at * width + number);
            let (Some((list, factor)), Some(cell)) = (lists.list(*number), cell) else { continue };
            let (places, codes) = list.of_block(*cell);
            for (place, code) in places.iter().zip(codes) {
                if let Some(sum) = sums.get_mut(usize::from(*place)) {
                    *sum = sum.wrapping_add(factor.wrapping_mul(u32::from(*code)));
                }
            }
        }
    }

    /// Finds the documents with a sum of `least` or more.
    fn find(&mut self, first: DocId, least: u32) {
        self.candidates.clear();
        let least = least.max(1);
        for (lane, sums) in (0u32..).zip(self.sums.as_chunks::<LANES>().0) {
            if !sums.iter().fold(false, |any, sum| any | (*sum >= least)) {
                continue;
            }
            for (place, sum) in (0u32..).zip(sums) {
                if *sum >= least {
                    self.candidates.push((*sum, first.saturating_add(lane * LANES as u32 + place)));
                }
            }
        }
    }
}
