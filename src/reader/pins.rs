//! Which files open readers of this process still use.

use parking_lot::Mutex;
use std::collections::HashMap;
use std::sync::Arc;

/// Counts the users of each file, so that none is deleted under a snapshot.
#[derive(Debug, Default)]
pub(crate) struct Pins(Mutex<HashMap<String, usize>>);

/// Keeps its files from being deleted while it lives.
#[derive(Debug)]
pub(crate) struct Pin {
    pins: Arc<Pins>,
    files: Vec<String>,
}

impl Pins {
    pub(crate) fn pin(self: &Arc<Self>, files: Vec<String>) -> Pin {
        let mut counts = self.0.lock();
        files.iter().for_each(|file| *counts.entry(file.clone()).or_default() += 1);
        drop(counts);
        Pin { pins: Arc::clone(self), files }
    }

    /// Whether a file is in use now.
    pub(crate) fn contains(&self, file: &str) -> bool {
        self.0.lock().contains_key(file)
    }
}

impl Drop for Pin {
    fn drop(&mut self) {
        let mut counts = self.pins.0.lock();
        for file in &self.files {
            if let Some(count) = counts.get_mut(file) {
                *count -= 1;
                if *count == 0 {
                    counts.remove(file);
                }
            }
        }
    }
}
