//! JSON lines to a file, compressed as its name says, or to standard output.

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

/// Where lines go.
pub(super) struct Lines {
    sink: BufWriter<Sink>,
    path: Option<PathBuf>,
}

impl Lines {
    pub(super) fn create(path: Option<&Path>) -> Outcome<Self> {
        let sink = match path {
            None => Sink::Plain(Box::new(io::stdout().lock())),
            Some(path) => Sink::create(path).map_err(|error| Failure::file(path, "write", &error))?,
        };
        Ok(Self { sink: BufWriter::with_capacity(BUFFER, sink), path: path.map(Path::to_owned) })
    }

    pub(super) fn push(&mut self, fields: &Map<String, Value>) -> Outcome {
        let written = serde_json::to_writer(&mut self.sink, fields).map_err(io::Error::from);
        let written = written.and_then(|()| self.sink.write_all(b"\n"));
        written.map_err(|error| self.failure(&error))
    }

    pub(super) fn finish(mut self) -> Outcome {
        let flushed = self.sink.flush();
        let ended = flushed.and_then(|()| self.sink.get_mut().finish());
        ended.map_err(|error| self.failure(&error))
    }

    fn failure(&self, error: &io::Error) -> Failure {
        match &self.path {
            Some(path) => Failure::file(path, "write", error),
            // Whoever reads has seen enough.
            None if error.kind() == io::ErrorKind::BrokenPipe => std::process::exit(0),
            None => Failure::new(Code::Io, format!("cannot write the output: {error}")),
        }
    }
}

impl Sink {
    fn create(path: &Path) -> io::Result<Self> {
        let file = File::create(path)?;
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
