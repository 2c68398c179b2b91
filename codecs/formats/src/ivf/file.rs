//! The `.ivf` file: where the lists end, and their centroids.
//!
//! ```text
//! body
//!   ends        lists u32           one after the last ordinal of each list, ascending; the last is the number of vectors
//!   centroids   lists × row_len     rows of bits
//! ```
//! The number of lists is in [`ListsMeta`], under the segment info's checksum; the file's length must fit it. The ends are
//! checked when the file is opened: lists that overlap would return a vector twice.

use super::train;
use crate::encoding::raw::RawVectors;
use crate::verify::each_vector;
use lucerne_codec::envelope::{self, FOOTER_LEN, FileEntry, HEADER_LEN};
use lucerne_codec::format::{OpenContext, Problem, WriteContext};
use lucerne_codec::io::bytes;
use lucerne_codec::{Cancel, FieldInfo, Input, Result};
use serde::{Deserialize, Serialize};
use std::ops::Range;

/// Extension of the file's name.
pub const EXTENSION: &str = "ivf";
/// Name in the file's envelope.
pub const FORMAT: &str = "ivf";
/// Version written; no other is read.
pub const VERSION: u32 = 1;

/// What must be known to open the lists' file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ListsMeta {
    /// Number of lists.
    pub lists: u32,
}

/// Writes lists.
pub fn write(
    context: &WriteContext<'_>,
    field: &FieldInfo,
    centroids: &[u8],
    ends: &[u32],
) -> Result<(FileEntry, ListsMeta)> {
    let mut file = context.create(EXTENSION, FORMAT, VERSION, field.number)?;
    file.write_u32s(ends.iter().copied())?;
    file.write(centroids)?;
    Ok((file.finish()?, ListsMeta { lists: ends.len() as u32 }))
}

/// Lists in an open file.
#[derive(Debug)]
pub struct ListFile {
    body: Input,
    lists: usize,
    /// Vectors of the segment.
    len: usize,
}

impl ListFile {
    /// Opens the lists of `len` vectors; header, footer, length and the ends are read.
    pub fn open(
        context: &OpenContext<'_>,
        entry: &FileEntry,
        field: &FieldInfo,
        len: usize,
        meta: &ListsMeta,
    ) -> Result<Self> {
        let file = context.open(entry, FORMAT, VERSION, field.number)?;
        let bytes = u64::from(meta.lists).checked_mul(field.row_len() as u64 + 4);
        let whole = bytes.and_then(|bytes| bytes.checked_add(HEADER_LEN + FOOTER_LEN));
        if meta.lists == 0 || meta.lists as usize > len || whole != Some(file.len() as u64) {
            let problem = format!("{} lists of {len} vectors do not make {} bytes", meta.lists, file.len());
            return Err(file.corrupt(0, problem));
        }
        let file = Self { body: envelope::body(&file)?, lists: meta.lists as usize, len };
        (0..file.lists).try_for_each(|list| file.range(list).map(drop))?;
        let last = file.end(file.lists - 1);
        if last != len {
            let problem = format!("the lists hold {last} of {len} vectors");
            return Err(file.body.corrupt((file.lists as u64 - 1) * 4, problem));
        }
        Ok(file)
    }

    /// Number of lists.
    pub fn count(&self) -> usize {
        self.lists
    }

    /// Bytes of ends and centroids.
    pub fn bytes(&self) -> usize {
        self.body.len()
    }

    /// File name.
    pub fn name(&self) -> &str {
        self.body.name()
    }

    /// The rows of the centroids.
    pub fn centroids(&self) -> &[u8] {
        self.body.bytes().get(self.lists * 4..).unwrap_or_default()
    }

    fn end(&self, list: usize) -> usize {
        let ends = self.body.bytes().get(..self.lists * 4).unwrap_or_default();
        bytes::u32_at(ends, list).map_or(0, |end| end as usize)
    }

    /// The ordinals of a list.
    pub fn range(&self, list: usize) -> Result<Range<usize>> {
        let start = list.checked_sub(1).map_or(0, |before| self.end(before));
        let end = self.end(list);
        if list >= self.lists || start > end || end > self.len {
            let problem = format!("list {list} of {} goes from {start} to {end} of {}", self.lists, self.len);
            return Err(self.body.corrupt(list as u64 * 4, problem));
        }
        Ok(start..end)
    }

    /// Checks that the lists are all vectors, each in the list of its nearest centroid.
    pub fn verify(&self, raw: &RawVectors, cancel: &Cancel) -> Result<Vec<Problem>> {
        let problem = |problem: String| Problem { file: self.name().to_owned(), problem };
        let mut list_of: Vec<u32> = Vec::with_capacity(raw.len());
        for list in 0..self.count() {
            match self.range(list) {
                Ok(range) => list_of.extend(range.map(|_| list as u32)),
                Err(error) => return Ok(vec![problem(error.to_string())]),
            }
        }
        let mut distances = Vec::new();
        each_vector(raw.len(), cancel, self.name(), |ordinal| {
            let row = raw.row(ordinal)?;
            let nearest = train::nearest(raw.similarity(), self.centroids(), row.len(), row, &mut distances);
            let own = list_of.get(ordinal as usize).copied();
            Ok((own != Some(nearest)).then(|| format!("it is in list {own:?}, nearest is {nearest}")))
        })
    }
}
