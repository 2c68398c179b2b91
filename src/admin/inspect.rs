//! A report of what an index consists of.

use crate::error::Result;
use crate::limits::{DEFAULT_K, DEFAULT_RECALL};
use crate::reader::SnapshotSegment;
use crate::search::Searcher;
use lucerne_codec::Report;
use serde_json::{Map, Value, json};

/// Reports what a searcher's point in time consists of: generation, documents, schema, defaults of a search, and for
/// each segment its documents, deletes, bytes, and the report of each format about its structure.
///
/// ```
/// use lucerne::directory::RamDirectory;
/// use lucerne::index::IndexBuilder;
/// use lucerne::{Document, Schema, admin};
/// use std::sync::Arc;
///
/// let directory = Arc::new(RamDirectory::new());
/// let index = IndexBuilder::new().create(directory, Schema::builder().build()?)?;
/// let writer = index.writer()?;
/// writer.add(&Document::new())?;
/// writer.commit()?;
/// let report = admin::inspect(&index.searcher()?)?;
/// assert_eq!((&report["docs"], &report["segments"][0]["name"]), (&1.into(), &"_0".into()));
/// # Ok::<(), lucerne::Error>(())
/// ```
///
/// # Errors
/// When a file's length cannot be read.
pub fn inspect(searcher: &Searcher) -> Result<Report> {
    let snapshot = searcher.snapshot();
    let segments = snapshot.segments.iter().map(segment).collect::<Result<Vec<_>>>()?;
    let bytes = |name: &str| segments.iter().filter_map(|segment| segment.get(name)?.as_u64()).sum::<u64>();
    Ok(json!({
        "generation": snapshot.generation(),
        "docs": snapshot.live_docs(),
        "deleted": bytes("deleted"),
        "bytes": bytes("bytes"),
        "user_data": snapshot.commit.info.user_data,
        "tags": snapshot.commit.info.tags,
        "older_commits": snapshot.commit.info.older_commits,
        "schema": snapshot.schema.to_json(),
        "defaults": { "k": DEFAULT_K, "recall": short(DEFAULT_RECALL) },
        "segments": segments,
    }))
}

/// The name of the segment that holds the live document with a key; `None` when there is none.
///
/// ```
/// # let folder = tempfile::tempdir().unwrap();
/// use lucerne::{Document, Index, Schema, admin};
///
/// let index = Index::create(folder.path(), Schema::builder().key("id").build()?)?;
/// let writer = index.writer()?;
/// writer.add(&Document::new().with("id", "vim"))?;
/// writer.commit()?;
/// assert_eq!(admin::segment_of(&index.searcher()?, "vim")?, Some("_0".to_owned()));
/// # Ok::<(), lucerne::Error>(())
/// ```
///
/// # Errors
/// When a file is damaged.
pub fn segment_of(searcher: &Searcher, key: &str) -> Result<Option<String>> {
    for segment in searcher.snapshot().segments.iter().rev() {
        if segment.reader.find_live(key, |doc| !segment.is_live(doc))?.is_some() {
            return Ok(Some(segment.reader.name().to_owned()));
        }
    }
    Ok(None)
}

/// A number in as few digits as tell it from other single-precision numbers.
fn short(value: f32) -> f64 {
    value.to_string().parse().unwrap_or(value.into())
}

fn segment(segment: &SnapshotSegment) -> Result<Report> {
    let (reader, info) = (&segment.reader, segment.reader.info());
    let live_file = segment.live_file.as_ref();
    let files = reader.files().chain(live_file.map(|live| &live.file));
    let files: Vec<Value> = files.map(|file| json!({ "name": file.name, "bytes": file.len })).collect();
    let bytes: u64 = files.iter().filter_map(|file| file.get("bytes")?.as_u64()).sum();
    let mut fields = Map::new();
    for vectors in reader.vectors() {
        fields.insert(vectors.field.name.clone(), vectors.inspect());
    }
    Ok(json!({
        "name": info.name,
        "id": info.id,
        "written_by": info.written_by,
        "docs": segment.live_docs(),
        "deleted": reader.max_doc() - segment.live_docs(),
        "live_docs_generation": live_file.map(|live| live.generation),
        "bytes": bytes,
        "fields": fields,
        "stored": reader.stored().inspect(),
        "keys": reader.keys().inspect(),
        "terms": reader.postings().map(|postings| postings.inspect()),
        "columns": reader.columns().map(|columns| columns.inspect()),
        "sparse": reader.sparse().map(|sparse| sparse.inspect()),
        "merge": info.merge,
        "files": files,
    }))
}
