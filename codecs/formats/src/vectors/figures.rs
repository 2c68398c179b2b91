//! Figures of some vectors of a segment, for pictures: they are read for it, which `inspect` does not do.

use super::segment::VectorSegment;
use crate::hnsw::graph::GraphView;
use lucerne_codec::io::bytes;
use lucerne_codec::{Cancel, Error, Ordinal, Report, Result, Similarity};
use serde_json::{Map, Value, json};

/// Vectors read between two looks at the cancel flag.
const CANCEL_STEP: usize = 256;

/// What codes look like and how far they are from the vectors; how many links nodes have.
pub(super) fn figures(segment: &VectorSegment, sample: &[Ordinal], cancel: &Cancel) -> Result<Report> {
    let mut figures = Map::new();
    figures.insert("sampled".to_owned(), sample.len().into());
    if let Some(counts) = segment.encoded.code_counts(sample, cancel)? {
        figures.insert("codes".to_owned(), counts.into());
    }
    if let Some(error) = code_error(segment, sample, cancel)? {
        figures.insert("code_error".to_owned(), error);
    }
    if let Some(graph) = segment.graph() {
        let levels: Vec<usize> = (0..graph.level_count()).map(|level| graph.level_len(level)).collect();
        figures.insert("levels".to_owned(), levels.into());
        figures.insert("degrees".to_owned(), degrees(graph, sample, cancel)?.into());
    }
    Ok(Value::Object(figures))
}

/// How long the difference between a vector and what its code stands for is, in lengths of the vector: the median, the
/// 99th percentile and the greatest. `None` where codes cannot be decoded, or there is nothing to compare with.
fn code_error(segment: &VectorSegment, sample: &[Ordinal], cancel: &Cancel) -> Result<Option<Value>> {
    let Some(raw) = &segment.raw else { return Ok(None) };
    // Where length has no meaning, codes stand for vectors of length 1.
    let of_length_one = matches!(segment.field.similarity, Similarity::Cosine | Similarity::DotProduct);
    let mut errors = Vec::with_capacity(sample.len());
    for (done, &ordinal) in sample.iter().enumerate() {
        cancel.check_every(CANCEL_STEP, done)?;
        let decoded = match segment.encoded.decode(ordinal) {
            Err(Error::Invalid(_)) => return Ok(None),
            decoded => decoded?,
        };
        let vector: Vec<f64> = bytes::f32s(&raw.vector(ordinal)?).map(f64::from).collect();
        let length = vector.iter().map(|component| component * component).sum::<f64>().sqrt();
        if length <= 0.0 || !length.is_finite() {
            continue;
        }
        let scale = if of_length_one { 1.0 / length } else { 1.0 };
        let squares = vector.iter().zip(bytes::f32s(&decoded)).map(|(component, decoded)| {
            let difference = component * scale - f64::from(decoded);
            difference * difference
        });
        errors.push(squares.sum::<f64>().sqrt() / (length * scale));
    }
    errors.sort_by(f64::total_cmp);
    let at = |share: f64| errors.get((errors.len().saturating_sub(1) as f64 * share).round() as usize);
    let (Some(median), Some(high), Some(worst)) = (at(0.5), at(0.99), at(1.0)) else { return Ok(None) };
    Ok(Some(json!({ "median": rounded(*median), "p99": rounded(*high), "worst": rounded(*worst) })))
}

fn rounded(value: f64) -> f64 {
    (value * 1e6).round() / 1e6
}

/// How many nodes of level 0 have 0, 1, 2, … links.
fn degrees(graph: &dyn GraphView, sample: &[Ordinal], cancel: &Cancel) -> Result<Vec<u64>> {
    let (mut counts, mut row) = (vec![0u64; 2 * graph.m() + 1], Vec::new());
    for (done, &position) in sample.iter().enumerate().filter(|(_, at)| (**at as usize) < graph.len()) {
        cancel.check_every(CANCEL_STEP, done)?;
        graph.neighbors(0, position, &mut row);
        if counts.len() <= row.len() {
            counts.resize(row.len() + 1, 0);
        }
        if let Some(count) = counts.get_mut(row.len()) {
            *count += 1;
        }
    }
    Ok(counts)
}
