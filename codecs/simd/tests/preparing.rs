//! What prepares a query gives the same at every level.
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
