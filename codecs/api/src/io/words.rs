//! Words that are changed in place while a segment is written.

use std::fmt;
use std::sync::atomic::AtomicU32;

/// Words of a file without a name, changed where they lie: in the page cache, which the system writes back and drops when
/// memory is short, instead of on the heap. The file is gone with this.
pub trait Words<W>: Send + Sync + fmt::Debug {
    /// All words; the same slice at every call.
    fn words(&self) -> &[W];

    /// All words, to be changed.
    fn words_mut(&mut self) -> &mut [W];

    /// The same words, changed by one thread from now on.
    fn into_plain(self: Box<Self>) -> Box<dyn Words<u32>>;
}

/// Words that several threads change.
pub type SharedWords = Box<dyn Words<AtomicU32>>;
