//! Nanoseconds per distance, at every level this CPU has.
//!
//! `cargo bench -p lucerne-simd --bench kernels [-- LEVEL [DIM]]`. "near" is 64 rows, in cache; "far" is
//! random rows of a 512 MB matrix, out of cache. "one" is a call for each row, "many" is
//! a call for 32 rows, "scan" is the whole matrix in order. Best of five.
#![allow(clippy::print_stdout, missing_docs)]

use std::hint::black_box;
use std::time::Instant;

use lucerne_simd::{BIT_PANEL, BitPanel, Kernels, NIBBLES, NibblePanel, PANEL, WideQuery, available_levels};

const FAR_BYTES: usize = 512 << 20;
const NEAR_ROWS: usize = 64;
const BATCH: usize = 32;

fn next(state: &mut u64) -> u64 {
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    *state
}

fn best_ns(distances: usize, mut run: impl FnMut()) -> f64 {
    let once = |run: &mut dyn FnMut()| {
        let start = Instant::now();
        run();
        start.elapsed().as_nanos() as f64 / distances as f64
    };
    (0..5).map(|_| once(&mut run)).fold(f64::INFINITY, f64::min)
}

/// Times `one(id)` and `many(ids)` with rows in cache and out of it.
fn ids_bench(name: &str, row_len: usize, one: &mut dyn FnMut(u32), many: &mut dyn FnMut(&[u32])) {
    let mut state = 0x9e37_79b9_7f4a_7c15;
    let far_rows = (FAR_BYTES / row_len) as u64;
    let far_count = (50_000_000 / row_len).clamp(20_000, 200_000) / BATCH * BATCH;
    let near: Vec<u32> = (0..40_000).map(|_| (next(&mut state) % NEAR_ROWS as u64) as u32).collect();
    let far: Vec<u32> = (0..far_count).map(|_| (next(&mut state) % far_rows) as u32).collect();
    print!("  {name:<10}");
    for ids in [&near, &far] {
        let a = best_ns(ids.len(), || ids.iter().for_each(|&id| one(id)));
        let b = best_ns(ids.len(), || ids.chunks(BATCH).for_each(&mut *many));
        print!("  one {a:7.1}  many {b:7.1}  |");
    }
}

fn bench(kernels: &Kernels, matrix: &[u8], dim: usize) {
    println!(
        "{} d={dim}                near                        far                scan",
        kernels.level()
    );
    let query_f32: Vec<f32> = (0..dim).map(|i| i as f32 / dim as f32 - 0.5).collect();
    let query_wide = WideQuery::new(&(0..dim).map(|i| (i * 37) as u8 as i8 as i16 * 250).collect::<Vec<_>>());
    let query_u8: Vec<u8> = (0..dim).map(|i| (i * 37) as u8).collect();
    let (mut out_f32, mut out_i64, mut out_u32) = ([0f32; BATCH], [0i64; BATCH], [0u32; BATCH]);
    let row = |id: u32, len: usize| &matrix[id as usize * len..][..len];

    type F32Many = fn(&Kernels, &[u8], &[u32], &[f32], &mut [f32]);
    type F32One = fn(&Kernels, &[f32], &[u8]) -> f32;
    type F32Scan = fn(&Kernels, &[u8], &[f32], &mut [f32]);
    let forms: [(&str, usize, F32One, F32Many, F32Scan); 4] = [
        ("dot_f32", 4, Kernels::dot_f32, Kernels::dot_f32_many, Kernels::dot_f32_scan),
        ("l2_f32", 4, Kernels::l2_f32, Kernels::l2_f32_many, Kernels::l2_f32_scan),
        ("dot_f16", 2, Kernels::dot_f16, Kernels::dot_f16_many, Kernels::dot_f16_scan),
        ("l2_f16", 2, Kernels::l2_f16, Kernels::l2_f16_many, Kernels::l2_f16_scan),
    ];
    for (name, bytes, one, many, scan) in forms {
        ids_bench(
            name,
            bytes * dim,
            &mut |id| {
                black_box(one(kernels, &query_f32, row(id, bytes * dim)));
            },
            &mut |ids| {
                many(kernels, matrix, ids, &query_f32, &mut out_f32);
                black_box(&out_f32);
            },
        );
        let count = FAR_BYTES / (bytes * dim);
        let mut out = vec![0f32; count];
        let ns = best_ns(count, || scan(kernels, &matrix[..count * bytes * dim], &query_f32, &mut out));
        println!(" {ns:7.1}");
    }
    ids_bench(
        "dot_u8_i16",
        dim,
        &mut |id| {
            let mut out = [0];
            kernels.dot_u8_i16_scan(row(id, dim), &query_wide, &mut out);
            black_box(out);
        },
        &mut |ids| {
            kernels.dot_u8_i16_many(matrix, dim, ids, &query_wide, &mut out_i64);
            black_box(&out_i64);
        },
    );
    let count = FAR_BYTES / dim;
    let mut out = vec![0i64; count];
    let ns = best_ns(count, || {
        kernels.dot_u8_i16_scan(&matrix[..count * dim], &query_wide, &mut out);
    });
    println!(" {ns:7.1}");
    ids_bench(
        "dot_u8_u8",
        dim,
        &mut |id| {
            black_box(kernels.dot_u8_u8(row(id, dim), &query_u8));
        },
        &mut |ids| {
            kernels.dot_u8_u8_many(matrix, dim, ids, &query_u8, &mut out_u32);
            black_box(&out_u32);
        },
    );
    println!();
    nibbles_bench(kernels, matrix, dim);
    bits_bench(kernels, matrix, &query_u8);
    let near = |one: &dyn Fn(&[u8]) -> u32| {
        best_ns(40_000, || {
            for i in 0..40_000u32 {
                black_box(one(row(i % NEAR_ROWS as u32, dim)));
            }
        })
    };
    println!("  sum_u8      one {:7.1}", near(&|r| kernels.sum_u8(r)));
}

/// Rows of 4-bit codes, with one query and with a panel of them.
fn nibbles_bench(kernels: &Kernels, matrix: &[u8], dim: usize) {
    let len = dim.next_multiple_of(NIBBLES);
    let query: Vec<i8> = matrix.iter().take(len).map(|&byte| byte as i8).collect();
    let ids: Vec<u32> = (0..NEAR_ROWS as u32).collect();
    let (mut one, mut of_panel) = (vec![0; NEAR_ROWS], vec![0; NEAR_ROWS * PANEL]);
    let ns = best_ns(1_000 * NEAR_ROWS, || {
        for _ in 0..1_000 {
            kernels.dot_u4_i8_many(matrix, &ids, &query, &mut one);
            black_box(&one);
        }
    });
    print!("  dot_u4_i8, near {ns:7.2}");
    for queries in [PANEL / 2, PANEL] {
        let panel = NibblePanel::new(&vec![&query[..]; queries]);
        let ns = best_ns(100 * NEAR_ROWS * queries, || {
            for _ in 0..100 {
                kernels.dot_u4_i8_panel(matrix, &ids, &panel, &mut of_panel);
                black_box(&of_panel);
            }
        });
        print!(", {queries} queries {ns:7.2}");
    }
    println!();
}

/// Rows of bits as long as the codes of `query`.
fn bits_bench(kernels: &Kernels, matrix: &[u8], query: &[u8]) {
    let len = query.len();
    let row = |id: u32| &matrix[id as usize * len..][..len];
    let (mut out_hamming, mut out_overlap) = ([0u32; BATCH], [[0u32; 2]; BATCH]);
    let count = FAR_BYTES / len;
    ids_bench(
        "hamming",
        len,
        &mut |id| {
            black_box(kernels.hamming(row(id), query));
        },
        &mut |ids| {
            kernels.hamming_many(matrix, len, ids, query, &mut out_hamming);
            black_box(&out_hamming);
        },
    );
    let mut out = vec![0; count];
    println!(" {:7.1}", best_ns(count, || kernels.hamming_scan(&matrix[..count * len], query, &mut out)));
    let panel = BitPanel::new(&[query; BIT_PANEL]);
    let (mut out, mut near) = (vec![0; NEAR_ROWS * BIT_PANEL], [0; NEAR_ROWS]);
    let panels = best_ns(1_000 * NEAR_ROWS * BIT_PANEL, || {
        for _ in 0..1_000 {
            kernels.hamming_panel(&matrix[..NEAR_ROWS * len], &panel, &mut out, &mut near);
            black_box(&out);
        }
    });
    println!("  hamming, {BIT_PANEL} queries, near {panels:7.2}");
    ids_bench(
        "overlap",
        len,
        &mut |id| {
            black_box(kernels.overlap(row(id), query));
        },
        &mut |ids| {
            kernels.overlap_many(matrix, len, ids, query, &mut out_overlap);
            black_box(&out_overlap);
        },
    );
    let mut out = vec![[0; 2]; count];
    println!(" {:7.1}", best_ns(count, || kernels.overlap_scan(&matrix[..count * len], query, &mut out)));
}

fn main() {
    let args: Vec<String> = std::env::args().skip(1).filter(|arg| !arg.starts_with('-')).collect();
    let wanted = |at: usize, name: &str| args.get(at).is_none_or(|arg| arg == name);
    let mut state = 0x2545_f491_4f6c_dd1d;
    // f32 components in [-1, 1), so that sums are neither denormal nor infinite.
    let matrix: Vec<u8> = (0..FAR_BYTES / 4)
        .flat_map(|_| ((next(&mut state) >> 40) as f32 / (1 << 23) as f32 - 1.0).to_le_bytes())
        .collect();
    for level in available_levels().into_iter().filter(|level| wanted(0, level.name())) {
        for dim in [128, 384, 768, 784, 1536].into_iter().filter(|dim| wanted(1, &dim.to_string())) {
            bench(Kernels::for_level(level).expect("available"), &matrix, dim);
        }
    }
}
