//! The `.spare` file: what makes up for damage to a field's vectors, apart from them, so that nothing hits both. Searches
//! read nothing of it.
//!
//! ```text
//! documents  [u32]  the document of each ordinal once more
//! encoding   …      what the encoding gives: of int8 codes the center once more, and checksums (`summed`)
//! raw        [u32]  checksums of the raw vectors; absent when they were not kept
//! ```

use crate::summed::{self, Kind};
use lucerne_codec::envelope::{self, FOOTER_LEN, FileEntry, HEADER_LEN};
use lucerne_codec::format::{OpenContext, WriteContext};
use lucerne_codec::io::bytes::PutLe as _;
use lucerne_codec::{DocId, FieldInfo, Input, Result};

/// Format name in the file's header.
pub(crate) const FORMAT: &str = "spare";
/// Version written.
pub(crate) const VERSION: u32 = 1;
/// Extension of the file.
pub(crate) const EXTENSION: &str = "spare";

/// Writes what there is to keep of the other files.
pub(super) fn write(
    context: &WriteContext<'_>,
    field: &FieldInfo,
    documents: &[DocId],
    encoding: &[u8],
    raw: &[u8],
) -> Result<FileEntry> {
    let mut file = context.create(EXTENSION, FORMAT, VERSION, field.number)?;
    file.write_u32s(documents.iter().copied())?;
    file.write(encoding)?;
    file.write(raw)?;
    file.finish()
}

/// The documents as they are in the file.
pub(super) fn documents(documents: &[DocId]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(documents.len() * 4);
    documents.iter().for_each(|&doc| bytes.put_u32(doc));
    bytes
}

/// An open file. Its parts may be shorter than they should be: who uses them checks that.
pub(super) struct Spare {
    /// What is there of the body.
    body: Input,
    /// Bytes of the body as it was written.
    len: u64,
    vectors: u64,
}

impl Spare {
    /// Opens the file of a field of so many vectors; only header, footer and length are read.
    pub(super) fn open(
        context: &OpenContext<'_>,
        entry: &FileEntry,
        field: &FieldInfo,
        vectors: usize,
    ) -> Result<Self> {
        let body = envelope::body(&context.open(entry, FORMAT, VERSION, field.number)?)?;
        Ok(Self { len: body.len() as u64, body, vectors: vectors as u64 })
    }

    /// Opens what is left of the file.
    pub(super) fn salvage(
        context: &OpenContext<'_>,
        entry: &FileEntry,
        field: &FieldInfo,
        vectors: usize,
    ) -> Result<Self> {
        let kind = Kind { format: FORMAT, version: VERSION, field: field.number };
        let body = summed::body_there(context, entry, kind)?;
        let len = entry.len.saturating_sub(HEADER_LEN + FOOTER_LEN);
        Ok(Self { body, len, vectors: vectors as u64 })
    }

    /// True when the file is cut off or missing.
    pub(super) fn is_cut_off(&self) -> bool {
        (self.body.len() as u64) < self.len
    }

    /// File name.
    pub(super) fn name(&self) -> &str {
        self.body.name()
    }

    /// The document of each ordinal.
    pub(super) fn documents(&self) -> Result<Input> {
        self.part(0, self.vectors.saturating_mul(4))
    }

    /// What the encoding has given, and what follows it.
    pub(super) fn encoding(&self) -> Result<Input> {
        self.part(self.vectors.saturating_mul(4), self.len)
    }

    /// The checksums of the raw vectors, where these are kept.
    pub(super) fn raw(&self, field: &FieldInfo) -> Result<Input> {
        let len = summed::table_len(self.vectors.saturating_mul(field.row_len() as u64));
        self.part(self.len.saturating_sub(len), len)
    }

    fn part(&self, at: u64, len: u64) -> Result<Input> {
        let there = self.body.len() as u64;
        let at = at.min(there);
        self.body.sub(at, len.min(there - at))
    }
}
