//! UTF-16 decoded to UTF-8.

use std::io::{self, Read};

/// Which byte of a unit comes first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Order {
    Little,
    Big,
}

impl Order {
    /// The order that a byte order mark, or an ASCII character at the beginning, tells; `None` if this is not
    /// UTF-16.
    pub(super) fn of(head: &[u8]) -> Option<Self> {
        match *head {
            [0xff, 0xfe, ..] => Some(Self::Little),
            [0xfe, 0xff, ..] => Some(Self::Big),
            [first, 0, ..] if first != 0 => Some(Self::Little),
            [0, second, ..] if second != 0 => Some(Self::Big),
            _ => None,
        }
    }
}

/// Reads UTF-16 as UTF-8, without the byte order mark.
pub(super) struct Utf16<R> {
    input: R,
    order: Order,
    /// Bytes that are not decoded yet: less than a character, after a read.
    bytes: Vec<u8>,
    decoded: io::Cursor<Vec<u8>>,
    at_start: bool,
}

impl<R: Read> Utf16<R> {
    pub(super) fn new(input: R, order: Order) -> Self {
        Self { input, order, bytes: Vec::new(), decoded: io::Cursor::default(), at_start: true }
    }

    /// Decodes the next part; false at the end.
    fn fill(&mut self) -> io::Result<bool> {
        let kept = self.bytes.len();
        self.bytes.resize(kept + (1 << 16), 0);
        let read = self.input.read(self.bytes.get_mut(kept..).unwrap_or_default());
        self.bytes.truncate(kept + *read.as_ref().unwrap_or(&0));
        if read? == 0 {
            return match self.bytes.is_empty() {
                true => Ok(false),
                false => Err(wrong("ends within a character of UTF-16")),
            };
        }
        let (pairs, _) = self.bytes.as_chunks::<2>();
        let unit = |pair: &[u8; 2]| match self.order {
            Order::Little => u16::from_le_bytes(*pair),
            Order::Big => u16::from_be_bytes(*pair),
        };
        // A high surrogate waits for the unit after it.
        let complete = match pairs.last().map(unit) {
            Some(0xd800..=0xdbff) => pairs.len() - 1,
            _ => pairs.len(),
        };
        let mut text = String::with_capacity(self.bytes.len());
        for char in char::decode_utf16(pairs.iter().take(complete).map(unit)) {
            match char {
                Ok('\u{feff}') if self.at_start => {}
                Ok(char) => text.push(char),
                Err(_) => return Err(wrong("not UTF-16: half of a surrogate pair")),
            }
            self.at_start = false;
        }
        self.bytes.drain(..complete * 2);
        self.decoded = io::Cursor::new(text.into_bytes());
        Ok(true)
    }
}

fn wrong(problem: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, problem)
}

impl<R: Read> Read for Utf16<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        loop {
            let read = self.decoded.read(into)?;
            if read > 0 || into.is_empty() || !self.fill()? {
                return Ok(read);
            }
        }
    }
}
