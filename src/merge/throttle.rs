//! A directory that writes no faster than it may, and counts.

use lucerne_codec::io::{SharedWords, TemporaryOutput};
use lucerne_codec::{Cancel, Directory, Input, Lock, Output, Result};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// Passes everything on; written bytes are counted and, with a limit, slowed down.
#[derive(Clone, Debug)]
pub(crate) struct ThrottledDirectory {
    inner: Arc<dyn Directory>,
    /// Bytes per second; `None` for no limit.
    limit: Option<u64>,
    written: Arc<AtomicU64>,
    started: Instant,
    cancel: Cancel,
}

impl ThrottledDirectory {
    pub(crate) fn new(inner: Arc<dyn Directory>, limit: Option<u64>, cancel: Cancel) -> Self {
        Self { inner, limit, written: Arc::default(), started: Instant::now(), cancel }
    }

    /// Bytes written through it.
    pub(crate) fn written(&self) -> u64 {
        self.written.load(Ordering::Relaxed)
    }

    /// Counts bytes that were written, and waits while they are ahead of the limit.
    fn wrote(&self, bytes: &[u8]) -> Result<()> {
        self.written.fetch_add(bytes.len() as u64, Ordering::Relaxed);
        self.wait()
    }

    /// Waits until what is written is due, or the work is cancelled.
    fn wait(&self) -> Result<()> {
        let Some(limit) = self.limit else { return Ok(()) };
        loop {
            let due = Duration::from_secs_f64(self.written() as f64 / limit.max(1) as f64);
            let ahead = due.saturating_sub(self.started.elapsed());
            if ahead.is_zero() {
                return Ok(());
            }
            self.cancel.check()?;
            std::thread::sleep(ahead.min(MAX_SLEEP));
        }
    }
}

/// A cancelled merge wakes up at least this often.
const MAX_SLEEP: Duration = Duration::from_millis(20);

impl Directory for ThrottledDirectory {
    fn create(&self, name: &str) -> Result<Box<dyn Output>> {
        Ok(Box::new(ThrottledOutput { inner: self.inner.create(name)?, throttle: self.clone() }))
    }

    fn create_temporary(&self) -> Result<Option<Box<dyn TemporaryOutput>>> {
        let inner = self.inner.create_temporary()?;
        Ok(inner.map(|inner| Box::new(ThrottledTemporary { inner, throttle: self.clone() }) as Box<_>))
    }

    fn open(&self, name: &str) -> Result<Input> {
        self.inner.open(name)
    }

    fn file_len(&self, name: &str) -> Result<u64> {
        self.inner.file_len(name)
    }

    fn list(&self) -> Result<Vec<String>> {
        self.inner.list()
    }

    fn delete(&self, name: &str) -> Result<()> {
        self.inner.delete(name)
    }

    fn rename(&self, from: &str, to: &str) -> Result<()> {
        self.inner.rename(from, to)
    }

    fn sync(&self, name: &str) -> Result<()> {
        self.inner.sync(name)
    }

    fn sync_dir(&self) -> Result<()> {
        self.inner.sync_dir()
    }

    fn lock(&self, name: &str, owner: &str) -> Result<Box<dyn Lock>> {
        self.inner.lock(name, owner)
    }
}

struct ThrottledTemporary {
    inner: Box<dyn TemporaryOutput>,
    throttle: ThrottledDirectory,
}

impl TemporaryOutput for ThrottledTemporary {
    fn write(&mut self, bytes: &[u8]) -> Result<()> {
        self.inner.write(bytes)?;
        self.throttle.wrote(bytes)
    }

    fn finish(self: Box<Self>) -> Result<Input> {
        self.inner.finish()
    }

    fn finish_words(self: Box<Self>) -> Result<Option<SharedWords>> {
        self.inner.finish_words()
    }
}

struct ThrottledOutput {
    inner: Box<dyn Output>,
    throttle: ThrottledDirectory,
}

impl Output for ThrottledOutput {
    fn write(&mut self, bytes: &[u8]) -> Result<()> {
        self.inner.write(bytes)?;
        self.throttle.wrote(bytes)
    }

    fn finish(self: Box<Self>) -> Result<()> {
        self.inner.finish()
    }
}
