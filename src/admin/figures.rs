//! Figures of a sample of vectors, for pictures of a field.

use crate::document::components;
use crate::error::Result;
use crate::reader::{SnapshotSegment, VectorSegment};
use crate::schema::VectorField;
use crate::search::Searcher;
use lucerne_codec::{Cancel, Ordinal, Report};
use serde_json::json;

/// Figures of about `sample` vectors of a field, evenly spread over its segments, at least one of each: for each segment its
/// name and what its format says of them
/// ([`VectorReader::figures`](crate::codec::vector::VectorReader::figures)). Every vector is read, which
/// [`inspect`](super::inspect) does not do.
///
/// ```
/// # let folder = tempfile::tempdir().unwrap();
/// use lucerne::{Cancel, Document, Index, Schema, Vector, admin};
///
/// let index = Index::create(folder.path(), Schema::builder().vector("v", Vector::f32(2)).build()?)?;
/// let writer = index.writer()?;
/// writer.add(&Document::new().with("v", vec![1.0, 2.0]))?;
/// writer.commit()?;
/// let figures = admin::vector_figures(&index.searcher()?, "v", 100, &Cancel::new())?;
/// assert_eq!((&figures[0]["segment"], &figures[0]["figures"]["sampled"]), (&"_0".into(), &1.into()));
/// # Ok::<(), lucerne::Error>(())
/// ```
///
/// # Errors
/// When there is no such vector field, a file is damaged, or on cancellation.
pub fn vector_figures(
    searcher: &Searcher,
    field: &str,
    sample: usize,
    cancel: &Cancel,
) -> Result<Vec<Report>> {
    let field = searcher.schema().vector_field_named(field)?;
    let all = total(searcher, field);
    let segments = with_vectors(searcher, field).map(|(segment, vectors)| {
        let sampled: Vec<Ordinal> = spread(vectors.reader.len(), all, sample).collect();
        let figures = vectors.reader.figures(&sampled, cancel)?;
        Ok(json!({ "segment": segment.reader.name(), "figures": figures }))
    });
    segments.collect()
}

/// A vector of [`sample_vectors`].
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct SampledVector {
    /// The segment it is in.
    pub segment: String,
    /// The key of its document.
    pub key: String,
    /// As [`Searcher::decoded_vector`] returns it.
    pub vector: Vec<f32>,
}

/// About `sample` vectors of a field, evenly spread over its segments, at least one of each; those of deleted documents are
/// left out.
///
/// ```
/// # let folder = tempfile::tempdir().unwrap();
/// use lucerne::{Cancel, Document, Index, Schema, Vector, admin};
///
/// let index = Index::create(folder.path(), Schema::builder().key("id").vector("v", Vector::f32(2)).build()?)?;
/// let writer = index.writer()?;
/// writer.add(&Document::new().with("id", "a").with("v", vec![1.0, 2.0]))?;
/// writer.commit()?;
/// let sample = admin::sample_vectors(&index.searcher()?, "v", 100, &Cancel::new())?;
/// assert_eq!((&*sample[0].key, &*sample[0].vector), ("a", &[1.0, 2.0][..]));
/// # Ok::<(), lucerne::Error>(())
/// ```
///
/// # Errors
/// When there is no such vector field, or it is not stored; when a file is damaged, or on cancellation.
pub fn sample_vectors(
    searcher: &Searcher,
    field: &str,
    sample: usize,
    cancel: &Cancel,
) -> Result<Vec<SampledVector>> {
    searcher.check_returnable(field)?;
    let field = searcher.schema().vector_field_named(field)?;
    let all = total(searcher, field);
    let mut sampled = Vec::new();
    for (segment, vectors) in with_vectors(searcher, field) {
        for ordinal in spread(vectors.reader.len(), all, sample) {
            cancel.check()?;
            let doc = vectors.reader.doc(ordinal)?;
            if segment.is_live(doc) {
                let vector = components(field, &vectors.reader.vector(ordinal)?);
                let key = segment.reader.keys().key(doc)?.to_owned();
                sampled.push(SampledVector { segment: segment.reader.name().to_owned(), key, vector });
            }
        }
    }
    Ok(sampled)
}

/// The segments that have vectors of a field.
fn with_vectors<'a>(
    searcher: &'a Searcher,
    field: VectorField<'a>,
) -> impl Iterator<Item = (&'a SnapshotSegment, &'a VectorSegment)> {
    let segments = searcher.snapshot().segments.iter();
    let found = segments.filter_map(move |it| Some((it, it.reader.vector_field(field.number())?)));
    found.filter(|(_, vectors)| !vectors.reader.is_empty())
}

fn total(searcher: &Searcher, field: VectorField<'_>) -> usize {
    with_vectors(searcher, field).map(|(_, vectors)| vectors.reader.len()).sum()
}

/// The share of a segment with `len` of `all` vectors in a sample: ordinals at equal distances.
fn spread(len: usize, all: usize, sample: usize) -> impl Iterator<Item = Ordinal> {
    let share = (len as u64 * sample as u64).div_ceil(all.max(1) as u64).min(len as u64);
    (0..share).map(move |at| (at * len as u64 / share) as Ordinal)
}
