//! The `.ord` file: which document a vector belongs to, and which vectors a document has.
//!
//! `documents[n]` gives each ordinal's document. `by_document[n]` lists the ordinals ordered by
//! (document, ordinal): a binary search in it finds a document's vectors, one or many, in memory
//! proportional to the vectors and not to the documents. All of it follows from `documents`, which are in another file
//! (`spare`), too.

use super::documents::Documents;
use super::spare;
use crate::summed::{self, Kind};
use byteorder::{ByteOrder, LittleEndian};
use lucerne_codec::envelope::{self, FOOTER_LEN, FileEntry, HEADER_LEN};
use lucerne_codec::format::{OpenContext, Problem, WriteContext};
use lucerne_codec::io::bytes::{PutLe as _, u32_at};
use lucerne_codec::{Accept, DocId, Error, FieldInfo, Input, Ordinal, Result};
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

/// Writes the maps of the vectors whose documents are `documents`, by ordinal.
pub fn write(context: &WriteContext<'_>, field: &FieldInfo, documents: &[DocId]) -> Result<FileEntry> {
    let mut file = context.create("ord", FORMAT, VERSION, field.number)?;
    file.write(&maps(documents))?;
    file.finish()
}

/// The maps as they are in the file.
fn maps(documents: &[DocId]) -> Vec<u8> {
    let mut pairs: Vec<(DocId, Ordinal)> = documents.iter().copied().zip(0..).collect();
    pairs.sort_unstable();
    let mut bytes = spare::documents(documents);
    pairs.iter().for_each(|&(_, ordinal)| bytes.put_u32(ordinal));
    bytes
}

/// An open `.ord` file. Its numbers are checked where they are used.
#[derive(Debug)]
pub struct OrdinalMap {
    body: Input,
    /// The documents once more.
    spare: Input,
    len: usize,
    max_doc: u32,
    /// Whether every document has exactly one vector.
    one_each: bool,
}

impl OrdinalMap {
    /// Opens the maps of `len` vectors, with their documents as they are in another file; only header, footer and length are
    /// read.
    pub fn open(
        context: &OpenContext<'_>,
        entry: &FileEntry,
        field: &FieldInfo,
        len: usize,
        spare: Input,
    ) -> Result<Self> {
        let body = envelope::body(&context.open(entry, FORMAT, VERSION, field.number)?)?;
        if body.len() as u64 != 8 * len as u64 {
            return Err(body.corrupt(0, format!("maps of {len} vectors do not make {} bytes", body.len())));
        }
        if spare.len() as u64 != 4 * len as u64 {
            return Err(spare.corrupt(0, format!("too short for the documents of {len} vectors")));
        }
        let one_each = is_one_each(field, len, context.max_doc);
        Ok(Self { body, spare, len, max_doc: context.max_doc, one_each })
    }

    /// Opens what is left of the maps. `None` for the ordinals of which it is not known to which documents they belong.
    pub(crate) fn salvage(
        context: &OpenContext<'_>,
        entry: &FileEntry,
        field: &FieldInfo,
        len: usize,
        spare: Input,
    ) -> Result<(Self, Vec<Option<DocId>>)> {
        let (kind, max_doc) = (kind_of(field), context.max_doc);
        if entry.len.checked_sub(HEADER_LEN + FOOTER_LEN) != Some(8 * len as u64) {
            return Err(Error::corrupt(&entry.name, 0, format!("maps of {len} vectors do not make it")));
        }
        let (body, one_each) = (summed::body_there(context, entry, kind)?, is_one_each(field, len, max_doc));
        let map = Self { body, spare, len, max_doc, one_each };
        let ranked = if one_each { map.documents_by_rank() } else { vec![None; len] };
        let exists = |doc: Option<DocId>| doc.filter(|doc| *doc < max_doc);
        let read = |from: &Input| (0..len).map(|at| exists(u32_at(from.bytes(), at))).collect();
        let found: [Vec<Option<DocId>>; 3] = [read(&map.body), ranked, read(&map.spare)];
        for documents in &found {
            if let Some(all) = documents.iter().copied().collect::<Option<Vec<DocId>>>()
                && summed::was_written(context, entry, kind, &maps(&all))?
            {
                return Ok((map, documents.clone()));
            }
        }
        // All are damaged: known is what two of them say.
        let [own, ranked, spare] = &found;
        let agreed = own.iter().zip(ranked).zip(spare).map(|((own, ranked), spare)| match own {
            Some(_) if own == ranked || own == spare => *own,
            _ => spare.filter(|_| spare == ranked),
        });
        let documents = agreed.collect();
        Ok((map, documents))
    }

    /// The map of these documents.
    pub(crate) fn with_documents(self, documents: &[DocId]) -> Self {
        let body = Input::new(self.name(), Arc::new(maps(documents)));
        // Lost vectors may be counted to documents that have another.
        Self { body, one_each: false, ..self }
    }

    /// The document of each ordinal as the other map has it, where every document has one vector.
    fn documents_by_rank(&self) -> Vec<Option<DocId>> {
        let mut documents = vec![None; self.len];
        for (rank, ordinal) in (0..).zip(self.by_document()) {
            if let Some(slot) = documents.get_mut(LittleEndian::read_u32(ordinal) as usize) {
                *slot = Some(rank);
            }
        }
        documents
    }

    fn body(&self) -> &Input {
        &self.body
    }

    /// File name.
    pub fn name(&self) -> &str {
        self.body().name()
    }

    /// Bytes of all maps.
    pub fn bytes(&self) -> usize {
        self.body().len()
    }

    /// The maps where they lie in memory, for many look-ups.
    pub(super) fn documents(&self) -> Documents<'_> {
        let numbers = self.body().bytes().as_chunks::<4>().0;
        Documents::new(numbers, self.len, self.max_doc, self.one_each)
    }

    fn by_document(&self) -> &[[u8; 4]] {
        self.body().bytes().as_chunks::<4>().0.get(self.len..2 * self.len).unwrap_or_default()
    }

    /// The document of a vector.
    pub fn doc(&self, ordinal: Ordinal) -> Result<DocId> {
        let doc = self.documents().raw_doc(ordinal);
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

    /// Hints that the document of a vector will be asked for.
    #[inline]
    pub fn prefetch(&self, ordinal: Ordinal) {
        self.documents().prefetch(ordinal);
    }

    /// The first vector of a document.
    pub fn ordinal(&self, doc: DocId) -> Option<Ordinal> {
        self.ordinals(doc).next()
    }

    /// The vectors of a document, ascending.
    pub fn ordinals(&self, doc: DocId) -> impl Iterator<Item = Ordinal> + '_ {
        self.documents().ordinals(doc)
    }

    /// How many documents have a vector.
    pub fn count_documents(&self) -> usize {
        let mut last = None;
        self.documents().pairs_from(0).filter(|pair| last.replace(pair.0) != Some(pair.0)).count()
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

    /// Checks that every document exists, that the maps agree, and that only in a field of several vectors a
    /// document (`multiple`) a document has more than one.
    pub fn verify(&self, multiple: bool) -> Result<Vec<Problem>> {
        let problem = |problem: String| Problem { file: self.name().to_owned(), problem };
        let mut problems = Vec::new();
        if self.spare.bytes() != self.documents().by_ordinal().as_flattened() {
            let problem = format!("its documents are not those of {}", self.name());
            problems.push(Problem { file: self.spare.name().to_owned(), problem });
        }
        for ordinal in 0..self.len as u32 {
            if let Err(error) = self.doc(ordinal) {
                problems.push(problem(error.to_string()));
                break;
            }
        }
        let mut last: Option<(DocId, Ordinal)> = None;
        for (doc, ordinal) in self.documents().pairs_from(0) {
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
        Ok(problems)
    }
}
