//! Words with typing errors, wildcards and regular expressions, as a definition has them.

use super::{Asked, Asker, Doc, TAGS, WORDS};
use crate::common::rng::Rng;
use lucerne::query::{DisMax, Fuzziness, Minimum};
use lucerne::{Fuzzy, Match, MultiMatch, Query, Regex, Wildcard};
use std::collections::BTreeSet;

/// The optimal string alignment distance of words of one-byte letters.
fn distance(left: &str, right: &str, transpositions: bool) -> usize {
    let (left, right) = (left.as_bytes(), right.as_bytes());
    let mut table = vec![vec![0; right.len() + 1]; left.len() + 1];
    for i in 0..=left.len() {
        for j in 0..=right.len() {
            if i == 0 || j == 0 {
                table[i][j] = i + j;
                continue;
            }
            let replaced = table[i - 1][j - 1] + usize::from(left[i - 1] != right[j - 1]);
            table[i][j] = replaced.min(table[i - 1][j] + 1).min(table[i][j - 1] + 1);
            let swapped = i > 1 && j > 1 && left[i - 1] == right[j - 2] && left[i - 2] == right[j - 1];
            if transpositions && swapped {
                table[i][j] = table[i][j].min(table[i - 2][j - 2] + 1);
            }
        }
    }
    table[left.len()][right.len()]
}

/// A word with up to two typing errors in it.
fn mistyped(word: &str, rng: &mut Rng) -> String {
    let mut letters: Vec<char> = word.chars().collect();
    for _ in 0..rng.below(3) {
        let at = rng.below(letters.len().max(1));
        match rng.below(4) {
            0 if letters.len() > 1 => _ = letters.remove(at),
            1 if letters.len() > 1 => {
                let next = (at + 1) % letters.len();
                letters.swap(at, next);
            }
            2 => letters.insert(at, 'e'),
            _ => letters[at] = *rng.pick(&['a', 'e', 'o', 'l']),
        }
    }
    letters.into_iter().collect()
}

/// A random minimum, and what it is of some clauses.
pub(super) fn minimum(clauses: usize, rng: &mut Rng) -> (Minimum, usize) {
    match rng.below(4) {
        0 => (Minimum::Percent(50), clauses / 2),
        1 => (Minimum::Percent(-40), clauses - clauses * 2 / 5),
        2 => (Minimum::Count(-1), clauses.saturating_sub(1)),
        _ => {
            let count = rng.below(3);
            (Minimum::Count(count as i64), count)
        }
    }
}

/// How often a document has a phrase: of all ways to give every word of it a place in the document, equal ones in their
/// order, those spread over at most `slop` whose spread has no smaller one in it, each by how wide it is.
pub(super) fn occurrences(phrase: &[&str], doc: &[&str], slop: u32) -> f64 {
    let mut ways: Vec<Vec<usize>> = vec![Vec::new()];
    for word in phrase {
        let places: Vec<usize> = (0..doc.len()).filter(|at| doc[*at] == *word).collect();
        let longer = ways.iter().flat_map(|way| {
            let after = way.iter().zip(phrase).filter(|(_, other)| *other == word).map(|(at, _)| *at).max();
            let free = places.iter().filter(move |at| after.is_none_or(|after| **at > after));
            free.map(move |at| way.iter().copied().chain([*at]).collect())
        });
        ways = longer.collect();
    }
    let spread = |way: &Vec<usize>| {
        let moved = || way.iter().enumerate().map(|(offset, at)| *at as i64 - offset as i64);
        (moved().min().unwrap(), moved().max().unwrap())
    };
    let spreads: BTreeSet<(i64, i64)> = ways.iter().map(spread).collect();
    let has_smaller = |(from, to): (i64, i64)| {
        spreads.iter().any(|other| *other != (from, to) && from <= other.0 && other.1 <= to)
    };
    let narrow = spreads.iter().filter(|(from, to)| to - from <= slop.into() && !has_smaller((*from, *to)));
    narrow.map(|(from, to)| 1.0 / (1.0 + (to - from) as f64)).sum()
}

/// How similar words are found.
struct Near {
    edits: usize,
    prefix: usize,
    transpositions: bool,
}

impl Near {
    /// The similarity of two words, when they are similar.
    fn of(&self, word: &str, other: &str) -> Option<f64> {
        let (fixed, rest) = word.split_at(self.prefix.min(word.len()));
        let distance = distance(rest, other.strip_prefix(fixed)?, self.transpositions);
        let shorter = word.len().min(other.len());
        let is_near = distance == 0 || distance <= self.edits && distance < shorter;
        is_near.then(|| 1.0 - distance as f64 / shorter.max(1) as f64)
    }
}

impl Asker<'_> {
    /// The score of a word that stands for all that are similar, in a document; `None` when it has none of them.
    fn similar(&self, word: &str, near: &Near, doc: &Doc) -> Option<f64> {
        let known: BTreeSet<&str> = self.model.values().flat_map(|doc| doc.words.iter().copied()).collect();
        let similar: Vec<(&str, f64)> =
            known.into_iter().filter_map(|other| Some((other, near.of(word, other)?))).collect();
        // The idf of the most frequent one, which is the least.
        let idf = similar.iter().map(|(other, _)| self.idf(other)).fold(f64::INFINITY, f64::min);
        let freq = |word: &str| doc.words.iter().filter(|own| **own == word).count() as f64;
        let has: Vec<_> = similar.into_iter().filter(|(other, _)| freq(other) > 0.0).collect();
        let score = |(other, similarity): &(&str, f64)| similarity * idf * self.saturated(freq(other), doc);
        (!has.is_empty()).then(|| has.iter().map(score).sum())
    }

    pub(super) fn fuzzy(&self, rng: &mut Rng) -> Asked {
        let near = Near { edits: rng.below(3), prefix: rng.below(3), transpositions: rng.chance(50) };
        let word = mistyped([*rng.pick(&WORDS), *rng.pick(&TAGS)][rng.below(2)], rng);
        let ask = |field: &str| {
            let fuzzy = Fuzzy::new(field, &word).edits(near.edits as u8).prefix_length(near.prefix);
            Query::from(fuzzy.transpositions(near.transpositions))
        };
        let is_near = |other: &str| near.of(&word, other).is_some();
        match rng.below(4) {
            0 => Asked {
                query: ask("tags"),
                scores: self.all(|_, doc| doc.tags.iter().any(|tag| is_near(tag)).then_some(1.0)),
            },
            1 => Asked {
                query: ask("extra"),
                scores: self.all(|_, doc| doc.extra.filter(|tag| is_near(tag)).map(|_| 1.0)),
            },
            _ => Asked { query: ask("body"), scores: self.all(|_, doc| self.similar(&word, &near, doc)) },
        }
    }

    /// Several words, of which some number must be there.
    pub(super) fn mistyped_words(&self, rng: &mut Rng) -> Asked {
        let words: BTreeSet<String> =
            (0..=rng.below(3)).map(|_| mistyped(WORDS[rng.below(WORDS.len())], rng)).collect();
        let text = words.iter().cloned().collect::<Vec<_>>().join(" ");
        let (fuzziness, edits): (_, fn(usize) -> usize) = match rng.below(3) {
            0 => (Fuzziness::Auto, |len| [0, 0, 0, 1, 1, 1].get(len).copied().unwrap_or(2)),
            1 => (Fuzziness::Edits(1), |_| 1),
            _ => (Fuzziness::Edits(2), |_| 2),
        };
        let (query, required) = match rng.below(3) {
            0 => (Match::all("body", text), words.len()),
            1 => (Match::new("body", text).minimum_should_match(2), 2.min(words.len())),
            _ => (Match::new("body", text), 1),
        };
        let scores = self.all(|_, doc| {
            let score = |word: &String| {
                let near = Near { edits: edits(word.len()), prefix: 0, transpositions: true };
                self.similar(word, &near, doc)
            };
            let found: Vec<f64> = words.iter().filter_map(score).collect();
            (found.len() >= required).then(|| found.iter().sum())
        });
        Asked { query: query.fuzziness(fuzziness).into(), scores }
    }

    /// Words in the text twice, as if it were two fields.
    pub(super) fn several_fields(&self, rng: &mut Rng) -> Asked {
        let words: BTreeSet<&str> = (0..=rng.below(3)).map(|_| *rng.pick(&WORDS)).collect();
        let text = words.iter().copied().collect::<Vec<_>>().join(" ");
        let (minimum, required) = minimum(words.len(), rng);
        let query = MultiMatch::new(text).field("body^2.5").field("body").minimum_should_match(minimum);
        let (query, factor) = match rng.below(3) {
            0 => (query.most_fields(), 3.5),
            1 => (query.tie_breaker(0.5), 3.0),
            _ => (query, 2.5),
        };
        let scores = self.all(|_, doc| {
            let freq = |word: &str| doc.words.iter().filter(|own| **own == word).count() as f64;
            let found: Vec<_> = words.iter().filter(|word| freq(word) > 0.0).collect();
            let score: f64 = found.iter().map(|word| self.bm25(word, freq(word), doc)).sum();
            (found.len() >= required.clamp(1, words.len())).then_some(score * factor)
        });
        Asked { query: query.into(), scores }
    }

    pub(super) fn best_of(&self, rng: &mut Rng, depth: usize) -> Asked {
        let tie = *rng.pick(&[0.0, 0.25, 1.0]);
        let (mut query, mut all) = (DisMax::new().tie_breaker(tie), Vec::new());
        for _ in 0..=rng.below(3) {
            let clause = self.one(rng, depth - 1);
            query = query.query(clause.query);
            all.push(clause.scores);
        }
        let scores = self.all(|key, _| {
            let scores: Vec<f64> = all.iter().filter_map(|scores| scores.get(key).copied()).collect();
            let best = scores.iter().copied().reduce(f64::max)?;
            Some(best + f64::from(tie) * (scores.iter().sum::<f64>() - best))
        });
        Asked { query: query.into(), scores }
    }

    pub(super) fn pattern(&self, rng: &mut Rng) -> Asked {
        /// A pattern, the same as an expression, and what it means.
        type Row = (&'static str, &'static str, fn(&str) -> bool);
        const PATTERNS: [Row; 8] = [
            ("e*", "e.*", |word| word.starts_with('e')),
            ("*e*", ".*e.*", |word| word.contains('e')),
            ("?e?", ".e.", |word| word.len() == 3 && word.as_bytes()[1] == b'e'),
            ("*", ".*", |_| true),
            ("b*e", "b.*e", |word| word.len() > 1 && word.starts_with('b') && word.ends_with('e')),
            ("red", "red", |word| word == "red"),
            ("??", "..", |word| word.len() == 2),
            ("*o*", "[^o]*o[a-z]*", |word| word.contains('o')),
        ];
        let (pattern, expression, holds) = *rng.pick(&PATTERNS);
        let as_expression = rng.chance(50);
        let ask = |field: &str| match as_expression {
            true => Query::from(Regex::new(field, expression)),
            false => Wildcard::new(field, pattern).into(),
        };
        let (query, scores) = match rng.below(4) {
            0 => (ask("tags"), self.all(|_, doc| doc.tags.iter().any(|tag| holds(tag)).then_some(1.0))),
            1 => (ask("extra"), self.all(|_, doc| doc.extra.filter(|tag| holds(tag)).map(|_| 1.0))),
            2 => {
                let tens = match as_expression {
                    true => Query::from(Regex::new("id", "k2[0-9]?")),
                    false => Wildcard::new("id", "K2*".to_lowercase()).into(),
                };
                (tens, self.all(|key, _| key.starts_with("k2").then_some(1.0)))
            }
            _ => (ask("body"), self.all(|_, doc| doc.words.iter().any(|word| holds(word)).then_some(1.0))),
        };
        Asked { query, scores }
    }
}
