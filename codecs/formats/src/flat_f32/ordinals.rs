//! The `.ord` file: which document a vector belongs to, and which vectors a document has.
//!
//! `documents[n]` gives each ordinal's document. `by_document[n]` lists the ordinals ordered by
//! (document, ordinal): a binary search in it finds a document's vectors, one or many, in memory
//! proportional to the vectors and not to the documents.

use lucerne_codec::envelope::{self, Expected, FOOTER_LEN, FileEntry, HEADER_LEN};
use lucerne_codec::vector::{OpenContext, Problem, WriteContext};
use lucerne_codec::{Accept, DocId, FieldInfo, Input, Ordinal, Result};

/// Format name in the file's header.
pub const FORMAT: &str = "ordinals";
/// Version written.
pub const VERSION: u32 = 1;

/// Writes the maps of the vectors whose documents are `documents`, by ordinal.
pub fn write(context: &WriteContext<'_>, field: &FieldInfo, documents: &[DocId]) -> Result<FileEntry> {
    let mut pairs: Vec<(DocId, Ordinal)> = documents.iter().copied().zip(0..).collect();
    pairs.sort_unstable();
    let mut file = context.create("ord", FORMAT, VERSION, field.number)?;
    write_numbers(&mut file, documents.iter().copied())?;
    write_numbers(&mut file, pairs.iter().map(|pair| pair.1))?;
    file.finish()
}

fn write_numbers(file: &mut envelope::EnvelopeWriter, numbers: impl Iterator<Item = u32>) -> Result<()> {
    let mut buffer = Vec::with_capacity(1 << 14);
    for number in numbers {
        buffer.extend_from_slice(&number.to_le_bytes());
        if buffer.len() >= 1 << 14 {
            file.write(&buffer)?;
            buffer.clear();
        }
    }
    file.write(&buffer)
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
        let expected = Expected {
            format: FORMAT,
            versions: (VERSION, VERSION),
            segment: context.segment_id,
            field: field.number,
        };
        let (file, _) = envelope::open_entry(context.directory, entry, expected)?;
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
        let problem = match (ordinal as usize) < self.len {
            true => format!("vector {ordinal} belongs to document {doc} of {}", self.max_doc),
            false => format!("there is no vector {ordinal} of {}", self.len),
        };
        Err(self.body.corrupt(u64::from(ordinal) * 4, problem))
    }

    /// The document as the file has it, `u32::MAX` for an unknown ordinal: for filters, which accept no
    /// document outside the segment.
    #[inline]
    fn raw_doc(&self, ordinal: Ordinal) -> DocId {
        self.documents().get(ordinal as usize).map_or(u32::MAX, |bytes| u32::from_le_bytes(*bytes))
    }

    /// Whether a vector's document may be returned.
    #[inline]
    pub fn accepts(&self, accept: &Accept<'_>, ordinal: Ordinal) -> bool {
        accept.docs().is_none() || accept.accepts(self.raw_doc(ordinal))
    }

    /// The first vector of a document.
    pub fn ordinal(&self, doc: DocId) -> Option<Ordinal> {
        self.ordinals_from(doc).next().filter(|found| found.0 == doc).map(|found| found.1)
    }

    /// (document, ordinal) pairs in order, from document `doc` on.
    fn ordinals_from(&self, doc: DocId) -> impl Iterator<Item = (DocId, Ordinal)> + '_ {
        let pairs = self.by_document();
        let start = pairs.partition_point(|bytes| self.raw_doc(u32::from_le_bytes(*bytes)) < doc);
        let rest = pairs.get(start..).unwrap_or_default();
        rest.iter().map(|bytes| {
            let ordinal = u32::from_le_bytes(*bytes);
            (self.raw_doc(ordinal), ordinal)
        })
    }

    /// Calls `visit` with every accepted ordinal that exists. When few of many documents are accepted the
    /// documents are looked up one by one, otherwise the vectors are gone through.
    pub fn for_each_accepted(
        &self,
        accept: &Accept<'_>,
        mut visit: impl FnMut(Ordinal) -> Result<()>,
    ) -> Result<()> {
        let lookups = u64::from(accept.count()) * u64::from((self.len as u32 | 1).ilog2() + 1);
        match accept.docs() {
            Some(docs) if lookups < self.len as u64 => {
                for doc in docs.iter() {
                    for (_, ordinal) in self.ordinals_from(doc).take_while(|pair| pair.0 == doc) {
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

    /// Checks that every document exists and that the two maps agree.
    pub fn verify(&self) -> Vec<Problem> {
        let problem = |problem: String| Problem { file: self.name().to_owned(), problem };
        let mut problems = Vec::new();
        for ordinal in 0..self.len as u32 {
            if let Err(error) = self.doc(ordinal) {
                problems.push(problem(error.to_string()));
                break;
            }
        }
        let mut last = None;
        for (doc, ordinal) in self.ordinals_from(0) {
            // Strictly ascending pairs of existing ordinals, n of them: a permutation.
            if ordinal as usize >= self.len || last.is_some_and(|last| last >= (doc, ordinal)) {
                problems.push(problem(format!(
                    "the map from documents to vectors is out of order at vector {ordinal}"
                )));
                break;
            }
            last = Some((doc, ordinal));
        }
        problems
    }
}
