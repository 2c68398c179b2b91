//! What the levels with intrinsics have in common: the functions of a table around the kernels of a level.
//!
//! Macros, not functions, so that a kernel is inlined into a function with the CPU features it needs. Each expands in a
//! module that has the kernel, whose number of rows `R` is generic.

/// `dot_f32`, `l2_f32`, `norm2_f32`, the same for rows of `f16`, and their forms for rows, `$r` rows at a time, from
/// `float_kernel::<R, TERM, ROW>(query, rows, n)`.
macro_rules! float_functions {
    ($features:tt, $r:tt) => {
        #[target_feature(enable = $features)]
        unsafe fn dot_f32(a: &[f32], row: &[u8]) -> f32 {
            // SAFETY: by the contract of the table, the row has a.len() components.
            unsafe { float_kernel::<1, DOT, F32>(a.as_ptr().cast(), [row.as_ptr()], a.len())[0] }
        }

        #[target_feature(enable = $features)]
        unsafe fn l2_f32(a: &[f32], row: &[u8]) -> f32 {
            // SAFETY: by the contract of the table, the row has a.len() components.
            unsafe { float_kernel::<1, L2, F32>(a.as_ptr().cast(), [row.as_ptr()], a.len())[0] }
        }

        #[target_feature(enable = $features)]
        unsafe fn norm2_f32(row: &[u8]) -> f32 {
            // SAFETY: the row has row.len() / 4 components.
            unsafe { float_kernel::<1, DOT, F32>(row.as_ptr(), [row.as_ptr()], row.len() / 4)[0] }
        }

        #[target_feature(enable = $features)]
        unsafe fn dot_f32_rows(rows: $crate::rows::Rows<'_>, query: &[f32], out: &mut [f32]) {
            let (q, n) = (query.as_ptr().cast(), query.len());
            // SAFETY: by the contract of the table, every row has n components.
            $crate::rows::fill!(rows, out, $r, |p, R| unsafe { float_kernel::<R, DOT, F32>(q, p, n) });
        }

        #[target_feature(enable = $features)]
        unsafe fn l2_f32_rows(rows: $crate::rows::Rows<'_>, query: &[f32], out: &mut [f32]) {
            let (q, n) = (query.as_ptr().cast(), query.len());
            // SAFETY: by the contract of the table, every row has n components.
            $crate::rows::fill!(rows, out, $r, |p, R| unsafe { float_kernel::<R, L2, F32>(q, p, n) });
        }

        #[target_feature(enable = $features)]
        unsafe fn dot_f16(a: &[f32], row: &[u8]) -> f32 {
            // SAFETY: by the contract of the table, the row has a.len() components.
            unsafe { float_kernel::<1, DOT, F16>(a.as_ptr().cast(), [row.as_ptr()], a.len())[0] }
        }

        #[target_feature(enable = $features)]
        unsafe fn l2_f16(a: &[f32], row: &[u8]) -> f32 {
            // SAFETY: by the contract of the table, the row has a.len() components.
            unsafe { float_kernel::<1, L2, F16>(a.as_ptr().cast(), [row.as_ptr()], a.len())[0] }
        }

        #[target_feature(enable = $features)]
        unsafe fn norm2_f16(row: &[u8]) -> f32 {
            // SAFETY: the row has row.len() / 2 components; squares read no query.
            unsafe { float_kernel::<1, SQUARE, F16>(row.as_ptr(), [row.as_ptr()], row.len() / 2)[0] }
        }

        #[target_feature(enable = $features)]
        unsafe fn dot_f16_rows(rows: $crate::rows::Rows<'_>, query: &[f32], out: &mut [f32]) {
            let (q, n) = (query.as_ptr().cast(), query.len());
            // SAFETY: by the contract of the table, every row has n components.
            $crate::rows::fill!(rows, out, $r, |p, R| unsafe { float_kernel::<R, DOT, F16>(q, p, n) });
        }

        #[target_feature(enable = $features)]
        unsafe fn l2_f16_rows(rows: $crate::rows::Rows<'_>, query: &[f32], out: &mut [f32]) {
            let (q, n) = (query.as_ptr().cast(), query.len());
            // SAFETY: by the contract of the table, every row has n components.
            $crate::rows::fill!(rows, out, $r, |p, R| unsafe { float_kernel::<R, L2, F16>(q, p, n) });
        }
    };
}
pub(crate) use float_functions;

/// `hadamard`, `dot_f64`, `round_i16`, `select_bytes`, `within`, `hamming_panel` and `near_lanes`: plain Rust compiled for the features.
macro_rules! portable_functions {
    ($features:tt) => {
        #[target_feature(enable = $features)]
        fn hadamard(values: &mut [f32], scratch: &mut [f32]) {
            $crate::hadamard::transform(values, scratch);
        }

        #[target_feature(enable = $features)]
        fn dot_f64(x: &[f32], y: &[f32]) -> f64 {
            $crate::prepare::dot(x, y)
        }

        #[target_feature(enable = $features)]
        fn round_i16(values: &[f32], largest: i16, out: &mut [i16]) -> $crate::Rounded {
            $crate::prepare::round(values, largest, out)
        }

        #[target_feature(enable = $features)]
        fn select_bytes(words: &[u64], bytes: &[u8], out: &mut [u8]) -> usize {
            $crate::select::select(words, bytes, out)
        }

        #[target_feature(enable = $features)]
        fn within(numbers: &[u8], width: usize, low: u32, span: u32, out: &mut [u64]) {
            $crate::within::within(numbers, width, low, span, out);
        }

        #[target_feature(enable = $features)]
        fn hamming_panel(
            rows: &[u8],
            row_len: usize,
            panel: &$crate::BitPanel,
            out: &mut [u32],
            near: &mut [u8],
        ) {
            $crate::panel::hamming(rows, row_len, panel, out, near);
        }

        #[target_feature(enable = $features)]
        fn near_lanes(
            distances: &[[f32; $crate::PANEL]],
            of_lanes: &[f32; $crate::PANEL],
            of_rows: &[f32],
            out: &mut [[u32; 2]],
        ) {
            $crate::near::near_lanes(distances, of_lanes, of_rows, out);
        }
    };
}
pub(crate) use portable_functions;

/// `dot_u4_i8_rows`, four rows at a time, from `nibbles_kernel::<R>(query, rows, n)`.
macro_rules! nibbles_functions {
    ($features:tt) => {
        #[target_feature(enable = $features)]
        unsafe fn dot_u4_i8_rows(rows: $crate::rows::Rows<'_>, query: &[i8], out: &mut [i32]) {
            let (q, n) = (query.as_ptr(), query.len());
            // SAFETY: by the contract of the table, the query is whole blocks and every row has n / 2 bytes.
            $crate::rows::fill!(rows, out, 4, |p, R| unsafe { nibbles_kernel::<R>(q, p, n) });
        }
    };
}
pub(crate) use nibbles_functions;

/// `dot_f32_panel`, `PANEL_ROWS` rows at a time, from `panel_kernel::<R>(rows, panel, n, out)`.
#[cfg(target_arch = "x86_64")]
macro_rules! panel_functions {
    ($features:tt) => {
        #[target_feature(enable = $features)]
        unsafe fn dot_f32_panel(rows: &[f32], panel: &[f32], out: &mut [f32]) {
            let n = panel.len() / PANEL;
            let strips = rows.len() / (PANEL_ROWS * n);
            let (rows, rest) = rows.split_at(strips * PANEL_ROWS * n);
            let (out, out_rest) = out.split_at_mut(strips * PANEL_ROWS * PANEL);
            for (rows, out) in rows.chunks_exact(PANEL_ROWS * n).zip(out.chunks_exact_mut(PANEL_ROWS * PANEL))
            {
                let rows = core::array::from_fn(|r| rows.as_ptr().wrapping_add(r * n));
                // SAFETY: by the contract of the table each row has n components, the panel PANEL times as many.
                unsafe { panel_kernel::<PANEL_ROWS>(rows, panel.as_ptr(), n, out) };
            }
            for (row, out) in rest.chunks_exact(n).zip(out_rest.chunks_exact_mut(PANEL)) {
                // SAFETY: as above.
                unsafe { panel_kernel::<1>([row.as_ptr()], panel.as_ptr(), n, out) };
            }
        }
    };
}
#[cfg(target_arch = "x86_64")]
pub(crate) use panel_functions;

/// `hamming`, `overlap` and their forms for rows, `$r` rows at a time, from
/// `bits_kernel::<R, OVERLAP>(query, rows, n)`.
macro_rules! bits_functions {
    ($features:tt, $r:tt) => {
        #[target_feature(enable = $features)]
        pub(super) unsafe fn hamming(a: &[u8], b: &[u8]) -> u32 {
            // SAFETY: by the contract of the table, both are as long.
            unsafe { bits_kernel::<1, false>(a.as_ptr(), [b.as_ptr()], a.len())[0][0] }
        }

        #[target_feature(enable = $features)]
        pub(super) unsafe fn overlap(a: &[u8], b: &[u8]) -> [u32; 2] {
            // SAFETY: by the contract of the table, both are as long.
            unsafe { bits_kernel::<1, true>(a.as_ptr(), [b.as_ptr()], a.len()) }.map(|[count]| count)
        }

        #[target_feature(enable = $features)]
        pub(super) unsafe fn hamming_rows(rows: $crate::rows::Rows<'_>, query: &[u8], out: &mut [u32]) {
            let (q, n) = (query.as_ptr(), query.len());
            // SAFETY: by the contract of the table, every row has n bytes.
            $crate::rows::fill!(rows, out, $r, |p, R| unsafe { bits_kernel::<R, false>(q, p, n) }[0]);
        }

        #[target_feature(enable = $features)]
        pub(super) unsafe fn overlap_rows(rows: $crate::rows::Rows<'_>, query: &[u8], out: &mut [[u32; 2]]) {
            let (q, n) = (query.as_ptr(), query.len());
            $crate::rows::fill!(rows, out, $r, |p, R| {
                // SAFETY: by the contract of the table, every row has n bytes.
                let [both, either] = unsafe { bits_kernel::<R, true>(q, p, n) };
                core::array::from_fn::<_, R, _>(|r| [both[r], either[r]])
            });
        }
    };
}
pub(crate) use bits_functions;
