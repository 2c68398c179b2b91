//! Record batches into an index.

use crate::error::{Error, Result};
use crate::values::{Kind, value};
use arrow_array::{RecordBatch, RecordBatchReader};
use lucerne::transfer::SegmentBuilder;
use lucerne::{Cancel, Document, Schema, Value, Writer};

/// What to do with a row whose key exists.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OnExisting {
    /// An error ([`lucerne::Error::DuplicateKey`]).
    #[default]
    Fail,
    /// The row replaces the document.
    Replace,
}

/// Documents given to the writer at once.
const BATCH: usize = 512;

/// Writes the rows of a stream as documents, and returns how many there were. Nothing is committed; an error leaves the
/// batches of 512 documents before it written.
///
/// ```
/// use arrow_array::{ArrayRef, Int64Array, RecordBatch, RecordBatchIterator, StringArray};
/// use lucerne::{Cancel, Index, Schema};
/// use lucerne_arrow::OnExisting;
/// use std::sync::Arc;
///
/// # let folder = tempfile::tempdir().unwrap();
/// let index = Index::create(folder.path(), Schema::builder().key("id").i64("year").build()?)?;
/// let ids: ArrayRef = Arc::new(StringArray::from(vec!["vim", "sed"]));
/// let years: ArrayRef = Arc::new(Int64Array::from(vec![Some(1991), None]));
/// let batch = RecordBatch::try_from_iter([("id", ids), ("year", years)])?;
/// let schema = batch.schema();
///
/// let writer = index.writer()?;
/// let rows = RecordBatchIterator::new([Ok(batch)], schema);
/// assert_eq!(lucerne_arrow::add(&writer, rows, OnExisting::Fail, &Cancel::new())?, 2);
/// writer.commit()?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// When a column fits no field, the stream fails, a row is no document of the schema (its key is named), or on
/// cancellation.
pub fn add(
    writer: &Writer,
    rows: impl RecordBatchReader,
    on_existing: OnExisting,
    cancel: &Cancel,
) -> Result<u64> {
    each_batch(&writer.schema(), rows, cancel, |documents| {
        match on_existing {
            OnExisting::Fail => writer.add_batch(documents),
            OnExisting::Replace => writer.upsert_batch(documents),
        }
        .map(drop)
    })
}

/// Gives the rows of a stream to a builder of a segment as documents, and returns how many there were.
///
/// # Errors
/// As [`add`]; also when a key is given twice.
pub fn build(builder: &mut SegmentBuilder, rows: impl RecordBatchReader, cancel: &Cancel) -> Result<u64> {
    let schema = builder.schema().clone();
    each_batch(&schema, rows, cancel, |documents| {
        documents.iter().try_for_each(|document| builder.add(document))
    })
}

fn each_batch(
    schema: &Schema,
    rows: impl RecordBatchReader,
    cancel: &Cancel,
    mut write: impl FnMut(&[Document]) -> lucerne::Result<()>,
) -> Result<u64> {
    let columns = columns(schema, &rows.schema())?;
    let (mut documents, mut written) = (Vec::with_capacity(BATCH), 0);
    let mut flush = |documents: &mut Vec<Document>| -> Result<()> {
        cancel.check().map_err(lucerne::Error::from)?;
        write(documents)?;
        written += documents.len() as u64;
        documents.clear();
        Ok(())
    };
    for batch in rows {
        let batch = batch?;
        for row in 0..batch.num_rows() {
            documents.push(document(&columns, &batch, row)?);
            if documents.len() == BATCH {
                flush(&mut documents)?;
            }
        }
    }
    flush(&mut documents)?;
    Ok(written)
}

/// The kind of each column of a schema, with its name.
fn columns(schema: &Schema, given: &arrow_schema::Schema) -> Result<Vec<(String, Kind)>> {
    let key = schema.key();
    let column = |name: &String| {
        if let Ok(field) = schema.vector_field_named(name) {
            return Ok((name.clone(), if field.options().is_binary() { Kind::Bits } else { Kind::Vector }));
        }
        if name == key.name() || schema.field(name).is_some() || schema.is_dynamic() {
            return Ok((name.clone(), Kind::Plain));
        }
        let known = schema.fields().iter().map(|field| field.name());
        let known = [key.name()].into_iter().chain(known).collect::<Vec<_>>().join(", ");
        Err(Error::column(name, format!("no field of this name; the schema has: {known}; rename or drop it")))
    };
    let fields = given.fields();
    let twice = fields
        .iter()
        .enumerate()
        .find(|(at, field)| fields.iter().skip(at + 1).any(|other| other.name() == field.name()));
    if let Some((_, field)) = twice {
        return Err(Error::column(field.name(), "two columns have this name; rename or drop one"));
    }
    fields.iter().map(|field| column(field.name())).collect()
}

fn document(columns: &[(String, Kind)], batch: &RecordBatch, row: usize) -> Result<Document> {
    let mut document = Document::new();
    for ((name, kind), array) in columns.iter().zip(batch.columns()) {
        let value = value(array.as_ref(), row, *kind).map_err(|problem| Error::column(name, problem))?;
        if value != Value::Null {
            document.set(name, value);
        }
    }
    Ok(document)
}
