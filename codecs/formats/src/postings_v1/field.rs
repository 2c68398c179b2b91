//! The postings of one field.

use super::dictionary::Dictionary;
use super::lists::{Lists, OnlyDoc};
use super::meta::FieldMeta;
use super::spellings::Spellings;
use super::{Handle, has_members};
use lucerne_codec::postings::{
    Blocks, FieldPostings, FieldStats, FoundTerms, Lengths, Members, OneEdit, TermEntry, Terms,
};
use lucerne_codec::{BitSet, Cancel, Input, Result};

/// One field of a segment, open for reading.
pub(super) struct Field {
    pub(super) meta: FieldMeta,
    pub(super) dictionary: Dictionary,
    pub(super) spellings: Option<Spellings>,
    pub(super) lists: Lists,
    pub(super) lengths: Option<Input>,
}

impl FieldPostings for Field {
    fn stats(&self) -> FieldStats {
        self.meta.stats
    }

    fn term(&self, term: &[u8]) -> Result<Option<TermEntry>> {
        self.dictionary.get(term)
    }

    fn terms(&self, from: &[u8]) -> Result<Box<dyn Terms + '_>> {
        Ok(Box::new(self.dictionary.terms(from)?))
    }

    fn blocks(&self, term: &TermEntry) -> Result<Box<dyn Blocks + '_>> {
        Ok(match Handle::decode(term.handle) {
            Handle::List(at) => Box::new(self.lists.list(at, term)?),
            Handle::Inline { doc, position } => {
                let position = self.meta.field.positions.then_some(position);
                Box::new(OnlyDoc { doc, position, length: self.lengths().get(doc) })
            }
        })
    }

    fn add_docs(&self, term: &TermEntry, cancel: &Cancel, into: &mut BitSet) -> Result<()> {
        match Handle::decode(term.handle) {
            Handle::List(at) => self.lists.list(at, term)?.add_docs(cancel, into),
            Handle::Inline { doc, .. } => {
                into.insert(doc);
                Ok(())
            }
        }
    }

    fn members(&self, term: &TermEntry) -> Result<Option<Members<'_>>> {
        match Handle::decode(term.handle) {
            Handle::List(at) if has_members(term.doc_freq, self.lists.max_doc) => {
                Ok(self.lists.list(at, term)?.members)
            }
            _ => Ok(None),
        }
    }

    fn one_edit_from(&self, word: &str, edit: OneEdit) -> Result<Option<FoundTerms>> {
        let Some(spellings) = &self.spellings else { return Ok(None) };
        spellings.near(&self.dictionary, word, edit)
    }

    fn lengths(&self) -> Lengths<'_> {
        match (&self.lengths, self.meta.lengths) {
            (Some(bytes), Some(at)) => Lengths::new(bytes.bytes(), at.width.into()),
            _ => Lengths::new(&[], 1),
        }
    }
}
