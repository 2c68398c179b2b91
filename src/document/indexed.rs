//! What of a document is searched beside its vectors: terms, keywords, numbers.

use super::analyzers::FieldAnalyzers;
use super::number::column_number;
use super::{Value, dynamic};
use crate::schema::{Field, FieldType};

/// Places between the values of a text field, so that no phrase spans two of them.
const GAP: u32 = 100;

/// Bytes of a term at most; an analyzer's longer ones are left out.
const MAX_TERM_LEN: usize = 32_766;

/// What of a document is searched beside its vectors, by field number.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Indexed {
    /// Texts, analyzed; a field once.
    pub(crate) texts: Vec<(u32, Tokens)>,
    /// Keywords as they are.
    pub(crate) keywords: Vec<(u32, Box<str>)>,
    /// Numbers, dates and truth values as columns hold them.
    pub(crate) numbers: Vec<(u32, i64)>,
    /// Rows of sparse vectors.
    pub(crate) sparse: Vec<(u32, Vec<u8>)>,
    /// Terms of undeclared fields.
    pub(crate) dynamic: Vec<Box<[u8]>>,
}

/// The terms of a text in order.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Tokens {
    text: String,
    /// End in `text` and position of each.
    ends: Vec<(u32, u32)>,
    /// Where the next value's positions begin.
    next: u32,
}

impl Tokens {
    /// Appends a text's terms; false when it has none.
    pub(crate) fn analyze(&mut self, text: &str, analyzer: &dyn crate::analysis::Analyzer) -> bool {
        let before = self.ends.len();
        let first = if self.ends.is_empty() { 0 } else { self.next.saturating_add(GAP) };
        analyzer.analyze(text, &mut |term, position| {
            if term.is_empty() || term.len() > MAX_TERM_LEN {
                return;
            }
            self.text.push_str(term);
            let position = first.saturating_add(position);
            self.ends.push((self.text.len() as u32, position));
            self.next = position.saturating_add(1);
        });
        self.ends.len() > before
    }

    /// Each term and its position.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, u32)> {
        let mut start = 0;
        self.ends.iter().map(move |&(end, position)| {
            let term = self.text.get(start..end as usize).unwrap_or_default();
            start = end as usize;
            (term, position)
        })
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }
}

impl Indexed {
    /// Adds a field's value, which has been checked.
    pub(super) fn add(&mut self, field: &Field, value: &Value, analyzers: &FieldAnalyzers) {
        if !field.is_indexed() {
            return;
        }
        if let Value::List(values) = value {
            return values.iter().for_each(|value| self.add(field, value, analyzers));
        }
        let number = field.number();
        match (field.field_type(), value) {
            (FieldType::Text(_), Value::Text(text)) => {
                let Some(analyzer) = analyzers.get(number) else { return };
                if self.texts.last().is_none_or(|(last, _)| *last != number) {
                    self.texts.push((number, Tokens::default()));
                }
                if let Some((_, tokens)) = self.texts.last_mut()
                    && !tokens.analyze(text, analyzer)
                {
                    self.dynamic.push(dynamic::without_terms(field.name()).into());
                }
            }
            (FieldType::Keyword(keyword), Value::Text(text)) => {
                self.keywords.extend(keyword.values(text).map(|value| (number, value.into())));
            }
            (field_type, value) => {
                self.numbers.extend(column_number(field_type, value).map(|value| (number, value)));
            }
        }
    }
}
