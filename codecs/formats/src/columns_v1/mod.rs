//! Columns, version 1: `{segment}.cols`, the values of all fields by document.
//!
//! Columns follow each other by ascending field number, without gaps. A column is a run of blocks, a table of
//! them and, for keywords, a dictionary, whose positions are then the numbers:
//!
//! ```text
//!   …  blocks       one for every 1,024 documents (0 to 1,023, …), where any of them has a value
//!   …  [40 bytes]   a table of the blocks:
//!        0  u32       number of the block: its first document / 1,024
//!        4  u32       documents with a value
//!        8  u32       values
//!       12  u32       zero
//!       16  u64       where the block starts, counted from the column
//!       24  i64       least value
//!       32  i64       greatest value
//!   …  [w; terms]   dictionary: where each term ends, in the bytes w that its whole length takes
//!   …  bytes        dictionary: the terms, ascending, UTF-8
//! ```
//!
//! A block says what its table entry leaves open, in up to three parts. Which documents have a value: nothing
//! when all have, 16 words of 64 bits when 64 or more have, else a list of u16 (document mod 1,024). Where the
//! values of each end: u32 each, only when there are more values than documents. The values less the least of
//! the block, in the 0, 1, 2, 4 or 8 bytes that the greatest takes; at least 1 when there are ends.
//!
//! So a value is read where it lies, a constant block takes no room, and a range passes over the blocks that
//! are entirely inside or outside of it without reading a value.

mod block;
mod dictionary;
mod keywords;
mod meta;
mod numbers;
mod packed;
mod reader;
mod take;
#[cfg(test)]
mod tests;
mod writer;

use lucerne_codec::columns::{ColumnsFormat, ColumnsReader, ColumnsSource};
use lucerne_codec::envelope::NO_FIELD;
use lucerne_codec::format::{OpenContext, WriteContext, Written};
use lucerne_codec::{DocId, Result};

const FORMAT: &str = "columns";
const VERSION: u32 = 1;
const EXTENSION: &str = "cols";

/// Documents of a block.
const BLOCK_DOCS: DocId = 1_024;
/// Words of a set of a block's documents.
const BLOCK_WORDS: usize = BLOCK_DOCS as usize / 64;
/// Fewer documents than these are listed rather than kept as a set.
const LISTED: u32 = 64;
/// Length of an entry in the table of blocks.
const ENTRY_LEN: u64 = 40;

/// The format of columns.
#[derive(Clone, Copy, Debug, Default)]
pub struct ColumnsV1;

impl ColumnsFormat for ColumnsV1 {
    fn name(&self) -> &'static str {
        "columns_v1"
    }

    fn write(&self, context: &WriteContext<'_>, source: &mut dyn ColumnsSource) -> Result<Written> {
        let mut file = context.create(EXTENSION, FORMAT, VERSION, NO_FIELD)?;
        let mut columns = Vec::new();
        while let Some((field, data)) = source.next_column()? {
            columns.extend(writer::write(context, &mut file, columns.last(), field, &data)?);
        }
        let meta = meta::Meta { columns }.to_metadata()?;
        Ok(Written { files: vec![file.finish()?], meta })
    }

    fn open(&self, context: &OpenContext<'_>) -> Result<Box<dyn ColumnsReader>> {
        Ok(Box::new(reader::Reader::open(context)?))
    }
}
