//! The `.sign` file: hashes, and with the corrected estimator two numbers per vector and the center.

use super::encode::{HashRows, Hashes, hash_len};
use super::meta::{Estimator, HashMeta};
use crate::encoding::center;
use crate::encoding::traits::{EncodeContext, OpenContext};
use lucerne_codec::envelope::{self, FileEntry};
use lucerne_codec::io::Access;
use lucerne_codec::{Input, Ordinal, Result};

/// Format name in the file's header.
pub const FORMAT: &str = "sign_hash";
/// Version written.
pub const VERSION: u32 = 1;

/// Vectors between two checks of the cancel flag.
const STEP: usize = 4_096;

/// Writes hashes in the order given: `order[new]` is the index of a vector in `hashes`.
pub fn write(
    context: &EncodeContext<'_>,
    hashes: &Hashes,
    order: &[Ordinal],
) -> Result<(FileEntry, HashMeta)> {
    let EncodeContext { write: context, field, .. } = context;
    let mut file = context.create("sign", FORMAT, VERSION, field.number)?;
    let rows = hashes.rows();
    let hash_len = hash_len(field.dimension as usize);
    let mut buffer = Vec::with_capacity(STEP * hash_len.max(8));
    for (done, part) in order.chunks(STEP).enumerate() {
        context.cancel.check()?;
        context.progress.report("hashes", (done * STEP) as u64, order.len() as u64);
        buffer.clear();
        for &from in part {
            let start = from as usize * hash_len;
            buffer.extend_from_slice(rows.bits.get(start..start + hash_len).unwrap_or_default());
        }
        file.write(&buffer)?;
    }
    if hashes.estimator == Estimator::Corrected {
        for part in order.chunks(STEP) {
            buffer.clear();
            for &from in part {
                buffer.extend_from_slice(&rows.corrections.get(from as usize).copied().unwrap_or_default());
            }
            file.write(&buffer)?;
        }
    }
    let center = hashes.center.as_deref();
    file.write_f32s(center.unwrap_or_default().iter().copied())?;
    let center = center.map(center::crc32);
    Ok((file.finish()?, HashMeta { estimator: hashes.estimator, center }))
}

/// An open `.sign` file.
#[derive(Debug)]
pub struct HashFile {
    bits: Input,
    corrections: Input,
    center: Option<Vec<f32>>,
    meta: HashMeta,
}

impl HashFile {
    /// Opens the file. Reads header, footer, length and the center.
    pub fn open(context: &OpenContext<'_>, entry: &FileEntry, meta: HashMeta) -> Result<Self> {
        let (field, len) = (context.field, context.len);
        let file = context.segment.open(entry, FORMAT, VERSION, field.number)?;
        let body = envelope::body(&file)?;
        if let Some(problem) = meta.problem() {
            return Err(file.corrupt(0, problem));
        }
        let len = len as u64;
        let bits = len.saturating_mul(hash_len(field.dimension as usize) as u64);
        let corrections = len.saturating_mul(meta.estimator.correction_len() as u64);
        let center_len = if meta.center.is_some() { u64::from(field.dimension) * 4 } else { 0 };
        if bits.checked_add(corrections).and_then(|sum| sum.checked_add(center_len))
            != Some(body.len() as u64)
        {
            let problem =
                format!("{len} hashes of {} bits do not make {} bytes", field.dimension, file.len());
            return Err(file.corrupt(0, problem));
        }
        let center =
            meta.center.map(|crc| center::read(&body, bits + corrections, center_len, crc)).transpose()?;
        let (bits, corrections) = (body.sub(0, bits)?, body.sub(bits, corrections)?);
        bits.advise(Access::Resident);
        corrections.advise(Access::Resident);
        Ok(Self { bits, corrections, center, meta })
    }

    /// The metadata.
    pub fn meta(&self) -> &HashMeta {
        &self.meta
    }

    /// The center, if one is subtracted.
    pub fn center(&self) -> Option<&[f32]> {
        self.center.as_deref()
    }

    /// File name.
    pub fn name(&self) -> &str {
        self.bits.name()
    }

    /// Bytes of hashes.
    pub fn hash_bytes(&self) -> usize {
        self.bits.len()
    }

    /// Bytes of corrections and the center.
    pub fn correction_bytes(&self) -> usize {
        self.corrections.len() + self.center.as_ref().map_or(0, |center| center.len() * 4)
    }

    /// All hashes and corrections.
    pub fn rows(&self) -> HashRows<'_> {
        HashRows { bits: self.bits.bytes(), corrections: self.corrections.bytes().as_chunks::<8>().0 }
    }
}
