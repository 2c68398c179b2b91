//! Options of text and keyword fields.

use crate::analysis::{TextAnalysis, check_synonyms};
use std::sync::Arc;

/// Options of a text field: how it is analyzed and how its matches are scored.
///
/// ```
/// use lucerne::schema::{Field, Text};
/// use lucerne::Schema;
///
/// let title = Text::new().weight(2.0).bm25(1.2, 0.5);
/// let schema = Schema::builder().field(Field::text_with("title", title)).build()?;
/// assert_eq!(schema.to_json()["fields"][0]["weight"], 2.0);
/// # Ok::<(), lucerne::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Text {
    pub(super) analysis: TextAnalysis,
    pub(super) weight: f32,
    pub(super) k1: f32,
    pub(super) b: f32,
    pub(super) synonyms: Arc<[String]>,
}

/// BM25's k1 and b, as Lucene has them.
pub(super) const BM25: (f32, f32) = (1.2, 0.75);

impl Default for Text {
    fn default() -> Self {
        let synonyms = Arc::default();
        Self { analysis: TextAnalysis::default(), weight: 1.0, k1: BM25.0, b: BM25.1, synonyms }
    }
}

impl Text {
    /// Unicode words in lower case, weight 1.
    pub fn new() -> Self {
        Self::default()
    }

    /// What scores of the field are multiplied by: a finite number above 0. Default 1.
    #[must_use]
    pub fn weight(mut self, weight: f32) -> Self {
        self.weight = weight;
        self
    }

    /// BM25's parameters: how much further occurrences of a word count (`k1`, a finite number of at least 0,
    /// default 1.2) and how much the length of a text does (`b`, from 0 to 1, default 0.75).
    #[must_use]
    pub fn bm25(mut self, k1: f32, b: f32) -> Self {
        (self.k1, self.b) = (k1, b);
        self
    }

    /// How values become terms.
    #[must_use]
    pub fn analysis(mut self, analysis: TextAnalysis) -> Self {
        self.analysis = analysis;
        self
    }

    /// Words that stand for others in queries ([`Match`](crate::Match), [`Phrase`](crate::Phrase) and what is made of them), a
    /// rule each. Words that are separated by commas stand for each other; what is left of `=>` stands for what is right of
    /// it, and not for itself unless it is there too. A rule may have several words in sequence. Documents are not changed:
    /// rules may be replaced at any time (`lucerne alter`).
    ///
    /// All words that one stands for are scored as one word: its occurrences are theirs together, its document frequency is
    /// the greatest of theirs. Several words in sequence are a phrase; where there is one, the best of the alternatives counts.
    /// The longest sequence of a query's words that a rule has is taken, and rules are not applied to what others made.
    ///
    /// ```
    /// use lucerne::directory::RamDirectory;
    /// use lucerne::index::IndexBuilder;
    /// use lucerne::schema::{Field, Text};
    /// use lucerne::{Document, Match, Schema};
    /// use std::sync::Arc;
    ///
    /// # fn main() -> lucerne::Result<()> {
    /// let title = Text::new().synonyms(["tv, television", "laptop => laptop, notebook", "usb stick, pendrive"]);
    /// let schema = Schema::builder().key("id").field(Field::text_with("title", title)).build()?;
    /// let index = IndexBuilder::new().create(Arc::new(RamDirectory::new()), schema)?;
    /// let writer = index.writer()?;
    /// writer.add(&Document::new().with("id", "a").with("title", "A television"))?;
    /// writer.add(&Document::new().with("id", "b").with("title", "A notebook with a USB stick"))?;
    /// writer.commit()?;
    /// let searcher = index.searcher()?;
    /// assert_eq!(searcher.search(Match::new("title", "tv"))?.keys(), ["a"]);
    /// assert_eq!(searcher.search(Match::all("title", "laptop pendrive"))?.keys(), ["b"]);
    /// assert_eq!(searcher.count(Match::new("title", "stick usb"))?, 1);
    /// assert_eq!(searcher.count(Match::new("title", "notebook tv"))?, 2);
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn synonyms(mut self, rules: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.synonyms = rules.into_iter().map(Into::into).collect();
        self
    }

    /// The rules of synonyms.
    pub(crate) fn text_synonyms(&self) -> &Arc<[String]> {
        &self.synonyms
    }

    pub(crate) fn text_analysis(&self) -> &TextAnalysis {
        &self.analysis
    }

    pub(crate) fn text_weight(&self) -> f32 {
        self.weight
    }

    /// BM25's k1 and b.
    pub(crate) fn text_bm25(&self) -> (f32, f32) {
        (self.k1, self.b)
    }

    pub(super) fn check(&self) -> Result<(), String> {
        check_synonyms(&self.synonyms)?;
        if !self.weight.is_finite() || self.weight <= 0.0 {
            return Err(format!("weight is {}, expected a finite number above 0", self.weight));
        }
        if !self.k1.is_finite() || self.k1 < 0.0 {
            return Err(format!("k1 is {}, expected a finite number of at least 0", self.k1));
        }
        if (0.0..=1.0).contains(&self.b) {
            Ok(())
        } else {
            Err(format!("b is {}, expected a number from 0 to 1", self.b))
        }
    }
}

/// Options of a keyword field.
///
/// ```
/// use lucerne::schema::{Field, Keyword};
/// use lucerne::Schema;
///
/// let tags = Field::keyword_with("tags", Keyword::separated_by(','));
/// let schema = Schema::builder().field(tags).build()?;
/// assert_eq!(schema.to_json()["fields"][0]["separator"], ",");
/// # Ok::<(), lucerne::Error>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Keyword {
    pub(super) separator: Option<char>,
}

impl Keyword {
    /// The whole string is one value.
    pub fn new() -> Self {
        Self::default()
    }

    /// The string is split at `separator` into several values: with `,` the string `a, b` is found by `a` and by `b`.
    /// White space around the parts is removed, and empty parts are dropped.
    pub fn separated_by(separator: char) -> Self {
        Self { separator: Some(separator) }
    }

    /// The values that `text` is.
    pub(crate) fn values<'a>(&self, text: &'a str) -> impl Iterator<Item = &'a str> {
        let whole = self.separator.is_none().then_some(text);
        let parts = self.separator.map(|separator| text.split(separator).map(str::trim));
        whole.into_iter().chain(parts.into_iter().flatten().filter(|part| !part.is_empty()))
    }
}
