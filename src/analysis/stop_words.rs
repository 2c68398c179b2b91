//! Built-in lists of stop words.

use super::Language;

/// Lucene's list.
const ENGLISH: [&str; 33] = [
    "a", "an", "and", "are", "as", "at", "be", "but", "by", "for", "if", "in", "into", "is", "it", "no",
    "not", "of", "on", "or", "such", "that", "the", "their", "then", "there", "these", "they", "this", "to",
    "was", "will", "with",
];

/// The list of a language, if there is one.
pub(super) fn of(language: Language) -> Option<&'static [&'static str]> {
    match language {
        Language::English => Some(&ENGLISH),
        _ => None,
    }
}
