//! Codes against the raw vectors they were made of.

use super::file::CodeFile;
use super::quantizer::Quantizer;
use super::sq4::Sq4File;
use crate::encoding::preprocess::preprocess;
use crate::encoding::raw::RawVectors;
use crate::verify::each_vector;
use lucerne_codec::format::Problem;
use lucerne_codec::{Cancel, Result, Similarity};

/// Encodes every vector again, as it was encoded, and compares.
pub(super) fn verify_codes(codes: &CodeFile, raw: &RawVectors, cancel: &Cancel) -> Result<Vec<Problem>> {
    let similarity = raw.similarity();
    let (mut vector, mut again) = (Vec::new(), Vec::new());
    let mut counts = vec![0u64; codes.meta().versions.len()];
    let mut problems = each_vector(raw.len(), cancel, codes.name(), |ordinal| {
        let version = codes.version(ordinal)?;
        if let Some(count) = counts.get_mut(codes.rows().version(ordinal as usize)) {
            *count += 1;
        }
        preprocess(similarity, codes.center(), raw.row(ordinal)?, &mut vector);
        again.resize(vector.len(), 0);
        let correction = Quantizer::new(similarity, version.quantiles).encode(&vector, &mut again);
        let stored = codes.codes(ordinal)?;
        let differing = again.iter().zip(stored).filter(|(again, stored)| again != stored).count();
        // Lengths are summed in another order on another CPU: a normalized component that lies between
        // two codes may have got either.
        let allowed = if similarity == Similarity::Cosine { again.len() / 16 + 1 } else { 0 };
        let near = || again.iter().zip(stored).all(|(again, stored)| again.abs_diff(*stored) <= 1);
        if differing > allowed || !near() {
            return Ok(Some(format!("{differing} codes are not those of the raw vector")));
        }
        let found = codes.rows().correction(ordinal as usize);
        let close = (found - correction).abs() <= 1e-3 * correction.abs().max(1e-30);
        Ok((!close).then(|| format!("correction {found}, the raw vector gives {correction}")))
    })?;
    let listed = codes.meta().versions.iter().map(|version| version.vectors);
    if !listed.eq(counts) {
        let problem = "quantizer versions are not as frequent as the segment info says";
        problems.push(codes.problem(problem.to_owned()));
    }
    Ok(problems)
}

/// Compares 4-bit codes with the 8-bit codes.
pub(super) fn verify_sq4(
    sq4: &Sq4File,
    codes: &CodeFile,
    raw: &RawVectors,
    cancel: &Cancel,
) -> Result<Vec<Problem>> {
    each_vector(raw.len(), cancel, sq4.name(), |ordinal| {
        let agrees = sq4.agrees(ordinal, codes.codes(ordinal)?)?;
        Ok((!agrees).then(|| "not the upper four bits of its codes".to_owned()))
    })
}
