//! Forward reading of little-endian values from untrusted bytes.

use crate::{Error, Result};
use byteorder::{ByteOrder, LittleEndian};

/// Reads little-endian values; running past the end is [`Error::Corrupt`], never a panic.
#[derive(Clone, Debug)]
pub struct Cursor<'a> {
    file: &'a str,
    bytes: &'a [u8],
    position: u64,
}

impl<'a> Cursor<'a> {
    /// A cursor over `bytes` of `file`, standing at `position`.
    pub fn new(file: &'a str, bytes: &'a [u8], position: u64) -> Self {
        Self { file, bytes, position }
    }

    /// Where the next value is read.
    pub fn position(&self) -> u64 {
        self.position
    }

    /// Bytes left.
    pub fn remaining(&self) -> u64 {
        (self.bytes.len() as u64).saturating_sub(self.position)
    }

    /// The next `len` bytes.
    pub fn take(&mut self, len: u64) -> Result<&'a [u8]> {
        let end = self.position.checked_add(len).filter(|&end| end <= self.bytes.len() as u64);
        let range = end.map(|end| self.position as usize..end as usize);
        let Some(slice) = range.and_then(|range| self.bytes.get(range)) else {
            return Err(self.corrupt(format!("{len} bytes expected, {} left", self.remaining())));
        };
        self.position += len;
        Ok(slice)
    }

    /// The next byte.
    pub fn u8(&mut self) -> Result<u8> {
        Ok(self.take(1)?.first().copied().unwrap_or_default())
    }

    /// The next `u32`.
    pub fn u32(&mut self) -> Result<u32> {
        Ok(LittleEndian::read_u32(self.take(4)?))
    }

    /// The next `u64`.
    pub fn u64(&mut self) -> Result<u64> {
        Ok(LittleEndian::read_u64(self.take(8)?))
    }

    /// The next `f32`.
    pub fn f32(&mut self) -> Result<f32> {
        Ok(LittleEndian::read_f32(self.take(4)?))
    }

    /// The next `u32` as an element count, refused when `count · element_len` bytes are not left: the one
    /// way to size an allocation from a file.
    pub fn count(&mut self, element_len: u64) -> Result<usize> {
        let at = self.position;
        let count = u64::from(self.u32()?);
        if count.checked_mul(element_len.max(1)).is_none_or(|bytes| bytes > self.remaining()) {
            let problem = format!("a count of {count} × {element_len} bytes, {} left", self.remaining());
            return Err(Error::corrupt(self.file, at, problem));
        }
        Ok(count as usize)
    }

    /// An error about the file at the current position.
    pub fn corrupt(&self, problem: impl Into<String>) -> Error {
        Error::corrupt(self.file, self.position, problem)
    }
}
