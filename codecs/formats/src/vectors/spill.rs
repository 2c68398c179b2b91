//! Codes on disk while a merge works with them, so that its memory does not grow with the vectors' dimension.

use crate::sq8::Codes;
use lucerne_codec::envelope::{self, EnvelopeWriter};
use lucerne_codec::io::Access;
use lucerne_codec::vector::{WriteContext, file_name};
use lucerne_codec::{FieldInfo, Result};

/// Codes of at most this many bytes stay in memory.
const IN_MEMORY: usize = 16 << 20;

/// Never part of a segment: the file is deleted before the merge ends.
const EXTENSION: &str = "tmp";

/// A file of codes, in the order of the merge, that lives as long as this.
pub(super) struct Spill<'a> {
    context: &'a WriteContext<'a>,
    name: String,
    file: Option<EnvelopeWriter>,
}

impl<'a> Spill<'a> {
    /// A file for the codes of so many vectors; none when they are small.
    pub(super) fn new(
        context: &'a WriteContext<'a>,
        field: &FieldInfo,
        vectors: usize,
    ) -> Result<Option<Self>> {
        if vectors.saturating_mul(field.dimension as usize) <= IN_MEMORY {
            return Ok(None);
        }
        let file = context.create(EXTENSION, "sq8_spill", 1, field.number)?;
        let name = file_name(context.segment, field.number, EXTENSION);
        Ok(Some(Self { context, name, file: Some(file) }))
    }

    /// Moves the codes collected so far to the file.
    pub(super) fn take(&mut self, codes: &mut Codes) -> Result<()> {
        match &mut self.file {
            Some(file) => codes.take_part(|part| file.write(part)),
            None => Ok(()),
        }
    }

    /// Moves the rest and lets the codes be read from the file.
    pub(super) fn finish(&mut self, codes: &mut Codes) -> Result<()> {
        self.take(codes)?;
        let Some(file) = self.file.take() else { return Ok(()) };
        file.finish()?;
        let body = envelope::body(&self.context.directory.open(&self.name)?)?;
        body.advise(Access::Resident);
        codes.moved_to(body);
        Ok(())
    }
}

impl Drop for Spill<'_> {
    fn drop(&mut self) {
        drop(self.file.take());
        // If this fails the file is one that no commit names, and is collected as such.
        let _ = self.context.directory.delete(&self.name);
    }
}
