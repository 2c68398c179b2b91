//! The facts a segment info keeps about a vector field's files.

use super::Layers;
use super::lists::ListsMeta;
use crate::hnsw::file::GraphMeta;
use crate::sign_hash::HashMeta;
use crate::sq8::CodesMeta;
use lucerne_codec::envelope::FileEntry;
use lucerne_codec::format::OpenContext;
use lucerne_codec::{Error, Metadata, Result};
use serde::{Deserialize, Serialize};

/// Everything needed to open the files, and nothing that can be recomputed from them.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Meta {
    /// Number of vectors.
    pub(super) vectors: u32,
    /// About the codes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) codes: Option<CodesMeta>,
    /// About the sign hashes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) hashes: Option<HashMeta>,
    /// About the graph; absent when there are too few vectors for one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) graph: Option<GraphMeta>,
    /// Whether walks through the graph have the upper halves of the codes.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(super) coarse: bool,
    /// About the inverted lists.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) lists: Option<ListsMeta>,
}

/// The files by role.
pub(super) struct Files<'a> {
    pub(super) raw: &'a FileEntry,
    pub(super) ordinals: &'a FileEntry,
    pub(super) codes: Option<&'a FileEntry>,
    pub(super) hashes: Option<&'a FileEntry>,
    pub(super) graph: Option<&'a FileEntry>,
    pub(super) coarse: Option<&'a FileEntry>,
    pub(super) lists: Option<&'a FileEntry>,
}

impl Meta {
    pub(super) fn facts(&self) -> Result<Metadata> {
        serde_json::to_value(self).map_err(|error| Error::Invalid(error.to_string()))
    }

    /// Reads the facts and gives the files their roles: raw, ordinals, then codes, hashes, graph, the codes' upper
    /// halves and lists as present.
    pub(super) fn read<'a>(context: &OpenContext<'a>, layers: Layers) -> Result<(Self, Files<'a>)> {
        let name = context.files.first().map_or("", |file| file.name.as_str());
        let refuse = |problem: String| Error::corrupt(name, 0, format!("segment info: {problem}"));
        let meta = Self::deserialize(context.meta).map_err(|error| refuse(error.to_string()))?;
        let fits = meta.codes.is_some() == layers.codes
            && meta.hashes.is_some() == layers.hashes
            && meta.lists.is_some() == layers.lists;
        if !fits
            || (meta.graph.is_some() && !layers.graph)
            || (meta.coarse && (meta.graph.is_none() || meta.codes.is_none()))
        {
            return Err(refuse(format!("layers do not fit format {}", layers.name)));
        }
        let mut files = context.files.iter();
        let raw = files.next();
        let ordinals = files.next();
        let codes = meta.codes.as_ref().and_then(|_| files.next());
        let hashes = meta.hashes.as_ref().and_then(|_| files.next());
        let graph = meta.graph.as_ref().and_then(|_| files.next());
        let coarse = if meta.coarse { files.next() } else { None };
        let lists = meta.lists.as_ref().and_then(|_| files.next());
        let (Some(raw), Some(ordinals), None) = (raw, ordinals, files.next()) else {
            return Err(refuse(format!("{} files", context.files.len())));
        };
        let missing = codes.is_some() != meta.codes.is_some()
            || hashes.is_some() != meta.hashes.is_some()
            || graph.is_some() != meta.graph.is_some()
            || coarse.is_some() != meta.coarse
            || lists.is_some() != meta.lists.is_some();
        if missing {
            return Err(refuse(format!("{} files", context.files.len())));
        }
        let files = Files { raw, ordinals, codes, hashes, graph, coarse, lists };
        Ok((meta, files))
    }
}
