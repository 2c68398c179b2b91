//! Which fields of hits are shown with the words that were found in them.

use serde::{Deserialize, Serialize};

/// Shows where a text has the words of the query: [`Hit::highlights`](crate::Hit::highlights). The text of each hit on
/// the page is analyzed again for it; it must be stored.
///
/// Marked are words of [`Match`](super::Match), [`Term`](super::Term) and [`Terms`](super::Terms), typing errors, prefixes
/// and patterns included, the words that [`MoreLike`](super::MoreLike) chooses, and phrases where they are phrases, in queries of this field, but not of clauses that must not match. In scripts
/// without spaces, neighboring pairs of characters are one mark. Of a text, the first 256 KiB are looked at. An analyzer of
/// your own marks what its [`analyze_spans`](crate::analysis::Analyzer::analyze_spans) says.
///
/// ```
/// # fn main() -> lucerne::Result<()> {
/// # let searcher = include!(concat!(env!("CARGO_MANIFEST_DIR"), "/src/query/example.in"));
/// use lucerne::{Match, Search};
/// use lucerne::query::Highlight;
///
/// let hits = searcher.search(Search::new(Match::all("title", "small editor")).highlight("title"))?;
/// assert_eq!(hits.hits[0].highlights["title"], ["<b>small</b> text <b>editor</b>"]);
///
/// let short = Highlight::new("title").fragments(1).size(12).tags("[", "]");
/// let hits = searcher.search(Search::new(Match::new("title", "small")).highlight(short))?;
/// assert_eq!(hits.hits[0].highlights["title"], ["[small] text"]);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Highlight {
    pub(crate) field: String,
    #[serde(default = "fragments")]
    pub(crate) fragments: usize,
    #[serde(default = "size")]
    pub(crate) size: usize,
    #[serde(default = "tags")]
    pub(crate) tags: [String; 2],
    #[serde(default)]
    pub(crate) escape_html: bool,
}

fn fragments() -> usize {
    3
}

fn size() -> usize {
    150
}

fn tags() -> [String; 2] {
    ["<b>".to_owned(), "</b>".to_owned()]
}

impl Highlight {
    /// At most three fragments of a text field, of about 150 characters each.
    pub fn new(field: impl Into<String>) -> Self {
        Self { field: field.into(), fragments: fragments(), size: size(), tags: tags(), escape_html: false }
    }

    /// The maximum number of fragments of a hit, the best ones, in the order of the text. 0 returns each text that has a
    /// word, whole. Default: 3.
    #[must_use]
    pub fn fragments(mut self, count: usize) -> Self {
        self.fragments = count;
        self
    }

    /// The length of a fragment in characters without tags: words are not cut, and a phrase may be longer. Default: 150.
    #[must_use]
    pub fn size(mut self, characters: usize) -> Self {
        self.size = characters;
        self
    }

    /// What stands before and behind what was found. Default: `<b>` and `</b>`.
    #[must_use]
    pub fn tags(mut self, before: impl Into<String>, after: impl Into<String>) -> Self {
        self.tags = [before.into(), after.into()];
        self
    }

    /// Writes `&`, `<`, `>`, `"` and `'` of the text as HTML entities, but not those of the tags. Without it a text that
    /// has tags of its own is returned with them.
    #[must_use]
    pub fn escape_html(mut self) -> Self {
        self.escape_html = true;
        self
    }
}

impl From<&str> for Highlight {
    fn from(field: &str) -> Self {
        Self::new(field)
    }
}

impl From<String> for Highlight {
    fn from(field: String) -> Self {
        Self::new(field)
    }
}
