//! Analyzers that change nothing.

use super::{Analyzer, MAX_WORD};
use std::ops::Range;

/// What white space separates, as it is.
#[derive(Debug)]
pub(super) struct Whitespace;

impl Analyzer for Whitespace {
    fn analyze(&self, text: &str, emit: &mut dyn FnMut(&str, u32)) {
        for (position, word) in (0..).zip(text.split_whitespace()) {
            if word.len() <= MAX_WORD {
                emit(word, position);
            }
        }
    }

    fn analyze_spans(&self, text: &str, emit: &mut dyn FnMut(&str, u32, Range<usize>)) {
        self.analyze(text, &mut |word, position| emit(word, position, span_in(text, word)));
    }

    fn normalize(&self, text: &str) -> String {
        text.to_owned()
    }

    fn analyze_prefix(&self, text: &str, emit: &mut dyn FnMut(&str, u32)) {
        self.analyze(text, emit);
    }

    fn too_long(&self, text: &str) -> Option<String> {
        text.split_whitespace().find(|word| word.len() > MAX_WORD).map(str::to_owned)
    }
}

/// The text as one term.
#[derive(Debug)]
pub(super) struct Keyword;

/// Longest text, in bytes, that becomes a term.
const MAX_TEXT: usize = 32_766;

impl Analyzer for Keyword {
    fn analyze(&self, text: &str, emit: &mut dyn FnMut(&str, u32)) {
        if (1..=MAX_TEXT).contains(&text.len()) {
            emit(text, 0);
        }
    }

    fn analyze_spans(&self, text: &str, emit: &mut dyn FnMut(&str, u32, Range<usize>)) {
        self.analyze(text, &mut |whole, position| emit(whole, position, span_in(text, whole)));
    }

    fn normalize(&self, text: &str) -> String {
        text.to_owned()
    }

    fn too_long(&self, text: &str) -> Option<String> {
        (text.len() > MAX_TEXT).then(|| text.to_owned())
    }
}

/// Where a part of a text is in it.
pub(super) fn span_in(text: &str, part: &str) -> Range<usize> {
    let start = (part.as_ptr() as usize).saturating_sub(text.as_ptr() as usize);
    start..start + part.len()
}
