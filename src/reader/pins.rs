//! Which files open readers of this process still use.

use parking_lot::Mutex;
use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Counts the users of each file, so that none is deleted under a snapshot.
#[derive(Debug, Default)]
pub(crate) struct Pins {
    counts: Mutex<HashMap<String, usize>>,
    /// A file has lost its last user since somebody asked.
    released: AtomicBool,
}

/// Keeps its files from being deleted while it lives.
#[derive(Debug)]
pub(crate) struct Pin {
    pins: Arc<Pins>,
    files: Vec<String>,
}

impl Pins {
    pub(crate) fn pin(self: &Arc<Self>, files: Vec<String>) -> Pin {
        let mut counts = self.counts.lock();
        files.iter().for_each(|file| *counts.entry(file.clone()).or_default() += 1);
        drop(counts);
        Pin { pins: Arc::clone(self), files }
    }

    /// Whether a file is in use now.
    pub(crate) fn contains(&self, file: &str) -> bool {
        self.counts.lock().contains_key(file)
    }

    /// True when a file has lost its last user since this was last asked: it may be deleted now.
    pub(crate) fn take_released(&self) -> bool {
        self.released.swap(false, Ordering::Relaxed)
    }
}

impl Drop for Pin {
    fn drop(&mut self) {
        let mut counts = self.pins.counts.lock();
        for file in &self.files {
            if let Some(count) = counts.get_mut(file) {
                *count -= 1;
                if *count == 0 {
                    counts.remove(file);
                    self.pins.released.store(true, Ordering::Relaxed);
                }
            }
        }
    }
}
