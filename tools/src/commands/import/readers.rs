//! What an import reads from: a file that counts, and standard input that can be stopped.

use lucerne::codec::Cancel;
use std::fs::File;
use std::io::{self, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::time::Duration;

/// A file that counts what was read.
pub(super) struct Counted {
    pub(super) file: File,
    pub(super) consumed: Arc<AtomicU64>,
}

impl Read for Counted {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let read = self.file.read(into)?;
        self.consumed.fetch_add(read as u64, Ordering::Relaxed);
        Ok(read)
    }
}

/// Standard input that ends when it is told to stop, even while nothing arrives: a thread of its own waits
/// for it.
pub(super) struct Stdin {
    chunks: Receiver<io::Result<Vec<u8>>>,
    chunk: io::Cursor<Vec<u8>>,
    stop: Cancel,
}

impl Stdin {
    pub(super) fn new(stop: Cancel) -> io::Result<Self> {
        let (sender, chunks) = sync_channel(4);
        std::thread::Builder::new().spawn(move || {
            let mut input = io::stdin().lock();
            loop {
                let mut chunk = vec![0; 1 << 16];
                let read = match input.read(&mut chunk) {
                    Ok(0) => break,
                    Ok(read) => {
                        chunk.truncate(read);
                        Ok(chunk)
                    }
                    Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                    Err(error) => Err(error),
                };
                let failed = read.is_err();
                if sender.send(read).is_err() || failed {
                    break;
                }
            }
        })?;
        Ok(Self { chunks, chunk: io::Cursor::default(), stop })
    }
}

impl Read for Stdin {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        loop {
            let read = self.chunk.read(into)?;
            if read > 0 || into.is_empty() {
                return Ok(read);
            }
            match self.chunks.recv_timeout(Duration::from_millis(50)) {
                Ok(chunk) => self.chunk = io::Cursor::new(chunk?),
                Err(RecvTimeoutError::Timeout) if !self.stop.is_cancelled() => {}
                Err(_) => return Ok(0),
            }
        }
    }
}
