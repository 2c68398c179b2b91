//! Products of 4-bit codes with several queries at once are those with each, at every level.

use lucerne_simd::{Kernels, MAX_U8_DIMS, NIBBLES, NibblePanel, PANEL, available_levels};

#[test]
fn products_with_a_panel_are_those_with_each_query() {
    let mut state = 9u64;
    let mut bytes = |count: usize| -> Vec<u8> {
        let mut next = || {
            state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
            (state >> 56) as u8
        };
        (0..count).map(|_| next()).collect()
    };
    let most = MAX_U8_DIMS / NIBBLES;
    for (blocks, count, queries) in [
        (0, 3, 2),
        (1, 0, 32),
        (1, 1, 1),
        (2, 3, 15),
        (6, 9, 16),
        (6, 8, 17),
        (7, 5, 31),
        (64, 4, 32),
        (most, 3, 32),
    ] {
        let n = blocks * NIBBLES;
        let any = (bytes(n / 2 * count), bytes(n * queries).iter().map(|&byte| byte as i8).collect());
        let extreme = |q: i8| (vec![0xff; n / 2 * count], vec![q; n * queries]);
        for (rows, all) in [any, extreme(127), extreme(-128)] {
            let query = |lane: usize| &all[n * lane..n * (lane + 1)];
            let panel = NibblePanel::new(&(0..queries).map(query).collect::<Vec<_>>());
            let ids: Vec<u32> = (0..count as u32).rev().chain((count > 0).then_some(0)).collect();
            for kernels in available_levels().into_iter().filter_map(Kernels::for_level) {
                let mut out = vec![i32::MAX; ids.len() * PANEL];
                kernels.dot_u4_i8_panel(&rows, &ids, &panel, &mut out);
                for (&id, out) in ids.iter().zip(out.chunks(PANEL)) {
                    let row = &rows[id as usize * n / 2..][..n / 2];
                    let expect: Vec<i64> = (0..queries).map(|lane| product(row, query(lane))).collect();
                    let out: Vec<i64> = out.iter().take(queries).map(|&sum| i64::from(sum)).collect();
                    assert_eq!(out, expect, "{} n={n}, {queries} queries", kernels.level());
                }
            }
        }
    }
}

fn product(row: &[u8], query: &[i8]) -> i64 {
    let code = |i: usize| {
        let byte = row[i / NIBBLES * (NIBBLES / 2) + i % (NIBBLES / 2)];
        if i % NIBBLES < NIBBLES / 2 { byte & 15 } else { byte >> 4 }
    };
    query.iter().enumerate().map(|(i, &q)| i64::from(code(i)) * i64::from(q)).sum()
}

#[test]
fn distances_of_a_panel_are_within_their_bounds_as_comparing_each_says() {
    let mut state = 3u64;
    let mut number = || {
        state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        match state >> 60 {
            0 => f32::NAN,
            1 => f32::INFINITY,
            2 => -0.0,
            3 => f32::NEG_INFINITY,
            other => other as f32 - 9.0,
        }
    };
    for rows in [0, 1, 2, 7] {
        let distances: Vec<[f32; PANEL]> = (0..rows).map(|_| std::array::from_fn(|_| number())).collect();
        let of_lanes: [f32; PANEL] = std::array::from_fn(|_| number());
        let of_rows: Vec<f32> = (0..rows).map(|_| number()).collect();
        for kernels in available_levels().into_iter().filter_map(Kernels::for_level) {
            let mut out = vec![[7; 2]; rows];
            kernels.near_lanes(&distances, &of_lanes, &of_rows, &mut out);
            for ((distances, of_row), out) in distances.iter().zip(&of_rows).zip(out) {
                for (lane, (distance, of_lane)) in distances.iter().zip(&of_lanes).enumerate() {
                    let near = out.map(|bits| bits >> lane & 1 == 1);
                    let expect = [distance <= of_lane, distance <= of_row];
                    assert_eq!(near, expect, "{:?}, lane {lane}", kernels.level());
                }
            }
        }
    }
}
