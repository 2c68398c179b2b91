//! The characteristic words of a document or a text.

use super::node::{BoolNode, Node, Word};
use super::stored;
use super::values::wrong;
use crate::analysis::Analyzer;
use crate::error::{Error, Result};
use crate::limits::MAX_PHRASE_WORDS;
use crate::query::{LikeWhat, MoreLike};
use crate::reader::Snapshot;
use crate::schema::{Field, FieldType, Schema, Text};
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use std::sync::Arc;

/// A text field and how it is analyzed.
pub(super) type TextField<'a> = (&'a Field, &'a Text, Arc<dyn Analyzer>);

/// A query for documents with the words that are chosen.
pub(super) fn node(query: &MoreLike, chosen: Chosen) -> Node {
    let Chosen { words, terms } = chosen;
    if words.is_empty() {
        return if terms == 0 { Node::NoTerms } else { Node::None };
    }
    let words = Node::Words { words, required: 1 };
    match &query.like {
        LikeWhat::Text(_) => words,
        LikeWhat::Key(key) => Node::Bool(Box::new(BoolNode {
            must: vec![words],
            must_not: vec![Node::Keys(vec![key.clone()])],
            ..BoolNode::default()
        })),
    }
}

/// The words that documents are found by.
pub(super) struct Chosen {
    pub(super) words: Vec<Word>,
    /// How many different terms the texts have.
    terms: usize,
}

/// The words of the largest tf · idf. `text_field` finds a field, `word` gathers the statistics of one of its terms.
pub(super) fn choose<'a>(
    snapshot: &'a Snapshot,
    query: &MoreLike,
    text_field: impl Fn(&str) -> Result<TextField<'a>>,
    word: impl Fn(&Field, &Text, String) -> Result<Word>,
) -> Result<Chosen> {
    if query.max_terms == 0 || query.max_terms > MAX_PHRASE_WORDS {
        let problem = format!("max_terms is {}, expected 1 to {MAX_PHRASE_WORDS}", query.max_terms);
        return Err(Error::WrongQuery { field: None, problem });
    }
    let (mut words, mut terms): (Vec<(f64, Word)>, usize) = (Vec::new(), 0);
    for name in fields(&snapshot.schema, query) {
        let (field, text, analyzer) = text_field(name)?;
        let mut counts: BTreeMap<String, u32> = BTreeMap::new();
        for text in texts(snapshot, query, field)? {
            analyzer.analyze(&text, &mut |term, _| *counts.entry(term.to_owned()).or_default() += 1);
        }
        terms += counts.len();
        for (term, count) in counts.into_iter().filter(|(_, count)| *count >= query.min_term_freq) {
            let word = word(field, text, term)?;
            let most = query.max_doc_freq.unwrap_or(u64::MAX);
            if (query.min_doc_freq.max(1)..=most).contains(&word.doc_freq) {
                // As Lucene's ClassicSimilarity.
                let idf = ((word.totals.docs as f64 + 1.0) / (word.doc_freq as f64 + 1.0)).ln() + 1.0;
                words.push((f64::from(count) * idf, word));
            }
        }
    }
    // Of equal ones the first in the order of fields and terms.
    words.sort_by(|left, right| right.0.total_cmp(&left.0));
    words.truncate(query.max_terms);
    Ok(Chosen { words: words.into_iter().map(|(_, word)| word).collect(), terms })
}

fn fields<'a>(schema: &'a Schema, query: &'a MoreLike) -> Vec<&'a str> {
    if !query.fields.is_empty() {
        return query.fields.iter().map(String::as_str).collect();
    }
    let is_text = |field: &&Field| matches!(field.field_type(), FieldType::Text(_));
    let texts = schema.fields().iter().filter(is_text);
    texts.filter(|field| field.is_indexed() && field.is_stored()).map(Field::name).collect()
}

/// The texts to compare with: the one given, or those that the document has in a field.
fn texts(snapshot: &Snapshot, query: &MoreLike, field: &Field) -> Result<Vec<String>> {
    let key = match &query.like {
        LikeWhat::Text(text) => return Ok(vec![text.clone()]),
        LikeWhat::Key(key) => key,
    };
    stored::check_returnable(&snapshot.schema, field.name())?;
    let Some(address) = stored::find(snapshot, key)? else {
        return Err(wrong(
            snapshot.schema.key().name(),
            format!("no document {key:?} to find others like it"),
        ));
    };
    let segment = stored::segment(snapshot, address.segment)?;
    let wanted = [field.name().to_owned()];
    let mut stored: Map<String, Value> = stored::fields(&snapshot.schema, segment, address.doc, &wanted)?;
    Ok(match stored.remove(field.name()) {
        Some(Value::String(text)) => vec![text],
        Some(Value::Array(values)) => values
            .into_iter()
            .filter_map(|value| match value {
                Value::String(text) => Some(text),
                _ => None,
            })
            .collect(),
        _ => Vec::new(),
    })
}
