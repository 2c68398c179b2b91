//! How well documents match: a query's scores in a segment.

use super::filter;
use super::node::{BoolNode, Node, PhraseNode, Word};
use super::rank::Ranked;
use super::text::{self, AllOf, AnyOf, Best, Bm25, ScoredDocs, Scorer, SetDocs, TermScorer};
use crate::error::Result;
use crate::reader::{Snapshot, SnapshotSegment};
use lucerne_codec::postings::{FieldPostings, TermEntry};
use lucerne_codec::top_k::TieBreak;
use lucerne_codec::{Accept, BitSet, Cancel, DocId};

type Boxed<'a> = Box<dyn Scorer + 'a>;

/// The `wanted` best accepted documents of a node in a segment, best first; `floor` is a score that many are
/// known to reach in other segments. Also returns how many documents were scored.
pub(super) fn top(
    node: &Node,
    index: usize,
    segment: &SnapshotSegment,
    wanted: usize,
    accept: Accept<'_>,
    ties: &TieBreak<'_>,
    floor: f32,
) -> Result<(Vec<(DocId, f32)>, u64)> {
    let cancel = Cancel::new();
    let mut best = Best::new(wanted, accept, ties, &cancel).with_floor(floor);
    match node {
        Node::Words { words, required } if *required == 1 => {
            text::any_term(found(words, segment)?, &mut best)?;
        }
        Node::Words { words, required } if *required == words.len() => {
            let terms = found(words, segment)?;
            if terms.len() == words.len() {
                text::all_terms(terms, &mut best)?;
            }
        }
        node => text::top_docs(&mut *scorer(node, index, segment)?, &mut best)?,
    }
    let visited = best.visited();
    Ok((best.into_sorted(), visited))
}

/// The scores of ascending documents of a segment; 0 for those that do not match.
pub(super) fn of_segment(
    node: &Node,
    index: usize,
    segment: &SnapshotSegment,
    docs: &[DocId],
) -> Result<Vec<f32>> {
    let mut scorer = scorer(node, index, segment)?;
    let score = |doc: &DocId| match scorer.seek(*doc)? == *doc {
        true => Ok(scorer.score()?),
        false => Ok(0.0),
    };
    docs.iter().map(score).collect()
}

/// The scores of documents in any order.
pub(super) fn of_documents(snapshot: &Snapshot, node: &Node, ranked: &[Ranked]) -> Result<Vec<f32>> {
    let mut scores = vec![0.0; ranked.len()];
    for (index, segment) in snapshot.segments.iter().enumerate() {
        let mut own: Vec<(DocId, usize)> = (ranked.iter().enumerate())
            .filter(|(_, one)| one.segment == index)
            .map(|(place, one)| (one.doc, place))
            .collect();
        own.sort_unstable();
        let docs: Vec<DocId> = own.iter().map(|(doc, _)| *doc).collect();
        for ((_, place), score) in own.iter().zip(of_segment(node, index, segment, &docs)?) {
            if let Some(slot) = scores.get_mut(*place) {
                *slot = score;
            }
        }
    }
    Ok(scores)
}

/// The documents of a segment that match.
pub(super) fn matching(node: &Node, index: usize, segment: &SnapshotSegment) -> Result<BitSet> {
    let mut docs = BitSet::empty(segment.reader.max_doc());
    let mut scorer = scorer(node, index, segment)?;
    let mut doc = scorer.doc();
    while doc < docs.len() {
        docs.insert(doc);
        doc = scorer.advance()?;
    }
    Ok(docs)
}

/// Walks through the documents that match and scores them.
fn scorer<'a>(node: &'a Node, index: usize, segment: &'a SnapshotSegment) -> Result<Boxed<'a>> {
    match node {
        Node::Words { words, required } => {
            let terms = found(words, segment)?;
            if terms.len() < *required {
                return none();
            }
            let mut terms: Vec<Boxed<'a>> =
                terms.into_iter().map(|term| Box::new(term) as Boxed<'a>).collect();
            match terms.len() {
                1 => terms.pop().map_or_else(none, Ok),
                _ => Ok(Box::new(AnyOf::new(terms, *required)?)),
            }
        }
        Node::Phrase { phrase } => of_phrase(phrase, segment),
        Node::Bool(clauses) => of_clauses(clauses, index, segment),
        Node::Boost(node, factor) => {
            Ok(Box::new(text::Scaled { of: scorer(node, index, segment)?, factor: *factor }))
        }
        Node::Constant(node, score) => {
            Ok(Box::new(text::Constant { of: scorer(node, index, segment)?, score: *score }))
        }
        Node::Found(found) => Ok(Box::new(ScoredDocs::new(found.get(index).map_or(&[], Vec::as_slice)))),
        node => Ok(Box::new(SetDocs::new(filter::matching(node, index, segment)?, 1.0))),
    }
}

fn none<'a>() -> Result<Boxed<'a>> {
    Ok(Box::new(ScoredDocs::new(&[])))
}

fn of_clauses<'a>(clauses: &'a BoolNode, index: usize, segment: &'a SnapshotSegment) -> Result<Boxed<'a>> {
    let all = |nodes: &'a [Node]| {
        nodes.iter().map(|node| scorer(node, index, segment)).collect::<Result<Vec<Boxed<'a>>>>()
    };
    let unscored = |of: Boxed<'a>| Box::new(text::Constant { of, score: 0.0 }) as Boxed<'a>;
    let mut needed = all(&clauses.must)?;
    needed.extend(all(&clauses.filter)?.into_iter().map(unscored));
    let mut preferred = None;
    match (clauses.required, clauses.should.is_empty()) {
        (0, true) => {}
        (0, false) => preferred = Some(Box::new(AnyOf::new(all(&clauses.should)?, 1)?)),
        (required, _) if required > clauses.should.len() => return none(),
        (required, _) => needed.push(Box::new(AnyOf::new(all(&clauses.should)?, required)?)),
    }
    let mut scorer: Boxed<'a> = match needed.len() {
        0 => Box::new(SetDocs::new(BitSet::full(segment.reader.max_doc()), 0.0)),
        1 => needed.pop().map_or_else(none, Ok)?,
        _ => Box::new(AllOf::new(needed)?),
    };
    if let Some(preferred) = preferred {
        scorer = Box::new(text::Preferring { of: scorer, preferred });
    }
    if !clauses.must_not.is_empty() {
        let without = AnyOf::new(all(&clauses.must_not)?, 1)?;
        scorer = Box::new(text::Except::new(scorer, Box::new(without))?);
    }
    Ok(scorer)
}

/// A word's postings and its entry in them.
fn entry<'a>(
    word: &Word,
    segment: &'a SnapshotSegment,
) -> Result<Option<(&'a dyn FieldPostings, TermEntry)>> {
    let postings = segment.reader.postings().and_then(|postings| postings.field(word.field));
    let Some(postings) = postings else { return Ok(None) };
    Ok(postings.term(&word.term)?.map(|entry| (postings, entry)))
}

fn idf(word: &Word) -> f32 {
    Bm25::idf(word.doc_freq, word.totals.docs)
}

/// The words that the segment has.
fn found<'a>(words: &[Word], segment: &'a SnapshotSegment) -> Result<Vec<TermScorer<'a>>> {
    let mut terms = Vec::with_capacity(words.len());
    for word in words {
        let Some((postings, entry)) = entry(word, segment)? else { continue };
        let weight = word.bm25.weight(word.weight, idf(word), word.totals.docs, word.totals.tokens);
        terms.push(TermScorer::new(postings, &entry, weight)?);
    }
    Ok(terms)
}

/// A phrase scores as a word does that is as rare as its words are together.
fn of_phrase<'a>(phrase: &PhraseNode, segment: &'a SnapshotSegment) -> Result<Boxed<'a>> {
    let mut places = Vec::with_capacity(phrase.words.len());
    let (mut rarity, mut field) = (0.0, None);
    for (word, place) in &phrase.words {
        let Some((postings, entry)) = entry(word, segment)? else { return none() };
        rarity += idf(word);
        field = Some((postings, word));
        places.push((entry, *place));
    }
    let Some((postings, word)) = field else { return none() };
    let weight = word.bm25.weight(word.weight, rarity, word.totals.docs, word.totals.tokens);
    Ok(Box::new(text::Phrase::new(postings, &places, phrase.slop, weight)?))
}

/// How often a word is in a document, and the document's length; `None` when it is not.
pub(super) fn occurrences(word: &Word, segment: &SnapshotSegment, doc: DocId) -> Result<Option<(u32, u32)>> {
    let Some((postings, entry)) = entry(word, segment)? else { return Ok(None) };
    let mut cursor = postings.cursor(&entry)?;
    let found = cursor.seek(doc)? == doc;
    Ok(found.then(|| (cursor.freq(), postings.lengths().get(doc))))
}
