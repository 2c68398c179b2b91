//! The thorough check: everything against everything.

use super::reader::LayeredReader;
use crate::flat_f32::rows::components;
use crate::sign_hash::{HashFile, Hashes, hash_len};
use crate::sq8::CodeFile;
use crate::sq8::quantizer::{Quantizer, transform};
use lucerne_codec::format::Problem;
use lucerne_codec::{Cancel, Component, Ordinal, Result, Similarity};

/// Problems listed per file; one more says how many there are.
const LISTED: usize = 8;

/// Compares raw vectors, maps, codes and graph.
pub(super) fn verify(reader: &LayeredReader, cancel: &Cancel) -> Result<Vec<Problem>> {
    let mut problems = reader.map.verify(reader.settings.multiple);
    problems.extend(raw(reader, cancel)?);
    if let Some(codes) = reader.codes() {
        problems.extend(compare_codes(reader, codes, cancel)?);
    }
    if let (Some(codes), Some(coarse)) = (reader.codes(), &reader.coarse) {
        problems.extend(each(reader, cancel, coarse.name(), |ordinal| {
            let agrees = coarse.agrees(ordinal, codes.codes(ordinal)?)?;
            Ok((!agrees).then(|| "not the upper half of its codes".to_owned()))
        })?);
    }
    if let Some(hashes) = reader.hashes() {
        problems.extend(compare_hashes(reader, hashes, cancel)?);
    }
    if let Some(graph) = reader.graph() {
        problems.extend(graph.verify(cancel)?);
    }
    if let Some(lists) = &reader.lists {
        problems.extend(super::lists::verify(reader, lists, cancel)?);
    }
    Ok(problems)
}

/// Runs `check` for every vector and lists what it says.
pub(super) fn each(
    reader: &LayeredReader,
    cancel: &Cancel,
    file: &str,
    mut check: impl FnMut(Ordinal) -> Result<Option<String>>,
) -> Result<Vec<Problem>> {
    let (mut problems, mut more) = (Vec::new(), 0u64);
    for ordinal in 0..reader.len as u32 {
        if ordinal % 1_024 == 0 {
            cancel.check()?;
        }
        let Some(problem) = check(ordinal).unwrap_or_else(|error| Some(error.to_string())) else {
            continue;
        };
        if problems.len() < LISTED {
            problems.push(Problem { file: file.to_owned(), problem: format!("vector {ordinal}: {problem}") });
        } else {
            more += 1;
        }
    }
    if more > 0 {
        problems
            .push(Problem { file: file.to_owned(), problem: format!("{more} more vectors have problems") });
    }
    Ok(problems)
}

fn raw(reader: &LayeredReader, cancel: &Cancel) -> Result<Vec<Problem>> {
    if reader.field.component() == Component::Bit {
        // Any bits are a vector.
        return Ok(Vec::new());
    }
    each(reader, cancel, reader.raw.name(), |ordinal| {
        let finite = components(reader.raw.row(ordinal)?).all(f32::is_finite);
        Ok((!finite).then(|| "a component is not finite".to_owned()))
    })
}

/// Encodes every vector again, as it was encoded, and compares.
fn compare_codes(reader: &LayeredReader, codes: &CodeFile, cancel: &Cancel) -> Result<Vec<Problem>> {
    let similarity = reader.field.similarity;
    let (mut vector, mut again) = (Vec::new(), vec![0u8; reader.field.dimension as usize]);
    let mut counts = vec![0u64; codes.meta().encodings.len()];
    let mut problems = each(reader, cancel, codes.name(), |ordinal| {
        let encoding = codes.encoding(ordinal)?;
        if let Some(count) = counts.get_mut(codes.rows().encoding(ordinal as usize)) {
            *count += 1;
        }
        transform(similarity, codes.center(), reader.raw.row(ordinal)?, &mut vector);
        let quantizer = Quantizer::new(similarity, encoding.quantiles);
        let correction = quantizer.encode(&vector, &mut again);
        let stored = codes.codes(ordinal)?;
        let differing = again.iter().zip(stored).filter(|(again, stored)| again != stored);
        // Lengths are summed in another order on another CPU: a normalised component that lies between
        // two codes may have got either.
        let allowed = if similarity == Similarity::Cosine { again.len() / 16 + 1 } else { 0 };
        let near = || again.iter().zip(stored).all(|(again, stored)| again.abs_diff(*stored) <= 1);
        let count = differing.count();
        if count > allowed || !near() {
            return Ok(Some(format!("{count} codes are not those of the raw vector")));
        }
        let found = codes.rows().correction(ordinal as usize);
        let close = (found - correction).abs() <= 1e-3 * correction.abs().max(1e-30);
        Ok((!close).then(|| format!("correction {found}, the raw vector gives {correction}")))
    })?;
    let listed = codes.meta().encodings.iter().map(|encoding| encoding.vectors);
    if !listed.eq(counts) {
        problems.push(codes.problem("encodings are not as frequent as the segment info says".to_owned()));
    }
    Ok(problems)
}

/// Hashes every vector again and compares.
fn compare_hashes(reader: &LayeredReader, file: &HashFile, cancel: &Cancel) -> Result<Vec<Problem>> {
    let (estimator, center) = (file.meta().estimator, file.center().map(<[f32]>::to_vec));
    let hash_len = hash_len(reader.field.dimension as usize);
    // Lengths are summed in another order on another CPU: normalised components may be on either side of the centre.
    let normalised = reader.field.similarity == Similarity::Cosine && center.is_some();
    let allowed = if normalised { reader.field.dimension / 16 + 1 } else { 0 };
    let mut again = Hashes::new(&reader.field, estimator, center, 1);
    let stored = file.rows();
    each(reader, cancel, file.name(), |ordinal| {
        again.clear();
        again.encode(reader.raw.row(ordinal)?);
        let start = ordinal as usize * hash_len;
        let bits = stored.bits.get(start..start + hash_len).unwrap_or_default();
        let differing: u32 = bits.iter().zip(again.rows().bits).map(|(a, b)| (a ^ b).count_ones()).sum();
        if differing > allowed {
            return Ok(Some(format!("{differing} bits are not those of the raw vector")));
        }
        let (found, computed) = (stored.correction(ordinal as usize), again.rows().correction(0));
        let close = |found: f32, computed: f32| (found - computed).abs() <= 1e-3 * computed.abs().max(1e-3);
        let close = close(found.0, computed.0) && close(found.1, computed.1);
        Ok((!close).then(|| format!("corrections {found:?}, the raw vector gives {computed:?}")))
    })
}
