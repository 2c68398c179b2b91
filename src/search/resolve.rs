//! Resolves a query to a [`Node`]: looks up fields, analyzes texts, gathers term statistics, runs kNN queries.

use super::given::{self, GivenRanking, RankingOf};
use super::known::Known;
use super::more_like;
use super::node::{BoolNode, Node, PhraseNode, PhrasePrefixNode, TermRange, Totals, Word};
use super::part::Part;
use super::ranking::Ranking;
use super::scorers::Bm25;
use super::statistics::Statistics;
use super::stop::Stop;
use super::threads::Threads;
use super::values::{dynamic_range, number_range, numbers_of, text_of, text_range, wrong};
use crate::analysis::{Analyzer, Analyzers};
use crate::document::{Value, dynamic};
use crate::error::{Error, Result, shortened};
use crate::limits::{MAX_PHRASE_WORDS, MAX_QUERY_DEPTH};
use crate::query::{Bool, MoreLike, Phrase, Prefix, Query, Range, Terms};
use crate::reader::Snapshot;
use crate::schema::{Field, FieldType, Schema, Text};
use lucerne_codec::DocId;
use std::sync::Arc;

/// Ranks the documents of a query, at most the given number of them unless it is a kNN or fusion query.
pub(super) type RankQuery = fn(&Resolver<'_>, &Query, usize) -> Result<Ranking>;

/// What a query is resolved against.
#[derive(Clone, Copy)]
pub(super) struct Resolver<'a> {
    pub(super) snapshot: &'a Snapshot,
    pub(super) analyzers: &'a Analyzers,
    /// kNN queries search only documents that match this.
    pub(super) filter: Option<&'a Node>,
    /// What stops the search.
    pub(super) stop: Stop<'a>,
    /// Where segments are searched.
    pub(super) threads: &'a Threads,
    /// Runs the kNN and fusion queries inside a query. It is passed in because it resolves queries itself.
    pub(super) rank_query: RankQuery,
    pub(super) statistics: Statistics<'a>,
    /// Of a shard: the rankings inside the search, which are of all shards.
    pub(super) given: Option<&'a [GivenRanking]>,
    /// Shards of which this index is one; 1 where it is all there is.
    pub(super) shards: usize,
    /// What the kNN query that is the whole search knows, made together with others.
    pub(super) known: Option<Known<'a>>,
}

/// How documents with a term of a text field are scored.
#[derive(Clone, Copy, PartialEq)]
enum Scoring {
    Bm25,
    /// Every document scores 1.
    Constant,
}

/// What a field name in a query refers to.
pub(super) enum Target<'a> {
    Key,
    Declared(&'a Field),
    /// A name that a dynamic schema does not declare.
    Undeclared,
}

impl<'a> Resolver<'a> {
    /// The same without a filter, for a query inside another one.
    pub(super) fn unfiltered(&self) -> Self {
        Self { filter: None, known: None, ..*self }
    }

    /// The same for a ranking that others are made of: only the whole of it is of use.
    pub(super) fn whole(&self) -> Self {
        Self { stop: self.stop.whole(), ..*self }
    }

    /// Ranks the documents of a query inside another one: see [`RankQuery`].
    pub(super) fn rank(&self, query: &Query, limit: usize) -> Result<Ranking> {
        let Some(given) = self.given else {
            return (self.rank_query)(&Self { known: None, ..self.whole() }, query, limit);
        };
        let of = RankingOf::new(query, self.filter.is_some(), Some(limit));
        let missing = || Error::Invalid(format!("a shard was not given the ranking of {}", of.query));
        given::find(given, &of).ok_or_else(missing)?.ranking(self.snapshot)
    }

    /// A segment of the snapshot.
    pub(super) fn part(&self, index: usize) -> Option<Part<'a>> {
        let segment = self.snapshot.segments.get(index)?;
        Some(Part { index, segment, cancel: self.stop.cancel })
    }

    /// What `work` makes of each segment, in their order. Those that a search comes to after it was stopped, and is to
    /// return what it has, are left out, and those for which `work` returns nothing.
    pub(super) fn each_segment<T: Send>(
        &self,
        work: impl Fn(Part<'a>) -> Result<Option<T>> + Sync,
    ) -> Result<Vec<T>> {
        let segments = &self.snapshot.segments;
        let size = |index: &usize| segments.get(*index).map(|segment| segment.reader.max_doc());
        let largest_first = || {
            let mut order: Vec<usize> = (0..segments.len()).collect();
            order.sort_by_key(|index| std::cmp::Reverse(size(index)));
            order
        };
        let results = self.threads.each(segments.len(), largest_first, |index| {
            let Some(part) = self.part(index) else { return Ok(None) };
            if self.stop.part(self.stop.check())?.is_none() {
                return Ok(None);
            }
            work(part)
        })?;
        Ok(results.into_iter().flatten().collect())
    }

    /// Resolves a query.
    pub(super) fn resolve(&self, query: &Query) -> Result<Node> {
        self.resolve_at(query, MAX_QUERY_DEPTH)
    }

    /// Resolves a query that may be nested `depth` levels deep.
    fn resolve_at(&self, query: &Query, depth: usize) -> Result<Node> {
        self.stop.check()?;
        let too_deep = || Error::WrongQuery {
            field: None,
            problem: format!("queries within queries more than {MAX_QUERY_DEPTH} deep"),
        };
        let depth = depth.checked_sub(1).ok_or_else(too_deep)?;
        match query {
            Query::All {} => Ok(Node::All),
            Query::None {} => Ok(Node::None),
            Query::Term(term) => self.terms(&term.field, std::slice::from_ref(&term.value), Scoring::Bm25),
            Query::Terms(Terms { field, values }) => self.terms(field, values, Scoring::Constant),
            Query::Range(range) => self.range(range),
            Query::Exists(exists) => self.exists(&exists.field),
            Query::Prefix(prefix) => self.prefix(prefix),
            Query::Fuzzy(fuzzy) => self.fuzzy(fuzzy),
            Query::Wildcard(wildcard) => self.wildcard(wildcard),
            Query::Regex(regex) => self.regex(regex),
            Query::Match(words) => self.words(words),
            Query::MultiMatch(words) => self.resolve_at(&words.by_field(), depth),
            Query::DisMax(best) => {
                let tie_breaker = finite("tie_breaker", best.tie_breaker, 0.0)?;
                if tie_breaker > 1.0 {
                    let problem = format!("tie_breaker is {tie_breaker}, expected a number from 0 to 1");
                    return Err(Error::WrongQuery { field: None, problem });
                }
                let nodes = best.queries.iter().map(|query| self.resolve_at(query, depth));
                let mut nodes = nodes.collect::<Result<Vec<Node>>>()?;
                let given = nodes.len();
                nodes.retain(|node| !matches!(node, Node::NoTerms));
                Ok(match nodes.is_empty() && given > 0 {
                    true => Node::NoTerms,
                    false => Node::DisMax(nodes, tie_breaker),
                })
            }
            Query::Phrase(phrase) => self.phrase(phrase),
            Query::MoreLike(query) => Ok(more_like::node(query, self.like_words(query)?)),
            Query::Bool(clauses) => self.clauses(clauses, depth),
            Query::Boost(boost) => {
                let factor = finite("boost", boost.boost, 0.0)?;
                Ok(match self.resolve_at(&boost.query, depth)? {
                    Node::NoTerms => Node::NoTerms,
                    node => Node::Boost(Box::new(node), factor),
                })
            }
            Query::Constant(constant) => {
                let score = finite("score", constant.score, 0.0)?;
                Ok(match self.resolve_at(&constant.query, depth)? {
                    Node::NoTerms => Node::NoTerms,
                    node => Node::Constant(Box::new(node), score),
                })
            }
            Query::Sparse(query) => self.sparse(query),
            Query::Knn(_) | Query::Fuse(_) => Ok(self.found(&self.rank(query, usize::MAX)?)),
        }
    }

    /// The words that documents like another one are found by.
    pub(super) fn like_words(&self, query: &MoreLike) -> Result<more_like::Chosen> {
        let text_field = |name: &str| {
            let (field, text) = self.text_field(name)?;
            Ok((field, text, self.analyzer(name, text)?))
        };
        more_like::choose(self.snapshot, query, text_field, |field, text, term| {
            self.word(field, text, term, 1.0)
        })
    }

    fn schema(&self) -> &'a Schema {
        &self.snapshot.schema
    }

    pub(super) fn target(&self, name: &str) -> Result<Target<'a>> {
        let schema = self.schema();
        if name == schema.key().name() {
            return Ok(Target::Key);
        }
        match schema.field(name) {
            Some(field) if !field.is_indexed() => Err(Error::NotIndexed { field: name.to_owned() }),
            Some(field) => Ok(Target::Declared(field)),
            None if schema.is_dynamic() => Ok(Target::Undeclared),
            None => schema.require(name).map(Target::Declared),
        }
    }

    fn terms(&self, name: &str, values: &[Value], scoring: Scoring) -> Result<Node> {
        let texts = || values.iter().map(|value| text_of(name, value));
        match self.target(name)? {
            Target::Key => Ok(Node::Keys(texts().collect::<Result<_>>()?)),
            Target::Undeclared => {
                let known = values.iter().map(|value| {
                    dynamic::term(name, value)
                        .ok_or_else(|| wrong(name, "expected a short string, a number or a truth value"))
                });
                Ok(Node::AnyTerm { field: dynamic::DYNAMIC_FIELD, terms: known.collect::<Result<_>>()? })
            }
            Target::Declared(field) => match field.field_type() {
                FieldType::Keyword(_) => {
                    let terms = texts().map(|text| text.map(String::into_bytes));
                    Ok(Node::AnyTerm { field: field.number(), terms: terms.collect::<Result<_>>()? })
                }
                FieldType::Text(text) if scoring == Scoring::Bm25 => {
                    let terms = texts().collect::<Result<Vec<_>>>()?;
                    let words = terms.into_iter().map(|term| self.word(field, text, term, 1.0));
                    Ok(Node::Words { words: words.collect::<Result<_>>()?, required: 1 })
                }
                FieldType::Text(_) => {
                    let terms = texts().map(|text| text.map(String::into_bytes));
                    Ok(Node::AnyTerm { field: field.number(), terms: terms.collect::<Result<_>>()? })
                }
                FieldType::Vector(_) => {
                    Err(wrong(name, "a vector field has no terms; search it with a kNN query"))
                }
                FieldType::SparseVector => {
                    Err(wrong(name, "a sparse_vector field has no terms; search it with a sparse query"))
                }
                _ => {
                    let mut should = Vec::new();
                    for value in values {
                        if let Some(range) = numbers_of(field, value)? {
                            should.push(Node::Numbers { field: field.number(), range });
                        }
                    }
                    Ok(any_of(should))
                }
            },
        }
    }

    fn range(&self, range: &Range) -> Result<Node> {
        match self.target(&range.field)? {
            Target::Key => Ok(Node::KeyRange(text_range(&range.field, range)?)),
            Target::Undeclared => {
                let range = dynamic_range(&range.field, range)?;
                Ok(Node::TermRange { field: dynamic::DYNAMIC_FIELD, range })
            }
            Target::Declared(field) => match field.field_type() {
                FieldType::Text(_) if range.is_unbounded() => self.exists(&range.field),
                FieldType::Text(text) => {
                    let analyzer = self.analyzer(&range.field, text)?;
                    let normalized = range.map_bounds(|value| {
                        text_of(&range.field, value).map(|text| Value::Text(analyzer.normalize(&text)))
                    })?;
                    let range = text_range(&range.field, &normalized)?;
                    Ok(Node::TermRange { field: field.number(), range })
                }
                FieldType::Keyword(_) => {
                    let range = text_range(&range.field, range)?;
                    Ok(Node::TermRange { field: field.number(), range })
                }
                FieldType::Vector(_) | FieldType::SparseVector => {
                    Err(wrong(&range.field, "a vector field has no ranges"))
                }
                _ => Ok(match number_range(field, range)? {
                    Some(range) => Node::Numbers { field: field.number(), range },
                    None => Node::None,
                }),
            },
        }
    }

    fn exists(&self, name: &str) -> Result<Node> {
        Ok(match self.target(name)? {
            Target::Key => Node::All,
            Target::Undeclared => {
                Node::AnyTerm { field: dynamic::DYNAMIC_FIELD, terms: vec![dynamic::existing(name)] }
            }
            Target::Declared(field) => match field.field_type() {
                // Texts without terms have a term of their own.
                FieldType::Text(_) => any_of(vec![
                    Node::Exists(field.number()),
                    Node::AnyTerm {
                        field: dynamic::DYNAMIC_FIELD,
                        terms: vec![dynamic::without_terms(name)],
                    },
                ]),
                _ => Node::Exists(field.number()),
            },
        })
    }

    fn prefix(&self, Prefix { field: name, prefix }: &Prefix) -> Result<Node> {
        let range = || TermRange::prefix(prefix.clone().into_bytes());
        match self.target(name)? {
            Target::Key => Ok(Node::KeyRange(range())),
            Target::Undeclared => {
                let range = TermRange::prefix(dynamic::prefix(name, prefix));
                Ok(Node::TermRange { field: dynamic::DYNAMIC_FIELD, range })
            }
            Target::Declared(field) => match field.field_type() {
                FieldType::Text(text) if !prefix.is_empty() => self.text_prefix(field, text, prefix),
                FieldType::Text(_) | FieldType::Keyword(_) => {
                    Ok(Node::TermRange { field: field.number(), range: range() })
                }
                other => Err(wrong(
                    name,
                    format!(
                        "prefix queries work on text, keyword and key fields, it is of type {}",
                        other.name()
                    ),
                )),
            },
        }
    }

    /// The last word of the prefix goes on; words before it are a phrase with it.
    fn text_prefix(&self, field: &Field, text: &Text, prefix: &str) -> Result<Node> {
        let analyzer = self.analyzer(field.name(), text)?;
        refuse_too_long(&*analyzer, field.name(), prefix)?;
        let mut terms = Vec::new();
        analyzer.analyze_prefix(prefix, &mut |term, position| terms.push((term.to_owned(), position)));
        refuse_too_many(field.name(), terms.len())?;
        let Some((last, at)) = terms.pop() else { return Ok(Node::NoTerms) };
        let range = TermRange::prefix(last.clone().into_bytes());
        if terms.is_empty() {
            return Ok(Node::TermRange { field: field.number(), range });
        }
        let words = terms.into_iter().map(|(term, offset)| Ok((self.word(field, text, term, 1.0)?, offset)));
        let (words, last) = (words.collect::<Result<_>>()?, (self.word(field, text, last, 1.0)?, at));
        Ok(Node::PhrasePrefix(Box::new(PhrasePrefixNode { words, last, terms: range })))
    }

    pub(super) fn analyzer(&self, name: &str, text: &Text) -> Result<Arc<dyn Analyzer>> {
        self.analyzers.resolve(text.text_analysis()).map_err(|error| wrong(name, error.to_string()))
    }

    /// The declared text field of this name; `None` when the name is that of something else.
    pub(super) fn declared_text(&self, name: &str) -> Result<Option<(&'a Field, &'a Text)>> {
        Ok(match self.target(name)? {
            Target::Declared(field) => match field.field_type() {
                FieldType::Text(text) => Some((field, text)),
                _ => None,
            },
            _ => None,
        })
    }

    pub(super) fn text_field(&self, name: &str) -> Result<(&'a Field, &'a Text)> {
        if let Some(found) = self.declared_text(name)? {
            return Ok(found);
        }
        let of_type =
            self.schema().field(name).map_or("key or not declared", |field| field.field_type().name());
        Err(wrong(
            name,
            format!("expected a text field, it is of type {of_type}; use term or range for exact values"),
        ))
    }

    /// The terms of a text as an analyzer makes them, with their positions.
    pub(super) fn analyze(analyzer: &dyn Analyzer, text: &str) -> Vec<(String, u32)> {
        let mut terms = Vec::new();
        analyzer.analyze(text, &mut |term, position| terms.push((term.to_owned(), position)));
        terms
    }

    fn phrase(&self, query: &Phrase) -> Result<Node> {
        let (field, text) = self.text_field(&query.field)?;
        let analyzer = self.analyzer(&query.field, text)?;
        refuse_too_long(&*analyzer, &query.field, &query.text)?;
        let terms = Self::analyze(&*analyzer, &query.text);
        refuse_too_many(&query.field, terms.len())?;
        if let Some(parts) = self.with_synonyms(text, &terms)? {
            return self.phrase_or_synonyms((field, text), &parts, query.slop);
        }
        let words = terms.into_iter().map(|(term, offset)| Ok((self.word(field, text, term, 1.0)?, offset)));
        let mut words = words.collect::<Result<Vec<_>>>()?;
        if words.len() <= 1 {
            let Some((word, _)) = words.pop() else { return Ok(Node::NoTerms) };
            return Ok(Node::Words { words: vec![word], required: 1 });
        }
        Ok(Node::Phrase { phrase: Box::new(PhraseNode { words, slop: query.slop }) })
    }

    /// A term with its statistics over all segments.
    pub(super) fn word(&self, field: &Field, text: &Text, term: String, count: f32) -> Result<Word> {
        self.stop.check()?;
        let (mut totals, mut doc_freq) = (Totals::default(), 0u64);
        let mut entries = vec![None; self.snapshot.segments.len()];
        for (segment, entry) in self.snapshot.segments.iter().zip(&mut entries) {
            let postings = segment.reader.postings().and_then(|postings| postings.field(field.number()));
            let Some(postings) = postings else { continue };
            let stats = postings.stats();
            // Counts from a file are untrusted.
            totals.docs = totals.docs.saturating_add(stats.docs.into());
            totals.tokens = totals.tokens.saturating_add(stats.tokens);
            *entry = postings.term(term.as_bytes())?;
            doc_freq = doc_freq.saturating_add(entry.map_or(0, |entry| entry.doc_freq).into());
        }
        let (totals, doc_freq) = self.statistics.of_word(field.name(), &term, (totals, doc_freq));
        let weight = text.text_weight() * count;
        let (k1, b) = text.text_bm25();
        let bm25 = Bm25 { k1, b };
        Ok(Word { field: field.number(), term: term.into_bytes(), entries, doc_freq, totals, weight, bm25 })
    }

    fn clauses(&self, query: &Bool, depth: usize) -> Result<Node> {
        let all = |queries: &[Query]| {
            queries.iter().map(|query| self.resolve_at(query, depth)).collect::<Result<Vec<Node>>>()
        };
        let (mut must, mut should) = (all(&query.must)?, all(&query.should)?);
        let (must_not, filter) = (all(&query.must_not)?, all(&query.filter)?);
        let mut required = query.required_should();
        // Clauses without terms are passed over. Where no other says what is to be found, nothing is.
        for clauses in [&mut must, &mut should] {
            clauses.retain(|clause| !matches!(clause, Node::NoTerms));
        }
        let finds = !query.must.is_empty() || required > 0;
        let passed_over = must.len() < query.must.len() || should.len() < query.should.len();
        if passed_over {
            if finds && must.is_empty() && should.is_empty() {
                return Ok(Node::NoTerms);
            }
            if finds && must.is_empty() && query.minimum_should_match.is_none() {
                required = 1;
            }
            required = required.min(should.len());
        }
        Ok(Node::Bool(Box::new(BoolNode { must, should, must_not, filter, required })))
    }

    /// The documents of a ranking as a node.
    fn found(&self, ranking: &Ranking) -> Node {
        let mut by_segment: Vec<Vec<(DocId, f32)>> = vec![Vec::new(); self.snapshot.segments.len()];
        for doc in &ranking.docs {
            if let Some(found) = by_segment.get_mut(doc.address.segment) {
                found.push((doc.address.doc, doc.score));
            }
        }
        by_segment.iter_mut().for_each(|found| found.sort_unstable_by_key(|(doc, _)| *doc));
        Node::Found(by_segment)
    }
}

/// Refuses a text that requires a word which no document can be found by.
pub(super) fn refuse_too_long(analyzer: &dyn Analyzer, field: &str, text: &str) -> Result<()> {
    let Some(word) = analyzer.too_long(text) else { return Ok(()) };
    let (shown, len) = (shortened(&word), word.len());
    Err(wrong(
        field,
        format!("the word {shown:?} has {len} bytes; a word so long is not indexed, so none can have it"),
    ))
}

/// Refuses a phrase that would take too long.
fn refuse_too_many(field: &str, words: usize) -> Result<()> {
    if words <= MAX_PHRASE_WORDS {
        return Ok(());
    }
    Err(wrong(field, format!("the phrase has {words} words, expected at most {MAX_PHRASE_WORDS}")))
}

fn any_of(mut nodes: Vec<Node>) -> Node {
    match nodes.len() {
        0 => Node::None,
        1 => nodes.pop().unwrap_or(Node::None),
        _ => {
            let clauses = BoolNode { should: nodes, required: 1, ..BoolNode::default() };
            Node::Constant(Box::new(Node::Bool(Box::new(clauses))), 1.0)
        }
    }
}

/// A finite number of at least `least`.
pub(super) fn finite(what: &str, number: f32, least: f32) -> Result<f32> {
    if number.is_finite() && number >= least {
        return Ok(number);
    }
    let problem = format!("{what} is {number}, expected a finite number of at least {least}");
    Err(Error::WrongQuery { field: None, problem })
}
