//! The parameters of int8 codes, with their defaults.

use super::merge_plan::Thresholds;
use super::quantiles::default_confidence;
use super::sq4::LEAST_DIMENSION;
use crate::encoding::traits::ParamNames;
use lucerne_codec::{Error, FieldInfo, Result};

const SEARCH_BITS: &str = "search_bits";

/// Vectors of at most so many components are searched raw: codes with their corrections are as many bytes.
pub(super) const RAW_DIMENSION: u32 = 8;

/// Parameters of fields with int8 codes.
pub(super) const NAMES: ParamNames = ParamNames {
    ordinary: &["confidence_interval", "requantize_above", "resample_above", FieldInfo::KEEP_RAW],
    advanced: &[],
    advanced_with_graph: &[SEARCH_BITS],
};

/// Parameters in force.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Params {
    /// Share of the component values that lie between the quantiles.
    pub(super) confidence: f64,
    /// When a merge keeps codes.
    pub(super) thresholds: Thresholds,
    /// Bits of a code that graph search reads: 4 or 8.
    pub(super) search_bits: u64,
    /// Whether raw vectors are kept besides the codes.
    pub(super) keep_raw: bool,
}

impl Params {
    pub(super) fn of(field: &FieldInfo) -> Result<Self> {
        let advanced = field.advanced()?;
        let keep_raw = keep_raw(field)?;
        Ok(Self {
            confidence: field
                .number("confidence_interval", 0.9..=1.0)?
                .unwrap_or_else(|| default_confidence(field.dimension)),
            thresholds: Thresholds {
                requantize_above: field.number("requantize_above", 0.0..=1.0)?.unwrap_or(0.015),
                resample_above: field.number("resample_above", 0.0..=1.0)?.unwrap_or(0.10),
            },
            search_bits: search_bits(&advanced)?,
            keep_raw,
        })
    }
}

impl Params {
    /// Whether corrections have a part for 4-bit codes.
    pub(super) fn scale4(&self) -> bool {
        self.search_bits == 4
    }
}

/// Codes take the place of raw vectors where they are smaller.
fn keep_raw(field: &FieldInfo) -> Result<bool> {
    let refuse = |problem: &str| {
        let (field, name) = (&field.name, FieldInfo::KEEP_RAW);
        Err(Error::Invalid(format!("field {field:?}: parameter {name:?} {problem}")))
    };
    match field.params.get(FieldInfo::KEEP_RAW) {
        Some(value) if !value.is_boolean() => refuse(&format!("is {value}, expected true or false")),
        Some(value) if *value == false && field.dimension <= RAW_DIMENSION => refuse(&format!(
            "is false; vectors of at most {RAW_DIMENSION} components have no codes: leave it out"
        )),
        _ => Ok(field.keeps_raw()),
    }
}

/// Four bits by default, where rows are long enough to gain by it.
fn search_bits(field: &FieldInfo) -> Result<u64> {
    let default = if field.dimension < LEAST_DIMENSION { 8 } else { 4 };
    match field.integer(SEARCH_BITS, default, 4..=8)? {
        bits @ (4 | 8) => Ok(bits),
        bits => Err(Error::Invalid(format!(
            "field {:?}: parameter {SEARCH_BITS:?} is {bits}, expected 4 or 8",
            field.name
        ))),
    }
}
