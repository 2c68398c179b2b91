//! Words that stand for others, as a definition has them: in a field of the same texts with rules of synonyms.

use super::{Asked, Asker, Doc, WORDS, words};
use crate::common::rng::Rng;
use lucerne::schema::{Field, Text};
use lucerne::{Match, Phrase};
use std::collections::BTreeMap;

const RULES: [&str; 4] = ["ant, BEE", "cow => cat, dog eel", "elk emu, eel", "emu => emu, ant"];

/// What a word or a sequence of words may be.
type Alternatives = Vec<Vec<&'static str>>;

/// The field `same`.
pub(super) fn field() -> Field {
    Field::text_with("same", Text::new().synonyms(RULES)).path("$.body")
}

/// What the parts of a text are.
fn parts(mut text: &[&'static str]) -> Vec<Alternatives> {
    let mut parts = Vec::new();
    while let Some((first, rest)) = text.split_first() {
        let (alternatives, taken) = match (*first, rest.first()) {
            ("elk", Some(&"emu")) => (vec![vec!["elk", "emu"], vec!["eel"]], 2),
            ("eel", _) => (vec![vec!["elk", "emu"], vec!["eel"]], 1),
            ("ant" | "bee", _) => (vec![vec!["ant"], vec!["bee"]], 1),
            ("cow", _) => (vec![vec!["cat"], vec!["dog", "eel"]], 1),
            ("emu", _) => (vec![vec!["emu"], vec!["ant"]], 1),
            (other, _) => (vec![vec![other]], 1),
        };
        parts.push(alternatives);
        text = &text[taken..];
    }
    parts
}

impl Asker<'_> {
    /// Words as one word, or the best of the phrases; `None` when a document has none of them.
    fn any_of(&self, alternatives: &Alternatives, slop: u32, doc: &Doc) -> Option<f64> {
        let single: Vec<&str> = alternatives.iter().filter(|one| one.len() == 1).map(|one| one[0]).collect();
        let freq = doc.words.iter().filter(|own| single.contains(own)).count() as f64;
        // The idf of the most frequent one, which is the least.
        let idf = single.iter().map(|word| self.idf(word)).fold(f64::INFINITY, f64::min);
        let as_word = (freq > 0.0).then(|| idf * self.saturated(freq, doc));
        let phrases = alternatives.iter().filter(|one| one.len() > 1).filter_map(|phrase| {
            let freq = words::occurrences(phrase, &doc.words, slop);
            let rarity: f64 = phrase.iter().map(|word| self.idf(word)).sum();
            (freq > 0.0).then(|| rarity * self.saturated(freq, doc))
        });
        as_word.into_iter().chain(phrases).reduce(f64::max)
    }

    pub(super) fn synonyms(&self, rng: &mut Rng) -> Asked {
        let text: Vec<&str> = (0..=rng.below(4)).map(|_| *rng.pick(&WORDS)).collect();
        let (parts, words) = (parts(&text), text.join(" "));
        if rng.chance(30) {
            let slop = if rng.chance(50) { 0 } else { rng.below(4) as u32 };
            let variants = parts.iter().fold(vec![Vec::new()], |variants: Alternatives, part| {
                let with =
                    |one: &Vec<&'static str>| part.iter().map(|own| [one.as_slice(), own].concat()).collect();
                variants.iter().flat_map(|one| -> Alternatives { with(one) }).collect()
            });
            let scores = self.all(|_, doc| self.any_of(&variants, slop, doc));
            return Asked { query: Phrase::new("same", words).slop(slop).into(), scores };
        }
        let mut counts: BTreeMap<Alternatives, f64> = BTreeMap::new();
        parts.into_iter().for_each(|part| *counts.entry(part).or_default() += 1.0);
        let (query, required) = match rng.below(3) {
            0 => (Match::all("same", words), counts.len()),
            1 => (Match::new("same", words).minimum_should_match(2), 2.min(counts.len())),
            _ => (Match::new("same", words), 1),
        };
        let scores = self.all(|_, doc| {
            let found: Vec<f64> =
                counts.iter().filter_map(|(part, count)| Some(count * self.any_of(part, 0, doc)?)).collect();
            (found.len() >= required).then(|| found.iter().sum())
        });
        Asked { query: query.into(), scores }
    }
}
