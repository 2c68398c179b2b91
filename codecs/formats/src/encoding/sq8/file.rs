//! The `.sq8` file: codes, corrections, and where needed quantizer version numbers and a center.

use super::codes::{CodeRows, Codes};
use super::corrections::Corrections;
use super::meta::{CodesMeta, FrameMeta, QuantizerVersion};
use crate::encoding::center;
use crate::encoding::traits::{EncodeContext, OpenContext};
use crate::summed::{self, Damage, Kind, SummedFile, SummedWriter};
use lucerne_codec::envelope::FileEntry;
use lucerne_codec::format::Problem;
use lucerne_codec::io::Access;
use lucerne_codec::io::bytes::from_f32s;
use lucerne_codec::{Cancel, Error, FieldInfo, Input, Ordinal, Result};

/// Format name in the file's header.
pub const FORMAT: &str = "sq8";
/// Version written.
pub const VERSION: u32 = 1;

fn kind_of(field: &FieldInfo) -> Kind {
    Kind { format: FORMAT, version: VERSION, field: field.number }
}

/// Vectors between two checks of the cancel flag.
const STEP: usize = 4_096;

/// Writes codes in the order given: `order[new]` is the index of a vector in `codes`. Returns the file, and what is kept of it
/// in another one: the center once more, and the checksums.
pub fn write(
    context: &EncodeContext<'_>,
    codes: &Codes<'_>,
    order: &[Ordinal],
    center: Option<&[f32]>,
) -> Result<(FileEntry, Vec<u8>)> {
    let EncodeContext { write: context, field, .. } = context;
    let mut file = SummedWriter::create(context, "sq8", kind_of(field))?;
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
    let mut spare = from_f32s(center.unwrap_or_default());
    file.write(&spare)?;
    let (file, sums) = file.finish()?;
    spare.extend_from_slice(&sums);
    Ok((file, spare))
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

/// Bytes of the parts of the file, in their order.
struct Parts {
    codes: u64,
    corrections: u64,
    versions: u64,
    center: u64,
}

impl Parts {
    fn of(context: &OpenContext<'_>, meta: &CodesMeta) -> Self {
        let (len, dimension) = (context.len as u64, u64::from(context.field.dimension));
        Self {
            codes: len.saturating_mul(dimension),
            corrections: len.saturating_mul(Corrections::len(meta.scale4) as u64),
            versions: if meta.versions.len() > 1 { len } else { 0 },
            center: match meta.frame {
                FrameMeta::Rotated { .. } => dimension * 4,
                FrameMeta::Lattice(_) => 0,
            },
        }
    }

    fn all(&self) -> Option<u64> {
        let parts = [self.codes, self.corrections, self.versions, self.center];
        parts.into_iter().try_fold(0u64, u64::checked_add)
    }

    fn versions_at(&self) -> u64 {
        self.codes + self.corrections
    }

    fn center_at(&self) -> u64 {
        self.versions_at() + self.versions
    }

    /// The center once more and the checksums, as far as they are there.
    fn spare(&self, spare: &Input) -> Result<[Input; 2]> {
        let at = self.center.min(spare.len() as u64);
        let sums = self.all().map_or(0, summed::table_len).min(spare.len() as u64 - at);
        Ok([spare.sub(0, at)?, spare.sub(at, sums)?])
    }
}

/// An open `.sq8` file.
#[derive(Debug)]
pub struct CodeFile {
    file: SummedFile,
    codes: Input,
    corrections: Input,
    versions: Input,
    center: Option<Vec<f32>>,
    /// The center's bytes once more.
    spare_center: Input,
    meta: CodesMeta,
    dimension: usize,
    len: usize,
}

impl CodeFile {
    /// Opens the file. Reads header, footer, length and the center.
    pub fn open(context: &OpenContext<'_>, entry: &FileEntry, meta: CodesMeta) -> Result<Self> {
        let parts = Self::parts(context, entry, &meta)?;
        let what = || format!("{} vectors of {} codes", context.len, context.field.dimension);
        let [center, sums] = parts.spare(context.spare)?;
        let file = SummedFile::open(context.segment, entry, kind_of(context.field), parts.all(), sums, what)?;
        let found = Self::center_of(&file.data, parts.center_at(), &parts, &meta)?;
        Self::of(context, file, meta, &parts, found, center)
    }

    /// Opens what is left of the file, and says which vectors are damaged.
    pub(crate) fn salvage(
        context: &OpenContext<'_>,
        entry: &FileEntry,
        meta: CodesMeta,
        cancel: &Cancel,
    ) -> Result<(Self, Vec<Ordinal>)> {
        let parts = Self::parts(context, entry, &meta)?;
        let (segment, kind) = (context.segment, kind_of(context.field));
        let [center, sums] = parts.spare(context.spare)?;
        let (file, damage) = SummedFile::salvage(segment, entry, kind, parts.all(), sums, cancel)?;
        let found = Self::center_of(&file.data, parts.center_at(), &parts, &meta)
            .or_else(|error| Self::center_of(&center, 0, &parts, &meta).map_err(|_| error))?;
        let codes = Self::of(context, file, meta, &parts, found, center)?;
        let damaged = if damage.is_none() { Vec::new() } else { codes.damaged(&parts, &damage) };
        Ok((codes, damaged))
    }

    fn damaged(&self, parts: &Parts, damage: &Damage) -> Vec<Ordinal> {
        let (dimension, correction) = (self.dimension as u64, Corrections::len(self.meta.scale4) as u64);
        let hit = |ordinal: &Ordinal| {
            let at = u64::from(*ordinal);
            damage.hits(at * dimension, dimension)
                || damage.hits(parts.codes + at * correction, correction)
                || parts.versions > 0 && damage.hits(parts.versions_at() + at, 1)
        };
        (0..self.len as Ordinal).filter(hit).collect()
    }

    fn parts(context: &OpenContext<'_>, entry: &FileEntry, meta: &CodesMeta) -> Result<Parts> {
        match meta.problem(context.len as u64) {
            Some(problem) => Err(Error::corrupt(&entry.name, 0, problem)),
            None => Ok(Parts::of(context, meta)),
        }
    }

    fn of(
        context: &OpenContext<'_>,
        file: SummedFile,
        meta: CodesMeta,
        parts: &Parts,
        center: Option<Vec<f32>>,
        spare_center: Input,
    ) -> Result<Self> {
        let data = &file.data;
        Ok(Self {
            codes: data.sub(0, parts.codes)?,
            corrections: data.sub(parts.codes, parts.corrections)?,
            versions: data.sub(parts.versions_at(), parts.versions)?,
            center,
            spare_center,
            meta,
            dimension: context.field.dimension as usize,
            len: context.len,
            file,
        })
    }

    fn center_of(from: &Input, at: u64, parts: &Parts, meta: &CodesMeta) -> Result<Option<Vec<f32>>> {
        match meta.frame {
            FrameMeta::Rotated { center_crc32 } => {
                center::read(from, at, parts.center, center_crc32).map(Some)
            }
            FrameMeta::Lattice(_) => Ok(None),
        }
    }

    /// Compares the file with what there is of it in another one.
    pub fn verify(&self, cancel: &Cancel) -> Result<Option<Problem>> {
        let center = from_f32s(self.center.as_deref().unwrap_or_default());
        if center != self.spare_center.bytes() {
            let problem = format!("its center is not that of {}", self.name());
            return Ok(Some(Problem { file: self.spare_center.name().to_owned(), problem }));
        }
        self.file.verify(cancel)
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
