//! How well documents match: the scorer of a resolved query in one segment, and its scores.

use super::matching;
use super::node::{BoolNode, Node};
use super::ranking::DocAddress;
use super::scorers::{
    self, BitSetScorer, BoostScorer, ConjunctionScorer, ConstantScorer, DisjunctionScorer, ReqExclScorer,
    ReqOptScorer, ScoredDocsScorer, TopDocsCollector,
};
use super::terms::{BoxedScorer, no_docs, phrase_scorer, term_scorers, words_scorer};
use crate::error::Result;
use crate::reader::{Snapshot, SnapshotSegment};
use lucerne_codec::{BitSet, DocId};

/// Collects the best documents of a node in the segment at position `index`.
pub(super) fn collect(
    node: &Node,
    index: usize,
    segment: &SnapshotSegment,
    collector: &mut TopDocsCollector<'_>,
) -> Result<()> {
    match node {
        Node::Words { words, required } if *required == 1 => {
            scorers::collect_any_term(term_scorers(words, segment)?, collector)?;
        }
        Node::Words { words, required } if *required == words.len() => {
            let terms = term_scorers(words, segment)?;
            if terms.len() == words.len() {
                scorers::collect_all_terms(terms, collector)?;
            }
        }
        node => scorers::collect_scorer(&mut *scorer(node, index, segment)?, collector)?,
    }
    Ok(())
}

/// The scores of ascending documents of a segment; 0 for those that do not match.
pub(super) fn of_segment(
    node: &Node,
    index: usize,
    segment: &SnapshotSegment,
    docs: &[DocId],
) -> Result<Vec<f32>> {
    let mut scorer = scorer(node, index, segment)?;
    let score = |doc: &DocId| if scorer.seek(*doc)? == *doc { Ok(scorer.score()?) } else { Ok(0.0) };
    docs.iter().map(score).collect()
}

/// The scores of documents in any order; 0 for those that do not match.
pub(super) fn of_documents(snapshot: &Snapshot, node: &Node, docs: &[DocAddress]) -> Result<Vec<f32>> {
    let mut scores = vec![0.0; docs.len()];
    for (index, segment) in snapshot.segments.iter().enumerate() {
        let mut own: Vec<(DocId, usize)> = (docs.iter().enumerate())
            .filter(|(_, address)| address.segment == index)
            .map(|(position, address)| (address.doc, position))
            .collect();
        own.sort_unstable();
        let docs: Vec<DocId> = own.iter().map(|(doc, _)| *doc).collect();
        for ((_, position), score) in own.iter().zip(of_segment(node, index, segment, &docs)?) {
            if let Some(slot) = scores.get_mut(*position) {
                *slot = score;
            }
        }
    }
    Ok(scores)
}

/// The scorer of a node in a segment. Nodes that do not score are evaluated as bit sets.
fn scorer<'a>(node: &'a Node, index: usize, segment: &'a SnapshotSegment) -> Result<BoxedScorer<'a>> {
    match node {
        Node::Words { words, required } => words_scorer(words, *required, segment),
        Node::Phrase { phrase } => phrase_scorer(phrase, segment),
        Node::Bool(clauses) => bool_scorer(clauses, index, segment),
        Node::Boost(node, factor) => {
            Ok(Box::new(BoostScorer { scorer: scorer(node, index, segment)?, factor: *factor }))
        }
        Node::Constant(node, score) => {
            Ok(Box::new(ConstantScorer { scorer: scorer(node, index, segment)?, score: *score }))
        }
        Node::Found(found) => {
            Ok(Box::new(ScoredDocsScorer::new(found.get(index).map_or(&[], Vec::as_slice))))
        }
        node => Ok(Box::new(BitSetScorer::new(matching::matching(node, index, segment)?, 1.0))),
    }
}

fn bool_scorer<'a>(
    clauses: &'a BoolNode,
    index: usize,
    segment: &'a SnapshotSegment,
) -> Result<BoxedScorer<'a>> {
    let all = |nodes: &'a [Node]| {
        nodes.iter().map(|node| scorer(node, index, segment)).collect::<Result<Vec<BoxedScorer<'a>>>>()
    };
    let unscored =
        |scorer: BoxedScorer<'a>| Box::new(ConstantScorer { scorer, score: 0.0 }) as BoxedScorer<'a>;
    let mut required = all(&clauses.must)?;
    required.extend(all(&clauses.filter)?.into_iter().map(unscored));
    let mut optional = None;
    match (clauses.required, clauses.should.is_empty()) {
        (0, true) => {}
        (0, false) => optional = Some(Box::new(DisjunctionScorer::new(all(&clauses.should)?, 1)?)),
        (count, _) if count > clauses.should.len() => return Ok(no_docs()),
        (count, _) => required.push(Box::new(DisjunctionScorer::new(all(&clauses.should)?, count)?)),
    }
    let mut scorer: BoxedScorer<'a> = match required.len() {
        0 => Box::new(BitSetScorer::new(BitSet::full(segment.reader.max_doc()), 0.0)),
        1 => required.pop().unwrap_or_else(no_docs),
        _ => Box::new(ConjunctionScorer::new(required)?),
    };
    if let Some(optional) = optional {
        scorer = Box::new(ReqOptScorer { required: scorer, optional });
    }
    if !clauses.must_not.is_empty() {
        let excluded = DisjunctionScorer::new(all(&clauses.must_not)?, 1)?;
        scorer = Box::new(ReqExclScorer::new(scorer, Box::new(excluded))?);
    }
    Ok(scorer)
}
