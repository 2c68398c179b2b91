//! What prepares a query, and what selects values, gives the same at every level.
#![allow(missing_docs)]

use lucerne_simd::{Kernels, MAX_WIDE, Rounded, available_levels};

fn levels() -> Vec<&'static Kernels> {
    available_levels().into_iter().map(|level| Kernels::for_level(level).unwrap()).collect()
}

/// Numbers from -2 to 2 in no order.
fn values(n: usize, shift: f32) -> Vec<f32> {
    (0..n).map(|at| 2.0 * ((at as f32 + shift) * 12.9898).sin()).collect()
}

#[test]
fn dot_products_in_double_precision_have_the_same_bits_at_every_level() {
    for n in [0, 1, 15, 16, 17, 100, 384, 1_025] {
        let (x, y) = (values(n, 0.0), values(n, 0.5));
        let all: Vec<u64> = levels().into_iter().map(|kernels| kernels.dot_f64(&x, &y).to_bits()).collect();
        assert!(all.iter().all(|other| *other == all[0]), "{n} components");
        let expected: f64 = x.iter().zip(&y).map(|(&x, &y)| f64::from(x) * f64::from(y)).sum();
        assert!((f64::from_bits(all[0]) - expected).abs() <= 1e-12 * n as f64, "{n} components");
    }
}

#[test]
fn rounding_gives_the_nearest_integers_at_every_level() {
    for n in [0, 1, 7, 16, 33, 384, 1_025] {
        for scale in [1.0, 1e-38, 1e37, 0.0] {
            let mut values = values(n, 0.25);
            values.iter_mut().for_each(|value| *value *= scale);
            for largest in [127, MAX_WIDE] {
                let most = values.iter().fold(0f32, |most, value| most.max(value.abs()));
                let step = (f64::from(most) / f64::from(largest)).max(1e-300);
                let nearest = |&value: &f32| (f64::from(value) / step).round_ties_even() as i64;
                let expected: Vec<i64> = values.iter().map(nearest).collect();
                for kernels in levels() {
                    let mut integers = vec![0; n];
                    let rounded = kernels.round_i16(&values, largest, &mut integers);
                    // A product with 1 / step may come to the other side of a half.
                    let near = |(&got, &expected): (&i16, &i64)| (i64::from(got) - expected).abs() <= 1;
                    assert!(integers.iter().zip(&expected).all(near), "{n} values, {}", kernels.level());
                    let sum = integers.iter().map(|&integer| i64::from(integer)).sum();
                    let squares = integers.iter().map(|&integer| i64::from(integer).pow(2)).sum();
                    assert_eq!(rounded, Rounded { step, sum, squares }, "{n} values, {}", kernels.level());
                }
            }
        }
    }
}

#[test]
fn bytes_are_selected_by_bits_at_every_level() {
    for n in [0usize, 1, 63, 64, 65, 100, 128, 1_000, 1_024] {
        let bytes: Vec<u8> = (0..n).map(|at| (at * 7 + at / 256) as u8).collect();
        let sparse = |at: u64| at.wrapping_mul(0x9E37_79B9_7F4A_7C15);
        for kind in 0..4 {
            let word = |at| match kind {
                0 => 0,
                1 => u64::MAX,
                2 => sparse(at),
                _ => sparse(at) & sparse(at + 99) & sparse(at + 999),
            };
            let words: Vec<u64> = (1..).take(n.div_ceil(64)).map(word).collect();
            let is_chosen = |(at, _): &(usize, &u8)| words[at / 64] >> (at % 64) & 1 == 1;
            let expected: Vec<u8> =
                bytes.iter().enumerate().filter(is_chosen).map(|(_, byte)| *byte).collect();
            for kernels in levels() {
                let mut out = vec![0xEE; 64 * words.len()];
                let len = kernels.select_bytes(&words, &bytes, &mut out);
                assert_eq!(out[..len], expected, "{n} bytes, {}", kernels.level());
            }
        }
    }
}

#[test]
fn numbers_in_a_range_are_marked_at_every_level() {
    for (width, n) in
        [1, 2, 4].into_iter().flat_map(|width| [0, 1, 63, 64, 65, 200, 1_024].map(|n| (width, n)))
    {
        let greatest = u32::MAX >> (32 - 8 * width);
        let numbers: Vec<u32> = (0..n).map(|at: u32| at.wrapping_mul(0x9E37_79B9) & greatest).collect();
        let bytes: Vec<u8> =
            numbers.iter().flat_map(|number| number.to_le_bytes().into_iter().take(width)).collect();
        for (low, high) in [(0, greatest), (greatest / 3, greatest / 2), (greatest, greatest), (0, 0)] {
            for kernels in levels() {
                let mut out = vec![u64::MAX; numbers.len().div_ceil(64)];
                kernels.within(&bytes, width, low, high, &mut out);
                for at in 0..64 * out.len() {
                    let expected = numbers.get(at).is_some_and(|number| (low..=high).contains(number));
                    let bit = out[at / 64] >> (at % 64) & 1 == 1;
                    assert_eq!(bit, expected, "{n} numbers of {width} bytes, {}", kernels.level());
                }
            }
        }
    }
}
