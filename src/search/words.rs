//! Resolves words, as they are or with typing errors, wildcards and regular expressions.

use super::node::{BoolNode, Node, Word};
use super::resolve::{Resolver, Target, refuse_too_long};
use super::statistics;
use super::term_sets::{Rest, TermSet};
use super::values::wrong;
use crate::automata::{self, Dfa, MAX_EDITS, similarity};
use crate::document::dynamic;
use crate::error::Result;
use crate::query::{Fuzziness, Fuzzy, Match, Operator, Regex, Wildcard};
use crate::schema::{Field, FieldType, Text};
use lucerne_codec::postings::TermEntry;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Terms that a word may stand for at most.
const MAX_EXPANSIONS: usize = 1_000;

/// How words that are similar are found.
#[derive(Clone, Copy)]
pub(super) struct Similar {
    pub(super) edits: Fuzziness,
    pub(super) prefix_length: usize,
    pub(super) transpositions: bool,
    pub(super) max_expansions: usize,
}

impl Similar {
    /// With this fuzziness, and otherwise as by default.
    pub(super) fn by(edits: Fuzziness) -> Self {
        let Fuzzy { prefix_length, transpositions, max_expansions, .. } = Fuzzy::new("", "");
        Self { edits, prefix_length, transpositions, max_expansions }
    }

    pub(super) fn check(&self, field: &str) -> Result<()> {
        match self.edits {
            Fuzziness::Edits(edits) if edits > MAX_EDITS => {
                return Err(wrong(field, format!("{edits} edits, expected 0, 1, 2 or \"auto\"")));
            }
            _ => {}
        }
        match self.max_expansions {
            1..=MAX_EXPANSIONS => Ok(()),
            terms => Err(wrong(field, format!("max_expansions is {terms}, expected 1 to {MAX_EXPANSIONS}"))),
        }
    }

    /// The most similar words; equals in the order of their bytes.
    fn best<T>(
        &self,
        found: impl Iterator<Item = (T, statistics::Similar)>,
    ) -> impl Iterator<Item = (T, statistics::Similar)> {
        let mut best: Vec<_> = found.collect();
        best.sort_by(|left, right| right.1.similarity.total_cmp(&left.1.similarity));
        best.truncate(self.max_expansions);
        best.into_iter()
    }

    /// A name of the words that are similar to `word`.
    fn name(&self, word: &str) -> String {
        let Self { edits, prefix_length, transpositions, max_expansions } = self;
        let edits = edits.edits(word.chars().count());
        format!("{word}~{edits},{prefix_length},{transpositions},{max_expansions}")
    }

    /// The terms that are similar to `word` and begin with `before`.
    fn set(&self, word: &str, before: Vec<u8>) -> TermSet {
        let edits = self.edits.edits(word.chars().count());
        let end = word.char_indices().nth(self.prefix_length).map_or(word.len(), |(at, _)| at);
        let (fixed, rest) = word.split_at_checked(end).unwrap_or((word, ""));
        let begin = [before.as_slice(), fixed.as_bytes()].concat();
        let (word, before) = (rest.to_owned(), fixed.chars().count());
        TermSet { begin, rest: Rest::Near { word, edits, transpositions: self.transpositions, before } }
    }
}

/// A word of the index that is similar to another one.
struct SimilarWord {
    similar: statistics::Similar,
    /// By segment.
    entries: Vec<Option<TermEntry>>,
}

impl Resolver<'_> {
    pub(super) fn words(&self, query: &Match) -> Result<Node> {
        let (field, text) = self.text_field(&query.field)?;
        let analyzer = self.analyzer(&query.field, text)?;
        let terms = Self::analyze(&*analyzer, &query.text);
        let parts = self.with_synonyms(text, &terms)?;
        let mut counts: BTreeMap<String, f32> = BTreeMap::new();
        for (term, _) in terms {
            *counts.entry(term).or_default() += 1.0;
        }
        if counts.is_empty() || query.operator == Operator::And {
            refuse_too_long(&*analyzer, &query.field, &query.text)?;
        }
        if counts.is_empty() {
            return Ok(Node::NoTerms);
        }
        let of = |count: usize| match query.operator {
            Operator::And => count,
            Operator::Or => query.minimum_should_match.map_or(1, |least| least.of(count)).clamp(1, count),
        };
        let how = query.fuzziness.map(Similar::by);
        how.iter().try_for_each(|how| how.check(&query.field))?;
        if let Some(parts) = parts {
            return self.words_or_synonyms((field, text), parts, how.as_ref(), of);
        }
        let required = of(counts.len());
        if let Some(how) = how {
            let similar = |(term, count): (String, f32)| self.similar_words(field, text, &term, count, &how);
            return Ok(enough_of(counts.into_iter().map(similar).collect::<Result<_>>()?, required));
        }
        let words = counts.into_iter().map(|(term, count)| self.word(field, text, term, count));
        Ok(Node::Words { words: words.collect::<Result<_>>()?, required })
    }

    pub(super) fn fuzzy(&self, query: &Fuzzy) -> Result<Node> {
        let Fuzzy { field: name, word, edits, prefix_length, transpositions, max_expansions } = query;
        let how = Similar {
            edits: *edits,
            prefix_length: *prefix_length,
            transpositions: *transpositions,
            max_expansions: *max_expansions,
        };
        how.check(name)?;
        let Some((field, text)) = self.declared_text(name)? else {
            return self.term_set(name, "fuzzy", |begin| how.set(word, begin));
        };
        let analyzer = self.analyzer(name, text)?;
        refuse_too_long(&*analyzer, name, word)?;
        let mut groups = Vec::new();
        for (term, _) in Self::analyze(&*analyzer, word) {
            groups.push(self.similar_words(field, text, &term, 1.0, &how)?);
        }
        let required = groups.len();
        Ok(enough_of(groups, required))
    }

    /// The words of the index that are similar to a term, each weighted by how similar it is and with the document
    /// frequency of the most frequent one. Without any, the term itself.
    pub(super) fn similar_words(
        &self,
        field: &Field,
        text: &Text,
        term: &str,
        count: f32,
        how: &Similar,
    ) -> Result<Vec<Word>> {
        let own = self.word(field, text, term.to_owned(), count)?;
        let len = term.chars().count();
        if how.edits.edits(len) == 0 {
            return Ok(vec![own]);
        }
        let set = how.set(term, Vec::new());
        let mut found: BTreeMap<String, SimilarWord> = BTreeMap::new();
        for (number, segment) in self.snapshot.segments.iter().enumerate() {
            let postings = segment.reader.postings().and_then(|postings| postings.field(field.number()));
            let Some(postings) = postings else { continue };
            set.walk(postings, self.stop.cancel, |similar, entry, edits| {
                // The terms of text fields are text.
                let Ok(similar) = std::str::from_utf8(similar) else { return Ok(()) };
                let similarity = similarity(len, similar.chars().count(), edits);
                let known = found.entry(similar.to_owned()).or_insert_with(|| SimilarWord {
                    similar: statistics::Similar { similarity, doc_freq: 0 },
                    entries: vec![None; self.snapshot.segments.len()],
                });
                known.similar.doc_freq = known.similar.doc_freq.saturating_add(entry.doc_freq.into());
                known.entries.get_mut(number).into_iter().for_each(|own| *own = Some(*entry));
                Ok(())
            })?;
        }
        // The best of all shards are the best of those that are among the best of their own.
        let best = how.best(found.iter().map(|(term, word)| (term, word.similar)));
        let best = best.map(|(term, similar)| (term.clone(), similar)).collect();
        let best = self.statistics.of_similar(field.name(), &how.name(term), best);
        let best: Vec<_> = how.best(best.into_iter()).collect();
        let Some(doc_freq) = best.iter().map(|(_, found)| found.doc_freq).max() else {
            return Ok(vec![own]);
        };
        let word = |(term, statistics::Similar { similarity, .. }): (String, _)| {
            let none = || vec![None; self.snapshot.segments.len()];
            let entries = found.remove(&term).map_or_else(none, |word| word.entries);
            let (field, totals, bm25, weight) = (own.field, own.totals, own.bm25, own.weight * similarity);
            Word { field, term: term.into_bytes(), entries, doc_freq, totals, weight, bm25 }
        };
        Ok(best.into_iter().map(word).collect())
    }

    pub(super) fn wildcard(&self, Wildcard { field: name, pattern }: &Wildcard) -> Result<Node> {
        let text = self.declared_text(name)?;
        let analyzer = text.map(|(_, text)| self.analyzer(name, text)).transpose()?;
        let spell = |literal: &str| match &analyzer {
            Some(analyzer) => analyzer.normalize(literal),
            None => literal.to_owned(),
        };
        self.pattern(name, "wildcard", automata::wildcard(pattern, spell))
    }

    pub(super) fn regex(&self, Regex { field: name, pattern }: &Regex) -> Result<Node> {
        self.pattern(name, "regex", automata::regex(pattern))
    }

    fn pattern(&self, name: &str, kind: &str, dfa: Result<Dfa, String>) -> Result<Node> {
        let dfa = Arc::new(dfa.map_err(|problem| wrong(name, problem))?);
        self.term_set(name, kind, |begin| TermSet { begin, rest: Rest::Pattern(Arc::clone(&dfa)) })
    }

    /// The documents with a term, value or key of a set, each with score 1. `set` makes those that begin with some bytes.
    fn term_set(&self, name: &str, kind: &str, set: impl Fn(Vec<u8>) -> TermSet) -> Result<Node> {
        let (field, begin) = match self.target(name)? {
            Target::Key => return Ok(Node::KeySet(set(Vec::new()))),
            Target::Undeclared => (dynamic::DYNAMIC_FIELD, dynamic::prefix(name, "")),
            Target::Declared(field) => match field.field_type() {
                FieldType::Text(_) | FieldType::Keyword(_) => (field.number(), Vec::new()),
                other => {
                    let expected = format!("{kind} queries work on text, keyword and key fields");
                    return Err(wrong(name, format!("{expected}, it is of type {}", other.name())));
                }
            },
        };
        Ok(Node::TermSet { field, terms: set(begin) })
    }
}

/// Documents that have a word of at least `required` of the groups; their scores add up.
pub(super) fn enough_of(groups: Vec<Vec<Word>>, required: usize) -> Node {
    match (groups.len(), required) {
        (0, _) => Node::NoTerms,
        (_, ..=1) => Node::Words { words: groups.into_iter().flatten().collect(), required: 1 },
        (count, required) => {
            let groups = groups.into_iter().map(|words| Node::Words { words, required: 1 }).collect();
            let clauses = match required == count {
                true => BoolNode { must: groups, ..BoolNode::default() },
                false => BoolNode { should: groups, required, ..BoolNode::default() },
            };
            Node::Bool(Box::new(clauses))
        }
    }
}
