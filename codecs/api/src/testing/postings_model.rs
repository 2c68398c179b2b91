//! Postings as plain maps: what a format is held against.

use crate::postings::{PostingsField, PostingsReader, PostingsSource};
use crate::{DocId, DocMap, Result};
use std::collections::BTreeMap;

/// A field: its documents' lengths, and the positions of each term in each document.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ModelField {
    /// Whether there are positions.
    pub positions: bool,
    /// Tokens of each document; empty without positions.
    pub lengths: Vec<u32>,
    /// By term, ascending documents with their positions.
    pub terms: BTreeMap<Vec<u8>, Vec<(DocId, Vec<u32>)>>,
}

/// The postings of a segment.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ModelPostings {
    /// Documents.
    pub max_doc: u32,
    /// By number.
    pub fields: BTreeMap<u32, ModelField>,
}

/// Numbers that are the same in every run.
pub struct Random(pub u64);

impl Random {
    /// A number below `bound`.
    pub fn below(&mut self, bound: u32) -> u32 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((self.0 >> 33) % u64::from(bound.max(1))) as u32
    }
}

impl ModelField {
    /// Documents of random tokens: few terms in most documents, most terms in few.
    pub fn random(random: &mut Random, max_doc: u32, terms: u32, positions: bool) -> Self {
        let mut field = Self { positions, ..Self::default() };
        for doc in 0..max_doc {
            let count = match random.below(10) {
                0 => 0,
                1 => random.below(600),
                _ => 1 + random.below(12),
            };
            let mut position = 0;
            for _ in 0..count {
                let (left, right) = (random.below(terms), random.below(terms));
                let number = u64::from(left) * u64::from(right) / u64::from(terms.max(1));
                let term = format!("{}{number}", ["", "t", "term-", "té"][number as usize % 4]);
                let docs = field.terms.entry(term.into_bytes()).or_default();
                if docs.last().is_none_or(|last| last.0 != doc) {
                    docs.push((doc, Vec::new()));
                }
                if positions {
                    docs.last_mut().expect("just pushed").1.push(position);
                }
                position += 1 + random.below(3) * random.below(50);
            }
            field.lengths.extend(positions.then_some(count));
        }
        field
    }

    /// A field of one term in the given documents.
    pub fn of(term: &str, max_doc: u32, docs: &[(DocId, Vec<u32>)]) -> Self {
        let positions = docs.first().is_some_and(|doc| !doc.1.is_empty());
        let mut lengths = vec![0; if positions { max_doc as usize } else { 0 }];
        if positions {
            docs.iter()
                .for_each(|(doc, positions)| lengths[*doc as usize] = positions.len() as u32 + doc % 7);
        }
        Self { positions, lengths, terms: [(term.as_bytes().to_vec(), docs.to_vec())].into() }
    }
}

impl ModelPostings {
    /// Reads everything a reader holds.
    pub fn read(reader: &dyn PostingsReader, max_doc: u32) -> Result<Self> {
        let mut read = Self { max_doc, fields: BTreeMap::new() };
        for field in reader.fields() {
            let postings = reader.field(field.number).expect("a field that is listed");
            let mut model = ModelField { positions: field.positions, ..ModelField::default() };
            if field.positions {
                model.lengths = (0..max_doc).map(|doc| postings.lengths().get(doc)).collect();
            }
            let mut terms = postings.terms(&[])?;
            while let Some((term, entry)) = terms.next()? {
                let mut cursor = postings.cursor(&entry)?;
                let mut docs = Vec::new();
                while cursor.doc() != crate::postings::NO_MORE_DOCS {
                    let mut positions = Vec::new();
                    cursor.positions(&mut positions)?;
                    docs.push((cursor.doc(), positions));
                    cursor.advance()?;
                }
                model.terms.insert(term.to_vec(), docs);
            }
            read.fields.insert(field.number, model);
        }
        Ok(read)
    }

    /// Without what a format leaves out: terms without documents, fields without terms.
    pub fn written(mut self) -> Self {
        self.fields.values_mut().for_each(|field| field.terms.retain(|_, docs| !docs.is_empty()));
        self.fields.retain(|_, field| !field.terms.is_empty());
        self
    }

    /// The live documents of all of `sources`, where the maps send them.
    pub fn merged(sources: &[(&Self, &DocMap)], max_doc: u32) -> Self {
        let mut merged = Self { max_doc, fields: BTreeMap::new() };
        for (source, map) in sources {
            for (number, field) in &source.fields {
                let to = merged.fields.entry(*number).or_default();
                to.positions |= field.positions;
                to.lengths.resize(if to.positions { max_doc as usize } else { 0 }, 0);
                for (old, length) in (0..).zip(&field.lengths) {
                    map.get(old).into_iter().for_each(|new| to.lengths[new as usize] = *length);
                }
                for (term, docs) in &field.terms {
                    let live = docs.iter().filter_map(|(old, at)| Some((map.get(*old)?, at.clone())));
                    to.terms.entry(term.clone()).or_default().extend(live);
                }
            }
        }
        merged
    }

    /// The model as a source.
    pub fn source(&self) -> ModelSource<'_> {
        ModelSource {
            fields: self.fields.iter().collect::<Vec<_>>().into_iter(),
            field: None,
            terms: NO_TERMS.iter(),
            docs: [].iter(),
        }
    }
}

static NO_TERMS: BTreeMap<Vec<u8>, Vec<(DocId, Vec<u32>)>> = BTreeMap::new();

/// Yields a model.
pub struct ModelSource<'a> {
    fields: std::vec::IntoIter<(&'a u32, &'a ModelField)>,
    field: Option<&'a ModelField>,
    terms: std::collections::btree_map::Iter<'a, Vec<u8>, Vec<(DocId, Vec<u32>)>>,
    docs: std::slice::Iter<'a, (DocId, Vec<u32>)>,
}

impl PostingsSource for ModelSource<'_> {
    fn next_field(&mut self) -> Result<Option<PostingsField>> {
        let Some((number, field)) = self.fields.next() else { return Ok(None) };
        self.field = Some(field);
        self.terms = field.terms.iter();
        let positions = field.positions;
        Ok(Some(PostingsField { number: *number, name: format!("field {number}"), positions }))
    }

    fn lengths(&self) -> &[u32] {
        self.field.map_or(&[], |field| &field.lengths)
    }

    fn next_term(&mut self) -> Result<Option<&[u8]>> {
        let Some((term, docs)) = self.terms.next() else { return Ok(None) };
        self.docs = docs.iter();
        Ok(Some(term))
    }

    fn next_doc(&mut self, positions: &mut Vec<u32>) -> Result<Option<DocId>> {
        positions.clear();
        let Some((doc, at)) = self.docs.next() else { return Ok(None) };
        positions.extend_from_slice(at);
        Ok(Some(*doc))
    }
}
