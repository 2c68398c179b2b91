//! The best of a search: vectors, or documents where each may have several.

use super::nearest::Nearest;
use super::reader::LayeredReader;
use lucerne_codec::top_k::TieBreak;
use lucerne_codec::{Neighbor, Ordinal, Result, TopDocs, TopK};

/// Keeps the `k` nearest: vectors, or documents, each once.
pub(super) enum Best<'a> {
    /// By distance; ties are decided at the end, for those that are left.
    Vectors(Nearest, &'a TieBreak<'a>),
    Documents(TopDocs<'a>),
}

impl<'a> Best<'a> {
    pub(super) fn new(documents: bool, k: usize, ties: &'a TieBreak<'a>) -> Self {
        match documents {
            true => Self::Documents(TopDocs::new(k, ties)),
            false => Self::Vectors(Nearest::new(k), ties),
        }
    }

    /// The distance a vector must not exceed to be kept.
    #[inline]
    pub(super) fn threshold(&self) -> f32 {
        match self {
            Self::Vectors(nearest, _) => nearest.threshold(),
            Self::Documents(top) => top.threshold(),
        }
    }

    /// Offers a vector.
    #[inline]
    pub(super) fn offer(&mut self, reader: &LayeredReader, distance: f32, ordinal: Ordinal) -> Result<()> {
        if distance <= self.threshold() {
            match self {
                Self::Vectors(nearest, _) => nearest.offer(distance, ordinal),
                Self::Documents(top) => {
                    top.offer(Neighbor { distance, ordinal, doc: reader.map.doc(ordinal)? })
                }
            }
        }
        Ok(())
    }

    /// Nearest first.
    pub(super) fn into_sorted(self, reader: &LayeredReader) -> Result<Vec<Neighbor>> {
        match self {
            Self::Vectors(nearest, ties) => {
                let mut top = TopK::new(nearest.wanted(), ties);
                for (distance, ordinal) in nearest.into_left() {
                    top.offer(Neighbor { distance, ordinal, doc: reader.map.doc(ordinal)? });
                }
                Ok(top.into_sorted())
            }
            Self::Documents(top) => Ok(top.into_sorted()),
        }
    }
}
