//! The live vectors of all sources of a merge, in the order of the sources.

use super::encoded::EncodedVectors;
use super::rows::Rows;
use lucerne_codec::vector::VectorReader;
use lucerne_codec::{DocId, Error, Ordinal, Result};
use std::borrow::Cow;
use std::ops::Range;

/// A live vector of a merge: where it is and whose it is.
#[derive(Clone, Copy, Debug)]
pub struct MergedVector {
    /// Number of the source.
    pub source: u32,
    /// Ordinal in the source.
    pub ordinal: Ordinal,
    /// Document in the merged segment.
    pub doc: DocId,
}

/// One source, and where its live vectors are in the list.
pub struct MergeSource<'a> {
    /// Name of the source segment.
    pub segment: &'a str,
    /// Its vectors; `None` when no document has one.
    pub reader: Option<&'a dyn VectorReader>,
    /// Its encoded vectors, when it is of one of the built-in formats.
    pub encoded: Option<&'a dyn EncodedVectors>,
    /// Its vectors in [`MergeSources::vectors`].
    pub range: Range<usize>,
}

impl<'a> MergeSource<'a> {
    /// Number of live vectors.
    pub fn live(&self) -> usize {
        self.range.len()
    }

    /// Number of deleted vectors.
    pub fn deleted(&self) -> usize {
        self.reader.map_or(0, |reader| reader.len()).saturating_sub(self.live())
    }

    /// The encoded vectors, if they are of type `T`.
    pub fn encoded_as<T: EncodedVectors + 'static>(&self) -> Option<&'a T> {
        self.encoded?.as_any().downcast_ref()
    }
}

/// The live vectors of all sources.
#[derive(Default)]
pub struct MergeSources<'a> {
    /// The sources, in the order of the merge.
    pub sources: Vec<MergeSource<'a>>,
    /// Their live vectors.
    pub vectors: Vec<MergedVector>,
}

impl MergeSources<'_> {
    /// Whether the raw vectors of all live vectors are there.
    pub fn keeps_raw(&self) -> bool {
        let live = self.sources.iter().filter(|source| source.live() > 0);
        live.filter_map(|source| source.reader).all(|reader| reader.keeps_raw())
    }

    fn place(&self, index: usize) -> Result<(&dyn VectorReader, Ordinal)> {
        let place = self.vectors.get(index).and_then(|vector| {
            let source = self.sources.get(vector.source as usize)?;
            Some((source.reader?, vector.ordinal))
        });
        place.ok_or_else(|| Error::Invalid(format!("there is no vector {index}")))
    }

    /// The live vectors of one source.
    pub fn source_rows(&self, number: usize) -> SourceRows<'_> {
        let range = self.sources.get(number).map_or(0..0, |source| source.range.clone());
        SourceRows { sources: self, range }
    }
}

impl Rows for MergeSources<'_> {
    fn len(&self) -> usize {
        self.vectors.len()
    }

    fn row(&self, index: usize) -> Result<&[u8]> {
        let (reader, ordinal) = self.place(index)?;
        reader.row(ordinal)
    }

    fn vector(&self, index: usize) -> Result<Cow<'_, [u8]>> {
        let (reader, ordinal) = self.place(index)?;
        reader.vector(ordinal)
    }
}

/// The live vectors of one source.
pub struct SourceRows<'a> {
    sources: &'a MergeSources<'a>,
    range: Range<usize>,
}

impl Rows for SourceRows<'_> {
    fn len(&self) -> usize {
        self.range.len()
    }

    fn row(&self, index: usize) -> Result<&[u8]> {
        self.sources.row(self.range.start + index)
    }

    fn vector(&self, index: usize) -> Result<Cow<'_, [u8]>> {
        self.sources.vector(self.range.start + index)
    }
}
