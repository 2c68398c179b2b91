//! The open files of a vector field in one segment: data, without a way to search it.

use super::meta::Meta;
use super::ordinals::OrdinalMap;
use super::params::{IndexKind, IndexParams};
use super::recall::curve::Curves;
use super::spare::Spare;
use crate::encoding::raw::{RawFile, RawVectors};
use crate::encoding::{self, EncodedVectors, Encoding};
use crate::hnsw::file::{self, GraphFile};
use crate::ivf::ListFile;
use lucerne_codec::format::OpenContext;
use lucerne_codec::half;
use lucerne_codec::io::bytes::{f32s, from_f32s};
use lucerne_codec::{Component, Error, FieldInfo, Ordinal, Result};
use std::borrow::Cow;

/// How the vectors of a segment are found.
pub(super) enum Index {
    /// By comparing all of them.
    Flat,
    /// By a graph, when there are enough vectors for one.
    Hnsw(Option<GraphFile>),
    /// By inverted lists.
    Ivf(ListFile),
}

/// One vector field of one segment.
pub(super) struct VectorSegment {
    /// Name of the format.
    pub(super) format: &'static str,
    pub(super) field: FieldInfo,
    /// Documents in the segment.
    pub(super) max_doc: u32,
    pub(super) params: IndexParams,
    /// Number of vectors.
    pub(super) len: usize,
    /// `None` when only encoded vectors are kept.
    pub(super) raw: Option<RawVectors>,
    pub(super) map: OrdinalMap,
    pub(super) index: Index,
    pub(super) encoded: Box<dyn EncodedVectors>,
    /// What searches find by how much they do.
    pub(super) curves: Curves,
}

impl VectorSegment {
    pub(super) fn open(
        format: &'static str,
        index: IndexKind,
        encoding: &dyn Encoding,
        context: &OpenContext<'_>,
        field: &FieldInfo,
    ) -> Result<Self> {
        let params = IndexParams::of(index, encoding, field)?;
        let (meta, files) = Meta::read(context, index)?;
        let len = meta.vectors as usize;
        let spare = Spare::open(context, files.spare, field, len)?;
        let raw = files.raw.map(|file| RawFile::open(context, file, field, len, spare.raw(field)?));
        let raw = raw.transpose()?.map(|file| RawVectors::new(file, field.similarity));
        let map = OrdinalMap::open(context, files.ordinals, field, len, spare.documents()?)?;
        let encoded = encoding.open(&encoding::OpenContext {
            segment: context,
            files: files.encoding,
            meta: &meta.encoding,
            spare: &spare.encoding()?,
            field,
            len,
            raw: raw.as_ref(),
        })?;
        let index = match (index, files.index, &meta.graph, &meta.lists) {
            (IndexKind::Hnsw, Some(entry), Some(meta), _) => {
                let input = context.open(entry, file::FORMAT, file::VERSION, field.number)?;
                Index::Hnsw(Some(GraphFile::open(input, meta, len)?))
            }
            (IndexKind::Hnsw, ..) => Index::Hnsw(None),
            (IndexKind::Ivf, Some(entry), _, Some(meta)) => {
                Index::Ivf(ListFile::open(context, entry, field, len, meta)?)
            }
            _ => Index::Flat,
        };
        let max_doc = context.max_doc;
        Ok(Self {
            format,
            field: field.clone(),
            max_doc,
            params,
            len,
            raw,
            map,
            index,
            encoded,
            curves: meta.recall,
        })
    }

    /// The graph, if there is one.
    pub(super) fn graph(&self) -> Option<&GraphFile> {
        match &self.index {
            Index::Hnsw(graph) => graph.as_ref(),
            Index::Flat | Index::Ivf(_) => None,
        }
    }

    /// The raw vectors.
    pub(super) fn raw(&self) -> Result<&RawVectors> {
        self.raw.as_ref().ok_or_else(|| {
            Error::Invalid(format!("field {:?}: raw vectors are not kept, only their codes", self.field.name))
        })
    }

    /// What distances are most exact by: the raw vectors, or where they are not kept the encoded ones.
    pub(super) fn best(&self) -> &dyn EncodedVectors {
        match &self.raw {
            Some(raw) => raw,
            None => &*self.encoded,
        }
    }

    /// A vector as well as it is known.
    pub(super) fn vector(&self, ordinal: Ordinal) -> Result<Cow<'_, [u8]>> {
        match &self.raw {
            Some(raw) => raw.vector(ordinal),
            None => self.decoded(ordinal).map(Cow::Owned),
        }
    }

    /// What a code stands for, within the range of what it was made of.
    fn decoded(&self, ordinal: Ordinal) -> Result<Vec<u8>> {
        let decoded = self.encoded.decode(ordinal)?;
        if self.field.component() != Component::F16 {
            return Ok(decoded);
        }
        let components: Vec<f32> = f32s(&decoded).map(|value| value.clamp(-half::MAX, half::MAX)).collect();
        Ok(from_f32s(&components))
    }

    /// Refuses a query that is not one vector.
    pub(super) fn check_query(&self, query: &[u8]) -> Result<()> {
        if query.len() == self.field.vector_len() {
            return Ok(());
        }
        let components = match self.field.component() {
            Component::Bit => query.len() * 8,
            _ => query.len() / 4,
        };
        Err(Error::Invalid(format!(
            "field {:?}: a query of {} components, the field has dimension {}",
            self.field.name, components, self.field.dimension
        )))
    }
}
