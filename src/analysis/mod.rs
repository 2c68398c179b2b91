//! Text analysis: how text becomes terms.
//!
//! A text field declares its [`TextAnalysis`]; an [`Analyzers`] registry makes an [`Analyzer`] of it. The same
//! analyzer is applied to documents and to queries.
//!
//! Words are split as Unicode defines them (UAX #29). Stems are computed by the Snowball stemmers of the crate
//! `frostem`. Another version of either may split or stem the same text differently, and then queries would miss
//! terms that are in an index. Therefore `Cargo.toml` allows one version of `frostem` only, and a release that
//! changes it says so in the changelog.
//!
//! ```
//! use lucerne::analysis::{Analyzers, Language, StopWords, TextAnalysis};
//!
//! # fn main() -> lucerne::Result<()> {
//! let english = TextAnalysis::new().stemmer(Language::English).stop_words(StopWords::of(Language::English));
//! let analyzer = Analyzers::new().resolve(&english)?;
//! let mut terms = Vec::new();
//! analyzer.analyze("The editors", &mut |term, position| terms.push((term.to_owned(), position)));
//! assert_eq!(terms, [("editor".to_owned(), 1)]);
//! # Ok(())
//! # }
//! ```

mod bigrams;
mod fold;
mod language;
mod normalize;
mod options;
mod origins;
mod registry;
mod standard;
mod stop_words;
mod synonyms;
#[cfg(test)]
mod tests;
mod whole;

pub use language::Language;
pub use options::{StopWords, TextAnalysis};
pub use registry::Analyzers;
pub(crate) use synonyms::{Part, Sequence, check as check_synonyms, variants};

use std::ops::Range;

/// The longest word that becomes a term, in bytes. Longer words are left out and leave a gap in the positions.
pub const MAX_WORD: usize = 255;

/// Splits text into terms.
///
/// An analyzer of your own is given whenever an index is created or opened, under the name by which text
/// fields refer to it:
///
/// ```
/// use lucerne::analysis::{Analyzer, TextAnalysis};
/// use lucerne::directory::RamDirectory;
/// use lucerne::index::IndexBuilder;
/// use lucerne::schema::{Field, Text};
/// use lucerne::{Document, Match, Schema};
/// use std::sync::Arc;
///
/// #[derive(Debug)]
/// struct Commas;
///
/// impl Analyzer for Commas {
///     fn analyze(&self, text: &str, emit: &mut dyn FnMut(&str, u32)) {
///         for (position, term) in text.split(',').enumerate() {
///             emit(term.trim(), position as u32);
///         }
///     }
/// }
///
/// # fn main() -> lucerne::Result<()> {
/// let tags = Text::new().analysis(TextAnalysis::new().analyzer("commas"));
/// let schema = Schema::builder().key("id").field(Field::text_with("tags", tags)).build()?;
/// let builder = IndexBuilder::new().analyzer("commas", Arc::new(Commas));
/// let index = builder.create(Arc::new(RamDirectory::new()), schema)?;
/// let writer = index.writer()?;
/// writer.add(&Document::new().with("id", "1").with("tags", "text editor, terminal"))?;
/// writer.commit()?;
/// assert_eq!(index.searcher()?.count(Match::new("tags", "text editor"))?, 1);
/// # Ok(())
/// # }
/// ```
pub trait Analyzer: Send + Sync + std::fmt::Debug {
    /// Calls `emit` with every term and its position, in the order of the text. Positions start at 0 and never
    /// descend; synonyms may share one, and words that are left out leave a gap.
    fn analyze(&self, text: &str, emit: &mut dyn FnMut(&str, u32));

    /// The text with its characters as terms have them (lower case, accents, wide letters), but neither split nor
    /// stemmed: what a range of terms is compared by. By default in lower case, unless the terms of the text have
    /// capitals.
    fn normalize(&self, text: &str) -> String {
        let mut keeps_case = false;
        self.analyze(text, &mut |term, _| keeps_case |= term.contains(char::is_uppercase));
        if keeps_case { text.to_owned() } else { text.to_lowercase() }
    }

    /// Calls `emit` with the terms of a text whose last word goes on, for prefix queries: the last term is the
    /// beginning of a term, those before it are terms as of [`Analyzer::analyze`]. By default the normalized text.
    fn analyze_prefix(&self, text: &str, emit: &mut dyn FnMut(&str, u32)) {
        emit(&self.normalize(text), 0);
    }

    /// As [`Analyzer::analyze`], with the bytes of the text that each term comes from: what highlighting marks. By default
    /// no terms, and then nothing is marked.
    fn analyze_spans(&self, text: &str, emit: &mut dyn FnMut(&str, u32, Range<usize>)) {
        let _ = (text, emit);
    }

    /// A word of the text that is too long to become a term. By default none is.
    fn too_long(&self, text: &str) -> Option<String> {
        let _ = text;
        None
    }
}
