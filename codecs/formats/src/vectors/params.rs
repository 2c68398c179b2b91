//! The parameters of a vector field that belong to its index, with their defaults.

use crate::encoding::Encoding;
use crate::hnsw::graph::BuildParams;
use lucerne_codec::format::{Working, WriteContext};
use lucerne_codec::{Component, Error, FieldInfo, Result};

/// Below this many vectors a scan is faster than a graph search.
const GRAPH_THRESHOLD: u64 = 4_000;
/// Inverted lists of a segment at most.
const MAX_LISTS: u64 = 65_536;

const GRAPH: [&str; 3] = ["m", "beam_width", "merge_passes"];
const GRAPH_THRESHOLD_PARAM: &str = "graph_threshold";
const LISTS: [&str; 1] = ["nlist"];

/// How nearest vectors are found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IndexKind {
    /// By comparing all of them.
    Flat,
    /// By searching an HNSW graph.
    Hnsw,
    /// By probing inverted lists.
    Ivf,
}

impl IndexKind {
    /// The name in schemas.
    pub fn name(self) -> &'static str {
        match self {
            Self::Flat => "flat",
            Self::Hnsw => "hnsw",
            Self::Ivf => "ivf",
        }
    }
}

/// Parameters in force.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct IndexParams {
    /// Links of a graph node on upper levels; twice as many on level 0.
    pub(super) m: usize,
    /// Candidates kept while building a graph (efConstruction).
    pub(super) beam_width: usize,
    /// 2: when segments are merged, the links of all nodes are selected a second time.
    pub(super) merge_passes: usize,
    /// Fewer vectors get no graph.
    pub(super) graph_threshold: u64,
    /// Inverted lists wanted; `None` chooses by the number of vectors.
    pub(super) nlist: Option<usize>,
    /// Whether a document may have several vectors.
    pub(super) multiple: bool,
}

impl IndexParams {
    /// Reads a field's parameters; refuses those that neither the index nor the encoding has.
    pub(super) fn of(index: IndexKind, encoding: &dyn Encoding, field: &FieldInfo) -> Result<Self> {
        let names = encoding.params();
        let mut ordinary = vec![FieldInfo::MULTIPLE, FieldInfo::ADVANCED];
        let mut advanced = names.advanced.to_vec();
        ordinary.extend(names.ordinary);
        match index {
            IndexKind::Flat => {}
            IndexKind::Hnsw => {
                ordinary.extend(GRAPH);
                advanced.push(GRAPH_THRESHOLD_PARAM);
                advanced.extend(names.advanced_with_graph);
            }
            IndexKind::Ivf => ordinary.extend(LISTS),
        }
        if field.similarity.component() != Component::Bit {
            ordinary.push(FieldInfo::DATATYPE);
            field.choice(FieldInfo::DATATYPE, &[FieldInfo::FLOAT32, FieldInfo::FLOAT16])?;
        }
        field.only(&ordinary)?;
        field.advanced()?.only(&advanced)?;
        encoding.check(field)?;
        Ok(Self {
            m: field.integer("m", 16, 2..=512)? as usize,
            beam_width: field.integer("beam_width", 100, 8..=3_200)? as usize,
            merge_passes: field.integer("merge_passes", 1, 1..=2)? as usize,
            graph_threshold: field.advanced()?.integer(
                GRAPH_THRESHOLD_PARAM,
                GRAPH_THRESHOLD,
                0..=u64::from(u32::MAX),
            )?,
            nlist: if field.params.contains_key("nlist") {
                Some(field.integer("nlist", 1, 1..=MAX_LISTS)? as usize)
            } else {
                None
            },
            multiple: multiple(index, field)?,
        })
    }

    /// How the graph of a new segment is built.
    pub(super) fn build_params<'a>(&self, context: &WriteContext<'a>) -> BuildParams<'a> {
        BuildParams {
            m: self.m,
            beam_width: self.beam_width,
            passes: 1,
            seed: context.seed,
            threads: context.threads.max(1),
            files: (context.working == Working::Files).then_some(context.directory),
        }
    }

    /// How the graph of merged segments is built.
    pub(super) fn merge_params<'a>(&self, context: &WriteContext<'a>) -> BuildParams<'a> {
        BuildParams { passes: self.merge_passes, ..self.build_params(context) }
    }
}

/// Refuses a field whose vectors the format is not for.
pub(super) fn check_component(format: &str, component: Component, field: &FieldInfo) -> Result<()> {
    if (field.component() == Component::Bit) != (component == Component::Bit) {
        let (takes, has) = match component {
            Component::Bit => ("binary", "float"),
            _ => ("float", "binary"),
        };
        return Err(Error::Invalid(format!(
            "field {:?}: format {format} is for {takes} vectors, similarity {} is one of {has} vectors",
            field.name, field.similarity
        )));
    }
    if component == Component::Bit && !field.dimension.is_multiple_of(8) {
        return Err(Error::Invalid(format!(
            "field {:?}: dimension is {}, expected a multiple of 8",
            field.name, field.dimension
        )));
    }
    Ok(())
}

/// Refuses what [`FieldInfo::is_multiple`] would take for a no.
fn multiple(index: IndexKind, field: &FieldInfo) -> Result<bool> {
    match field.params.get(FieldInfo::MULTIPLE) {
        // A document's vectors are numbered in their order, and here vectors are numbered by list.
        Some(_) if index == IndexKind::Ivf && field.is_multiple() => Err(Error::Invalid(format!(
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
