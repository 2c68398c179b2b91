//! Fuzzing of schemas and documents in JSON.

use lucerne::codec::Similarity;
use lucerne::directory::RamDirectory;
use lucerne::index::IndexBuilder;
use lucerne::merge::MergePolicy;
use lucerne::{Document, Index, Schema, Vector, Writer, WriterOptions};
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

/// A schema in JSON: what is accepted is written and read back the same, and an index of it opens.
pub(crate) fn schema_json(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let Ok(schema) = Schema::from_json(text) else { return };
    assert_eq!(Schema::from_value(&schema.to_json()).unwrap(), schema);
    let directory = RamDirectory::new();
    if IndexBuilder::new().create(Arc::new(directory.clone()), schema.clone()).is_ok() {
        let index = IndexBuilder::new().open(Arc::new(directory)).unwrap();
        assert_eq!(index.schema().unwrap(), schema);
    }
}

/// A document in JSON: what parses is written and parsed again the same; what the schema takes can be read
/// back.
pub(crate) fn document_json(data: &[u8]) {
    static WRITER: LazyLock<(Index, Mutex<Writer>)> = LazyLock::new(|| {
        let vector = Vector::f32(2).similarity(Similarity::Euclidean);
        let schema = Schema::builder().key("id").text("t").keyword("w").i64("i").f64("x").bool("b").date("d");
        let schema = schema.vector("v", vector).dynamic(true).build().unwrap();
        let index = IndexBuilder::new().create(Arc::new(RamDirectory::new()), schema).unwrap();
        let options = WriterOptions::new()
            .ram_budget(1 << 20)
            .threads(1)
            .seed(1)
            .merge_policy(MergePolicy::None)
            .merge_threads(0);
        let writer = index.writer_with(options).unwrap();
        (index, Mutex::new(writer))
    });
    let Ok(document) = Document::from_slice(data) else { return };
    let again = Document::from_slice(&serde_json::to_vec(&document).unwrap()).unwrap();
    assert_eq!(again, document);
    let (index, writer) = &*WRITER;
    let writer = writer.lock().unwrap_or_else(PoisonError::into_inner);
    if let Ok(key) = writer.upsert(&document) {
        writer.refresh().unwrap();
        let read = index.searcher().unwrap().get(&key).unwrap();
        assert!(read.is_some(), "{key:?} is gone");
        writer.rollback().unwrap();
    }
}
