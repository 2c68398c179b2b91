//! How well documents match: the scorer of a resolved query in one segment, and its scores.

use super::matching;
use super::node::{BoolNode, Node};
use super::part::Part;
use super::scorers::{
    self, BitSetScorer, BoostScorer, ConjunctionScorer, ConstantScorer, DisMaxScorer, DisjunctionScorer,
    ReqExclScorer, ReqOptScorer, ScoredDocsScorer, SparseScorer, TopDocsCollector,
};
use super::sparse;
use super::terms::{BoxedScorer, no_docs, phrase_scorer, synonyms_scorer, term_scorers, words_scorer};
use crate::error::Result;
use lucerne_codec::{BitSet, Cancel, DocId};

/// Documents whose scores are asked for between two looks at the cancel flag: one of a query with many clauses may take
/// long.
const CANCEL_STEP: usize = 32;

/// Collects the best documents of a node in a segment.
pub(super) fn collect(node: &Node, part: Part<'_>, collector: &mut TopDocsCollector<'_>) -> Result<()> {
    match node {
        Node::Words { words, required } if *required == 1 => {
            scorers::collect_any_term(term_scorers(words, part)?, collector)?;
        }
        Node::Words { words, required } if *required == words.len() => {
            let terms = term_scorers(words, part)?;
            if terms.len() == words.len() {
                scorers::collect_all_terms(terms, collector)?;
            }
        }
        Node::Sparse(vector) => {
            if let Some(lists) = sparse::lists(vector, part)? {
                scorers::collect_sparse(&lists, collector)?;
            }
        }
        node => match equal_score(node) {
            Some((node, score)) => return collect_equal(node, score, part, collector),
            None => return Ok(scorers::collect_scorer(&mut *scorer(node, part)?, collector)?),
        },
    }
    collector.may_have_skipped();
    Ok(())
}

/// The score that all documents of a node have; `None` when they have scores of their own.
fn equal_score(node: &Node) -> Option<(&Node, f32)> {
    match node {
        Node::Constant(node, score) => Some((node, *score)),
        Node::Words { .. } | Node::Synonyms(_) | Node::Phrase { .. } | Node::Sparse(_) => None,
        Node::Bool(_) | Node::DisMax(..) | Node::Boost(..) | Node::Found(_) => None,
        node => Some((node, 1.0)),
    }
}

/// Collects the documents of a node with the same score: of these the keys decide.
fn collect_equal(
    node: &Node,
    score: f32,
    part: Part<'_>,
    collector: &mut TopDocsCollector<'_>,
) -> Result<()> {
    let mut docs = matching::matching(node, part)?;
    let (wanted, accepted) = collector.wanted();
    if let Some(accepted) = accepted {
        docs.intersect(accepted);
    }
    let first = part.segment.reader.keys().first(&docs, wanted, part.cancel)?;
    collector.collect_equal(first, docs.count(), score);
    Ok(())
}

/// The scores of ascending documents of a segment; 0 for those that do not match.
pub(super) fn of_segment(node: &Node, part: Part<'_>, docs: &[DocId]) -> Result<Vec<f32>> {
    let mut scores = Scores::new(node, part)?;
    docs.iter().map(|doc| scores.of(*doc)).collect()
}

/// Looks up the scores of ascending documents of a segment.
pub(super) struct Scores<'a> {
    scorer: BoxedScorer<'a>,
    cancel: &'a Cancel,
    done: usize,
}

impl<'a> Scores<'a> {
    pub(super) fn new(node: &'a Node, part: Part<'a>) -> Result<Self> {
        Ok(Self { scorer: scorer(node, part)?, cancel: part.cancel, done: 0 })
    }

    /// The score of a document, which is not before the last one; 0 when it does not match.
    pub(super) fn of(&mut self, doc: DocId) -> Result<f32> {
        self.cancel.check_every(CANCEL_STEP, self.done)?;
        self.done += 1;
        if self.scorer.seek(doc)? == doc { Ok(self.scorer.score()?) } else { Ok(0.0) }
    }
}

/// The scorer of a node in a segment. Nodes that do not score are evaluated as bit sets.
fn scorer<'a>(node: &'a Node, part: Part<'a>) -> Result<BoxedScorer<'a>> {
    part.cancel.check()?;
    match node {
        Node::Words { words, required } => words_scorer(words, *required, part),
        Node::Synonyms(words) => synonyms_scorer(words, part),
        Node::Phrase { phrase } => phrase_scorer(phrase, part),
        Node::Sparse(vector) => Ok(match sparse::lists(vector, part)? {
            Some(lists) => Box::new(SparseScorer::new(lists, part.cancel)?),
            None => no_docs(),
        }),
        Node::Bool(clauses) => bool_scorer(clauses, part),
        Node::Boost(node, factor) => {
            Ok(Box::new(BoostScorer { scorer: scorer(node, part)?, factor: *factor }))
        }
        Node::Constant(node, score) => {
            Ok(Box::new(ConstantScorer { scorer: scorer(node, part)?, score: *score }))
        }
        Node::DisMax(nodes, tie_breaker) => {
            let clauses = nodes.iter().map(|node| scorer(node, part)).collect::<Result<_>>()?;
            Ok(Box::new(DisMaxScorer::new(clauses, *tie_breaker, part.cancel)))
        }
        Node::Found(found) => {
            Ok(Box::new(ScoredDocsScorer::new(found.get(part.index).map_or(&[], Vec::as_slice))))
        }
        node => Ok(Box::new(BitSetScorer::new(matching::matching(node, part)?, 1.0))),
    }
}

fn bool_scorer<'a>(clauses: &'a BoolNode, part: Part<'a>) -> Result<BoxedScorer<'a>> {
    let all = |nodes: &'a [Node]| {
        nodes.iter().map(|node| scorer(node, part)).collect::<Result<Vec<BoxedScorer<'a>>>>()
    };
    let unscored =
        |scorer: BoxedScorer<'a>| Box::new(ConstantScorer { scorer, score: 0.0 }) as BoxedScorer<'a>;
    let mut required = all(&clauses.must)?;
    required.extend(all(&clauses.filter)?.into_iter().map(unscored));
    let mut optional = None;
    match (clauses.required, clauses.should.is_empty()) {
        (0, true) => {}
        (0, false) => {
            optional = Some(Box::new(DisjunctionScorer::new(all(&clauses.should)?, 1, part.cancel)?))
        }
        (count, _) if count > clauses.should.len() => return Ok(no_docs()),
        (count, _) => {
            required.push(Box::new(DisjunctionScorer::new(all(&clauses.should)?, count, part.cancel)?))
        }
    }
    let mut scorer: BoxedScorer<'a> = match required.len() {
        0 => Box::new(BitSetScorer::new(BitSet::full(part.segment.reader.max_doc()), 0.0)),
        1 => required.pop().unwrap_or_else(no_docs),
        _ => Box::new(ConjunctionScorer::new(required, part.cancel)?),
    };
    if let Some(optional) = optional {
        scorer = Box::new(ReqOptScorer { required: scorer, optional });
    }
    if !clauses.must_not.is_empty() {
        let excluded = DisjunctionScorer::new(all(&clauses.must_not)?, 1, part.cancel)?;
        scorer = Box::new(ReqExclScorer::new(scorer, Box::new(excluded), part.cancel)?);
    }
    Ok(scorer)
}
