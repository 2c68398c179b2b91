//! What an encoding does: encode the vectors of a flush, plan and carry out a merge, open.

use super::encoded::EncodedVectors;
use super::merge_sources::MergeSources;
use super::raw::RawVectors;
use super::report::MergeReport;
use super::rows::Rows;
use crate::distance::GraphVectors;
use lucerne_codec::envelope::FileEntry;
use lucerne_codec::format::{self, Metadata, Working, WriteContext};
use lucerne_codec::{Cancel, Error, FieldInfo, Input, Ordinal, Result};
use std::fmt::Debug;

/// An encoding of the vectors of one field: raw, int8 codes, sign hashes, ….
pub trait Encoding: Debug + Send + Sync {
    /// The name in schemas and messages, such as `int8`.
    fn name(&self) -> &'static str;

    /// The parameters of a field that belong to the encoding.
    fn params(&self) -> ParamNames {
        ParamNames::default()
    }

    /// Refuses parameters out of range, naming field, value and expectation.
    fn check(&self, field: &FieldInfo) -> Result<()>;

    /// Whether a segment of the field keeps its raw vectors besides.
    fn keeps_raw(&self, _field: &FieldInfo) -> bool {
        true
    }

    /// The metadata of an encoding whose raw vectors are taken away.
    ///
    /// # Errors
    /// When it cannot do without them.
    fn without_raw(&self, field: &FieldInfo, _meta: &Metadata) -> Result<Metadata> {
        let (field, name) = (&field.name, self.name());
        Err(Error::Invalid(format!(
            "field {field:?}: the raw vectors are what encoding {name} is searched with; keep them"
        )))
    }

    /// Bytes of memory per vector while a buffer is flushed, the raw row apart.
    fn buffered_bytes(&self, field: &FieldInfo) -> usize;

    /// Whether vectors of the field may be compared a panel at a time while a graph is built
    /// ([`GraphVectors::panel`](crate::distance::GraphVectors::panel)).
    fn compares_panels(&self, _field: &FieldInfo) -> bool {
        false
    }

    /// Bytes of heap that the encoded vectors of a merge take at most, graph and places apart.
    fn merge_bytes(&self, _field: &FieldInfo, _vectors: u64, _working: Working) -> u64 {
        0
    }

    /// Encodes the vectors of a flush. `previous` are those of an earlier segment of the field, in this encoding: the
    /// place to take shared state from, such as a center.
    fn encode<'a>(
        &self,
        context: &EncodeContext<'a>,
        rows: &'a dyn Rows,
        previous: Option<&dyn EncodedVectors>,
    ) -> Result<Box<dyn NewVectors + 'a>>;

    /// Decides what a merge does with the vectors of each source, without doing it.
    fn plan_merge(
        &self,
        field: &FieldInfo,
        sources: &MergeSources<'_>,
        cancel: &Cancel,
    ) -> Result<Box<dyn MergePlan>>;

    /// Opens what [`NewVectors::write`] wrote. Reads headers, footers and lengths only; every byte is untrusted.
    fn open(&self, context: &OpenContext<'_>) -> Result<Box<dyn EncodedVectors>>;

    /// Opens what is left of damaged files where raw vectors are not kept, and says which vectors are damaged.
    ///
    /// # Errors
    /// When it is searched with raw vectors, or too little is left.
    fn salvage(
        &self,
        context: &OpenContext<'_>,
        _cancel: &Cancel,
    ) -> Result<(Box<dyn EncodedVectors>, Vec<Ordinal>)> {
        context.require_raw()?;
        Err(Error::Invalid(format!("encoding {} is made again from raw vectors", self.name())))
    }
}

/// Names of the parameters that an encoding has.
#[derive(Clone, Copy, Debug, Default)]
pub struct ParamNames {
    /// Ordinary ones.
    pub ordinary: &'static [&'static str],
    /// Those in the group [`FieldInfo::ADVANCED`].
    pub advanced: &'static [&'static str],
    /// Further ones in that group, of fields with a graph.
    pub advanced_with_graph: &'static [&'static str],
}

/// Where vectors are encoded.
#[derive(Clone, Copy)]
pub struct EncodeContext<'a> {
    /// The segment being written.
    pub write: &'a WriteContext<'a>,
    /// The field.
    pub field: &'a FieldInfo,
    /// Whether a graph will be built over the vectors.
    pub graph: bool,
}

/// What a merge does with the vectors of its sources.
pub trait MergePlan {
    /// Says what was decided: for the merged field, and for each source its `outcome`.
    fn report(&self, report: &mut MergeReport);

    /// The name that the counts of [`MergedVectors::reencoded`] have in reports.
    fn reencoded_name(&self) -> &'static str {
        "vectors_reencoded"
    }

    /// Carries the plan out.
    fn encode<'a>(
        &self,
        context: &EncodeContext<'a>,
        sources: &'a MergeSources<'a>,
    ) -> Result<MergedVectors<'a>>;
}

/// The vectors of a merge.
pub struct MergedVectors<'a> {
    /// The vectors, in the order of [`MergeSources`].
    pub vectors: Box<dyn NewVectors + 'a>,
    /// Per source, how many were encoded from their raw vectors; empty for an encoding that never does.
    pub reencoded: Vec<u64>,
}

/// Encoded vectors of a segment being written, by their index among its raw rows.
pub trait NewVectors {
    /// The vectors as a graph under construction compares them.
    fn graph_vectors(&self) -> Result<Box<dyn GraphVectors + '_>>;

    /// Writes the vectors in the order given: `order[ordinal]` is the index of a vector.
    fn write(&self, context: &EncodeContext<'_>, order: &[Ordinal]) -> Result<WrittenVectors>;
}

/// What an encoding has written.
#[derive(Default)]
pub struct WrittenVectors {
    /// The files, finished but not yet synced.
    pub files: Vec<FileEntry>,
    /// What it needs to open them again.
    pub meta: Metadata,
    /// What it needs to make up for damage to them; kept in another file.
    pub spare: Vec<u8>,
}

/// Where encoded vectors are opened.
pub struct OpenContext<'a> {
    /// The segment.
    pub segment: &'a format::OpenContext<'a>,
    /// The files that [`NewVectors::write`] returned.
    pub files: &'a [FileEntry],
    /// The metadata that it returned.
    pub meta: &'a Metadata,
    /// Begins with the spare bytes that it returned; [`Encoding::salvage`] may find fewer, and damaged ones.
    pub spare: &'a Input,
    /// The field.
    pub field: &'a FieldInfo,
    /// Number of vectors.
    pub len: usize,
    /// The raw vectors, if they are kept.
    pub raw: Option<&'a RawVectors>,
}

impl OpenContext<'_> {
    /// The raw vectors, for an encoding that needs them.
    pub fn require_raw(&self) -> Result<&RawVectors> {
        let name = || self.files.first().map_or("", |file| file.name.as_str());
        self.raw.ok_or_else(|| Error::corrupt(name(), 0, "segment info: raw vectors are missing"))
    }
}
