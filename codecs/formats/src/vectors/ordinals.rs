//! The `.ord` file: which document a vector belongs to, and which vectors a document has.
//!
//! `documents[n]` gives each ordinal's document. `by_document[n]` lists the ordinals ordered by
//! (document, ordinal): a binary search in it finds a document's vectors, one or many, in memory
//! proportional to the vectors and not to the documents.

use byteorder::{ByteOrder, LittleEndian};
use lucerne_codec::envelope::{self, FOOTER_LEN, FileEntry, HEADER_LEN};
use lucerne_codec::format::{OpenContext, Problem, WriteContext};
use lucerne_codec::{Accept, DocId, FieldInfo, Input, Ordinal, Result};

/// Format name in the file's header.
pub const FORMAT: &str = "ordinals";
/// Version written.
pub const VERSION: u32 = 1;

/// Cost of finding a document's vectors, in vectors compared one after the other.
const LOOKUP: u64 = 8;

/// Writes the maps of the vectors whose documents are `documents`, by ordinal.
pub fn write(context: &WriteContext<'_>, field: &FieldInfo, documents: &[DocId]) -> Result<FileEntry> {
    let mut pairs: Vec<(DocId, Ordinal)> = documents.iter().copied().zip(0..).collect();
    pairs.sort_unstable();
    let mut file = context.create("ord", FORMAT, VERSION, field.number)?;
    file.write_u32s(documents.iter().copied())?;
    file.write_u32s(pairs.iter().map(|pair| pair.1))?;
    file.finish()
}

/// An open `.ord` file. Its numbers are checked where they are used.
#[derive(Debug)]
pub struct OrdinalMap {
    body: Input,
    len: usize,
    max_doc: u32,
}

impl OrdinalMap {
    /// Opens the maps of `len` vectors; only header, footer and length are read.
    pub fn open(context: &OpenContext<'_>, entry: &FileEntry, field: &FieldInfo, len: usize) -> Result<Self> {
        let file = context.open(entry, FORMAT, VERSION, field.number)?;
        let bytes = (len as u64).checked_mul(8);
        if bytes.and_then(|bytes| bytes.checked_add(HEADER_LEN + FOOTER_LEN)) != Some(file.len() as u64) {
            let problem = format!("maps of {len} vectors do not make {} bytes", file.len());
            return Err(file.corrupt(0, problem));
        }
        Ok(Self { body: envelope::body(&file)?, len, max_doc: context.max_doc })
    }

    /// File name.
    pub fn name(&self) -> &str {
        self.body.name()
    }

    /// Bytes of both maps.
    pub fn bytes(&self) -> usize {
        self.body.len()
    }

    fn numbers(&self) -> &[[u8; 4]] {
        self.body.bytes().as_chunks::<4>().0
    }

    /// The document of each ordinal, unchecked little-endian numbers.
    fn documents(&self) -> &[[u8; 4]] {
        self.numbers().get(..self.len).unwrap_or_default()
    }

    fn by_document(&self) -> &[[u8; 4]] {
        self.numbers().get(self.len..).unwrap_or_default()
    }

    /// The document of a vector.
    pub fn doc(&self, ordinal: Ordinal) -> Result<DocId> {
        let doc = self.raw_doc(ordinal);
        if doc < self.max_doc {
            return Ok(doc);
        }
        let problem = if (ordinal as usize) < self.len {
            format!("vector {ordinal} belongs to document {doc} of {}", self.max_doc)
        } else {
            format!("there is no vector {ordinal} of {}", self.len)
        };
        Err(self.body.corrupt(u64::from(ordinal) * 4, problem))
    }

    /// The document as the file has it, `u32::MAX` for an unknown ordinal: for filters, which accept no
    /// document outside the segment.
    #[inline]
    fn raw_doc(&self, ordinal: Ordinal) -> DocId {
        self.documents().get(ordinal as usize).map_or(u32::MAX, |bytes| LittleEndian::read_u32(bytes))
    }

    /// Whether a vector's document may be returned.
    #[inline]
    pub fn accepts(&self, accept: &Accept<'_>, ordinal: Ordinal) -> bool {
        accept.docs().is_none() || accept.accepts(self.raw_doc(ordinal))
    }

    /// The first vector of a document.
    pub fn ordinal(&self, doc: DocId) -> Option<Ordinal> {
        self.ordinals(doc).next()
    }

    /// The vectors of a document, ascending.
    pub fn ordinals(&self, doc: DocId) -> impl Iterator<Item = Ordinal> + '_ {
        let start = self.position(doc, self.guess(doc));
        self.pairs_from(start).take_while(move |pair| pair.0 == doc).map(|pair| pair.1)
    }

    /// How many documents have a vector.
    pub fn count_documents(&self) -> usize {
        let mut last = None;
        self.pairs_from(0).filter(|pair| last.replace(pair.0) != Some(pair.0)).count()
    }

    /// Whether every document has exactly one vector, as far as counts tell.
    pub fn is_dense(&self) -> bool {
        self.len == self.max_doc as usize
    }

    /// Where a document's vectors are in the list by document, or would be; found the faster the nearer `guess` is.
    fn position(&self, doc: DocId, guess: usize) -> usize {
        let pairs = self.by_document();
        let before = |position: usize| {
            pairs.get(position).is_some_and(|bytes| self.raw_doc(LittleEndian::read_u32(bytes)) < doc)
        };
        partition_near(pairs.len(), guess, before)
    }

    /// Where a document would be if vectors were spread evenly.
    fn guess(&self, doc: DocId) -> usize {
        (u64::from(doc) * self.len as u64 / u64::from(self.max_doc.max(1))) as usize
    }

    /// (document, ordinal) pairs in order, from a position on.
    fn pairs_from(&self, position: usize) -> impl Iterator<Item = (DocId, Ordinal)> + '_ {
        let rest = self.by_document().get(position..).unwrap_or_default();
        rest.iter().map(|bytes| {
            let ordinal = LittleEndian::read_u32(bytes);
            (self.raw_doc(ordinal), ordinal)
        })
    }

    /// Calls `visit` with every accepted ordinal that exists. When few of many documents are accepted the
    /// documents are looked up one by one, otherwise all vectors are asked.
    pub fn for_each_accepted(
        &self,
        accept: &Accept<'_>,
        mut visit: impl FnMut(Ordinal) -> Result<()>,
    ) -> Result<()> {
        match accept.docs() {
            Some(docs) if u64::from(accept.count()) * LOOKUP < self.len as u64 => {
                let mut moved = 0i64;
                for doc in docs.iter() {
                    // What the last guess missed by, the next one probably does too.
                    let guess = self.guess(doc);
                    let start = self.position(doc, (guess as i64 + moved).max(0) as usize);
                    moved = start as i64 - guess as i64;
                    for (_, ordinal) in self.pairs_from(start).take_while(|pair| pair.0 == doc) {
                        visit(ordinal)?;
                    }
                }
            }
            _ => {
                for ordinal in 0..self.len as u32 {
                    if self.accepts(accept, ordinal) {
                        visit(ordinal)?;
                    }
                }
            }
        }
        Ok(())
    }

    /// Replaces the content of `into` by up to `count` accepted vectors from all over the documents.
    pub fn spread(&self, accept: &Accept<'_>, count: usize, into: &mut Vec<Ordinal>) {
        into.clear();
        let words = accept.docs().map_or(&[][..], |docs| docs.words());
        let part_len = words.len().div_ceil(count.max(1)).max(1);
        for (part, words) in words.chunks(part_len).enumerate() {
            let found = words.iter().enumerate().find(|(_, word)| **word != 0);
            if let Some((at, word)) = found {
                let doc = ((part * part_len + at) * 64) as DocId + word.trailing_zeros();
                into.extend(self.ordinal(doc));
            }
        }
        into.retain(|&ordinal| (ordinal as usize) < self.len);
    }

    /// Checks that every document exists, that the two maps agree, and that only in a field of several vectors a
    /// document (`multiple`) a document has more than one.
    pub fn verify(&self, multiple: bool) -> Vec<Problem> {
        let problem = |problem: String| Problem { file: self.name().to_owned(), problem };
        let mut problems = Vec::new();
        for ordinal in 0..self.len as u32 {
            if let Err(error) = self.doc(ordinal) {
                problems.push(problem(error.to_string()));
                break;
            }
        }
        let mut last: Option<(DocId, Ordinal)> = None;
        for (doc, ordinal) in self.pairs_from(0) {
            // Strictly ascending pairs of existing ordinals, n of them: a permutation.
            if ordinal as usize >= self.len || last.is_some_and(|last| last >= (doc, ordinal)) {
                problems.push(problem(format!(
                    "the map from documents to vectors is out of order at vector {ordinal}"
                )));
                break;
            }
            if !multiple && last.is_some_and(|last| last.0 == doc) {
                problems.push(problem(format!("document {doc} has several vectors in a field of one")));
                break;
            }
            last = Some((doc, ordinal));
        }
        problems
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
