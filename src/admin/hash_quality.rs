//! The recall of sign hashes for the vectors of an index.
//!
//! A sample of the vectors is written to memory as a segment of a flat field with sign hashes, once for each estimator;
//! some of them are then searched for by hashes and exactly. So the search itself is measured, the index needs no sign
//! hashes, and an index on disk is not changed.

use crate::directory::RamDirectory;
use crate::error::{Error, Result};
use crate::index::IndexBuilder;
use crate::limits::{DEFAULT_CANDIDATES, MAX_CANDIDATES, MAX_K};
use crate::schema::{SIGN_HASH, SignHash, VectorField, VectorIndex};
use crate::search::Searcher;
use lucerne_codec::format::{OpenContext, Working, WriteContext};
use lucerne_codec::vector::{Effort, VectorFormat, VectorKind, VectorReader, VectorRows, VectorSearch};
use lucerne_codec::{
    Accept, BitSet, Cancel, Component, DocId, FieldInfo, OnStop, Ordinal, Progress, SegmentId,
};
use std::collections::HashSet;

/// Bytes of raw vectors compared with at most: an even sample of the index beyond that.
const MOST_BYTES: usize = 256 << 20;
/// The kind of field that is measured; a graph finds at most what it finds.
const KIND: VectorKind =
    VectorKind { component: Component::F32, index: VectorIndex::Flat.name(), encoding: SIGN_HASH };
/// Candidates per hit measured unless said otherwise; 20 is a search's default.
const PER_HIT: [usize; 5] = [5, 10, 20, 50, 100];

/// Options of [`hash_quality`].
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct HashQualityOptions {
    /// Vectors of the index that are searched for; default 1,000.
    pub sample: usize,
    /// Neighbors wanted: 1 to 10,000; default 10.
    pub k: usize,
    /// Numbers of candidates; empty for 5, 10, 20, 50 and 100 for each neighbor.
    pub candidates: Vec<usize>,
    /// Queries to search for instead of vectors of the index.
    pub queries: Vec<Vec<f32>>,
}

impl Default for HashQualityOptions {
    fn default() -> Self {
        Self { sample: 1_000, k: 10, candidates: Vec::new(), queries: Vec::new() }
    }
}

/// The recall of sign hashes, measured by [`hash_quality`].
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct HashQuality {
    /// Live vectors of the field.
    pub vectors: u64,
    /// How many of them were compared with; all, unless they have more than 256 MiB.
    pub compared: usize,
    /// Queries.
    pub queries: usize,
    /// Neighbors wanted.
    pub k: usize,
    /// Candidates that a search of a field with sign hashes keeps by default.
    pub default_candidates: usize,
    /// A line per estimator and number of candidates.
    pub lines: Vec<HashRecall>,
}

/// The recall of one estimator with one number of candidates.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct HashRecall {
    /// The estimator.
    pub estimator: SignHash,
    /// Candidates kept.
    pub candidates: usize,
    /// Share of the k exactly nearest vectors that are among the candidates, mean of all queries.
    pub recall: f64,
}

impl HashQuality {
    /// Recall below which [`HashQuality::poor`] warns.
    pub const THRESHOLD: f64 = 0.9;

    /// The lines at the default number of candidates whose recall is below [`HashQuality::THRESHOLD`].
    pub fn poor(&self) -> impl Iterator<Item = &HashRecall> {
        let at_default = self.lines.iter().filter(|line| line.candidates == self.default_candidates);
        at_default.filter(|line| line.recall < Self::THRESHOLD)
    }
}

/// Measures how many of the exactly nearest vectors are among the candidates that sign hashes find, for a vector
/// field with or without them. Needs memory for the vectors, 256 MiB at most, and briefly as much again.
///
/// A vector of the index that is searched for does not find itself.
///
/// ```
/// use lucerne::admin::{HashQualityOptions, hash_quality};
/// use lucerne::directory::RamDirectory;
/// use lucerne::index::IndexBuilder;
/// use lucerne::{Cancel, Document, Schema, Vector};
/// use std::sync::Arc;
///
/// let schema = Schema::builder().vector("v", Vector::f32(4)).build()?;
/// let index = IndexBuilder::new().create(Arc::new(RamDirectory::new()), schema)?;
/// let writer = index.writer()?;
/// for i in 1..=50 {
///     let i = i as f32;
///     writer.add(&Document::new().with("v", vec![i.sin(), i.cos(), (2.0 * i).sin(), 0.1]))?;
/// }
/// writer.commit()?;
/// let searcher = index.searcher()?;
/// let quality = hash_quality(&searcher, "v", &HashQualityOptions::default(), &Cancel::new(), &())?;
/// assert_eq!(quality.default_candidates, 20 * quality.k);
/// assert_eq!(quality.poor().count(), 0, "every vector is a candidate here");
/// # Ok::<(), lucerne::Error>(())
/// ```
///
/// # Errors
/// When there is no such vector field, its vectors are bits, it has none, an option is out of its range, or on cancellation.
pub fn hash_quality(
    searcher: &Searcher,
    field: &str,
    options: &HashQualityOptions,
    cancel: &Cancel,
    progress: &dyn Progress,
) -> Result<HashQuality> {
    let declared = searcher.schema().vector_field_named(field)?;
    if declared.options().is_binary() {
        let problem = "its vectors are bits already; sign hashes are for vectors of numbers".to_owned();
        return Err(Error::WrongQuery { field: Some(field.to_owned()), problem });
    }
    let candidates = candidates(field, options)?;
    let sample = Sample::read(searcher, declared, cancel)?;
    let queries = sample.queries(declared, options)?;
    let (mut lines, mut truth, mut default_candidates) = (Vec::new(), Vec::new(), DEFAULT_CANDIDATES);
    for estimator in [SignHash::Plain, SignHash::Corrected] {
        let segment = Segment::write(&sample, estimator, cancel)?;
        default_candidates = segment.reader.default_candidates(options.k).unwrap_or(default_candidates);
        if truth.is_empty() {
            truth = segment.each(&queries, options.k, Effort::Exact, cancel, progress)?;
        }
        for &candidates in &candidates {
            let effort = Effort::Candidates(candidates);
            let found = segment.each(&queries, options.k, effort, cancel, progress)?;
            let share = |(truth, found): (&HashSet<Ordinal>, &HashSet<Ordinal>)| {
                truth.intersection(found).count() as f64 / truth.len().max(1) as f64
            };
            let recall = truth.iter().zip(&found).map(share).sum::<f64>() / queries.len().max(1) as f64;
            lines.push(HashRecall { estimator, candidates, recall });
        }
    }
    Ok(HashQuality {
        vectors: sample.vectors,
        compared: sample.docs.len(),
        queries: queries.len(),
        k: options.k,
        default_candidates,
        lines,
    })
}

fn candidates(field: &str, options: &HashQualityOptions) -> Result<Vec<usize>> {
    let wrong = |problem: String| Err(Error::WrongQuery { field: Some(field.to_owned()), problem });
    if options.k == 0 || options.k > MAX_K {
        return wrong(format!("k is {}, expected 1 to {MAX_K}", options.k));
    }
    if options.sample == 0 && options.queries.is_empty() {
        return wrong("sample is 0, expected 1 or more".to_owned());
    }
    let wanted = if options.candidates.is_empty() {
        PER_HIT.iter().map(|per_hit| (per_hit * options.k).min(MAX_CANDIDATES)).collect()
    } else {
        options.candidates.clone()
    };
    match wanted.iter().find(|&&wanted| wanted < options.k || wanted > MAX_CANDIDATES) {
        Some(bad) => wrong(format!("candidates is {bad}, expected {} (k) to {MAX_CANDIDATES}", options.k)),
        None => Ok(wanted),
    }
}

/// Vectors of the index, each a document of its own.
struct Sample {
    info: FieldInfo,
    rows: Vec<u8>,
    docs: Vec<DocId>,
    /// Live vectors of the index.
    vectors: u64,
}

/// A query, and which vector it is.
struct QueryRow {
    row: Vec<u8>,
    own: Option<DocId>,
}

impl Sample {
    fn read(searcher: &Searcher, field: VectorField<'_>, cancel: &Cancel) -> Result<Self> {
        let mut info = field.info();
        info.params.clear();
        let segments = || {
            let snapshot = searcher.snapshot();
            let fields = snapshot.segments.iter();
            fields
                .filter_map(|segment| Some((segment, &*segment.reader.vector_field(field.number())?.reader)))
        };
        let mut vectors = 0u64;
        for (segment, reader) in segments() {
            for ordinal in 0..reader.len() as Ordinal {
                vectors += u64::from(segment.is_live(reader.doc(ordinal)?));
            }
        }
        if vectors == 0 {
            let problem = "the field has no vectors to measure".to_owned();
            return Err(Error::WrongQuery { field: Some(field.name().to_owned()), problem });
        }
        let most = (MOST_BYTES / info.row_len().max(1)) as u64;
        let (mut rows, mut seen, mut taken) = (Vec::new(), 0u64, 0u64);
        for (segment, reader) in segments() {
            cancel.check()?;
            for ordinal in 0..reader.len() as Ordinal {
                if !segment.is_live(reader.doc(ordinal)?) {
                    continue;
                }
                // As even as whole numbers can be.
                if seen * most.min(vectors) / vectors >= taken {
                    rows.extend_from_slice(&reader.vector(ordinal)?);
                    taken += 1;
                }
                seen += 1;
            }
        }
        Ok(Self { info, rows, docs: (0..taken as DocId).collect(), vectors })
    }

    fn queries(&self, field: VectorField<'_>, options: &HashQualityOptions) -> Result<Vec<QueryRow>> {
        if !options.queries.is_empty() {
            let rows = options.queries.iter().map(|query| crate::document::check_query(field, &query.into()));
            return rows.map(|row| Ok(QueryRow { row: row?, own: None })).collect();
        }
        let step = self.docs.len().div_ceil(options.sample).max(1);
        let rows = self.rows.chunks_exact(self.info.row_len()).zip(&self.docs).step_by(step);
        Ok(rows.map(|(row, &own)| QueryRow { row: row.to_vec(), own: Some(own) }).collect())
    }
}

/// The sample as a segment in memory.
struct Segment {
    reader: Box<dyn VectorReader>,
}

impl Segment {
    fn write(sample: &Sample, estimator: SignHash, cancel: &Cancel) -> Result<Self> {
        let builder = IndexBuilder::new();
        let format: &dyn VectorFormat = builder.registry().vectors_for(KIND)?;
        let mut info = sample.info.clone();
        info.params.insert(SIGN_HASH.to_owned(), estimator.name().into());
        let directory = RamDirectory::new();
        let segment_id = SegmentId([0; 16]);
        let max_doc = sample.docs.len() as u32;
        let context = WriteContext {
            directory: &directory,
            segment: "sample",
            segment_id,
            max_doc,
            seed: 0,
            threads: 1,
            working: Working::Heap,
            cancel,
            progress: &(),
        };
        let rows = VectorRows { rows: &sample.rows, docs: &sample.docs };
        let written = format.write(&context, &info, rows, None)?;
        let (files, meta) = (&written.files, &written.meta);
        let reader =
            format.open(&OpenContext { directory: &directory, segment_id, max_doc, files, meta }, &info)?;
        Ok(Self { reader })
    }

    /// The vectors each query finds.
    fn each(
        &self,
        queries: &[QueryRow],
        k: usize,
        effort: Effort,
        cancel: &Cancel,
        progress: &dyn Progress,
    ) -> Result<Vec<HashSet<Ordinal>>> {
        let mut others = BitSet::full(self.reader.len() as u32);
        let mut found = Vec::with_capacity(queries.len());
        for (done, QueryRow { row, own }) in queries.iter().enumerate() {
            progress.report("searches", done as u64, queries.len() as u64);
            own.map(|own| others.remove(own));
            let search = VectorSearch {
                query: row,
                k,
                effort,
                accept: Accept::only(&others),
                ties: &|left: DocId, right: DocId| left.cmp(&right),
                cancel,
                on_stop: OnStop::Fail,
            };
            let hits = self.reader.search(&search)?;
            found.push(hits.neighbors.iter().map(|neighbor| neighbor.ordinal).collect());
            own.map(|own| others.insert(own));
        }
        Ok(found)
    }
}
