//! A `.npy` file that grows row by row; the number of rows is put into its header at the end.

use super::new_file::NewFile;
use crate::commands::shape;
use crate::failure::{Failure, Outcome};
use byteorder::{ByteOrder, LittleEndian};
use lucerne::Searcher;
use lucerne::bits::{BitOrder, pack};
use std::fs::File;
use std::io::{self, BufWriter, Seek as _, SeekFrom, Write};
use std::path::{Path, PathBuf};

const BUFFER: usize = 1 << 18;
/// Bytes of the header, so that any number of rows fits in.
const HEADER: usize = 128;

/// Vectors of one field.
pub(super) struct Npy {
    field: String,
    path: PathBuf,
    file: BufWriter<File>,
    new: NewFile,
    rows: u64,
    /// Numbers of a row: components, or bytes of eight bits.
    width: usize,
    binary: bool,
}

impl Npy {
    pub(super) fn create(searcher: &Searcher, field: &str, path: &Path) -> Outcome<Self> {
        let shape = shape(searcher.schema(), field)?;
        let several =
            searcher.schema().vector_field_named(field).is_ok_and(|field| field.options().is_multiple());
        if several {
            let problem = format!("--vectors {field}: a document may have several vectors in this field");
            return Err(Failure::usage(problem).hint("without --vectors they are in the lines"));
        }
        let (new, file) = NewFile::create(path)?;
        let width = if shape.binary { shape.dimension / 8 } else { shape.dimension };
        let mut npy = Self {
            field: field.to_owned(),
            path: path.to_owned(),
            file: BufWriter::with_capacity(BUFFER, file),
            new,
            rows: 0,
            width,
            binary: shape.binary,
        };
        npy.header().map_err(|error| npy.failure(&error))?;
        Ok(npy)
    }

    pub(super) fn field(&self) -> &str {
        &self.field
    }

    /// Adds the vector of a document.
    pub(super) fn push(&mut self, key: &str, vectors: &[Vec<f32>]) -> Outcome {
        let Some(vector) = vectors.first() else {
            let field = &self.field;
            let problem = format!("document {key:?} has no vector in {field:?}, and each line needs a row");
            let hint = format!("export those that have one with --query '{field}:*', or without --vectors");
            return Err(Failure::usage(problem).hint(hint));
        };
        let bytes = if self.binary {
            pack(vector.iter().map(|bit| *bit == 1.0), BitOrder::LsbFirst)
        } else {
            let mut bytes = vec![0; vector.len() * 4];
            LittleEndian::write_f32_into(vector, &mut bytes);
            bytes
        };
        self.rows += 1;
        self.file.write_all(&bytes).map_err(|error| self.failure(&error))
    }

    /// Ends the array; the file is still to be put in its place.
    pub(super) fn finish(mut self) -> Outcome<NewFile> {
        let ended =
            self.file.seek(SeekFrom::Start(0)).and_then(|_| self.header()).and_then(|()| self.file.flush());
        ended.map_err(|error| self.failure(&error))?;
        Ok(self.new)
    }

    fn header(&mut self) -> io::Result<()> {
        let descr = if self.binary { "|u1" } else { "<f4" };
        let (rows, width) = (self.rows, self.width);
        let text = format!("{{'descr': '{descr}', 'fortran_order': False, 'shape': ({rows}, {width}), }}");
        let length = HEADER - 10;
        let mut header = b"\x93NUMPY\x01\x00".to_vec();
        header.extend((length as u16).to_le_bytes());
        header.extend(format!("{text:<0$}\n", length - 1).bytes());
        self.file.write_all(&header)
    }

    fn failure(&self, error: &io::Error) -> Failure {
        Failure::file(&self.path, "write", error)
    }
}
