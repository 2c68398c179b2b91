//! A file written in many small pieces.

use lucerne_codec::Result;
use lucerne_codec::envelope::{EnvelopeWriter, FileEntry};

const BUFFER: usize = 1 << 16;

/// Collects pieces, writes them in large ones.
pub(super) struct Sink {
    file: EnvelopeWriter,
    buffer: Vec<u8>,
}

impl Sink {
    pub(super) fn new(file: EnvelopeWriter) -> Self {
        Self { file, buffer: Vec::with_capacity(BUFFER) }
    }

    /// Position in the file of the next byte.
    pub(super) fn position(&self) -> u64 {
        self.file.position() + self.buffer.len() as u64
    }

    pub(super) fn write(&mut self, bytes: &[u8]) -> Result<()> {
        if self.buffer.len() + bytes.len() > BUFFER {
            self.flush()?;
        }
        if bytes.len() > BUFFER {
            return self.file.write(bytes);
        }
        self.buffer.extend_from_slice(bytes);
        Ok(())
    }

    fn flush(&mut self) -> Result<()> {
        self.file.write(&self.buffer)?;
        self.buffer.clear();
        Ok(())
    }

    pub(super) fn finish(mut self) -> Result<FileEntry> {
        self.flush()?;
        self.file.finish()
    }
}
