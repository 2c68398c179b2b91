//! Wildcards and regular expressions.

use serde::{Deserialize, Serialize};

/// Finds documents with a term (in a text field) or value (in a keyword or key field, or one that a dynamic schema does
/// not declare) that matches a pattern: `*` stands for any characters, also none, `?` for exactly one, and `\` before a
/// character for the character itself. Each scores 1.
///
/// In a text field the pattern is compared with single terms, and its characters get their case and accents; they are
/// neither split nor stemmed. A pattern has at most 1,000 bytes. With characters before the first wildcard, only the terms
/// that begin with them are looked at.
///
/// ```
/// # fn main() -> lucerne::Result<()> {
/// # let searcher = include!(concat!(env!("CARGO_MANIFEST_DIR"), "/src/query/example.in"));
/// use lucerne::Wildcard;
///
/// assert_eq!(searcher.search(Wildcard::new("title", "Ed*r"))?.keys(), ["nano", "vim"]);
/// assert_eq!(searcher.search(Wildcard::new("section", "?ames"))?.keys(), ["chess"]);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Wildcard {
    pub(crate) field: String,
    pub(crate) pattern: String,
}

impl Wildcard {
    /// Documents whose `field` has a term or value that matches `pattern`.
    pub fn new(field: impl Into<String>, pattern: impl Into<String>) -> Self {
        Self { field: field.into(), pattern: pattern.into() }
    }
}

/// Finds documents with a term (in a text field) or value (in a keyword or key field, or one that a dynamic schema does
/// not declare) that matches a regular expression from its beginning to its end. Each scores 1.
///
/// The syntax is that of the crate `regex`: `.`, `[a-z]`, `\d`, `*`, `+`, `?`, `{2,3}`, `|`, `(?i)` and so on; there are
/// neither references back nor `\b`, and of `\p{…}` only general categories. In a text field it is compared with single
/// terms as they are (in lower case, stemmed where the field is). An expression has at most 1,000 bytes. One whose automaton
/// takes more than 1 MiB is refused. With characters at its beginning that are always the same, only the terms that begin
/// with them are looked at.
///
/// ```
/// # fn main() -> lucerne::Result<()> {
/// # let searcher = include!(concat!(env!("CARGO_MANIFEST_DIR"), "/src/query/example.in"));
/// use lucerne::Regex;
///
/// assert_eq!(searcher.search(Regex::new("title", "edit(or|s)"))?.keys(), ["nano", "vim"]);
/// assert_eq!(searcher.search(Regex::new("id", "[a-m].*s+"))?.keys(), ["chess"]);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Regex {
    pub(crate) field: String,
    pub(crate) pattern: String,
}

impl Regex {
    /// Documents whose `field` has a term or value that matches `pattern`.
    pub fn new(field: impl Into<String>, pattern: impl Into<String>) -> Self {
        Self { field: field.into(), pattern: pattern.into() }
    }
}
