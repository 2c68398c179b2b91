//! Buffered, strictly forward writing, shared by the kinds of directory that write in larger steps.

use lucerne_codec::{Error, Output, Result};
use std::{io, mem};

/// Takes the steps of a [`BufferedOutput`].
pub(super) trait Sink: Send {
    /// The file's name, for messages.
    fn name(&self) -> &str;

    /// Appends all of `bytes`.
    fn append(&mut self, bytes: &[u8]) -> Result<()>;

    /// Closes the file; everything was appended.
    fn close(self) -> Result<()>;
}

/// Gathers small writes into steps that double with the file's length, each at a multiple of its own length: so a system
/// that keeps files in memory in large pages finds whole ones. After the first error nothing reaches the sink any more, and
/// dropping it loses what is buffered.
pub(super) struct BufferedOutput<S> {
    sink: S,
    buffer: Vec<u8>,
    /// Bytes of the next step, up to `longest`.
    step: usize,
    longest: usize,
    appended: u64,
    failed: bool,
}

impl<S: Sink> BufferedOutput<S> {
    /// Buffers between `shortest` and `longest` bytes before `sink`: powers of two.
    pub(super) fn new(sink: S, shortest: usize, longest: usize) -> Self {
        Self { sink, buffer: Vec::new(), step: shortest, longest, appended: 0, failed: false }
    }

    fn usable(&self) -> Result<()> {
        if !self.failed {
            return Ok(());
        }
        let source = io::Error::other("an earlier write failed, the file is incomplete");
        Err(Error::io(self.sink.name(), "write", source))
    }

    /// Appends to the sink and remembers a failure.
    fn append(&mut self, bytes: &[u8]) -> Result<()> {
        let result = self.sink.append(bytes);
        self.failed = result.is_err();
        self.appended += bytes.len() as u64;
        if self.step < self.longest && self.appended >= 2 * self.step as u64 {
            self.step *= 2;
        }
        result
    }

    fn flush(&mut self) -> Result<()> {
        let mut buffer = mem::take(&mut self.buffer);
        let result = self.append(&buffer);
        buffer.clear();
        self.buffer = buffer;
        result
    }
}

impl<S: Sink> Output for BufferedOutput<S> {
    fn write(&mut self, mut bytes: &[u8]) -> Result<()> {
        self.usable()?;
        while self.buffer.len() + bytes.len() >= self.step {
            // Of the longest steps as many as there are go without the buffer, together.
            let unbuffered = self.buffer.is_empty();
            let many = unbuffered && self.step == self.longest;
            let wanted =
                if many { bytes.len() / self.step * self.step } else { self.step - self.buffer.len() };
            let (now, later) = bytes.split_at(wanted);
            if unbuffered {
                self.append(now)?;
            } else {
                self.buffer.extend_from_slice(now);
                self.flush()?;
            }
            bytes = later;
        }
        self.buffer.extend_from_slice(bytes);
        Ok(())
    }

    fn finish(mut self: Box<Self>) -> Result<()> {
        self.usable()?;
        if !self.buffer.is_empty() {
            self.flush()?;
        }
        self.sink.close()
    }
}
