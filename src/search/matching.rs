//! Which documents of a segment match: a resolved query as a bit set.

use super::node::{BoolNode, Node, PhraseNode, PhrasePrefixNode, TermRange, Word};
use super::part::{CANCEL_STEP, Part};
use super::scorers::Scorer;
use super::sparse;
use super::terms::{entry, phrase_scorer, words_scorer};
use crate::error::Result;
use lucerne_codec::postings::{FieldPostings, PostingsCursor};
use lucerne_codec::{BitSet, Cancel};

/// Between two looks at the cancel flag: keys and terms looked up, documents of a scorer.
const KEYS_STEP: usize = 64;
const SCORER_STEP: usize = 32;
/// A term with so many times the documents that are left is looked up in each of them, instead of read.
const SPARSE: u32 = 8;

/// Live documents of a segment that match all filters; `None` when there are no filters.
pub(super) fn accepted(filters: &[&Node], part: Part<'_>) -> Result<Option<BitSet>> {
    let Some((first, others)) = filters.split_first() else { return Ok(None) };
    let mut docs = matching(first, part)?;
    for other in others {
        docs.intersect(&matching(other, part)?);
    }
    if let Some(live) = &part.segment.live {
        docs.intersect(live);
    }
    Ok(Some(docs))
}

/// The documents of a segment that match, deleted ones among them.
pub(super) fn matching(node: &Node, part: Part<'_>) -> Result<BitSet> {
    let Part { index, segment, cancel } = part;
    cancel.check()?;
    let reader = &segment.reader;
    let max_doc = reader.max_doc();
    let mut docs = BitSet::empty(max_doc);
    match node {
        Node::All => return Ok(BitSet::full(max_doc)),
        Node::None | Node::NoTerms => {}
        Node::Keys(keys) => {
            for (done, key) in keys.iter().enumerate() {
                cancel.check_every(KEYS_STEP, done)?;
                reader.keys().find(key, &mut |doc| {
                    docs.insert(doc);
                })?;
            }
        }
        Node::KeyRange(range) => {
            for doc in 0..max_doc {
                cancel.check_every(CANCEL_STEP, doc as usize)?;
                if range.contains(reader.keys().key(doc)?.as_bytes()) {
                    docs.insert(doc);
                }
            }
        }
        Node::AnyTerm { field, terms } => {
            if let Some(postings) = reader.postings().and_then(|postings| postings.field(*field)) {
                for term in terms {
                    add_term(postings, term, cancel, &mut docs)?;
                }
            }
        }
        Node::TermRange { field, range } => {
            if let Some(postings) = reader.postings().and_then(|postings| postings.field(*field)) {
                add_terms(postings, range, cancel, &mut docs)?;
            }
        }
        Node::TermSet { field, terms } => {
            if let Some(postings) = reader.postings().and_then(|postings| postings.field(*field)) {
                terms
                    .walk(postings, cancel, |_, entry, _| Ok(postings.add_docs(entry, cancel, &mut docs)?))?;
            }
        }
        Node::KeySet(keys) => keys.keys(part, |doc| {
            docs.insert(doc);
        })?,
        Node::Numbers { field, range } => {
            if let Some(column) = reader.columns().and_then(|columns| columns.numbers(*field)) {
                column.in_range(range.clone(), cancel, &mut docs)?;
            }
        }
        Node::Exists(field) => add_existing(*field, part, &mut docs)?,
        Node::Words { words, required: 1 } | Node::Synonyms(words) => {
            for word in words {
                cancel.check()?;
                if let Some((postings, entry)) = entry(word, part) {
                    postings.add_docs(&entry, cancel, &mut docs)?;
                }
            }
        }
        Node::Words { words, required } if *required == words.len() => add_all_words(words, part, &mut docs)?,
        Node::Words { words, required } => {
            add_scorer(&mut *words_scorer(words, *required, part)?, cancel, &mut docs)?
        }
        Node::Phrase { phrase } => add_scorer(&mut *phrase_scorer(phrase, part)?, cancel, &mut docs)?,
        Node::PhrasePrefix(phrase) => add_phrase_prefix(phrase, part, &mut docs)?,
        Node::Sparse(vector) => sparse::add_matching(vector, part, &mut docs)?,
        Node::Bool(clauses) => return matching_clauses(clauses, part),
        Node::DisMax(nodes, _) => {
            for node in nodes {
                docs.union(&matching(node, part)?);
            }
        }
        Node::Boost(node, _) | Node::Constant(node, _) => return matching(node, part),
        Node::Found(found) => {
            for (doc, _) in found.get(index).into_iter().flatten() {
                docs.insert(*doc);
            }
        }
    }
    Ok(docs)
}

fn matching_clauses(clauses: &BoolNode, part: Part<'_>) -> Result<BitSet> {
    let segment = part.segment;
    let mut docs = match clauses.required {
        0 => BitSet::full(segment.reader.max_doc()),
        1 => {
            let mut any = BitSet::empty(segment.reader.max_doc());
            for node in &clauses.should {
                any.union(&matching(node, part)?);
            }
            any
        }
        required => at_least(required, &clauses.should, part)?,
    };
    for node in clauses.must.iter().chain(&clauses.filter) {
        docs.intersect(&matching(node, part)?);
    }
    for node in &clauses.must_not {
        docs.difference(&matching(node, part)?);
    }
    Ok(docs)
}

/// Documents that match at least `required` of `nodes`.
fn at_least(required: usize, nodes: &[Node], part: Part<'_>) -> Result<BitSet> {
    let mut counts = vec![0usize; part.segment.reader.max_doc() as usize];
    for node in nodes {
        for doc in matching(node, part)?.iter() {
            if let Some(count) = counts.get_mut(doc as usize) {
                *count += 1;
            }
        }
    }
    let mut docs = BitSet::empty(part.segment.reader.max_doc());
    for (doc, _) in (0..).zip(&counts).filter(|(_, count)| **count >= required) {
        docs.insert(doc);
    }
    Ok(docs)
}

fn add_term(postings: &dyn FieldPostings, term: &[u8], cancel: &Cancel, docs: &mut BitSet) -> Result<()> {
    let Some(entry) = postings.term(term)? else { return Ok(cancel.check()?) };
    Ok(postings.add_docs(&entry, cancel, docs)?)
}

/// Adds the documents that have all of the words to an empty set: those of the rarest that are among those of each other word.
fn add_all_words(words: &[Word], part: Part<'_>, docs: &mut BitSet) -> Result<()> {
    let cancel = part.cancel;
    let mut terms = Vec::with_capacity(words.len());
    for word in words {
        let Some(own) = entry(word, part) else { return Ok(()) };
        terms.push(own);
    }
    terms.sort_by_key(|(_, entry)| entry.doc_freq);
    let Some(((postings, rarest), others)) = terms.split_first() else { return Ok(()) };
    postings.add_docs(rarest, cancel, docs)?;
    for (postings, entry) in others {
        if let Some(members) = postings.members(entry)? {
            members.keep_in(docs);
        } else if docs.count() < entry.doc_freq / SPARSE {
            keep_found(postings.cursor(entry)?, cancel, docs)?;
        } else {
            let mut own = BitSet::empty(docs.len());
            postings.add_docs(entry, cancel, &mut own)?;
            docs.intersect(&own);
        }
    }
    Ok(())
}

/// Removes the documents that a term does not have.
fn keep_found(mut cursor: PostingsCursor<'_>, cancel: &Cancel, docs: &mut BitSet) -> Result<()> {
    for (done, doc) in docs.clone().iter().enumerate() {
        cancel.check_every(KEYS_STEP, done)?;
        if cursor.seek(doc)? != doc {
            docs.remove(doc);
        }
    }
    Ok(())
}

fn add_scorer(scorer: &mut dyn Scorer, cancel: &Cancel, docs: &mut BitSet) -> Result<()> {
    let (mut doc, mut done) = (scorer.doc(), 0usize);
    while doc < docs.len() {
        cancel.check_every(SCORER_STEP, done)?;
        done += 1;
        docs.insert(doc);
        doc = scorer.advance()?;
    }
    Ok(())
}

fn add_terms(
    postings: &dyn FieldPostings,
    range: &TermRange,
    cancel: &Cancel,
    docs: &mut BitSet,
) -> Result<()> {
    let (mut terms, mut done) = (postings.terms(range.first())?, 0usize);
    while let Some((term, entry)) = terms.next()? {
        cancel.check_every(KEYS_STEP, done)?;
        done += 1;
        if range.is_after(term) {
            break;
        }
        if range.contains(term) {
            postings.add_docs(&entry, cancel, docs)?;
        }
    }
    Ok(())
}

fn add_phrase_prefix(phrase: &PhrasePrefixNode, part: Part<'_>, docs: &mut BitSet) -> Result<()> {
    let mut words = PhraseNode { words: phrase.words.clone(), slop: 0 };
    let (last, offset) = &phrase.last;
    let postings = part.segment.reader.postings().and_then(|postings| postings.field(last.field));
    let Some(postings) = postings else { return Ok(()) };
    if phrase_scorer(&words, part)?.doc() >= docs.len() {
        return Ok(());
    }
    let mut terms = postings.terms(phrase.terms.first())?;
    while let Some((term, entry)) = terms.next()? {
        if phrase.terms.is_after(term) {
            break;
        }
        words.words.truncate(phrase.words.len());
        words.words.push((last.of_segment(term, part.index, entry), *offset));
        part.cancel.check()?;
        add_scorer(&mut *phrase_scorer(&words, part)?, part.cancel, docs)?;
    }
    Ok(())
}

/// Adds the documents with any value in a field: by its vectors, dense or sparse, else its column, else its field lengths.
fn add_existing(field: u32, Part { segment, cancel, .. }: Part<'_>, docs: &mut BitSet) -> Result<()> {
    let reader = &segment.reader;
    if let Some(vectors) = reader.vector_field(field) {
        for ordinal in 0..vectors.reader.len() as u32 {
            cancel.check_every(CANCEL_STEP, ordinal as usize)?;
            docs.insert(vectors.reader.doc(ordinal)?);
        }
        return Ok(());
    }
    if let Some(vectors) = reader.sparse_field(field) {
        for doc in 0..reader.max_doc() {
            cancel.check_every(CANCEL_STEP, doc as usize)?;
            if !vectors.row(doc)?.is_empty() {
                docs.insert(doc);
            }
        }
        return Ok(());
    }
    if let Some(columns) = reader.columns() {
        if let Some(column) = columns.numbers(field) {
            return Ok(column.existing(cancel, docs)?);
        }
        if let Some(column) = columns.keywords(field) {
            return Ok(column.existing(cancel, docs)?);
        }
    }
    if let Some(postings) = reader.postings().and_then(|postings| postings.field(field)) {
        let lengths = postings.lengths();
        for doc in 0..reader.max_doc() {
            cancel.check_every(CANCEL_STEP, doc as usize)?;
            if lengths.get(doc) > 0 {
                docs.insert(doc);
            }
        }
    }
    Ok(())
}
