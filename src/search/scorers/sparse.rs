//! The documents that have a dimension of a sparse vector, block by block.

use super::pace::Pace;
use super::scorer::{ScoreBound, Scorer};
use super::sparse_lists::SparseLists;
use lucerne_codec::postings::NO_MORE_DOCS;
use lucerne_codec::sparse::{BLOCK_DOCS, ListBlocks};
use lucerne_codec::{Cancel, DocId, Result};

/// Scores documents by the inner product with a sparse vector.
pub(crate) struct SparseScorer<'a> {
    lists: SparseLists<'a>,
    /// Of each list: the blocks from the current one on.
    blocks: Vec<ListBlocks<'a>>,
    /// The current block, and its documents.
    block: u32,
    members: [u64; BLOCK_DOCS as usize / 64],
    doc: DocId,
    /// The last bound, and the block it was asked for.
    bound: Option<(u32, ScoreBound)>,
    pace: Pace<'a>,
}

impl<'a> SparseScorer<'a> {
    /// Starts on the first document.
    pub(crate) fn new(lists: SparseLists<'a>, cancel: &'a Cancel) -> Result<Self> {
        let blocks = lists.blocks();
        let pace = Pace::of_moves(cancel);
        let mut scorer = Self { lists, blocks, block: 0, members: [0; 4], doc: 0, bound: None, pace };
        scorer.load(0)?;
        scorer.doc = scorer.find(0)?;
        Ok(scorer)
    }

    /// Makes the first block that is `number` or later the current one.
    fn load(&mut self, number: u32) -> Result<()> {
        let mut first = u32::MAX;
        for blocks in &mut self.blocks {
            self.pace.step()?;
            first = first.min(blocks.seek(number).map_or(u32::MAX, |block| block.number));
        }
        (self.block, self.members) = (first, [0; 4]);
        for (blocks, list) in self.blocks.iter().zip(self.lists.lists()) {
            let Some(block) = blocks.peek().filter(|block| block.number == first) else { continue };
            list.add_places(block, &mut self.members);
        }
        Ok(())
    }

    /// The first document that is `target` or later; blocks before it are left.
    fn find(&mut self, target: DocId) -> Result<DocId> {
        let mut from = target;
        loop {
            if self.block < from / BLOCK_DOCS {
                self.load(from / BLOCK_DOCS)?;
            }
            if self.block == u32::MAX {
                return Ok(NO_MORE_DOCS);
            }
            let first = self.block.saturating_mul(BLOCK_DOCS);
            let place = from.saturating_sub(first);
            for (at, word) in (0..).zip(&self.members).skip((place / 64) as usize) {
                let rest = if at == place / 64 { word & (u64::MAX << (place % 64)) } else { *word };
                if rest != 0 {
                    return Ok(first.saturating_add(at * 64 + rest.trailing_zeros()));
                }
            }
            match first.checked_add(BLOCK_DOCS) {
                Some(next) => from = next,
                None => return Ok(NO_MORE_DOCS),
            }
        }
    }
}

impl Scorer for SparseScorer<'_> {
    fn doc(&self) -> DocId {
        self.doc
    }

    fn advance(&mut self) -> Result<DocId> {
        self.seek(self.doc.saturating_add(1))
    }

    fn seek(&mut self, target: DocId) -> Result<DocId> {
        if target > self.doc {
            self.doc = if target == NO_MORE_DOCS { target } else { self.find(target)? };
        }
        Ok(self.doc)
    }

    fn score(&mut self) -> Result<f32> {
        self.lists.score(self.doc)
    }

    fn bound(&mut self, target: DocId) -> Result<ScoreBound> {
        let number = target / BLOCK_DOCS;
        if let Some((_, bound)) = self.bound.filter(|(known, _)| *known == number) {
            return Ok(bound);
        }
        let (mut sum, mut next) = (0u32, u32::MAX);
        for (blocks, (_, factor)) in self.blocks.iter().zip(self.lists.with_factors()) {
            self.pace.step()?;
            let mut ahead = *blocks;
            match ahead.seek(number) {
                Some(block) if block.number == number => {
                    sum = sum.saturating_add(factor.saturating_mul(block.max_code.into()));
                    next = number + 1;
                }
                Some(block) => next = next.min(block.number),
                None => {}
            }
        }
        let last_doc = match next.checked_mul(BLOCK_DOCS) {
            Some(next) if sum == 0 => next.saturating_sub(1),
            None if sum == 0 => NO_MORE_DOCS,
            _ => number.saturating_mul(BLOCK_DOCS).saturating_add(BLOCK_DOCS - 1),
        };
        let bound = ScoreBound { last_doc, score: self.lists.score_of(sum) };
        self.bound = Some((number, bound));
        Ok(bound)
    }

    fn cost(&self) -> u64 {
        self.lists.lists().iter().map(|list| u64::from(list.docs())).sum()
    }
}
