//! The Walsh–Hadamard transform, written so that a compiler makes vector code of it for any level.
//!
//! Only sums and differences in a fixed order: every level gives the same bits.

/// Lanes of the widest register. Pairs that are closer would meet in one register.
const LANES: usize = 16;

/// Replaces `values`, a power of two of them, by their unnormalized transform, in the order that takes the least
/// shuffling. `scratch` is as long.
///
/// A stage of the transform adds and subtracts pairs whose indices differ in one bit. The first four stages take the
/// highest bit and rotate it to the lowest place, so that the four lowest bits, whose pairs would meet in one register,
/// have moved up when their turn comes.
#[inline(always)]
pub(crate) fn transform(values: &mut [f32], scratch: &mut [f32]) {
    let mut h = 1;
    if values.len() >= 2 * LANES {
        for _ in 0..LANES.ilog2() / 2 {
            rotating_stage(values, scratch);
            rotating_stage(scratch, values);
        }
        h = LANES;
    }
    while 4 * h <= values.len() {
        two_stages(values, h);
        h *= 4;
    }
    if 2 * h <= values.len() {
        stage(values, h);
    }
}

/// The stage of pairs that are half of the length apart; their sum and difference become neighbors.
#[inline(always)]
fn rotating_stage(values: &[f32], out: &mut [f32]) {
    let (left, right) = values.split_at(values.len() / 2);
    for ((out, x), y) in out.as_chunks_mut::<2>().0.iter_mut().zip(left).zip(right) {
        *out = [x + y, x - y];
    }
}

/// The stage of pairs that are `h` apart.
#[inline(always)]
fn stage(values: &mut [f32], h: usize) {
    for pairs in values.chunks_exact_mut(2 * h) {
        let (left, right) = pairs.split_at_mut(h);
        for (x, y) in left.iter_mut().zip(right) {
            (*x, *y) = (*x + *y, *x - *y);
        }
    }
}

/// The stages of pairs that are `h` and `2 * h` apart, in one pass.
#[inline(always)]
fn two_stages(values: &mut [f32], h: usize) {
    for quads in values.chunks_exact_mut(4 * h) {
        let (left, right) = quads.split_at_mut(2 * h);
        let ((a, b), (c, d)) = (left.split_at_mut(h), right.split_at_mut(h));
        for (((a, b), c), d) in a.iter_mut().zip(b).zip(c).zip(d) {
            let (s, t, u, v) = (*a + *b, *a - *b, *c + *d, *c - *d);
            (*a, *b, *c, *d) = (s + u, t + v, s - u, t - v);
        }
    }
}

/// Puts the values of a vector that was transformed twice in the order they had: with the places that the first stages
/// rotate the transform is its own inverse but for that, and a factor of the length. `scratch` is as long.
pub fn restore_order(values: &mut [f32], scratch: &mut [f32]) {
    let bits = values.len().max(1).ilog2();
    if values.len() < 2 * LANES || scratch.len() != values.len() {
        return;
    }
    let rotated = 2 * LANES.ilog2() % bits;
    scratch.copy_from_slice(values);
    let mask = values.len() - 1;
    for (index, value) in values.iter_mut().enumerate() {
        let from = ((index << rotated) | (index >> (bits - rotated))) & mask;
        *value = scratch.get(from).copied().unwrap_or_default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_transforms_are_the_vector_again() {
        for bits in 0..=12 {
            let len = 1usize << bits;
            let vector: Vec<f32> = (0..len).map(|i| (i as f32).sin()).collect();
            let (mut values, mut scratch) = (vector.clone(), vec![0.0; len]);
            transform(&mut values, &mut scratch);
            transform(&mut values, &mut scratch);
            restore_order(&mut values, &mut scratch);
            let near = |(x, y): (&f32, &f32)| (x - y / len as f32).abs() < 1e-4;
            assert!(vector.iter().zip(&values).all(near), "{len}");
        }
    }
}
