//! A CRC-32 of every 512 bytes of a file's data, so that damage costs what it has hit and nothing else. The checksums are
//! in another file (`vectors/spare`): what hits the data does not hit them.
//!
//! Opening a file reads no checksum. A repair does, and so does a check.

use lucerne_codec::envelope::{self, EnvelopeWriter, FOOTER_LEN, FileEntry, HEADER_LEN, Header};
use lucerne_codec::format::{OpenContext, Problem, WriteContext};
use lucerne_codec::io::bytes::{PutLe as _, u32_at};
use lucerne_codec::{Cancel, Input, Result};
use std::sync::Arc;

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

impl Kind {
    fn header(self, context: &OpenContext<'_>) -> Header<'static> {
        let Self { format, version, field } = self;
        Header { format, version, segment: context.segment_id, field }
    }
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

    /// The file, and its checksums.
    pub(crate) fn finish(mut self) -> Result<(FileEntry, Vec<u8>)> {
        if self.filled > 0 {
            self.end_block();
        }
        Ok((self.file.finish()?, self.table))
    }
}

/// Bytes of the checksums of so many bytes of data.
pub(crate) fn table_len(data: u64) -> u64 {
    data.div_ceil(BLOCK as u64).saturating_mul(4)
}

/// An open file.
#[derive(Clone, Debug)]
pub(crate) struct SummedFile {
    pub(crate) data: Input,
    table: Input,
}

impl SummedFile {
    /// Opens a file with so many bytes of data, which `what` is expected to make, and these checksums.
    pub(crate) fn open(
        context: &OpenContext<'_>,
        entry: &FileEntry,
        kind: Kind,
        len: Option<u64>,
        table: Input,
        what: impl FnOnce() -> String,
    ) -> Result<Self> {
        let data = envelope::body(&context.open(entry, kind.format, kind.version, kind.field)?)?;
        let data = of_len(data, len, what)?;
        let wanted = table_len(data.len() as u64);
        if table.len() as u64 != wanted {
            return Err(table.corrupt(0, format!("{} bytes of checksums, expected {wanted}", table.len())));
        }
        Ok(Self { data, table })
    }

    /// Opens what is left of a file, and finds out which parts of its data are damaged: by those checksums that are left.
    pub(crate) fn salvage(
        context: &OpenContext<'_>,
        entry: &FileEntry,
        kind: Kind,
        len: Option<u64>,
        table: Input,
        cancel: &Cancel,
    ) -> Result<(Self, Damage)> {
        let input = envelope::open_damaged(context.directory, entry)?;
        let data = of_len(envelope::body(&input)?, len, || entry.name.clone())?;
        let file = Self { data, table };
        let sums = sums(file.data.bytes(), cancel)?;
        if envelope::is_foreign(&input, kind.header(context))? {
            return Ok((file, Damage(vec![true; sums.len()]))); // Whole, perhaps, but not these data.
        }
        if was_written(context, entry, kind, file.data.bytes())? {
            return Ok((file, Damage(vec![false; sums.len()])));
        }
        let there = len_there(context, entry)?.saturating_sub(HEADER_LEN);
        let (known, data_len) = (file.table.bytes(), file.data.len() as u64);
        let damaged = sums.iter().enumerate().map(|(at, sum)| {
            let end = ((at as u64 + 1) * BLOCK as u64).min(data_len);
            end > there || u32_at(known, at).is_some_and(|known| known != *sum)
        });
        let damage = Damage(damaged.collect());
        Ok((file, damage))
    }

    /// Whether the checksums are those of the data. Those of the files were verified.
    pub(crate) fn verify(&self, cancel: &Cancel) -> Result<Option<Problem>> {
        let mut table = Vec::with_capacity(self.table.len());
        sums(self.data.bytes(), cancel)?.into_iter().for_each(|sum| table.put_u32(sum));
        let problem = || Problem {
            file: self.table.name().to_owned(),
            problem: format!("its checksums are not those of {}", self.data.name()),
        };
        Ok((table != self.table.bytes()).then(problem))
    }
}

fn of_len(data: Input, len: Option<u64>, what: impl FnOnce() -> String) -> Result<Input> {
    match len {
        Some(len) if len == data.len() as u64 => Ok(data),
        _ => Err(data.corrupt(0, format!("{} do not make {} bytes", what(), data.len()))),
    }
}

/// Bytes of a file that are there; of a missing one none.
fn len_there(context: &OpenContext<'_>, entry: &FileEntry) -> Result<u64> {
    match context.directory.file_len(&entry.name) {
        Err(error) if error.is_not_found() => Ok(0),
        len => len,
    }
}

/// The body of a file that may be damaged, as far as it is there: less of it when the file is cut off, nothing when it is
/// missing or another one's.
pub(crate) fn body_there(context: &OpenContext<'_>, entry: &FileEntry, kind: Kind) -> Result<Input> {
    let nothing = || Input::new(&entry.name, Arc::new(Vec::new()));
    let input = match context.directory.open(&entry.name) {
        Err(error) if error.is_not_found() => return Ok(nothing()),
        input => input?,
    };
    let end = (input.len() as u64).min(entry.len.saturating_sub(FOOTER_LEN));
    match end.checked_sub(HEADER_LEN) {
        Some(len) if !envelope::is_foreign(&input, kind.header(context))? => input.sub(HEADER_LEN, len),
        _ => Ok(nothing()),
    }
}

/// Whether the file was written with this data, whatever it is like now: header and footer follow from the data, and the
/// segment info remembers the checksum of all.
pub(crate) fn was_written(
    context: &OpenContext<'_>,
    entry: &FileEntry,
    kind: Kind,
    data: &[u8],
) -> Result<bool> {
    Ok(envelope::checksum_of(kind.header(context), &[data])? == entry.crc32)
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
            let data: Vec<u8> = (0..len).map(|at| (at * 7 / 3 + 1) as u8).collect();
            let bench = Bench::new();
            let mut file = SummedWriter::create(&bench.write(1), "t", KIND).unwrap();
            data.chunks(999).for_each(|part| file.write(part).unwrap());
            let (entry, table) = file.finish().unwrap();
            assert_eq!(table.len() as u64, table_len(len as u64));
            let table = Input::new("sums", Arc::new(table));
            let written = lucerne_codec::format::Written { files: vec![entry.clone()], ..Default::default() };
            let context = bench.open(1, &written);
            let all = Some(len as u64);
            let open = SummedFile::open(&context, &entry, KIND, all, table.clone(), String::new).unwrap();
            assert_eq!(open.verify(&Cancel::new()).unwrap(), None);
            let salvage = |table: &Input| {
                SummedFile::salvage(&context, &entry, KIND, all, table.clone(), &Cancel::new()).unwrap().1
            };
            let whole = bench.directory.get(&entry.name).unwrap().to_vec();
            for at in (0..whole.len()).step_by(61).chain([0, 63, whole.len() - 1]) {
                let mut damaged = whole.clone();
                damaged[at] ^= 0x40;
                bench.directory.put(&entry.name, damaged);
                let damage = salvage(&table);
                let hit = at.checked_sub(HEADER_LEN as usize).filter(|at| *at < len).map(|at| at / BLOCK);
                for byte in 0..len {
                    assert_eq!(damage.hits(byte as u64, 1), hit == Some(byte / BLOCK), "{at} {byte}");
                }
                assert_eq!(damage.is_none(), hit.is_none());
            }
            // What is before a cut is verified.
            let cut = whole.len() / 2;
            let mut damaged = whole[..cut].to_vec();
            let hit = damaged.get_mut(HEADER_LEN as usize).map(|byte| *byte ^= 1).is_some();
            bench.directory.put(&entry.name, damaged);
            let damage = salvage(&table);
            for byte in 0..len {
                let end = ((byte / BLOCK + 1) * BLOCK).min(len) + HEADER_LEN as usize;
                assert_eq!(damage.hits(byte as u64, 1), end > cut || hit && byte < BLOCK, "{cut} {byte}");
            }
            // Without checksums it is taken as it is.
            let damage = salvage(&Input::new("sums", Arc::new(Vec::new())));
            for byte in 0..len {
                let end = ((byte / BLOCK + 1) * BLOCK).min(len) + HEADER_LEN as usize;
                assert_eq!(damage.hits(byte as u64, 1), end > cut, "{cut} {byte}");
            }
        }
    }
}
