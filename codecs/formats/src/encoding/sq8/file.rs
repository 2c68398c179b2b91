//! The `.sq8` file: codes, corrections, and where needed quantizer version numbers and a center.

use super::codes::{CodeRows, Codes};
use super::corrections::Corrections;
use super::meta::{CodesMeta, FrameMeta, QuantizerVersion};
use crate::encoding::center;
use crate::encoding::traits::{EncodeContext, OpenContext};
use lucerne_codec::envelope::{self, FileEntry};
use lucerne_codec::format::Problem;
use lucerne_codec::io::Access;
use lucerne_codec::{Input, Ordinal, Result};

/// Format name in the file's header.
pub const FORMAT: &str = "sq8";
/// Version written.
pub const VERSION: u32 = 1;

/// Vectors between two checks of the cancel flag.
const STEP: usize = 4_096;

/// Writes codes in the order given: `order[new]` is the index of a vector in `codes`.
pub fn write(
    context: &EncodeContext<'_>,
    codes: &Codes<'_>,
    order: &[Ordinal],
    center: Option<&[f32]>,
) -> Result<FileEntry> {
    let EncodeContext { write: context, field, .. } = context;
    let mut file = context.create("sq8", FORMAT, VERSION, field.number)?;
    let rows = codes.rows();
    let dimension = codes.dimension;
    for (done, &from) in order.iter().enumerate() {
        if done % STEP == 0 {
            context.cancel.check()?;
            context.progress.report("codes", done as u64, order.len() as u64);
        }
        let start = from as usize * dimension;
        file.write(rows.codes.get(start..start + dimension).unwrap_or_default())?;
    }
    let mut buffer = Vec::with_capacity(STEP * rows.correction_len);
    for part in order.chunks(STEP) {
        buffer.clear();
        part.iter().for_each(|&from| buffer.extend_from_slice(rows.correction_bytes(from as usize)));
        file.write(&buffer)?;
    }
    if !rows.versions.is_empty() {
        for part in order.chunks(STEP) {
            buffer.clear();
            buffer.extend(part.iter().map(|&from| rows.version(from as usize) as u8));
            file.write(&buffer)?;
        }
    }
    file.write_f32s(center.unwrap_or_default().iter().copied())?;
    file.finish()
}

/// Bytes of the parts of a `.sq8` file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CodeSizes {
    /// Codes.
    pub codes: usize,
    /// Corrections.
    pub corrections: usize,
    /// Quantizer version numbers and the center.
    pub other: usize,
}

/// An open `.sq8` file.
#[derive(Debug)]
pub struct CodeFile {
    codes: Input,
    corrections: Input,
    versions: Input,
    center: Option<Vec<f32>>,
    meta: CodesMeta,
    dimension: usize,
    len: usize,
}

impl CodeFile {
    /// Opens the file. Reads header, footer, length and the center.
    pub fn open(context: &OpenContext<'_>, entry: &FileEntry, meta: CodesMeta) -> Result<Self> {
        let (field, len) = (context.field, context.len);
        let file = context.segment.open(entry, FORMAT, VERSION, field.number)?;
        let body = envelope::body(&file)?;
        if let Some(problem) = meta.problem(len as u64) {
            return Err(file.corrupt(0, problem));
        }
        let (len, dimension) = (len as u64, u64::from(field.dimension));
        let codes = len.checked_mul(dimension).ok_or_else(|| file.corrupt(0, format!("{len} vectors")))?;
        let correction_len = Corrections::len(meta.scale4);
        let corrections = len.saturating_mul(correction_len as u64);
        let versions = if meta.versions.len() > 1 { len } else { 0 };
        let center_len = match meta.frame {
            FrameMeta::Rotated { .. } => dimension * 4,
            FrameMeta::Lattice(_) => 0,
        };
        let parts = [codes, corrections, versions, center_len];
        let total = parts.iter().try_fold(0u64, |sum, &part| sum.checked_add(part));
        if total != Some(body.len() as u64) {
            let problem = format!("{len} vectors of {dimension} codes do not make {} bytes", file.len());
            return Err(file.corrupt(0, problem));
        }
        let center = match meta.frame {
            FrameMeta::Rotated { center_crc32 } => {
                Some(center::read(&body, codes + corrections + versions, center_len, center_crc32)?)
            }
            FrameMeta::Lattice(_) => None,
        };
        Ok(Self {
            codes: body.sub(0, codes)?,
            corrections: body.sub(codes, corrections)?,
            versions: body.sub(codes + corrections, versions)?,
            center,
            meta,
            dimension: field.dimension as usize,
            len: context.len,
        })
    }

    /// The metadata.
    pub fn meta(&self) -> &CodesMeta {
        &self.meta
    }

    /// The center, if one is subtracted.
    pub fn center(&self) -> Option<&[f32]> {
        self.center.as_deref()
    }

    /// Number of vectors.
    pub fn len(&self) -> usize {
        self.len
    }

    /// True when there are none.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Components of a vector.
    pub fn dimension(&self) -> usize {
        self.dimension
    }

    /// File name.
    pub fn name(&self) -> &str {
        self.codes.name()
    }

    /// The sizes of its parts.
    pub fn sizes(&self) -> CodeSizes {
        let center = self.center.as_ref().map_or(0, |center| center.len() * 4);
        let (codes, corrections) = (self.codes.len(), self.corrections.len());
        CodeSizes { codes, corrections, other: self.versions.len() + center }
    }

    /// All codes and corrections.
    pub fn rows(&self) -> CodeRows<'_> {
        CodeRows {
            codes: self.codes.bytes(),
            corrections: self.corrections.bytes(),
            correction_len: Corrections::len(self.meta.scale4),
            versions: self.versions.bytes(),
        }
    }

    /// The codes of one vector.
    pub fn codes(&self, ordinal: Ordinal) -> Result<&[u8]> {
        let dimension = self.dimension as u64;
        self.codes.slice(u64::from(ordinal) * dimension, dimension)
    }

    /// The quantizer version of one vector.
    pub fn version(&self, ordinal: Ordinal) -> Result<QuantizerVersion> {
        let number = self.rows().version(ordinal as usize);
        self.meta.versions.get(number).copied().ok_or_else(|| {
            let problem =
                format!("vector {ordinal} has quantizer version {number} of {}", self.meta.versions.len());
            self.versions.corrupt(u64::from(ordinal), problem)
        })
    }

    /// Hints that codes and corrections are about to be used often.
    pub fn make_resident(&self) {
        self.codes.advise(Access::Resident);
        self.corrections.advise(Access::Resident);
    }

    /// A problem of this file.
    pub fn problem(&self, problem: String) -> Problem {
        Problem { file: self.name().to_owned(), problem }
    }
}
