//! JSON lines to a file, compressed as its name says, or to standard output.

use super::new_file::NewFile;
use crate::failure::{Code, Failure, Outcome};
use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::{Map, Value};
use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

const BUFFER: usize = 1 << 18;

enum Sink {
    Plain(Box<dyn Write>),
    Gzip(GzEncoder<File>),
    Zstd(zstd::Encoder<'static, File>),
}

/// What became of a line.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Pushed {
    Written,
    NobodyReads,
}

/// Where lines go.
pub(super) struct Lines {
    sink: BufWriter<Sink>,
    path: Option<PathBuf>,
    new: Option<NewFile>,
}

impl Lines {
    pub(super) fn create(path: Option<&Path>) -> Outcome<Self> {
        let (sink, new) = match path {
            None => (Sink::Plain(Box::new(io::stdout().lock())), None),
            Some(path) => {
                let (new, file) = NewFile::create(path)?;
                let sink = Sink::into(file, path).map_err(|error| Failure::file(path, "write", &error))?;
                (sink, Some(new))
            }
        };
        Ok(Self { sink: BufWriter::with_capacity(BUFFER, sink), path: path.map(Path::to_owned), new })
    }

    /// Adds a line. [`Pushed::NobodyReads`] when the reader of standard output has seen enough.
    pub(super) fn push(&mut self, fields: &Map<String, Value>) -> Outcome<Pushed> {
        let written = serde_json::to_writer(&mut self.sink, fields).map_err(io::Error::from);
        let written = written.and_then(|()| self.sink.write_all(b"\n"));
        self.pushed(written)
    }

    /// Ends the lines; the file is still to be put in its place.
    pub(super) fn finish(mut self) -> Outcome<Option<NewFile>> {
        let flushed = self.sink.flush();
        let ended = flushed.and_then(|()| self.sink.get_mut().finish());
        self.pushed(ended)?;
        Ok(self.new)
    }

    fn pushed(&self, written: io::Result<()>) -> Outcome<Pushed> {
        match (written, &self.path) {
            (Ok(()), _) => Ok(Pushed::Written),
            (Err(error), Some(path)) => Err(Failure::file(path, "write", &error)),
            (Err(error), None) if error.kind() == io::ErrorKind::BrokenPipe => Ok(Pushed::NobodyReads),
            (Err(error), None) => Err(Failure::new(Code::Io, format!("cannot write the output: {error}"))),
        }
    }
}

impl Sink {
    /// Into a file, compressed as the name of `path` says.
    fn into(file: File, path: &Path) -> io::Result<Self> {
        let name = path.to_string_lossy();
        Ok(if name.ends_with(".gz") {
            Self::Gzip(GzEncoder::new(file, Compression::default()))
        } else if name.ends_with(".zst") {
            Self::Zstd(zstd::Encoder::new(file, 0)?)
        } else {
            Self::Plain(Box::new(file))
        })
    }

    fn finish(&mut self) -> io::Result<()> {
        match self {
            Self::Plain(plain) => plain.flush(),
            Self::Gzip(gzip) => gzip.try_finish(),
            Self::Zstd(zstd) => zstd.do_finish(),
        }
    }
}

impl Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Plain(plain) => plain.write(bytes),
            Self::Gzip(gzip) => gzip.write(bytes),
            Self::Zstd(zstd) => zstd.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Plain(plain) => plain.flush(),
            Self::Gzip(gzip) => gzip.flush(),
            Self::Zstd(zstd) => zstd.flush(),
        }
    }
}
