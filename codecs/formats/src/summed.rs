//! Files with a CRC-32 of every 512 bytes of their data, so that damage costs what it has hit and nothing else.
//!
//! ```text
//! data   …
//! table  [u32]  CRC-32 of each 512 bytes of the data, the last ones fewer
//!        u32    CRC-32 of these numbers
//! ```
//!
//! Opening a file reads neither the table nor what it says. A repair does, and so does a check.

use lucerne_codec::envelope::{self, EnvelopeWriter, FileEntry, HEADER_LEN, Header};
use lucerne_codec::format::{OpenContext, Problem, WriteContext};
use lucerne_codec::io::bytes::{PutLe as _, u32_at};
use lucerne_codec::{Cancel, Input, Result};

/// Bytes that a checksum covers: what disks call a sector, and a vector of 128 components.
const BLOCK: usize = 512;
/// Blocks between two looks at the cancel flag.
const STEP: usize = 1_024;

/// Format, version and field: what the header of a file says beside its segment.
#[derive(Clone, Copy)]
pub(crate) struct Kind {
    pub(crate) format: &'static str,
    pub(crate) version: u32,
    pub(crate) field: u32,
}

/// A file that is being written.
pub(crate) struct SummedWriter {
    file: EnvelopeWriter,
    table: Vec<u8>,
    /// The block that has begun.
    crc: crc32fast::Hasher,
    filled: usize,
}

impl SummedWriter {
    pub(crate) fn create(context: &WriteContext<'_>, extension: &str, kind: Kind) -> Result<Self> {
        let file = context.create(extension, kind.format, kind.version, kind.field)?;
        Ok(Self { file, table: Vec::new(), crc: crc32fast::Hasher::new(), filled: 0 })
    }

    pub(crate) fn write(&mut self, mut bytes: &[u8]) -> Result<()> {
        self.file.write(bytes)?;
        while !bytes.is_empty() {
            let (now, rest) = bytes.split_at(bytes.len().min(BLOCK - self.filled));
            self.crc.update(now);
            self.filled += now.len();
            if self.filled == BLOCK {
                self.end_block();
            }
            bytes = rest;
        }
        Ok(())
    }

    fn end_block(&mut self) {
        self.table.put_u32(std::mem::take(&mut self.crc).finalize());
        self.filled = 0;
    }

    pub(crate) fn finish(mut self) -> Result<FileEntry> {
        if self.filled > 0 {
            self.end_block();
        }
        let crc = crc32fast::hash(&self.table);
        self.table.put_u32(crc);
        self.file.write(&self.table)?;
        self.file.finish()
    }
}

/// Bytes of the table after so many bytes of data.
fn table_len(data: u64) -> u64 {
    data.div_ceil(BLOCK as u64).saturating_mul(4).saturating_add(4)
}

/// Bytes of data in a body of so many bytes, table included.
pub(crate) fn data_len(body: u64) -> Option<u64> {
    // Every 512 bytes come with 4 more.
    let blocks = body.checked_sub(4)?.div_ceil(BLOCK as u64 + 4);
    body.checked_sub(4 * blocks + 4).filter(|data| table_len(*data) + data == body)
}

/// An open file.
#[derive(Clone, Debug)]
pub(crate) struct SummedFile {
    pub(crate) data: Input,
    table: Input,
}

impl SummedFile {
    /// Opens a file with so many bytes of data; `what` is expected to make them.
    pub(crate) fn open(
        context: &OpenContext<'_>,
        entry: &FileEntry,
        kind: Kind,
        len: Option<u64>,
        what: impl FnOnce() -> String,
    ) -> Result<Self> {
        let file = context.open(entry, kind.format, kind.version, kind.field)?;
        Self::of(envelope::body(&file)?, len, what)
    }

    fn of(body: Input, len: Option<u64>, what: impl FnOnce() -> String) -> Result<Self> {
        let all = len.and_then(|len| len.checked_add(table_len(len)));
        let (Some(len), true) = (len, all == Some(body.len() as u64)) else {
            return Err(body.corrupt(0, format!("{} do not make {} bytes", what(), body.len())));
        };
        Ok(Self { data: body.sub(0, len)?, table: body.sub(len, body.len() as u64 - len)? })
    }

    /// The file with other data.
    pub(crate) fn with_data(&self, data: Input) -> Self {
        Self { data, table: self.table.clone() }
    }

    /// Opens what is left of a file, and finds out which parts of its data are damaged.
    pub(crate) fn salvage(
        context: &OpenContext<'_>,
        entry: &FileEntry,
        kind: Kind,
        len: Option<u64>,
        cancel: &Cancel,
    ) -> Result<(Self, Damage)> {
        let input = envelope::open_damaged(context.directory, entry)?;
        let file = Self::of(envelope::body(&input)?, len, || entry.name.clone())?;
        let sums = sums(file.data.bytes(), cancel)?;
        let Kind { format, version, field } = kind;
        let header = Header { format, version, segment: context.segment_id, field };
        if envelope::is_foreign(&input, header)? {
            return Ok((file, Damage(vec![true; sums.len()]))); // Whole, perhaps, but not these data.
        }
        if was_written(context, entry, kind, file.data.bytes(), cancel)? {
            return Ok((file, Damage(vec![false; sums.len()])));
        }
        // Of a file that is cut off the table is gone first.
        let there = len_there(context, entry)?.saturating_sub(HEADER_LEN);
        let (known, data_len) = (file.table.bytes(), file.data.len() as u64);
        let damaged = sums.iter().enumerate().map(|(at, sum)| {
            let end = ((at as u64 + 1) * BLOCK as u64).min(data_len);
            let known = u32_at(known, at).filter(|_| data_len + 4 * (at as u64 + 1) <= there);
            end > there || known.is_some_and(|known| known != *sum)
        });
        let damage = Damage(damaged.collect());
        Ok((file, damage))
    }

    /// Whether the table is that of the data. The file's checksum was verified.
    pub(crate) fn verify(&self, cancel: &Cancel) -> Result<Option<Problem>> {
        let table = table(self.data.bytes(), cancel)?;
        let problem = || Problem {
            file: self.data.name().to_owned(),
            problem: "its checksums of 512 bytes are not those of its data".to_owned(),
        };
        Ok((table != self.table.bytes()).then(problem))
    }
}

/// Bytes of a file that are there; of a missing one none.
pub(crate) fn len_there(context: &OpenContext<'_>, entry: &FileEntry) -> Result<u64> {
    match context.directory.file_len(&entry.name) {
        Err(error) if error.is_not_found() => Ok(0),
        len => len,
    }
}

/// Whether the file was written with this data, whatever it is like now: header, table and footer follow from the data, and
/// the segment info remembers the checksum of all.
pub(crate) fn was_written(
    context: &OpenContext<'_>,
    entry: &FileEntry,
    kind: Kind,
    data: &[u8],
    cancel: &Cancel,
) -> Result<bool> {
    let Kind { format, version, field } = kind;
    let header = Header { format, version, segment: context.segment_id, field };
    Ok(envelope::checksum_of(header, &[data, &table(data, cancel)?])? == entry.crc32)
}

fn table(data: &[u8], cancel: &Cancel) -> Result<Vec<u8>> {
    let mut table = Vec::new();
    sums(data, cancel)?.into_iter().for_each(|sum| table.put_u32(sum));
    let crc = crc32fast::hash(&table);
    table.put_u32(crc);
    Ok(table)
}

/// The checksum of each block.
fn sums(data: &[u8], cancel: &Cancel) -> Result<Vec<u32>> {
    let blocks = data.chunks(BLOCK).enumerate();
    blocks.map(|(at, block)| cancel.check_every(STEP, at).map(|()| crc32fast::hash(block))).collect()
}

/// Which parts of a file's data are damaged.
#[derive(Clone, Debug)]
pub(crate) struct Damage(Vec<bool>);

impl Damage {
    /// True when any of `len` bytes from `at` may be damaged; `at` counts from the start of the data.
    pub(crate) fn hits(&self, at: u64, len: u64) -> bool {
        let Some(last) = at.saturating_add(len).checked_sub(1).filter(|_| len > 0) else { return false };
        let (first, last) = ((at / BLOCK as u64) as usize, (last / BLOCK as u64) as usize);
        (first..=last).any(|block| self.0.get(block).copied().unwrap_or(true))
    }

    /// True when nothing is.
    pub(crate) fn is_none(&self) -> bool {
        !self.0.contains(&true)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use lucerne_codec::testing::Bench;

    const KIND: Kind = Kind { format: "test", version: 1, field: 0 };

    #[test]
    fn damage_is_what_was_hit_wherever_that_is_in_the_file() {
        for len in [0usize, 1, 511, 512, 513, 3_000] {
            let data: Vec<u8> = (0..len).map(|at| (at * 7 / 3) as u8).collect();
            let bench = Bench::new();
            let mut file = SummedWriter::create(&bench.write(1), "t", KIND).unwrap();
            data.chunks(999).for_each(|part| file.write(part).unwrap());
            let entry = file.finish().unwrap();
            let written = lucerne_codec::format::Written { files: vec![entry.clone()], ..Default::default() };
            let context = bench.open(1, &written);
            let open = SummedFile::open(&context, &entry, KIND, Some(len as u64), String::new).unwrap();
            assert_eq!(open.verify(&Cancel::new()).unwrap(), None);
            assert_eq!(data_len(len as u64 + table_len(len as u64)), Some(len as u64));
            let whole = bench.directory.get(&entry.name).unwrap().to_vec();
            for at in (0..whole.len()).step_by(61).chain([0, 63, whole.len() - 1]) {
                let mut damaged = whole.clone();
                damaged[at] ^= 0x40;
                bench.directory.put(&entry.name, damaged);
                let (_, damage) =
                    SummedFile::salvage(&context, &entry, KIND, Some(len as u64), &Cancel::new()).unwrap();
                let hit = at.checked_sub(HEADER_LEN as usize).filter(|at| *at < len).map(|at| at / BLOCK);
                for byte in 0..len {
                    assert_eq!(damage.hits(byte as u64, 1), hit == Some(byte / BLOCK), "{at} {byte}");
                }
                assert_eq!(damage.is_none(), hit.is_none());
            }
            // What is before a cut is there, though its checksums are not.
            let cut = whole.len() / 2;
            bench.directory.put(&entry.name, whole[..cut].to_vec());
            let (_, damage) =
                SummedFile::salvage(&context, &entry, KIND, Some(len as u64), &Cancel::new()).unwrap();
            for byte in 0..len {
                let end = ((byte / BLOCK + 1) * BLOCK).min(len) + HEADER_LEN as usize;
                assert_eq!(damage.hits(byte as u64, 1), end > cut, "{cut} {byte}");
            }
        }
    }
}
