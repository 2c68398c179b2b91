//! Values of columns as values of documents.

use arrow_array::cast::AsArray;
use arrow_array::types::{
    Date32Type, Date64Type, Float16Type, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type,
    TimestampMicrosecondType, TimestampMillisecondType, TimestampNanosecondType, TimestampSecondType,
    UInt8Type, UInt16Type, UInt32Type, UInt64Type,
};
use arrow_array::{Array, ArrayRef};
use arrow_schema::{DataType, TimeUnit};
use lucerne::Value;
use serde_json::Map;

const DAY: i64 = 86_400_000;

/// What a column is to become.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// f32 vectors.
    Vector,
    /// Bits.
    Bits,
    /// Anything else.
    Plain,
}

/// The value of a row; null is [`Value::Null`].
pub(crate) fn value(array: &dyn Array, row: usize, kind: Kind) -> Result<Value, String> {
    if array.is_null(row) {
        return Ok(Value::Null);
    }
    match kind {
        Kind::Vector => vector(array, row),
        Kind::Bits => bits(array, row),
        Kind::Plain => plain(array, row),
    }
}

fn plain(array: &dyn Array, row: usize) -> Result<Value, String> {
    if array.is_null(row) {
        return Ok(Value::Null);
    }
    let text = |text: &str| Ok(Value::from(text));
    macro_rules! number {
        ($type:ty) => {
            array.as_primitive::<$type>().value(row)
        };
    }
    match array.data_type() {
        DataType::Null => Ok(Value::Null),
        DataType::Boolean => Ok(Value::Bool(array.as_boolean().value(row))),
        DataType::Int8 => Ok(Value::I64(number!(Int8Type).into())),
        DataType::Int16 => Ok(Value::I64(number!(Int16Type).into())),
        DataType::Int32 => Ok(Value::I64(number!(Int32Type).into())),
        DataType::Int64 => Ok(Value::I64(number!(Int64Type))),
        DataType::UInt8 => Ok(Value::I64(number!(UInt8Type).into())),
        DataType::UInt16 => Ok(Value::I64(number!(UInt16Type).into())),
        DataType::UInt32 => Ok(Value::I64(number!(UInt32Type).into())),
        DataType::UInt64 => Ok(Value::from(serde_json::Value::from(number!(UInt64Type)))),
        DataType::Float16 => Ok(Value::F64(number!(Float16Type).into())),
        DataType::Float32 => Ok(Value::F64(number!(Float32Type).into())),
        DataType::Float64 => Ok(Value::F64(number!(Float64Type))),
        DataType::Utf8 => text(array.as_string::<i32>().value(row)),
        DataType::LargeUtf8 => text(array.as_string::<i64>().value(row)),
        DataType::Utf8View => text(array.as_string_view().value(row)),
        DataType::Date32 => Ok(Value::Date(i64::from(number!(Date32Type)) * DAY)),
        DataType::Date64 => Ok(Value::Date(number!(Date64Type))),
        DataType::Timestamp(unit, _) => Ok(Value::Date(match unit {
            TimeUnit::Second => number!(TimestampSecondType).saturating_mul(1_000),
            TimeUnit::Millisecond => number!(TimestampMillisecondType),
            TimeUnit::Microsecond => number!(TimestampMicrosecondType).div_euclid(1_000),
            TimeUnit::Nanosecond => number!(TimestampNanosecondType).div_euclid(1_000_000),
        })),
        DataType::Dictionary(..) => {
            let dictionary = array.as_any_dictionary();
            let keys = dictionary.normalized_keys();
            let key = keys.get(row).copied().ok_or("a dictionary without the row's key")?;
            plain(dictionary.values().as_ref(), key)
        }
        DataType::Struct(fields) => {
            let columns = array.as_struct().columns();
            let members = fields.iter().zip(columns).map(|(field, column)| {
                let value = plain(column.as_ref(), row)?;
                let json = serde_json::to_value(&value).map_err(|error| error.to_string())?;
                Ok((field.name().clone(), json))
            });
            Ok(Value::Json(serde_json::Value::Object(members.collect::<Result<Map<_, _>, String>>()?)))
        }
        _ => match list(array, row) {
            Some(items) => (0..items.len())
                .map(|at| plain(items.as_ref(), at))
                .collect::<Result<_, _>>()
                .map(Value::List),
            None => Err(format!("values of type {} have no place in a document", array.data_type())),
        },
    }
}

/// The items of a row of lists.
pub(crate) fn list(array: &dyn Array, row: usize) -> Option<ArrayRef> {
    match array.data_type() {
        DataType::List(_) => Some(array.as_list::<i32>().value(row)),
        DataType::LargeList(_) => Some(array.as_list::<i64>().value(row)),
        DataType::ListView(_) => Some(array.as_list_view::<i32>().value(row)),
        DataType::LargeListView(_) => Some(array.as_list_view::<i64>().value(row)),
        DataType::FixedSizeList(..) => Some(array.as_fixed_size_list().value(row)),
        _ => None,
    }
}

/// One vector, or several.
fn vector(array: &dyn Array, row: usize) -> Result<Value, String> {
    let Some(items) = list(array, row) else { return Err(not_a_vector(array)) };
    if let Some(components) = floats(items.as_ref())? {
        return Ok(Value::Vector(components));
    }
    (0..items.len()).map(|at| vector(items.as_ref(), at)).collect::<Result<_, _>>().map(Value::List)
}

fn not_a_vector(array: &dyn Array) -> String {
    format!("values of type {} are no vectors; expected lists of f16, f32 or f64", array.data_type())
}

/// An array of numbers as f32; `None` when it holds lists.
fn floats(items: &dyn Array) -> Result<Option<Vec<f32>>, String> {
    if items.null_count() > 0 {
        return Err("a vector with a null component; give the whole vector or none".to_owned());
    }
    Ok(Some(match items.data_type() {
        DataType::Float32 => items.as_primitive::<Float32Type>().values().to_vec(),
        DataType::Float64 => {
            items.as_primitive::<Float64Type>().values().iter().map(|&it| it as f32).collect()
        }
        DataType::Float16 => {
            items.as_primitive::<Float16Type>().values().iter().map(|it| it.to_f32()).collect()
        }
        DataType::Int8 => items.as_primitive::<Int8Type>().values().iter().map(|&it| it.into()).collect(),
        DataType::UInt8 => items.as_primitive::<UInt8Type>().values().iter().map(|&it| it.into()).collect(),
        DataType::Int32 => items.as_primitive::<Int32Type>().values().iter().map(|&it| it as f32).collect(),
        DataType::Int64 => items.as_primitive::<Int64Type>().values().iter().map(|&it| it as f32).collect(),
        _ if matches!(
            items.data_type(),
            DataType::List(_) | DataType::LargeList(_) | DataType::FixedSizeList(..) | DataType::ListView(_)
        ) =>
        {
            return Ok(None);
        }
        _ => return Err(not_a_vector(items)),
    }))
}

/// Bits of a row: bytes, a list of bytes, or several of these.
fn bits(array: &dyn Array, row: usize) -> Result<Value, String> {
    let bytes = match array.data_type() {
        DataType::Binary => array.as_binary::<i32>().value(row).to_vec(),
        DataType::LargeBinary => array.as_binary::<i64>().value(row).to_vec(),
        DataType::BinaryView => array.as_binary_view().value(row).to_vec(),
        DataType::FixedSizeBinary(_) => array.as_fixed_size_binary().value(row).to_vec(),
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => return plain(array, row),
        _ => {
            let items = list(array, row).ok_or_else(|| {
                format!("values of type {} are no bits; expected binary or lists of uint8", array.data_type())
            })?;
            if *items.data_type() != DataType::UInt8 {
                return (0..items.len())
                    .map(|at| bits(items.as_ref(), at))
                    .collect::<Result<_, _>>()
                    .map(Value::List);
            }
            items.as_primitive::<UInt8Type>().values().to_vec()
        }
    };
    Ok(Value::Bits(bytes))
}
