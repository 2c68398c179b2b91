//! Every level this CPU has computes what the specification says: the integer functions exactly,
//! the `f32` functions within the stated bound; and the `many` and `scan` forms give the bits of
//! the one-to-one form.
#![allow(missing_docs)]

use lucerne_simd::{
    Kernels, Level, MAX_U8_DIMS, MAX_WIDE, MAX_WIDE_DIMS, NIBBLES, PANEL, WideQuery, available_levels,
};
use proptest::prelude::*;
use proptest::test_runner::RngSeed;

/// Every tail of every register width, and the shapes in use.
fn lengths() -> impl Iterator<Item = usize> {
    (0..=130).chain([255, 256, 384, 513, 768, 784, 1000, 1536, 4095, 4096])
}

fn levels() -> Vec<&'static Kernels> {
    available_levels().into_iter().map(|level| Kernels::for_level(level).unwrap()).collect()
}

struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 16
    }

    fn u8s(&mut self, n: usize) -> Vec<u8> {
        (0..n).map(|_| self.next() as u8).collect()
    }

    fn i16s(&mut self, n: usize) -> Vec<i16> {
        let wide = i64::from(MAX_WIDE);
        (0..n).map(|_| (self.next() as i64 % (wide + 1)) as i16 * [1, -1][self.next() as usize % 2]).collect()
    }

    fn f32s(&mut self, n: usize) -> Vec<f32> {
        (0..n).map(|_| (self.next() & 0xff_ffff) as f32 / 8_388_608.0 - 1.0).collect()
    }
}

fn bytes(components: &[f32]) -> Vec<u8> {
    components.iter().flat_map(|x| x.to_le_bytes()).collect()
}

/// `row` at an offset from the allocation's start, so that no alignment may be assumed; filled
/// around with bytes that would show in the result.
fn shifted(row: &[u8], offset: usize) -> Vec<u8> {
    let mut out = vec![0xa5; offset];
    out.extend_from_slice(row);
    out.extend_from_slice(&[0xa5; 64]);
    out
}

// ---- integers, written out in 64 bits ----

fn exact_dot_i16(a: &[u8], b: &[i16]) -> i64 {
    a.iter().zip(b).map(|(&a, &b)| i64::from(a) * i64::from(b)).sum()
}

fn exact_dot_u8(a: &[u8], b: &[u8]) -> u64 {
    a.iter().zip(b).map(|(&a, &b)| u64::from(a) * u64::from(b)).sum()
}

fn exact_ones(a: &[u8], b: &[u8], of: impl Fn(u8, u8) -> u8) -> u32 {
    a.iter().zip(b).map(|(&a, &b)| (0..8).filter(|bit| of(a, b) >> bit & 1 == 1).count() as u32).sum()
}

#[track_caller]
fn check_codes(kernels: &Kernels, a: &[u8], b: &[u8]) {
    let (n, level) = (a.len(), kernels.level());
    assert_eq!(u64::from(kernels.dot_u8_u8(a, b)), exact_dot_u8(a, b), "dot_u8_u8 {level} n={n}");
    let sum: u64 = a.iter().map(|&x| u64::from(x)).sum();
    assert_eq!(u64::from(kernels.sum_u8(a)), sum, "sum_u8 {level} n={n}");
    assert_eq!(kernels.hamming(a, b), exact_ones(a, b, |a, b| a ^ b), "hamming {level} n={n}");
    let overlap = [exact_ones(a, b, |a, b| a & b), exact_ones(a, b, |a, b| a | b)];
    assert_eq!(kernels.overlap(a, b), overlap, "overlap {level} n={n}");
}

#[test]
fn integer_functions_are_exact_for_every_tail_and_alignment() {
    let mut random = Random(1);
    for n in lengths() {
        let (a, b) = (random.u8s(n), random.u8s(n));
        for kernels in levels() {
            for offset in 0..=3 {
                let (a, b) = (shifted(&a, offset), shifted(&b, 3 - offset));
                check_codes(kernels, &a[offset..][..n], &b[3 - offset..][..n]);
            }
        }
    }
}

#[test]
fn integer_functions_are_exact_at_the_extremes() {
    for n in lengths().chain([65_535, MAX_U8_DIMS]) {
        for kernels in levels() {
            for (a, b) in [(0, 0), (0, 255), (255, 0), (255, 255), (128, 127)] {
                check_codes(kernels, &vec![a; n], &vec![b; n]);
            }
        }
    }
}

#[test]
fn products_with_wide_queries_are_exact_for_every_tail() {
    let mut random = Random(7);
    for n in lengths().filter(|&n| n > 0) {
        let (rows, query) = (random.u8s(n * 9), random.i16s(n));
        let expect: Vec<i64> = rows.chunks(n).map(|row| exact_dot_i16(row, &query)).collect();
        for kernels in levels() {
            let mut out = vec![0; 9];
            kernels.dot_u8_i16_scan(&rows, &WideQuery::new(&query), &mut out);
            assert_eq!(out, expect, "{} n={n}", kernels.level());
        }
    }
}

#[test]
fn products_with_wide_queries_are_exact_at_the_extremes() {
    for n in [1, 31, 32, 33, 2_048, 2_049, MAX_WIDE_DIMS - 1, MAX_WIDE_DIMS] {
        for (code, q) in [(255, MAX_WIDE), (255, -MAX_WIDE), (0, MAX_WIDE), (255, 128), (1, -129), (255, -1)]
        {
            let (row, query) = (vec![code; n], vec![q; n]);
            for kernels in levels() {
                let mut out = [0];
                kernels.dot_u8_i16_scan(&row, &WideQuery::new(&query), &mut out);
                assert_eq!(out, [exact_dot_i16(&row, &query)], "{} n={n} {code} {q}", kernels.level());
            }
        }
    }
}

#[test]
fn products_with_a_panel_are_those_with_each_query() {
    let mut random = Random(9);
    for n in [0, 1, 2, 7, 16, 100, 384] {
        for count in [0, 1, 5, 6, 11, 12, 13, 25, 40] {
            let mut floats = |count: usize| -> Vec<f32> {
                random.u8s(count).iter().map(|&byte| f32::from(byte) / 37.0 - 3.0).collect()
            };
            let (rows, queries) = (floats(n * count), floats(n * PANEL));
            let panel: Vec<f32> =
                (0..n).flat_map(|i| queries.iter().skip(i).step_by(n).copied().collect::<Vec<_>>()).collect();
            for kernels in levels() {
                let mut out = vec![f32::NAN; count * PANEL];
                kernels.dot_f32_panel(&rows, &panel, &mut out);
                for (at, &found) in out.iter().enumerate() {
                    let pairs = (0..n).map(|i| (rows[at / PANEL * n + i], queries[at % PANEL * n + i]));
                    let products = pairs.map(|(x, q)| f64::from(x) * f64::from(q));
                    let (sum, magnitudes) =
                        products.fold((0.0, 0.0), |(sum, all), it| (sum + it, all + it.abs()));
                    let bound = (n + 3) as f64 * 2f64.powi(-24) * magnitudes;
                    assert!((f64::from(found) - sum).abs() <= bound, "{} n={n} at {at}", kernels.level());
                }
            }
        }
    }
}

#[test]
fn products_with_codes_of_4_bits_are_exact() {
    let mut random = Random(8);
    for blocks in (0..=9).chain([64, MAX_U8_DIMS / NIBBLES]) {
        let (n, count) = (blocks * NIBBLES, 1 + blocks % 11);
        let extreme = |code: u8, q: i8| (vec![code | code << 4; n / 2 * count], vec![q; n]);
        let any = (random.u8s(n / 2 * count), random.u8s(n).iter().map(|&q| q as i8).collect());
        for (rows, query) in [any, extreme(15, 127), extreme(15, -128), extreme(0, -1)] {
            let ids: Vec<u32> = (0..count as u32).rev().chain([0]).collect();
            let expect: Vec<i64> =
                ids.iter().map(|&id| nibbles(&rows[id as usize * n / 2..][..n / 2], &query)).collect();
            for kernels in levels() {
                let mut out = vec![0; ids.len()];
                kernels.dot_u4_i8_many(&rows, &ids, &query, &mut out);
                let out: Vec<i64> = out.into_iter().map(i64::from).collect();
                assert_eq!(out, expect, "{} n={n}", kernels.level());
            }
        }
    }
}

fn nibbles(row: &[u8], query: &[i8]) -> i64 {
    let code = |i: usize| {
        let byte = row[i / 64 * 32 + i % 32];
        if i % 64 < 32 { byte & 15 } else { byte >> 4 }
    };
    query.iter().enumerate().map(|(i, &q)| i64::from(code(i)) * i64::from(q)).sum()
}

// ---- f32, against sums in 64 bits ----

/// Which sum of terms.
#[derive(Debug, Clone, Copy)]
enum Form {
    Dot,
    L2,
    Norm2,
}

/// The sum in 64 bits, and the bound that the crate's text states.
fn exact_f32(form: Form, a: &[f32], b: &[f32]) -> (f64, f64) {
    let term = |(&a, &b): (&f32, &f32)| {
        let (a, b) = (f64::from(a), f64::from(b));
        match form {
            Form::Dot => a * b,
            Form::L2 => (a - b) * (a - b),
            Form::Norm2 => b * b,
        }
    };
    let terms: Vec<f64> = a.iter().zip(b).map(term).collect();
    let n = terms.len() as f64;
    let size: f64 = terms.iter().map(|t| t.abs()).sum();
    (terms.iter().sum(), (n + 3.0) * 2f64.powi(-24) * size + n * 2f64.powi(-149))
}

fn run(kernels: &Kernels, form: Form, a: &[f32], row: &[u8]) -> f32 {
    match form {
        Form::Dot => kernels.dot_f32(a, row),
        Form::L2 => kernels.l2_f32(a, row),
        Form::Norm2 => kernels.norm2_f32(row),
    }
}

#[track_caller]
fn check_f32(kernels: &Kernels, a: &[f32], b: &[f32]) {
    let n = a.len();
    for form in [Form::Dot, Form::L2, Form::Norm2] {
        let (exact, bound) = exact_f32(form, a, b);
        let mut seen = None;
        for offset in 0..=3 {
            let got = run(kernels, form, a, &shifted(&bytes(b), offset)[offset..][..4 * n]);
            let error = (f64::from(got) - exact).abs();
            let level = kernels.level();
            assert!(error <= bound, "{form:?} {level} n={n}: {got} is not {exact} within {bound:e}");
            let first = *seen.get_or_insert(got.to_bits());
            assert_eq!(got.to_bits(), first, "{form:?} {level} n={n}: alignment shows in the result");
        }
    }
}

#[test]
fn f32_functions_keep_their_bound_for_every_tail_and_alignment() {
    let mut random = Random(2);
    for n in lengths() {
        let (a, b) = (random.f32s(n), random.f32s(n));
        for kernels in levels() {
            check_f32(kernels, &a, &b);
        }
    }
}

#[test]
fn f32_functions_keep_their_bound_at_the_extremes() {
    let mut random = Random(3);
    let scales = [0.0, -0.0, 1e-45, -1e-45, f32::MIN_POSITIVE, 1e-30, 1e-19, 1e17, -1e17];
    for n in lengths().filter(|&n| n < 1000) {
        for a in scales {
            for b in [a, 1.0, -0.0, 1e-40] {
                let a: Vec<f32> = random.f32s(n).iter().map(|x| x * a).collect();
                let b: Vec<f32> = random.f32s(n).iter().map(|x| x * b).collect();
                for kernels in levels() {
                    check_f32(kernels, &a, &b);
                }
            }
        }
    }
}

#[test]
fn infinities_and_nan_reach_the_result() {
    for n in [1, 3, 15, 16, 17, 64, 100] {
        for at in 0..n {
            for kernels in levels() {
                let mut b = vec![1.0; n];
                b[at] = f32::INFINITY;
                assert_eq!(kernels.dot_f32(&vec![1.0; n], &bytes(&b)), f32::INFINITY);
                assert_eq!(kernels.norm2_f32(&bytes(&b)), f32::INFINITY);
                assert_eq!(kernels.l2_f32(&vec![1.0; n], &bytes(&b)), f32::INFINITY);
                b[at] = f32::NAN;
                assert!(kernels.dot_f32(&vec![1.0; n], &bytes(&b)).is_nan());
                assert!(kernels.l2_f32(&vec![1.0; n], &bytes(&b)).is_nan());
                b[at] = f32::MAX;
                assert_eq!(kernels.norm2_f32(&bytes(&b)), f32::INFINITY);
            }
        }
    }
}

#[test]
fn vectors_without_components_give_zero() {
    for kernels in levels() {
        check_codes(kernels, &[], &[]);
        assert_eq!(kernels.dot_f32(&[], &[]).to_bits(), 0);
        assert_eq!(kernels.l2_f32(&[], &[]).to_bits(), 0);
        assert_eq!(kernels.norm2_f32(&[]).to_bits(), 0);
        let (mut floats, mut signed, mut codes) = ([1.0; 3], [1; 3], [1; 3]);
        kernels.dot_f32_many(&[], &[0, 1, 9], &[], &mut floats);
        assert_eq!(floats, [0.0; 3]);
        kernels.dot_u8_i16_many(&[], 0, &[0, 1, 9], &WideQuery::new(&[]), &mut signed);
        assert_eq!(signed, [0; 3]);
        kernels.dot_u8_u8_many(&[7; 20], 2, &[0, 1, 9], &[], &mut codes);
        assert_eq!(codes, [0; 3]);
        kernels.hamming_many(&[7; 20], 2, &[0, 1, 9], &[], &mut codes);
        assert_eq!(codes, [0; 3]);
        kernels.l2_f32_scan(&[], &[], &mut floats);
        assert_eq!(floats, [0.0; 3]);
    }
}

#[test]
fn norm2_has_the_bits_of_the_dot_product_with_itself() {
    let mut random = Random(4);
    for n in lengths() {
        let a = random.f32s(n);
        for kernels in levels() {
            let dot = kernels.dot_f32(&a, &bytes(&a));
            assert_eq!(kernels.norm2_f32(&bytes(&a)).to_bits(), dot.to_bits(), "n={n}");
        }
    }
}

// ---- one-to-many ----

/// Compares every `many` and `scan` form with one-to-one calls, for ids in any order.
fn check_many(kernels: &Kernels, n: usize, rows: usize, ids: &[u32], random: &mut Random) {
    let level = kernels.level();
    let (q, qi, qu) = (random.f32s(n), random.i16s(n), random.u8s(n));
    let wide = WideQuery::new(&qi);

    let matrix = shifted(&bytes(&random.f32s(n * rows)), 1);
    let matrix = &matrix[1..][..4 * n * rows];
    let row = |i: usize| &matrix[4 * n * i..][..4 * n];
    let all: Vec<u32> = (0..rows as u32).collect();
    type One = fn(&Kernels, &[f32], &[u8]) -> f32;
    type Many = fn(&Kernels, &[u8], &[u32], &[f32], &mut [f32]);
    type Scan = fn(&Kernels, &[u8], &[f32], &mut [f32]);
    let forms: [(One, Many, Scan); 2] = [
        (Kernels::dot_f32, Kernels::dot_f32_many, Kernels::dot_f32_scan),
        (Kernels::l2_f32, Kernels::l2_f32_many, Kernels::l2_f32_scan),
    ];
    for (one, many, scan) in forms {
        let expect = |ids: &[u32]| -> Vec<u32> {
            ids.iter().map(|&id| one(kernels, &q, row(id as usize)).to_bits()).collect()
        };
        let bits = |out: &[f32]| -> Vec<u32> { out.iter().map(|x| x.to_bits()).collect() };
        let mut out = vec![f32::NAN; ids.len()];
        many(kernels, matrix, ids, &q, &mut out);
        assert_eq!(bits(&out), expect(ids), "many {level} n={n} {ids:?}");
        let mut out = vec![f32::NAN; rows];
        scan(kernels, matrix, &q, &mut out);
        assert_eq!(bits(&out), expect(&all), "scan {level} n={n}");
    }

    // Codes, with and without bytes between the rows.
    for gap in [0, 5] {
        let stride = n + gap;
        let matrix = random.u8s(stride * rows);
        let row = |id: &u32| &matrix[stride * *id as usize..][..n];
        let mut out = vec![0; ids.len()];
        kernels.dot_u8_i16_many(&matrix, stride, ids, &wide, &mut out);
        let expect: Vec<i64> = ids.iter().map(|id| exact_dot_i16(row(id), &qi)).collect();
        assert_eq!(out, expect, "dot_u8_i16_many {level} n={n} gap={gap} {ids:?}");
        let mut out = vec![0; ids.len()];
        kernels.dot_u8_u8_many(&matrix, stride, ids, &qu, &mut out);
        let expect: Vec<u32> = ids.iter().map(|id| kernels.dot_u8_u8(row(id), &qu)).collect();
        assert_eq!(out, expect, "dot_u8_u8_many {level} n={n} gap={gap} {ids:?}");
        let mut out = vec![0; ids.len()];
        kernels.hamming_many(&matrix, stride, ids, &qu, &mut out);
        let expect: Vec<u32> = ids.iter().map(|id| kernels.hamming(row(id), &qu)).collect();
        assert_eq!(out, expect, "hamming_many {level} n={n} gap={gap} {ids:?}");
        let mut out = vec![[0; 2]; ids.len()];
        kernels.overlap_many(&matrix, stride, ids, &qu, &mut out);
        let expect: Vec<[u32; 2]> = ids.iter().map(|id| kernels.overlap(row(id), &qu)).collect();
        assert_eq!(out, expect, "overlap_many {level} n={n} gap={gap} {ids:?}");
        if gap == 0 {
            let mut out = vec![0; rows];
            kernels.dot_u8_i16_scan(&matrix, &wide, &mut out);
            let expect: Vec<i64> = all.iter().map(|id| exact_dot_i16(row(id), &qi)).collect();
            assert_eq!(out, expect, "dot_u8_i16_scan {level} n={n}");
            let mut out = vec![0; rows];
            kernels.hamming_scan(&matrix, &qu, &mut out);
            let expect: Vec<u32> = all.iter().map(|id| kernels.hamming(row(id), &qu)).collect();
            assert_eq!(out, expect, "hamming_scan {level} n={n}");
            let mut out = vec![[0; 2]; rows];
            kernels.overlap_scan(&matrix, &qu, &mut out);
            let expect: Vec<[u32; 2]> = all.iter().map(|id| kernels.overlap(row(id), &qu)).collect();
            assert_eq!(out, expect, "overlap_scan {level} n={n}");
        }
    }
}

#[test]
fn many_and_scan_give_the_bits_of_one_to_one_for_every_tail() {
    let mut random = Random(5);
    for n in lengths().filter(|&n| n > 0) {
        let rows = 1 + (random.next() % 13) as usize;
        let ids: Vec<u32> = (0..n % 23).map(|_| (random.next() % rows as u64) as u32).collect();
        for kernels in levels() {
            check_many(kernels, n, rows, &ids, &mut random);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 64,
        failure_persistence: None,
        rng_seed: RngSeed::Fixed(6),
        ..ProptestConfig::default()
    })]

    #[test]
    fn many_and_scan_give_the_bits_of_one_to_one_for_random_shapes(
        n in 1usize..600,
        rows in 1usize..40,
        picks in prop::collection::vec(any::<prop::sample::Index>(), 0..70),
        seed in 1u64..,
    ) {
        let ids: Vec<u32> = picks.iter().map(|pick| pick.index(rows) as u32).collect();
        for kernels in levels() {
            check_many(kernels, n, rows, &ids, &mut Random(seed));
        }
    }

    #[test]
    fn integer_functions_are_exact_for_random_rows(
        rows in prop::collection::vec((any::<u8>(), any::<u8>()), 0..2000),
    ) {
        let a: Vec<u8> = rows.iter().map(|row| row.0).collect();
        let b: Vec<u8> = rows.iter().map(|row| row.1).collect();
        for kernels in levels() {
            check_codes(kernels, &a, &b);
        }
    }
}

// ---- dispatch ----

#[test]
fn the_level_in_use_is_the_last_available_one() {
    let levels = available_levels();
    assert_eq!(levels[0], Level::Scalar);
    assert_eq!(levels.last(), Some(&lucerne_simd::level()));
    for level in [Level::Scalar, Level::Avx2, Level::Avx512, Level::Neon] {
        let kernels = Kernels::for_level(level);
        assert_eq!(kernels.is_some(), levels.contains(&level), "{level}");
        assert!(kernels.is_none_or(|kernels| kernels.level() == level));
    }
}

#[test]
fn free_functions_use_the_best_kernels() {
    let mut random = Random(7);
    let (a, b) = (random.f32s(77), random.u8s(77));
    let row = bytes(&random.f32s(77));
    let best = Kernels::best();
    assert_eq!(lucerne_simd::dot_f32(&a, &row).to_bits(), best.dot_f32(&a, &row).to_bits());
    assert_eq!(lucerne_simd::l2_f32(&a, &row).to_bits(), best.l2_f32(&a, &row).to_bits());
    assert_eq!(lucerne_simd::norm2_f32(&row).to_bits(), best.norm2_f32(&row).to_bits());
    assert_eq!(lucerne_simd::dot_u8_u8(&b, &b), best.dot_u8_u8(&b, &b));
    assert_eq!(lucerne_simd::sum_u8(&b), best.sum_u8(&b));
    assert_eq!(lucerne_simd::hamming(&b, &row[..77]), best.hamming(&b, &row[..77]));
    assert_eq!(lucerne_simd::overlap(&b, &row[..77]), best.overlap(&b, &row[..77]));
    let mut out = [0.0; 2];
    lucerne_simd::dot_f32_many(&row, &[0, 0], &a, &mut out);
    assert_eq!(out, [best.dot_f32(&a, &row); 2]);
}

// ---- the Walsh–Hadamard transform ----

#[test]
fn hadamard_gives_the_same_bits_at_every_level_and_is_a_rotation() {
    let mut random = Random(7);
    for power in 0..=12 {
        let n = 1usize << power;
        let transform = |kernels: &Kernels, values: &[f32]| {
            let (mut values, mut scratch) = (values.to_vec(), vec![f32::NAN; n]);
            kernels.hadamard(&mut values, &mut scratch);
            values
        };
        let (x, y) = (random.f32s(n), random.f32s(n));
        let all: Vec<Vec<f32>> = levels().into_iter().map(|kernels| transform(kernels, &x)).collect();
        assert!(all.iter().all(|other| *other == all[0]), "{n} values");
        // Inner products stay but for the factor n; one value goes to all places alike.
        let dot = |a: &[f32], b: &[f32]| -> f64 {
            a.iter().zip(b).map(|(&a, &b)| f64::from(a) * f64::from(b)).sum()
        };
        let (before, after) = (dot(&x, &y), dot(&all[0], &transform(levels()[0], &y)) / n as f64);
        assert!((before - after).abs() <= 1e-5 * (n as f64).sqrt(), "{n} values: {before} {after}");
        let mut one = vec![0.0; n];
        one[n / 2] = 1.0;
        assert!(transform(levels()[0], &one).iter().all(|value| value.abs() == 1.0));
    }
}
