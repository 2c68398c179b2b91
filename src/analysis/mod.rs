//! Text into terms.
//!
//! A text field declares its [`TextAnalysis`]; an [`Analyzers`] registry makes an [`Analyzer`] of it. The same
//! analyzer serves documents and queries.
//!
//! Words are those of Unicode (UAX #29); stems are Snowball's, of the crate `frostem`, which follows upstream.
//! Other releases of these may find other words or stems for the same text, and then queries no longer meet
//! what is in an index: the stemmers' version is pinned up to its date.

mod bigrams;
mod fold;
mod language;
mod normalize;
mod options;
mod registry;
mod standard;
mod stop_words;
#[cfg(test)]
mod tests;
mod whole;

pub use language::Language;
pub use options::{StopWords, TextAnalysis};
pub use registry::Analyzers;

/// Longest word that becomes a term, in bytes. Longer ones are left out; their positions count.
pub const MAX_WORD: usize = 255;

/// Splits text into terms. Pluggable: [`Analyzers::register`].
pub trait Analyzer: Send + Sync + std::fmt::Debug {
    /// Calls `emit` with every term in the order of the text, and its position: ascending from 0, not
    /// strictly (synonyms may share one), with holes where words were dropped.
    fn analyze(&self, text: &str, emit: &mut dyn FnMut(&str, u32));
}
