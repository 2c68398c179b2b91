//! Codes against the raw vectors they were made of, or, where these are not kept, against themselves.

use super::file::CodeFile;
use super::frame::{Frame, Projected};
use super::quantizer::Quantizer;
use super::sq4::Sq4File;
use crate::encoding::raw::RawVectors;
use crate::verify::each_vector;
use lucerne_codec::format::Problem;
use lucerne_codec::{Cancel, Result};

/// Encodes every vector again, as it was encoded, and compares. Without raw vectors only what must hold of any codes is
/// checked.
pub(super) fn verify_codes(
    codes: &CodeFile,
    frame: &Frame,
    raw: Option<&RawVectors>,
    cancel: &Cancel,
) -> Result<Vec<Problem>> {
    let mut counts = vec![0u64; codes.meta().versions.len()];
    let mut projected = Projected::default();
    let (mut again, mut other) = (vec![0; codes.dimension()], Vec::new());
    let mut problems = each_vector(codes.len(), cancel, codes.name(), |ordinal| {
        let version = codes.version(ordinal)?;
        let rows = codes.rows();
        if let Some(count) = counts.get_mut(rows.version(ordinal as usize)) {
            *count += 1;
        }
        let Some(raw) = raw else {
            let (term, scale) = rows.correction(ordinal as usize);
            let finite = term.is_finite() && scale.is_finite();
            return Ok((!finite).then(|| format!("corrections {term} and {scale} are not finite")));
        };
        frame.project(&raw.vector(ordinal)?, &mut projected);
        let quantizer = Quantizer::new(version.quantiles, frame.stretches());
        let scales = quantizer.encode(&projected.vector, projected.length, &mut again, &mut other);
        // Sums are in one order on every CPU: codes are the same to the bit.
        let stored = codes.codes(ordinal)?;
        let differing = again.iter().zip(stored).filter(|(again, stored)| again != stored).count();
        if differing > 0 {
            return Ok(Some(format!("{differing} codes are not those of the raw vector")));
        }
        let index = ordinal as usize;
        let (term, scale) = rows.correction(index);
        let scale4 = match codes.meta().scale4 {
            true => rows.correction4(index).1,
            false => scales.scale4,
        };
        let found = [term, scale, scale4];
        let expected = [projected.term, scales.scale, scales.scale4];
        let close = |(found, expected): (&f32, &f32)| (found - expected).abs() <= 1e-5 * expected.abs();
        let agree = found.iter().zip(&expected).all(close);
        Ok((!agree).then(|| format!("corrections {found:?}, the raw vector gives {expected:?}")))
    })?;
    problems.extend(codes.verify(cancel)?);
    let listed = codes.meta().versions.iter().map(|version| version.vectors);
    if !listed.eq(counts) {
        let problem = "quantizer versions are not as frequent as the segment info says";
        problems.push(codes.problem(problem.to_owned()));
    }
    Ok(problems)
}

/// Compares 4-bit codes with the 8-bit codes.
pub(super) fn verify_sq4(sq4: &Sq4File, codes: &CodeFile, cancel: &Cancel) -> Result<Vec<Problem>> {
    let rows = codes.rows();
    each_vector(codes.len(), cancel, sq4.name(), |ordinal| {
        let problem = sq4.problem(ordinal, codes.codes(ordinal)?, &rows)?;
        Ok(problem.map(str::to_owned))
    })
}
