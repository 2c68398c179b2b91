//! Stored documents, version 1: `{segment}.stored`, documents in compressed blocks.
//!
//! ```text
//!  64  …            blocks, one after the other, each one zstd frame
//!   T  [24 bytes]   block table, one entry per block:
//!        0  u64       where the block starts in the file
//!        8  u32       its compressed length
//!       12  u32       its length
//!       16  u32       its first document
//!       20  u32       CRC-32 of its compressed bytes
//!      [12 bytes]   tail, right before the footer:
//!        0  u32       number of blocks
//!        4  u32       number of documents
//!        8  u32       CRC-32 of the table and the 8 bytes before
//! ```
//!
//! A block, decompressed: its first document and how many it has (`u32` each), for each of them where it ends (`u32`,
//! counted from the end of this list), then the documents' bytes. Blocks hold about 16 KiB; a longer document has a block
//! to itself. A frame has a checksum of its own, so that blocks are found without the table (`salvage`).
//!
//! Opening reads the table only. Between the table's checksum and the blocks' no byte goes unchecked: a
//! flipped bit is an error at open or at [`get`](lucerne_codec::stored::StoredReader::get), never other
//! bytes than those that were added.

mod reader;
mod salvage;
#[cfg(test)]
mod tests;
mod writer;

use lucerne_codec::format::{OpenContext, WriteContext, Written};
pub use lucerne_codec::stored::MAX_DOCUMENT;
use lucerne_codec::stored::{StoredFormat, StoredReader};
use lucerne_codec::{DocId, Error, MergeInput, Result};

const FORMAT: &str = "stored";
const VERSION: u32 = 1;
pub(crate) const EXTENSION: &str = "stored";
/// Blocks are closed before they grow beyond this, decompressed. On package descriptions twice the length
/// saves 6 % of the file and doubles the time of a read at random (40 µs).
const BLOCK_LEN: usize = 16 << 10;
/// Longest block a reader accepts, decompressed: the longest document and where it ends.
const MAX_BLOCK: u32 = MAX_DOCUMENT as u32 + END_LEN + HEAD_LEN;
/// First document and number of documents, in front of a block.
const HEAD_LEN: u32 = 8;
const END_LEN: u32 = 4;
const ENTRY_LEN: u64 = 24;
const TAIL_LEN: u64 = 12;
/// On package descriptions 2 % smaller than level 1 at about its speed; level 6 saves 4 % more at a third
/// of it.
const LEVEL: i32 = 3;

/// The format of stored documents.
#[derive(Clone, Copy, Debug, Default)]
pub struct StoredV1;

impl StoredFormat for StoredV1 {
    fn name(&self) -> &'static str {
        "stored_v1"
    }

    fn write(
        &self,
        context: &WriteContext<'_>,
        next: &mut dyn FnMut(DocId, &mut Vec<u8>) -> Result<()>,
    ) -> Result<Written> {
        let mut writer = writer::Writer::create(context)?;
        let mut document = Vec::new();
        for doc in 0..context.max_doc {
            document.clear();
            next(doc, &mut document)?;
            writer.add(&document)?;
        }
        writer.finish()
    }

    fn open(&self, context: &OpenContext<'_>) -> Result<Box<dyn StoredReader>> {
        Ok(Box::new(reader::Reader::open(context)?))
    }

    fn salvage(&self, context: &OpenContext<'_>) -> Result<Box<dyn StoredReader>> {
        Ok(Box::new(salvage::open(context)?))
    }

    fn merge(
        &self,
        context: &WriteContext<'_>,
        sources: &[MergeInput<'_, dyn StoredReader>],
    ) -> Result<Written> {
        let mut writer = writer::Writer::create(context)?;
        let mut document = Vec::new();
        for source in sources {
            let Some(reader) = source.reader else { continue };
            let docs = (0..source.docs.len() as DocId).filter_map(|old| Some((old, source.docs.get(old)?)));
            for (old, new) in docs {
                if new != writer.documents() {
                    return Err(Error::Invalid(format!(
                        "stored_v1: the merge maps a document to {new} where {} is next",
                        writer.documents()
                    )));
                }
                reader.get(old, &mut document)?;
                writer.add(&document)?;
            }
        }
        writer.finish()
    }
}
