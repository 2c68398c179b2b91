//! How a ceiling is divided.
//!
//! An eighth is left for what nobody counts: the program, its threads, open segments, what an allocator does not give back.
//! Of the rest buffers and searches can always have a sixteenth each, so that neither a merge nor each other stops them;
//! beyond that whoever comes first takes what is there, buffers up to a quarter of the ceiling.

/// Bytes of heap that are taken, by what they are for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct MemoryUse {
    /// Buffered documents, and what flushing them takes.
    pub buffers: u64,
    /// Running merges, as estimated before they began.
    pub merges: u64,
    /// Running searches, as estimated before they began.
    pub searches: u64,
}

impl MemoryUse {
    /// All of it.
    pub fn total(&self) -> u64 {
        self.buffers + self.merges + self.searches
    }
}

/// The least ceiling: below it nothing would fit.
const LEAST: u64 = 8 << 20;

#[derive(Clone, Copy, Debug)]
pub(super) struct Shares {
    pub(super) ceiling: u64,
    /// What is divided.
    counted: u64,
    /// What buffers can always have, and searches too.
    pub(super) reserved: u64,
}

impl Shares {
    pub(super) fn of(ceiling: u64) -> Self {
        let ceiling = ceiling.max(LEAST);
        let counted = ceiling - ceiling / 8;
        Self { ceiling, counted, reserved: counted / 16 }
    }

    /// Bytes that all buffers take at most.
    pub(super) fn most_of_buffers(&self) -> u64 {
        self.ceiling / 4
    }

    pub(super) fn most_of_merges(&self) -> u64 {
        self.counted - 2 * self.reserved
    }

    pub(super) fn most_of_searches(&self) -> u64 {
        self.counted - self.reserved
    }

    pub(super) fn takes_buffer(&self, used: &MemoryUse, bytes: u64) -> bool {
        let others = used.merges + used.searches.max(self.reserved);
        used.buffers + bytes <= self.counted.saturating_sub(others).min(self.most_of_buffers())
    }

    pub(super) fn takes_merge(&self, used: &MemoryUse, bytes: u64) -> bool {
        let others = used.buffers.max(self.reserved) + used.searches.max(self.reserved);
        used.merges + bytes + others <= self.counted
    }

    pub(super) fn takes_search(&self, used: &MemoryUse, bytes: u64) -> bool {
        used.searches + bytes + used.merges + used.buffers.max(self.reserved) <= self.counted
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whatever_is_taken_stays_below_the_ceiling_and_nobody_is_locked_out() {
        let shares = Shares::of(128 << 20);
        let step = 1 << 20;
        // Each in turn takes all it can get.
        for order in [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]] {
            let mut used = MemoryUse::default();
            for who in order {
                match who {
                    0 => {
                        while shares.takes_buffer(&used, step) {
                            used.buffers += step
                        }
                    }
                    1 => {
                        while shares.takes_merge(&used, step) {
                            used.merges += step
                        }
                    }
                    _ => {
                        while shares.takes_search(&used, step) {
                            used.searches += step
                        }
                    }
                }
            }
            assert!(used.total() <= shares.counted, "{used:?}");
            assert!(used.buffers >= 6 * step && used.searches >= 6 * step, "{used:?}");
        }
        assert_eq!(Shares::of(0).ceiling, LEAST);
    }
}
