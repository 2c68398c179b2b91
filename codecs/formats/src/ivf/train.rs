//! Centroids from a sample: k-medoids.
//!
//! A centroid is one of the vectors, the one with the least sum of Hamming distances to the others of its list. The
//! majority of each bit, the nearest thing to a mean, has hardly a bit set where vectors are sparse; a medoid looks like
//! the vectors it stands for, whatever the metric. The rounds are those of Lloyd's algorithm.

use crate::encoding::Rows;
use crate::encoding::raw::BitQuery;
use lucerne_codec::{Cancel, Result, Similarity};
use std::collections::HashSet;

/// Vectors of the sample, per list.
const SAMPLE: usize = 64;
/// Rounds of moving centroids.
const ROUNDS: usize = 6;
/// Rows between two checks of the cancel flag.
const STEP: usize = 256;

/// Rows of `row_len` bytes, at most `lists` of them and no two equal: as many as the sample has different rows. The same
/// input and seed give the same centroids.
pub fn train(
    similarity: Similarity,
    rows: &dyn Rows,
    row_len: usize,
    lists: usize,
    seed: u64,
    cancel: &Cancel,
) -> Result<Vec<u8>> {
    let mut random = Random(seed ^ 0x6976_665f_6269_7473);
    let sample = sample(rows, lists.saturating_mul(SAMPLE), &mut random, cancel)?;
    let mut centroids = first(&sample, lists, row_len, &mut random);
    let mut list_of = vec![u32::MAX; sample.len()];
    for _ in 0..ROUNDS {
        let mut moved = false;
        let mut distances = Vec::new();
        for (index, (row, list)) in sample.iter().zip(&mut list_of).enumerate() {
            cancel.check_every(STEP, index)?;
            let nearest = nearest(similarity, &centroids, row_len, row, &mut distances);
            moved |= nearest != *list;
            *list = nearest;
        }
        if !moved {
            break;
        }
        let mut members: Vec<(u32, u32)> = list_of.iter().copied().zip(0..).collect();
        members.sort_unstable();
        for members in members.chunk_by(|left, right| left.0 == right.0) {
            cancel.check()?;
            let Some(&(list, _)) = members.first() else { continue };
            let rows: Vec<&[u8]> =
                members.iter().filter_map(|(_, at)| sample.get(*at as usize).copied()).collect();
            let start = list as usize * row_len;
            if let (Some(medoid), Some(slot)) = (medoid(&rows), centroids.get_mut(start..start + row_len)) {
                slot.copy_from_slice(medoid);
            }
        }
    }
    Ok(centroids)
}

/// The number of the centroid nearest to a row, the lowest of several. `distances` is memory.
pub fn nearest(
    similarity: Similarity,
    centroids: &[u8],
    row_len: usize,
    row: &[u8],
    distances: &mut Vec<f32>,
) -> u32 {
    distances.resize(centroids.len() / row_len.max(1), 0.0);
    BitQuery::new(similarity, row).scan(centroids, distances);
    let mut best = (f32::INFINITY, 0);
    for (list, &distance) in (0u32..).zip(distances.iter()) {
        if distance < best.0 {
            best = (distance, list);
        }
    }
    best.1
}

/// At most `most` rows, from all over: one of each part of the rows, at the same random place.
fn sample<'a>(
    rows: &'a dyn Rows,
    most: usize,
    random: &mut Random,
    cancel: &Cancel,
) -> Result<Vec<&'a [u8]>> {
    let count = rows.len().min(most);
    let offset = random.below(rows.len() as u64);
    let mut sample = Vec::with_capacity(count);
    for part in 0..count as u64 {
        cancel.check_every(STEP, part as usize)?;
        // Fewer than 2³² rows and as many parts: the product fits.
        let index = (part * rows.len() as u64 + offset) / (count as u64).max(1);
        sample.push(rows.row(index as usize)?);
    }
    Ok(sample)
}

/// Different rows of the sample, in random order.
fn first(sample: &[&[u8]], lists: usize, row_len: usize, random: &mut Random) -> Vec<u8> {
    let mut order: Vec<(u64, usize)> = (0..sample.len()).map(|at| (random.next(), at)).collect();
    order.sort_unstable();
    let (mut seen, mut centroids) = (HashSet::new(), Vec::new());
    for row in order.iter().filter_map(|(_, at)| sample.get(*at).copied()) {
        if seen.len() == lists {
            break;
        }
        if row.len() == row_len && seen.insert(row) {
            centroids.extend_from_slice(row);
        }
    }
    centroids
}

/// The row with the least sum of Hamming distances to all: with c the count of each bit among m rows, a row's sum is
/// Σc plus m − 2c for every bit it has.
fn medoid<'a>(rows: &[&'a [u8]]) -> Option<&'a [u8]> {
    let mut counts = vec![0i64; rows.first()?.len() * 8];
    for row in rows {
        ones(row).for_each(|bit| counts.get_mut(bit).into_iter().for_each(|count| *count += 1));
    }
    let sum = |row: &[u8]| -> i64 {
        ones(row).filter_map(|bit| counts.get(bit)).map(|count| rows.len() as i64 - 2 * count).sum()
    };
    rows.iter().copied().min_by_key(|row| sum(row))
}

/// The bits that are set.
fn ones(row: &[u8]) -> impl Iterator<Item = usize> + '_ {
    row.iter().enumerate().flat_map(|(at, &byte)| {
        let mut rest = byte;
        std::iter::from_fn(move || {
            let bit = rest.trailing_zeros();
            rest &= rest.wrapping_sub(1);
            (bit < 8).then_some(at * 8 + bit as usize)
        })
    })
}

/// SplitMix64 (Steele, Lea and Flood 2014).
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, end: u64) -> u64 {
        self.next().checked_rem(end).unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Few(Vec<[u8; 2]>);

    impl Rows for Few {
        fn len(&self) -> usize {
            self.0.len()
        }

        fn row(&self, index: usize) -> Result<&[u8]> {
            Ok(&self.0[index])
        }

        fn vector(&self, index: usize) -> Result<std::borrow::Cow<'_, [u8]>> {
            self.row(index).map(std::borrow::Cow::Borrowed)
        }
    }

    fn centroids(rows: &[[u8; 2]], lists: usize, seed: u64) -> Vec<[u8; 2]> {
        let rows = Few(rows.to_vec());
        let found = train(Similarity::Hamming, &rows, 2, lists, seed, &Cancel::new()).unwrap();
        let mut found = found.as_chunks::<2>().0.to_vec();
        found.sort_unstable();
        found
    }

    #[test]
    fn two_clusters_have_their_medoids_whatever_the_seed() {
        let rows = [[0x0f, 0], [0x0e, 0], [0x1e, 0], [0, 0xf0], [0, 0x70], [0, 0x78]];
        for seed in 0..20 {
            let found = centroids(&rows, 2, seed);
            assert_eq!(found, centroids(&rows, 2, seed));
            assert!(found.len() == 2 && found.iter().all(|row| rows.contains(row)), "{found:?}");
        }
    }

    #[test]
    fn there_are_no_more_centroids_than_different_rows() {
        assert_eq!(centroids(&[[1, 2]; 50], 7, 1), [[1, 2]]);
        assert_eq!(centroids(&[[0, 0], [3, 0]], 128, 1), [[0, 0], [3, 0]]);
        assert_eq!(centroids(&[], 4, 1), [[0; 2]; 0]);
    }

    #[test]
    fn the_medoid_has_the_least_sum_of_distances() {
        let rows: [&[u8]; 4] = [&[0xff], &[0x07], &[0x03], &[0x0f]];
        assert_eq!(medoid(&rows), Some(&[0x07][..]));
        assert_eq!(ones(&[0x81, 0, 0x02]).collect::<Vec<_>>(), [0, 7, 17]);
    }
}
