//! What a text field declares about its analysis.

use serde::{Deserialize, Serialize};

/// How a text field's values become terms. The default: Unicode words, in lower case.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct TextAnalysis {
    /// A registered analyzer, `standard` when not given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub analyzer: Option<String>,
}
