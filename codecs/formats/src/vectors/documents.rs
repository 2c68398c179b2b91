//! Look-ups in the maps between vectors and documents.

use byteorder::{ByteOrder, LittleEndian};
use lucerne_codec::{Accept, DocId, Ordinal};

/// The maps of a segment's vectors where they lie in memory, unchecked little-endian numbers.
#[derive(Clone, Copy, Debug)]
pub(super) struct Documents<'a> {
    /// The document of each ordinal.
    by_ordinal: &'a [[u8; 4]],
    /// The ordinals in the order of their documents.
    by_document: &'a [[u8; 4]],
    max_doc: u32,
    one_each: bool,
}

impl<'a> Documents<'a> {
    /// Both maps of `len` vectors, one after the other; `one_each` says that every document has exactly one vector.
    pub(super) fn new(numbers: &'a [[u8; 4]], len: usize, max_doc: u32, one_each: bool) -> Self {
        let by_ordinal = numbers.get(..len).unwrap_or_default();
        let by_document = numbers.get(len..2 * len).unwrap_or_default();
        Self { by_ordinal, by_document, max_doc, one_each }
    }

    /// How many vectors there are.
    pub(super) fn len(&self) -> usize {
        self.by_ordinal.len()
    }

    /// Whether every document has exactly one vector.
    pub(super) fn one_each(&self) -> bool {
        self.one_each
    }

    /// The document of each ordinal.
    pub(super) fn by_ordinal(&self) -> &'a [[u8; 4]] {
        self.by_ordinal
    }

    /// Hints that the document of a vector will be asked for.
    #[inline]
    pub(super) fn prefetch(&self, ordinal: Ordinal) {
        lucerne_simd::prefetch(self.by_ordinal, ordinal as usize, 1);
    }

    /// The document as the file has it, `u32::MAX` for an unknown ordinal: for filters, which accept no
    /// document outside the segment.
    #[inline]
    pub(super) fn raw_doc(&self, ordinal: Ordinal) -> DocId {
        self.by_ordinal.get(ordinal as usize).map_or(u32::MAX, |bytes| LittleEndian::read_u32(bytes))
    }

    /// Whether a vector's document may be returned.
    #[inline]
    pub(super) fn accepts(&self, accept: &Accept<'_>, ordinal: Ordinal) -> bool {
        accept.docs().is_none() || accept.accepts(self.raw_doc(ordinal))
    }

    /// The vector of a document, where every document has one.
    #[inline]
    pub(super) fn only_vector(&self, doc: DocId) -> Option<Ordinal> {
        self.by_document.get(doc as usize).map(|bytes| LittleEndian::read_u32(bytes))
    }

    /// The vectors of a document, ascending.
    pub(super) fn ordinals(self, doc: DocId) -> impl Iterator<Item = Ordinal> + 'a {
        let start = self.position(doc, self.guess(doc));
        self.pairs_from(start).take_while(move |pair| pair.0 == doc).map(|pair| pair.1)
    }

    /// Where a document's vectors are in the list by document, or would be; found the faster the nearer `guess` is.
    pub(super) fn position(&self, doc: DocId, guess: usize) -> usize {
        let before = |position: usize| {
            let ordinal = self.by_document.get(position);
            ordinal.is_some_and(|bytes| self.raw_doc(LittleEndian::read_u32(bytes)) < doc)
        };
        partition_near(self.by_document.len(), guess, before)
    }

    /// Where a document would be if vectors were spread evenly.
    pub(super) fn guess(&self, doc: DocId) -> usize {
        (u64::from(doc) * self.len() as u64 / u64::from(self.max_doc.max(1))) as usize
    }

    /// (document, ordinal) pairs in order, from a position on.
    pub(super) fn pairs_from(self, position: usize) -> impl Iterator<Item = (DocId, Ordinal)> + 'a {
        let rest = self.by_document.get(position..).unwrap_or_default();
        rest.iter().map(move |bytes| {
            let ordinal = LittleEndian::read_u32(bytes);
            (self.raw_doc(ordinal), ordinal)
        })
    }
}

/// The first of `0..len` that is not `before`, looked for in growing steps from `guess`, then by halving.
fn partition_near(len: usize, guess: usize, before: impl Fn(usize) -> bool) -> usize {
    let (mut low, mut high, mut step) = (0, len, 1);
    if guess < len && before(guess) {
        low = guess + 1;
        while low + step <= high {
            if !before(low + step - 1) {
                high = low + step - 1;
                break;
            }
            low += step;
            step *= 2;
        }
    } else {
        high = guess.min(len);
        while high > low {
            let probe = high.saturating_sub(step);
            if before(probe) {
                low = probe + 1;
                break;
            }
            high = probe;
            step *= 2;
        }
    }
    while low < high {
        let middle = low + (high - low) / 2;
        if before(middle) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    low
}

#[cfg(test)]
mod tests {
    use super::partition_near;

    #[test]
    fn a_guess_changes_the_way_and_not_the_place() {
        for len in [0, 1, 2, 7, 100] {
            for place in 0..=len {
                for guess in (0..len + 3).chain([usize::MAX / 2]) {
                    assert_eq!(partition_near(len, guess, |at| at < place), place, "{len} {guess}");
                }
            }
        }
    }
}
