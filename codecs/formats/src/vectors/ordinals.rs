//! The `.ord` file: which document a vector belongs to, and which vectors a document has.
//!
//! `documents[n]` gives each ordinal's document. `by_document[n]` lists the ordinals ordered by
//! (document, ordinal): a binary search in it finds a document's vectors, one or many, in memory
//! proportional to the vectors and not to the documents. Unless every document has its one vector, the documents follow
//! once more, in order: so that whatever part is damaged follows from the others.

use crate::summed::{self, Kind, SummedFile, SummedWriter};
use byteorder::{ByteOrder, LittleEndian};
use lucerne_codec::envelope::FileEntry;
use lucerne_codec::format::{OpenContext, Problem, WriteContext};
use lucerne_codec::io::bytes::PutLe as _;
use lucerne_codec::{Accept, Cancel, DocId, FieldInfo, Input, Ordinal, Result};

use std::sync::Arc;

/// Format name in the file's header.
pub const FORMAT: &str = "ordinals";
/// Version written.
pub const VERSION: u32 = 1;

fn kind_of(field: &FieldInfo) -> Kind {
    Kind { format: FORMAT, version: VERSION, field: field.number }
}

/// Whether every document of the segment has exactly one vector.
fn is_one_each(field: &FieldInfo, vectors: usize, max_doc: u32) -> bool {
    !field.is_multiple() && vectors == max_doc as usize
}

/// Bytes of the maps.
fn data_len(field: &FieldInfo, vectors: usize, max_doc: u32) -> Option<u64> {
    let numbers = if is_one_each(field, vectors, max_doc) { 2 } else { 3 };
    (vectors as u64).checked_mul(4 * numbers)
}

/// Cost of finding a document's vectors, in vectors compared one after the other.
const LOOKUP: u64 = 8;

/// Writes the maps of the vectors whose documents are `documents`, by ordinal.
pub fn write(context: &WriteContext<'_>, field: &FieldInfo, documents: &[DocId]) -> Result<FileEntry> {
    let mut file = SummedWriter::create(context, "ord", kind_of(field))?;
    file.write(&maps(documents, is_one_each(field, documents.len(), context.max_doc)))?;
    file.finish()
}

/// The maps as they are in the file.
fn maps(documents: &[DocId], one_each: bool) -> Vec<u8> {
    let mut pairs: Vec<(DocId, Ordinal)> = documents.iter().copied().zip(0..).collect();
    pairs.sort_unstable();
    let mut bytes = Vec::with_capacity(documents.len() * 12);
    documents.iter().for_each(|&doc| bytes.put_u32(doc));
    pairs.iter().for_each(|&(_, ordinal)| bytes.put_u32(ordinal));
    if !one_each {
        pairs.iter().for_each(|&(doc, _)| bytes.put_u32(doc));
    }
    bytes
}

/// An open `.ord` file. Its numbers are checked where they are used.
#[derive(Debug)]
pub struct OrdinalMap {
    file: SummedFile,
    len: usize,
    max_doc: u32,
}

impl OrdinalMap {
    /// Opens the maps of `len` vectors; only header, footer and length are read.
    pub fn open(context: &OpenContext<'_>, entry: &FileEntry, field: &FieldInfo, len: usize) -> Result<Self> {
        let what = || format!("maps of {len} vectors");
        let bytes = data_len(field, len, context.max_doc);
        let file = SummedFile::open(context, entry, kind_of(field), bytes, what)?;
        Ok(Self { file, len, max_doc: context.max_doc })
    }

    /// Opens what is left of the file: each number that is damaged follows from the others. `None` for the ordinals of
    /// which it is not known to which documents they belong.
    pub(crate) fn salvage(
        context: &OpenContext<'_>,
        entry: &FileEntry,
        field: &FieldInfo,
        len: usize,
        cancel: &Cancel,
    ) -> Result<(Self, Vec<Option<DocId>>)> {
        let (kind, max_doc) = (kind_of(field), context.max_doc);
        let (file, damage) =
            SummedFile::salvage(context, entry, kind, data_len(field, len, max_doc), cancel)?;
        let map = Self { file, len, max_doc };
        let exists = |doc: Option<DocId>| doc.filter(|doc| *doc < max_doc);
        let own: Vec<Option<DocId>> = map.documents_by(|_| true).into_iter().map(exists).collect();
        if damage.is_none() {
            return Ok((map, own));
        }
        let one_each = is_one_each(field, len, max_doc);
        // Either map may be the damaged one, with everything near it.
        for documents in [own, map.documents_by_rank(one_each, |_| true)] {
            if let Some(all) = documents.iter().copied().collect::<Option<Vec<DocId>>>()
                && summed::was_written(context, entry, kind, &maps(&all, one_each), cancel)?
            {
                return Ok((map.with_documents(&all), documents));
            }
        }
        let whole = |at: usize| !damage.hits(at as u64 * 4, 4);
        let ranked = map.documents_by_rank(one_each, whole);
        let known = map.documents_by(whole).into_iter().zip(ranked).map(|(own, ranked)| own.or(ranked));
        let documents = known.map(exists).collect();
        Ok((map, documents))
    }

    /// The map of these documents.
    pub(crate) fn with_documents(self, documents: &[DocId]) -> Self {
        let data = Input::new(self.name(), Arc::new(maps(documents, true)));
        Self { file: self.file.with_data(data), ..self }
    }

    fn number(&self, at: usize) -> Option<u32> {
        self.numbers().get(at).map(|bytes| LittleEndian::read_u32(bytes))
    }

    /// The document of each ordinal as the first map has it, where its numbers are `whole`.
    fn documents_by(&self, whole: impl Fn(usize) -> bool) -> Vec<Option<DocId>> {
        (0..self.len).map(|at| self.number(at).filter(|_| whole(at))).collect()
    }

    /// The same as the other maps have it.
    fn documents_by_rank(&self, one_each: bool, whole: impl Fn(usize) -> bool) -> Vec<Option<DocId>> {
        let number = |at: usize| self.number(at).filter(|_| whole(at));
        let mut documents = vec![None; self.len];
        for rank in 0..self.len {
            let doc = if one_each { Some(rank as DocId) } else { number(2 * self.len + rank) };
            let ordinal = number(self.len + rank);
            if let Some(slot) = ordinal.and_then(|ordinal| documents.get_mut(ordinal as usize)) {
                *slot = doc;
            }
        }
        documents
    }

    fn body(&self) -> &Input {
        &self.file.data
    }

    /// File name.
    pub fn name(&self) -> &str {
        self.body().name()
    }

    /// Bytes of all maps.
    pub fn bytes(&self) -> usize {
        self.body().len()
    }

    fn numbers(&self) -> &[[u8; 4]] {
        self.body().bytes().as_chunks::<4>().0
    }

    /// The document of each ordinal, unchecked little-endian numbers.
    fn documents(&self) -> &[[u8; 4]] {
        self.numbers().get(..self.len).unwrap_or_default()
    }

    fn by_document(&self) -> &[[u8; 4]] {
        self.numbers().get(self.len..2 * self.len).unwrap_or_default()
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
        Err(self.body().corrupt(u64::from(ordinal) * 4, problem))
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
    pub fn verify(&self, multiple: bool, cancel: &Cancel) -> Result<Vec<Problem>> {
        let problem = |problem: String| Problem { file: self.name().to_owned(), problem };
        let mut problems: Vec<Problem> = self.file.verify(cancel)?.into_iter().collect();
        let mut in_order = self.numbers().get(2 * self.len..).unwrap_or_default().iter();
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
            if in_order.next().is_some_and(|bytes| LittleEndian::read_u32(bytes) != doc) {
                problems.push(problem(format!("vector {ordinal} belongs to document {doc} in one map only")));
                break;
            }
            last = Some((doc, ordinal));
        }
        Ok(problems)
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
