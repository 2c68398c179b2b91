//! Synonyms: words, and words in sequence, that stand for others in queries.
//!
//! They are applied to queries and never to documents, as Lucene advises: rules can change without indexing anew, and a
//! word's frequency stays its own.

use super::Analyzer;
use std::collections::{HashMap, HashSet};

/// Rules of one field at most.
const MAX_RULES: usize = 100_000;
/// What a word, or a sequence, may stand for at most.
const MAX_ALTERNATIVES: usize = 64;
/// Words of a sequence at most.
const MAX_SEQUENCE: usize = 16;
/// What a phrase may be at most when its words stand for others.
const MAX_VARIANTS: usize = 128;

/// Terms in sequence, each with its position behind the first one.
pub(crate) type Sequence = Vec<(String, u32)>;

/// A part of a query's text.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Part {
    /// What any document may have in its place: the words themselves, or what they stand for. Ascending.
    pub(crate) alternatives: Vec<Sequence>,
    /// The position of its first term in the text.
    pub(crate) position: u32,
    /// Positions that it takes in the text.
    len: u32,
}

/// The rules of a field, analyzed.
#[derive(Debug, Default)]
pub(crate) struct SynonymMap {
    /// What sequences stand for, by their first terms; long ones first.
    rules: HashMap<String, Vec<(Sequence, Vec<Sequence>)>>,
}

/// The two sides of a rule: `tv, television` stand for each other, of `laptop => notebook, computer` only the left for the
/// right.
fn sides(rule: &str) -> Result<(Vec<&str>, Option<Vec<&str>>), String> {
    let words = |side| split(side).map_err(|problem| wrong(rule, problem));
    let mut sides = rule.split("=>");
    let (left, right) = (sides.next().unwrap_or_default(), sides.next());
    if sides.next().is_some() {
        return Err(wrong(rule, "has more than one =>"));
    }
    let left = words(left)?;
    let right = right.map(words).transpose()?;
    if right.is_none() && left.len() < 2 {
        return Err(wrong(rule, "has one word only; separate words that mean the same by commas"));
    }
    Ok((left, right))
}

fn split(side: &str) -> Result<Vec<&str>, &'static str> {
    let words: Vec<&str> = side.split(',').map(str::trim).collect();
    match words.iter().any(|word| word.is_empty()) {
        true => Err("has a side, or a word between commas, that is empty"),
        false => Ok(words),
    }
}

fn wrong(rule: &str, problem: impl std::fmt::Display) -> String {
    format!("the synonyms {rule:?}: the rule {problem}")
}

/// Checks what can be told of rules before their words are analyzed.
pub(crate) fn check(rules: &[String]) -> Result<(), String> {
    if rules.len() > MAX_RULES {
        return Err(format!("{} rules of synonyms, expected at most {MAX_RULES}", rules.len()));
    }
    rules.iter().try_for_each(|rule| sides(rule).map(drop))
}

impl SynonymMap {
    /// Reads rules; their words become terms as those of a query do.
    pub(crate) fn new(rules: &[String], analyzer: &dyn Analyzer) -> Result<Self, String> {
        check(rules)?;
        let mut known: HashMap<Sequence, Vec<Sequence>> = HashMap::new();
        // Replacements that do not keep what they replace, to find circles.
        let mut replaced: HashMap<Sequence, (Vec<Sequence>, &str)> = HashMap::new();
        for rule in rules {
            let analyzed = |words: Vec<&str>| -> Result<Vec<Sequence>, String> {
                words
                    .into_iter()
                    .map(|words| sequence(words, analyzer).map_err(|problem| wrong(rule, problem)))
                    .collect()
            };
            let (left, right) = sides(rule)?;
            let left = analyzed(left)?;
            let right = right.map(analyzed).transpose()?;
            for own in &left {
                let to = right.as_ref().unwrap_or(&left);
                if to.iter().all(|other| other == own) {
                    return Err(wrong(rule, format!("makes {:?} stand for nothing but itself", shown(own))));
                }
                if !to.contains(own) {
                    let entry = replaced.entry(own.clone()).or_insert((Vec::new(), rule.as_str()));
                    entry.0.extend(to.iter().cloned());
                }
                known.entry(own.clone()).or_default().extend(to.iter().cloned());
            }
        }
        check_circles(&replaced)?;
        let mut rules: HashMap<String, Vec<(Sequence, Vec<Sequence>)>> = HashMap::new();
        for (from, mut to) in known {
            to.sort_unstable();
            to.dedup();
            if to.len() > MAX_ALTERNATIVES {
                let (from, len) = (shown(&from), to.len());
                return Err(format!("{from:?} has {len} synonyms, expected at most {MAX_ALTERNATIVES}"));
            }
            if let Some((first, _)) = from.first() {
                rules.entry(first.clone()).or_default().push((from, to));
            }
        }
        for of_first in rules.values_mut() {
            of_first.sort_unstable_by(|left, right| {
                right.0.len().cmp(&left.0.len()).then_with(|| left.0.cmp(&right.0))
            });
        }
        Ok(Self { rules })
    }

    /// The parts of a text with these terms: at each place the longest sequence that stands for something, else the term.
    pub(crate) fn parts(&self, terms: &[(String, u32)]) -> Vec<Part> {
        let (mut parts, mut rest) = (Vec::new(), terms);
        while let Some(((term, position), others)) = rest.split_first() {
            let rule = self.rules.get(term).into_iter().flatten().find(|(from, _)| begins(rest, from));
            let (alternatives, taken) = match rule {
                Some((from, to)) => (to.clone(), from.as_slice()),
                None => (vec![vec![(term.clone(), 0)]], &[][..]),
            };
            let len = taken.last().map_or(0, |last| last.1) + 1;
            parts.push(Part { alternatives, position: *position, len });
            rest = rest.get(taken.len().max(1)..).unwrap_or(others);
        }
        parts
    }
}

/// The phrases that a phrase of these parts may be. An alternative that is longer than what it stands for moves what follows.
pub(crate) fn variants(parts: &[Part]) -> Result<Vec<Sequence>, String> {
    let count = parts.iter().fold(1usize, |count, part| count.saturating_mul(part.alternatives.len()));
    if count > MAX_VARIANTS {
        return Err(format!(
            "the phrase has {count} variants by its synonyms, expected at most {MAX_VARIANTS}"
        ));
    }
    let mut variants: Vec<(Sequence, i64)> = vec![(Vec::new(), 0)];
    for part in parts {
        let longer = variants.iter().flat_map(|(words, moved)| {
            part.alternatives.iter().map(move |alternative| {
                let start = i64::from(part.position) + moved;
                let own = alternative
                    .iter()
                    .map(|(term, at)| (term.clone(), (start + i64::from(*at)).max(0) as u32));
                let len = alternative.last().map_or(0, |last| i64::from(last.1)) + 1;
                (words.iter().cloned().chain(own).collect(), moved + len - i64::from(part.len))
            })
        });
        variants = longer.collect();
    }
    Ok(variants.into_iter().map(|(words, _)| words).collect())
}

/// Whether terms begin with a sequence, at the same distances.
fn begins(terms: &[(String, u32)], sequence: &Sequence) -> bool {
    let start = terms.first().map_or(0, |first| first.1);
    let mut both = sequence.iter().zip(terms);
    terms.len() >= sequence.len()
        && both.all(|((term, at), (own, position))| term == own && start.checked_add(*at) == Some(*position))
}

fn sequence(words: &str, analyzer: &dyn Analyzer) -> Result<Sequence, String> {
    let mut terms = Vec::new();
    analyzer.analyze(words, &mut |term, position| terms.push((term.to_owned(), position)));
    let start = terms.first().map_or(0, |first: &(String, u32)| first.1);
    terms.iter_mut().for_each(|(_, position)| *position -= start);
    match terms.len() {
        0 => Err(format!("has {words:?}, which has no terms: they are left out of queries and documents")),
        1..=MAX_SEQUENCE => Ok(terms),
        len => Err(format!("has {words:?} of {len} terms, expected at most {MAX_SEQUENCE}")),
    }
}

/// Refuses replacements that lead back to where they began: none of their words would ever be found.
fn check_circles(replaced: &HashMap<Sequence, (Vec<Sequence>, &str)>) -> Result<(), String> {
    let mut starts: Vec<&Sequence> = replaced.keys().collect();
    starts.sort_unstable();
    let mut done: HashSet<&Sequence> = HashSet::new();
    for start in starts {
        // Depth first; what is open leads to what is looked at.
        let (mut open, mut path) = (vec![(start, false)], HashSet::new());
        while let Some((own, is_left)) = open.pop() {
            if is_left {
                path.remove(own);
                done.insert(own);
                continue;
            }
            if path.contains(own) {
                let rule = replaced.get(own).map_or("", |(_, rule)| *rule);
                return Err(wrong(
                    rule,
                    format!("leads back to {:?} by way of others: a circle", shown(own)),
                ));
            }
            if done.contains(own) {
                continue;
            }
            let Some((to, _)) = replaced.get(own) else { continue };
            path.insert(own);
            open.push((own, true));
            open.extend(to.iter().map(|next| (next, false)));
        }
    }
    Ok(())
}

fn shown(sequence: &Sequence) -> String {
    sequence.iter().map(|(term, _)| &**term).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::{Analyzers, TextAnalysis};

    fn map(rules: &[&str]) -> Result<SynonymMap, String> {
        let rules: Vec<String> = rules.iter().map(|rule| (*rule).to_owned()).collect();
        let analyzer = Analyzers::new().resolve(&TextAnalysis::new()).unwrap();
        SynonymMap::new(&rules, &*analyzer)
    }

    fn terms(text: &str) -> Vec<(String, u32)> {
        text.split(' ').map(str::to_owned).zip(0..).collect()
    }

    fn shown_parts(map: &SynonymMap, text: &str) -> Vec<Vec<String>> {
        map.parts(&terms(text)).iter().map(|part| part.alternatives.iter().map(shown).collect()).collect()
    }

    #[test]
    fn words_stand_for_each_other_or_one_way() {
        let map = map(&["TV, Television", "laptop => notebook, computer", "tv => screen, tv"]).unwrap();
        assert_eq!(
            shown_parts(&map, "a tv laptop"),
            [vec!["a"], vec!["screen", "television", "tv"], vec!["computer", "notebook"]]
        );
        assert_eq!(shown_parts(&map, "television computer"), [vec!["television", "tv"], vec!["computer"]]);
    }

    #[test]
    fn the_longest_sequence_is_taken_and_its_alternatives_move_what_follows() {
        let map = map(&["usb stick, pendrive", "usb, bus"]).unwrap();
        assert_eq!(shown_parts(&map, "usb stick usb"), [vec!["pendrive", "usb stick"], vec!["bus", "usb"]]);
        let phrases = variants(&map.parts(&terms("my usb stick works"))).unwrap();
        let at = |words: &str, ends: [u32; 3]| {
            let words: Vec<String> = words.split(' ').map(str::to_owned).collect();
            words.into_iter().zip(ends).collect::<Sequence>()
        };
        assert_eq!(phrases[0], at("my pendrive works", [0, 1, 2]));
        assert_eq!(phrases[1].iter().map(|(_, at)| *at).collect::<Vec<_>>(), [0, 1, 2, 3]);
        let phrases = variants(&map.parts(&terms("my pendrive works"))).unwrap();
        assert_eq!(phrases[1].iter().map(|(_, at)| *at).collect::<Vec<_>>(), [0, 1, 2, 3]);
    }

    #[test]
    fn rules_that_say_nothing_or_lead_in_a_circle_are_refused() {
        for (rules, problem) in [
            (&["tv"][..], "one word only"),
            (&["tv,"], "empty"),
            (&["=> tv"], "empty"),
            (&["a => b => c"], "more than one =>"),
            (&["tv => TV"], "nothing but itself"),
            (&["tv, TV"], "nothing but itself"),
            (&["tv, !"], "no terms"),
            (&["a => b", "b => a"], "a circle"),
            (&["a => b", "b => c, d", "d => a"], "a circle"),
        ] {
            let error = map(rules).unwrap_err();
            assert!(error.contains(problem), "{rules:?}: {error}");
        }
        assert!(map(&["a => b, a", "b => a, b", "c => a", "d => a", "e => d, c"]).is_ok());
    }
}
