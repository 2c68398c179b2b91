//! Options of text and keyword fields.

use crate::analysis::TextAnalysis;

/// Options of a text field.
#[derive(Clone, Debug, PartialEq)]
pub struct Text {
    pub(super) analysis: TextAnalysis,
    pub(super) weight: f32,
}

impl Default for Text {
    fn default() -> Self {
        Self { analysis: TextAnalysis::default(), weight: 1.0 }
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

    /// How values become terms.
    #[must_use]
    pub fn analysis(mut self, analysis: TextAnalysis) -> Self {
        self.analysis = analysis;
        self
    }

    pub(crate) fn text_analysis(&self) -> &TextAnalysis {
        &self.analysis
    }

    pub(crate) fn text_weight(&self) -> f32 {
        self.weight
    }

    pub(super) fn check(&self) -> Result<(), String> {
        match self.weight.is_finite() && self.weight > 0.0 {
            true => Ok(()),
            false => Err(format!("weight is {}, expected a finite number above 0", self.weight)),
        }
    }
}

/// Options of a keyword field.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Keyword {
    pub(super) separator: Option<char>,
}

impl Keyword {
    /// A value is taken as it is.
    pub fn new() -> Self {
        Self::default()
    }

    /// A value is several, with this between them: with `,` the value `a, b` matches `a` and matches `b`.
    /// White space around the parts is cut off, empty parts are dropped.
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
