//! What a segment info keeps about a vector field's files.

use super::params::IndexKind;
use super::recall::curve::Curves;
use crate::hnsw::file::GraphMeta;
use crate::ivf::ListsMeta;
use lucerne_codec::envelope::FileEntry;
use lucerne_codec::format::{Metadata, OpenContext};
use lucerne_codec::{Error, Result};
use serde::{Deserialize, Serialize};

/// Everything needed to open the files, and nothing that can be recomputed from them.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Meta {
    /// Number of vectors.
    pub(super) vectors: u32,
    /// Whether there is a file of raw vectors.
    #[serde(default, skip_serializing_if = "RawRows::are_kept")]
    pub(super) raw: RawRows,
    /// About the graph; absent when there are too few vectors for one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) graph: Option<GraphMeta>,
    /// About the inverted lists.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) lists: Option<ListsMeta>,
    /// What searches find by how much they do; absent when there is no index to search.
    #[serde(default, skip_serializing_if = "Curves::is_empty")]
    pub(super) recall: Curves,
    /// About the encoded vectors.
    #[serde(default, skip_serializing_if = "Metadata::is_null")]
    pub(super) encoding: Metadata,
}

/// Whether a segment has its raw vectors.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum RawRows {
    #[default]
    Kept,
    /// The encoded vectors are all there is.
    NotKept,
}

impl RawRows {
    fn are_kept(&self) -> bool {
        *self == Self::Kept
    }
}

/// The files by role.
pub(super) struct Files<'a> {
    pub(super) raw: Option<&'a FileEntry>,
    pub(super) ordinals: &'a FileEntry,
    /// What makes up for damage.
    pub(super) spare: &'a FileEntry,
    /// The graph, or the inverted lists.
    pub(super) index: Option<&'a FileEntry>,
    pub(super) encoding: &'a [FileEntry],
}

impl Meta {
    pub(super) fn to_json(&self) -> Result<Metadata> {
        serde_json::to_value(self).map_err(|error| Error::Invalid(error.to_string()))
    }

    /// Reads the metadata and gives the files their roles: raw unless not kept, ordinals, spare, graph or lists if there
    /// are any, and the rest those of the encoding.
    pub(super) fn read<'a>(context: &OpenContext<'a>, index: IndexKind) -> Result<(Self, Files<'a>)> {
        let name = context.files.first().map_or("", |file| file.name.as_str());
        let refuse = |problem: String| Error::corrupt(name, 0, format!("segment info: {problem}"));
        let meta = Self::deserialize(context.meta).map_err(|error| refuse(error.to_string()))?;
        meta.recall.check().map_err(refuse)?;
        let fits = match index {
            IndexKind::Flat => meta.graph.is_none() && meta.lists.is_none(),
            IndexKind::Hnsw => meta.lists.is_none(),
            IndexKind::Ivf => meta.graph.is_none() && meta.lists.is_some(),
        };
        if !fits {
            return Err(refuse(format!("graph and lists do not fit index {}", index.name())));
        }
        let (raw, others) = match (meta.raw, context.files) {
            (RawRows::Kept, [raw, others @ ..]) => (Some(raw), others),
            (_, others) => (None, others),
        };
        let files = match others {
            _ if raw.is_none() && meta.raw.are_kept() => return Err(refuse("no files".to_owned())),
            [ordinals, spare, index, encoding @ ..] if meta.graph.is_some() || meta.lists.is_some() => {
                Files { raw, ordinals, spare, index: Some(index), encoding }
            }
            [ordinals, spare, encoding @ ..] if meta.graph.is_none() && meta.lists.is_none() => {
                Files { raw, ordinals, spare, index: None, encoding }
            }
            _ => return Err(refuse(format!("{} files", context.files.len()))),
        };
        Ok((meta, files))
    }
}
