//! Text into terms.
//!
//! A text field declares its [`TextAnalysis`]; an [`Analyzers`] registry makes an [`Analyzer`] of it. The same
//! analyzer serves documents and queries.

mod options;
mod registry;
mod standard;

pub use options::TextAnalysis;
pub use registry::Analyzers;

/// Splits text into terms. Pluggable: [`Analyzers::register`].
pub trait Analyzer: Send + Sync + std::fmt::Debug {
    /// Calls `emit` with every term in the order of the text, and its position: ascending from 0, with holes
    /// where words were dropped.
    fn analyze(&self, text: &str, emit: &mut dyn FnMut(&str, u32));
}
