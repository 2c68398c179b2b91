//! The envelope around every file: a 64-byte header, the body, a 16-byte footer.
//!
//! ```text
//! header  0  u32      magic "LCRN"
//!         4  u32      format version
//!         8  [u8; 24] format name, ASCII, zero padded
//!        32  [u8; 16] segment id (zero for files of the whole index)
//!        48  u32      field number (0xFFFF_FFFF for files of the whole segment)
//!        52  [u8; 8]  zero
//!        60  u32      CRC-32 of the 60 bytes before
//! body   64  …        starts on a 64-byte boundary
//! footer  0  u32      magic "NRCL"
//!         4  u64      length of the whole file
//!        12  u32      CRC-32 of everything before these four bytes
//! ```

use crate::io::bytes::PutLe;
use crate::{Directory, Error, Input, Output, Result, SegmentId};
use byteorder::{ByteOrder, LittleEndian};
use serde::{Deserialize, Serialize};

/// Length of the header; the body starts here.
pub const HEADER_LEN: u64 = 64;
/// Length of the footer.
pub const FOOTER_LEN: u64 = 16;
/// The field number of files that belong to no single field.
pub const NO_FIELD: u32 = u32::MAX;

const HEADER_MAGIC: u32 = u32::from_le_bytes(*b"LCRN");
const FOOTER_MAGIC: u32 = u32::from_le_bytes(*b"NRCL");
const NAME_LEN: usize = 24;
/// Bytes of numbers written at a time; no length of a number leaves a rest.
const BUFFER: usize = 1 << 16;

/// A finished file, as the segment info or the commit remembers it: cross-file agreement at open.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FileEntry {
    /// File name in the index folder.
    pub name: String,
    /// Length in bytes, header and footer included.
    pub len: u64,
    /// The CRC-32 in the footer.
    pub crc32: u32,
}

/// What a file says it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header<'a> {
    /// Format name, at most 24 ASCII bytes.
    pub format: &'a str,
    /// Format version.
    pub version: u32,
    /// The segment the file belongs to.
    pub segment: SegmentId,
    /// The field the file belongs to, or [`NO_FIELD`].
    pub field: u32,
}

/// Writes one file: header first, checksum last.
pub struct EnvelopeWriter {
    output: Box<dyn Output>,
    name: String,
    crc: crc32fast::Hasher,
    position: u64,
}

impl EnvelopeWriter {
    /// Creates `name` and writes its header.
    pub fn create(directory: &dyn Directory, name: &str, header: Header<'_>) -> Result<Self> {
        let output = directory.create(name)?;
        let mut writer = Self { output, name: name.to_owned(), crc: crc32fast::Hasher::new(), position: 0 };
        writer.write(&encode_header(header)?)?;
        Ok(writer)
    }

    /// Appends to the body.
    pub fn write(&mut self, bytes: &[u8]) -> Result<()> {
        self.crc.update(bytes);
        self.position += bytes.len() as u64;
        self.output.write(bytes)
    }

    /// Appends a `u32`.
    pub fn write_u32(&mut self, number: u32) -> Result<()> {
        let mut bytes = [0; 4];
        LittleEndian::write_u32(&mut bytes, number);
        self.write(&bytes)
    }

    /// Appends a `u64`.
    pub fn write_u64(&mut self, number: u64) -> Result<()> {
        let mut bytes = [0; 8];
        LittleEndian::write_u64(&mut bytes, number);
        self.write(&bytes)
    }

    /// Appends `u32` numbers.
    pub fn write_u32s(&mut self, numbers: impl IntoIterator<Item = u32>) -> Result<()> {
        self.write_buffered(numbers, Vec::put_u32)
    }

    /// Appends `u64` numbers.
    pub fn write_u64s(&mut self, numbers: impl IntoIterator<Item = u64>) -> Result<()> {
        self.write_buffered(numbers, Vec::put_u64)
    }

    /// Appends `f32` numbers.
    pub fn write_f32s(&mut self, numbers: impl IntoIterator<Item = f32>) -> Result<()> {
        self.write_buffered(numbers, Vec::put_f32)
    }

    fn write_buffered<T>(
        &mut self,
        numbers: impl IntoIterator<Item = T>,
        put: impl Fn(&mut Vec<u8>, T),
    ) -> Result<()> {
        let mut buffer = Vec::with_capacity(BUFFER);
        for number in numbers {
            put(&mut buffer, number);
            if buffer.len() >= BUFFER {
                self.write(&buffer)?;
                buffer.clear();
            }
        }
        self.write(&buffer)
    }

    /// Appends zero bytes up to the next multiple of `alignment` (of the position in the file).
    pub fn align(&mut self, alignment: u64) -> Result<()> {
        let mut gap = self.position.next_multiple_of(alignment.max(1)) - self.position;
        while gap > 0 {
            let step = gap.min(64);
            self.write([0u8; 64].get(..step as usize).unwrap_or_default())?;
            gap -= step;
        }
        Ok(())
    }

    /// Position in the file of the next byte (the header counts).
    pub fn position(&self) -> u64 {
        self.position
    }

    /// Writes the footer and closes the file.
    pub fn finish(mut self) -> Result<FileEntry> {
        let len = self.position + FOOTER_LEN;
        self.write_u32(FOOTER_MAGIC)?;
        self.write_u64(len)?;
        let crc32 = self.crc.clone().finalize();
        self.write_u32(crc32)?;
        self.output.finish()?;
        Ok(FileEntry { name: self.name, len, crc32 })
    }
}

fn encode_header(header: Header<'_>) -> Result<[u8; HEADER_LEN as usize]> {
    let name = header.format.as_bytes();
    if name.is_empty() || name.len() > NAME_LEN || !header.format.is_ascii() {
        return Err(Error::Invalid(format!(
            "format name {:?}: expected 1 to {NAME_LEN} ASCII bytes",
            header.format
        )));
    }
    let mut padded = [0u8; NAME_LEN];
    padded.iter_mut().zip(name).for_each(|(to, from)| *to = *from);
    let mut bytes = Vec::with_capacity(HEADER_LEN as usize);
    bytes.put_u32(HEADER_MAGIC);
    bytes.put_u32(header.version);
    bytes.extend_from_slice(&padded);
    bytes.extend_from_slice(&header.segment.0);
    bytes.put_u32(header.field);
    bytes.extend_from_slice(&[0; 8]);
    bytes.put_u32(crc32fast::hash(&bytes));
    let mut fixed = [0u8; HEADER_LEN as usize];
    fixed.copy_from_slice(&bytes);
    Ok(fixed)
}

/// What [`open_checked`] must find.
#[derive(Clone, Copy, Debug)]
pub struct Expected<'a> {
    /// Format name.
    pub format: &'a str,
    /// Oldest and newest version that can be read.
    pub versions: (u32, u32),
    /// The segment the file must belong to.
    pub segment: SegmentId,
    /// The field the file must belong to.
    pub field: u32,
}

/// True when a file begins as every file of a format does. Whether it is whole is for the other functions to say.
pub fn has_header(input: &Input) -> bool {
    input.bytes().starts_with(&HEADER_MAGIC.to_le_bytes())
}

/// Opens a file and checks its structure: header, identity, version, footer and length, not yet the body's
/// checksum ([`verify_checksum`] does). Returns the whole file (offsets count from its start) and its version.
pub fn open_checked(directory: &dyn Directory, name: &str, expected: Expected<'_>) -> Result<(Input, u32)> {
    let input = directory.open(name)?;
    let version = check_structure(&input, expected)?;
    Ok((input, version))
}

/// Like [`open_checked`], also holding the file against what its segment remembers of it.
pub fn open_entry(
    directory: &dyn Directory,
    entry: &FileEntry,
    expected: Expected<'_>,
) -> Result<(Input, u32)> {
    let (input, version) = open_checked(directory, &entry.name, expected)?;
    if input.len() as u64 != entry.len {
        let problem = format!("{} bytes long, its segment says {}", input.len(), entry.len);
        return Err(input.corrupt(0, problem));
    }
    let stored = stored_checksum(&input)?;
    if stored != entry.crc32 {
        let problem = format!("footer checksum {stored:08x}, its segment says {:08x}", entry.crc32);
        return Err(input.corrupt(entry.len - 4, problem));
    }
    Ok((input, version))
}

/// Verifies every byte of a file, and that it is the one that its segment or commit remembers.
pub fn verify_entry(directory: &dyn Directory, entry: &FileEntry) -> Result<()> {
    let input = directory.open(&entry.name)?;
    if input.len() as u64 != entry.len {
        return Err(input.corrupt(0, format!("{} bytes long, expected {}", input.len(), entry.len)));
    }
    verify_checksum(&input)?;
    if stored_checksum(&input)? != entry.crc32 {
        return Err(input.corrupt(entry.len - 4, "a whole file, but not the one that was written here"));
    }
    Ok(())
}

/// Opens a file that may be damaged anywhere or missing, at the length it had: what is not there is zero. Nothing of it is
/// checked.
pub fn open_damaged(directory: &dyn Directory, entry: &FileEntry) -> Result<Input> {
    let input = match directory.open(&entry.name) {
        Err(error) if error.is_not_found() => Input::new(&entry.name, std::sync::Arc::new(Vec::new())),
        input => input?,
    };
    if input.len() as u64 >= entry.len {
        return input.sub(0, entry.len);
    }
    let mut missing = entry.len - input.len() as u64;
    if let Some(mut whole) = directory.create_temporary()? {
        whole.write(input.bytes())?;
        while missing > 0 {
            let step = missing.min(BUFFER as u64);
            whole.write([0; BUFFER].get(..step as usize).unwrap_or_default())?;
            missing -= step;
        }
        let whole = whole.finish()?;
        return Ok(Input::new(&entry.name, std::sync::Arc::new(Padded(whole))));
    }
    let mut whole = Vec::new();
    let too_long = |_| input.corrupt(0, format!("no memory for the {} bytes that it had", entry.len));
    whole.try_reserve_exact(entry.len as usize).map_err(too_long)?;
    whole.extend_from_slice(input.bytes());
    whole.resize(entry.len as usize, 0);
    Ok(Input::new(&entry.name, std::sync::Arc::new(whole)))
}

/// True when a file has a whole header, and it is another one's: of another segment, field or format.
pub fn is_foreign(input: &Input, header: Header<'_>) -> Result<bool> {
    let Ok(found) = input.slice(0, HEADER_LEN) else { return Ok(false) };
    let (content, crc) = found.split_at(HEADER_LEN as usize - 4);
    let whole = crc == crc32fast::hash(content).to_le_bytes();
    Ok(whole && found != encode_header(header)?)
}

/// A file that was copied, under the name it has in messages.
struct Padded(Input);

impl crate::io::ByteView for Padded {
    fn bytes(&self) -> &[u8] {
        self.0.bytes()
    }
}

/// The checksum in the footer of a whole file with this header and these parts of a body.
pub fn checksum_of(header: Header<'_>, body: &[&[u8]]) -> Result<u32> {
    let mut crc = crc32fast::Hasher::new();
    crc.update(&encode_header(header)?);
    body.iter().for_each(|part| crc.update(part));
    let len = HEADER_LEN + body.iter().map(|part| part.len() as u64).sum::<u64>() + FOOTER_LEN;
    crc.update(&FOOTER_MAGIC.to_le_bytes());
    crc.update(&len.to_le_bytes());
    Ok(crc.finalize())
}

/// Checks header, identity, version, footer and length of a whole file; returns its version.
pub fn check_structure(input: &Input, expected: Expected<'_>) -> Result<u32> {
    if (input.len() as u64) < HEADER_LEN + FOOTER_LEN {
        let problem = format!("{} bytes are too short for a header and a footer", input.len());
        return Err(input.corrupt(0, problem));
    }
    let mut cursor = input.cursor(0);
    let magic = cursor.u32()?;
    let version = cursor.u32()?;
    let name = cursor.take(NAME_LEN as u64)?;
    let mut segment = [0u8; 16];
    segment.copy_from_slice(cursor.take(16)?);
    let field = cursor.u32()?;
    cursor.take(8)?;
    let crc = cursor.u32()?;
    if magic != HEADER_MAGIC {
        return Err(input.corrupt(0, "not a lucerne file: wrong magic number"));
    }
    if crc != crc32fast::hash(input.slice(0, HEADER_LEN - 4)?) {
        return Err(input.corrupt(HEADER_LEN - 4, "the header's checksum does not match"));
    }
    let name = name.split(|&byte| byte == 0).next().unwrap_or_default();
    if name != expected.format.as_bytes() {
        let found = String::from_utf8_lossy(name);
        return Err(input.corrupt(8, format!("format {found:?}, expected {:?}", expected.format)));
    }
    let (oldest, newest) = expected.versions;
    if version < oldest || version > newest {
        return Err(Error::UnsupportedVersion {
            file: input.name().to_owned(),
            format: expected.format.to_owned(),
            found: version,
            oldest,
            newest,
            upgraded_by: String::new(),
        });
    }
    let found = SegmentId(segment);
    if found != expected.segment {
        let problem = format!("belongs to segment {found}, expected {}", expected.segment);
        return Err(input.corrupt(32, problem));
    }
    if field != expected.field {
        let problem = format!("belongs to field {field}, expected {}", expected.field);
        return Err(input.corrupt(48, problem));
    }
    let footer_at = input.len() as u64 - FOOTER_LEN;
    let mut cursor = input.cursor(footer_at);
    if cursor.u32()? != FOOTER_MAGIC {
        return Err(input.corrupt(footer_at, "no footer: the file is cut off or was never finished"));
    }
    let len = cursor.u64()?;
    if len != input.len() as u64 {
        let problem = format!("the footer says {len} bytes, the file has {}", input.len());
        return Err(input.corrupt(footer_at + 4, problem));
    }
    Ok(version)
}

/// The body between header and footer of a checked file.
pub fn body(input: &Input) -> Result<Input> {
    let len = (input.len() as u64).saturating_sub(HEADER_LEN + FOOTER_LEN);
    input.sub(HEADER_LEN, len)
}

/// Reads the whole file and compares its checksum with the footer's.
pub fn verify_checksum(input: &Input) -> Result<()> {
    let stored = stored_checksum(input)?;
    let computed = crc32fast::hash(input.slice(0, (input.len() as u64).saturating_sub(4))?);
    if stored != computed {
        let problem = format!("checksum {computed:08x}, the footer says {stored:08x}");
        return Err(input.corrupt((input.len() as u64).saturating_sub(4), problem));
    }
    Ok(())
}

/// The checksum in the footer.
pub fn stored_checksum(input: &Input) -> Result<u32> {
    input.cursor((input.len() as u64).saturating_sub(4)).u32()
}
