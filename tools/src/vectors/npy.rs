//! NumPy's `.npy`: the header, by `npyz`; rows are decoded like those of all files.

use super::{Component, Layout};
use npyz::{DType, Endianness, NpyHeader, Order, TypeChar};
use std::io::{Read, Seek};

/// Reads the header of a two-dimensional array, or of a single vector.
pub(super) fn layout(file: &mut (impl Read + Seek)) -> Result<Layout, String> {
    let header = NpyHeader::from_reader(&mut *file).map_err(|error| format!("not a .npy file: {error}"))?;
    let start = file.stream_position().map_err(|error| error.to_string())?;
    let DType::Plain(of_type) = header.dtype() else {
        return Err("a structured array, expected one of numbers".to_owned());
    };
    let component = match (of_type.type_char(), of_type.size_field()) {
        (TypeChar::Float, 2) => Component::F16,
        (TypeChar::Float, 4) => Component::F32,
        (TypeChar::Float, 8) => Component::F64,
        (TypeChar::Uint, 1) => Component::U8,
        (TypeChar::Int, 1) => Component::I8,
        _ => return Err(format!("numbers of type {of_type}, expected f16, f32, f64, u8 or i8")),
    };
    let (rows, dimension) = match *header.shape() {
        [dimension] => (1, dimension),
        [rows, dimension] => (rows, dimension),
        ref other => return Err(format!("an array of {} dimensions, expected 2", other.len())),
    };
    if header.order() == Order::Fortran && rows > 1 && dimension > 1 {
        return Err("in Fortran order, expected C order; save numpy.ascontiguousarray(x)".to_owned());
    }
    let big_endian = of_type.endianness() == Endianness::Big;
    let single = header.shape().len() == 1;
    Ok(Layout { rows, dimension, component, big_endian, start, row_prefix: 0, single })
}
