//! The documents and the words to look for.

use crate::{Failure, Mode};
use serde_json::Value;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;

/// What is indexed of a line.
pub struct Doc {
    pub name: String,
    pub description: String,
    pub section: String,
    /// Where its vector is, in a file of vectors.
    pub row: usize,
}

/// The first `most` lines.
pub fn read(path: &Path, most: usize) -> Result<Vec<Doc>, Failure> {
    let file = std::fs::File::open(path)?;
    let reader: Box<dyn Read> = match path.extension().is_some_and(|extension| extension == "zst") {
        true => Box::new(zstd::Decoder::new(file)?),
        false => Box::new(file),
    };
    let mut docs = Vec::new();
    for line in BufReader::new(reader).lines().take(most) {
        let line: Value = serde_json::from_str(&line?)?;
        let text = |name: &str| line[name].as_str().unwrap_or_default().to_owned();
        let row = line["row"].as_u64().unwrap_or_default() as usize;
        docs.push(Doc {
            name: text("name"),
            description: text("description"),
            section: text("section"),
            row,
        });
    }
    Ok(docs)
}

/// Queries that find something: words of one document each, different ones, or for phrases those from one place on; for
/// patterns a part of one word.
pub fn queries(docs: &[Doc], mode: Mode, words: usize, count: usize) -> Vec<String> {
    let mut state = 42 + words as u64;
    let mut random = |below: usize| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as usize % below
    };
    let mut queries = Vec::with_capacity(count);
    while queries.len() < count {
        let doc = &docs[random(docs.len())];
        let all: Vec<String> = doc
            .description
            .split(|character: char| !character.is_alphanumeric())
            .filter(|word| word.len() <= 40 && word.len() > usize::from(mode != Mode::Phrase))
            .map(str::to_lowercase)
            .collect();
        let mut chosen: Vec<&str> = Vec::new();
        for _ in 0..20 {
            if all.is_empty() || chosen.len() == words {
                break;
            }
            let at = random(all.len());
            if mode == Mode::Phrase {
                let together = all[at..].iter().take(words).map(String::as_str);
                chosen = together.filter(|word| !word.is_empty()).collect();
            } else if !chosen.contains(&&*all[at]) {
                chosen.push(&all[at]);
            }
        }
        if chosen.len() == words
            && let Some(query) = asked(mode, &chosen.join(" "))
        {
            queries.push(query);
        }
    }
    queries
}

/// What is asked for of some words; `None` for a word that is too short for a pattern.
fn asked(mode: Mode, words: &str) -> Option<String> {
    let is_pattern = !matches!(mode, Mode::Or | Mode::And | Mode::Phrase);
    if is_pattern && (words.len() < 5 || !words.is_ascii()) {
        return None;
    }
    let (begin, end) = words.split_at(words.len().min(2));
    let last = end.chars().last().unwrap_or_default();
    Some(match mode {
        Mode::Prefix => words[..4].to_owned(),
        Mode::Wildcard => format!("{begin}*{last}"),
        Mode::Regex => format!("{begin}[a-m].*{last}"),
        Mode::Or | Mode::And | Mode::Phrase | Mode::Fuzzy => words.to_owned(),
    })
}
