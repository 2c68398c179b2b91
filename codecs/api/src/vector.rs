//! Vector formats: how one vector field of one segment is written, searched, merged and verified.
//!
//! Stored rows are [`FieldInfo::row_len`] bytes each: little-endian f32 or f16 components, finite, or bits
//! ([`crate::Component`]). Queries, and vectors that readers give back, have [`FieldInfo::vector_len`] bytes: f16 is widened
//! to f32.

use crate::envelope::FileEntry;
use crate::format::{Metadata, OpenContext, Problem, Working, WriteContext, Written};
use crate::top_k::TieBreak;
use crate::{
    Accept, Cancel, Component, DocId, Error, FieldInfo, MergeInput, Neighbor, OnStop, Ordinal, Report, Result,
};
use std::any::Any;
use std::borrow::Cow;

/// The vectors of a buffer that is being flushed: row i belongs to document `docs[i]`. In a field of several
/// vectors a document ([`FieldInfo::is_multiple`]) documents may repeat.
#[derive(Clone, Copy, Debug)]
pub struct VectorRows<'a> {
    /// `docs.len()` rows, one after the other.
    pub rows: &'a [u8],
    /// Ascending document ids.
    pub docs: &'a [DocId],
}

/// A kind of vector field: what its components are, how its vectors are indexed and how they are encoded. The registry
/// finds the format that serves it ([`crate::Registry::vectors_for`]).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct VectorKind {
    /// What a vector consists of: [`Component::F32`] for float vectors, however they are kept, or [`Component::Bit`].
    pub component: Component,
    /// The index: `hnsw`, `flat`, `ivf`, ….
    pub index: &'static str,
    /// What is compared in a search: `none` (the raw vectors), `int8`, `sign_hash`, ….
    pub encoding: &'static str,
}

impl std::fmt::Display for VectorKind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let component = match self.component {
            Component::F32 | Component::F16 => "float",
            Component::Bit => "binary",
        };
        write!(f, "{component} vectors, index {}, encoding {}", self.index, self.encoding)
    }
}

/// How much work a search may do: the trade between speed and recall.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Effort {
    /// Every accepted vector is compared: by its row or, where raw vectors are not kept, by its code.
    Exact,
    /// The least work that finds this share of the `k` nearest vectors, as far as the format knows: built-in formats
    /// measure it whenever they write an index.
    Recall {
        /// The share to find on average, above 0; 1 is the exact search.
        recall: f32,
        /// How many times the work to do: 1 for queries like the stored vectors, more where they are known to be
        /// harder.
        scale: f32,
        /// The part of its margin for chance that a measurement of recall takes, 0 to 1: all of it where one segment is
        /// searched by itself. In several segments chances even out.
        margin: f32,
        /// The part of all vectors searched that is in a segment, above 0 and up to 1: what is near the query is as much denser
        /// than in one of them, and harder for codes to tell apart.
        share: f32,
    },
    /// The format's index is searched, keeping this many candidates: HNSW's `ef`. Inverted lists are probed until they
    /// have held a number of vectors in proportion.
    Candidates(usize),
    /// This many inverted lists are probed, and more while fewer than `k` vectors were found. A format without inverted
    /// lists keeps candidates.
    Lists {
        /// Inverted lists to probe (`nprobe`).
        probes: usize,
        /// Candidates to keep where there are no inverted lists.
        candidates: usize,
    },
}

/// A search for the vectors nearest to a query.
pub struct VectorSearch<'a> {
    /// The query: a vector of [`FieldInfo::vector_len`] bytes, finite.
    pub query: &'a [u8],
    /// Neighbors wanted.
    pub k: usize,
    /// How much work to do.
    pub effort: Effort,
    /// Documents that may be returned.
    pub accept: Accept<'a>,
    /// Order of documents at the same distance.
    pub ties: &'a TieBreak<'a>,
    /// Asks the search to stop, or has a deadline. A search looks at least every millisecond.
    pub cancel: &'a Cancel,
    /// What a search returns that was stopped. A format that cannot return a part fails whatever is asked.
    pub on_stop: OnStop,
}

impl VectorSearch<'_> {
    /// Whether to go on: false when the search was stopped and is to return what it has found, marked
    /// ([`VectorHits::partial`]).
    ///
    /// # Errors
    /// When it was stopped and is to fail.
    #[inline]
    pub fn goes_on(&self) -> Result<bool> {
        match self.cancel.check() {
            Ok(()) => Ok(true),
            Err(_) if self.on_stop == OnStop::Partial => Ok(false),
            Err(stop) => Err(stop),
        }
    }
}

/// The result of a search, and what it cost.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct VectorHits {
    /// At most `k` neighbors, nearest first. A document occurs once, by its nearest vector. Deleted and filtered
    /// documents are not among them and take no place.
    pub neighbors: Vec<Neighbor>,
    /// True when the distances come from the raw vectors, false when they are estimates from codes.
    pub exact: bool,
    /// Distances computed.
    pub visited: u64,
    /// True when the search was stopped before it had looked everywhere. Distances are what they would have been.
    pub partial: bool,
    /// The search plan: `graph`, `graph filtered`, `scan codes`, `scan raw`, `none`, …
    pub strategy: &'static str,
}

/// Searches for stored vectors ([`VectorReader::search_selves`]).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SelfSearches {
    /// How many were searched for.
    pub searched: u64,
    /// How many of them were found, or another at no greater distance.
    pub found: u64,
}

/// What is left of damaged vectors ([`VectorFormat::salvage`]).
pub struct SalvagedVectors {
    /// The vectors. Those of lost documents must not be read.
    pub reader: Box<dyn VectorReader>,
    /// Documents that have lost a vector, ascending.
    pub lost: Vec<DocId>,
    /// Why some vectors could not be verified, if so.
    pub unverified: Option<Problem>,
}

/// Writes, opens and merges one kind of vector structure.
pub trait VectorFormat: Send + Sync {
    /// The name segments remember; never reused for another layout.
    fn name(&self) -> &'static str;

    /// The kind of vector field this format is chosen for when the field names no format; `None` when it is used only
    /// by fields that name it.
    fn serves(&self) -> Option<VectorKind> {
        None
    }

    /// Refuses parameters it does not know or cannot serve, naming field, value and expectation.
    fn check(&self, field: &FieldInfo) -> Result<()>;

    /// Memory a writer must set aside per buffered vector for buffering and flushing it, in bytes.
    fn buffered_bytes(&self, field: &FieldInfo) -> usize;

    /// Bytes of heap that a merge into so many vectors takes at most.
    fn merge_bytes(&self, field: &FieldInfo, vectors: u64, _working: Working) -> u64 {
        vectors.saturating_mul(self.buffered_bytes(field) as u64)
    }

    /// Writes a buffer's vectors (at least one). `previous` is a reader of the same field in an earlier
    /// segment of the same format, if there is one: shared state (a mean vector) is taken from it.
    fn write(
        &self,
        context: &WriteContext<'_>,
        field: &FieldInfo,
        vectors: VectorRows<'_>,
        previous: Option<&dyn VectorReader>,
    ) -> Result<Written>;

    /// Opens what [`VectorFormat::write`] or [`VectorFormat::merge`] wrote. Reads metadata only; every byte
    /// is untrusted.
    fn open(&self, context: &OpenContext<'_>, field: &FieldInfo) -> Result<Box<dyn VectorReader>>;

    /// Opens what is left of damaged or missing files: a reader from which [`VectorFormat::merge`] makes others, and the
    /// documents that have lost a vector. What can be made again from the vectors is left out. For repairs.
    ///
    /// # Errors
    /// When it is not known which documents have lost a vector, and by default always.
    fn salvage(
        &self,
        context: &OpenContext<'_>,
        _field: &FieldInfo,
        _cancel: &Cancel,
    ) -> Result<SalvagedVectors> {
        Err(context.beyond_repair(self.name()))
    }

    /// Reports what [`VectorFormat::merge`] would decide for each source, without writing anything.
    fn plan_merge(&self, field: &FieldInfo, sources: &[MergeInput<'_, dyn VectorReader>]) -> Result<Report>;

    /// Merges the live documents of all sources (of any vector format) into one structure. The report has, for each
    /// source, at least `segment` and `outcome`. At least one live vector exists.
    fn merge(
        &self,
        context: &WriteContext<'_>,
        field: &FieldInfo,
        sources: &[MergeInput<'_, dyn VectorReader>],
    ) -> Result<(Written, Report)>;

    /// What [`VectorFormat::write`] or [`VectorFormat::merge`] wrote, without its raw vectors: fewer files and other
    /// metadata, for the same segment. Nothing is written. `None` when there are no raw vectors any more.
    ///
    /// # Errors
    /// [`Error::Invalid`] when the vectors cannot be searched without them.
    fn without_raw(
        &self,
        field: &FieldInfo,
        _files: &[FileEntry],
        _meta: &Metadata,
    ) -> Result<Option<Written>> {
        let (field, format) = (&field.name, self.name());
        Err(Error::Invalid(format!("field {field:?}: format {format} searches the raw vectors; keep them")))
    }
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

    /// A vector's stored row, bit for bit as it was added.
    ///
    /// # Errors
    /// [`Error::Invalid`] when raw vectors are not kept.
    fn row(&self, ordinal: Ordinal) -> Result<&[u8]>;

    /// Whether the rows are there: false when only encoded vectors are kept.
    fn keeps_raw(&self) -> bool {
        true
    }

    /// A vector as well as it is known, of [`FieldInfo::vector_len`] bytes: that of its row ([`Component::vector`]) or, where
    /// raw vectors are not kept, what its code stands for. A format that takes [`FieldInfo::DATATYPE`] overrides this.
    fn vector(&self, ordinal: Ordinal) -> Result<Cow<'_, [u8]>> {
        self.row(ordinal).map(Cow::Borrowed)
    }

    /// The accepted vectors nearest to the query.
    fn search(&self, search: &VectorSearch<'_>) -> Result<VectorHits>;

    /// What the same search finds for each of several queries, the same as one by one: `search.query` does not count. `None`
    /// when it is no faster together, and when the search was stopped: they are to be made one by one then.
    fn search_together(
        &self,
        _queries: &[&[u8]],
        _search: &VectorSearch<'_>,
    ) -> Result<Option<Vec<VectorHits>>> {
        Ok(None)
    }

    /// How many candidates a search for `k` with that effort keeps; `None` for an exact search, and for a format that
    /// keeps none.
    fn candidates(&self, _k: usize, _effort: Effort) -> Option<usize> {
        None
    }

    /// Candidates kept in a search for `k` that says neither how many nor what to find; `None` leaves it to the engine.
    fn default_candidates(&self, _k: usize) -> Option<usize> {
        None
    }

    /// Replaces estimated distances by those of the raw vectors, or the best that are known where raw vectors are not
    /// kept. The order is left alone. In a field of several
    /// vectors a document each neighbor becomes its document's nearest vector.
    fn rescore(&self, query: &[u8], neighbors: &mut [Neighbor]) -> Result<()>;

    /// A report for people and tools: parts with their sizes, parameters in force, quantiles, ….
    fn inspect(&self) -> Report;

    /// Figures of some of the vectors, which take longer than [`inspect`](Self::inspect): `codes`, how often each code value
    /// occurs among their components; `code_error`, how far codes are from the vectors; `degrees`, how many nodes of the
    /// graph have 0, 1, 2, … links. What a format has no figures of is not there; `Null` where it has none at all.
    ///
    /// # Errors
    /// When a file is damaged, or on cancellation.
    fn figures(&self, _sample: &[Ordinal], _cancel: &Cancel) -> Result<Report> {
        Ok(Report::Null)
    }

    /// Compares everything with everything: cross-file agreement, ranges, codes against raw vectors,
    /// reachability. Checksums are checked by the caller.
    fn verify(&self, cancel: &Cancel) -> Result<Vec<Problem>>;

    /// Searches with the defaults for stored vectors, each of them the query: those that a search may miss, and others that
    /// stand for the rest. `None` where all vectors are compared, or where a vector need not be its own nearest. That some
    /// are missed is no damage.
    fn search_selves(&self, _cancel: &Cancel) -> Result<Option<SelfSearches>> {
        Ok(None)
    }

    /// False when a file has an older version than the format writes now: `lucerne upgrade` rewrites it.
    fn is_current(&self) -> bool {
        true
    }

    /// For a format that recognizes its own readers in a merge.
    fn as_any(&self) -> &dyn Any;
}
