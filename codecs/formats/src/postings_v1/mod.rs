//! Postings, version 1: which documents hold a term, how often and where, in up to four files.
//!
//! * `{segment}.terms`: by field, blocks of 32 ascending terms without the prefix each shares with the one
//!   before, then where each block starts. A look-up is a binary search over the first terms of the blocks, then reads one block.
//!   Behind them a filter of the terms, for words with a typing error.
//! * `{segment}.post`: by term, documents and frequencies in packed blocks of 128 and a last shorter one,
//!   then the list's *head*: bounds on its scores and, with a full block, a table of the blocks. Frequent terms have
//!   their documents as a set of bits, too.
//! * `{segment}.pos`: by block of documents, gaps between positions in packed runs of 128 and a rest.
//! * `{segment}.len`: by field, the length of each document.
//!
//! The last two exist when a field has positions. A term with one document and one occurrence has no list:
//! both are in the dictionary. Opening reads only the metadata in the segment info. `codecs/FORMATS.md` has a
//! table of every byte.

mod dictionary;
mod field;
mod handle;
mod impacts;
mod lists;
mod lists_writer;
mod meta;
mod packing;
mod positions;
mod reader;
mod sink;
mod spellings;
#[cfg(test)]
mod tests;
mod varint;
mod verify;
mod writer;

use handle::Handle;
use lucerne_codec::Result;
use lucerne_codec::format::{OpenContext, WriteContext, Written};
use lucerne_codec::postings::{BLOCK_LEN, Members, PostingsFormat, PostingsReader, PostingsSource};

/// Longest term, in bytes.
pub const MAX_TERM: usize = 65_535;

const VERSION: u32 = 1;
/// Extensions and format names.
const TERMS: (&str, &str) = ("terms", "terms");
const POSTINGS: (&str, &str) = ("post", "postings");
const POSITIONS: (&str, &str) = ("pos", "positions");
const LENGTHS: (&str, &str) = ("len", "lengths");
const TERMS_PER_BLOCK: u64 = 32;
/// A list of at least one in so many documents is kept as a set, too.
const MEMBERS: u64 = 16;

/// Whether a list is kept as a set, too: one with a full block and of many of the documents.
fn has_members(doc_freq: u32, max_doc: u32) -> bool {
    doc_freq as usize >= BLOCK_LEN && MEMBERS * u64::from(doc_freq) >= u64::from(max_doc)
}

/// Bytes of a set of documents: whole words.
fn members_len(max_doc: u32) -> usize {
    8 * max_doc.div_ceil(64) as usize
}

/// Documents from one number of members before them to the next.
const RANK_STEP: u32 = Members::RANK_STEP;

/// Bytes of the numbers of members of a set.
fn ranks_len(max_doc: u32) -> usize {
    4 * max_doc.div_ceil(RANK_STEP) as usize
}

/// The format of postings.
#[derive(Clone, Copy, Debug, Default)]
pub struct PostingsV1;

impl PostingsFormat for PostingsV1 {
    fn name(&self) -> &'static str {
        "postings_v1"
    }

    fn write(&self, context: &WriteContext<'_>, source: &mut dyn PostingsSource) -> Result<Written> {
        writer::write(context, source)
    }

    fn open(&self, context: &OpenContext<'_>) -> Result<Box<dyn PostingsReader>> {
        Ok(Box::new(reader::Reader::open(context)?))
    }
}
