//! Bits that differ from several queries at once are those that differ from each, at every level.

use lucerne_simd::{BIT_PANEL, BitPanel, Kernels, MAX_U8_DIMS, available_levels};

#[test]
fn bits_that_differ_from_a_panel_are_those_of_each_query() {
    let mut state = 10u64;
    let mut bytes = |count: usize| -> Vec<u8> {
        let mut next = || {
            state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
            (state >> 56) as u8
        };
        (0..count).map(|_| next()).collect()
    };
    for len in [0, 1, 7, 8, 9, 16, 31, 128, 200, MAX_U8_DIMS / 8] {
        for (count, queries) in [(0, 8), (1, 1), (3, 7), (4, 8), (9, 8), (16, 3)] {
            let (rows, lanes) = (bytes(len * count), bytes(len * queries));
            let query = |lane: usize| &lanes[len * lane..len * (lane + 1)];
            let mut panel = BitPanel::new(&(0..queries).map(query).collect::<Vec<_>>());
            panel.below = core::array::from_fn(|lane| (4 * len + lane) as u32);
            for kernels in available_levels().into_iter().filter_map(Kernels::for_level) {
                let (mut out, mut near) = (vec![u32::MAX; count * BIT_PANEL], vec![0xaa; count]);
                kernels.hamming_panel(&rows, &panel, &mut out, &mut near);
                for (at, &found) in out.iter().enumerate() {
                    let (row, lane) = (at / BIT_PANEL, at % BIT_PANEL);
                    let is_near = near[row] >> lane & 1 == 1;
                    assert_eq!(is_near, found < panel.below[lane], "{} {len} bytes at {at}", kernels.level());
                    if lane < queries {
                        let differ = rows[row * len..][..len].iter().zip(query(lane));
                        let differ: u32 = differ.map(|(x, q)| (x ^ q).count_ones()).sum();
                        assert_eq!(found, differ, "{} {len} bytes at {at}", kernels.level());
                    }
                }
            }
        }
    }
}
