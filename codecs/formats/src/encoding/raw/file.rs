//! The `.vec` file: rows one after the other, of little-endian f32, or of bits, eight components in a byte.

use lucerne_codec::envelope::{self, FOOTER_LEN, FileEntry, HEADER_LEN};
use lucerne_codec::format::{OpenContext, WriteContext};
use lucerne_codec::io::Access;
use lucerne_codec::{Component, FieldInfo, Input, Ordinal, Result};

/// Format name in the file's header.
pub const FORMAT: &str = "flat_f32";
/// Version written.
pub const VERSION: u32 = 1;
/// Format name of a file of bits.
pub const BITS_FORMAT: &str = "flat_bits";
/// Version of it that is written.
pub const BITS_VERSION: u32 = 1;

/// The format and version of a field's file: a row of one cannot be taken for a row of the other.
fn format_of(field: &FieldInfo) -> (&'static str, u32) {
    match field.component() {
        Component::Bit => (BITS_FORMAT, BITS_VERSION),
        _ => (FORMAT, VERSION),
    }
}

/// Rows between two checks of the cancel flag.
const STEP: usize = 1_024;

/// Writes rows in the order given; there must be `count` of them, each as long as the field says.
pub fn write<'a>(
    context: &WriteContext<'_>,
    field: &FieldInfo,
    count: usize,
    rows: impl Iterator<Item = Result<&'a [u8]>>,
) -> Result<FileEntry> {
    let (format, version) = format_of(field);
    let mut file = context.create("vec", format, version, field.number)?;
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
    body: Input,
    row_len: usize,
    len: usize,
}

impl RawFile {
    /// Opens the file of `len` rows; only header, footer and length are read.
    pub fn open(context: &OpenContext<'_>, entry: &FileEntry, field: &FieldInfo, len: usize) -> Result<Self> {
        let (format, version) = format_of(field);
        let file = context.open(entry, format, version, field.number)?;
        let row_len = field.row_len();
        let bytes = (len as u64).checked_mul(row_len as u64);
        if bytes.and_then(|bytes| bytes.checked_add(HEADER_LEN + FOOTER_LEN)) != Some(file.len() as u64) {
            let problem = format!("{len} rows of {row_len} bytes do not make {} bytes", file.len());
            return Err(file.corrupt(0, problem));
        }
        let body = envelope::body(&file)?;
        body.advise(Access::Random);
        Ok(Self { body, row_len, len })
    }

    /// Number of rows.
    pub fn len(&self) -> usize {
        self.len
    }

    /// True when there are none.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Bytes of a row.
    pub fn row_len(&self) -> usize {
        self.row_len
    }

    /// Bytes of the rows.
    pub fn bytes(&self) -> &[u8] {
        self.body.bytes()
    }

    /// File name.
    pub fn name(&self) -> &str {
        self.body.name()
    }

    /// The row of a vector.
    pub fn row(&self, ordinal: Ordinal) -> Result<&[u8]> {
        self.body.slice(u64::from(ordinal) * self.row_len as u64, self.row_len as u64)
    }

    /// Loads a row's bytes ahead of their use.
    pub fn prefetch(&self, ordinal: Ordinal) {
        let offset = (ordinal as usize).saturating_mul(self.row_len);
        lucerne_simd::prefetch(self.body.bytes(), offset, self.row_len);
    }
}
