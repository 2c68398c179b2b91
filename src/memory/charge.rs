//! What is taken, given back when it is dropped.

use super::Memory;

/// What one buffer takes.
#[derive(Debug, Default)]
pub(crate) struct Charge {
    memory: Memory,
    bytes: u64,
}

impl Charge {
    pub(super) fn new(memory: Memory) -> Self {
        Self { memory, bytes: 0 }
    }

    #[cfg(test)]
    pub(super) fn bytes(&self) -> u64 {
        self.bytes
    }

    /// It takes so many bytes now.
    pub(crate) fn set(&mut self, bytes: u64) {
        if self.memory.0.is_some() {
            let before = std::mem::replace(&mut self.bytes, bytes);
            self.memory.change(|used| used.buffers = (used.buffers + bytes).saturating_sub(before));
        }
    }
}

impl Drop for Charge {
    fn drop(&mut self) {
        self.set(0);
    }
}

/// What a merge or a search takes.
#[derive(Debug)]
pub(crate) struct Reserved {
    memory: Memory,
    bytes: u64,
    what: What,
}

#[derive(Clone, Copy, Debug)]
enum What {
    Merge,
    Search,
}

impl Reserved {
    pub(super) fn nothing() -> Self {
        Self { memory: Memory::unlimited(), bytes: 0, what: What::Search }
    }

    pub(super) fn of_merge(memory: Memory, bytes: u64) -> Self {
        Self { memory, bytes, what: What::Merge }
    }

    pub(super) fn of_search(memory: Memory, bytes: u64) -> Self {
        Self { memory, bytes, what: What::Search }
    }
}

impl Drop for Reserved {
    fn drop(&mut self) {
        let Self { memory, bytes, what } = self;
        memory.change(|used| {
            let taken = match what {
                What::Merge => &mut used.merges,
                What::Search => &mut used.searches,
            };
            *taken = taken.saturating_sub(*bytes);
        });
    }
}
