//! The reference: what every kernel must compute, in plain Rust without `unsafe`.

use crate::codes::NIBBLES;
use crate::hadamard::transform;
use crate::kernels::{Kernels, Level, table};
use crate::nibble_panel::portable as dot_u4_i8_panel;
use crate::panel::{BitPanel, PANEL};
use crate::prepare::{self, Rounded};
use crate::rows::Rows;
use crate::select::select;
use crate::wide::WideQuery;

pub(crate) static KERNELS: Kernels = table!(Level::Scalar);

/// Independent running sums, so that the additions need not wait for each other.
const LANES: usize = 8;

fn components(row: &[u8]) -> impl Iterator<Item = f32> {
    row.as_chunks::<4>().0.iter().map(|b| f32::from_le_bytes(*b))
}

fn halves(row: &[u8]) -> impl Iterator<Item = f32> {
    row.as_chunks::<2>().0.iter().map(|b| widen(u16::from_le_bytes(*b)))
}

/// The number that a half stands for.
fn widen(half: u16) -> f32 {
    let (sign, magnitude) = (u32::from(half & 0x8000) << 16, u32::from(half & 0x7fff));
    let bits = match magnitude {
        // Below 2^-14 in steps of 2^-24.
        ..0x0400 => (magnitude as f32 / 16_777_216.0).to_bits(),
        // Exponents are those of f32 less 112.
        0x0400..0x7c00 => (magnitude << 13) + (112 << 23),
        _ => (magnitude << 13) | 0x7f80_0000,
    };
    f32::from_bits(sign | bits)
}

/// The sum of `term` over the components of `a` and `row`, which has `BYTES` for eight of them; component `i` goes to
/// lane `i % LANES`.
#[inline(always)]
fn sum<'a, const BYTES: usize, C: Iterator<Item = f32>>(
    a: &[f32],
    row: &'a [u8],
    components: impl Fn(&'a [u8]) -> C,
    term: impl Fn(f32, f32) -> f32,
) -> f32 {
    let mut lanes = [0f32; LANES];
    let (a, a_tail) = a.as_chunks::<LANES>();
    let (row, row_tail) = row.as_chunks::<BYTES>();
    for (a, row) in a.iter().zip(row) {
        for (lane, (&x, y)) in lanes.iter_mut().zip(a.iter().zip(components(row))) {
            *lane += term(x, y);
        }
    }
    for (lane, (&x, y)) in lanes.iter_mut().zip(a_tail.iter().zip(components(row_tail))) {
        *lane += term(x, y);
    }
    lanes.iter().sum()
}

#[inline(always)]
fn sum_f32(a: &[f32], row: &[u8], term: impl Fn(f32, f32) -> f32) -> f32 {
    sum::<{ 4 * LANES }, _>(a, row, components, term)
}

#[inline(always)]
fn sum_f16(a: &[f32], row: &[u8], term: impl Fn(f32, f32) -> f32) -> f32 {
    sum::<{ 2 * LANES }, _>(a, row, halves, term)
}

/// The sum of the squares of components; component `i` goes to lane `i % LANES`.
#[inline(always)]
fn sum_squares(components: impl Iterator<Item = f32>) -> f32 {
    let mut lanes = [0f32; LANES];
    for (i, y) in components.enumerate() {
        lanes[i % LANES] += y * y;
    }
    lanes.iter().sum()
}

fn hadamard(values: &mut [f32], scratch: &mut [f32]) {
    transform(values, scratch);
}

fn dot_f64(x: &[f32], y: &[f32]) -> f64 {
    prepare::dot(x, y)
}

fn round_i16(values: &[f32], largest: i16, out: &mut [i16]) -> Rounded {
    prepare::round(values, largest, out)
}

fn select_bytes(words: &[u64], bytes: &[u8], out: &mut [u8]) -> usize {
    select(words, bytes, out)
}

fn within(numbers: &[u8], width: usize, low: u32, span: u32, out: &mut [u64]) {
    crate::within::within(numbers, width, low, span, out);
}

fn near_lanes(distances: &[[f32; PANEL]], of_lanes: &[f32; PANEL], of_rows: &[f32], out: &mut [[u32; 2]]) {
    crate::near::near_lanes(distances, of_lanes, of_rows, out);
}

fn dot_f32(a: &[f32], row: &[u8]) -> f32 {
    sum_f32(a, row, |x, y| x * y)
}

fn l2_f32(a: &[f32], row: &[u8]) -> f32 {
    sum_f32(a, row, |x, y| (x - y) * (x - y))
}

fn norm2_f32(row: &[u8]) -> f32 {
    sum_squares(components(row))
}

fn dot_f16(a: &[f32], row: &[u8]) -> f32 {
    sum_f16(a, row, |x, y| x * y)
}

fn l2_f16(a: &[f32], row: &[u8]) -> f32 {
    sum_f16(a, row, |x, y| (x - y) * (x - y))
}

fn norm2_f16(row: &[u8]) -> f32 {
    sum_squares(halves(row))
}

fn dot_u8_i16(codes: &[u8], query: &WideQuery) -> i64 {
    let (high, low) = query.planes();
    let dot = |plane: &[i8]| -> i64 {
        codes.iter().zip(plane).map(|(&c, &q)| i64::from(i32::from(c) * i32::from(q))).sum()
    };
    256 * dot(high) + dot(low)
}

pub(crate) fn dot_u4_i8(row: &[u8], query: &[i8]) -> i32 {
    let blocks = row.as_chunks::<{ NIBBLES / 2 }>().0.iter().zip(query.as_chunks::<NIBBLES>().0);
    blocks
        .map(|(block, query)| -> i32 {
            let (low, high) = query.split_at(NIBBLES / 2);
            let of_byte = |(&byte, (&low, &high)): (&u8, (&i8, &i8))| {
                i32::from(byte & 15) * i32::from(low) + i32::from(byte >> 4) * i32::from(high)
            };
            block.iter().zip(low.iter().zip(high)).map(of_byte).sum()
        })
        .sum()
}

fn dot_u8_u8(a: &[u8], b: &[u8]) -> u32 {
    a.iter().zip(b).map(|(&a, &b)| u32::from(a) * u32::from(b)).sum()
}

fn sum_u8(a: &[u8]) -> u32 {
    a.iter().map(|&a| u32::from(a)).sum()
}

/// Sums `term` over the words of `a` and `b`, the last of which is filled up with zeros.
#[inline(always)]
fn sum_words(a: &[u8], b: &[u8], term: impl Fn(u64, u64) -> u32) -> u32 {
    let (a, a_tail) = a.as_chunks::<8>();
    let (b, b_tail) = b.as_chunks::<8>();
    let words = a.iter().zip(b).map(|(a, b)| term(u64::from_le_bytes(*a), u64::from_le_bytes(*b)));
    let tail = a_tail.iter().zip(b_tail).map(|(&a, &b)| term(u64::from(a), u64::from(b)));
    words.chain(tail).sum()
}

fn hamming(a: &[u8], b: &[u8]) -> u32 {
    sum_words(a, b, |a, b| (a ^ b).count_ones())
}

fn overlap(a: &[u8], b: &[u8]) -> [u32; 2] {
    [sum_words(a, b, |a, b| (a & b).count_ones()), sum_words(a, b, |a, b| (a | b).count_ones())]
}

fn hamming_panel(rows: &[u8], row_len: usize, panel: &BitPanel, out: &mut [u32], near: &mut [u8]) {
    crate::panel::hamming(rows, row_len, panel, out, near);
}

fn dot_f32_panel(rows: &[f32], panel: &[f32], out: &mut [f32]) {
    crate::panel::dot(rows, panel, out);
}

/// The function of all rows from that of one.
macro_rules! rows {
    ($($name:ident: $query:ty => $result:ty, |$q:ident, $row:ident| $one:expr;)+) => {
        $(fn $name(rows: Rows<'_>, $q: &$query, out: &mut [$result]) {
            rows.prefetch_first();
            for (j, out) in out.iter_mut().enumerate() {
                rows.prefetch_after(j, 1);
                let $row = rows.row(j);
                *out = $one;
            }
        })+
    };
}

rows! {
    dot_f32_rows: [f32] => f32, |query, row| dot_f32(query, row);
    l2_f32_rows: [f32] => f32, |query, row| l2_f32(query, row);
    dot_f16_rows: [f32] => f32, |query, row| dot_f16(query, row);
    l2_f16_rows: [f32] => f32, |query, row| l2_f16(query, row);
    dot_u8_i16_rows: WideQuery => i64, |query, row| dot_u8_i16(row, query);
    dot_u4_i8_rows: [i8] => i32, |query, row| dot_u4_i8(row, query);
    dot_u8_u8_rows: [u8] => u32, |query, row| dot_u8_u8(row, query);
    hamming_rows: [u8] => u32, |query, row| hamming(query, row);
    overlap_rows: [u8] => [u32; 2], |query, row| overlap(query, row);
}
