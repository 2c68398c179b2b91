//! The plain binary layouts: `.fbin`, `.fvecs`, `.bvecs`, raw f32, raw bits.

use super::{Component, Layout, Shape};
use byteorder::{LittleEndian, ReadBytesExt as _};
use std::io::Read;

const LITTLE_F32: Layout = Layout {
    rows: 0,
    dimension: 0,
    component: Component::F32,
    big_endian: false,
    start: 0,
    row_prefix: 0,
    single: false,
};

fn u32_le(input: &mut impl Read) -> Result<u64, String> {
    let number = input.read_u32::<LittleEndian>();
    Ok(number.map_err(|error| format!("cannot read the header: {error}"))?.into())
}

/// Rows and dimension, then rows.
pub(super) fn fbin(input: &mut impl Read) -> Result<Layout, String> {
    Ok(Layout { rows: u32_le(input)?, dimension: u32_le(input)?, start: 8, ..LITTLE_F32 })
}

/// Every row begins with its dimension.
pub(super) fn fvecs(input: &mut impl Read, len: u64) -> Result<Layout, String> {
    if len == 0 {
        return Err("empty, so its dimension is unknown".to_owned());
    }
    let layout = Layout { dimension: u32_le(input)?, row_prefix: 4, ..LITTLE_F32 };
    Ok(Layout { rows: len / layout.row_len(), ..layout })
}

/// Every row begins with its dimension; components are bytes.
pub(super) fn bvecs(input: &mut impl Read, len: u64) -> Result<Layout, String> {
    let layout = Layout { component: Component::U8, ..fvecs(input, len)? };
    Ok(Layout { rows: len / layout.row_len(), ..layout })
}

/// Components only; of a binary vector a byte for every eight.
pub(super) fn raw(len: u64, shape: Option<Shape>) -> Result<Layout, String> {
    let shape = shape.ok_or("raw components without a dimension; use .npy, .fbin or .fvecs")?;
    let layout = if shape.binary {
        Layout { dimension: shape.dimension as u64 / 8, component: Component::U8, ..LITTLE_F32 }
    } else {
        Layout { dimension: shape.dimension as u64, ..LITTLE_F32 }
    };
    Ok(Layout { rows: len / layout.row_len().max(1), ..layout })
}
