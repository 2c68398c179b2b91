//! The rows of a level: on the heap, or, where memory is short, in a file without a name.

use lucerne_codec::io::Words;
use lucerne_codec::{Directory, Result};
use std::fmt;
use std::ops::{Deref, DerefMut};
use std::sync::atomic::AtomicU32;

/// Bytes written to a new file at a time.
const STEP: usize = 1 << 16;

/// The words of a level's rows.
pub enum Rows<W> {
    /// On the heap.
    Heap(Vec<W>),
    /// In a file that is gone with them.
    File(Box<dyn Words<W>>),
}

impl Rows<AtomicU32> {
    /// So many words of this value; in a file when a directory for it is given and has such files.
    pub(super) fn filled(value: u32, words: usize, files: Option<&dyn Directory>) -> Result<Self> {
        let files = files.filter(|_| words > 0);
        if let Some(mut file) = files.map(|files| files.create_temporary()).transpose()?.flatten() {
            // Written and not left out: a disk that is full says so here, and not while the words are changed.
            let step: Vec<u8> = value.to_ne_bytes().into_iter().cycle().take(STEP).collect();
            let mut left = words.saturating_mul(4);
            while left > 0 {
                let bytes = step.get(..left.min(STEP)).unwrap_or(&step);
                file.write(bytes)?;
                left -= bytes.len();
            }
            if let Some(file) = file.finish_words()? {
                return Ok(Self::File(file));
            }
        }
        Ok(Self::Heap((0..words).map(|_| AtomicU32::new(value)).collect()))
    }

    /// The same words, changed by one thread from now on.
    pub(super) fn into_plain(self) -> Rows<u32> {
        match self {
            Self::Heap(words) => Rows::Heap(words.into_iter().map(AtomicU32::into_inner).collect()),
            Self::File(words) => Rows::File(words.into_plain()),
        }
    }
}

impl<W> Deref for Rows<W> {
    type Target = [W];

    #[inline]
    fn deref(&self) -> &[W] {
        match self {
            Self::Heap(words) => words,
            Self::File(words) => words.words(),
        }
    }
}

impl<W> DerefMut for Rows<W> {
    #[inline]
    fn deref_mut(&mut self) -> &mut [W] {
        match self {
            Self::Heap(words) => words,
            Self::File(words) => words.words_mut(),
        }
    }
}

impl<W> Default for Rows<W> {
    fn default() -> Self {
        Self::Heap(Vec::new())
    }
}

/// On the heap.
impl<W: Clone> Clone for Rows<W> {
    fn clone(&self) -> Self {
        Self::Heap(self.to_vec())
    }
}

impl<W: PartialEq> PartialEq for Rows<W> {
    fn eq(&self, other: &Self) -> bool {
        **self == **other
    }
}

impl<W: Eq> Eq for Rows<W> {}

impl<W: fmt::Debug> fmt::Debug for Rows<W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}
