//! The terms of several segments as those of one.

use super::{FieldPostings, PostingsCursor, PostingsField, PostingsReader, PostingsSource, Terms};
use crate::{Cancel, DocId, DocMap, Error, MergeInput, Result};

/// Live documents of all inputs, field by field, term by term.
pub struct MergedPostings<'a> {
    inputs: Vec<MergeInput<'a, dyn PostingsReader>>,
    max_doc: u32,
    cancel: &'a Cancel,
    fields: std::vec::IntoIter<PostingsField>,
    lengths: Vec<u32>,
    /// The inputs that have the field, each on its next term.
    open: Vec<Open<'a>>,
    term: Vec<u8>,
    /// Cursors of the inputs that hold the term, the next to be read last.
    cursors: Vec<(&'a DocMap, PostingsCursor<'a>)>,
}

struct Open<'a> {
    field: &'a dyn FieldPostings,
    docs: &'a DocMap,
    terms: Box<dyn Terms + 'a>,
    /// The next term, if any, and where its documents are.
    next: Option<(Vec<u8>, super::TermEntry)>,
}

impl Open<'_> {
    fn step(&mut self) -> Result<()> {
        let spare = self.next.take().map(|(term, _)| term).unwrap_or_default();
        self.next = self.terms.next()?.map(|(term, entry)| {
            let mut own = spare;
            own.clear();
            own.extend_from_slice(term);
            (own, entry)
        });
        Ok(())
    }
}

impl<'a> MergedPostings<'a> {
    /// Merges `inputs` into a segment of `max_doc` documents.
    pub fn new(inputs: &[MergeInput<'a, dyn PostingsReader>], max_doc: u32, cancel: &'a Cancel) -> Self {
        let mut fields: Vec<PostingsField> = Vec::new();
        for field in inputs.iter().filter_map(|input| input.reader).flat_map(PostingsReader::fields) {
            match fields.iter_mut().find(|known| known.number == field.number) {
                Some(known) => known.positions |= field.positions,
                None => fields.push(field.clone()),
            }
        }
        fields.sort_by_key(|field| field.number);
        Self {
            inputs: inputs.to_vec(),
            max_doc,
            cancel,
            fields: fields.into_iter(),
            lengths: Vec::new(),
            open: Vec::new(),
            term: Vec::new(),
            cursors: Vec::new(),
        }
    }

    fn read_lengths(&mut self) -> Result<()> {
        self.lengths.resize(self.max_doc as usize, 0);
        for open in &self.open {
            let lengths = open.field.lengths();
            for old in 0..open.docs.len() as DocId {
                let Some(new) = open.docs.get(old) else { continue };
                let length = self.lengths.get_mut(new as usize).ok_or_else(|| beyond(new, self.max_doc))?;
                *length = lengths.get(old);
            }
        }
        Ok(())
    }
}

impl PostingsSource for MergedPostings<'_> {
    fn next_field(&mut self) -> Result<Option<PostingsField>> {
        self.cursors.clear();
        self.open.clear();
        self.lengths.clear();
        let Some(field) = self.fields.next() else { return Ok(None) };
        for input in &self.inputs {
            let Some(postings) = input.reader.and_then(|reader| reader.field(field.number)) else { continue };
            let terms = postings.terms(&[])?;
            let mut open = Open { field: postings, docs: input.docs, terms, next: None };
            open.step()?;
            self.open.push(open);
        }
        if field.positions {
            self.read_lengths()?;
        }
        Ok(Some(field))
    }

    fn lengths(&self) -> &[u32] {
        &self.lengths
    }

    fn next_term(&mut self) -> Result<Option<&[u8]>> {
        self.cancel.check()?;
        self.cursors.clear();
        let least = self.open.iter().filter_map(|open| open.next.as_ref()).map(|(term, _)| term).min();
        let Some(least) = least else { return Ok(None) };
        self.term.clone_from(least);
        // The inputs' documents ascend with the inputs, so the first is to be read first: it goes last.
        for open in self.open.iter_mut().rev() {
            let Some((_, entry)) = open.next.as_ref().filter(|(term, _)| *term == self.term) else {
                continue;
            };
            self.cursors.push((open.docs, open.field.cursor(entry)?));
            open.step()?;
        }
        Ok(Some(&self.term))
    }

    fn next_doc(&mut self, positions: &mut Vec<u32>) -> Result<Option<DocId>> {
        positions.clear();
        while let Some((docs, cursor)) = self.cursors.last_mut() {
            let old = cursor.doc();
            if old == super::NO_MORE_DOCS {
                self.cursors.pop();
                continue;
            }
            let new = docs.get(old);
            if new.is_some() && !self.lengths.is_empty() {
                cursor.positions(positions)?;
            }
            cursor.advance()?;
            if new.is_some() {
                return Ok(new);
            }
        }
        Ok(None)
    }
}

fn beyond(doc: DocId, max_doc: u32) -> Error {
    Error::Invalid(format!("document {doc} of a merge into {max_doc} documents"))
}
