//! Documents that are too long to be stored are refused when they are given, with key and size, and nothing else suffers.

use crate::common::documents::in_memory;
use lucerne::error::ValueProblem;
use lucerne::limits::MAX_DOCUMENT_BYTES;
use lucerne::schema::Field;
use lucerne::transfer::SegmentBuilder;
use lucerne::{Document, Error, Schema, Value, WriterOptions};

/// Undeclared fields, whose long texts cost no analysis.
fn schema() -> Schema {
    Schema::builder().key("id").field(Field::text("hidden").indexed(false)).dynamic(true).build().unwrap()
}

/// A document of so many bytes as it is stored.
fn of_length(key: &str, bytes: usize) -> Document {
    let around = format!(r#"{{"id":"{key}","x":""}}"#).len();
    Document::new().with("id", key).with("x", "a".repeat(bytes - around))
}

#[track_caller]
fn assert_too_long<T: std::fmt::Debug>(result: lucerne::Result<T>, key: Option<&str>, least: usize) {
    let error = result.unwrap_err();
    let Error::Document { key: named, problem: ValueProblem::TooLong { len, max } } = &error else {
        panic!("{error:?}")
    };
    assert!(named.as_deref() == key && *len >= least && *len > *max && *max == MAX_DOCUMENT_BYTES, "{error}");
    assert!(error.to_string().contains(&format!("{len} bytes")), "{error}");
    assert_eq!(error.kind(), lucerne::ErrorKind::Usage);
}

#[test]
fn the_longest_document_is_kept_and_a_longer_one_is_refused_by_every_call() {
    let (_, index) = in_memory(schema());
    let writer = index.writer().unwrap();
    let (longest, longer) = (of_length("a", MAX_DOCUMENT_BYTES), of_length("b", MAX_DOCUMENT_BYTES + 1));
    writer.add(&longest).unwrap();
    let small = Document::new().with("id", "small");
    assert_too_long(writer.add(&longer), Some("b"), MAX_DOCUMENT_BYTES + 1);
    assert_too_long(writer.upsert(&longer), Some("b"), MAX_DOCUMENT_BYTES + 1);
    assert_too_long(writer.add_batch(&[small.clone(), longer.clone()]), Some("b"), MAX_DOCUMENT_BYTES + 1);
    assert_too_long(writer.upsert_batch(&[longer.clone(), small.clone()]), Some("b"), MAX_DOCUMENT_BYTES + 1);
    // One byte more than fits, although what is set is short.
    assert_too_long(writer.update("a", Document::new().with("y", 1)), Some("a"), MAX_DOCUMENT_BYTES + 6);
    writer.add(&small).unwrap();
    writer.update("a", Document::new().with("x", "short").with("y", 1)).unwrap();
    writer.update("a", &longest).unwrap_err();
    writer
        .update("a", Document::new().with("y", None::<i64>).with("x", longest.get("x").unwrap().clone()))
        .unwrap();
    writer.force_merge(1, &Default::default()).unwrap();
    writer.close().unwrap();
    let searcher = index.searcher().unwrap();
    assert_eq!(searcher.len(), 2);
    assert_eq!(searcher.get("a").unwrap(), Some(longest));

    let folder = tempfile::tempdir().unwrap();
    let mut builder = SegmentBuilder::new(schema(), folder.path(), WriterOptions::new()).unwrap();
    assert_too_long(builder.add(&longer), Some("b"), MAX_DOCUMENT_BYTES + 1);
    builder.add(&small).unwrap();
    assert_eq!(builder.finish().unwrap().docs, 1);
}

#[test]
fn documents_that_grow_when_they_are_stored_are_refused_too() {
    let (_, index) = in_memory(schema());
    let writer = index.writer().unwrap();
    let numbers: Vec<f64> = vec![1.0e-7; 3_500_000];
    let given: [(&str, Value); 6] = [
        ("control characters become escapes", "\u{1}".repeat(3 << 20).into()),
        ("quotes and backslashes are doubled", "\"\\".repeat(5 << 20).into()),
        ("a list of numbers", Value::List(numbers.into_iter().map(Value::F64).collect())),
        ("many short texts", Value::List(vec![Value::from("ab"); 4 << 20])),
        ("JSON", Value::from(serde_json::json!({ "deep": { "er": "a".repeat(17 << 20) } }))),
        ("dates", Value::List(vec![Value::Date(1_600_000_000_123); 1 << 20])),
    ];
    for (what, value) in given {
        for field in ["x", "y"] {
            let document = Document::new().with("id", what).with(field, value.clone());
            assert_too_long(writer.add(&document), Some(what), MAX_DOCUMENT_BYTES + 1);
        }
    }
    let hidden = Document::new().with("id", "hidden").with("hidden", "a".repeat(MAX_DOCUMENT_BYTES));
    assert_too_long(writer.add(&hidden), Some("hidden"), MAX_DOCUMENT_BYTES + 1);
    writer.add(&Document::new().with("id", "small")).unwrap();
    writer.close().unwrap();
    assert_eq!(index.searcher().unwrap().len(), 1);
}

#[test]
fn the_key_that_the_writer_gives_counts_as_well() {
    let (_, index) = in_memory(Schema::builder().dynamic(true).build().unwrap());
    let writer = index.writer().unwrap();
    let key_field = index.schema().unwrap().key().name().to_owned();
    let around = format!(r#"{{"{key_field}":"00000000000000000000","x":""}}"#).len();
    let document = |bytes: usize| Document::new().with("x", "a".repeat(bytes - around));
    for documents in
        [vec![document(MAX_DOCUMENT_BYTES + 1)], vec![Document::new(), document(MAX_DOCUMENT_BYTES + 20)]]
    {
        assert_too_long(writer.add_batch(&documents), None, MAX_DOCUMENT_BYTES + 1);
    }
    assert_too_long(writer.add(&document(MAX_DOCUMENT_BYTES + 1)), None, MAX_DOCUMENT_BYTES + 1);
    let key = writer.add(&document(MAX_DOCUMENT_BYTES)).unwrap();
    writer.close().unwrap();
    let searcher = index.searcher().unwrap();
    assert_eq!((searcher.len(), searcher.get(&key).unwrap().is_some()), (1, true));
}
