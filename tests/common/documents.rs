//! Indexes and documents for tests.

use super::rng::Rng;
use lucerne::codec::Directory;
use lucerne::directory::RamDirectory;
use lucerne::index::IndexBuilder;
use lucerne::merge::MergePolicy;
use lucerne::schema::{Quantization, VectorIndex};
use lucerne::{Document, Index, Schema, Similarity, Vector, WriterOptions};
use std::collections::BTreeMap;
use std::sync::Arc;

/// The four built-in ways to keep vectors.
pub(crate) const FORMATS: [(VectorIndex, Quantization); 4] = [
    (VectorIndex::Hnsw, Quantization::Int8),
    (VectorIndex::Hnsw, Quantization::None),
    (VectorIndex::Flat, Quantization::Int8),
    (VectorIndex::Flat, Quantization::None),
];

/// An index in memory and its folder.
pub(crate) fn in_memory(schema: Schema) -> (RamDirectory, Index) {
    let directory = RamDirectory::new();
    let index = IndexBuilder::new().create(Arc::new(directory.clone()), schema).unwrap();
    (directory, index)
}

/// Opens the index in a folder anew, as another process would.
pub(crate) fn reopen(directory: &(impl Directory + Clone + 'static)) -> Index {
    IndexBuilder::new().open(Arc::new(directory.clone())).unwrap()
}

/// A schema of key `id` and one vector field `v`.
pub(crate) fn vectors_of(dimension: usize, similarity: Similarity) -> Schema {
    one_field(Vector::f32(dimension).similarity(similarity))
}

/// A schema of key `id` and the vector field `v`.
pub(crate) fn one_field(vector: Vector) -> Schema {
    Schema::builder().key("id").vector("v", vector).build().unwrap()
}

/// A document of such a schema.
pub(crate) fn document(key: impl Into<String>, vector: impl Into<Vec<f32>>) -> Document {
    Document::new().with("id", key.into()).with("v", vector.into())
}

/// A writer that flushes at `docs` documents, builds with one thread and leaves its segments as they are.
pub(crate) fn small_segments(docs: u32) -> WriterOptions {
    WriterOptions::new().threads(1).flush_docs(docs).merge_policy(MergePolicy::None)
}

/// Adds documents of the schema of [`one_field`] and commits.
pub(crate) fn add_all<'a>(
    index: &Index,
    options: WriterOptions,
    documents: impl IntoIterator<Item = (&'a str, &'a [f32])>,
) {
    let writer = index.writer_with(options).unwrap();
    for (key, vector) in documents {
        writer.add(&document(key, vector)).unwrap();
    }
    writer.close().unwrap();
}

/// A vector of length 1 in the same direction.
pub(crate) fn normalized(vector: &[f32]) -> Vec<f32> {
    let norm = vector.iter().map(|&x| f64::from(x) * f64::from(x)).sum::<f64>().sqrt();
    vector.iter().map(|&x| (f64::from(x) / norm) as f32).collect()
}

/// Keys and their vectors.
pub(crate) type Vectors = BTreeMap<String, Vec<f32>>;

/// The keys and vectors in order.
pub(crate) fn rows(documents: &Vectors) -> impl Iterator<Item = (&str, &[f32])> {
    documents.iter().map(|(key, vector)| (key.as_str(), vector.as_slice()))
}

/// `count` documents of random vectors that every metric accepts.
pub(crate) fn random(count: usize, dimension: usize, seed: u64) -> Vectors {
    let mut rng = Rng::new(seed);
    (0..count).map(|i| (format!("d{i:04}"), normalized(&rng.vector(dimension)))).collect()
}
