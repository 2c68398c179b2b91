//! The tree that explains a score.

use serde::{Deserialize, Serialize};
use std::fmt;

/// Why a document matches with a score, or why it does not: a tree that follows the query's clauses.
///
/// [`Searcher::explain`](crate::Searcher::explain) explains one document, [`Search::explain`](crate::Search::explain)
/// every hit. `Display` writes one indented line per node; `Serialize` writes the tree as JSON.
///
/// ```
/// # fn main() -> lucerne::Result<()> {
/// # use lucerne::{Document, Index, Match, Schema};
/// # let folder = tempfile::tempdir().unwrap();
/// # let schema = Schema::builder().key("id").text("title").build()?;
/// # let index = Index::create(folder.path(), schema)?;
/// # let writer = index.writer()?;
/// writer.add(&Document::new().with("id", "vim").with("title", "text editor"))?;
/// writer.commit()?;
/// let searcher = index.searcher()?;
///
/// let found = searcher.explain(Match::new("title", "editor"), "vim")?;
/// assert!(found.matches && found.score > 0.0);
/// assert!(found.to_string().contains("rank 1"));
///
/// let not_found = searcher.explain(Match::new("title", "compiler"), "vim")?;
/// assert!(!not_found.matches);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Explanation {
    /// Whether the document matches this part of the search.
    pub matches: bool,
    /// The score of this part; 0 when the document does not match it.
    pub score: f32,
    /// What was asked for, and what the document has.
    pub description: String,
    /// The explanations of the parts that this one consists of.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub details: Vec<Explanation>,
}

impl Explanation {
    pub(super) fn new(matches: bool, score: f32, description: impl Into<String>) -> Self {
        let score = if matches { score } else { 0.0 };
        Self { matches, score, description: description.into(), details: Vec::new() }
    }

    pub(super) fn no_match(description: impl Into<String>) -> Self {
        Self::new(false, 0.0, description)
    }

    pub(super) fn with(mut self, details: Vec<Explanation>) -> Self {
        self.details = details;
        self
    }

    fn write(&self, f: &mut fmt::Formatter<'_>, depth: usize) -> fmt::Result {
        let mark = if self.matches { format!("{:.6}", self.score) } else { "no match".to_owned() };
        writeln!(f, "{:indent$}{mark}  {}", "", self.description, indent = depth * 2)?;
        self.details.iter().try_for_each(|detail| detail.write(f, depth + 1))
    }
}

/// One line per node, indented by its depth.
impl fmt::Display for Explanation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.write(f, 0)
    }
}
