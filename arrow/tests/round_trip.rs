//! What is written from Arrow comes back the same, whatever form it was given in.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, missing_docs)]

use arrow_array::builder::{FixedSizeListBuilder, Float32Builder, ListBuilder, StringBuilder};
use arrow_array::cast::AsArray;
use arrow_array::types::{Float32Type, Float64Type, Int64Type, TimestampMillisecondType};
use arrow_array::{
    Array, ArrayRef, BooleanArray, Date32Array, DictionaryArray, FixedSizeBinaryArray, Float64Array,
    Int64Array, LargeStringArray, ListArray, RecordBatch, RecordBatchIterator, StringArray, StringViewArray,
    TimestampMicrosecondArray, UInt64Array,
};
use lucerne::schema::Vector;
use lucerne::{Cancel, ErrorKind, Index, Schema};
use lucerne_arrow::{Error, OnExisting};
use std::sync::Arc;

fn index(schema: Schema) -> (tempfile::TempDir, Index) {
    let folder = tempfile::tempdir().unwrap();
    let index = Index::create(folder.path(), schema).unwrap();
    (folder, index)
}

fn add(index: &Index, batches: Vec<RecordBatch>, on_existing: OnExisting) -> lucerne_arrow::Result<u64> {
    let schema = batches[0].schema();
    let writer = index.writer()?;
    let rows = RecordBatchIterator::new(batches.into_iter().map(Ok), schema);
    let written = lucerne_arrow::add(&writer, rows, on_existing, &Cancel::new());
    writer.close()?;
    written
}

fn batch(columns: Vec<(&str, ArrayRef)>) -> RecordBatch {
    RecordBatch::try_from_iter(columns).unwrap()
}

fn ids(count: usize) -> ArrayRef {
    Arc::new(StringArray::from_iter_values((0..count).map(|number| format!("{number:06}"))))
}

#[test]
fn every_type_comes_back_as_the_type_of_its_field() {
    let schema = Schema::builder().key("id").text("t").keyword("k").keyword("d").i64("n").f64("x").bool("b");
    let schema = schema.date("when").date("day").vector("v", Vector::f32(2)).vector("bits", Vector::bits(16));
    let (_folder, index) = index(schema.build().unwrap());
    let mut vectors = FixedSizeListBuilder::new(Float32Builder::new(), 2);
    vectors.values().append_slice(&[0.1, 0.2]);
    vectors.append(true);
    vectors.values().append_slice(&[0.0, 0.0]);
    vectors.append(false);
    let mut lists = ListBuilder::new(StringBuilder::new());
    lists.append_value([Some("one"), Some("two")]);
    lists.append_null();
    let dictionary: DictionaryArray<arrow_array::types::Int8Type> = ["red", "blue"].into_iter().collect();
    let written = batch(vec![
        ("id", ids(2)),
        ("t", Arc::new(LargeStringArray::from(vec![Some("words of text"), None]))),
        ("k", Arc::new(lists.finish())),
        ("d", Arc::new(dictionary)),
        ("n", Arc::new(UInt64Array::from(vec![Some(7), None]))),
        ("x", Arc::new(Float64Array::from(vec![Some(0.5), None]))),
        ("b", Arc::new(BooleanArray::from(vec![Some(true), None]))),
        ("when", Arc::new(TimestampMicrosecondArray::from(vec![Some(1_000_999), None]))),
        ("day", Arc::new(Date32Array::from(vec![Some(-1), None]))),
        ("v", Arc::new(vectors.finish())),
        (
            "bits",
            Arc::new(FixedSizeBinaryArray::try_from_iter([vec![1u8, 2], vec![3, 4]].into_iter()).unwrap()),
        ),
    ]);
    assert_eq!(add(&index, vec![written], OnExisting::Fail).unwrap(), 2);

    let read: Vec<_> =
        lucerne_arrow::read(&index.searcher().unwrap(), &[]).unwrap().map(Result::unwrap).collect();
    let [read] = &read[..] else { panic!("one batch") };
    let column = |name: &str| read.column_by_name(name).unwrap();
    for name in ["t", "k", "n", "x", "b", "when", "day", "v"] {
        assert!(column(name).is_null(1), "{name}");
    }
    assert_eq!(column("t").as_string::<i32>().value(0), "words of text");
    assert_eq!(column("k").as_list::<i32>().value(0).as_string::<i32>().value(1), "two");
    assert_eq!(column("d").as_string::<i32>().value(1), "blue");
    assert_eq!(column("n").as_primitive::<Int64Type>().value(0), 7);
    assert_eq!(column("x").as_primitive::<Float64Type>().value(0), 0.5);
    assert!(column("b").as_boolean().value(0));
    assert_eq!(column("when").as_primitive::<TimestampMillisecondType>().value(0), 1_000);
    assert_eq!(column("day").as_primitive::<TimestampMillisecondType>().value(0), -86_400_000);
    let row = column("v").as_fixed_size_list().value(0);
    assert_eq!(row.as_primitive::<Float32Type>().values().to_vec(), [0.1, 0.2]);
    assert_eq!(column("bits").as_fixed_size_binary().value(1), [3, 4]);
}

#[test]
fn more_documents_than_a_page_come_back_once_and_in_order() {
    let (_folder, index) = index(Schema::builder().key("id").i64("n").build().unwrap());
    let of = |range: std::ops::Range<i64>| {
        let keys = StringViewArray::from_iter_values(range.clone().map(|number| format!("{number:06}")));
        batch(vec![("id", Arc::new(keys)), ("n", Arc::new(Int64Array::from_iter_values(range)))])
    };
    assert_eq!(add(&index, vec![of(0..3_000), of(3_000..9_000)], OnExisting::Fail).unwrap(), 9_000);
    let read = lucerne_arrow::read(&index.searcher().unwrap(), &[]).unwrap();
    let numbers =
        read.flat_map(|batch| batch.unwrap().column(1).as_primitive::<Int64Type>().values().to_vec());
    assert!(numbers.eq(0..9_000));
}

#[test]
fn several_vectors_of_a_document_come_back_as_lists() {
    let schema = Schema::builder().key("id").vector("v", Vector::f32(2).multiple()).build().unwrap();
    let (_folder, index) = index(schema);
    let mut rows = ListBuilder::new(ListBuilder::new(Float32Builder::new()));
    for count in [2, 1] {
        for number in 0..count {
            rows.values().append_value([Some(1.0), Some(number as f32)]);
        }
        rows.append(true);
    }
    add(&index, vec![batch(vec![("id", ids(2)), ("v", Arc::new(rows.finish()))])], OnExisting::Fail).unwrap();
    let batch = lucerne_arrow::read(&index.searcher().unwrap(), &[]).unwrap().next().unwrap().unwrap();
    let lists: &ListArray = batch.column(1).as_list();
    assert_eq!((lists.value(0).len(), lists.value(1).len()), (2, 1));
    assert_eq!(
        lists.value(0).as_fixed_size_list().value(1).as_primitive::<Float32Type>().values().to_vec(),
        [1.0, 1.0]
    );
}

#[test]
fn what_does_not_fit_is_refused_by_column() {
    let schema = Schema::builder().key("id").keyword("k").vector("v", Vector::f32(2)).build().unwrap();
    let (_folder, index) = index(schema);
    let column = |error: Error| match error {
        Error::Column { column, problem } => (column, problem),
        other => panic!("{other}"),
    };
    let unknown = batch(vec![("id", ids(1)), ("kk", ids(1))]);
    assert!(column(add(&index, vec![unknown], OnExisting::Fail).unwrap_err()).1.contains("id, k, v"));
    let fields = ["id", "id"].map(|name| arrow_schema::Field::new(name, arrow_schema::DataType::Utf8, false));
    let schema = Arc::new(arrow_schema::Schema::new(fields.to_vec()));
    let twice = RecordBatch::try_new(schema, vec![ids(1), ids(1)]).unwrap();
    assert!(column(add(&index, vec![twice], OnExisting::Fail).unwrap_err()).1.contains("two columns"));
    let text = batch(vec![("id", ids(1)), ("v", ids(1))]);
    let (name, problem) = column(add(&index, vec![text], OnExisting::Fail).unwrap_err());
    assert!(name == "v" && problem.contains("no vectors"), "{problem}");
    let null = ListArray::from_iter_primitive::<Float32Type, _, _>([Some([Some(1.0), None])]);
    let holes = batch(vec![("id", ids(1)), ("v", Arc::new(null))]);
    assert!(column(add(&index, vec![holes], OnExisting::Fail).unwrap_err()).1.contains("null component"));

    let one = || batch(vec![("id", ids(1)), ("k", ids(1))]);
    assert_eq!(add(&index, vec![one()], OnExisting::Fail).unwrap(), 1);
    match add(&index, vec![one()], OnExisting::Fail).unwrap_err() {
        Error::Lucerne(error) => assert_eq!(error.kind(), ErrorKind::AlreadyExists),
        other => panic!("{other}"),
    }
    assert_eq!(add(&index, vec![one()], OnExisting::Replace).unwrap(), 1);
    assert!(lucerne_arrow::read(&index.searcher().unwrap(), &["nope"]).is_err());
}

#[test]
fn a_list_that_comes_late_is_an_error_that_names_the_remedy() {
    let (_folder, index) = index(Schema::builder().key("id").keyword("k").build().unwrap());
    let mut lists = ListBuilder::new(StringBuilder::new());
    for number in 0..5_000 {
        let count = if number == 4_999 { 2 } else { 0 };
        lists.append_value((0..count).map(|_| Some("x")));
    }
    let written = batch(vec![("id", ids(5_000)), ("k", Arc::new(lists.finish()))]);
    add(&index, vec![written], OnExisting::Fail).unwrap();
    let searcher = index.searcher().unwrap();
    // Empty lists are lists.
    assert!(lucerne_arrow::read(&searcher, &[]).unwrap().all(|batch| batch.is_ok()));
    assert!(lucerne_arrow::read(&searcher, &["k"]).unwrap().all(|batch| batch.is_ok()));
}
