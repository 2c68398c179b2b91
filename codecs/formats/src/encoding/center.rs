//! A center as files have it: its components, with a CRC-32 in the metadata.

use lucerne_codec::io::bytes;
use lucerne_codec::{Input, Result};

/// Fewer vectors do not show where a field's center is.
pub const LEAST_VECTORS: usize = 256;

/// The CRC-32 of a center's bytes.
pub fn crc32(center: &[f32]) -> u32 {
    crc32fast::hash(&bytes::from_f32s(center))
}

/// The center of `len` bytes that a file has at `at`, checked against the CRC-32 that the metadata gives.
pub fn read(body: &Input, at: u64, len: u64, crc: u32) -> Result<Vec<f32>> {
    let stored = body.slice(at, len)?;
    let found = crc32fast::hash(stored);
    let center: Vec<f32> = bytes::f32s(stored).collect();
    if found != crc || !center.iter().all(|value| value.is_finite()) {
        return Err(body.corrupt(at, format!("the center's checksum is {found:08x}, expected {crc:08x}")));
    }
    Ok(center)
}
