//! The lists of a segment being written.

use super::file::{self, ListsMeta};
use super::train;
use crate::encoding::Rows;
use lucerne_codec::envelope::FileEntry;
use lucerne_codec::format::WriteContext;
use lucerne_codec::{FieldInfo, Ordinal, Result};

/// Lists by default: this many times the root of the number of vectors, so that a search compares about as many
/// centroids as vectors.
const PER_ROOT: f64 = 4.0;
/// Rows between two checks of the cancel flag.
const STEP: usize = 256;

/// Centroids, and the list of every vector. Memory: the centroids and 4 bytes per vector.
#[derive(Debug)]
pub struct Lists {
    centroids: Vec<u8>,
    count: usize,
    list_of: Vec<u32>,
}

impl Lists {
    /// Trains centroids and gives every vector to the nearest. There are `wanted` lists, by default as many as suit
    /// the number of vectors, and never more than there are different vectors.
    pub fn of(
        context: &WriteContext<'_>,
        field: &FieldInfo,
        wanted: Option<usize>,
        rows: &dyn Rows,
    ) -> Result<Self> {
        let (similarity, row_len) = (field.similarity, field.row_len());
        let by_default = (PER_ROOT * (rows.len() as f64).sqrt()) as usize;
        let wanted = wanted.unwrap_or(by_default).clamp(1, rows.len().max(1));
        let centroids = train::train(similarity, rows, row_len, wanted, context.seed, context.cancel)?;
        let mut list_of = Vec::with_capacity(rows.len());
        let mut distances = Vec::new();
        for index in 0..rows.len() {
            if index % STEP == 0 {
                context.cancel.check()?;
                context.progress.report("inverted lists", index as u64, rows.len() as u64);
            }
            let row = rows.row(index)?;
            list_of.push(train::nearest(similarity, &centroids, row_len, row, &mut distances));
        }
        context.progress.report("inverted lists", rows.len() as u64, rows.len() as u64);
        let count = centroids.len() / row_len.max(1);
        Ok(Self { centroids, count, list_of })
    }

    /// The vectors list by list: old places by new.
    pub fn order(&self) -> Vec<Ordinal> {
        let mut order: Vec<(u32, Ordinal)> = self.list_of.iter().copied().zip(0..).collect();
        order.sort_unstable();
        order.into_iter().map(|(_, old)| old).collect()
    }

    /// Writes the `.ivf` file of vectors that are in this order.
    pub fn write(&self, context: &WriteContext<'_>, field: &FieldInfo) -> Result<(FileEntry, ListsMeta)> {
        let mut ends = vec![0u32; self.count];
        for list in &self.list_of {
            ends.get_mut(*list as usize).into_iter().for_each(|count| *count += 1);
        }
        let mut end = 0;
        for count in &mut ends {
            end += *count;
            *count = end;
        }
        file::write(context, field, &self.centroids, &ends)
    }
}
