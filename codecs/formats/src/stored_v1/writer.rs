//! Collects documents into blocks and compresses them.

use super::{BLOCK_LEN, END_LEN, ENTRY_LEN, EXTENSION, FORMAT, HEAD_LEN, LEVEL, MAX_DOCUMENT, VERSION};
use lucerne_codec::envelope::{EnvelopeWriter, NO_FIELD};
use lucerne_codec::format::{WriteContext, Written, file_name};
use lucerne_codec::io::bytes::PutLe;
use lucerne_codec::{Error, Metadata, Result};
use zstd::bulk::Compressor;
use zstd::zstd_safe::CParameter;

/// Writes one file of stored documents, in order.
pub(super) struct Writer<'a> {
    context: &'a WriteContext<'a>,
    file: EnvelopeWriter,
    compressor: Compressor<'static>,
    /// Where each document of the open block ends, encoded.
    ends: Vec<u8>,
    /// The open block's documents.
    bytes: Vec<u8>,
    first_doc: u32,
    documents: u32,
    table: Vec<u8>,
}

impl<'a> Writer<'a> {
    pub(super) fn create(context: &'a WriteContext<'a>) -> Result<Self> {
        let failed = |error| compress_error(context, error);
        let mut compressor = Compressor::new(LEVEL).map_err(failed)?;
        compressor.set_parameter(CParameter::ChecksumFlag(true)).map_err(failed)?;
        Ok(Self {
            file: context.create(EXTENSION, FORMAT, VERSION, NO_FIELD)?,
            context,
            compressor,
            ends: Vec::new(),
            bytes: Vec::new(),
            first_doc: 0,
            documents: 0,
            table: Vec::new(),
        })
    }

    /// Documents so far: the id the next one gets.
    pub(super) fn documents(&self) -> u32 {
        self.documents
    }

    pub(super) fn add(&mut self, document: &[u8]) -> Result<()> {
        if self.documents == self.context.max_doc {
            return Err(self.miscounted());
        }
        if document.len() > MAX_DOCUMENT {
            return Err(Error::Invalid(format!(
                "document {} has {} bytes, at most {MAX_DOCUMENT} can be stored",
                self.documents,
                document.len()
            )));
        }
        if self.ends.len() + END_LEN as usize + self.bytes.len() + document.len() > BLOCK_LEN {
            self.close_block()?;
        }
        self.bytes.extend_from_slice(document);
        // At most MAX_DOCUMENT: a block is closed before it holds more than one long document.
        self.ends.put_u32(self.bytes.len() as u32);
        self.documents += 1;
        Ok(())
    }

    fn close_block(&mut self) -> Result<()> {
        if self.ends.is_empty() {
            return Ok(());
        }
        self.context.cancel.check()?;
        let mut block = Vec::with_capacity(HEAD_LEN as usize + self.ends.len() + self.bytes.len());
        block.put_u32(self.first_doc);
        block.put_u32(self.documents - self.first_doc);
        block.append(&mut self.ends);
        block.append(&mut self.bytes);
        let packed = self.compressor.compress(&block);
        let packed = packed.map_err(|error| compress_error(self.context, error))?;
        self.table.put_u64(self.file.position());
        // Compression adds a fraction of a percent at worst, so both lengths fit.
        let words = [packed.len() as u32, block.len() as u32, self.first_doc, crc32fast::hash(&packed)];
        words.into_iter().for_each(|word| self.table.put_u32(word));
        self.file.write(&packed)?;
        self.first_doc = self.documents;
        let (done, total) = (u64::from(self.documents), u64::from(self.context.max_doc));
        self.context.progress.report("stored documents", done, total);
        Ok(())
    }

    pub(super) fn finish(mut self) -> Result<Written> {
        self.close_block()?;
        if self.documents != self.context.max_doc {
            return Err(self.miscounted());
        }
        // Every block holds a document, so there are at most as many.
        let blocks = (self.table.len() as u64 / ENTRY_LEN) as u32;
        self.table.put_u32(blocks);
        self.table.put_u32(self.documents);
        let crc = crc32fast::hash(&self.table);
        self.table.put_u32(crc);
        self.file.write(&self.table)?;
        Ok(Written { files: vec![self.file.finish()?], meta: Metadata::Null })
    }

    fn miscounted(&self) -> Error {
        Error::Invalid(format!(
            "stored_v1: more or fewer than the {} documents of segment {:?} were given",
            self.context.max_doc, self.context.segment
        ))
    }
}

fn compress_error(context: &WriteContext<'_>, error: std::io::Error) -> Error {
    Error::io(file_name(context.segment, NO_FIELD, EXTENSION), "compress a block of", error)
}
