//! The `f16` functions give the bits of the `f32` functions for the widened row, at every level, for every half there is.
#![allow(missing_docs)]

use lucerne_simd::{Kernels, Level, available_levels};

fn levels() -> impl Iterator<Item = &'static Kernels> {
    available_levels().into_iter().filter_map(Kernels::for_level)
}

/// The number that a half stands for, written out.
fn number(half: u16) -> f32 {
    let (exponent, mantissa) = (i32::from(half >> 10 & 31), f32::from(half & 0x3ff));
    let magnitude = match exponent {
        0 => mantissa * 2f32.powi(-24),
        31 if mantissa == 0.0 => f32::INFINITY,
        31 => f32::NAN,
        _ => (1024.0 + mantissa) * 2f32.powi(exponent - 25),
    };
    if half & 0x8000 == 0 { magnitude } else { -magnitude }
}

fn f16_row(halves: &[u16]) -> Vec<u8> {
    halves.iter().flat_map(|half| half.to_le_bytes()).collect()
}

fn f32_row(halves: &[u16]) -> Vec<u8> {
    halves.iter().flat_map(|&half| number(half).to_le_bytes()).collect()
}

/// Reproducible finite halves, of all magnitudes.
fn halves(count: usize, seed: u64) -> Vec<u16> {
    let mut state = seed | 1;
    let mut next = move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 40) as u16
    };
    (0..count)
        .map(|_| next())
        .map(|half| if half & 0x7c00 == 0x7c00 { half & !0x4000 } else { half })
        .collect()
}

fn query(count: usize) -> Vec<f32> {
    (0..count).map(|i| (i as f32 * 0.37).sin() * 3.0).collect()
}

#[test]
fn every_half_is_the_number_that_it_stands_for() {
    for kernels in levels() {
        for half in 0..=u16::MAX {
            let dot = kernels.dot_f16(&[1.0], &half.to_le_bytes());
            let (expected, level) = (number(half), kernels.level());
            // A sum that begins with 0 has no -0.
            assert!(dot == expected || dot.is_nan() && expected.is_nan(), "{level} {half:#06x}: {dot}");
        }
    }
}

#[test]
fn boundary_values_are_kept() {
    let known = [
        (0x7bff, 65_504.0),
        (0x0001, 2f32.powi(-24)),
        (0x03ff, 1023.0 * 2f32.powi(-24)),
        (0x0400, 2f32.powi(-14)),
        (0x3c00, 1.0),
        (0xbc01, -1.0 - 2f32.powi(-10)),
    ];
    for kernels in levels() {
        for (half, expected) in known {
            for n in [1, 3, 16, 33] {
                let row = f16_row(&vec![half; n]);
                let expected = (0..n).map(|_| f64::from(expected)).sum::<f64>() as f32;
                assert_eq!(kernels.dot_f16(&vec![1.0; n], &row), expected, "{} {half:#06x}", kernels.level());
            }
        }
    }
}

#[test]
fn results_are_those_of_the_widened_rows_for_every_tail_and_alignment() {
    for n in (0..=130).chain([255, 256, 384, 513, 768, 1000, 1536, 4095, 4096]) {
        let (query, count) = (query(n), 1 + n % 7);
        let all = halves(n * count, n as u64 + 7);
        let wide = f32_row(&all);
        let ids: Vec<u32> = (0..count as u32).rev().chain([0]).collect();
        for kernels in levels() {
            for offset in 0..=3 {
                // Around the rows bytes that would show.
                let mut rows = vec![0x7b; offset];
                rows.extend(f16_row(&all));
                rows.extend([0x7b; 64]);
                let rows = &rows[offset..][..2 * n * count];
                type One = fn(&Kernels, &[f32], &[u8]) -> f32;
                type Many = fn(&Kernels, &[u8], &[u32], &[f32], &mut [f32]);
                type Scan = fn(&Kernels, &[u8], &[f32], &mut [f32]);
                let forms: [(One, One, Many, Scan); 2] = [
                    (Kernels::dot_f16, Kernels::dot_f32, Kernels::dot_f16_many, Kernels::dot_f16_scan),
                    (Kernels::l2_f16, Kernels::l2_f32, Kernels::l2_f16_many, Kernels::l2_f16_scan),
                ];
                let row = |id: usize| (&rows[2 * n * id..][..2 * n], &wide[4 * n * id..][..4 * n]);
                for (half, single, many, scan) in forms {
                    let what = format!("{} n={n} offset={offset}", kernels.level());
                    let bits = |out: &[f32]| out.iter().map(|x| x.to_bits()).collect::<Vec<_>>();
                    let expect: Vec<f32> = (0..count).map(|id| single(kernels, &query, row(id).1)).collect();
                    let ones: Vec<f32> = (0..count).map(|id| half(kernels, &query, row(id).0)).collect();
                    assert_eq!(bits(&ones), bits(&expect), "one {what}");
                    let mut out = vec![f32::NAN; count];
                    scan(kernels, rows, &query, &mut out);
                    assert_eq!(bits(&out), bits(&expect), "scan {what}");
                    let mut out = vec![f32::NAN; ids.len()];
                    many(kernels, rows, &ids, &query, &mut out);
                    let expect: Vec<f32> = ids.iter().map(|&id| expect[id as usize]).collect();
                    assert_eq!(bits(&out), bits(&expect), "many {what}");
                }
                for id in 0..count {
                    let (half, single) = row(id);
                    let (half, single) = (kernels.norm2_f16(half), kernels.norm2_f32(single));
                    assert_eq!(half.to_bits(), single.to_bits(), "norm2 {} n={n}", kernels.level());
                }
            }
        }
    }
}

#[test]
fn levels_agree_within_their_bound() {
    let scalar = Kernels::for_level(Level::Scalar).unwrap();
    for n in [1, 15, 16, 17, 384, 4096] {
        let (query, row) = (query(n), f16_row(&halves(n, 3)));
        let size: f64 = halves(n, 3).iter().map(|&half| f64::from(number(half)).abs() * 3.0).sum();
        for kernels in levels() {
            let error = f64::from(kernels.dot_f16(&query, &row)) - f64::from(scalar.dot_f16(&query, &row));
            assert!(
                error.abs() <= 2.0 * (n as f64 + 3.0) * 2f64.powi(-24) * size,
                "{} n={n}",
                kernels.level()
            );
        }
    }
}

#[test]
fn wrong_arguments_panic_at_every_level() {
    type Call = fn(&Kernels);
    let calls: [(&str, Call); 8] = [
        ("dot_f16", |k| _ = k.dot_f16(&[0.0; 3], &[0; 12])),
        ("l2_f16", |k| _ = k.l2_f16(&[0.0; 3], &[0; 5])),
        ("norm2_f16", |k| _ = k.norm2_f16(&[0; 7])),
        ("dot_f16_many", |k| k.dot_f16_many(&[0; 25], &[3], &[0.0; 4], &mut [0.0])),
        ("l2_f16_many", |k| k.l2_f16_many(&[0; 25], &[u32::MAX], &[0.0; 4], &mut [0.0])),
        ("too few results", |k| k.dot_f16_many(&[0; 24], &[0, 1], &[0.0; 4], &mut [0.0])),
        ("dot_f16_scan", |k| k.dot_f16_scan(&[0; 24], &[0.0; 4], &mut [0.0; 2])),
        ("l2_f16_scan", |k| k.l2_f16_scan(&[0; 24], &[0.0; 4], &mut [0.0; 4])),
    ];
    for kernels in levels() {
        for (what, call) in calls {
            let result = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| call(kernels)));
            assert!(result.is_err(), "{what} did not panic at {}", kernels.level());
        }
        let mut out = [1.0];
        kernels.dot_f16_many(&[0; 25], &[2], &[1.0; 4], &mut out);
        assert_eq!(out, [0.0]);
    }
}
