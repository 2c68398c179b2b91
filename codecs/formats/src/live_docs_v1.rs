//! Live docs, version 1: `{segment}_{generation}.live`, one bit per document.
//!
//! ```text
//!  0  u32    documents in the segment
//!  4  u32    documents deleted
//!  8  u64    generation
//! 16  [u64]  ⌈documents / 64⌉ words; bit d % 64 of word d / 64 is 1 while document d lives
//! ```
//! all of it twice (`twice`): nothing else says which documents were deleted.
//!
//! The whole file is verified at read: it is small, and a flipped bit would bring a deleted document back.

use crate::names::only_file;
use crate::twice;
use lucerne_codec::envelope::{self, EnvelopeWriter, FileEntry, Header, NO_FIELD};
use lucerne_codec::format::OpenContext;
use lucerne_codec::io::bytes::PutLe as _;
use lucerne_codec::live_docs::LiveDocsFormat;
use lucerne_codec::{BitSet, Cursor, Directory, Error, Result, SegmentId};

const FORMAT: &str = "live_docs";
const VERSION: u32 = 1;
/// Where the first copy is in the file.
const AT: u64 = 72;

/// The format of live docs.
#[derive(Clone, Copy, Debug, Default)]
pub struct LiveDocsV1;

fn suffix(generation: u64) -> String {
    format!("_{generation}.live")
}

impl LiveDocsFormat for LiveDocsV1 {
    fn name(&self) -> &'static str {
        "live_docs_v1"
    }

    fn write(
        &self,
        directory: &dyn Directory,
        segment: &str,
        segment_id: SegmentId,
        generation: u64,
        live: &BitSet,
    ) -> Result<FileEntry> {
        let header = Header { format: FORMAT, version: VERSION, segment: segment_id, field: NO_FIELD };
        let name = format!("{segment}{}", suffix(generation));
        let mut file = EnvelopeWriter::create(directory, &name, header)?;
        let mut bytes = Vec::with_capacity(16 + live.words().len() * 8);
        bytes.put_u32(live.len());
        bytes.put_u32(live.len() - live.count());
        bytes.put_u64(generation);
        live.words().iter().for_each(|&word| bytes.put_u64(word));
        twice::write(&mut file, &bytes)?;
        file.finish()
    }

    fn read(&self, context: &OpenContext<'_>) -> Result<BitSet> {
        let entry = only_file(context, self.name())?;
        let input = context.open(entry, FORMAT, VERSION, NO_FIELD)?;
        envelope::verify_checksum(&input)?;
        parse(entry, context.max_doc, twice::read(&envelope::body(&input)?)?)
    }

    fn salvage(&self, context: &OpenContext<'_>) -> Result<BitSet> {
        let entry = only_file(context, self.name())?;
        context.open_damaged(entry, FORMAT, VERSION, NO_FIELD)?; // Not another segment's.
        parse(entry, context.max_doc, &twice::salvage(context.directory, &entry.name)?)
    }
}

fn parse(entry: &FileEntry, docs: u32, bytes: &[u8]) -> Result<BitSet> {
    let corrupt = |at, problem: String| Error::corrupt(&entry.name, AT + at, problem);
    let mut cursor = Cursor::new(&entry.name, bytes, 0);
    let (max_doc, deleted, generation) = (cursor.u32()?, cursor.u32()?, cursor.u64()?);
    if max_doc != docs {
        return Err(corrupt(0, format!("{max_doc} documents, the segment has {docs}")));
    }
    if !entry.name.ends_with(&suffix(generation)) {
        return Err(corrupt(8, format!("generation {generation} does not fit the file's name")));
    }
    if cursor.remaining() != u64::from(max_doc.div_ceil(64)) * 8 {
        let problem = format!("{} bytes of words for {max_doc} documents", cursor.remaining());
        return Err(corrupt(16, problem));
    }
    let words = (0..max_doc.div_ceil(64)).map(|_| cursor.u64());
    let live = BitSet::from_words(words.collect::<Result<_>>()?, max_doc)
        .map_err(|error| corrupt(16, error.to_string()))?;
    if live.count().checked_add(deleted) != Some(max_doc) {
        let problem = format!("{} documents live and {deleted} deleted of {max_doc}", live.count());
        return Err(corrupt(4, problem));
    }
    Ok(live)
}
