//! The documents of an index as record batches.

use crate::error::{Error, Result};
use arrow_array::builder::{
    BooleanBuilder, FixedSizeBinaryBuilder, FixedSizeListBuilder, Float32Builder, Float64Builder,
    Int64Builder, ListBuilder, StringBuilder, TimestampMillisecondBuilder,
};
use arrow_array::{ArrayRef, RecordBatch, RecordBatchReader};
use arrow_schema::{ArrowError, DataType, Field, SchemaRef, TimeUnit};
use lucerne::schema::FieldType;
use lucerne::{Bool, Hit, Query, Range, Search, Searcher, Sort, Value};
use serde_json::Value as Json;
use std::sync::Arc;

/// Documents of a batch.
const ROWS: usize = 4_096;
/// The time zone of dates.
const UTC: &str = "UTC";

/// The documents of a snapshot by ascending key: the key, then every stored field of the schema, as a column each.
///
/// A field with a list in any of the first 4,096 documents becomes a column of lists; one that has its first list later
/// is an error that says so, and `lists` names such fields. Undeclared fields of a dynamic schema are not read.
///
/// # Errors
/// When `lists` names a field that is not there, or files are damaged.
pub fn read(searcher: &Searcher, lists: &[&str]) -> Result<Documents> {
    read_matching(searcher, lists, Query::all())
}

/// [`read`] of the documents that match a query: `Range::new("id").gt("m").lte("s")` for those of a range of keys.
///
/// # Errors
/// As [`read`], and when the query cannot be searched.
pub fn read_matching(searcher: &Searcher, lists: &[&str], query: impl Into<Query>) -> Result<Documents> {
    let schema = searcher.schema();
    if let Some(unknown) = lists.iter().find(|name| schema.field(name).is_none()) {
        return Err(Error::column(unknown, "no field of this name"));
    }
    let stored = schema.fields().iter().filter(|field| field.is_stored());
    let names: Vec<String> = stored.clone().map(|field| field.name().to_owned()).collect();
    let mut documents = Documents {
        searcher: searcher.clone(),
        query: query.into(),
        key: schema.key().name().to_owned(),
        names,
        columns: Vec::new(),
        schema: Arc::new(arrow_schema::Schema::empty()),
        page: Vec::new(),
        after: None,
        ended: false,
    };
    documents.page = documents.next_page()?;
    for field in stored {
        let is_list = |hit: &Hit| {
            hit.fields.as_ref().and_then(|fields| fields.get(field.name())).is_some_and(Json::is_array)
        };
        let several = lists.contains(&field.name()) || documents.page.iter().any(is_list);
        documents.columns.push(Column::of(field, several));
    }
    let key = Field::new(&documents.key, DataType::Utf8, false);
    let columns = documents.names.iter().zip(&documents.columns);
    let columns = columns.map(|(name, column)| Field::new(name, column.data_type(), true));
    documents.schema =
        Arc::new(arrow_schema::Schema::new([key].into_iter().chain(columns).collect::<Vec<_>>()));
    Ok(documents)
}

/// A stream of the documents of a snapshot, made by [`read`].
#[derive(Debug)]
pub struct Documents {
    searcher: Searcher,
    query: Query,
    key: String,
    names: Vec<String>,
    columns: Vec<Column>,
    schema: SchemaRef,
    page: Vec<Hit>,
    after: Option<String>,
    ended: bool,
}

/// How a field becomes a column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Column {
    Scalar(Scalar),
    List(Scalar),
    /// Components; several vectors.
    Vector(usize, bool),
    /// Bytes.
    Bits(usize),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Scalar {
    Text,
    I64,
    F64,
    Bool,
    Date,
}

impl Column {
    fn of(field: &lucerne::schema::Field, several: bool) -> Self {
        if let Some(vector) = field.as_vector() {
            let dimension = vector.options().dimension();
            return match vector.options().is_binary() {
                true => Self::Bits(dimension / 8),
                false => Self::Vector(dimension, vector.options().is_multiple()),
            };
        }
        let scalar = match field.field_type() {
            FieldType::I64 => Scalar::I64,
            FieldType::F64 => Scalar::F64,
            FieldType::Bool => Scalar::Bool,
            FieldType::Date => Scalar::Date,
            _ => Scalar::Text,
        };
        if several { Self::List(scalar) } else { Self::Scalar(scalar) }
    }

    fn data_type(self) -> DataType {
        let item = |data_type| Arc::new(Field::new("item", data_type, true));
        match self {
            Self::Scalar(scalar) => scalar.data_type(),
            Self::List(scalar) => DataType::List(item(scalar.data_type())),
            Self::Vector(dimension, several) => {
                let one = DataType::FixedSizeList(item(DataType::Float32), dimension as i32);
                if several { DataType::List(item(one)) } else { one }
            }
            Self::Bits(bytes) => DataType::FixedSizeBinary(bytes as i32),
        }
    }
}

impl Scalar {
    fn data_type(self) -> DataType {
        match self {
            Self::Text => DataType::Utf8,
            Self::I64 => DataType::Int64,
            Self::F64 => DataType::Float64,
            Self::Bool => DataType::Boolean,
            Self::Date => DataType::Timestamp(TimeUnit::Millisecond, Some(UTC.into())),
        }
    }
}

impl Documents {
    /// The next documents by key.
    fn next_page(&mut self) -> Result<Vec<Hit>> {
        if self.ended {
            return Ok(Vec::new());
        }
        let mut page = Bool::new().filter(self.query.clone());
        if let Some(key) = &self.after {
            page = page.filter(Range::new(&self.key).gt(key.as_str()));
        }
        let wanted = self.names.iter().map(String::as_str);
        let search = Search::new(page).sort(Sort::asc(&self.key)).limit(ROWS).fields(wanted);
        let hits = self.searcher.search(search)?.hits;
        self.ended = hits.len() < ROWS;
        self.after = hits.last().map(|hit| hit.key.clone());
        Ok(hits)
    }

    fn batch(&self, hits: &[Hit]) -> Result<RecordBatch> {
        let keys: ArrayRef =
            Arc::new(arrow_array::StringArray::from_iter_values(hits.iter().map(|hit| &hit.key)));
        let mut columns = vec![keys];
        for (name, column) in self.names.iter().zip(&self.columns) {
            let value = |hit: &Hit| hit.fields.as_ref().and_then(|fields| fields.get(name)).cloned();
            let values: Vec<Option<Json>> = hits.iter().map(value).collect();
            let array = array(*column, &values).map_err(|problem| Error::column(name, problem))?;
            columns.push(array);
        }
        Ok(RecordBatch::try_new(Arc::clone(&self.schema), columns)?)
    }
}

impl Iterator for Documents {
    type Item = std::result::Result<RecordBatch, ArrowError>;

    fn next(&mut self) -> Option<Self::Item> {
        let hits = std::mem::take(&mut self.page);
        if hits.is_empty() {
            return None;
        }
        let batch = self.batch(&hits).and_then(|batch| {
            self.page = self.next_page()?;
            Ok(batch)
        });
        Some(batch.map_err(|error| ArrowError::ExternalError(Box::new(error))))
    }
}

impl RecordBatchReader for Documents {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }
}

/// A column of JSON values as an array.
fn array(column: Column, values: &[Option<Json>]) -> std::result::Result<ArrayRef, String> {
    match column {
        Column::Scalar(scalar) => scalars(scalar, values.iter().map(Option::as_ref)),
        Column::List(scalar) => {
            let items = values.iter().flatten().flat_map(|value| match value {
                Json::Array(items) => items.iter().map(Some).collect::<Vec<_>>(),
                single => vec![Some(single)],
            });
            let items = scalars(scalar, items)?;
            let lengths = values.iter().map(|value| match value {
                Some(Json::Array(items)) => items.len(),
                Some(_) => 1,
                None => 0,
            });
            let offsets = arrow_array::array::ListArray::try_new(
                Arc::new(Field::new("item", scalar.data_type(), true)),
                arrow_buffer::OffsetBuffer::from_lengths(lengths),
                items,
                Some(values.iter().map(Option::is_some).collect::<Vec<_>>().into()),
            );
            Ok(Arc::new(offsets.map_err(|error| error.to_string())?))
        }
        Column::Vector(dimension, several) => vectors(dimension, several, values),
        Column::Bits(bytes) => bits(bytes, values),
    }
}

fn scalars<'a>(
    scalar: Scalar,
    values: impl Iterator<Item = Option<&'a Json>>,
) -> std::result::Result<ArrayRef, String> {
    let wrong = |value: &Json| {
        let hint = if value.is_array() { "; name the field in `lists`" } else { "" };
        let text: String = value.to_string().chars().take(60).collect();
        format!("{text} is no single value of type {}{hint}", scalar.data_type())
    };
    macro_rules! build {
        ($builder:expr, $get:expr) => {{
            let mut builder = $builder;
            for value in values {
                match value {
                    None | Some(Json::Null) => builder.append_null(),
                    Some(value) => builder.append_value($get(value).ok_or_else(|| wrong(value))?),
                }
            }
            Ok(Arc::new(builder.finish()))
        }};
    }
    match scalar {
        Scalar::Text => build!(StringBuilder::new(), Json::as_str),
        Scalar::I64 => build!(Int64Builder::new(), Json::as_i64),
        Scalar::F64 => build!(Float64Builder::new(), Json::as_f64),
        Scalar::Bool => build!(BooleanBuilder::new(), Json::as_bool),
        Scalar::Date => {
            let date = |value: &Json| match Value::date(value.as_str()?)? {
                Value::Date(milliseconds) => Some(milliseconds),
                _ => None,
            };
            build!(TimestampMillisecondBuilder::new().with_timezone(UTC), date)
        }
    }
}

fn vectors(
    dimension: usize,
    several: bool,
    values: &[Option<Json>],
) -> std::result::Result<ArrayRef, String> {
    let one = |builder: &mut FixedSizeListBuilder<Float32Builder>, row: Option<&Vec<Json>>| {
        let row = row.filter(|row| row.len() == dimension);
        for at in 0..dimension {
            let component = row.and_then(|row| row.get(at)).and_then(Json::as_f64);
            builder.values().append_option(component.map(|component| component as f32));
        }
        builder.append(row.is_some());
    };
    let rows = || FixedSizeListBuilder::new(Float32Builder::new(), dimension as i32);
    if !several {
        let mut builder = rows();
        values.iter().for_each(|value| one(&mut builder, value.as_ref().and_then(Json::as_array)));
        return Ok(Arc::new(builder.finish()));
    }
    let mut builder = ListBuilder::new(rows());
    for value in values {
        let Some(items) = value.as_ref().and_then(Json::as_array) else {
            builder.append_null();
            continue;
        };
        // One vector is stored as it was given, without a list around it.
        let single = items.first().is_some_and(Json::is_number);
        if single {
            one(builder.values(), Some(items));
        } else {
            items.iter().for_each(|item| one(builder.values(), item.as_array()));
        }
        builder.append(true);
    }
    Ok(Arc::new(builder.finish()))
}

fn bits(bytes: usize, values: &[Option<Json>]) -> std::result::Result<ArrayRef, String> {
    let mut builder = FixedSizeBinaryBuilder::new(bytes as i32);
    for value in values {
        match value.as_ref().and_then(Json::as_str) {
            None => builder.append_null(),
            Some(digits) => {
                let row = (0..digits.len())
                    .step_by(2)
                    .map(|at| digits.get(at..at + 2).and_then(|pair| u8::from_str_radix(pair, 16).ok()));
                let row = row.collect::<Option<Vec<u8>>>().ok_or("bits that are no hexadecimal digits")?;
                builder.append_value(row).map_err(|error| error.to_string())?;
            }
        }
    }
    Ok(Arc::new(builder.finish()))
}
