//! A center as files have it: its components, with a CRC-32 in the metadata.

use super::preprocess::components;
use lucerne_codec::{Input, Result};

/// Fewer vectors do not show where a field's center is.
pub const LEAST_VECTORS: usize = 256;

/// The bytes of a center.
pub fn to_bytes(center: &[f32]) -> Vec<u8> {
    center.iter().flat_map(|value| value.to_le_bytes()).collect()
}

/// The CRC-32 of a center's bytes.
pub fn crc32(center: &[f32]) -> u32 {
    crc32fast::hash(&to_bytes(center))
}

/// The center of `len` bytes that a file has at `at`, checked against the CRC-32 that the metadata gives.
pub fn read(body: &Input, at: u64, len: u64, crc: u32) -> Result<Vec<f32>> {
    let bytes = body.slice(at, len)?;
    let found = crc32fast::hash(bytes);
    let center: Vec<f32> = components(bytes).collect();
    if found != crc || !center.iter().all(|value| value.is_finite()) {
        return Err(body.corrupt(at, format!("the center's checksum is {found:08x}, expected {crc:08x}")));
    }
    Ok(center)
}
