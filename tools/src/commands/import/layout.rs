//! How documents lie in a file.

/// Bytes of a document at most: a file that is not made of lines must not fill the memory.
pub(super) const MAX_LINE: u64 = 256 << 20;

/// A place in a file: a line, from 1, and bytes before it on the line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) line: u64,
    pub(super) column: u64,
}

/// How documents are separated.
pub(super) enum Layout {
    /// Nothing was read yet.
    Unknown,
    /// By line ends. What was read of the next line already.
    Lines(Option<(Place, Vec<u8>)>),
    /// By the commas of an array.
    Array,
}
