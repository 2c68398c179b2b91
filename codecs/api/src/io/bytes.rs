//! Little-endian numbers in byte slices and buffers: every number in a file of an index is little-endian.

use crate::half;
use byteorder::{ByteOrder, LittleEndian};

/// Appends numbers to a buffer.
pub trait PutLe {
    /// Appends two bytes.
    fn put_u16(&mut self, number: u16);
    /// Appends four bytes.
    fn put_u32(&mut self, number: u32);
    /// Appends eight bytes.
    fn put_u64(&mut self, number: u64);
    /// Appends four bytes.
    fn put_f32(&mut self, number: f32);
    /// Appends the `width` (at most 8) lowest bytes of a number.
    fn put_uint(&mut self, number: u64, width: usize);
}

impl PutLe for Vec<u8> {
    #[inline]
    fn put_u16(&mut self, number: u16) {
        let mut bytes = [0; 2];
        LittleEndian::write_u16(&mut bytes, number);
        self.extend_from_slice(&bytes);
    }

    #[inline]
    fn put_u32(&mut self, number: u32) {
        let mut bytes = [0; 4];
        LittleEndian::write_u32(&mut bytes, number);
        self.extend_from_slice(&bytes);
    }

    #[inline]
    fn put_u64(&mut self, number: u64) {
        let mut bytes = [0; 8];
        LittleEndian::write_u64(&mut bytes, number);
        self.extend_from_slice(&bytes);
    }

    #[inline]
    fn put_f32(&mut self, number: f32) {
        self.put_u32(number.to_bits());
    }

    #[inline]
    fn put_uint(&mut self, number: u64, width: usize) {
        let mut bytes = [0; 8];
        LittleEndian::write_u64(&mut bytes, number);
        self.extend_from_slice(bytes.get(..width).unwrap_or(&bytes));
    }
}

/// The bytes of a row of f32.
pub fn from_f32s(numbers: &[f32]) -> Vec<u8> {
    let mut bytes = vec![0; numbers.len() * 4];
    LittleEndian::write_f32_into(numbers, &mut bytes);
    bytes
}

/// The numbers of a row of f32; one that is cut off at the end is left out.
#[inline]
pub fn f32s(row: &[u8]) -> impl ExactSizeIterator<Item = f32> + '_ {
    row.as_chunks::<4>().0.iter().map(|bytes| LittleEndian::read_f32(bytes))
}

/// The bytes of a row of f16, each the nearest to a number ([`half::from_f32`]).
pub fn f16s_from(numbers: &[f32]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(numbers.len() * 2);
    numbers.iter().for_each(|number| bytes.put_u16(half::from_f32(*number)));
    bytes
}

/// The numbers of a row of f16; one that is cut off at the end is left out.
#[inline]
pub fn f16s(row: &[u8]) -> impl ExactSizeIterator<Item = f32> + '_ {
    row.as_chunks::<2>().0.iter().map(|bytes| half::to_f32(LittleEndian::read_u16(bytes)))
}

/// The numbers of a row of u32; one that is cut off at the end is left out.
#[inline]
pub fn u32s(row: &[u8]) -> impl ExactSizeIterator<Item = u32> + '_ {
    row.as_chunks::<4>().0.iter().map(|bytes| LittleEndian::read_u32(bytes))
}

/// The `index`-th number of a table of u16.
#[inline]
pub fn u16_at(table: &[u8], index: usize) -> Option<u16> {
    table.as_chunks::<2>().0.get(index).map(|bytes| LittleEndian::read_u16(bytes))
}

/// The `index`-th number of a table of u32.
#[inline]
pub fn u32_at(table: &[u8], index: usize) -> Option<u32> {
    table.as_chunks::<4>().0.get(index).map(|bytes| LittleEndian::read_u32(bytes))
}

/// The `index`-th number of a table of u64.
#[inline]
pub fn u64_at(table: &[u8], index: usize) -> Option<u64> {
    table.as_chunks::<8>().0.get(index).map(|bytes| LittleEndian::read_u64(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_put_is_read_again() {
        let mut bytes = Vec::new();
        bytes.put_u16(0x0201);
        bytes.put_uint(0x0403, 2);
        bytes.put_u32(0x0807_0605);
        bytes.put_u64(0x100F_0E0D_0C0B_0A09);
        assert_eq!(bytes, (1..=16).collect::<Vec<u8>>());
        assert_eq!((u16_at(&bytes, 1), u16_at(&bytes, 8)), (Some(0x0403), None));
        assert_eq!((u32_at(&bytes, 1), u32_at(&bytes, 4)), (Some(0x0807_0605), None));
        assert_eq!((u64_at(&bytes, 1), u64_at(&bytes, 2)), (Some(0x100F_0E0D_0C0B_0A09), None));
        assert_eq!(u32s(&bytes[..7]).collect::<Vec<_>>(), [0x0403_0201]);
        bytes.clear();
        [1.5, -0.0, f32::MAX].into_iter().for_each(|number| bytes.put_f32(number));
        assert_eq!(bytes, from_f32s(&[1.5, -0.0, f32::MAX]));
        let halves = [1.5, -0.0, 65_504.0, 6e-8];
        let row = f16s_from(&halves);
        assert_eq!(row, [0x00, 0x3e, 0x00, 0x80, 0xff, 0x7b, 0x01, 0x00]);
        assert_eq!(f16s(&row).collect::<Vec<_>>(), [1.5, -0.0, 65_504.0, 2f32.powi(-24)]);
        assert_eq!(f16s(&row[..7]).len(), 3);
        assert_eq!(f32s(&bytes).map(f32::to_bits).collect::<Vec<_>>(), u32s(&bytes).collect::<Vec<_>>());
    }
}
