//! The analysis options of a text field.

use super::Language;
use serde::{Deserialize, Serialize};
use std::ops::Not;

/// How the values of a text field become terms. By default: Unicode words in lower case, and bigrams in scripts
/// that put no spaces between words.
///
/// ```
/// use lucerne::analysis::{Language, StopWords, TextAnalysis};
///
/// let english = TextAnalysis::new().stemmer(Language::English).stop_words(StopWords::of(Language::English));
/// let json = r#"{"stemmer": "english", "stop_words": "english"}"#;
/// assert_eq!(serde_json::from_str::<TextAnalysis>(json).unwrap(), english);
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct TextAnalysis {
    /// A registered analyzer, `standard` when not given. The other options are for `standard` only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub analyzer: Option<String>,
    /// Words are reduced to their stems in this language.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stemmer: Option<Language>,
    /// Words that are left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stop_words: Option<StopWords>,
    /// Accents are removed: `é` becomes `e`, `ß` becomes `ss`.
    #[serde(skip_serializing_if = "Not::not")]
    pub fold: bool,
    /// States that words are not stemmed, which is the default; an error together with `stemmer`.
    #[serde(skip_serializing_if = "Not::not")]
    pub nostem: bool,
}

/// Words that do not become terms. They leave a gap in the positions.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged, expecting = "expected a language (\"english\") or a list of words")]
pub enum StopWords {
    /// The stop words of a language.
    Of(Language),
    /// A list of words.
    List(Vec<String>),
}

impl StopWords {
    /// The list of a language; there is one for English.
    pub fn of(language: Language) -> Self {
        Self::Of(language)
    }

    /// These words, in any case.
    pub fn list(words: impl IntoIterator<Item = impl Into<String>>) -> Self {
        Self::List(words.into_iter().map(Into::into).collect())
    }
}

impl TextAnalysis {
    /// The analyzer `standard` without options.
    pub fn new() -> Self {
        Self::default()
    }

    /// A registered analyzer, or one of `standard`, `whitespace`, `keyword`.
    #[must_use]
    pub fn analyzer(mut self, name: impl Into<String>) -> Self {
        self.analyzer = Some(name.into());
        self
    }

    /// Reduces words to their stems.
    #[must_use]
    pub fn stemmer(mut self, language: Language) -> Self {
        self.stemmer = Some(language);
        self
    }

    /// Leaves words out.
    #[must_use]
    pub fn stop_words(mut self, words: StopWords) -> Self {
        self.stop_words = Some(words);
        self
    }

    /// Removes accents.
    #[must_use]
    pub fn fold(mut self) -> Self {
        self.fold = true;
        self
    }
}
