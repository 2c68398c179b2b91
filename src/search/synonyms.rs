//! Resolves words and phrases of fields with synonyms.

use super::node::{BoolNode, Node, PhraseNode, Word};
use super::resolve::Resolver;
use super::values::wrong;
use super::words::Similar;
use crate::analysis::{Part, Sequence, variants};
use crate::error::Result;
use crate::schema::{Field, Text};
use std::collections::BTreeMap;

impl Resolver<'_> {
    /// The parts of a text with these terms; `None` when all of them stand for themselves.
    pub(super) fn with_synonyms(&self, text: &Text, terms: &[(String, u32)]) -> Result<Option<Vec<Part>>> {
        if text.text_synonyms().is_empty() {
            return Ok(None);
        }
        let parts = self.analyzers.synonyms(text.text_synonyms(), text.text_analysis())?.parts(terms);
        let is_own = |(part, (term, _)): (&Part, &(String, u32))| matches!(&*part.alternatives, [one] if matches!(&**one, [(own, _)] if own == term));
        let all_own = parts.len() == terms.len() && parts.iter().zip(terms).all(is_own);
        Ok((!all_own).then_some(parts))
    }

    /// Documents that have as many of the parts as `required` says of their number. Words that stand for others are not
    /// looked for with typing errors.
    pub(super) fn words_or_synonyms(
        &self,
        (field, text): (&Field, &Text),
        parts: Vec<Part>,
        how: Option<&Similar>,
        required: impl Fn(usize) -> usize,
    ) -> Result<Node> {
        let mut counts: BTreeMap<Vec<Sequence>, f32> = BTreeMap::new();
        parts.into_iter().for_each(|part| *counts.entry(part.alternatives).or_default() += 1.0);
        let required = required(counts.len());
        let node = |(alternatives, count): (Vec<Sequence>, f32)| match (&*alternatives, how) {
            ([one], Some(how)) if one.len() == 1 => {
                let term = one.first().map_or("", |(term, _)| term);
                Ok(Node::Words { words: self.similar_words(field, text, term, count, how)?, required: 1 })
            }
            _ => self.alternatives((field, text), alternatives, 0, count),
        };
        Ok(enough_of(counts.into_iter().map(node).collect::<Result<_>>()?, required))
    }

    /// Documents with a phrase of these parts, in any of its variants.
    pub(super) fn phrase_or_synonyms(&self, of: (&Field, &Text), parts: &[Part], slop: u32) -> Result<Node> {
        let variants = variants(parts).map_err(|problem| wrong(of.0.name(), problem))?;
        self.alternatives(of, variants, slop, 1.0)
    }

    /// Documents with any of some words and phrases: words are scored as one, and of these and of phrases the best counts.
    fn alternatives(
        &self,
        (field, text): (&Field, &Text),
        alternatives: Vec<Sequence>,
        slop: u32,
        count: f32,
    ) -> Result<Node> {
        let (mut words, mut nodes) = (Vec::new(), Vec::new());
        for sequence in alternatives {
            let own = sequence.into_iter().map(|(term, at)| Ok((self.word(field, text, term, count)?, at)));
            let mut own = own.collect::<Result<Vec<(Word, u32)>>>()?;
            match own.len() {
                0 => {}
                1 => words.extend(own.pop().map(|(word, _)| word)),
                _ => nodes.push(Node::Phrase { phrase: Box::new(PhraseNode { words: own, slop }) }),
            }
        }
        words.dedup_by(|left, right| left.term == right.term);
        let most = words.iter().map(|word| word.doc_freq).max().unwrap_or(0);
        words.iter_mut().for_each(|word| word.doc_freq = most);
        match words.len() {
            0 => {}
            1 => nodes.push(Node::Words { words, required: 1 }),
            _ => nodes.push(Node::Synonyms(words)),
        }
        Ok(match nodes.len() {
            0 | 1 => nodes.pop().unwrap_or(Node::NoTerms),
            _ => Node::DisMax(nodes, 0.0),
        })
    }
}

/// Documents that match at least `required` of the nodes; their scores add up.
fn enough_of(mut nodes: Vec<Node>, required: usize) -> Node {
    let clauses = match (nodes.len(), required) {
        (0 | 1, _) => return nodes.pop().unwrap_or(Node::NoTerms),
        (count, required) if required == count => BoolNode { must: nodes, ..BoolNode::default() },
        (_, required) => BoolNode { should: nodes, required: required.max(1), ..BoolNode::default() },
    };
    Node::Bool(Box::new(clauses))
}
