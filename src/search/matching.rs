//! Which documents of a segment match: a resolved query as a bit set.

use super::node::{BoolNode, Node, PhraseNode, PhrasePrefixNode, TermRange, Word};
use super::scorers::Scorer;
use super::terms::{phrase_scorer, words_scorer};
use crate::error::Result;
use crate::reader::SnapshotSegment;
use lucerne_codec::postings::{FieldPostings, PostingsCursor};
use lucerne_codec::{BitSet, DocId};

/// Live documents of a segment that match all filters; `None` when there are no filters.
pub(super) fn accepted(filters: &[&Node], index: usize, segment: &SnapshotSegment) -> Result<Option<BitSet>> {
    let Some((first, others)) = filters.split_first() else { return Ok(None) };
    let mut docs = matching(first, index, segment)?;
    for other in others {
        docs.intersect(&matching(other, index, segment)?);
    }
    if let Some(live) = &segment.live {
        docs.intersect(live);
    }
    Ok(Some(docs))
}

/// The documents of the segment at position `index` that match, deleted ones among them.
pub(super) fn matching(node: &Node, index: usize, segment: &SnapshotSegment) -> Result<BitSet> {
    let reader = &segment.reader;
    let max_doc = reader.max_doc();
    let mut docs = BitSet::empty(max_doc);
    match node {
        Node::All => return Ok(BitSet::full(max_doc)),
        Node::None | Node::NoTerms => {}
        Node::Keys(keys) => {
            for key in keys {
                reader.keys().find(key, &mut |doc| {
                    docs.insert(doc);
                })?;
            }
        }
        Node::KeyRange(range) => {
            for doc in 0..max_doc {
                if range.contains(reader.keys().key(doc)?.as_bytes()) {
                    docs.insert(doc);
                }
            }
        }
        Node::AnyTerm { field, terms } => {
            if let Some(postings) = reader.postings().and_then(|postings| postings.field(*field)) {
                for term in terms {
                    add_term(postings, term, &mut docs)?;
                }
            }
        }
        Node::TermRange { field, range } => {
            if let Some(postings) = reader.postings().and_then(|postings| postings.field(*field)) {
                add_terms(postings, range, &mut docs)?;
            }
        }
        Node::Numbers { field, range } => {
            if let Some(column) = reader.columns().and_then(|columns| columns.numbers(*field)) {
                column.in_range(range.clone(), &mut docs)?;
            }
        }
        Node::Exists(field) => add_existing(*field, segment, &mut docs)?,
        Node::Words { words, required: 1 } => {
            for word in words {
                let postings = reader.postings().and_then(|postings| postings.field(word.field));
                if let Some(postings) = postings {
                    add_term(postings, &word.term, &mut docs)?;
                }
            }
        }
        Node::Words { words, required } => {
            add_scorer(&mut *words_scorer(words, *required, segment)?, &mut docs)?
        }
        Node::Phrase { phrase } => add_scorer(&mut *phrase_scorer(phrase, segment)?, &mut docs)?,
        Node::PhrasePrefix(phrase) => add_phrase_prefix(phrase, segment, &mut docs)?,
        Node::Bool(clauses) => return matching_clauses(clauses, index, segment),
        Node::Boost(node, _) | Node::Constant(node, _) => return matching(node, index, segment),
        Node::Found(found) => {
            for (doc, _) in found.get(index).into_iter().flatten() {
                docs.insert(*doc);
            }
        }
    }
    Ok(docs)
}

fn matching_clauses(clauses: &BoolNode, index: usize, segment: &SnapshotSegment) -> Result<BitSet> {
    let mut docs = match clauses.required {
        0 => BitSet::full(segment.reader.max_doc()),
        1 => {
            let mut any = BitSet::empty(segment.reader.max_doc());
            for node in &clauses.should {
                any.union(&matching(node, index, segment)?);
            }
            any
        }
        required => at_least(required, &clauses.should, index, segment)?,
    };
    for node in clauses.must.iter().chain(&clauses.filter) {
        docs.intersect(&matching(node, index, segment)?);
    }
    for node in &clauses.must_not {
        docs.difference(&matching(node, index, segment)?);
    }
    Ok(docs)
}

/// Documents that match at least `required` of `nodes`.
fn at_least(required: usize, nodes: &[Node], index: usize, segment: &SnapshotSegment) -> Result<BitSet> {
    let mut counts = vec![0usize; segment.reader.max_doc() as usize];
    for node in nodes {
        for doc in matching(node, index, segment)?.iter() {
            if let Some(count) = counts.get_mut(doc as usize) {
                *count += 1;
            }
        }
    }
    let mut docs = BitSet::empty(segment.reader.max_doc());
    for (doc, _) in (0..).zip(&counts).filter(|(_, count)| **count >= required) {
        docs.insert(doc);
    }
    Ok(docs)
}

fn add_term(postings: &dyn FieldPostings, term: &[u8], docs: &mut BitSet) -> Result<()> {
    let Some(entry) = postings.term(term)? else { return Ok(()) };
    add_cursor(postings.cursor(&entry)?, docs)
}

fn add_scorer(scorer: &mut dyn Scorer, docs: &mut BitSet) -> Result<()> {
    let mut doc = scorer.doc();
    while doc < docs.len() {
        docs.insert(doc);
        doc = scorer.advance()?;
    }
    Ok(())
}

fn add_cursor(mut cursor: PostingsCursor<'_>, docs: &mut BitSet) -> Result<()> {
    loop {
        let (block, _) = cursor.rest_of_block();
        let Some(last) = block.last().copied() else { return Ok(()) };
        for doc in block {
            docs.insert(*doc);
        }
        if last == DocId::MAX {
            return Ok(());
        }
        cursor.seek(last + 1)?;
    }
}

fn add_terms(postings: &dyn FieldPostings, range: &TermRange, docs: &mut BitSet) -> Result<()> {
    let mut terms = postings.terms(range.first())?;
    while let Some((term, entry)) = terms.next()? {
        if range.is_after(term) {
            break;
        }
        if range.contains(term) {
            add_cursor(postings.cursor(&entry)?, docs)?;
        }
    }
    Ok(())
}

fn add_phrase_prefix(phrase: &PhrasePrefixNode, segment: &SnapshotSegment, docs: &mut BitSet) -> Result<()> {
    let mut words = PhraseNode { words: phrase.words.clone(), slop: 0 };
    let (last, offset) = &phrase.last;
    let postings = segment.reader.postings().and_then(|postings| postings.field(last.field));
    let Some(postings) =
        postings.filter(|_| phrase_scorer(&words, segment).is_ok_and(|words| words.doc() < docs.len()))
    else {
        return Ok(());
    };
    let mut terms = postings.terms(phrase.terms.first())?;
    while let Some((term, _)) = terms.next()? {
        if phrase.terms.is_after(term) {
            break;
        }
        words.words.truncate(phrase.words.len());
        words.words.push((Word { term: term.to_vec(), ..last.clone() }, *offset));
        add_scorer(&mut *phrase_scorer(&words, segment)?, docs)?;
    }
    Ok(())
}

/// Adds the documents with any value in a field: by its vectors, else its column, else its field lengths.
fn add_existing(field: u32, segment: &SnapshotSegment, docs: &mut BitSet) -> Result<()> {
    let reader = &segment.reader;
    if let Some(vectors) = reader.vector_field(field) {
        for ordinal in 0..vectors.reader.len() as u32 {
            docs.insert(vectors.reader.doc(ordinal)?);
        }
        return Ok(());
    }
    if let Some(columns) = reader.columns() {
        if let Some(column) = columns.numbers(field) {
            return Ok(column.existing(docs)?);
        }
        if let Some(column) = columns.keywords(field) {
            return Ok(column.existing(docs)?);
        }
    }
    if let Some(postings) = reader.postings().and_then(|postings| postings.field(field)) {
        let lengths = postings.lengths();
        for doc in (0..reader.max_doc()).filter(|doc| lengths.get(*doc) > 0) {
            docs.insert(doc);
        }
    }
    Ok(())
}
