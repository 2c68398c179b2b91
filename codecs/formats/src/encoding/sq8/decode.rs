//! From codes back to a vector: what a search knows of it.
//!
//! y = g·x̂ is as long as the vector was along it, so the decoded vector differs from the raw one by the part of a code
//! that was rounded, and by a length that the metric does not look at: with cosine and dot products it has length 1.

use super::file::CodeFile;
use super::frame::Frame;
use lucerne_codec::io::bytes::PutLe as _;
use lucerne_codec::{Ordinal, Result};

/// The row that a vector's codes stand for.
pub(super) fn decode(codes: &CodeFile, frame: &Frame, ordinal: Ordinal) -> Result<Vec<u8>> {
    let quantiles = codes.version(ordinal)?.quantiles;
    let (term, scale) = codes.rows().correction(ordinal as usize);
    // Codes of a lattice are the components as they were.
    let scale = if frame.stretches() { scale } else { 1.0 };
    let value = |&code: &u8| scale * (quantiles.lower + quantiles.step() * f32::from(code));
    let mut vector: Vec<f32> = codes.codes(ordinal)?.iter().map(value).collect();
    frame.restore(&mut vector, term);
    let mut row = Vec::with_capacity(vector.len() * 4);
    vector.into_iter().for_each(|component| row.put_f32(component));
    Ok(row)
}
