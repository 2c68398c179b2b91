//! How well documents match: a query's scores in a segment.

use super::filter;
use super::node::{BoolNode, Node, PhraseNode, Word};
use super::rank::Ranked;
use crate::error::Result;
use crate::reader::{Snapshot, SnapshotSegment};
use lucerne_codec::postings::PostingsCursor;
use lucerne_codec::top_k::TieBreak;
use lucerne_codec::{DocId, Neighbor, TopK};

/// BM25's saturation of frequencies (Robertson; Lucene's default).
const K1: f64 = 1.2;
/// BM25's share of length normalisation (Lucene's default).
const B: f64 = 0.75;

/// Documents with their scores, ascending.
type Scored = Vec<(DocId, f32)>;

/// The `wanted` best accepted documents of a node in a segment.
pub(super) fn top(
    node: &Node,
    index: usize,
    segment: &SnapshotSegment,
    wanted: usize,
    accepts: &dyn Fn(DocId) -> bool,
    ties: &TieBreak<'_>,
) -> Result<Scored> {
    let mut top = TopK::new(wanted, ties);
    for (doc, score) in scored(node, index, segment)? {
        if accepts(doc) {
            top.offer(Neighbor { distance: -score, ordinal: 0, doc });
        }
    }
    Ok(top.into_sorted().into_iter().map(|one| (one.doc, -one.distance)).collect())
}

/// The scores of ascending documents of a segment; 0 for those that do not match.
pub(super) fn of_segment(
    node: &Node,
    index: usize,
    segment: &SnapshotSegment,
    docs: &[DocId],
) -> Result<Vec<f32>> {
    let scored = scored(node, index, segment)?;
    let score = |doc: &DocId| {
        let at = scored.binary_search_by_key(doc, |(doc, _)| *doc).ok()?;
        scored.get(at).map(|(_, score)| *score)
    };
    Ok(docs.iter().map(|doc| score(doc).unwrap_or(0.0)).collect())
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

/// All documents of a segment that match, with their scores.
pub(super) fn scored(node: &Node, index: usize, segment: &SnapshotSegment) -> Result<Scored> {
    match node {
        Node::Words { words, required } => {
            let lists = words.iter().map(|word| of_word(word, segment)).collect::<Result<Vec<_>>>()?;
            Ok(sum(lists, *required))
        }
        Node::Phrase { phrase } => of_phrase(phrase, segment),
        Node::Bool(clauses) => of_clauses(clauses, index, segment),
        Node::Boost(node, boost) => {
            let scored = scored(node, index, segment)?;
            Ok(scored.into_iter().map(|(doc, score)| (doc, score * boost)).collect())
        }
        Node::Constant(node, score) => {
            Ok(filter::matching(node, index, segment)?.iter().map(|doc| (doc, *score)).collect())
        }
        Node::Found(found) => Ok(found.get(index).cloned().unwrap_or_default()),
        node => Ok(filter::matching(node, index, segment)?.iter().map(|doc| (doc, 1.0)).collect()),
    }
}

/// Documents in at least `required` lists, their scores added.
fn sum(lists: Vec<Scored>, required: usize) -> Scored {
    let mut all: Scored = lists.into_iter().flatten().collect();
    all.sort_by_key(|(doc, _)| *doc);
    let runs = all.chunk_by(|left, right| left.0 == right.0).filter(|run| run.len() >= required);
    let total = |run: &[(DocId, f32)]| {
        Some((run.first()?.0, run.iter().map(|(_, score)| f64::from(*score)).sum::<f64>() as f32))
    };
    runs.filter_map(total).collect()
}

fn of_clauses(clauses: &BoolNode, index: usize, segment: &SnapshotSegment) -> Result<Scored> {
    let mut lists = Vec::new();
    for node in clauses.must.iter().chain(&clauses.should) {
        lists.push(scored(node, index, segment)?);
    }
    let matching = filter::matching(&Node::Bool(Box::new(clauses.clone())), index, segment)?;
    let scores = sum(lists, 1);
    let mut scores = scores.into_iter().filter(|(doc, _)| matching.contains(*doc)).peekable();
    let scored = matching.iter().map(|doc| match scores.next_if(|(other, _)| *other == doc) {
        Some(scored) => scored,
        None => (doc, 0.0),
    });
    Ok(scored.collect())
}

fn cursor<'a>(word: &Word, segment: &'a SnapshotSegment) -> Result<Option<PostingsCursor<'a>>> {
    let postings = segment.reader.postings().and_then(|postings| postings.field(word.field));
    let Some(postings) = postings else { return Ok(None) };
    let Some(entry) = postings.term(&word.term)? else { return Ok(None) };
    Ok(Some(postings.cursor(&entry)?))
}

fn length(word: &Word, segment: &SnapshotSegment, doc: DocId) -> u32 {
    let postings = segment.reader.postings().and_then(|postings| postings.field(word.field));
    postings.map_or(0, |postings| postings.lengths().get(doc))
}

fn bm25(word: &Word, doc_freq: u64, freq: f64, length: u32) -> f32 {
    let (docs, doc_freq) = (word.totals.docs as f64, doc_freq as f64);
    let idf = (1.0 + (docs - doc_freq + 0.5) / (doc_freq + 0.5)).ln();
    let average = word.totals.tokens as f64 / docs.max(1.0);
    let norm = K1 * (1.0 - B + B * f64::from(length) / average.max(f64::MIN_POSITIVE));
    (f64::from(word.weight) * idf * freq / (freq + norm)) as f32
}

fn of_word(word: &Word, segment: &SnapshotSegment) -> Result<Scored> {
    let Some(mut cursor) = cursor(word, segment)? else { return Ok(Vec::new()) };
    let mut scored = Vec::new();
    while cursor.doc() != DocId::MAX {
        let length = length(word, segment, cursor.doc());
        scored.push((cursor.doc(), bm25(word, word.doc_freq, cursor.freq().into(), length)));
        cursor.advance()?;
    }
    Ok(scored)
}

/// How often a word is in a document, and the document's length; `None` when it is not.
pub(super) fn occurrences(word: &Word, segment: &SnapshotSegment, doc: DocId) -> Result<Option<(u32, u32)>> {
    let Some(mut cursor) = cursor(word, segment)? else { return Ok(None) };
    let found = cursor.seek(doc)? == doc;
    Ok(found.then(|| (cursor.freq(), length(word, segment, doc))))
}

/// Documents with the phrase. Its weight is that of its words' idf added up.
fn of_phrase(phrase: &PhraseNode, segment: &SnapshotSegment) -> Result<Scored> {
    let mut cursors = Vec::new();
    for (word, place) in &phrase.words {
        let Some(cursor) = cursor(word, segment)? else { return Ok(Vec::new()) };
        cursors.push((cursor, *place));
    }
    let (mut scored, mut doc) = (Vec::new(), 0);
    loop {
        let mut furthest = doc;
        for (cursor, _) in &mut cursors {
            furthest = furthest.max(cursor.seek(furthest)?);
        }
        if furthest == DocId::MAX {
            return Ok(scored);
        }
        if furthest == doc || cursors.iter().all(|(cursor, _)| cursor.doc() == furthest) {
            doc = furthest;
            let freq = phrase_frequency(&mut cursors, phrase.slop)?;
            if freq > 0.0 {
                let score = phrase
                    .words
                    .iter()
                    .map(|(word, _)| f64::from(bm25(word, word.doc_freq, freq, length(word, segment, doc))));
                scored.push((doc, score.sum::<f64>() as f32));
            }
            doc += 1;
        } else {
            doc = furthest;
        }
    }
}

/// How often the words are at their places, off by at most `slop` in all; each occurrence counts 1 / (1 + off).
fn phrase_frequency(cursors: &mut [(PostingsCursor<'_>, u32)], slop: u32) -> Result<f64> {
    let mut starts: Vec<Vec<i64>> = Vec::new();
    for (cursor, place) in cursors {
        let mut positions = Vec::new();
        cursor.positions(&mut positions)?;
        starts.push(positions.iter().map(|position| i64::from(*position) - i64::from(*place)).collect());
    }
    let Some((first, others)) = starts.split_first() else { return Ok(0.0) };
    let mut freq = 0.0;
    for start in first {
        let nearest = |list: &Vec<i64>| list.iter().map(|other| other.abs_diff(*start)).min();
        let off: Option<u64> = others.iter().map(nearest).sum();
        if let Some(off) = off.filter(|off| *off <= u64::from(slop)) {
            freq += 1.0 / (1.0 + off as f64);
        }
    }
    Ok(freq)
}
