//! Keys, version 1: `{segment}.keys`, the key of every document and the documents of every key.
//!
//! ```text
//!  64  u32         documents (n)
//!  68  u32         zero
//!  72  u64         bytes of all keys (b)
//!  80  [u64; n+1]  where each document's key starts among the key bytes; the last one is b
//!   …  [16 bytes]  n entries, ascending by hash, then document:
//!        0  u64      hash of the key
//!        8  u32      document
//!       12  u32      CRC-32 of the 12 bytes before
//!   …  [u32; n]    by document: CRC-32 of the document (u32) and its key
//!   …  [u32; n]    by document: its rank by key; documents of one key have the same
//!   …  [u8; b]     the keys in document order, UTF-8
//! ```
//!
//! Opening reads the first and the last start only. What a look-up reads, it checks: each entry and each
//! key carries a checksum of its own, so a flipped bit is an error, never another key and never a missing
//! one. Ranks decide ties between equal scores without reading keys, and have no checksum but the file's.

mod hash;
mod reader;
#[cfg(test)]
mod tests;

use byteorder::{ByteOrder, LittleEndian};
use lucerne_codec::envelope::NO_FIELD;
use lucerne_codec::format::{OpenContext, WriteContext, Written};
use lucerne_codec::io::bytes::PutLe;
use lucerne_codec::keys::{KeysFormat, KeysReader};
use lucerne_codec::{DocId, Error, Metadata, Result};

/// Longest key, in bytes.
pub const MAX_KEY: usize = 65_535;

const FORMAT: &str = "keys";
const VERSION: u32 = 1;
pub(crate) const EXTENSION: &str = "keys";
const ENTRY_LEN: u64 = 16;
/// Documents between two looks at the cancel flag.
const CANCEL_STEP: usize = 1 << 14;

/// The format of keys.
#[derive(Clone, Copy, Debug, Default)]
pub struct KeysV1;

fn key_checksum(doc: DocId, key: &[u8]) -> u32 {
    let mut crc = crc32fast::Hasher::new();
    let mut bytes = [0; 4];
    LittleEndian::write_u32(&mut bytes, doc);
    crc.update(&bytes);
    crc.update(key);
    crc.finalize()
}

/// How many different keys are before each key.
fn ranks(keys: &[&str]) -> Vec<u32> {
    let key = |doc: &DocId| keys.get(*doc as usize).copied().unwrap_or_default();
    let mut sorted: Vec<DocId> = (0..keys.len() as DocId).collect();
    // Merged segments are often in order, piece by piece.
    sorted.sort_by(|left, right| key(left).cmp(key(right)));
    let mut ranks = vec![0; keys.len()];
    for (rank, docs) in (0..).zip(sorted.chunk_by(|left, right| key(left) == key(right))) {
        for &doc in docs {
            if let Some(of_doc) = ranks.get_mut(doc as usize) {
                *of_doc = rank;
            }
        }
    }
    ranks
}

impl KeysFormat for KeysV1 {
    fn name(&self) -> &'static str {
        "keys_v1"
    }

    fn write(&self, context: &WriteContext<'_>, keys: &[&str]) -> Result<Written> {
        if keys.len() != context.max_doc as usize {
            return Err(Error::Invalid(format!(
                "keys_v1: {} keys for the {} documents of segment {:?}",
                keys.len(),
                context.max_doc,
                context.segment
            )));
        }
        if let Some(long) = keys.iter().find(|key| key.len() > MAX_KEY) {
            let start: String = long.chars().take(40).collect();
            return Err(Error::Invalid(format!(
                "the key {start:?}… has {} bytes, at most {MAX_KEY} are accepted",
                long.len()
            )));
        }
        let documents = || (0..context.max_doc).zip(keys);
        let mut file = context.create(EXTENSION, FORMAT, VERSION, NO_FIELD)?;
        let total: u64 = keys.iter().map(|key| key.len() as u64).sum();
        file.write_u32(context.max_doc)?;
        file.write_u32(0)?;
        file.write_u64(total)?;

        let mut start = 0u64;
        for step in keys.chunks(CANCEL_STEP) {
            context.cancel.check()?;
            file.write_u64s(step.iter().map(|key| {
                let own = start;
                start += key.len() as u64;
                own
            }))?;
        }
        file.write_u64(start)?;

        let mut entries: Vec<(u64, DocId)> =
            documents().map(|(doc, key)| (hash::hash64(key.as_bytes()), doc)).collect();
        entries.sort_unstable();
        for step in entries.chunks(CANCEL_STEP) {
            context.cancel.check()?;
            let mut bytes = Vec::with_capacity(step.len() * ENTRY_LEN as usize);
            for &(hash, doc) in step {
                let at = bytes.len();
                bytes.put_u64(hash);
                bytes.put_u32(doc);
                let crc = crc32fast::hash(bytes.get(at..).unwrap_or_default());
                bytes.put_u32(crc);
            }
            file.write(&bytes)?;
        }

        file.write_u32s(documents().map(|(doc, key)| key_checksum(doc, key.as_bytes())))?;
        file.write_u32s(ranks(keys))?;
        context.cancel.check()?;
        for step in keys.chunks(CANCEL_STEP) {
            context.cancel.check()?;
            file.write(step.concat().as_bytes())?;
        }
        Ok(Written { files: vec![file.finish()?], meta: Metadata::Null })
    }

    fn open(&self, context: &OpenContext<'_>) -> Result<Box<dyn KeysReader>> {
        Ok(Box::new(reader::Reader::open(context)?))
    }

    fn salvage(&self, context: &OpenContext<'_>) -> Result<Box<dyn KeysReader>> {
        Ok(Box::new(reader::Reader::salvage(context)?))
    }
}
