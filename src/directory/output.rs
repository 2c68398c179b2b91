//! Buffered, strictly forward writing, shared by the kinds of directory that write in larger steps.

use lucerne_codec::{Error, Output, Result};
use std::io;

/// Takes the steps of a [`BufferedOutput`].
pub(super) trait Sink: Send {
    /// The file's name, for messages.
    fn name(&self) -> &str;

    /// Appends all of `bytes`.
    fn append(&mut self, bytes: &[u8]) -> Result<()>;

    /// Closes the file; everything was appended.
    fn close(self) -> Result<()>;
}

/// Gathers small writes into steps of at least the buffer's size. After the first error nothing reaches
/// the sink any more, and dropping it loses what is buffered.
pub(super) struct BufferedOutput<S> {
    sink: S,
    buffer: Vec<u8>,
    step: usize,
    failed: bool,
}

impl<S: Sink> BufferedOutput<S> {
    /// Buffers up to `step` bytes before `sink`.
    pub(super) fn new(sink: S, step: usize) -> Self {
        Self { sink, buffer: Vec::new(), step, failed: false }
    }

    fn usable(&self) -> Result<()> {
        if !self.failed {
            return Ok(());
        }
        let source = io::Error::other("an earlier write failed, the file is incomplete");
        Err(Error::io(self.sink.name(), "write", source))
    }

    /// Runs one step on the sink and remembers a failure.
    fn step(&mut self, run: impl FnOnce(&mut S, &[u8]) -> Result<()>) -> Result<()> {
        let result = run(&mut self.sink, &self.buffer);
        self.failed = result.is_err();
        result
    }

    fn flush(&mut self) -> Result<()> {
        if !self.buffer.is_empty() {
            self.step(|sink, buffer| sink.append(buffer))?;
            self.buffer.clear();
        }
        Ok(())
    }
}

impl<S: Sink> Output for BufferedOutput<S> {
    fn write(&mut self, bytes: &[u8]) -> Result<()> {
        self.usable()?;
        if self.buffer.len() + bytes.len() > self.step {
            self.flush()?;
        }
        if bytes.len() >= self.step {
            return self.step(|sink, _| sink.append(bytes));
        }
        self.buffer.extend_from_slice(bytes);
        Ok(())
    }

    fn finish(mut self: Box<Self>) -> Result<()> {
        self.usable()?;
        self.flush()?;
        self.sink.close()
    }
}
