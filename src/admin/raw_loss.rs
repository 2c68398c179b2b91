//! Measuring what searches of a field lose without its raw vectors.

use crate::error::{Error, Result};
use crate::index::Index;
use crate::limits::DEFAULT_K;
use crate::query::Knn;
use crate::reader::{SegmentReader, SnapshotSegment, info_without_raw};
use crate::search::Searcher;
use lucerne_codec::{Cancel, Progress};
use std::collections::HashSet;
use std::sync::Arc;

/// Stored vectors that are searched for at most.
const QUERIES: usize = 200;
/// How many times k the best by codes are rescored, where that is measured.
const RESCORED: f32 = 4.0;

/// What the raw vectors of a field are worth, and what they take.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct RawLoss {
    /// Stored vectors that were searched for.
    pub queries: usize,
    /// Neighbors sought of each, itself apart.
    pub k: usize,
    /// Share of the exactly nearest that a default search finds now, 0 to 1.
    pub recall: f64,
    /// The same of a search that rescores the best 4 × k.
    pub rescored: f64,
    /// The same of a default search without raw vectors.
    pub without_raw: f64,
    /// Bytes of raw vectors.
    pub bytes: u64,
    /// Segments that have them.
    pub segments: usize,
}

/// Searches for up to 200 of a field's own vectors, evenly spread: exactly, as now, and as
/// [`Writer::drop_raw`](crate::Writer::drop_raw) would leave the index. Nothing is written.
///
/// ```
/// use lucerne::directory::RamDirectory;
/// use lucerne::index::IndexBuilder;
/// use lucerne::{Cancel, Document, Schema, Vector, admin};
/// use std::sync::Arc;
///
/// let schema = Schema::builder().vector("v", Vector::f32(16)).build()?;
/// let index = IndexBuilder::new().create(Arc::new(RamDirectory::new()), schema)?;
/// let writer = index.writer()?;
/// for i in 1..=300 {
///     let vector: Vec<f32> = (1..=16).map(|j| (i as f32 * j as f32).sin()).collect();
///     writer.add(&Document::new().with("v", vector))?;
/// }
/// writer.commit()?;
/// let loss = admin::raw_loss(&index, "v", &Cancel::new(), &())?;
/// assert!(loss.recall - loss.without_raw < 0.05);
/// assert_eq!(loss.bytes, 300 * 16 * 4 + 80); // With header and footer of one file.
/// writer.drop_raw("v")?;
/// writer.commit()?;
/// # Ok::<(), lucerne::Error>(())
/// ```
///
/// # Errors
/// As [`Writer::drop_raw`](crate::Writer::drop_raw); and when there is no vector, or on cancellation.
pub fn raw_loss(index: &Index, field: &str, cancel: &Cancel, progress: &dyn Progress) -> Result<RawLoss> {
    let searcher = index.searcher()?;
    let declared = searcher.schema().vector_field_named(field)?;
    if !declared.options().keeps_raw() {
        let problem = "there are none to measure with".to_owned();
        return Err(Error::NoRawVectors { field: field.to_owned(), problem });
    }
    let mut loss = RawLoss { k: DEFAULT_K, ..RawLoss::default() };
    let without = without_raw(index, &searcher, field, &mut loss)?;
    let queries = sample(&searcher, declared.number())?;
    if queries.is_empty() {
        let problem = "the field has no vectors to measure with".to_owned();
        return Err(Error::WrongQuery { field: Some(field.to_owned()), problem });
    }
    for (done, (key, vector)) in queries.iter().enumerate() {
        cancel.check()?;
        progress.report("loss of recall", done as u64, queries.len() as u64);
        // The vector's own document is no answer.
        let knn = || Knn::new(field, vector.clone()).k(loss.k + 1);
        let others = |searcher: &Searcher, knn: Knn| -> Result<HashSet<String>> {
            let hits = searcher.search(knn)?.hits.into_iter().map(|hit| hit.key);
            Ok(hits.filter(|found| found != key).take(loss.k).collect())
        };
        let exact = others(&searcher, knn().exact())?;
        let share =
            |found: HashSet<String>| found.intersection(&exact).count() as f64 / exact.len().max(1) as f64;
        loss.recall += share(others(&searcher, knn())?);
        loss.rescored += share(others(&searcher, knn().rescore(RESCORED))?);
        loss.without_raw += share(others(&without, knn())?);
    }
    loss.queries = queries.len();
    for sum in [&mut loss.recall, &mut loss.rescored, &mut loss.without_raw] {
        *sum /= queries.len() as f64;
    }
    Ok(loss)
}

/// The same point in time without the raw vectors: readers of the files that would be left.
fn without_raw(index: &Index, searcher: &Searcher, field: &str, loss: &mut RawLoss) -> Result<Searcher> {
    let (store, snapshot) = (&index.store, searcher.snapshot());
    let schema = snapshot.schema.without_raw(field)?;
    let declared = schema.vector_field_named(field)?;
    declared.format(&store.registry)?.check(&declared.info())?;
    let mut segments = Vec::with_capacity(snapshot.segments.len());
    for segment in &snapshot.segments {
        let old = segment.reader.info();
        let Some(info) = info_without_raw(&store.registry, declared, old)? else {
            segments.push(segment.clone());
            continue;
        };
        let kept: HashSet<&str> = info.files().map(|file| file.name.as_str()).collect();
        loss.bytes +=
            old.files().filter(|file| !kept.contains(&*file.name)).map(|file| file.len).sum::<u64>();
        loss.segments += 1;
        let (directory, pins, file) = (&*store.directory, &store.pins, segment.reader.info_file());
        let reader = SegmentReader::open_info(directory, &store.registry, pins, file, info)?;
        segments.push(SnapshotSegment { reader: Arc::new(reader), ..segment.clone() });
    }
    let snapshot = snapshot.followed_by(schema, segments);
    Ok(Searcher::new(Arc::new(snapshot), store.analyzers.clone(), Arc::default(), store.memory.clone()))
}

/// Keys and vectors of live documents, evenly spread.
fn sample(searcher: &Searcher, field: u32) -> Result<Vec<(String, Vec<f32>)>> {
    let segments = &searcher.snapshot().segments;
    let vectors =
        |segment: &SnapshotSegment| segment.reader.vector_field(field).map_or(0, |it| it.reader.len());
    let all: usize = segments.iter().map(vectors).sum();
    let step = all.div_ceil(QUERIES).max(1);
    let mut sampled = Vec::new();
    for segment in segments {
        let Some(vectors) = segment.reader.vector_field(field) else { continue };
        for ordinal in (0..vectors.reader.len() as u32).step_by(step) {
            let doc = vectors.reader.doc(ordinal)?;
            if segment.is_live(doc) {
                let row = vectors.reader.vector(ordinal)?;
                let key = segment.reader.keys().key(doc)?.to_owned();
                sampled.push((key, lucerne_codec::io::bytes::f32s(&row).collect()));
            }
        }
    }
    Ok(sampled)
}
