//! Documents of a file or of standard input: JSON lines, or the elements of one JSON array.

use super::array::Elements;
use super::readers::{Counted, Stdin};
use crate::failure::{Failure, Outcome};
use crate::input::{self, Input};
use lucerne::codec::Cancel;
use std::fs::File;
use std::io::{self, BufRead, BufReader, BufWriter, Read as _, Seek as _, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Bytes of a document at most: a file that is not made of lines must not fill the memory.
pub(super) const MAX_LINE: u64 = 256 << 20;
const BUFFER: usize = 1 << 18;
const EXPECTED: &str = "JSON objects, one per line, or one JSON array of objects";

/// The text of a document.
#[derive(Debug)]
pub(super) struct Line {
    /// Where it begins.
    pub(super) place: Place,
    /// Documents before it.
    pub(super) row: u64,
    pub(super) text: Vec<u8>,
}

/// A place in a file: a line, from 1, and bytes before it on the line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) line: u64,
    pub(super) column: u64,
}

/// Documents one after the other.
pub(super) struct Lines {
    path: PathBuf,
    input: Elements<Box<dyn BufRead + Send>>,
    layout: Layout,
    /// Documents read so far.
    rows: u64,
    /// Bytes of the file consumed, before decompression.
    consumed: Arc<AtomicU64>,
    /// Length of the file, if it is one.
    len: Option<u64>,
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

impl Lines {
    pub(super) fn open(path: &Path, stop: &Cancel) -> Outcome<Self> {
        let consumed = Arc::new(AtomicU64::new(0));
        let (input, path, len): (Input, _, _) = if path.as_os_str() == "-" {
            let stdin: Input = match Stdin::new(stop.clone()) {
                Ok(stdin) => Box::new(stdin),
                Err(_) => Box::new(io::stdin()),
            };
            (stdin, Path::new("standard input"), None)
        } else {
            let cannot = |error: io::Error| Failure::file(path, "read", &error);
            let file = File::open(path).map_err(cannot)?;
            let metadata = file.metadata().map_err(cannot)?;
            let len = metadata.is_file().then_some(metadata.len());
            (Box::new(Counted { file, consumed: Arc::clone(&consumed) }), path, len)
        };
        let input = Elements::new(input::text(path, input, EXPECTED)?);
        Ok(Self { path: path.to_owned(), input, layout: Layout::Unknown, rows: 0, consumed, len })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    pub(super) fn len(&self) -> Option<u64> {
        self.len
    }

    pub(super) fn consumed(&self) -> u64 {
        self.consumed.load(Ordering::Relaxed)
    }

    /// Documents so far.
    pub(super) fn rows(&self) -> u64 {
        self.rows
    }

    /// The next document; empty lines are none.
    pub(super) fn next(&mut self) -> Outcome<Option<Line>> {
        let path = self.path.clone();
        let cannot = |place: Place, error: &io::Error| match error.kind() {
            io::ErrorKind::InvalidData => Failure::content(&path, format!("line {}: {error}", place.line)),
            _ => Failure::file(&path, &format!("read line {}", place.line), error),
        };
        if matches!(self.layout, Layout::Unknown) {
            let layout = self.input.layout();
            self.layout = layout.map_err(|error| cannot(self.input.place(), &error))?;
        }
        loop {
            let mut text = Vec::new();
            let found = match &mut self.layout {
                Layout::Array => self.input.element(&mut text),
                Layout::Lines(begun) => self.input.line(begun.take(), &mut text),
                Layout::Unknown => Ok(None),
            };
            let found = found.map_err(|error| cannot(self.input.place(), &error))?;
            let Some(place) = found else {
                self.layout = Layout::Lines(None); // After the end of an array too, there is nothing.
                return Ok(None);
            };
            if text.len() as u64 > MAX_LINE {
                let problem = format!("line {}: more than {} MiB", place.line, MAX_LINE >> 20);
                return Err(Failure::content(&self.path, problem).hint(format!("expected {EXPECTED}")));
            }
            if !text.iter().all(u8::is_ascii_whitespace) {
                let row = self.rows;
                self.rows += 1;
                return Ok(Some(Line { place, row, text }));
            }
        }
    }

    /// All documents, to be read in any order. They are copied to an unnamed temporary file, which takes no
    /// memory and is gone with the process.
    pub(super) fn into_rows(mut self, stop: &Cancel) -> Outcome<RandomLines> {
        let cannot =
            |error: io::Error| Failure::file(&std::env::temp_dir(), "write a temporary file", &error);
        let mut copy = BufWriter::with_capacity(BUFFER, tempfile::tempfile().map_err(cannot)?);
        let (mut rows, mut position) = (Vec::new(), 0);
        while let Some(line) = self.next()? {
            if stop.is_cancelled() {
                break;
            }
            copy.write_all(&line.text).map_err(cannot)?;
            let len = line.text.len() as u64;
            rows.push(Copied { position, len, place: line.place });
            position += len;
        }
        let mut file = copy.into_inner().map_err(|error| cannot(error.into_error()))?;
        file.rewind().map_err(cannot)?;
        let input = BufReader::with_capacity(1 << 14, file);
        Ok(RandomLines { path: self.path, input, rows, position: 0 })
    }
}

/// Documents in any order.
#[derive(Debug)]
pub(super) struct RandomLines {
    path: PathBuf,
    input: BufReader<File>,
    rows: Vec<Copied>,
    position: u64,
}

/// Where a document is in the temporary file, and where it was.
#[derive(Clone, Copy, Debug)]
struct Copied {
    position: u64,
    len: u64,
    place: Place,
}

impl RandomLines {
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    pub(super) fn len(&self) -> u64 {
        self.rows.len() as u64
    }

    pub(super) fn get(&mut self, row: u64) -> Outcome<Option<Line>> {
        let found = usize::try_from(row).ok().and_then(|row| self.rows.get(row));
        let Some(&Copied { position, len, place }) = found else { return Ok(None) };
        let mut text = vec![0; len as usize];
        let read = self
            .input
            .seek_relative(position.wrapping_sub(self.position) as i64)
            .and_then(|()| self.input.read_exact(&mut text));
        read.map_err(|error| Failure::file(&self.path, &format!("read line {}", place.line), &error))?;
        self.position = position + len;
        Ok(Some(Line { place, row, text }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(text: &[u8], suffix: &str) -> Lines {
        let mut file = tempfile::Builder::new().suffix(suffix).tempfile().unwrap();
        file.write_all(text).unwrap();
        Lines::open(file.path(), &Cancel::new()).unwrap()
    }

    /// Line, column, row and text of every document.
    fn all(lines: &mut Lines) -> Outcome<Vec<(u64, u64, u64, String)>> {
        let mut found = Vec::new();
        while let Some(Line { place, row, text }) = lines.next()? {
            let text = String::from_utf8(text).unwrap().trim_end().to_owned();
            found.push((place.line, place.column, row, text));
        }
        Ok(found)
    }

    const TEXT: &[u8] = b"\xef\xbb\xbf{\"a\":1}\n\n{\"a\":2}\r\n  \n{\"a\":3}";

    #[test]
    fn empty_lines_do_not_count_as_rows_but_as_lines() {
        for text in [TEXT.to_vec(), zstd::encode_all(TEXT, 1).unwrap()] {
            let mut lines = lines(&text, ".jsonl");
            let expected = [(1, 0, "{\"a\":1}"), (3, 1, "{\"a\":2}"), (5, 2, "{\"a\":3}")];
            let expected = expected.map(|(line, row, text)| (line, 0, row, text.to_owned()));
            assert_eq!(all(&mut lines).unwrap(), expected);
            assert_eq!((lines.rows(), lines.consumed()), (3, text.len() as u64));
        }
    }

    #[test]
    fn an_array_gives_its_elements() {
        let one = |line, column, row, text: &str| (line, column, row, text.to_owned());
        let element = "{\n  \"a]\": [\"},\\\"\", {}]\n}";
        for (text, expected) in [
            ("[{\"a\":1},{}]", vec![one(1, 1, 0, "{\"a\":1}"), one(1, 9, 1, "{}")]),
            ("\n \n [ {}\n, {} ]\n\n", vec![one(3, 3, 0, "{}"), one(4, 2, 1, "{}")]),
            (
                &format!("[\n{element},\n5, \"x\",]"),
                vec![one(2, 0, 0, element), one(5, 0, 1, "5"), one(5, 3, 2, "\"x\"")],
            ),
            ("[]", vec![]),
            (" [ \n ] \n", vec![]),
            // These are lines.
            ("[]\n{}", vec![one(1, 0, 0, "[]"), one(2, 0, 1, "{}")]),
            ("[] {}\n", vec![one(1, 0, 0, "[] {}")]),
            ("[5]\n\n[\n5", vec![one(1, 0, 0, "[5]"), one(3, 0, 1, "["), one(4, 0, 2, "5")]),
            ("[\n\n5\n{}", vec![one(1, 0, 0, "["), one(3, 0, 1, "5"), one(4, 0, 2, "{}")]),
            (" {}\n {}", vec![one(1, 1, 0, "{}"), one(2, 0, 1, " {}")]),
            ("", vec![]),
            ("[", vec![one(1, 0, 0, "[")]),
        ] {
            assert_eq!(all(&mut lines(text.as_bytes(), ".json")).unwrap(), expected, "{text:?}");
        }
    }

    #[test]
    fn an_array_that_does_not_end_well_is_refused() {
        for (text, expected) in [
            ("[{},\n{}", "line 2: the file ends inside the JSON array"),
            ("[{},\n{\"a\": \"}]\n", "line 2: a document that begins here does not end"),
            ("[{}]\n{}", "line 2: there is more after the end of the JSON array"),
        ] {
            let failure = all(&mut lines(text.as_bytes(), ".json")).unwrap_err();
            assert!(failure.message.clone().unwrap().contains(expected), "{text:?}: {failure:?}");
            assert_eq!(failure.code as u8, 2);
        }
    }

    #[test]
    fn rows_are_read_in_any_order_with_their_line_numbers() {
        let array = "[{\"a\":1},\n\n{\n\"a\":2},\n{\"a\":3}]";
        for (text, places) in [(TEXT, [(1, 0), (3, 0), (5, 0)]), (array.as_bytes(), [(1, 1), (3, 0), (5, 0)])]
        {
            let mut rows = lines(text, ".jsonl").into_rows(&Cancel::new()).unwrap();
            assert_eq!(rows.len(), 3);
            for row in [2, 0, 1, 1] {
                let found = rows.get(row).unwrap().unwrap();
                let value: serde_json::Value = serde_json::from_slice(&found.text).unwrap();
                assert_eq!((found.row, value["a"].as_u64()), (row, Some(row + 1)));
                assert_eq!((found.place.line, found.place.column), places[row as usize]);
            }
            assert!(rows.get(3).unwrap().is_none());
        }
    }
}
