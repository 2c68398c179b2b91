//! One spelling for what looks the same.

use std::borrow::Cow;
use unicode_normalization::{IsNormalized, UnicodeNormalization, is_nfkc_quick};

/// The text in NFKC (wide and narrow letters, ligatures, composed accents become the usual ones), without
/// characters that only say how others look, with straight apostrophes.
pub(super) fn normalize(text: &str) -> Cow<'_, str> {
    if text.is_ascii() || is_nfkc_quick(text.chars()) == IsNormalized::Yes && !text.contains(is_changed) {
        return Cow::Borrowed(text);
    }
    text.nfkc()
        .filter_map(|character| if is_changed(character) { change(character) } else { Some(character) })
        .collect()
}

/// Soft hyphens, variation selectors, the typographic apostrophe, the slash of fractions.
fn is_changed(character: char) -> bool {
    matches!(character, '\u{AD}' | '\u{2019}' | '\u{2044}' | '\u{FE00}'..='\u{FE0F}' | '\u{E0100}'..='\u{E01EF}')
}

fn change(character: char) -> Option<char> {
    match character {
        '\u{2019}' => Some('\''),
        '\u{2044}' => Some('/'),
        _ => None,
    }
}
