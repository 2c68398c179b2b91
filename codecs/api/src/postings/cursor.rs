//! The documents of a term, one after the other.

use super::{Block, Blocks, Impact, NO_MORE_DOCS};
use crate::{DocId, Result};

/// Documents that a seek compares before it halves.
const NEAR: usize = 8;

/// Stands on a document of a term, the first at the beginning, and moves forward.
pub struct PostingsCursor<'a> {
    blocks: Box<dyn Blocks + 'a>,
    /// On the heap: cursors are moved.
    block: Box<Block>,
    at: usize,
}

impl<'a> PostingsCursor<'a> {
    /// A cursor on the first document.
    pub fn new(blocks: Box<dyn Blocks + 'a>) -> Result<Self> {
        let mut cursor = Self { blocks, block: Box::default(), at: 0 };
        cursor.load(0)?;
        Ok(cursor)
    }

    /// The document it stands on; [`NO_MORE_DOCS`] beyond the last.
    #[inline]
    pub fn doc(&self) -> DocId {
        self.block.docs.get(self.at).copied().unwrap_or(NO_MORE_DOCS)
    }

    /// Occurrences in this document.
    #[inline]
    pub fn freq(&mut self) -> Result<u32> {
        self.load_freqs()?;
        Ok(self.block.freqs.get(self.at).copied().unwrap_or(0))
    }

    /// Occurrences in a document that the term is known to have; see [`Blocks::member_freq`]. The cursor stays where it is.
    #[inline]
    pub fn member_freq(&self, doc: DocId) -> Result<Option<u32>> {
        self.blocks.member_freq(doc)
    }

    /// Moves to the next document.
    #[inline]
    pub fn advance(&mut self) -> Result<DocId> {
        let doc = self.doc();
        if doc == NO_MORE_DOCS {
            return Ok(doc);
        }
        self.at += 1;
        if self.at >= self.block.len {
            self.load(doc + 1)?;
        }
        Ok(self.doc())
    }

    /// Moves to the first document that is `target` or later; stays where that is here.
    #[inline]
    pub fn seek(&mut self, target: DocId) -> Result<DocId> {
        if self.doc() >= target {
            return Ok(self.doc());
        }
        if self.last_loaded() < target {
            self.load(target)?;
        }
        let rest = self.block.docs.get(self.at..self.block.len).unwrap_or_default();
        // It is mostly near: a few are compared at once before the others are halved.
        self.at += match rest.first_chunk::<NEAR>() {
            Some(near) if near.last().is_some_and(|&last| last >= target) => {
                near.iter().map(|&doc| usize::from(doc < target)).sum()
            }
            _ => rest.partition_point(|&doc| doc < target),
        };
        Ok(self.doc())
    }

    /// Bounds on the documents from `target` on; see [`Blocks::impact`].
    pub fn impact(&mut self, target: DocId) -> Result<Impact> {
        self.blocks.impact(target)
    }

    /// Bounds on all documents.
    pub fn whole(&self) -> Impact {
        self.blocks.whole()
    }

    /// Replaces the content of `into` by the positions in this document.
    pub fn positions(&mut self, into: &mut Vec<u32>) -> Result<()> {
        self.blocks.positions(&mut self.block, self.at, into)
    }

    /// The documents from this one to the end of the loaded block.
    #[inline]
    pub fn rest_of_block(&self) -> &[DocId] {
        self.block.docs.get(self.at..self.block.len).unwrap_or_default()
    }

    /// The same, with their frequencies.
    #[inline]
    pub fn rest_with_freqs(&mut self) -> Result<(&[DocId], &[u32])> {
        self.load_freqs()?;
        Ok((self.rest_of_block(), self.block.freqs.get(self.at..self.block.len).unwrap_or_default()))
    }

    #[inline]
    fn load_freqs(&mut self) -> Result<()> {
        match self.block.has_freqs {
            true => Ok(()),
            false => self.blocks.load_freqs(&mut self.block),
        }
    }

    #[inline]
    fn last_loaded(&self) -> DocId {
        self.block.len.checked_sub(1).and_then(|last| self.block.docs.get(last)).copied().unwrap_or(0)
    }

    fn load(&mut self, target: DocId) -> Result<()> {
        self.at = 0;
        if !self.blocks.load(target, &mut self.block)? {
            *self.block = Block::default();
        }
        Ok(())
    }
}
