//! The `.vec` file: rows one after the other, of little-endian f32 or f16, or of bits, eight components in a byte. Its
//! checksums (`summed`) are in another file.

use crate::summed::{Damage, Kind, SummedFile, SummedWriter};
use lucerne_codec::envelope::FileEntry;
use lucerne_codec::format::{OpenContext, Problem, WriteContext};
use lucerne_codec::io::Access;
use lucerne_codec::{Cancel, Component, FieldInfo, Input, Ordinal, Result};

/// Format name in the file's header.
pub const FORMAT: &str = "flat_f32";
/// Version written.
pub const VERSION: u32 = 1;
/// Format name of a file of f16.
pub const F16_FORMAT: &str = "flat_f16";
/// Version of it that is written.
pub const F16_VERSION: u32 = 1;
/// Format name of a file of bits.
pub const BITS_FORMAT: &str = "flat_bits";
/// Version of it that is written.
pub const BITS_VERSION: u32 = 1;

/// The format and version of a field's file: a row of one cannot be taken for a row of the other.
fn kind_of(field: &FieldInfo) -> Kind {
    let (format, version) = match field.component() {
        Component::Bit => (BITS_FORMAT, BITS_VERSION),
        Component::F16 => (F16_FORMAT, F16_VERSION),
        _ => (FORMAT, VERSION),
    };
    Kind { format, version, field: field.number }
}

/// Rows between two checks of the cancel flag.
const STEP: usize = 1_024;

/// Writes rows in the order given; there must be `count` of them, each as long as the field says. Returns the file and its
/// checksums.
pub fn write<'a>(
    context: &WriteContext<'_>,
    field: &FieldInfo,
    count: usize,
    rows: impl Iterator<Item = Result<&'a [u8]>>,
) -> Result<(FileEntry, Vec<u8>)> {
    let mut file = SummedWriter::create(context, "vec", kind_of(field))?;
    for (index, row) in rows.enumerate() {
        if index % STEP == 0 {
            context.cancel.check()?;
            context.progress.report("raw vectors", index as u64, count as u64);
        }
        file.write(row?)?;
    }
    context.progress.report("raw vectors", count as u64, count as u64);
    file.finish()
}

/// An open `.vec` file.
#[derive(Clone, Debug)]
pub struct RawFile {
    file: SummedFile,
    component: Component,
    row_len: usize,
    len: usize,
}

impl RawFile {
    /// Opens the file of `len` rows, with its checksums; only header, footer and length are read.
    pub fn open(
        context: &OpenContext<'_>,
        entry: &FileEntry,
        field: &FieldInfo,
        len: usize,
        sums: Input,
    ) -> Result<Self> {
        let row_len = field.row_len();
        let bytes = (len as u64).checked_mul(row_len as u64);
        let what = || format!("{len} rows of {row_len} bytes");
        let file = SummedFile::open(context, entry, kind_of(field), bytes, sums, what)?;
        file.data.advise(Access::Random);
        Ok(Self { file, component: field.component(), row_len, len })
    }

    /// Opens what is left of the file, and says where it is damaged.
    pub(crate) fn salvage(
        context: &OpenContext<'_>,
        entry: &FileEntry,
        field: &FieldInfo,
        len: usize,
        sums: Input,
        cancel: &Cancel,
    ) -> Result<(Self, Damage)> {
        let row_len = field.row_len();
        let bytes = (len as u64).checked_mul(row_len as u64);
        let (file, damage) = SummedFile::salvage(context, entry, kind_of(field), bytes, sums, cancel)?;
        Ok((Self { file, component: field.component(), row_len, len }, damage))
    }

    /// Compares the rows with their checksums.
    pub fn verify(&self, cancel: &Cancel) -> Result<Option<Problem>> {
        self.file.verify(cancel)
    }

    fn data(&self) -> &Input {
        &self.file.data
    }

    /// Number of rows.
    pub fn len(&self) -> usize {
        self.len
    }

    /// True when there are none.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// What rows consist of.
    pub fn component(&self) -> Component {
        self.component
    }

    /// Bytes of a row.
    pub fn row_len(&self) -> usize {
        self.row_len
    }

    /// Bytes of the rows.
    pub fn bytes(&self) -> &[u8] {
        self.data().bytes()
    }

    /// File name.
    pub fn name(&self) -> &str {
        self.data().name()
    }

    /// The row of a vector.
    pub fn row(&self, ordinal: Ordinal) -> Result<&[u8]> {
        self.data().slice(u64::from(ordinal) * self.row_len as u64, self.row_len as u64)
    }

    /// Loads a row's bytes ahead of their use.
    pub fn prefetch(&self, ordinal: Ordinal) {
        let offset = (ordinal as usize).saturating_mul(self.row_len);
        lucerne_simd::prefetch(self.data().bytes(), offset, self.row_len);
    }
}
