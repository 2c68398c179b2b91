//! Lines of a file, of a compressed file, or of standard input.

use crate::failure::{Failure, Outcome};
use lucerne::codec::Cancel;
use std::fs::File;
use std::io::{self, BufRead, BufReader, BufWriter, Read, Seek as _, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::time::Duration;

/// Bytes of a line at most: a file that is not made of lines must not fill the memory.
const MAX_LINE: u64 = 256 << 20;
const BUFFER: usize = 1 << 18;

/// A line that holds something. `number` counts all lines from 1, `row` those that hold something from 0.
#[derive(Debug)]
pub(super) struct Line {
    pub(super) number: u64,
    pub(super) row: u64,
    pub(super) text: Vec<u8>,
}

/// Lines one after the other.
pub(super) struct Lines {
    path: PathBuf,
    input: Box<dyn BufRead + Send>,
    /// Lines and rows read so far.
    number: u64,
    rows: u64,
    /// Bytes of the file consumed, before decompression.
    consumed: Arc<AtomicU64>,
    /// Length of the file, if it is one.
    len: Option<u64>,
}

impl Lines {
    pub(super) fn open(path: &Path, stop: &Cancel) -> Outcome<Self> {
        let consumed = Arc::new(AtomicU64::new(0));
        if path.as_os_str() == "-" {
            let input = Box::new(BufReader::with_capacity(BUFFER, Stdin::new(stop.clone())));
            let path = PathBuf::from("standard input");
            return Ok(Self { path, input, number: 0, rows: 0, consumed, len: None });
        }
        let cannot = |error: io::Error| Failure::file(path, "read", &error);
        let file = File::open(path).map_err(cannot)?;
        let metadata = file.metadata().map_err(cannot)?;
        let counted = Counted { file, consumed: Arc::clone(&consumed) };
        let input: Box<dyn BufRead + Send> = if path.extension().is_some_and(|extension| extension == "zst") {
            let decoder = zstd::Decoder::new(counted).map_err(cannot)?;
            Box::new(BufReader::with_capacity(BUFFER, decoder))
        } else {
            Box::new(BufReader::with_capacity(BUFFER, counted))
        };
        let len = metadata.is_file().then_some(metadata.len());
        Ok(Self { path: path.to_owned(), input, number: 0, rows: 0, consumed, len })
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

    /// Lines so far that hold something.
    pub(super) fn rows(&self) -> u64 {
        self.rows
    }

    /// The next line that holds something.
    pub(super) fn next(&mut self) -> Outcome<Option<Line>> {
        loop {
            let mut text = Vec::new();
            let read = read_line(&mut *self.input, &mut text);
            let path = &self.path;
            let number = self.number + 1;
            if read.map_err(|error| Failure::file(path, &format!("read line {number}"), &error))? == 0 {
                return Ok(None);
            }
            if text.len() as u64 > MAX_LINE {
                let problem = format!("line {number} is longer than {} MiB", MAX_LINE >> 20);
                return Err(Failure::content(path, problem).hint("expected JSON objects, one per line"));
            }
            self.number = number;
            if number == 1 && text.starts_with(b"\xef\xbb\xbf") {
                text.drain(..3); // A byte order mark.
            }
            if !text.iter().all(u8::is_ascii_whitespace) {
                let row = self.rows;
                self.rows += 1;
                return Ok(Some(Line { number, row, text }));
            }
        }
    }

    /// All lines, to be read in any order. They are copied to an unnamed temporary file, which takes no
    /// memory and is gone with the process.
    pub(super) fn into_rows(mut self, stop: &Cancel) -> Outcome<RandomLines> {
        let cannot =
            |error: io::Error| Failure::file(&std::env::temp_dir(), "write a temporary file", &error);
        let mut copy = BufWriter::with_capacity(BUFFER, tempfile::tempfile().map_err(cannot)?);
        let (mut rows, mut position) = (Vec::new(), 0);
        while let Some(mut line) = self.next()? {
            if stop.is_cancelled() {
                break;
            }
            if line.text.last() != Some(&b'\n') {
                line.text.push(b'\n');
            }
            copy.write_all(&line.text).map_err(cannot)?;
            rows.push((position, line.number));
            position += line.text.len() as u64;
        }
        let mut file = copy.into_inner().map_err(|error| cannot(error.into_error()))?;
        file.rewind().map_err(cannot)?;
        let input = BufReader::with_capacity(1 << 14, file);
        Ok(RandomLines { path: self.path, input, rows, position: 0 })
    }
}

/// Lines in any order.
#[derive(Debug)]
pub(super) struct RandomLines {
    path: PathBuf,
    input: BufReader<File>,
    /// Position and line number of each row.
    rows: Vec<(u64, u64)>,
    position: u64,
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
        let Some(&(start, number)) = found else { return Ok(None) };
        let mut text = Vec::new();
        let read = self
            .input
            .seek_relative(start.wrapping_sub(self.position) as i64)
            .and_then(|()| self.input.read_until(b'\n', &mut text));
        let read = read.map_err(|error| Failure::file(&self.path, &format!("read line {number}"), &error))?;
        self.position = start + read as u64;
        Ok(Some(Line { number, row, text }))
    }
}

/// Reads a line with its end, but not more than one byte too many.
fn read_line(input: &mut (dyn BufRead + Send), text: &mut Vec<u8>) -> io::Result<usize> {
    input.take(MAX_LINE + 1).read_until(b'\n', text)
}

/// A file that counts what was read.
struct Counted {
    file: File,
    consumed: Arc<AtomicU64>,
}

impl Read for Counted {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let read = self.file.read(into)?;
        self.consumed.fetch_add(read as u64, Ordering::Relaxed);
        Ok(read)
    }
}

/// Standard input that ends when it is told to stop, even while nothing arrives: a thread of its own waits
/// for it.
struct Stdin {
    chunks: Receiver<io::Result<Vec<u8>>>,
    chunk: io::Cursor<Vec<u8>>,
    stop: Cancel,
}

impl Stdin {
    fn new(stop: Cancel) -> Self {
        let (sender, chunks) = sync_channel(4);
        std::thread::spawn(move || {
            let mut input = io::stdin().lock();
            loop {
                let mut chunk = vec![0; 1 << 16];
                let read = match input.read(&mut chunk) {
                    Ok(0) => break,
                    Ok(read) => {
                        chunk.truncate(read);
                        Ok(chunk)
                    }
                    Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                    Err(error) => Err(error),
                };
                let failed = read.is_err();
                if sender.send(read).is_err() || failed {
                    break;
                }
            }
        });
        Self { chunks, chunk: io::Cursor::default(), stop }
    }
}

impl Read for Stdin {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        loop {
            let read = self.chunk.read(into)?;
            if read > 0 || into.is_empty() {
                return Ok(read);
            }
            match self.chunks.recv_timeout(Duration::from_millis(50)) {
                Ok(chunk) => self.chunk = io::Cursor::new(chunk?),
                Err(RecvTimeoutError::Timeout) if !self.stop.is_cancelled() => {}
                Err(_) => return Ok(0),
            }
        }
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

    const TEXT: &[u8] = b"\xef\xbb\xbf{\"a\":1}\n\n{\"a\":2}\r\n  \n{\"a\":3}";

    #[test]
    fn empty_lines_do_not_count_as_rows_but_as_lines() {
        for (text, suffix) in [(TEXT.to_vec(), ".jsonl"), (zstd::encode_all(TEXT, 1).unwrap(), ".jsonl.zst")]
        {
            let mut lines = lines(&text, suffix);
            let mut found = Vec::new();
            while let Some(line) = lines.next().unwrap() {
                found.push((line.number, line.row, String::from_utf8(line.text).unwrap()));
            }
            let expected = [(1, 0, "{\"a\":1}\n"), (3, 1, "{\"a\":2}\r\n"), (5, 2, "{\"a\":3}")];
            assert_eq!(found, expected.map(|(number, row, text)| (number, row, text.to_owned())));
            assert_eq!((lines.rows(), lines.consumed()), (3, text.len() as u64));
        }
    }

    #[test]
    fn rows_are_read_in_any_order_with_their_line_numbers() {
        let mut rows = lines(TEXT, ".jsonl").into_rows(&Cancel::new()).unwrap();
        assert_eq!(rows.len(), 3);
        for (row, number, text) in [(2, 5, "{\"a\":3}\n"), (0, 1, "{\"a\":1}\n"), (1, 3, "{\"a\":2}\r\n")] {
            let line = rows.get(row).unwrap().unwrap();
            assert_eq!((line.number, line.row, &*line.text), (number, row, text.as_bytes()));
        }
        assert!(rows.get(3).unwrap().is_none());
    }
}
