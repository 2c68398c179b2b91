//! Files of row numbers: true neighbors (`.ibin`), orders of arrival (`.u32`).

use crate::failure::{Failure, Outcome};
use byteorder::{ByteOrder, LittleEndian};
use std::path::Path;

/// The true neighbors of a set of queries, nearest first.
#[derive(Debug)]
pub(crate) struct Truth {
    k: usize,
    ids: Vec<u32>,
}

impl Truth {
    /// Reads u32 queries, u32 k, then k u32 row numbers for each query.
    pub(crate) fn open(path: &Path) -> Outcome<Self> {
        let numbers = read_u32(path)?;
        let [queries, k, ids @ ..] = &*numbers else {
            return Err(Failure::content(path, "too short for a header of two u32"));
        };
        let (queries, k) = (*queries as usize, *k as usize);
        if k == 0 || queries.checked_mul(k) != Some(ids.len()) {
            let problem = format!("{queries} queries × {k} neighbors announced, {} ids follow", ids.len());
            return Err(Failure::content(path, problem));
        }
        Ok(Self { k, ids: ids.to_vec() })
    }

    /// Neighbors of each query.
    pub(crate) fn k(&self) -> usize {
        self.k
    }

    /// The neighbors of each query in turn.
    pub(crate) fn queries(&self) -> impl ExactSizeIterator<Item = &[u32]> {
        self.ids.chunks_exact(self.k)
    }
}

/// Reads a file of little-endian u32.
pub(crate) fn read_u32(path: &Path) -> Outcome<Vec<u32>> {
    let bytes = std::fs::read(path).map_err(|error| Failure::file(path, "read", &error))?;
    let (numbers, rest) = bytes.as_chunks::<4>();
    match rest {
        [] => Ok(numbers.iter().map(|bytes| LittleEndian::read_u32(bytes)).collect()),
        _ => {
            Err(Failure::content(path, format!("{} bytes long, expected a multiple of 4 (u32)", bytes.len())))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn truth(numbers: &[u32]) -> Outcome<Truth> {
        let file = tempfile::NamedTempFile::new().unwrap();
        let mut bytes = vec![0; numbers.len() * 4];
        LittleEndian::write_u32_into(numbers, &mut bytes);
        std::fs::write(file.path(), bytes).unwrap();
        Truth::open(file.path())
    }

    #[test]
    fn a_truth_file_holds_what_its_header_announces() {
        let read = truth(&[2, 3, 10, 11, 12, 20, 21, 22]).unwrap();
        assert_eq!(read.k(), 3);
        assert_eq!(read.queries().collect::<Vec<_>>(), [[10, 11, 12], [20, 21, 22]]);
        for bad in [&[][..], &[1], &[2, 3, 1], &[1, 0], &[u32::MAX, u32::MAX, 1]] {
            assert_eq!(truth(bad).unwrap_err().code as u8, 2, "{bad:?}");
        }
    }
}
