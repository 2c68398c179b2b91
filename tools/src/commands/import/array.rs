//! Lines, and the elements of a JSON array, cut out of a text without holding it in memory.

use super::lines::{Layout, MAX_LINE, Place};
use std::io::{self, BufRead, Read as _};

/// A text and where it is read.
pub(super) struct Elements<R> {
    input: R,
    place: Place,
    /// Whether an element of the array was read.
    begun: bool,
}

impl<R: BufRead> Elements<R> {
    pub(super) fn new(input: R) -> Self {
        Self { input, place: Place { line: 1, column: 0 }, begun: false }
    }

    /// Where the next byte is.
    pub(super) fn place(&self) -> Place {
        self.place
    }

    /// Looks whether the text is an array of objects. `[` before anything else is one, but not `[]` with
    /// something after it, and not `[5`: those are lines.
    pub(super) fn layout(&mut self) -> io::Result<Layout> {
        while self.peek()?.is_some_and(|byte| byte.is_ascii_whitespace()) {
            self.bump();
        }
        if self.peek()? != Some(b'[') {
            return Ok(Layout::Lines(None));
        }
        let (place, mut text) = (self.place, Vec::new());
        text.extend(self.bump());
        while self.peek()?.is_some_and(|byte| byte.is_ascii_whitespace()) {
            text.extend(self.bump());
        }
        match self.peek()? {
            Some(b'{') => Ok(Layout::Array),
            Some(b']') => {
                text.extend(self.bump());
                while !text.ends_with(b"\n") && self.peek()?.is_some_and(|byte| byte.is_ascii_whitespace()) {
                    text.extend(self.bump());
                }
                if text.ends_with(b"\n") {
                    self.skip_space()?;
                }
                match self.peek()? {
                    None => Ok(Layout::Lines(None)),
                    Some(_) => Ok(Layout::Lines(Some((place, text)))),
                }
            }
            _ => Ok(Layout::Lines(Some((place, text)))),
        }
    }

    /// The next line with its end, but not more than one byte too many, after what was `begun`; `None` at the end.
    pub(super) fn line(
        &mut self,
        begun: Option<(Place, Vec<u8>)>,
        text: &mut Vec<u8>,
    ) -> io::Result<Option<Place>> {
        let mut place = self.place;
        if let Some((start, begun)) = begun {
            (place, *text) = (start, begun);
        }
        if !text.ends_with(b"\n") {
            (&mut self.input).take(MAX_LINE + 1).read_until(b'\n', text)?;
            self.place = Place { line: self.place.line + 1, column: 0 };
        }
        Ok((!text.is_empty()).then_some(place))
    }

    /// The next element of the array whose `[` was read; `None` at its end. It may be anything between two commas.
    pub(super) fn element(&mut self, text: &mut Vec<u8>) -> io::Result<Option<Place>> {
        self.skip_space()?;
        if self.begun && self.peek()? == Some(b',') {
            self.bump();
            self.skip_space()?;
        }
        self.begun = true;
        match self.peek()? {
            Some(b']') => {
                self.bump();
                self.skip_space()?;
                return match self.peek()? {
                    None => Ok(None),
                    Some(_) => self.wrong("there is more after the end of the JSON array"),
                };
            }
            None => return self.wrong("the file ends inside the JSON array; is it complete?"),
            Some(_) => {}
        }
        let place = self.place;
        let (mut depth, mut in_string, mut escaped) = (0_u64, false, false);
        while text.len() as u64 <= MAX_LINE {
            let Some(byte) = self.peek()? else {
                if depth > 0 || in_string {
                    self.place = place;
                    return self.wrong("a document that begins here does not end");
                }
                return self.wrong("the file ends inside the JSON array; is it complete?");
            };
            match byte {
                _ if escaped => escaped = false,
                b'\\' if in_string => escaped = true,
                b'"' => in_string = !in_string,
                _ if in_string => {}
                b',' | b']' if depth == 0 => break,
                b'{' | b'[' => depth += 1,
                b'}' | b']' => depth = depth.saturating_sub(1),
                _ => {}
            }
            text.extend(self.bump());
        }
        Ok(Some(place))
    }

    fn wrong<T>(&self, problem: &str) -> io::Result<T> {
        Err(io::Error::new(io::ErrorKind::InvalidData, problem))
    }

    fn skip_space(&mut self) -> io::Result<()> {
        while self.peek()?.is_some_and(|byte| byte.is_ascii_whitespace()) {
            self.bump();
        }
        Ok(())
    }

    fn peek(&mut self) -> io::Result<Option<u8>> {
        loop {
            match self.input.fill_buf() {
                Ok(buffer) => return Ok(buffer.first().copied()),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }

    /// Goes past the byte that was peeked at.
    fn bump(&mut self) -> Option<u8> {
        let byte = self.input.fill_buf().ok()?.first().copied()?;
        self.input.consume(1);
        match byte {
            b'\n' => self.place = Place { line: self.place.line + 1, column: 0 },
            _ => self.place.column += 1,
        }
        Some(byte)
    }
}
