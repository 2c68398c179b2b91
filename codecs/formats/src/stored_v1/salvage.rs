//! Documents of a damaged file. If the table is damaged, the blocks are found one by one: each says which documents it has
//! and has a checksum of its own.

use super::reader::Reader;
use super::{FORMAT, HEAD_LEN, MAX_BLOCK, VERSION};
use crate::names::only_file;
use lucerne_codec::envelope::{FOOTER_LEN, HEADER_LEN, NO_FIELD};
use lucerne_codec::format::OpenContext;
use lucerne_codec::io::bytes::{PutLe as _, u32_at};
use lucerne_codec::{DocId, Error, Input, Result};
use std::sync::Arc;
use zstd::bulk::Decompressor;
use zstd::zstd_safe;

/// What every zstd frame begins with.
const MAGIC: [u8; 4] = 0xFD2F_B528u32.to_le_bytes();

/// A reader that fails for documents whose blocks are damaged.
pub(super) fn open(context: &OpenContext<'_>) -> Result<Reader> {
    let input = context.open_damaged(only_file(context, "stored_v1")?, FORMAT, VERSION, NO_FIELD)?;
    Reader::by_table(input.clone(), context.max_doc).or_else(|_| without_table(input, context.max_doc))
}

fn without_table(input: Input, max_doc: u32) -> Result<Reader> {
    let mut decompressor =
        Decompressor::new().map_err(|error| Error::io(input.name(), "make a decompressor for", error))?;
    let bytes = input.bytes();
    let end = bytes.len().saturating_sub(FOOTER_LEN as usize);
    let bytes = bytes.get(..end).unwrap_or_default();
    let (mut table, mut next_doc, mut blocks, mut at) = (Vec::new(), 0, 0, HEADER_LEN as usize);
    while let Some(rest) = bytes.get(at..).filter(|rest| rest.len() > MAGIC.len()) {
        let Some((packed, len, docs)) = frame(rest, next_doc, max_doc, &mut decompressor) else {
            let skipped = rest.get(1..).unwrap_or_default().windows(MAGIC.len());
            let Some(to) = skipped.into_iter().position(|bytes| bytes == MAGIC) else { break };
            at += 1 + to;
            continue;
        };
        if docs.start > next_doc {
            put(&mut table, at, 0, 0, next_doc, 0); // A block of no bytes: its documents are gone.
            blocks += 1;
        }
        let crc = crc32fast::hash(rest.get(..packed).unwrap_or_default());
        put(&mut table, at, packed as u32, len, docs.start, crc);
        blocks += 1;
        (next_doc, at) = (docs.end, at + packed);
    }
    if next_doc < max_doc {
        put(&mut table, at, 0, 0, next_doc, 0);
        blocks += 1;
    }
    let table = Input::new(input.name(), Arc::new(table));
    Ok(Reader::new(input, table, blocks, max_doc))
}

/// An entry of the block table.
fn put(table: &mut Vec<u8>, at: usize, packed: u32, len: u32, first_doc: DocId, crc: u32) {
    table.put_u64(at as u64);
    [packed, len, first_doc, crc].into_iter().for_each(|word| table.put_u32(word));
}

/// The block that `bytes` begin with, if it is whole and comes next or later: its compressed and its decompressed length,
/// and its documents.
fn frame(
    bytes: &[u8],
    next_doc: DocId,
    max_doc: u32,
    decompressor: &mut Decompressor<'_>,
) -> Option<(usize, u32, std::ops::Range<DocId>)> {
    if !bytes.starts_with(&MAGIC) {
        return None;
    }
    let packed = zstd_safe::find_frame_compressed_size(bytes).ok()?;
    let len = zstd_safe::get_frame_content_size(bytes).ok()??;
    if len > u64::from(MAX_BLOCK) || len < u64::from(HEAD_LEN) {
        return None;
    }
    let block = decompressor.decompress(bytes.get(..packed)?, len as usize).ok()?;
    let (first, count) = (u32_at(&block, 0)?, u32_at(&block, 1)?);
    let end = first.checked_add(count).filter(|&end| end <= max_doc && first >= next_doc && count > 0)?;
    (block.len() as u64 == len).then_some((packed, len as u32, first..end))
}
