//! Documents with their vectors, in the order they arrive.

use super::lines::{Line, Lines, RandomLines};
use crate::args::Import;
use crate::failure::{Failure, Outcome};
use crate::vectors::{VectorFile, ids};
use lucerne::codec::Cancel;
use std::path::{Path, PathBuf};

/// A line and the vectors that belong to it.
#[derive(Debug)]
pub(super) struct Arrival {
    pub(super) line: Line,
    pub(super) vectors: Vec<(String, Vec<f32>)>,
}

/// Where documents come from.
pub(super) struct Source {
    order: Order,
    vectors: Vec<(String, VectorFile)>,
    left: u64,
}

enum Order {
    AsGiven(Lines),
    ByRow { lines: RandomLines, rows: std::vec::IntoIter<u32> },
}

/// How far a source has come: of how much, if that is known, and whether that is bytes.
pub(super) enum Extent {
    Bytes(u64),
    Documents(u64),
    Unknown,
}

impl Source {
    pub(super) fn open(args: &Import, vectors: Vec<(String, VectorFile)>, stop: &Cancel) -> Outcome<Self> {
        let lines = Lines::open(&args.docs, stop)?;
        let order = match &args.order {
            None => Order::AsGiven(lines),
            Some(path) => {
                let rows = ids::read_u32(path)?;
                let lines = lines.into_rows(stop)?;
                check_order(path, &rows, &lines, stop)?;
                Order::ByRow { lines, rows: rows.into_iter() }
            }
        };
        Ok(Self { order, vectors, left: args.limit.unwrap_or(u64::MAX) })
    }

    /// The name of the documents' file.
    pub(super) fn path(&self) -> &Path {
        match &self.order {
            Order::AsGiven(lines) => lines.path(),
            Order::ByRow { lines, .. } => lines.path(),
        }
    }

    pub(super) fn extent(&self) -> Extent {
        match &self.order {
            Order::ByRow { rows, .. } => Extent::Documents(self.left.min(rows.len() as u64)),
            Order::AsGiven(_) if self.left < u64::MAX => Extent::Documents(self.left),
            Order::AsGiven(lines) => lines.len().map_or(Extent::Unknown, Extent::Bytes),
        }
    }

    /// Bytes of the documents' file read so far.
    pub(super) fn consumed(&self) -> u64 {
        match &self.order {
            Order::AsGiven(lines) => lines.consumed(),
            Order::ByRow { .. } => 0,
        }
    }

    /// The next document.
    pub(super) fn next(&mut self) -> Outcome<Option<Arrival>> {
        if self.left == 0 {
            return Ok(None);
        }
        let line = match &mut self.order {
            Order::AsGiven(lines) => lines.next()?,
            Order::ByRow { lines, rows } => match rows.next() {
                None => None,
                Some(row) => lines.get(row.into())?,
            },
        };
        let Some(line) = line else { return Ok(None) };
        self.left -= 1;
        let mut vectors = Vec::with_capacity(self.vectors.len());
        for (field, file) in &mut self.vectors {
            if line.row >= file.rows() {
                let problem =
                    format!("{} rows, but line {} needs row {}", file.rows(), line.place.line, line.row);
                let hint = "line i of the documents gets row i of the vectors; --limit takes the first documents only";
                return Err(Failure::content(file.path(), problem).hint(hint));
            }
            vectors.push((field.clone(), file.row(line.row)?));
        }
        Ok(Some(Arrival { line, vectors }))
    }

    /// The file of a field's vectors.
    pub(super) fn vector_file(&self, field: &str) -> Option<&Path> {
        self.vectors.iter().find(|(name, _)| name == field).map(|(_, file)| file.path())
    }

    /// Vector files with rows that no document has asked for, when all documents were read: path, rows,
    /// documents.
    pub(super) fn rows_left(&self) -> Vec<(PathBuf, u64, u64)> {
        let Order::AsGiven(lines) = &self.order else { return Vec::new() };
        let longer = self.vectors.iter().filter(|(_, file)| file.rows() > lines.rows());
        longer.map(|(_, file)| (file.path().to_owned(), file.rows(), lines.rows())).collect()
    }
}

fn check_order(path: &Path, rows: &[u32], lines: &RandomLines, stop: &Cancel) -> Outcome {
    let wrong = rows.iter().position(|&row| u64::from(row) >= lines.len());
    match wrong {
        Some(position) if !stop.is_cancelled() => {
            let row = rows.get(position).copied().unwrap_or_default();
            let problem = format!("number {position} is row {row}, but there are {} documents", lines.len());
            Err(Failure::content(path, problem).hint("rows are counted from 0, empty lines do not count"))
        }
        _ => Ok(()),
    }
}
