//! Terms in memory, on their way into a segment.

use crate::document::Validated;
use crate::document::dynamic::DYNAMIC_FIELD;
use crate::error::Result;
use crate::schema::Schema;
use lucerne_codec::format::WriteContext;
use lucerne_codec::postings::{PostingsField, PostingsSource};
use lucerne_codec::segment_info::StructureInfo;
use lucerne_codec::{DocId, Registry};
use std::collections::{BTreeMap, HashMap};

/// Bytes a different term takes beside its own: map entry, allocation.
const BYTES_PER_TERM: usize = 64;
/// Bytes an occurrence takes now and will take while it is flushed.
const BYTES_PER_OCCURRENCE: usize = 16;

/// The terms of all fields, by field number.
#[derive(Debug, Default)]
pub(crate) struct TermsBuffer {
    fields: BTreeMap<u32, FieldTerms>,
}

/// The terms of one field. Each term has a number, and its bytes are kept once; occurrences are kept in the order of
/// documents.
#[derive(Debug, Default)]
pub(crate) struct FieldTerms {
    numbers: HashMap<Box<[u8]>, u32>,
    /// The number and position of each occurrence.
    occurrences: Vec<(u32, u32)>,
    /// The documents that have any, and where their occurrences end.
    docs: Vec<(DocId, usize)>,
}

impl FieldTerms {
    /// Adds a document's terms with their positions; returns the bytes they take.
    fn add<'a>(&mut self, doc: DocId, terms: impl Iterator<Item = (&'a [u8], u32)>) -> usize {
        let before = self.occurrences.len();
        let mut bytes = 0;
        for (term, position) in terms {
            let number = match self.numbers.get(term) {
                Some(number) => *number,
                None => {
                    let number = self.numbers.len() as u32;
                    self.numbers.insert(term.into(), number);
                    bytes += term.len() + BYTES_PER_TERM;
                    number
                }
            };
            self.occurrences.push((number, position));
        }
        let added = self.occurrences.len() - before;
        if added > 0 {
            self.docs.push((doc, self.occurrences.len()));
        }
        bytes + added * BYTES_PER_OCCURRENCE
    }

    /// Each document with its occurrences.
    fn by_document(&self) -> impl Iterator<Item = (DocId, &[(u32, u32)])> {
        let mut start = 0;
        self.docs.iter().map(move |&(doc, end)| {
            let own = self.occurrences.get(start..end).unwrap_or_default();
            start = end;
            (doc, own)
        })
    }

    /// The terms in order of their bytes, with their numbers.
    fn sorted(&self) -> Vec<(&[u8], u32)> {
        let mut terms: Vec<(&[u8], u32)> =
            self.numbers.iter().map(|(term, number)| (&**term, *number)).collect();
        terms.sort_unstable();
        terms
    }

    /// The different terms in order, and each document's as ascending positions among them.
    pub(super) fn column(&self) -> (Vec<DocId>, Vec<u32>, Vec<Box<str>>) {
        let sorted = self.sorted();
        let mut rank = vec![0u32; sorted.len()];
        for (place, (_, number)) in (0..).zip(&sorted) {
            if let Some(rank) = rank.get_mut(*number as usize) {
                *rank = place;
            }
        }
        let (mut docs, mut ordinals, mut own) = (Vec::new(), Vec::new(), Vec::new());
        for (doc, occurrences) in self.by_document() {
            own.clear();
            own.extend(occurrences.iter().filter_map(|(number, _)| rank.get(*number as usize)));
            own.sort_unstable();
            own.dedup();
            docs.extend(own.iter().map(|_| doc));
            ordinals.extend_from_slice(&own);
        }
        let dictionary = sorted.iter().map(|(term, _)| String::from_utf8_lossy(term).into()).collect();
        (docs, ordinals, dictionary)
    }
}

impl TermsBuffer {
    /// Adds a document's terms; returns the bytes they take.
    pub(super) fn push(&mut self, doc: DocId, document: &Validated) -> usize {
        let indexed = &document.indexed;
        let mut bytes = 0;
        for (field, tokens) in indexed.texts.iter().filter(|(_, tokens)| !tokens.is_empty()) {
            let terms = tokens.iter().map(|(term, position)| (term.as_bytes(), position));
            bytes += self.fields.entry(*field).or_default().add(doc, terms);
        }
        let mut rest = &*indexed.keywords;
        while let Some((field, _)) = rest.first() {
            let own = rest.iter().take_while(|(other, _)| other == field).count();
            let (own, tail) = rest.split_at(own);
            let terms = own.iter().map(|(_, value)| (value.as_bytes(), 0));
            bytes += self.fields.entry(*field).or_default().add(doc, terms);
            rest = tail;
        }
        if !indexed.dynamic.is_empty() {
            let terms = indexed.dynamic.iter().map(|term| (&**term, 0));
            bytes += self.fields.entry(DYNAMIC_FIELD).or_default().add(doc, terms);
        }
        bytes
    }

    pub(super) fn is_empty(&self) -> bool {
        self.fields.is_empty()
    }

    pub(super) fn field(&self, number: u32) -> Option<&FieldTerms> {
        self.fields.get(&number)
    }

    /// The terms of all fields in the order a format reads them.
    pub(super) fn source<'a>(&'a self, schema: &'a Schema, max_doc: u32) -> TermsSource<'a> {
        TermsSource {
            schema,
            max_doc,
            fields: self.fields.iter(),
            positions: false,
            lengths: Vec::new(),
            terms: Vec::new().into_iter(),
            starts: Vec::new(),
            sorted_occurrences: Vec::new(),
            rest: 0..0,
        }
    }
}

/// Terms sorted by field, term and document.
pub(crate) struct TermsSource<'a> {
    schema: &'a Schema,
    max_doc: u32,
    fields: std::collections::btree_map::Iter<'a, u32, FieldTerms>,
    positions: bool,
    lengths: Vec<u32>,
    terms: std::vec::IntoIter<(&'a [u8], u32)>,
    /// Where each term's occurrences begin, by number; one more at the end.
    starts: Vec<usize>,
    /// Document and position of each occurrence, by term, then in order.
    sorted_occurrences: Vec<(DocId, u32)>,
    /// What is left of the term's occurrences.
    rest: std::ops::Range<usize>,
}

impl TermsSource<'_> {
    /// Counting sort by term: stable, so that documents and positions stay in order.
    fn sort(&mut self, field: &FieldTerms) {
        self.starts.clear();
        self.starts.resize(field.numbers.len() + 1, 0);
        for (number, _) in &field.occurrences {
            if let Some(count) = self.starts.get_mut(*number as usize + 1) {
                *count += 1;
            }
        }
        let mut sum = 0;
        for start in &mut self.starts {
            sum += *start;
            *start = sum;
        }
        let mut next = self.starts.clone();
        self.sorted_occurrences.clear();
        self.sorted_occurrences.resize(field.occurrences.len(), (0, 0));
        for (doc, occurrences) in field.by_document() {
            for (number, position) in occurrences {
                let Some(next) = next.get_mut(*number as usize) else { continue };
                if let Some(place) = self.sorted_occurrences.get_mut(*next) {
                    *place = (doc, *position);
                }
                *next += 1;
            }
        }
    }
}

impl PostingsSource for TermsSource<'_> {
    fn next_field(&mut self) -> lucerne_codec::Result<Option<PostingsField>> {
        let Some((&number, field)) = self.fields.next() else { return Ok(None) };
        let declared = self.schema.fields().get(number as usize);
        let name = declared.map_or("", |field| field.name());
        let text =
            |field: &crate::schema::Field| matches!(field.field_type(), crate::schema::FieldType::Text(_));
        self.positions = declared.is_some_and(text);
        self.lengths.clear();
        if self.positions {
            self.lengths.resize(self.max_doc as usize, 0);
            for (doc, occurrences) in field.by_document() {
                if let Some(length) = self.lengths.get_mut(doc as usize) {
                    *length = occurrences.len() as u32;
                }
            }
        }
        self.sort(field);
        self.terms = field.sorted().into_iter();
        self.rest = 0..0;
        Ok(Some(PostingsField { number, name: name.to_owned(), positions: self.positions }))
    }

    fn lengths(&self) -> &[u32] {
        &self.lengths
    }

    fn next_term(&mut self) -> lucerne_codec::Result<Option<&[u8]>> {
        let Some((term, number)) = self.terms.next() else { return Ok(None) };
        let at = number as usize;
        let bound = |at: usize| self.starts.get(at).copied().unwrap_or(0);
        self.rest = bound(at)..bound(at + 1);
        Ok(Some(term))
    }

    fn next_doc(&mut self, positions: &mut Vec<u32>) -> lucerne_codec::Result<Option<DocId>> {
        positions.clear();
        let Some(&(doc, _)) = self.sorted_occurrences.get(self.rest.start).filter(|_| !self.rest.is_empty())
        else {
            return Ok(None);
        };
        let rest = self.sorted_occurrences.get(self.rest.clone()).unwrap_or_default();
        let own = rest.iter().take_while(|(other, _)| *other == doc).count();
        if self.positions {
            positions.extend(rest.iter().take(own).map(|(_, position)| *position));
            // An analyzer may go back; formats take ascending positions only.
            positions.sort_unstable();
        }
        self.rest.start += own;
        Ok(Some(doc))
    }
}

/// Writes the terms of a buffer, if there are any.
pub(in crate::writer) fn write(
    registry: &Registry,
    context: &WriteContext<'_>,
    schema: &Schema,
    terms: &TermsBuffer,
) -> Result<Option<StructureInfo>> {
    if terms.is_empty() {
        return Ok(None);
    }
    let format = registry.default_postings()?;
    let written = format.write(context, &mut terms.source(schema, context.max_doc))?;
    Ok(Some(StructureInfo::new(format.name(), written)))
}
