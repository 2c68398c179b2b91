//! Terms of a segment that belong to a set: those near a word, those that match a pattern.

use super::part::Part;
use crate::automata::{Automaton, Dfa, DfaWalk, LevenshteinWalk, Verdict, is_near};
use crate::error::Result;
use lucerne_codec::Cancel;
use lucerne_codec::postings::{FieldPostings, FoundTerms, OneEdit, TermEntry};
use std::sync::Arc;

/// Terms, and keys, looked at between two looks at the cancel flag.
const CANCEL_STEP: usize = 256;

/// A set of terms: those that begin with some bytes and go on with a member.
#[derive(Clone, Debug)]
pub(super) struct TermSet {
    /// All terms of the set begin so.
    pub(super) begin: Vec<u8>,
    pub(super) rest: Rest,
}

/// What follows the beginning of a term.
#[derive(Clone, Debug)]
pub(super) enum Rest {
    Pattern(Arc<Dfa>),
    /// At most `edits` from `word`; `before` characters of the word are in the beginning.
    Near {
        word: String,
        edits: u8,
        transpositions: bool,
        before: usize,
    },
}

impl TermSet {
    fn automaton(&self) -> Box<dyn Automaton + '_> {
        match &self.rest {
            Rest::Pattern(dfa) => Box::new(DfaWalk::new(dfa)),
            Rest::Near { word, edits, transpositions, before } => {
                Box::new(LevenshteinWalk::new(word, *edits, *transpositions, *before))
            }
        }
    }

    /// Calls `each` with the terms of the set that a field has, ascending, and with the edits of each.
    pub(super) fn walk(
        &self,
        postings: &dyn FieldPostings,
        cancel: &Cancel,
        mut each: impl FnMut(&[u8], &TermEntry, u8) -> Result<()>,
    ) -> Result<()> {
        if let Some((found, whole)) = self.spelled(postings)? {
            for (term, entry) in &found {
                each(term, entry, u8::from(*term != whole))?;
            }
            return Ok(());
        }
        let mut automaton = self.automaton();
        let mut terms = postings.terms(&self.begin)?;
        let (mut next, mut done) = (self.begin.clone(), 0);
        while let Some((term, entry)) = terms.next()? {
            cancel.check_every(CANCEL_STEP, done)?;
            done += 1;
            let Some(rest) = term.strip_prefix(&*self.begin) else { return Ok(()) };
            match automaton.test(rest, &mut next) {
                Verdict::Match(edits) => each(term, &entry, edits)?,
                Verdict::No => {}
                Verdict::Skip => {
                    terms.skip_to(&next)?;
                    next.truncate(self.begin.len());
                }
                Verdict::Over => return Ok(()),
            }
        }
        Ok(())
    }

    /// The terms of a set of those at most one edit from a word, and this word, where the format finds them without a walk.
    fn spelled(&self, postings: &dyn FieldPostings) -> Result<Option<(FoundTerms, Vec<u8>)>> {
        let Rest::Near { word, edits: 1, transpositions, before } = &self.rest else { return Ok(None) };
        let Ok(begin) = std::str::from_utf8(&self.begin) else { return Ok(None) };
        let (whole, fixed, own) = ([begin, word].concat(), begin.chars().count(), word.chars().count());
        let edit = OneEdit { fixed, swaps: *transpositions };
        let Some(mut found) = postings.one_edit_from(&whole, edit)? else { return Ok(None) };
        found.retain(|(term, _)| {
            let len = std::str::from_utf8(term).map_or(0, |term| term.chars().count());
            is_near(u8::from(term != whole.as_bytes()), before + own.min(len.saturating_sub(fixed)))
        });
        Ok(Some((found, whole.into_bytes())))
    }

    /// Calls `found` with the documents whose keys are in the set. There is no order of keys to skip by.
    pub(super) fn keys(&self, part: Part<'_>, mut found: impl FnMut(u32)) -> Result<()> {
        let (mut automaton, mut next) = (self.automaton(), Vec::new());
        let keys = part.segment.reader.keys();
        for doc in 0..part.segment.reader.max_doc() {
            part.cancel.check_every(CANCEL_STEP, doc as usize)?;
            let rest = keys.key(doc)?.as_bytes().strip_prefix(&*self.begin);
            if rest.is_some_and(|rest| matches!(automaton.test(rest, &mut next), Verdict::Match(_))) {
                found(doc);
            }
            next.clear();
        }
        Ok(())
    }
}
