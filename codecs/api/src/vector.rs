//! Vector formats: how one vector field of one segment is written, searched, merged and verified.
//!
//! Rows are [`FieldInfo::row_len`] bytes each, as the user gave them: little-endian f32 components, finite, or bits
//! ([`crate::Component`]).

use crate::envelope::{self, EnvelopeWriter, Expected, FileEntry, Header};
use crate::top_k::TieBreak;
use crate::{
    Accept, Cancel, Directory, DocId, DocMap, Facts, FieldInfo, Input, Neighbor, Ordinal, Progress, Result,
    SegmentId,
};
use std::any::Any;

/// Where a structure is being written, and with what means.
pub struct WriteContext<'a> {
    /// The index folder.
    pub directory: &'a dyn Directory,
    /// The segment's name, the prefix of its files: `_0`, `_1`, …
    pub segment: &'a str,
    /// The segment's id, for file headers.
    pub segment_id: SegmentId,
    /// Documents in the segment.
    pub max_doc: u32,
    /// Seed of everything random: same input, same seed, same bytes (with one thread).
    pub seed: u64,
    /// Threads the format may use, itself included; at least 1.
    pub threads: usize,
    /// Asks the work to stop.
    pub cancel: &'a Cancel,
    /// Hears how far the work has come.
    pub progress: &'a dyn Progress,
}

impl WriteContext<'_> {
    /// Creates a file of this segment; `field` is a field's number or [`crate::envelope::NO_FIELD`].
    pub fn create(&self, extension: &str, format: &str, version: u32, field: u32) -> Result<EnvelopeWriter> {
        let name = file_name(self.segment, field, extension);
        let header = Header { format, version, segment: self.segment_id, field };
        EnvelopeWriter::create(self.directory, &name, header)
    }
}

/// `_3.2.sq8` for field 2 of segment `_3`, `_3.keys` for a file of the whole segment.
pub fn file_name(segment: &str, field: u32, extension: &str) -> String {
    match field {
        crate::envelope::NO_FIELD => format!("{segment}.{extension}"),
        field => format!("{segment}.{field}.{extension}"),
    }
}

/// Where a structure is being opened.
pub struct OpenContext<'a> {
    /// The index folder.
    pub directory: &'a dyn Directory,
    /// The segment's id; files that carry another one are refused.
    pub segment_id: SegmentId,
    /// Documents in the segment.
    pub max_doc: u32,
    /// The files the structure was written to, in the order the format returned them.
    pub files: &'a [FileEntry],
    /// The facts the format returned when it wrote them.
    pub meta: &'a Facts,
}

impl OpenContext<'_> {
    /// Opens a file as [`WriteContext::create`] made it: envelope checked, of this segment and field, of this very
    /// version.
    pub fn open(&self, entry: &FileEntry, format: &str, version: u32, field: u32) -> Result<Input> {
        let expected = Expected { format, versions: (version, version), segment: self.segment_id, field };
        envelope::open_entry(self.directory, entry, expected).map(|(input, _)| input)
    }
}

/// What a format has written: its files, and the small facts it needs to open them again. The facts are
/// kept in the segment info, under that file's checksum.
#[derive(Clone, Debug, Default)]
pub struct Written {
    /// The files, finished but not yet synced.
    pub files: Vec<FileEntry>,
    /// The format's own facts.
    pub meta: Facts,
}

/// The vectors of a buffer that is being flushed: row i belongs to document `docs[i]`. In a field of several
/// vectors a document ([`FieldInfo::is_multiple`]) documents may repeat.
#[derive(Clone, Copy, Debug)]
pub struct VectorRows<'a> {
    /// `docs.len()` rows, one after the other.
    pub rows: &'a [u8],
    /// Ascending document ids.
    pub docs: &'a [DocId],
}

/// One source of a merge.
pub struct MergeSource<'a> {
    /// The source segment's name, for the report.
    pub segment: &'a str,
    /// Its vectors; `None` when no document of the segment has one.
    pub reader: Option<&'a dyn VectorReader>,
    /// Where its documents go.
    pub docs: &'a DocMap,
}

/// How hard a search tries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effort {
    /// Every accepted vector is compared with the raw query.
    Exact,
    /// The format's index is used, keeping this many candidates (HNSW's search-time beam width; inverted lists are
    /// gone through until they held a number of vectors in proportion).
    Candidates(usize),
    /// This many inverted lists are gone through (nprobe), and more while `k` were not found; a format without lists
    /// keeps candidates.
    Lists {
        /// Lists to go through.
        probes: usize,
        /// Candidates to keep where there are no lists.
        candidates: usize,
    },
}

/// A search for the vectors nearest to a query.
pub struct VectorSearch<'a> {
    /// The query: one row, finite.
    pub query: &'a [u8],
    /// Neighbours wanted.
    pub k: usize,
    /// How hard to try.
    pub effort: Effort,
    /// Documents that may be returned.
    pub accept: Accept<'a>,
    /// Order of documents at the same distance.
    pub ties: &'a TieBreak<'a>,
    /// Asks the search to stop.
    pub cancel: &'a Cancel,
}

/// What a search found, and what it did for it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct VectorHits {
    /// At most `k` neighbours, nearest first, a document once, by its nearest vector. Deleted and filtered documents never use up a place.
    pub neighbors: Vec<Neighbor>,
    /// True when the distances come from the raw vectors, false when they are estimates from codes.
    pub exact: bool,
    /// Distances computed.
    pub visited: u64,
    /// The way taken: `graph`, `graph filtered`, `scan codes`, `scan raw`, `none`, …
    pub strategy: &'static str,
}

/// Damage found by a thorough check.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The damaged file.
    pub file: String,
    /// What is wrong.
    pub problem: String,
}

/// Writes, opens and merges one kind of vector structure.
pub trait VectorFormat: Send + Sync {
    /// The name segments remember; never reused for another layout.
    fn name(&self) -> &'static str;

    /// Refuses parameters it does not know or cannot honour, naming field, value and expectation.
    fn check(&self, field: &FieldInfo) -> Result<()>;

    /// Memory a writer must set aside per buffered vector for buffering and flushing it, in bytes.
    fn buffered_bytes(&self, field: &FieldInfo) -> usize;

    /// Writes a buffer's vectors (at least one). `sibling` is a reader of the same field in an earlier
    /// segment of the same format, if there is one: the place to take shared state (a centre) from.
    fn write(
        &self,
        context: &WriteContext<'_>,
        field: &FieldInfo,
        vectors: VectorRows<'_>,
        sibling: Option<&dyn VectorReader>,
    ) -> Result<Written>;

    /// Opens what [`VectorFormat::write`] or [`VectorFormat::merge`] wrote. Reads metadata only; every byte
    /// is untrusted.
    fn open(&self, context: &OpenContext<'_>, field: &FieldInfo) -> Result<Box<dyn VectorReader>>;

    /// What [`VectorFormat::merge`] would decide for each source, without doing it.
    fn plan_merge(&self, field: &FieldInfo, sources: &[MergeSource<'_>]) -> Result<Facts>;

    /// Merges sources (of any vector format) into one structure, live documents only, and says what it
    /// did: for each source at least `segment` and `outcome`. At least one live vector exists.
    fn merge(
        &self,
        context: &WriteContext<'_>,
        field: &FieldInfo,
        sources: &[MergeSource<'_>],
    ) -> Result<(Written, Facts)>;
}

/// The vectors of one field of one segment, open for reading.
pub trait VectorReader: Send + Sync {
    /// Number of vectors.
    fn len(&self) -> usize;

    /// True when there are none.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The document of a vector.
    fn doc(&self, ordinal: Ordinal) -> Result<DocId>;

    /// The first vector of a document.
    fn ordinal(&self, doc: DocId) -> Result<Option<Ordinal>>;

    /// Replaces the content of `into` by all vectors of a document, ascending: in the order they were given.
    fn ordinals(&self, doc: DocId, into: &mut Vec<Ordinal>) -> Result<()> {
        into.clear();
        into.extend(self.ordinal(doc)?);
        Ok(())
    }

    /// A vector's row, bit for bit as it was added.
    fn row(&self, ordinal: Ordinal) -> Result<&[u8]>;

    /// The accepted vectors nearest to the query.
    fn search(&self, search: &VectorSearch<'_>) -> Result<VectorHits>;

    /// Candidates kept in a search for `k` that does not say how many; `None` leaves it to the engine.
    fn default_candidates(&self, _k: usize) -> Option<usize> {
        None
    }

    /// Replaces estimated distances by those of the raw vectors. The order is left alone. In a field of several
    /// vectors a document each neighbour becomes its document's nearest vector.
    fn rescore(&self, query: &[u8], neighbors: &mut [Neighbor]) -> Result<()>;

    /// Facts for people and tools: parts with their sizes, parameters in force, quantiles, ….
    fn inspect(&self) -> Facts;

    /// Compares everything with everything: cross-file agreement, ranges, codes against raw vectors,
    /// reachability. Checksums are checked by the caller.
    fn verify(&self, cancel: &Cancel) -> Result<Vec<Problem>>;

    /// False when a file has an older version than the format writes now: `lucerne upgrade` rewrites it.
    fn is_current(&self) -> bool {
        true
    }

    /// For a format that recognises its own readers in a merge.
    fn as_any(&self) -> &dyn Any;
}
