//! Shows where stored texts have the words of a query: analyzes the texts of a page's hits again, marks the words, and
//! cuts the best fragments out.

mod fragments;
mod marks;

use self::fragments::fragments;
use self::marks::{MarkedField, Marks, Token};
use super::resolve::Resolver;
use super::values::wrong;
use crate::analysis::Analyzer;
use crate::error::{Error, Result};
use crate::query::{Highlight, Search};
use serde_json::Value;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Bytes of a text that are looked at.
const MAX_TEXT: usize = 256 << 10;
/// Fragments, and characters of one, at most.
const MAX_FRAGMENTS: usize = 1_000;
const MAX_SIZE: usize = 1_000_000;

/// What a search highlights.
pub(super) struct Highlighter<'a> {
    fields: Vec<HighlightedField<'a>>,
}

struct HighlightedField<'a> {
    highlight: &'a Highlight,
    analyzer: Arc<dyn Analyzer>,
    marks: Marks,
}

impl<'a> Highlighter<'a> {
    pub(super) fn new(resolver: &Resolver<'_>, search: &'a Search) -> Result<Self> {
        let field = |highlight: &'a Highlight| {
            let name = &highlight.field;
            let (field, text) = resolver.text_field(name)?;
            if !field.is_stored() {
                return Err(Error::NotStored { field: name.clone() });
            }
            if highlight.fragments > MAX_FRAGMENTS || !(1..=MAX_SIZE).contains(&highlight.size) {
                let limits = format!("at most {MAX_FRAGMENTS} fragments, of 1 to {MAX_SIZE} characters");
                return Err(wrong(name, format!("highlights are {limits}")));
            }
            let analyzer = resolver.analyzer(name, text)?;
            let of = MarkedField { field, analyzer: &*analyzer, resolver };
            let marks = Marks::new(of, &search.query)?;
            Ok(HighlightedField { highlight, analyzer, marks })
        };
        Ok(Self { fields: search.highlight.iter().map(field).collect::<Result<_>>()? })
    }

    /// True when nothing is highlighted.
    pub(super) fn is_empty(&self) -> bool {
        self.fields.is_empty()
    }

    /// The fragments of a hit by field; fields without any are left out. `value` is the value of a field.
    pub(super) fn of_hit(
        &self,
        resolver: &Resolver<'_>,
        value: impl Fn(&str) -> Option<Value>,
    ) -> Result<BTreeMap<String, Vec<String>>> {
        let mut highlights = BTreeMap::new();
        for HighlightedField { highlight, analyzer, marks } in &self.fields {
            let texts: Vec<String> = match value(&highlight.field) {
                Some(Value::String(text)) => vec![text],
                Some(Value::Array(values)) => {
                    values.iter().filter_map(Value::as_str).map(str::to_owned).collect()
                }
                _ => Vec::new(),
            };
            let mut marked = Vec::new();
            for text in &texts {
                resolver.stop.check()?;
                let shown = first_bytes(text, MAX_TEXT);
                let mut tokens = Vec::new();
                analyzer.analyze_spans(shown, &mut |term, position, span| {
                    tokens.push(Token { term: term.to_owned(), position, span });
                });
                marked.push((shown, marks.of(&tokens, resolver.stop.cancel)?));
            }
            let found = fragments(&marked, highlight);
            if !found.is_empty() {
                highlights.insert(highlight.field.clone(), found);
            }
        }
        Ok(highlights)
    }
}

/// The longest beginning of a text that has no more than some bytes.
fn first_bytes(text: &str, most: usize) -> &str {
    let end = (0..=most.min(text.len())).rev().find(|end| text.is_char_boundary(*end));
    end.and_then(|end| text.get(..end)).unwrap_or_default()
}
