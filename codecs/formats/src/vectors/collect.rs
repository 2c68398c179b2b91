//! The best of a search: vectors, or documents where each may have several.

use super::reader::LayeredReader;
use lucerne_codec::top_k::TieBreak;
use lucerne_codec::{Neighbor, Ordinal, Result, TopDocs, TopK};

/// Keeps the `k` nearest: vectors, or documents, each once.
pub(super) enum Best<'a> {
    Vectors(TopK<'a>),
    Documents(TopDocs<'a>),
}

impl<'a> Best<'a> {
    pub(super) fn new(documents: bool, k: usize, ties: &'a TieBreak<'a>) -> Self {
        match documents {
            true => Self::Documents(TopDocs::new(k, ties)),
            false => Self::Vectors(TopK::new(k, ties)),
        }
    }

    /// The distance a vector must not exceed to be kept.
    #[inline]
    pub(super) fn threshold(&self) -> f32 {
        match self {
            Self::Vectors(top) => top.threshold(),
            Self::Documents(top) => top.threshold(),
        }
    }

    /// Offers a vector; its document is looked up if the distance is good enough.
    #[inline]
    pub(super) fn offer(&mut self, reader: &LayeredReader, distance: f32, ordinal: Ordinal) -> Result<()> {
        if distance <= self.threshold() {
            let neighbor = Neighbor { distance, ordinal, doc: reader.map.doc(ordinal)? };
            match self {
                Self::Vectors(top) => top.offer(neighbor),
                Self::Documents(top) => top.offer(neighbor),
            }
        }
        Ok(())
    }

    /// Nearest first.
    pub(super) fn into_sorted(self) -> Vec<Neighbor> {
        match self {
            Self::Vectors(top) => top.into_sorted(),
            Self::Documents(top) => top.into_sorted(),
        }
    }
}
