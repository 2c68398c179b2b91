//! Bytes on disk while a segment is written, so that the memory of a merge does not grow with the vectors' dimension.
//!
//! The file lies in the index folder, where there is as much room as the segment itself needs, and is made through the
//! [`Directory`](lucerne_codec::Directory), whose faults are simulated in tests. If the process dies, the file is one
//! that no commit names and is collected as such.

use lucerne_codec::envelope::{self, EnvelopeWriter};
use lucerne_codec::format::{WriteContext, file_name};
use lucerne_codec::io::Access;
use lucerne_codec::{Error, FieldInfo, Input, Result};

/// At most this many bytes stay in memory.
const IN_MEMORY: usize = 16 << 20;

/// A file that lives as long as this and is never part of a segment.
pub struct TempFile<'a> {
    context: &'a WriteContext<'a>,
    name: String,
    file: Option<EnvelopeWriter>,
}

impl<'a> TempFile<'a> {
    /// A file for so many bytes; none when they are few.
    pub fn for_bytes(
        context: &'a WriteContext<'a>,
        field: &FieldInfo,
        extension: &str,
        bytes: usize,
    ) -> Result<Option<Self>> {
        if bytes <= IN_MEMORY {
            return Ok(None);
        }
        let file = context.create(extension, "temp", 1, field.number)?;
        let name = file_name(context.segment, field.number, extension);
        Ok(Some(Self { context, name, file: Some(file) }))
    }

    /// Adds bytes.
    pub fn write(&mut self, bytes: &[u8]) -> Result<()> {
        self.file.as_mut().map_or(Ok(()), |file| file.write(bytes))
    }

    /// All bytes, mapped. Nothing can be added any more.
    pub fn finish(&mut self) -> Result<Input> {
        let file = self.file.take();
        file.ok_or_else(|| Error::Invalid(format!("{} was finished before", self.name)))?.finish()?;
        let body = envelope::body(&self.context.directory.open(&self.name)?)?;
        body.advise(Access::Resident);
        Ok(body)
    }
}

impl Drop for TempFile<'_> {
    fn drop(&mut self) {
        drop(self.file.take());
        // If this fails the file is one that no commit names, and is collected as such.
        let _ = self.context.directory.delete(&self.name);
    }
}
