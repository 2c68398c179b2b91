//! Vector files, read row by row: no file is held in memory.
//!
//! | file | layout |
//! |---|---|
//! | `.npy` | NumPy, f16, f32, f64, u8 or i8; two dimensions in C order, or one (a single vector) |
//! | `.fbin` | u32 rows, u32 dimension, then f32 rows |
//! | `.fvecs` | for each row u32 dimension, then f32 components |
//! | `.bvecs` | for each row u32 dimension, then u8 components |
//! | `.f32`, `.bin` | f32 components, or the bits of a binary vector, only (query vectors; the dimension comes from the field) |
//!
//! Rows for a binary field are zeros and ones, or a byte for every eight bits.
//!
//! All little-endian, but `.npy`, which says what it is.

mod bins;
pub(crate) mod ids;
mod npy;

use crate::failure::{Failure, Outcome};
use crate::input;
use byteorder::{BigEndian, ByteOrder, LittleEndian};
use half::f16;
use std::fs::File;
use std::io::{BufReader, Read as _, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};

const KINDS: &str = ".npy, .fbin, .fvecs or .bvecs";

/// Components a row may have in any file: more is taken as a damaged header.
const MAX_DIMENSION: u64 = 1 << 20;

/// Type of a component in a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Component {
    F16,
    F32,
    F64,
    U8,
    I8,
}

impl Component {
    const fn len(self) -> usize {
        match self {
            Self::U8 | Self::I8 => 1,
            Self::F16 => 2,
            Self::F32 => 4,
            Self::F64 => 8,
        }
    }
}

/// What a field's vectors are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Shape {
    pub(crate) dimension: usize,
    /// Components are bits.
    pub(crate) binary: bool,
}

/// Where the rows of a file are and what they consist of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Layout {
    rows: u64,
    dimension: u64,
    component: Component,
    big_endian: bool,
    /// Position of row 0.
    start: u64,
    /// Bytes before the components of each row.
    row_prefix: u64,
    /// An array of one dimension, taken as one row.
    single: bool,
}

impl Layout {
    fn row_len(&self) -> u64 {
        self.row_prefix + self.dimension * self.component.len() as u64
    }

    /// Bytes the file must have; `None` when no file can be that long.
    fn file_len(&self) -> Option<u64> {
        self.rows.checked_mul(self.row_len())?.checked_add(self.start)
    }
}

/// An open vector file.
#[derive(Debug)]
pub(crate) struct VectorFile {
    path: PathBuf,
    input: BufReader<File>,
    layout: Layout,
    /// Whether bytes are bits with the most significant first.
    reversed: bool,
    /// Where `input` stands.
    position: u64,
    bytes: Vec<u8>,
}

impl VectorFile {
    /// Opens a file whose layout its extension tells. `shape` is needed for raw files.
    pub(crate) fn open(path: &Path, shape: Option<Shape>) -> Outcome<Self> {
        let cannot = |error: std::io::Error| Failure::file(path, "read", &error);
        let mut file = File::open(path).map_err(cannot)?;
        let len = file.metadata().map_err(cannot)?.len();
        let extension = path.extension().and_then(|extension| extension.to_str()).unwrap_or_default();
        let extension = extension.to_ascii_lowercase();
        if !matches!(extension.as_str(), "f32" | "bin") {
            refuse_other_kinds(path, &mut file, &extension)?;
        }
        let layout = match extension.as_str() {
            "npy" => npy::layout(&mut file),
            "fbin" => bins::fbin(&mut file),
            "fvecs" => bins::fvecs(&mut file, len),
            "bvecs" => bins::bvecs(&mut file, len),
            "f32" | "bin" => bins::raw(len, shape),
            "" => Err(format!("a file without an extension; expected {KINDS}")),
            other => Err(format!("a file of kind .{other}; expected {KINDS}")),
        };
        let layout = layout.map_err(|problem| Failure::content(path, problem))?;
        if layout.dimension == 0 || layout.dimension > MAX_DIMENSION {
            return Err(Failure::content(path, format!("rows of {} components", layout.dimension)));
        }
        if layout.file_len() != Some(len) {
            let Layout { rows, dimension, .. } = layout;
            let expected =
                layout.file_len().map_or_else(|| "more than there can be".to_owned(), |len| len.to_string());
            let problem =
                format!("{len} bytes long, {rows} rows × {dimension} need {expected}; is it complete?");
            return Err(Failure::content(path, problem));
        }
        let input = BufReader::with_capacity(1 << 16, file);
        let mut opened =
            Self { path: path.to_owned(), input, layout, reversed: false, position: 0, bytes: Vec::new() };
        opened.position = opened.input.seek(SeekFrom::Start(0)).map_err(cannot)?;
        Ok(opened)
    }

    pub(crate) fn rows(&self) -> u64 {
        self.layout.rows
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Refuses a file whose rows are no vectors of the field.
    pub(crate) fn expect(&self, field: &str, Shape { dimension, binary }: Shape) -> Outcome {
        let found = self.layout.dimension;
        if found == dimension as u64 || (binary && found * 8 == dimension as u64) {
            return Ok(());
        }
        let bytes = if binary { format!(" bits, {} bytes", dimension / 8) } else { String::new() };
        let rows = match self.layout.single {
            true => format!("one row of {found} components (an array of one dimension)"),
            false => format!("rows of {found} components"),
        };
        let problem = format!("{rows}, field {field:?} has {dimension}{bytes}");
        let failure = Failure::content(&self.path, problem);
        Err(match self.layout.single {
            true => failure.hint(format!("for several rows save an array of shape (rows, {dimension})")),
            false => failure,
        })
    }

    /// Takes the bytes of a binary field of so many bits for bits with the most significant first. Rows of zeros and
    /// ones are left alone.
    pub(crate) fn most_significant_first(&mut self, dimension: usize) {
        self.reversed =
            self.layout.component == Component::U8 && self.layout.dimension * 8 == dimension as u64;
    }

    /// A row; cheap when rows are read one after the other.
    pub(crate) fn row(&mut self, row: u64) -> Outcome<Vec<f32>> {
        let layout = self.layout;
        if row >= layout.rows {
            let rows = layout.rows;
            return Err(Failure::content(
                &self.path,
                format!("no row {row}; the file has {rows}, counted from 0"),
            ));
        }
        let cannot = |error: std::io::Error| Failure::file(&self.path, "read", &error);
        let start = layout.start + row * layout.row_len();
        self.input.seek_relative(start.wrapping_sub(self.position) as i64).map_err(cannot)?;
        self.bytes.resize(layout.row_len() as usize, 0);
        self.position = start;
        self.input.read_exact(&mut self.bytes).map_err(cannot)?;
        self.position += layout.row_len();
        let (prefix, components) = self.bytes.split_at(layout.row_prefix as usize);
        if let Some(found) = prefix.first_chunk::<4>().map(|prefix| LittleEndian::read_u32(prefix))
            && u64::from(found) != layout.dimension
        {
            let expected = layout.dimension;
            let problem = format!("row {row} has {found} components, the first has {expected}");
            return Err(Failure::content(&self.path, problem));
        }
        if self.reversed {
            return Ok(components.iter().map(|byte| f32::from(byte.reverse_bits())).collect());
        }
        Ok(if layout.big_endian {
            decode::<BigEndian>(components, layout.component)
        } else {
            decode::<LittleEndian>(components, layout.component)
        })
    }
}

/// Refuses a file that is empty, or that is of another kind than its extension says.
fn refuse_other_kinds(path: &Path, file: &mut File, extension: &str) -> Outcome {
    let cannot = |error: std::io::Error| Failure::file(path, "read", &error);
    let mut head = Vec::new();
    file.take(32).read_to_end(&mut head).map_err(cannot)?;
    file.seek(SeekFrom::Start(0)).map_err(cannot)?;
    let expected = match extension {
        "npy" | "fbin" | "fvecs" | "bvecs" => format!("the vectors of a .{extension} file"),
        _ => KINDS.to_owned(),
    };
    if head.is_empty() {
        return Err(Failure::content(path, format!("the file is empty; expected {expected}")));
    }
    match input::named(&head) {
        Some(kind) if extension != "npy" || !head.starts_with(b"\x93NUMPY") => {
            let failure = Failure::content(path, format!("this is {}; expected {expected}", kind.name));
            Err(if kind.hint.is_empty() { failure } else { failure.hint(kind.hint) })
        }
        _ if extension == "npy" && !head.starts_with(b"\x93NUMPY") => {
            let problem = "not a .npy file: it does not begin with \\x93NUMPY";
            Err(Failure::content(path, problem).hint("numpy.save(\"vectors.npy\", vectors) writes one"))
        }
        _ => Ok(()),
    }
}

fn decode<E: ByteOrder>(bytes: &[u8], component: Component) -> Vec<f32> {
    match component {
        Component::U8 => bytes.iter().map(|&byte| f32::from(byte)).collect(),
        Component::I8 => bytes.iter().map(|&byte| f32::from(byte as i8)).collect(),
        Component::F16 => numbers::<2>(bytes, |bytes| f16::from_bits(E::read_u16(bytes)).to_f32()),
        Component::F32 => numbers::<4>(bytes, |bytes| E::read_f32(bytes)),
        Component::F64 => numbers::<8>(bytes, |bytes| E::read_f64(bytes) as f32),
    }
}

fn numbers<const N: usize>(bytes: &[u8], number: impl Fn(&[u8; N]) -> f32) -> Vec<f32> {
    bytes.as_chunks().0.iter().map(number).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write as _;

    fn file(extension: &str, bytes: &[u8]) -> tempfile::NamedTempFile {
        let mut file = tempfile::Builder::new().suffix(extension).tempfile().unwrap();
        file.write_all(bytes).unwrap();
        file
    }

    fn npy(descr: &str, shape: &str, fortran: bool, data: &[u8]) -> Vec<u8> {
        let order = if fortran { "True" } else { "False" };
        let mut header = format!("{{'descr': '{descr}', 'fortran_order': {order}, 'shape': {shape}, }}");
        while (header.len() + 11) % 64 != 0 {
            header.push(' ');
        }
        header.push('\n');
        let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
        bytes.extend((header.len() as u16).to_le_bytes());
        bytes.extend(header.as_bytes());
        bytes.extend(data);
        bytes
    }

    fn read(extension: &str, bytes: &[u8], dimension: Option<usize>) -> Outcome<Vec<Vec<f32>>> {
        let file = file(extension, bytes);
        let shape = dimension.map(|dimension| Shape { dimension, binary: false });
        let mut vectors = VectorFile::open(file.path(), shape)?;
        let rows = vectors.rows();
        // Backwards first: rows can be read in any order.
        let mut backwards = (0..rows).rev().map(|row| vectors.row(row)).collect::<Outcome<Vec<_>>>()?;
        backwards.reverse();
        let forwards = (0..rows).map(|row| vectors.row(row)).collect::<Outcome<Vec<_>>>()?;
        assert_eq!(forwards, backwards);
        Ok(forwards)
    }

    fn problem(extension: &str, bytes: &[u8]) -> String {
        let failure = read(extension, bytes, None).unwrap_err();
        assert_eq!(failure.code as u8, 2, "{failure:?}");
        failure.message.unwrap()
    }

    fn le(numbers: &[f32]) -> Vec<u8> {
        numbers.iter().flat_map(|number| number.to_le_bytes()).collect()
    }

    const ROWS: [f32; 6] = [1.0, -2.0, 3.0, 0.5, 0.25, 100.0];

    #[test]
    fn npy_files_of_every_component_are_read() {
        let expected = [vec![1.0, -2.0, 3.0], vec![0.5, 0.25, 100.0]];
        let f16s: Vec<u8> = ROWS.iter().flat_map(|&number| f16::from_f32(number).to_le_bytes()).collect();
        let f64s: Vec<u8> = ROWS.iter().flat_map(|&number| f64::from(number).to_le_bytes()).collect();
        let big: Vec<u8> = ROWS.iter().flat_map(|number| number.to_be_bytes()).collect();
        for (descr, data) in [("<f2", f16s), ("<f4", le(&ROWS)), ("<f8", f64s), (">f4", big)] {
            assert_eq!(read(".npy", &npy(descr, "(2, 3)", false, &data), None).unwrap(), expected, "{descr}");
        }
        let bytes = [0, 1, 127, 128, 255, 2];
        let unsigned = read(".npy", &npy("|u1", "(3, 2)", false, &bytes), None).unwrap();
        assert_eq!(unsigned, [[0.0, 1.0], [127.0, 128.0], [255.0, 2.0]]);
        let signed = read(".npy", &npy("|i1", "(3, 2)", false, &bytes), None).unwrap();
        assert_eq!(signed, [[0.0, 1.0], [127.0, -128.0], [-1.0, 2.0]]);
        let single = read(".npy", &npy("<f4", "(6,)", false, &le(&ROWS)), None).unwrap();
        assert_eq!(single, [ROWS]);
    }

    #[test]
    fn fbin_fvecs_and_raw_files_are_read() {
        let expected = [vec![1.0, -2.0, 3.0], vec![0.5, 0.25, 100.0]];
        let fbin = [&2u32.to_le_bytes()[..], &3u32.to_le_bytes(), &le(&ROWS)].concat();
        assert_eq!(read(".fbin", &fbin, None).unwrap(), expected);
        let three = 3u32.to_le_bytes();
        let fvecs = [&three[..], &le(&ROWS[..3]), &three, &le(&ROWS[3..])].concat();
        assert_eq!(read(".fvecs", &fvecs, None).unwrap(), expected);
        assert_eq!(read(".f32", &le(&ROWS), Some(3)).unwrap(), expected);
        assert_eq!(read(".bin", &le(&ROWS), Some(6)).unwrap(), [ROWS]);
        let two = 2u32.to_le_bytes();
        let bvecs = [&two[..], &[217, 42], &two, &[0, 255]].concat();
        assert_eq!(read(".bvecs", &bvecs, None).unwrap(), [[217.0, 42.0], [0.0, 255.0]]);
    }

    #[test]
    fn bits_are_zeros_and_ones_or_bytes_in_either_order() {
        let shape = Shape { dimension: 16, binary: true };
        let packed = file(".npy", &npy("|u1", "(2, 2)", false, &[0x9b, 0x54, 0, 1]));
        let mut vectors = VectorFile::open(packed.path(), Some(shape)).unwrap();
        vectors.expect("fp", shape).unwrap();
        assert_eq!(vectors.row(0).unwrap(), [155.0, 84.0]);
        vectors.most_significant_first(16);
        assert_eq!(vectors.row(0).unwrap(), [217.0, 42.0]);
        let ones = file(".npy", &npy("|u1", "(1, 16)", false, &[1; 16]));
        let mut vectors = VectorFile::open(ones.path(), Some(shape)).unwrap();
        vectors.expect("fp", shape).unwrap();
        vectors.most_significant_first(16);
        assert_eq!(vectors.row(0).unwrap(), [1.0; 16]);
        let raw = file(".bin", &[0xd9, 0x2a]);
        assert_eq!(VectorFile::open(raw.path(), Some(shape)).unwrap().row(0).unwrap(), [217.0, 42.0]);
        let wrong = VectorFile::open(packed.path(), None).unwrap();
        let failure = wrong.expect("fp", Shape { dimension: 24, binary: true }).unwrap_err();
        assert!(failure.message.unwrap().contains("has 24 bits, 3 bytes"));
    }

    #[test]
    fn what_cannot_be_read_is_refused_and_said_why() {
        let short = problem(".npy", &npy("<f4", "(2, 3)", false, &le(&ROWS[..5])));
        assert!(short.contains("2 rows × 3 need"), "{short}");
        let fortran = problem(".npy", &npy("<f4", "(2, 3)", true, &le(&ROWS)));
        assert!(fortran.contains("ascontiguousarray"), "{fortran}");
        assert!(problem(".npy", &npy("<f4", "(1, 2, 3)", false, &le(&ROWS))).contains("3 dimensions"));
        assert!(problem(".npy", &npy("<i4", "(2, 3)", false, &le(&ROWS))).contains("<i4"));
        assert!(problem(".npy", b"not numpy at all").contains(".npy"));
        let huge = [&u32::MAX.to_le_bytes()[..], &u32::MAX.to_le_bytes()].concat();
        assert!(problem(".fbin", &huge).contains("components"), "{}", problem(".fbin", &huge));
        assert!(problem(".fbin", &[1, 0]).contains("header"));
        assert!(problem(".fvecs", &[]).contains("empty"));
        let ragged = [&1u32.to_le_bytes()[..], &le(&[1.0]), &2u32.to_le_bytes(), &le(&[1.0])].concat();
        assert!(problem(".fvecs", &ragged).contains("row 1 has 2 components"));
        assert!(problem(".f32", &le(&ROWS)).contains("dimension"));
        assert!(problem(".csv", b"1,2").contains("expected .npy"));
        let missing = VectorFile::open(Path::new("/nowhere/x.npy"), None).unwrap_err();
        assert_eq!(missing.code as u8, 3);
    }
}
