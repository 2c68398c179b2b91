//! A field's parameters, with their defaults.

use super::Layers;
use crate::sign_hash::Estimator;
use crate::sq8::coarse::LEAST_DIMENSION;
use crate::sq8::plan::Thresholds;
use crate::sq8::quantiles::default_confidence;
use lucerne_codec::{Component, Error, FieldInfo, Result};

/// Below this many vectors a scan of the codes is faster than a walk through a graph.
pub(super) const GRAPH_THRESHOLD: u64 = 4_000;

/// Inverted lists of a segment at most.
pub(super) const MAX_LISTS: u64 = 65_536;

/// Parameters in force.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Settings {
    /// Links of a graph node on upper levels; twice as many on level 0.
    pub(super) m: usize,
    /// Candidates kept while building a graph.
    pub(super) beam_width: usize,
    /// Fewer vectors get no graph.
    pub(super) graph_threshold: u64,
    /// Share of the component values that lie between the quantiles.
    pub(super) confidence: f64,
    /// When codes are kept in a merge.
    pub(super) thresholds: Thresholds,
    /// Whether a centre may be used.
    pub(super) center: bool,
    /// Bits of a code that walks through the graph look at: 4 or 8.
    pub(super) search_bits: u64,
    /// How sign hashes are compared.
    pub(super) estimator: Estimator,
    /// Whether a document may have several vectors.
    pub(super) multiple: bool,
    /// Inverted lists wanted; `None` chooses by the number of vectors.
    pub(super) nlist: Option<usize>,
}

const SEARCH_BITS: &str = "search_bits";
const GRAPH_THRESHOLD_PARAM: &str = "graph_threshold";
const CENTER: &str = "center";
/// True, or the name of an estimator.
const SIGN_HASH: &str = "sign_hash";
const GRAPH: [&str; 2] = ["m", "beam_width"];
const LISTS: [&str; 1] = ["nlist"];
const CODES: [&str; 3] = ["confidence_interval", "requantize_above", "resample_above"];

impl Settings {
    /// Reads a field's parameters; refuses those the format does not have.
    pub(super) fn of(layers: Layers, field: &FieldInfo) -> Result<Self> {
        check_component(layers, field)?;
        let (mut accepted, mut accepted_advanced) =
            (vec![FieldInfo::MULTIPLE, FieldInfo::ADVANCED], Vec::new());
        if layers.lists {
            accepted.extend(LISTS);
        }
        if layers.graph {
            accepted.extend(GRAPH);
            accepted_advanced.push(GRAPH_THRESHOLD_PARAM);
        }
        if layers.codes {
            accepted.extend(CODES);
            accepted_advanced.push(CENTER);
        }
        if layers.graph && layers.codes {
            accepted_advanced.push(SEARCH_BITS);
        }
        if layers.hashes {
            accepted.push(SIGN_HASH);
        }
        field.only(&accepted)?;
        let advanced = field.advanced()?;
        advanced.only(&accepted_advanced)?;
        Ok(Self {
            m: field.integer("m", 16, 2..=512)? as usize,
            beam_width: field.integer("beam_width", 100, 8..=3_200)? as usize,
            graph_threshold: advanced.integer(
                GRAPH_THRESHOLD_PARAM,
                GRAPH_THRESHOLD,
                0..=u64::from(u32::MAX),
            )?,
            confidence: field
                .number("confidence_interval", 0.9..=1.0)?
                .unwrap_or_else(|| default_confidence(field.similarity, field.dimension)),
            thresholds: Thresholds {
                keep: field.number("requantize_above", 0.0..=1.0)?.unwrap_or(0.015),
                resample: field.number("resample_above", 0.0..=1.0)?.unwrap_or(0.10),
            },
            center: advanced.choice(CENTER, &["auto", "none"])? != Some("none"),
            search_bits: search_bits(&advanced)?,
            estimator: estimator(field)?,
            multiple: multiple(layers, field)?,
            nlist: match field.params.contains_key("nlist") {
                true => Some(field.integer("nlist", 1, 1..=MAX_LISTS)? as usize),
                false => None,
            },
        })
    }
}

/// Refuses a field whose vectors the format is not for.
fn check_component(layers: Layers, field: &FieldInfo) -> Result<()> {
    if field.component() != layers.component {
        let (takes, has) = match layers.component {
            Component::Bit => ("binary", "float"),
            _ => ("float", "binary"),
        };
        return Err(Error::Invalid(format!(
            "field {:?}: format {} is for {takes} vectors, similarity {} is one of {has} vectors",
            field.name, layers.name, field.similarity
        )));
    }
    if layers.component == Component::Bit && !field.dimension.is_multiple_of(8) {
        return Err(Error::Invalid(format!(
            "field {:?}: dimension is {}, expected a multiple of 8",
            field.name, field.dimension
        )));
    }
    Ok(())
}

/// Half the code by default, where rows are long enough to gain by it.
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

/// The estimator that a field names; true leaves the choice to the format.
fn estimator(field: &FieldInfo) -> Result<Estimator> {
    match field.params.get(SIGN_HASH) {
        None => Ok(Estimator::default()),
        Some(value) if *value == true => Ok(Estimator::default()),
        Some(value) => {
            let named = Estimator::ALL.into_iter().find(|estimator| value == estimator.name());
            let names = Estimator::ALL.map(Estimator::name).join(", ");
            named.ok_or_else(|| {
                Error::Invalid(format!(
                    "field {:?}: parameter {:?} is {value}, expected true, false or one of {names}",
                    field.name, SIGN_HASH
                ))
            })
        }
    }
}

/// Refuses what [`FieldInfo::is_multiple`] would take for a no.
fn multiple(layers: Layers, field: &FieldInfo) -> Result<bool> {
    match field.params.get(FieldInfo::MULTIPLE) {
        // A document's vectors are numbered in their order, and here vectors are numbered by list.
        Some(_) if layers.lists && field.is_multiple() => Err(Error::Invalid(format!(
            "field {:?}: inverted lists hold one vector a document; with \"multiple\" choose index hnsw or flat",
            field.name
        ))),
        Some(value) if !value.is_boolean() => Err(Error::Invalid(format!(
            "field {:?}: parameter {:?} is {value}, expected true or false",
            field.name,
            FieldInfo::MULTIPLE
        ))),
        _ => Ok(field.is_multiple()),
    }
}
