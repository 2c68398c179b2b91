//! Which words of a text a query is about.

use crate::analysis::{self, Analyzer, Part, variants};
use crate::automata::{self, Automaton, Dfa, DfaWalk, LevenshteinWalk, Verdict};
use crate::document::Value;
use crate::error::Result;
use crate::query::{Fuzziness, Query};
use crate::schema::{Field, FieldType};
use crate::search::resolve::Resolver;
use crate::search::values::wrong;
use lucerne_codec::Cancel;
use std::ops::Range;

/// Words looked at between two looks at the cancel flag.
const CANCEL_STEP: usize = 256;

/// A word of a text.
pub(super) struct Token {
    pub(super) term: String,
    pub(super) position: u32,
    /// Its bytes in the text.
    pub(super) span: Range<usize>,
}

/// Bytes of a text that are marked, and which part of the query they are found by.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Mark {
    pub(super) start: usize,
    pub(super) end: usize,
    pub(super) part: usize,
}

/// What a word may be.
enum Wanted {
    Term(String),
    Prefix(String),
    Near { word: String, edits: u8, transpositions: bool, prefix: usize },
    Pattern(Dfa),
}

/// Words at places of their own, over which they may be moved.
struct Sequence {
    words: Vec<(Wanted, u32)>,
    slop: u32,
}

/// The field whose texts are marked.
#[derive(Clone, Copy)]
pub(super) struct MarkedField<'a> {
    pub(super) field: &'a Field,
    pub(super) analyzer: &'a dyn Analyzer,
    pub(super) resolver: &'a Resolver<'a>,
}

impl MarkedField<'_> {
    fn parts(&self, terms: &[(String, u32)]) -> Result<Option<Vec<Part>>> {
        match self.field.field_type() {
            FieldType::Text(text) => self.resolver.with_synonyms(text, terms),
            _ => Ok(None),
        }
    }
}

/// The words of a query in one field.
pub(super) struct Marks {
    sequences: Vec<Sequence>,
}

impl Marks {
    pub(super) fn new(of: MarkedField<'_>, query: &Query) -> Result<Self> {
        let mut marks = Self { sequences: Vec::new() };
        marks.add(of, query)?;
        Ok(marks)
    }

    fn word(&mut self, wanted: Wanted) {
        self.sequences.push(Sequence { words: vec![(wanted, 0)], slop: 0 });
    }

    fn value(&mut self, value: &Value) {
        if let Value::Text(term) = value {
            self.word(Wanted::Term(term.clone()));
        }
    }

    fn near(&mut self, term: String, edits: Fuzziness, transpositions: bool, prefix: usize) {
        match edits.edits(term.chars().count()) {
            0 => self.word(Wanted::Term(term)),
            edits => self.word(Wanted::Near { word: term, edits, transpositions, prefix }),
        }
    }

    fn sequences(&mut self, sequences: Vec<analysis::Sequence>, slop: u32) {
        for sequence in sequences {
            let words = sequence.into_iter().map(|(term, at)| (Wanted::Term(term), at));
            self.sequences.push(Sequence { words: words.collect(), slop });
        }
    }

    fn add(&mut self, of: MarkedField<'_>, query: &Query) -> Result<()> {
        let (field, analyzer) = (of.field.name(), of.analyzer);
        let terms = |text: &str| {
            let mut terms = Vec::new();
            analyzer.analyze(text, &mut |term, position| terms.push((term.to_owned(), position)));
            terms
        };
        let problem = |problem: String| wrong(field, problem);
        match query {
            Query::Match(words) if words.field == field => {
                let terms = terms(&words.text);
                let Some(parts) = of.parts(&terms)? else {
                    for (term, _) in terms {
                        self.near(term, words.fuzziness.unwrap_or(Fuzziness::Edits(0)), true, 0);
                    }
                    return Ok(());
                };
                for part in parts {
                    match (&*part.alternatives, words.fuzziness) {
                        ([one], Some(edits)) if one.len() == 1 => {
                            one.iter().for_each(|(term, _)| self.near(term.clone(), edits, true, 0));
                        }
                        _ => self.sequences(part.alternatives, 0),
                    }
                }
            }
            Query::Fuzzy(fuzzy) if fuzzy.field == field => {
                for (term, _) in terms(&fuzzy.word) {
                    self.near(term, fuzzy.edits, fuzzy.transpositions, fuzzy.prefix_length);
                }
            }
            Query::Term(term) if term.field == field => self.value(&term.value),
            Query::Terms(terms) if terms.field == field => {
                terms.values.iter().for_each(|term| self.value(term))
            }
            Query::MoreLike(like) => {
                let words = of.resolver.like_words(like)?.words.into_iter();
                for word in words.filter(|word| word.field == of.field.number()) {
                    self.word(Wanted::Term(String::from_utf8_lossy(&word.term).into_owned()));
                }
            }
            Query::Phrase(phrase) if phrase.field == field => {
                let terms = terms(&phrase.text);
                let variants = match of.parts(&terms)? {
                    Some(parts) => variants(&parts).map_err(problem)?,
                    None => vec![terms],
                };
                self.sequences(variants, phrase.slop);
            }
            Query::Prefix(prefix) if prefix.field == field => {
                let mut words = Vec::new();
                analyzer.analyze_prefix(&prefix.prefix, &mut |term, at| {
                    words.push((Wanted::Term(term.to_owned()), at));
                });
                if let Some((Wanted::Term(last), at)) = words.pop() {
                    words.push((Wanted::Prefix(last), at));
                }
                self.sequences.push(Sequence { words, slop: 0 });
            }
            Query::Wildcard(wildcard) if wildcard.field == field => {
                let dfa = automata::wildcard(&wildcard.pattern, |literal| analyzer.normalize(literal));
                self.word(Wanted::Pattern(dfa.map_err(problem)?));
            }
            Query::Regex(regex) if regex.field == field => {
                self.word(Wanted::Pattern(automata::regex(&regex.pattern).map_err(problem)?));
            }
            Query::MultiMatch(words) => self.add(of, &words.by_field())?,
            Query::Bool(clauses) => {
                for query in clauses.must.iter().chain(&clauses.should).chain(&clauses.filter) {
                    self.add(of, query)?;
                }
            }
            Query::DisMax(best) => {
                best.queries.iter().try_for_each(|query| self.add(of, query))?;
            }
            Query::Fuse(fuse) => {
                fuse.queries.iter().try_for_each(|input| self.add(of, &input.query))?;
            }
            Query::Boost(boost) => self.add(of, &boost.query)?,
            Query::Constant(constant) => self.add(of, &constant.query)?,
            _ => {}
        }
        Ok(())
    }

    /// The marks in a text of these words, ascending.
    pub(super) fn of(&self, tokens: &[Token], cancel: &Cancel) -> Result<Vec<Mark>> {
        let mut marks = Vec::new();
        for (part, sequence) in self.sequences.iter().enumerate() {
            let found = sequence.words.iter().map(|(wanted, _)| tokens_of(wanted, tokens, cancel));
            let found = found.collect::<Result<Vec<Vec<&Token>>>>()?;
            sequence.mark(&found, cancel, |token| {
                marks.push(Mark { start: token.span.start, end: token.span.end, part });
            })?;
        }
        marks.sort_unstable();
        marks.dedup();
        Ok(marks)
    }
}

impl Sequence {
    /// Calls `mark` with the words of all matches; `found` are the words that each place may have.
    fn mark(&self, found: &[Vec<&Token>], cancel: &Cancel, mut mark: impl FnMut(&Token)) -> Result<()> {
        let moved = |token: &Token, place: u32| i64::from(token.position) - i64::from(place);
        let places = || found.iter().zip(self.words.iter().map(|(_, place)| *place));
        let mut starts: Vec<i64> = Vec::new();
        places().for_each(|(tokens, place)| starts.extend(tokens.iter().map(|token| moved(token, place))));
        starts.sort_unstable();
        starts.dedup();
        for (done, start) in starts.into_iter().enumerate() {
            cancel.check_every(CANCEL_STEP, done)?;
            let mut taken: Vec<&Token> = Vec::with_capacity(found.len());
            for (tokens, place) in places() {
                let from = tokens.partition_point(|token| moved(token, place) < start);
                let mut near = tokens.get(from..).unwrap_or_default().iter();
                let is_free = |token: &&&Token| !taken.iter().any(|other| std::ptr::eq(*other, **token));
                match near.by_ref().take(found.len()).find(is_free) {
                    Some(token) if moved(token, place) - start <= self.slop.into() => taken.push(token),
                    _ => break,
                }
            }
            if taken.len() == found.len() {
                taken.into_iter().for_each(&mut mark);
            }
        }
        Ok(())
    }
}

fn tokens_of<'t>(wanted: &Wanted, tokens: &'t [Token], cancel: &Cancel) -> Result<Vec<&'t Token>> {
    let mut walk: Option<Box<dyn Automaton + '_>> = match wanted {
        Wanted::Term(_) | Wanted::Prefix(_) => None,
        Wanted::Pattern(dfa) => Some(Box::new(DfaWalk::new(dfa))),
        Wanted::Near { word, edits, transpositions, prefix } => {
            let rest =
                word.char_indices().nth(*prefix).map_or("", |(at, _)| word.get(at..).unwrap_or_default());
            let before = (*prefix).min(word.chars().count());
            Some(Box::new(LevenshteinWalk::new(rest, *edits, *transpositions, before)))
        }
    };
    let (mut found, mut next) = (Vec::new(), Vec::new());
    for (done, token) in tokens.iter().enumerate() {
        cancel.check_every(CANCEL_STEP, done)?;
        let fixed = match wanted {
            Wanted::Near { word, prefix, .. } => {
                word.char_indices().nth(*prefix).map_or(&**word, |(at, _)| word.get(..at).unwrap_or_default())
            }
            _ => "",
        };
        let is_wanted = match (wanted, &mut walk) {
            (Wanted::Term(term), _) => token.term == *term,
            (Wanted::Prefix(prefix), _) => token.term.starts_with(prefix),
            (_, Some(walk)) => token.term.strip_prefix(fixed).is_some_and(|rest| {
                next.clear();
                matches!(walk.test(rest.as_bytes(), &mut next), Verdict::Match(_))
            }),
            (_, None) => false,
        };
        if is_wanted {
            found.push(token);
        }
    }
    Ok(found)
}
