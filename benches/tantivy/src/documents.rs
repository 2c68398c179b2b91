//! The documents and the words to look for.

use crate::Failure;
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
        docs.push(Doc { name: text("name"), description: text("description"), section: text("section"), row });
    }
    Ok(docs)
}

/// Different words of one document each, so that all of them occur together somewhere.
pub fn queries(docs: &[Doc], words: usize, count: usize) -> Vec<String> {
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
            .filter(|word| word.len() > 1 && word.len() <= 40)
            .map(str::to_lowercase)
            .collect();
        let mut chosen: Vec<&str> = Vec::new();
        for _ in 0..20 {
            if all.is_empty() || chosen.len() == words {
                break;
            }
            let word = &*all[random(all.len())];
            if !chosen.contains(&word) {
                chosen.push(word);
            }
        }
        if chosen.len() == words {
            queries.push(chosen.join(" "));
        }
    }
    queries
}
