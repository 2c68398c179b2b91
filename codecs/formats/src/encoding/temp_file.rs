//! Bytes on disk while a segment is written, so that the memory of a merge does not grow with the vectors' dimension.
//!
//! Where the directory has files without a name (a folder of the file system), they are used: they are gone with the
//! process. Elsewhere a file of the segment is created and deleted; if the process dies, it is one that no commit names
//! and is collected as such.

use lucerne_codec::envelope::{self, EnvelopeWriter};
use lucerne_codec::format::{Working, WriteContext, file_name};
use lucerne_codec::io::{Access, TemporaryOutput};
use lucerne_codec::{Error, FieldInfo, Input, Result};

/// At most this many bytes stay in memory.
const fn most_in_memory(working: Working) -> usize {
    match working {
        Working::Heap => 16 << 20,
        Working::Files => 1 << 20,
    }
}

/// The heap that so many bytes take: none where they are in a file.
pub fn in_memory(bytes: u64, working: Working) -> u64 {
    if bytes <= most_in_memory(working) as u64 { bytes } else { 0 }
}

/// A file that lives as long as this and is never part of a segment.
pub struct TempFile<'a>(Kind<'a>);

enum Kind<'a> {
    Unnamed(Option<Box<dyn TemporaryOutput>>),
    Named(NamedFile<'a>),
}

impl<'a> TempFile<'a> {
    /// A file for so many bytes; none when they are few.
    pub fn for_bytes(
        context: &'a WriteContext<'a>,
        field: &FieldInfo,
        extension: &str,
        bytes: usize,
    ) -> Result<Option<Self>> {
        if bytes <= most_in_memory(context.working) {
            return Ok(None);
        }
        let unnamed = context.directory.create_temporary()?;
        let kind = match unnamed {
            Some(output) => Kind::Unnamed(Some(output)),
            None => Kind::Named(NamedFile::create(context, field, extension)?),
        };
        Ok(Some(Self(kind)))
    }

    /// Adds bytes.
    pub fn write(&mut self, bytes: &[u8]) -> Result<()> {
        match &mut self.0 {
            Kind::Unnamed(output) => output.as_mut().map_or(Ok(()), |output| output.write(bytes)),
            Kind::Named(file) => file.file.as_mut().map_or(Ok(()), |file| file.write(bytes)),
        }
    }

    /// All bytes, mapped. Nothing can be added any more.
    pub fn finish(&mut self) -> Result<Input> {
        let finished = || Error::Invalid("a temporary file was finished before".to_owned());
        let body = match &mut self.0 {
            Kind::Unnamed(output) => output.take().ok_or_else(finished)?.finish()?,
            Kind::Named(file) => {
                file.file.take().ok_or_else(finished)?.finish()?;
                envelope::body(&file.context.directory.open(&file.name)?)?
            }
        };
        body.advise(Access::Resident);
        Ok(body)
    }
}

struct NamedFile<'a> {
    context: &'a WriteContext<'a>,
    name: String,
    file: Option<EnvelopeWriter>,
}

impl<'a> NamedFile<'a> {
    fn create(context: &'a WriteContext<'a>, field: &FieldInfo, extension: &str) -> Result<Self> {
        let file = context.create(extension, "temp", 1, field.number)?;
        let name = file_name(context.segment, field.number, extension);
        Ok(Self { context, name, file: Some(file) })
    }
}

impl Drop for NamedFile<'_> {
    fn drop(&mut self) {
        drop(self.file.take());
        // If this fails the file is one that no commit names, and is collected as such.
        let _ = self.context.directory.delete(&self.name);
    }
}
