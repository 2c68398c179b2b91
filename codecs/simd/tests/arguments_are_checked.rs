//! A wrong argument panics at every level; it never reads outside a slice.
#![allow(missing_docs)]

use std::panic::{AssertUnwindSafe, catch_unwind};

use lucerne_simd::{
    BIT_PANEL, BitPanel, Kernels, MAX_U8_DIMS, MAX_WIDE, MAX_WIDE_DIMS, NibblePanel, PANEL, WideQuery,
    available_levels, prefetch,
};

#[track_caller]
fn panics(what: &str, call: impl Fn(&Kernels)) {
    for level in available_levels() {
        let kernels = Kernels::for_level(level).unwrap();
        let result = catch_unwind(AssertUnwindSafe(|| call(kernels)));
        assert!(result.is_err(), "{what} did not panic at {level}");
    }
}

#[test]
fn ids_out_of_bounds_panic() {
    // Three rows of four components, and three bytes more.
    let rows = [0u8; 51];
    for ids in [&[3][..], &[0, 1, 2, 3], &[u32::MAX], &[0, 0, 0, 0, 0, 0, 7, 0, 0]] {
        let n = ids.len();
        panics("dot_f32_many", |k| k.dot_f32_many(&rows, ids, &[0.0; 4], &mut vec![0.0; n]));
        panics("l2_f32_many", |k| k.l2_f32_many(&rows, ids, &[0.0; 4], &mut vec![0.0; n]));
        panics("dot_u8_i16_many", |k| {
            k.dot_u8_i16_many(&rows, 16, ids, &WideQuery::new(&[0; 16]), &mut vec![0; n])
        });
        panics("dot_u4_i8_many", |k| k.dot_u4_i8_many(&rows[..48], ids, &[0; 64], &mut vec![0; n]));
        panics("dot_u8_u8_many", |k| k.dot_u8_u8_many(&rows, 16, ids, &[0; 16], &mut vec![0; n]));
        panics("no rows", |k| k.dot_u8_i16_many(&[], 16, ids, &WideQuery::new(&[0; 16]), &mut vec![0; n]));
        panics("long rows", |k| {
            k.dot_u8_i16_many(&rows, usize::MAX, ids, &WideQuery::new(&[0; 16]), &mut vec![0; n])
        });
        panics("hamming_many", |k| k.hamming_many(&rows, 16, ids, &[0; 16], &mut vec![0; n]));
        panics("overlap_many", |k| k.overlap_many(&rows, 16, ids, &[0; 16], &mut vec![[0; 2]; n]));
    }
}

#[test]
fn the_last_row_is_in_bounds() {
    for level in available_levels() {
        let kernels = Kernels::for_level(level).unwrap();
        let mut out = [0; 1];
        kernels.dot_u8_i16_many(&[1; 51], 17, &[2], &WideQuery::new(&[1; 17]), &mut out);
        assert_eq!(out, [17]);
    }
}

#[test]
fn lengths_that_differ_panic() {
    panics("dot_f32", |k| _ = k.dot_f32(&[0.0; 3], &[0; 11]));
    panics("dot_f32", |k| _ = k.dot_f32(&[0.0; 3], &[0; 16]));
    panics("l2_f32", |k| _ = k.l2_f32(&[0.0; 3], &[0; 3]));
    panics("norm2_f32", |k| _ = k.norm2_f32(&[0; 7]));
    panics("dot_f64", |k| _ = k.dot_f64(&[0.0; 3], &[0.0; 2]));
    panics("round_i16", |k| _ = k.round_i16(&[0.0; 3], 127, &mut [0; 2]));
    panics("round_i16", |k| _ = k.round_i16(&[0.0; 3], 0, &mut [0; 3]));
    panics("select_bytes", |k| _ = k.select_bytes(&[1], &[0; 65], &mut [0; 128]));
    panics("select_bytes", |k| _ = k.select_bytes(&[1, 1], &[0; 65], &mut [0; 127]));
    panics("within", |k| k.within(&[0; 6], 3, 0, 1, &mut [0]));
    panics("within", |k| k.within(&[0; 3], 2, 0, 1, &mut [0]));
    panics("within", |k| k.within(&[0; 4], 2, 0, 1 << 16, &mut [0]));
    panics("within", |k| k.within(&[0; 4], 2, 2, 1, &mut [0]));
    panics("within", |k| k.within(&[0; 65], 1, 0, 1, &mut [0]));
    let lanes = [0.0; PANEL];
    panics("near_lanes", |k| k.near_lanes(&[lanes; 2], &lanes, &[0.0; 1], &mut [[0; 2]; 2]));
    panics("near_lanes", |k| k.near_lanes(&[lanes; 2], &lanes, &[0.0; 2], &mut [[0; 2]; 1]));
    panics("dot_u8_u8", |k| _ = k.dot_u8_u8(&[0; 3], &[0; 2]));
    panics("hamming", |k| _ = k.hamming(&[0; 3], &[0; 4]));
    panics("overlap", |k| _ = k.overlap(&[0; 3], &[0; 2]));
}

#[test]
fn results_that_do_not_fit_the_rows_panic() {
    let rows = [0u8; 64];
    panics("dot_f32_many", |k| k.dot_f32_many(&rows, &[0, 1], &[0.0; 4], &mut [0.0; 3]));
    panics("l2_f32_many", |k| k.l2_f32_many(&rows, &[0, 1], &[0.0; 4], &mut [0.0; 1]));
    panics("dot_u8_i16_many", |k| {
        k.dot_u8_i16_many(&rows, 4, &[0, 1], &WideQuery::new(&[0; 4]), &mut [0; 1])
    });
    panics("dot_u8_u8_many", |k| k.dot_u8_u8_many(&rows, 4, &[], &[0; 4], &mut [0; 1]));
    panics("dot_u4_i8_many", |k| k.dot_u4_i8_many(&rows, &[0, 1], &[0; 64], &mut [0; 1]));
    panics("no whole panel", |k| k.dot_f32_panel(&[0.0; 2], &[0.0; 2 * PANEL + 1], &mut [0.0; PANEL]));
    panics("rows of a panel", |k| k.dot_f32_panel(&[0.0; 3], &[0.0; 2 * PANEL], &mut [0.0; PANEL]));
    panics("no whole results", |k| k.dot_f32_panel(&[0.0; 2], &[0.0; 2 * PANEL], &mut [0.0; PANEL + 1]));
    let panel = BitPanel::new(&[&[0; 8]]);
    panics("rows of bits", |k| k.hamming_panel(&[0; 17], &panel, &mut [0; 2 * BIT_PANEL], &mut [0; 2]));
    panics("room for counts", |k| k.hamming_panel(&[0; 8], &panel, &mut [0; BIT_PANEL + 1], &mut [0; 1]));
    panics("queries of two lengths", |_| _ = BitPanel::new(&[&[0; 8], &[0; 9]]));
    panics("too many queries", |_| _ = BitPanel::new(&[&[0; 8][..]; BIT_PANEL + 1]));
    let panel = NibblePanel::new(&[&[0; 64]]);
    panics("an id of a panel", |k| k.dot_u4_i8_panel(&rows[..32], &[1], &panel, &mut [0; PANEL]));
    panics("room for products", |k| k.dot_u4_i8_panel(&rows[..32], &[0], &panel, &mut [0; PANEL - 1]));
    panics("queries of two lengths", |_| _ = NibblePanel::new(&[&[0; 64], &[0; 128]]));
    panics("no whole blocks of queries", |_| _ = NibblePanel::new(&[&[0; 32]]));
    panics("too many queries", |_| _ = NibblePanel::new(&[&[0; 64][..]; PANEL + 1]));
    panics("no whole blocks", |k| k.dot_u4_i8_many(&rows, &[0], &[0; 63], &mut [0; 1]));
    panics("short rows", |k| k.dot_u8_i16_many(&rows, 3, &[0], &WideQuery::new(&[0; 4]), &mut [0; 1]));
    panics("hamming_many", |k| k.hamming_many(&rows, 4, &[0, 1], &[0; 4], &mut [0; 1]));
    panics("overlap_many", |k| k.overlap_many(&rows, 4, &[0], &[0; 4], &mut [[0; 2]; 2]));
    panics("hamming_scan", |k| k.hamming_scan(&rows, &[0; 4], &mut [0; 15]));
    panics("overlap_scan", |k| k.overlap_scan(&rows, &[0; 4], &mut [[0; 2]; 17]));
    panics("short rows", |k| k.hamming_many(&rows, 3, &[0], &[0; 4], &mut [0; 1]));
    panics("short rows", |k| k.dot_u8_u8_many(&rows, 0, &[0], &[0; 4], &mut [0; 1]));
    panics("dot_f32_scan", |k| k.dot_f32_scan(&rows, &[0.0; 4], &mut [0.0; 3]));
    panics("l2_f32_scan", |k| k.l2_f32_scan(&rows, &[0.0; 4], &mut [0.0; 5]));
    panics("dot_u8_i16_scan", |k| k.dot_u8_i16_scan(&rows, &WideQuery::new(&[0; 4]), &mut [0; 15]));
    panics("dot_u8_i16_scan", |k| k.dot_u8_i16_scan(&rows, &WideQuery::new(&[]), &mut [0; 64]));
}

#[test]
fn codes_too_long_for_exact_sums_panic() {
    let codes = vec![0; MAX_U8_DIMS + 1];
    panics("dot_u8_u8", |k| _ = k.dot_u8_u8(&codes, &codes));
    panics("sum_u8", |k| _ = k.sum_u8(&codes));
    panics("hamming", |k| _ = k.hamming(&codes, &codes));
    panics("overlap", |k| _ = k.overlap(&codes, &codes));
}

#[test]
fn queries_whose_sums_would_not_fit_panic() {
    panics("too long", |_| _ = WideQuery::new(&vec![0; MAX_WIDE_DIMS + 1]));
    panics("too large", |_| _ = WideQuery::new(&[0, MAX_WIDE + 1]));
    panics("too small", |_| _ = WideQuery::new(&[-MAX_WIDE - 1]));
}

#[test]
fn prefetch_accepts_any_range() {
    let bytes = [0u8; 300];
    for (offset, len) in [(0, 300), (299, 1), (299, usize::MAX), (300, 1), (usize::MAX, 5), (7, 0)] {
        prefetch(&bytes, offset, len);
        prefetch::<u64>(&[], offset, len);
    }
}
