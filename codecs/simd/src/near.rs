//! Which of a panel's distances are small enough, as bits.

use crate::panel::PANEL;

/// Bits of two kinds for the lanes of a row.
pub(crate) type Near = [u32; 2];

/// Bit `l` of `out[j][0]` says whether `distances[j][l]` is at most `of_lanes[l]`, that of `out[j][1]` whether it is at most
/// `of_rows[j]`. NaN is neither.
#[inline(always)]
pub(crate) fn near_lanes(
    distances: &[[f32; PANEL]],
    of_lanes: &[f32; PANEL],
    of_rows: &[f32],
    out: &mut [[u32; 2]],
) {
    for ((distances, &of_row), out) in distances.iter().zip(of_rows).zip(out) {
        *out = [
            bits(distances.iter().zip(of_lanes).map(|(distance, most)| distance <= most)),
            bits(distances.iter().map(|&distance| distance <= of_row)),
        ];
    }
}

/// Comparisons first, one byte each, which the compiler vectorises; then eight of them at once become bits.
#[inline(always)]
fn bits(near: impl Iterator<Item = bool>) -> u32 {
    let mut flags = [0u8; PANEL];
    flags.iter_mut().zip(near).for_each(|(flag, near)| *flag = near.into());
    let eights = flags.as_chunks::<8>().0.iter().rev();
    eights.fold(0, |word, eight| {
        word << 8 | (u64::from_le_bytes(*eight).wrapping_mul(0x0102_0408_1020_4080) >> 56) as u32
    })
}
