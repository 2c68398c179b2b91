//! The scorers of words and phrases in one segment.

use super::node::{PhraseNode, Word};
use super::part::Part;
use super::scorers::{
    Bm25, ConjunctionScorer, DisjunctionScorer, PhraseScorer, ScoredDocsScorer, Scorer, SynonymScorer,
    TermScorer,
};
use crate::error::Result;
use lucerne_codec::DocId;
use lucerne_codec::postings::{FieldPostings, TermEntry};

/// Terms looked up between two looks at the cancel flag.
const CANCEL_STEP: usize = 64;

pub(super) type BoxedScorer<'a> = Box<dyn Scorer + 'a>;

/// A scorer without documents.
pub(super) fn no_docs<'a>() -> BoxedScorer<'a> {
    Box::new(ScoredDocsScorer::new(&[]))
}

/// The scorers of those of `words` that the segment has.
pub(super) fn term_scorers<'a>(words: &[Word], part: Part<'a>) -> Result<Vec<TermScorer<'a>>> {
    let mut terms = Vec::with_capacity(words.len());
    for (done, word) in words.iter().enumerate() {
        part.cancel.check_every(CANCEL_STEP, done)?;
        let Some((postings, entry)) = entry(word, part) else { continue };
        let weight = word.bm25.weight(word.weight, idf(word), word.totals.docs, word.totals.tokens);
        terms.push(TermScorer::new(postings, &entry, weight)?);
    }
    Ok(terms)
}

/// Documents with at least `required` of `words`.
pub(super) fn words_scorer<'a>(words: &[Word], required: usize, part: Part<'a>) -> Result<BoxedScorer<'a>> {
    let terms = term_scorers(words, part)?;
    if terms.len() < required {
        return Ok(no_docs());
    }
    let mut terms: Vec<BoxedScorer<'a>> =
        terms.into_iter().map(|term| Box::new(term) as BoxedScorer<'a>).collect();
    if terms.len() == 1 {
        return Ok(terms.pop().unwrap_or_else(no_docs));
    }
    if required == words.len() {
        return Ok(Box::new(ConjunctionScorer::new(terms, part.cancel)?));
    }
    Ok(Box::new(DisjunctionScorer::new(terms, required, part.cancel)?))
}

/// Documents with a phrase. It is scored as a term whose inverse document frequency is the sum of those of its
/// words.
pub(super) fn phrase_scorer<'a>(phrase: &PhraseNode, part: Part<'a>) -> Result<BoxedScorer<'a>> {
    let mut terms = Vec::with_capacity(phrase.words.len());
    let (mut idf_sum, mut field) = (0.0, None);
    for (word, offset) in &phrase.words {
        let Some((postings, entry)) = entry(word, part) else { return Ok(no_docs()) };
        idf_sum += idf(word);
        field = Some((postings, word));
        terms.push((entry, *offset));
    }
    let Some((postings, word)) = field else { return Ok(no_docs()) };
    let weight = word.bm25.weight(word.weight, idf_sum, word.totals.docs, word.totals.tokens);
    Ok(Box::new(PhraseScorer::new(postings, &terms, phrase.slop, weight, part.cancel)?))
}

/// Documents with any of several words, which are scored as one.
pub(super) fn synonyms_scorer<'a>(words: &[Word], part: Part<'a>) -> Result<BoxedScorer<'a>> {
    let (mut entries, mut field) = (Vec::with_capacity(words.len()), None);
    for word in words {
        let Some((postings, entry)) = entry(word, part) else { continue };
        entries.push(entry);
        field = Some((postings, word));
    }
    let Some((postings, word)) = field else { return Ok(no_docs()) };
    let weight = word.bm25.weight(word.weight, idf(word), word.totals.docs, word.totals.tokens);
    Ok(Box::new(SynonymScorer::new(postings, &entries, weight, part.cancel)?))
}

/// How a word occurs in a document.
pub(super) struct Occurrences {
    /// How often the word occurs.
    pub(super) freq: u32,
    /// Number of tokens in the document's field.
    pub(super) length: u32,
}

/// The occurrences of a word in a document; `None` when there are none.
pub(super) fn occurrences(word: &Word, part: Part<'_>, doc: DocId) -> Result<Option<Occurrences>> {
    let Some((postings, entry)) = entry(word, part) else { return Ok(None) };
    let mut cursor = postings.cursor(&entry)?;
    if cursor.seek(doc)? != doc {
        return Ok(None);
    }
    Ok(Some(Occurrences { freq: cursor.freq()?, length: postings.lengths().get(doc) }))
}

/// The postings of a word's field, and the word's entry in them.
pub(super) fn entry<'a>(word: &Word, part: Part<'a>) -> Option<(&'a dyn FieldPostings, TermEntry)> {
    let entry = word.entries.get(part.index).copied().flatten()?;
    let postings = part.segment.reader.postings().and_then(|postings| postings.field(word.field))?;
    Some((postings, entry))
}

fn idf(word: &Word) -> f32 {
    Bm25::idf(word.doc_freq, word.totals.docs)
}
