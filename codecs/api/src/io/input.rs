//! A finished file's bytes.

use crate::{Cursor, Error, Result};
use std::fmt;
use std::sync::Arc;

/// How a part of a file is about to be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Here and there: no read-ahead.
    Random,
    /// Soon and often: load now, use huge pages where possible.
    Resident,
}

/// Something that holds a whole file's bytes: a memory map or a heap buffer.
pub trait ByteView: Send + Sync {
    /// The bytes; the same slice at every call.
    fn bytes(&self) -> &[u8];

    /// A hint about `len` bytes from `offset`. Never fails, never changes an answer.
    fn advise(&self, _offset: usize, _len: usize, _access: Access) {}
}

impl ByteView for Vec<u8> {
    fn bytes(&self) -> &[u8] {
        self
    }
}

/// A named, immutable, cheaply cloned range of a file's bytes.
#[derive(Clone)]
pub struct Input {
    name: Arc<str>,
    view: Arc<dyn ByteView>,
    start: usize,
    end: usize,
}

impl fmt::Debug for Input {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Input({:?}, {}..{})", self.name, self.start, self.end)
    }
}

impl Input {
    /// A whole file.
    pub fn new(name: &str, view: Arc<dyn ByteView>) -> Self {
        let end = view.bytes().len();
        Self { name: name.into(), view, start: 0, end }
    }

    /// The file's name, for messages.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Length in bytes.
    pub fn len(&self) -> usize {
        self.end - self.start
    }

    /// True when there is nothing.
    pub fn is_empty(&self) -> bool {
        self.end == self.start
    }

    /// All bytes of the range.
    pub fn bytes(&self) -> &[u8] {
        self.view.bytes().get(self.start..self.end).unwrap_or_default()
    }

    /// `len` bytes from `offset`, or [`Error::Corrupt`]: the one way to follow an offset read from a file.
    pub fn slice(&self, offset: u64, len: u64) -> Result<&[u8]> {
        let range = self.range(offset, len)?;
        Ok(self.view.bytes().get(range).unwrap_or_default())
    }

    /// The same range as an [`Input`] of its own.
    pub fn sub(&self, offset: u64, len: u64) -> Result<Input> {
        let range = self.range(offset, len)?;
        Ok(Self { start: range.start, end: range.end, ..self.clone() })
    }

    /// Reads values from `offset` on.
    pub fn cursor(&self, offset: u64) -> Cursor<'_> {
        Cursor::new(&self.name, self.bytes(), offset)
    }

    /// Passes a hint on to the view.
    pub fn advise(&self, access: Access) {
        self.view.advise(self.start, self.len(), access);
    }

    /// An error about this file at `offset` (relative to this range).
    pub fn corrupt(&self, offset: u64, problem: impl Into<String>) -> Error {
        Error::corrupt(&*self.name, (self.start as u64).saturating_add(offset), problem)
    }

    fn range(&self, offset: u64, len: u64) -> Result<std::ops::Range<usize>> {
        let end = offset.checked_add(len).filter(|&end| end <= self.len() as u64);
        let end = end.ok_or_else(|| {
            self.corrupt(offset, format!("{len} bytes expected here, the file has {} in all", self.len()))
        })?;
        Ok(self.start + offset as usize..self.start + end as usize)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_offset_beyond_everything_is_an_error_and_no_overflow() {
        let file = Input::new("f", Arc::new(vec![0u8; 10]));
        let part = file.sub(4, 6).unwrap();
        assert_eq!(part.slice(1, 5).unwrap().len(), 5);
        for (offset, len) in [(u64::MAX, 0), (u64::MAX, 1), (u64::MAX - 3, 2), (1, u64::MAX), (2, 5)] {
            let error = part.slice(offset, len).unwrap_err();
            assert!(matches!(error, Error::Corrupt { .. }), "{error}");
            assert!(part.sub(offset, len).is_err() && part.cursor(offset).take(len).is_err());
        }
    }
}
